// Package page makes what a person reads of tables and lines. It owns columns and
// the taking out of what a terminal would obey; it knows nothing of what is shown.
package page

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// Table gathers rows in columns and lines.
type Table struct {
	text    bytes.Buffer
	columns *tabwriter.Writer
}

// New makes an empty one.
func New() *Table {
	t := &Table{}
	t.columns = tabwriter.NewWriter(&t.text, 0, 8, 2, ' ', 0)
	return t
}

// Row adds a row; cells are printed as fmt prints them.
func (t *Table) Row(cells ...any) {
	parts := make([]string, len(cells))
	for i, c := range cells {
		parts[i] = Clean(fmt.Sprint(c))
	}
	fmt.Fprintln(t.columns, strings.Join(parts, "\t"))
}

// Line ends the columns and adds a line.
func (t *Table) Line(format string, args ...any) {
	fmt.Fprintln(t.columns, Clean(fmt.Sprintf(format, args...)))
}

// WriteTo writes all of it.
func (t *Table) WriteTo(w io.Writer) (int64, error) {
	if err := t.columns.Flush(); err != nil {
		return 0, err
	}
	return t.text.WriteTo(w)
}

// Clean takes out what a terminal would obey: names and reasons are others' words.
func Clean(text string) string {
	return strings.Map(func(r rune) rune {
		if !strconv.IsPrint(r) {
			return '\uFFFD'
		}
		return r
	}, text)
}

// Day gives a moment as a person reads it, in UTC.
func Day(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") }
