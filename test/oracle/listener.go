package oracle

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// listener is a TB that keeps the complaints of a case instead of failing.
type listener struct {
	testing.TB
	mu   sync.Mutex
	said []string
}

// listen runs check to its end, or to the first complaint that ends it, and
// answers the complaints.
func listen(t testing.TB, check func(testing.TB)) []string {
	l := &listener{TB: t}
	ended := make(chan struct{})
	go func() { // a fatal complaint ends the goroutine it is made in
		defer close(ended)
		check(l)
	}()
	<-ended
	return l.said
}

func (l *listener) complain(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.said = append(l.said, strings.TrimSuffix(text, "\n"))
}

func (l *listener) Fail()                             { l.complain("failed without a word") }
func (l *listener) FailNow()                          { l.Fail(); runtime.Goexit() }
func (l *listener) Error(args ...any)                 { l.complain(fmt.Sprintln(args...)) }
func (l *listener) Errorf(format string, args ...any) { l.complain(fmt.Sprintf(format, args...)) }
func (l *listener) Fatal(args ...any)                 { l.Error(args...); runtime.Goexit() }
func (l *listener) Fatalf(format string, args ...any) { l.Errorf(format, args...); runtime.Goexit() }

func (l *listener) Failed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.said) > 0
}

// table is what a run found, one line per case, one column per side.
type table struct {
	cases, sides []string

	mu    sync.Mutex
	cells map[[2]string]string // by case and side
}

func newTable() *table { return &table{cells: map[[2]string]string{}} }

func (b *table) set(name, side, result string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.cells[[2]string{name, side}] = result
}

// String is the table; a cell that never was set is of a case that fails.
func (b *table) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out strings.Builder
	row := func(name string, cell func(side string) string) {
		fmt.Fprintf(&out, "\n%-36s", name)
		for _, side := range b.sides {
			fmt.Fprintf(&out, " %-14s", cell(side))
		}
	}
	row("case", func(side string) string { return side })
	for _, name := range b.cases {
		row(name, func(side string) string {
			if result, ok := b.cells[[2]string{name, side}]; ok {
				return result
			}
			return "FAILS"
		})
	}
	return out.String()
}
