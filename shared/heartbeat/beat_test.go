package heartbeat_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"workerpool/shared/pool"
	"workerpool/shared/pooltest"
	"workerpool/shared/store/storetest"
	"workerpool/shared/wire"
)

// A worker is called often while there is something for it, and seldom otherwise.
func TestInterval(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	one := b.workers("one")[0]
	expect := func(why string, want time.Duration) {
		t.Helper()
		if got := b.Beat(one).NextHeartbeatS; got != int(want/time.Second) {
			t.Errorf("%s: next heartbeat in %d s, want %v", why, got, want)
		}
	}
	expect("an empty pool", pooltest.Idle)
	body := pooltest.Submission(1, 0)
	body.Template.Demands.GPU = 1
	b.Call(b.ann.Token, "POST", "/works", body).Into(b.World, &wire.Accepted{})
	expect("a work it cannot run", pooltest.Idle)
	work := b.submit(0)
	expect("a work it could run", pooltest.Busy)
	b.offered(work, nil)
	expect("an offer", pooltest.Busy)
	beat := b.run(one, work, "true")
	expect("an upload", pooltest.Busy)
	if status := b.Upload(link(beat, work), "true"); status >= 300 {
		t.Fatalf("status %d", status)
	}
	b.Beat(one, pooltest.Says(work, 1, "uploaded", "true"))
	expect("done", pooltest.Idle)
}

// A lease is written when it is due and not otherwise; an idle heartbeat between
// is one round trip, and changes and locks nothing.
func TestLeaseRenewedWhenDue(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	one := b.workers("one")[0]
	beat := func(after time.Duration, writes bool) {
		t.Helper()
		b.Advance(after)
		before := b.Stored()
		b.Wire.Reset()
		b.Beat(one)
		if wrote := !maps.Equal(before, b.Stored()); wrote != writes {
			t.Errorf("after %v: wrote %v, want %v: %q", after, wrote, writes, b.Wire.Said())
		}
		if writes {
			return
		}
		if trips := b.Wire.Trips(); trips != 1 {
			t.Errorf("after %v: %d round trips, want 1: %q", after, trips, b.Wire.Said())
		}
		for _, said := range b.Wire.Said() {
			for _, statement := range storetest.Statements(said) {
				if !strings.HasPrefix(statement, "SELECT") || strings.Contains(statement, "FOR UPDATE") {
					t.Errorf("after %v it said %q", after, statement)
				}
			}
		}
	}
	beat(0, false)              // four intervals of 30 s remain
	beat(30*time.Second, false) // three
	beat(14*time.Second, false) // a little more than two and a half
	beat(2*time.Second, true)   // less
	beat(0, false)
	b.Advance(time.Hour)
	b.Beat(one)
	left := b.Books.Count(t, "SELECT TIMESTAMPDIFF(SECOND, UTC_TIMESTAMP(6), until) FROM beat")
	if want := int(4 * pooltest.Idle / time.Second); left != want && left != want-1 {
		t.Errorf("the lease has %d s, want %d", left, want)
	}
}

// What a worker says of itself in a heartbeat is stored, be it slots or
// capabilities; what it leaves out stays.
func TestStatedIsStored(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	one := b.workers("one")[0]
	for _, step := range []struct {
		says     wire.Heartbeat
		slots    int
		programs string
	}{
		{wire.Heartbeat{Slots: 7}, 7, "[" + storetest.Program + "]"},
		{wire.Heartbeat{Capabilities: &wire.Capabilities{Programs: []string{"other"}}}, 7, "[other]"},
		{wire.Heartbeat{}, 7, "[other]"},
		{wire.Heartbeat{Slots: 2, Capabilities: &wire.Capabilities{}}, 2, "[]"},
	} {
		b.Call(one.Token, "POST", fmt.Sprintf("/workers/%d/heartbeat", one.ID), step.says).Into(b.World, &wire.Beat{})
		var list wire.Workers
		b.Call(b.op.Token, "GET", "/workers", nil).Into(b.World, &list)
		if w := list.Workers[0]; w.Slots != step.slots || fmt.Sprint(w.Capabilities.Programs) != step.programs {
			t.Errorf("%+v, then %+v", step.says, w)
		}
	}
	b.submit(0)
	b.Dispatch()
	if beat := b.Beat(one); len(beat.Instructions) != 0 {
		t.Errorf("it gets what it can no longer run: %+v", beat)
	}
}

