package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestStatOfAnyProgramName(t *testing.T) {
	line := "4711 (a) b) R 12 4711 4711 0 -1 4194304 1 2 3 4 250 50 7 3 20 0 9 0 100 1 1"
	got, err := parseStat(line)
	want := proc{pid: 4711, parent: 12, cpu: 3 * time.Second, ended: 100 * time.Millisecond}
	if err != nil || got != want {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
	for _, bad := range []string{"", "4711 (a) R 12", strings.Replace(line, "250", "x", 1)} {
		if got, err := parseStat(bad); err == nil {
			t.Errorf("%q gave %+v", bad, got)
		}
	}
}

// A ratio is made of what was measured in the same round: a peer beside the
// figure, or another figure.
func TestRatiosAreOfOneRound(t *testing.T) {
	at := func(n ...int) (out []sample) {
		for _, n := range n {
			out = append(out, sample{n: n, took: time.Second, flow: 200 * time.Millisecond, server: 400 * time.Millisecond})
		}
		return out
	}
	fast := figure{name: "fast", unit: "works", to: []goal{{insert1, 0.5, 2}, {"slow", 1, 10}}}
	slow := figure{name: "slow", unit: "works"}
	r := &rounds{
		figures: []figure{fast, slow}, own: map[string][]sample{"fast": at(100, 300, 200), "slow": at(10, 10, 40)},
		peers:  map[string][]sample{insert1: at(100, 200)},
		beside: map[[2]string][]float64{{"fast", insert1}: {100, 100, 50}},
	}
	if got := r.ratios(fast, fast.to[0]); !slices.Equal(got, []float64{1, 3, 4}) {
		t.Errorf("to the peer: %v", got)
	}
	if got := r.ratios(fast, fast.to[1]); !slices.Equal(got, []float64{10, 30, 5}) {
		t.Errorf("to the other figure: %v", got)
	}
	table := r.table()
	for _, line := range []string{
		"| fast | insert1, c=32 | 3.00 (1.00 - x4.0) | 1.33 | 0.50 | 2.00 | great |", "| fast | slow | x10.0 (x5.0 - x30.0) | x10.0 | 1.00 | x10.0 | great |",
		"| slow | 10 works |",
	} {
		if !strings.Contains(table, line) {
			t.Errorf("no %q in\n%s", line, table)
		}
	}
	for ratio, want := range map[float64]string{0.2: "**below good**", 0.5: "good", 1.9: "good", 2: "great"} {
		if got := verdict(ratio, fast.to[0]); got != want {
			t.Errorf("%v is %s, want %s", ratio, got, want)
		}
	}
}

func TestTheFirstErrorEndsAllCallers(t *testing.T) {
	broken := errors.New("broken")
	var calls atomic.Int64
	_, err := parallel(t.Context(), 4, time.Hour, func(context.Context, int, int) error {
		if calls.Add(1) == 10 {
			return broken
		}
		return nil
	})
	if !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	if err := together(t.Context(), 3, func(_ context.Context, caller int) error {
		if caller == 2 {
			return broken
		}
		return nil
	}); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}
