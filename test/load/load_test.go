package main

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"workerpool/shared/pool"
	"workerpool/shared/wire"
	"workerpool/test/load/crowd"
	"workerpool/test/load/meter"
	"workerpool/test/load/plan"
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
	todo, err := plan.Read("plans/small.json")
	if err != nil {
		t.Fatal(err)
	}
	functions := build(t)
	own, err := startOwnPool(order{Own: todo.Pool, Template: "../../template.yaml", Functions: functions, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(own.Stop)
	outcome, err := execute(t.Context(), todo, own.target(), t.Output())
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
	for _, action := range append([]string{"session", "register", "heartbeat, reporting", "upload"}, plan.Actions...) {
		// A worker is not a call; whether a work has ended in time for its result to be read is not sure.
		if measured[action] == 0 && action != "worker" && action != "result" {
			t.Errorf("no %s was measured: %v", action, measured)
		}
	}
}

// TestLostAndChangedWorksAreFaults: the requester's side.
func TestLostAndChangedWorksAreFaults(t *testing.T) {
	digest, size := crowd.DigestOf(5)
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
		m := meter.New(time.Now)
		q := newRequester(nil, m, "", true, 1)
		for _, w := range c.looks {
			q.look(w)
		}
		if faults := strings.Join(m.Faults(), "; "); (c.why == "") != (faults == "") || !strings.Contains(faults, c.why) {
			t.Errorf("%s: found %q, want %q", name, faults, c.why)
		}
	}
	m := meter.New(time.Now)
	q := newRequester(nil, m, "", true, 1)
	submission := wire.Submission{Items: make([]wire.Item, 3)}
	q.promised(wire.Accepted{Batch: 1, FirstWork: 10, LastWork: 12, Works: 3}, submission)
	q.page(10, []wire.Work{{ID: 10, State: "waiting"}, {ID: 12, State: "waiting"}})
	q.promised(wire.Accepted{Batch: 2, FirstWork: 12, LastWork: 14, Works: 3}, submission)
	q.promised(wire.Accepted{Batch: 3, FirstWork: 20, LastWork: 21, Works: 2}, submission)
	if faults := m.Faults(); len(faults) != 3 {
		t.Errorf("a gap, an overlap and a wrong count: %q", faults)
	}
}

// TestJudge: what is expected is held against what was measured.
func TestJudge(t *testing.T) {
	expected := plan.Plan{Phases: []plan.Phase{{Name: "first"}, {Name: "last"}}, Expect: plan.Expect{ErrorShare: 0.1, HeartbeatP99MS: 100, PeakOverMean: 2, GrowthPercent: 5}}
	good := Outcome{Measures: []meter.Row{{Phase: "first", Action: "heartbeat, idle", Count: 9, P99: 500}, {Phase: "last", Action: "heartbeat, idle", Count: 1, P99: 100, Errors: map[string]int{"503": 1}}}, Peak: 20, Mean: 10, Growth: 5}
	bad := good
	bad.Measures = []meter.Row{{Phase: "last", Action: "heartbeat, idle", Count: 9, P99: 101, Errors: map[string]int{"503": 1}}}
	bad.Peak, bad.Growth = 21, 5.1
	good.judge(expected)
	bad.judge(expected)
	if !good.Good() || len(bad.Missed) != 4 {
		t.Errorf("%q, %q", good.Missed, bad.Missed)
	}
}

// TestChart: it is XML, and has a line for each series.
func TestChart(t *testing.T) {
	o := Outcome{Plan: "a <b> & c", Took: 100, Calls: map[string][]int{"heartbeat": make([]int, 1000)}}
	o.Measures = []meter.Row{{Action: "x", Phase: "p", Count: 100, Curve: [][2]float64{{10, 1}, {50, 2}, {90, 30}}}}
	o.Samples = []meter.Sample{{At: 1, RSS: map[string]float64{"host": 10}}, {At: 2, RSS: map[string]float64{"host": 20}}}
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