// A heartbeat rings when its worker could run something, at most once a second
// in a process, and not when it could not.
func TestRings(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	one := b.workers("one")[0]
	expect := func(why string, want int) {
		t.Helper()
		b.Advance(2 * time.Second)
		b.Beat(one)
		if got := b.Rings(); got != want {
			t.Errorf("%s: %d rings, want %d", why, got, want)
		}
	}
	expect("an empty pool", 0)
	body := pooltest.Submission(1, 0)
	body.Template.App.Name = "unknown"
	b.Call(b.ann.Token, "POST", "/works", body).Into(b.World, &wire.Accepted{})
	b.Rings()
	expect("a work it cannot run", 0)
	first, second := b.submit(0), b.submit(0)
	b.Rings()
	expect("works it could run", 1)
	b.Beat(one)
	if got := b.Rings(); got != 0 {
		t.Errorf("%d rings within one second", got)
	}
	b.Dispatch()
	expect("its slot is taken", 0)
	held := first
	if _, turns := b.state(first); turns[one.ID] != pool.Offered {
		held = second
	}
	b.Advance(2 * time.Second)
	b.Beat(one, pooltest.Says(held, 1, "running", ""), pooltest.Says(16384*99, 1, "running", ""))
	b.Advance(2 * time.Second)
	b.Rings()
	b.Beat(one, pooltest.Says(held, 1, "failed", "no luck"))
	if got := b.Rings(); got != 1 {
		t.Errorf("a freed slot with works waiting: %d rings, want 1", got)
	}
	other := b.workers("other")[0]
	for range 2 { // both works go to the other, one after the other
		b.Dispatch()
		for _, i := range b.Beat(other).Instructions {
			b.Call(b.ann.Token, "DELETE", fmt.Sprint("/works/", i.Work), nil).Into(b.World, &wire.Cancelled{})
		}
	}
	last := b.submit(0)
	for _, w := range b.offered(last, []pooltest.Worker{one, other}) {
		b.Advance(2 * time.Second)
		b.Rings()
		b.Beat(w, pooltest.Says(last, 1, "failed", "no luck"))
		if got := b.Rings(); got != 1 {
			t.Errorf("a work that waits again: %d rings, want 1", got)
		}
	}
}

// A bell that is away spoils no heartbeat.
func TestLostRing(t *testing.T) {
	t.Parallel()
	for _, done := range []bool{false, true} {
		b := newBench(t)
		one := b.workers("one")[0]
		b.submit(0)
		b.Rings()
		b.Bell.Fail("SendMessage", done)
		b.Beat(one)
		if b.Bell.Struck() != 1 {
			t.Fatal("nobody tried to ring")
		}
		if got := b.Rings(); (got == 1) != done {
			t.Errorf("%d rings of one that failed, done %v", got, done)
		}
	}
}

// Five hundred reports in one heartbeat are taken together, and again.
func TestManyReports(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	one := b.Worker(b.crowd, "one", pool.MaxSlots)
	batch := b.Submit(b.ann, pool.MaxSlots, 0)
	b.Dispatch()
	if beat := b.Beat(one); len(beat.Instructions) != pool.MaxSlots {
		t.Fatalf("%d instructions", len(beat.Instructions))
	}
	for _, state := range []string{"running", "reported"} {
		var reports []wire.Report
		for work := batch.FirstWork; work <= batch.LastWork; work++ {
			reports = append(reports, pooltest.Says(work, 1, state, "true"))
		}
		for range 2 {
			b.Wire.Reset()
			beat := b.Beat(one, reports...)
			if len(beat.Instructions) != len(reports) {
				t.Errorf("%s: %d instructions for %d reports", state, len(beat.Instructions), len(reports))
			}
			if trips := b.Wire.Trips(); trips > 3 {
				t.Errorf("%s: %d round trips, at most 3", state, trips)
			}
		}
	}
	if n := b.Books.Count(t, "SELECT COUNT(*) FROM work WHERE state = 'agreed'"); n != pool.MaxSlots {
		t.Errorf("%d agreed", n)
	}
}

// What a worker is told to start has all it needs, also the links to its inputs.
func TestStartTellsAll(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	one := b.workers("one")[0]
	body := pooltest.Submission(2, 0)
	body.Template.Args, body.Template.Env = []string{"--all"}, map[string]string{"A": "1", "B": "1"}
	body.Items[1] = wire.Item{Args: []string{"it's \"two\""}, Env: map[string]string{"B": "2"}}
	var batch wire.Accepted
	b.Call(b.ann.Token, "POST", "/works", body).Into(b.World, &batch)
	b.Dispatch()
	b.Beat(one, pooltest.Says(batch.FirstWork, 1, "refused", "later"))
	b.Dispatch()
	for _, i := range b.Beat(one).Instructions {
		run := i.Run
		if i.Do != "start" || run == nil {
			t.Fatalf("%+v", i)
		}
		wantArgs, wantB := []string{"--all"}, "1"
		if i.Work == batch.LastWork {
			wantArgs, wantB = append(wantArgs, "it's \"two\""), "2"
		}
		if fmt.Sprint(run.Args) != fmt.Sprint(wantArgs) || run.Env["A"] != "1" || run.Env["B"] != wantB || run.App.Name != storetest.Program ||
			run.Batch != batch.Batch || run.RunLimitS != 300 || run.MaxResult != pooltest.MaxFile {
			t.Errorf("%+v", run)
		}
	}
}
