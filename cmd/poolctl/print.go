package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// table gathers what a person reads: rows in columns and lines.
type table struct {
	text    bytes.Buffer
	columns *tabwriter.Writer
}

func newTable() *table {
	t := &table{}
	t.columns = tabwriter.NewWriter(&t.text, 0, 8, 2, ' ', 0)
	return t
}

// row adds a row; cells are printed as fmt prints them.
func (t *table) row(cells ...any) {
	parts := make([]string, len(cells))
	for i, c := range cells {
		parts[i] = clean(fmt.Sprint(c))
	}
	fmt.Fprintln(t.columns, strings.Join(parts, "\t"))
}

// line ends the columns and adds a line.
func (t *table) line(format string, args ...any) {
	fmt.Fprintln(t.columns, clean(fmt.Sprintf(format, args...)))
}

// clean takes out what a terminal would obey: names and reasons are others' words.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		if !strconv.IsPrint(r) {
			return '\uFFFD'
		}
		return r
	}, text)
}

// print writes the answer to a command: value as JSON, or what human makes.
func (p *poolctl) print(value any, human func(*table)) error {
	if p.line.JSON {
		encoder := json.NewEncoder(p.world.out)
		encoder.SetIndent("", "  ")
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(value); err != nil {
			return fmt.Errorf("writing the answer: %w", err)
		}
		return nil
	}
	t := newTable()
	human(t)
	if err := t.columns.Flush(); err != nil {
		return fmt.Errorf("writing the answer: %w", err)
	}
	if _, err := t.text.WriteTo(p.world.out); err != nil {
		return fmt.Errorf("writing the answer: %w", err)
	}
	return nil
}

// note tells a person about the way, never in the answer.
func (p *poolctl) note(format string, args ...any) {
	fmt.Fprintln(p.world.errs, clean(fmt.Sprintf(format, args...)))
}

func day(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") }

func short(digest string) string { return digest[:min(len(digest), 12)] }

// size gives bytes as a person reads them.
func size(n int64) string {
	value, unit := float64(n), 0
	for value >= 1024 && unit < 4 {
		value, unit = value/1024, unit+1
	}
	if unit == 0 {
		return strconv.FormatInt(n, 10)
	}
	return strconv.FormatFloat(value, 'f', 1, 64) + "KMGT"[unit-1:unit]
}
