package main

import (
	"encoding/json"
	"testing"

	"workerpool/shared/wire"
)

func TestExplain(t *testing.T) {
	s := newStage(t).loggedIn()
	work := wire.WorkExplained{
		Work: 49152, State: "waiting", Reason: "queued", Words: "40 works before it",
		Ahead: &wire.Ahead{Works: 40, Assignments: 80, More: true}, Estimate: &wire.Estimate{Seconds: 3720, Error: 90, Seen: 400, WindowS: 600},
		Workers: &wire.Crowd{Live: 9, Active: 8, Able: 7, Admitting: 6, Untried: 5, Free: 4},
	}
	s.routes["GET /works/49152/explain"] = answer(200, work)
	s.must(exitDone, "explain", "work", "49152")
	s.says("work:49152: waiting, queued: 40 works before it\n", "ahead: more than 40 works, which want 80 assignments\n",
		"estimate: in 1h2m, give or take 1m30s (400 assignments in the last 10m)\n",
		"workers: 9 live, of these 8 active, 7 able, 6 admitting its requester, 5 without their turn, 4 with a free slot\n")
	s.must(exitDone, "--json", "explain", "work", "49152")
	var got wire.WorkExplained
	if err := json.Unmarshal(s.out.Bytes(), &got); err != nil || *got.Ahead != *work.Ahead || *got.Estimate != *work.Estimate {
		t.Errorf("%s (%v)", s.out.String(), err)
	}
	s.routes["GET /works/49152/explain"] = answer(200, wire.WorkExplained{
		Work: 49152, State: "waiting", Reason: "unfit", Words: "none \x1b[31m fits", Unmet: []wire.Unmet{{Demand: "cpu", Workers: 3}},
	})
	s.must(exitDone, "explain", "work", "49152")
	s.says("none \uFFFD[31m fits", "DEMAND  RULES OUT\ncpu     3\n")

	s.routes["GET /workers/4/explain"] = answer(200, wire.WorkerExplained{
		Worker: 4, State: "active", Reason: "nothing_fits", Words: "it could run none", Slots: 2, Quota: 1,
		Opens: []wire.Opening{{If: "had 8 cpu", Works: 1000, More: true}, {If: "had 1 gpu", Works: 2}},
	})
	s.must(exitDone, "explain", "worker", "4")
	s.says("worker 4: active, nothing_fits: it could run none\n", "assignments: 0, at most 2 by its slots and 1 by its quota\n",
		"IF IT      WORKS\nhad 8 cpu  more than 1000\nhad 1 gpu  2\n")
	s.routes["GET /workers/4/explain"] = answer(200, wire.WorkerExplained{
		Worker: 4, State: "active", Reason: "waits_for_the_draw", Chance: &wire.Chance{Tickets: 2, Of: 10, Owners: 3},
	})
	s.must(exitDone, "explain", "worker", "4")
	s.says("next draw: 2 of 10 tickets, 3 owners\n")

	s.routes["GET /works/49152/assignments/4/explain"] = answer(200, wire.AssignmentExplained{
		Work: 49152, Worker: 4, Attempt: 2, Seed: "18446744073709551615", At: noon, Words: "it is the same worker",
	})
	s.must(exitDone, "explain", "assignment", "49152", "4")
	s.says("work:49152 to worker 4, attempt 2, drawn at 2026-05-04 12:00:00 with seed 18446744073709551615\nit is the same worker\n")

	for _, args := range [][]string{{"explain"}, {"explain", "work"}, {"explain", "work", "x"}, {"explain", "assignment", "1"}, {"explain", "batch", "1"}} {
		s.must(exitUsage, args...)
	}
	for _, args := range [][]string{{"explain", "work", "7"}, {"explain", "worker", "7"}, {"explain", "assignment", "7", "7"}} {
		s.must(exitFailed, args...)
		s.says("said the pool", "7")
	}
}
