package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"workerpool/test/bench/measure"
)

// A ratio is made of what was measured in the same round: a peer beside the
// figure, or another figure.
func TestRatiosAreOfOneRound(t *testing.T) {
	at := func(n ...int) (out []measure.Sample) {
		for _, n := range n {
			out = append(out, measure.Sample{N: n, Took: time.Second, Flow: 200 * time.Millisecond, Server: 400 * time.Millisecond})
		}
		return out
	}
	fast := figure{name: "fast", unit: "works", to: []goal{{insert1, 0.5, 2}, {"slow", 1, 10}}}
	slow := figure{name: "slow", unit: "works"}
	r := &rounds{
		figures: []figure{fast, slow}, own: map[string][]measure.Sample{"fast": at(100, 300, 200), "slow": at(10, 10, 40)},
		peers:  map[string][]measure.Sample{insert1: at(100, 200)},
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
