package main

import (
	"encoding/json"
	"fmt"
	"strconv"

	"workerpool/cmd/poolctl/page"
)

// print writes the answer to a command: value as JSON, or what human makes.
func (p *poolctl) print(value any, human func(*page.Table)) error {
	if p.line.JSON {
		encoder := json.NewEncoder(p.world.out)
		encoder.SetIndent("", "  ")
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(value); err != nil {
			return fmt.Errorf("writing the answer: %w", err)
		}
		return nil
	}
	t := page.New()
	human(t)
	if _, err := t.WriteTo(p.world.out); err != nil {
		return fmt.Errorf("writing the answer: %w", err)
	}
	return nil
}

// note tells a person about the way, never in the answer.
func (p *poolctl) note(format string, args ...any) {
	fmt.Fprintln(p.world.errs, page.Clean(fmt.Sprintf(format, args...)))
}

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
