package plan

import (
	"math"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestPlans: those that are kept can be read.
func TestPlans(t *testing.T) {
	plans, err := filepath.Glob("../plans/*.json")
	if err != nil || len(plans) < 3 {
		t.Fatal(plans, err)
	}
	for _, path := range plans {
		plan, err := Read(path)
		if err != nil || plan.Name+".json" != filepath.Base(path) {
			t.Errorf("%s: %q, %v", path, plan.Name, err)
		}
	}
}

func TestPlansRefused(t *testing.T) {
	for text, why := range map[string]string{
		`{"name":"x"}`: "a name and phases",
		`{"name":"x","phases":[{"name":"p","actors":[{"action":"sleep","rate":{"to":1},"count":1}]}]}`:                "no such action",
		`{"name":"x","phases":[{"name":"p","actors":[{"action":"pool","rate":{"to":1}}]}]}`:                           "never end",
		`{"name":"x","phases":[{"name":"p","seconds":1,"actors":[{"action":"worker","rate":{"to":1}}]}]}`:             "never end",
		`{"name":"x","phases":[{"name":"p","seconds":1,"actors":[{"action":"pool","rate":{"from":1}}]}]}`:             "more than 0",
		`{"name":"x","phases":[{"name":"p","until_ended":true}]}`:                                                     "a limit",
		`{"name":"x","phases":[{"name":"p","seconds":1,"actors":[{"action":"pool","rate":{"to":1},"runs":[1,2]}]}]}`:  "unknown field",
		`{"name":"x","phases":[{"name":"p","seconds":1,"actors":[{"action":"pool","rate":{"to":1},"run_s":[2,1]}]}]}`: "from, to",
		`{"name":"x","phases":[{"name":"p","seconds":1,"actors":[]}]} {}`:                                             "more than one",
	} {
		if _, err := parse([]byte(text)); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v, want %q", text, err, why)
		}
	}
}

// TestDue: the rate summed up to when an event is due is the number of events
// before it, and events come in order.
func TestDue(t *testing.T) {
	const seed = 1
	rng := rand.New(rand.NewPCG(seed, 0))
	for range 2000 {
		r := Rate{From: rng.Float64() * 50, To: 0.1 + rng.Float64()*50, OverS: rng.Float64() * 20}
		switch rng.IntN(4) {
		case 0:
			r.From = 0
		case 1:
			r.OverS = 0
		case 2:
			r.From = r.To
		}
		last := time.Duration(-1)
		for n := range 300 {
			due := r.Due(n)
			at := due.Seconds()
			ramp := math.Min(at, r.OverS)
			sum := r.To * (at - ramp)
			if r.OverS > 0 {
				sum += r.From*ramp + (r.To-r.From)*ramp*ramp/2/r.OverS
			}
			if due <= last || math.Abs(sum-float64(n)) > 1e-4 {
				t.Fatalf("seed %d: %+v: event %d at %v after %v; %.6f are due by then", seed, r, n, due, last, sum)
			}
			last = due
		}
	}
}
