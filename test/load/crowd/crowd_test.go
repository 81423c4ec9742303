package crowd

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"workerpool/shared/wire"
	"workerpool/test/load/meter"
	"workerpool/test/load/plan"
)

// stage is a worker without a pool.
func stage(slots int) (*hand, *meter.Meter) {
	m := meter.New(time.Now)
	c := New(context.Background(), nil, m, wire.Login{}, 1)
	return &hand{
		crowd: c, actor: plan.Actor{Slots: slots, App: "load", RunS: [2]float64{3600, 3600}}, rng: rand.New(rand.NewPCG(1, 1)),
		turns: map[int64]*turn{}, seen: map[int64]given{}, changed: make(chan struct{}, 1),
	}, m
}

func told(work int64, attempt int, do string) wire.Instruction {
	in := wire.Instruction{Work: work, Attempt: attempt, Do: do}
	if do == wire.DoStart {
		in.Run = &wire.Run{App: wire.App{Type: "process", Name: "load"}}
	}
	return in
}

// TestPlantedFaults: a pool that breaks a promise is caught, and one that keeps
// them, also when answers are lost, is not.
func TestPlantedFaults(t *testing.T) {
	start, goOn := wire.DoStart, wire.DoContinue
	for name, c := range map[string]struct {
		slots   int
		answers [][]wire.Instruction
		lost    int // of these, from the first: the worker does not see them
		why     string
	}{
		"kept":             {2, [][]wire.Instruction{{told(1, 1, start)}, {told(1, 1, goOn), told(2, 1, start)}, {told(1, 1, wire.DoStop), told(2, 1, goOn), told(3, 1, start)}}, 0, ""},
		"answer lost":      {1, [][]wire.Instruction{{told(1, 1, start)}, {told(1, 1, start)}}, 1, ""},
		"next attempt":     {1, [][]wire.Instruction{{told(1, 1, start)}, {told(1, 2, start)}}, 0, ""},
		"given twice":      {2, [][]wire.Instruction{{told(1, 1, start)}, {told(1, 1, start)}}, 0, "again"},
		"older attempt":    {1, [][]wire.Instruction{{told(1, 2, start)}, {told(1, 1, start)}}, 0, "after attempt 2"},
		"more than slots":  {1, [][]wire.Instruction{{told(1, 1, start)}, {told(1, 1, goOn), told(2, 1, start)}}, 0, "with 1 slots holds 2"},
		"two in an answer": {2, [][]wire.Instruction{{told(1, 1, start), told(1, 1, start)}}, 0, "told twice"},
		"no run":           {1, [][]wire.Instruction{{{Work: 1, Attempt: 1, Do: start}}}, 0, "without a run"},
	} {
		t.Run(name, func(t *testing.T) {
			h, m := stage(c.slots)
			for i, instructions := range c.answers {
				reports := h.Reports()
				if i < c.lost {
					continue
				}
				h.inspect(7, reports, wire.Beat{NextHeartbeatS: 3600, Instructions: instructions})
				h.Obey(instructions)
			}
			faults := strings.Join(m.Faults(), "; ")
			if (c.why == "") != (faults == "") || !strings.Contains(faults, c.why) {
				t.Errorf("found %q, want %q", faults, c.why)
			}
		})
	}
}
