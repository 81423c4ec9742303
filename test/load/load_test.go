package main

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"workerpool/shared/client"
	"workerpool/shared/pool"
	"workerpool/shared/wire"
)

func TestMain(m *testing.M) {
	if os.Getenv(serveVariable) != "" { // this program serves the pool of a test
		if err := serve(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// build makes the functions, so that no test loads what somebody built earlier.
func build(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	functions, err := filepath.Glob("../../functions/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range functions {
		cmd := exec.Command("go", "build", "-tags", "lambda.norpc", "-o", filepath.Join(dir, filepath.Base(f), "bootstrap"), "./functions/"+filepath.Base(f))
		cmd.Dir = "../.."
		if text, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("building %s: %v\n%s", f, err, text)
		}
	}
	return dir
}

// TestSmall loads a real pool by the small plan: every action, nothing lost.
func TestSmall(t *testing.T) {
	plan, err := ReadPlan("plans/small.json")
	if err != nil {
		t.Fatal(err)
	}
	functions := build(t)
	own, err := startOwnPool(order{Own: plan.Pool, Template: "../../template.yaml", Functions: functions, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(own.Stop)
	outcome, err := execute(t.Context(), plan, own.target(), t.Output())
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(outcome.print(t.Output()), outcome.write(t.TempDir())); err != nil {
		t.Fatal(err)
	}
	if !outcome.Good() {
		t.Error(outcome.Faults, outcome.Missed)
	}
	if outcome.Found.Accepted != 60 || outcome.Found.States["done"]+outcome.Found.States["cancelled"] != 60 || outcome.Found.Workers != 20 || outcome.Found.Fetched == 0 {
		t.Errorf("%+v", outcome.Found)
	}
	measured := map[string]int64{}
	for _, m := range outcome.Measures {
		measured[m.Action] += m.Count
	}
	for _, action := range append([]string{"session", "register", "heartbeat, reporting", "upload"}, actions...) {
		if measured[action] == 0 && action != "worker" {
			t.Errorf("no %s was measured: %v", action, measured)
		}
	}
}

// TestPlans: those that are kept can be read.
func TestPlans(t *testing.T) {
	plans, err := filepath.Glob("plans/*.json")
	if err != nil || len(plans) < 3 {
		t.Fatal(plans, err)
	}
	for _, path := range plans {
		plan, err := ReadPlan(path)
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
		if _, err := parsePlan([]byte(text)); err == nil || !strings.Contains(err.Error(), why) {
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

// stage is a worker without a pool.
func stage(slots int) (*hand, *Meter) {
	meter := NewMeter(time.Now)
	c := newCrowd(context.Background(), nil, meter, wire.Login{}, 1)
	return &hand{
		crowd: c, actor: Actor{Slots: slots, App: "load", RunS: [2]float64{3600, 3600}}, rng: rand.New(rand.NewPCG(1, 1)),
		turns: map[int64]*turn{}, seen: map[int64]given{}, changed: make(chan struct{}, 1),
	}, meter
}

func order1(work int64, attempt int, do string) wire.Instruction {
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
		"kept":             {2, [][]wire.Instruction{{order1(1, 1, start)}, {order1(1, 1, goOn), order1(2, 1, start)}, {order1(1, 1, wire.DoStop), order1(2, 1, goOn), order1(3, 1, start)}}, 0, ""},
		"answer lost":      {1, [][]wire.Instruction{{order1(1, 1, start)}, {order1(1, 1, start)}}, 1, ""},
		"next attempt":     {1, [][]wire.Instruction{{order1(1, 1, start)}, {order1(1, 2, start)}}, 0, ""},
		"given twice":      {2, [][]wire.Instruction{{order1(1, 1, start)}, {order1(1, 1, start)}}, 0, "again"},
		"older attempt":    {1, [][]wire.Instruction{{order1(1, 2, start)}, {order1(1, 1, start)}}, 0, "after attempt 2"},
		"more than slots":  {1, [][]wire.Instruction{{order1(1, 1, start)}, {order1(1, 1, goOn), order1(2, 1, start)}}, 0, "with 1 slots holds 2"},
		"two in an answer": {2, [][]wire.Instruction{{order1(1, 1, start), order1(1, 1, start)}}, 0, "told twice"},
		"no run":           {1, [][]wire.Instruction{{{Work: 1, Attempt: 1, Do: start}}}, 0, "without a run"},
	} {
		t.Run(name, func(t *testing.T) {
			h, meter := stage(c.slots)
			for i, instructions := range c.answers {
				reports := h.Reports()
				if i < c.lost {
					continue
				}
				h.inspect(7, reports, wire.Beat{NextHeartbeatS: 3600, Instructions: instructions})
				h.Obey(instructions)
			}
			faults := strings.Join(meter.Faults(), "; ")
			if (c.why == "") != (faults == "") || !strings.Contains(faults, c.why) {
				t.Errorf("found %q, want %q", faults, c.why)
			}
		})
	}
}

// TestLostAndChangedWorksAreFaults: the requester's side.
func TestLostAndChangedWorksAreFaults(t *testing.T) {
	digest, size := digestOf(5)
	ended, later := time.Unix(1, 0), time.Unix(2, 0)
	done := wire.Work{ID: 5, State: string(pool.Done), SHA256: digest, Size: size, Ended: &ended}
	again, wrong, open := done, done, wire.Work{ID: 5, State: string(pool.Waiting)}
	again.Ended = &later
	wrong.SHA256 = strings.Repeat("0", 64)
	for name, c := range map[string]struct {
		looks []wire.Work
		why   string
	}{
		"ends once":    {[]wire.Work{open, done, done}, ""},
		"ends twice":   {[]wire.Work{done, again}, "ended twice"},
		"comes back":   {[]wire.Work{done, open}, "is waiting"},
		"other result": {[]wire.Work{wrong}, "every worker reported"},
	} {
		meter := NewMeter(time.Now)
		q := newRequester(nil, meter, "", true, 1)
		for _, w := range c.looks {
			q.look(w)
		}
		if faults := strings.Join(meter.Faults(), "; "); (c.why == "") != (faults == "") || !strings.Contains(faults, c.why) {
			t.Errorf("%s: found %q, want %q", name, faults, c.why)
		}
	}
	meter := NewMeter(time.Now)
	q := newRequester(nil, meter, "", true, 1)
	submission := wire.Submission{Items: make([]wire.Item, 3)}
	q.promised(wire.Accepted{Batch: 1, FirstWork: 10, LastWork: 12, Works: 3}, submission)
	q.page(10, []wire.Work{{ID: 10, State: "waiting"}, {ID: 12, State: "waiting"}})
	q.promised(wire.Accepted{Batch: 2, FirstWork: 12, LastWork: 14, Works: 3}, submission)
	q.promised(wire.Accepted{Batch: 3, FirstWork: 20, LastWork: 21, Works: 2}, submission)
	if faults := meter.Faults(); len(faults) != 3 {
		t.Errorf("a gap, an overlap and a wrong count: %q", faults)
	}
}

// TestMeter: percentiles of known values, counted from when calls were due, and
// seconds that are not whole left out of a peak.
func TestMeter(t *testing.T) {
	began := time.Unix(1000, 0)
	now := began
	m := NewMeter(func() time.Time { return now })
	m.Phase("p")
	for i := 1; i <= 1000; i++ {
		m.Took("act", now.Add(-time.Duration(i)*time.Millisecond), nil)
	}
	m.Took("act", now, &client.Error{Problem: wire.Problem{Status: 503}})
	m.Took("act", now, &client.Error{Cause: io.EOF})
	one := m.Measures()[0]
	if one.Count != 1002 || math.Abs(one.P50-500) > 5 || math.Abs(one.P99-990) > 5 || math.Abs(one.Max-1000) > 2 || one.Errors["503"] != 1 || one.Errors["no answer"] != 1 {
		t.Errorf("%+v", one)
	}
	for second, n := range []int{9, 1, 5, 0, 9} {
		now = began.Add(time.Duration(second) * time.Second)
		for range n {
			m.sent("heartbeat")
		}
	}
	if peak, mean := m.Peak("heartbeat", 500*time.Millisecond, 4500*time.Millisecond); peak != 5 || mean != 2 {
		t.Errorf("peak %d, mean %v", peak, mean)
	}
}

// TestJudge: what is expected is held against what was measured.
func TestJudge(t *testing.T) {
	plan := Plan{Phases: []Phase{{Name: "first"}, {Name: "last"}}, Expect: Expect{ErrorShare: 0.1, HeartbeatP99MS: 100, PeakOverMean: 2, GrowthPercent: 5}}
	good := Outcome{Measures: []Measure{{Phase: "first", Action: "heartbeat, idle", Count: 9, P99: 500}, {Phase: "last", Action: "heartbeat, idle", Count: 1, P99: 100, Errors: map[string]int{"503": 1}}}, Peak: 20, Mean: 10, Growth: 5}
	bad := good
	bad.Measures = []Measure{{Phase: "last", Action: "heartbeat, idle", Count: 9, P99: 101, Errors: map[string]int{"503": 1}}}
	bad.Peak, bad.Growth = 21, 5.1
	good.judge(plan)
	bad.judge(plan)
	if !good.Good() || len(bad.Missed) != 4 {
		t.Errorf("%q, %q", good.Missed, bad.Missed)
	}
	steps := []Sample{}
	for i := range 100 {
		steps = append(steps, Sample{At: float64(i), RSS: map[string]float64{"host": 100, "database": float64(max(0, i-74) / 25 * 10)}})
	}
	if got := growth(steps, 0, 100*time.Second); math.Abs(got-0.4) > 1e-9 { // 10 MB in the last of 25 samples
		t.Errorf("growth %v", got)
	}
}

func TestParseStat(t *testing.T) {
	got := parseStat([]byte("12 (a (b) c) S 7 12 12 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 5 0 100 1000000 512 18446744073709551615"))
	if want := (processLine{parent: 7, cpu: 3, rss: 512 * float64(os.Getpagesize()) / (1 << 20)}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if own, ok := sample(os.Getpid()); !ok || own.RSS["host"] <= 0 {
		t.Errorf("%+v", own)
	}
}

// TestChart: it is XML, and has a line for each series.
func TestChart(t *testing.T) {
	o := Outcome{Plan: "a <b> & c", Took: 100, Calls: map[string][]int{"heartbeat": make([]int, 1000)}}
	o.Measures = []Measure{{Action: "x", Phase: "p", Count: 100, Curve: [][2]float64{{10, 1}, {50, 2}, {90, 30}}}}
	o.Samples = []Sample{{At: 1, RSS: map[string]float64{"host": 10}}, {At: 2, RSS: map[string]float64{"host": 20}}}
	o.Calls["heartbeat"][500] = 77
	text := chart(o)
	if n := strings.Count(text, "<polyline"); n != 4 { // x, heartbeat, all, host
		t.Errorf("%d lines", n)
	}
	decoder := xml.NewDecoder(strings.NewReader(text))
	for {
		if _, err := decoder.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if points := thin(callsOf(o.Calls["heartbeat"])); len(points) > mostPoints || maxOf(points) != 77 {
		t.Errorf("%d points, the highest %v", len(points), maxOf(points))
	}
}

func callsOf(counts []int) (points [][2]float64) {
	for i, n := range counts {
		points = append(points, [2]float64{float64(i), float64(n)})
	}
	return points
}

func maxOf(points [][2]float64) (most float64) {
	for _, p := range points {
		most = max(most, p[1])
	}
	return most
}
