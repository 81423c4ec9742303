package wire_test

import (
	"errors"
	"strings"
	"testing"

	"workerpool/shared/pool"
	"workerpool/shared/wire"
)

// TestRunsStaySmall: a worker is told of hundreds of runs in one answer, so what
// one of them takes is bounded, however it is written.
func TestRunsStaySmall(t *testing.T) {
	t.Parallel()
	of := func(n int, with string) []string {
		var args []string
		for ; n > 0; n -= 8 << 10 {
			args = append(args, strings.Repeat(with, min(n, 8<<10)/len(with)))
		}
		return args
	}
	for _, c := range []struct {
		template, item []string
		field          string
	}{
		{of(60<<10, "a"), nil, ""},
		{of(60<<10, "<"), nil, ""}, // not longer than any other character
		{of(40<<10, `"`), nil, "template"},
		{of(66<<10, "a"), nil, "template"},
		{of(30<<10, "a"), of(30<<10, "a"), ""},
		{of(30<<10, "a"), of(40<<10, "a"), "items[1]"},
	} {
		s := wire.Submission{
			Template: wire.Template{App: wire.App{Type: "process", Name: "app"}, Args: c.template},
			Items:    []wire.Item{{}, {Args: c.item}},
		}
		_, err := s.Parse(1 << 20)
		var refused *pool.Error
		errors.As(err, &refused)
		if c.field == "" && err != nil || c.field != "" && (refused == nil || refused.Field != c.field) {
			t.Errorf("%d and %d arguments: %v, want a fault of %q", len(c.template), len(c.item), err, c.field)
		}
	}
}
