package heartbeat_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"workerpool/shared/pool"
	"workerpool/shared/pooltest"
	"workerpool/shared/wire"
)

// At trust 3 one liar is outvoted by three, learns nothing, and is remembered.
func TestLiarOutvoted(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	all := b.workers("a", "b", "c", "d", "e", "f")
	work := b.submit(3)
	drawn := b.offered(work, all)
	if len(drawn) != 2 {
		t.Fatalf("%d drawn, want 2", len(drawn))
	}
	liar := drawn[0]
	b.expect(b.run(liar, work, "a lie"), work, "hold 1")
	b.expect(b.run(drawn[1], work, "true"), work, "hold 1")
	b.expectState(work, pool.Running)
	var seen wire.Work
	b.Call(b.ann.Token, "GET", fmt.Sprint("/works/", work), nil).Into(b.World, &seen)
	for _, a := range seen.Assignments {
		if a.SHA256 != "" || seen.SHA256 != "" {
			t.Errorf("a digest is told while consensus is open: %+v", seen)
		}
	}
	more := b.offered(work, all)
	if len(more) != 2 {
		t.Fatalf("%d more drawn, want 2", len(more))
	}
	b.run(more[0], work, "true")
	b.run(more[1], work, "true")
	b.expectState(work, pool.Agreed)
	b.expect(b.Beat(liar, pooltest.Says(work, 1, "reported", "a lie")), work, "stop 1")
	for _, w := range append(more, drawn[1]) {
		if _, turns := b.state(work); turns[w.ID] == pool.Uploading {
			b.deliver(w, work, "true")
		}
	}
	b.expectState(work, pool.Done)
	var list wire.Workers
	b.Call(b.op.Token, "GET", "/workers", nil).Into(b.World, &list)
	for _, w := range list.Workers {
		if wrong := w.ID == liar.ID; (w.Disagreed == 1) != wrong || w.Agreed > 0 && wrong {
			t.Errorf("worker %d agreed %d times and disagreed %d, liar %v", w.ID, w.Agreed, w.Disagreed, wrong)
		}
	}
}

// A slow worker whose lease is over keeps its run as long as it is wanted.
func TestSlowWorkerReturnsInTime(t *testing.T) {
	t.Parallel()
	for _, says := range []string{"running", "reported"} {
		t.Run(says, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			slow := b.workers("slow")[0]
			work := b.submit(0)
			b.offered(work, nil)
			b.Beat(slow, pooltest.Says(work, 1, "running", ""))
			b.Advance(3 * time.Minute)
			b.Dispatch()
			b.expectState(work, pool.Waiting)
			if says == "running" {
				b.expect(b.Beat(slow, pooltest.Says(work, 1, "running", "")), work, "continue 1")
				b.expectState(work, pool.Running)
			}
			beat := b.Beat(slow, pooltest.Says(work, 1, "reported", "true"))
			b.expect(beat, work, "upload 1")
			b.deliver(slow, work, "true")
		})
	}
}

// A worker that vanishes is replaced; when it returns nobody wants its run.
func TestVanishedWorkerReplaced(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	slow := b.workers("slow")[0]
	work := b.submit(0)
	b.offered(work, nil)
	b.Beat(slow, pooltest.Says(work, 1, "running", ""))
	b.Advance(3 * time.Minute)
	next := b.workers("next")[0]
	if drawn := b.offered(work, []pooltest.Worker{slow, next}); len(drawn) != 1 || drawn[0].ID != next.ID {
		t.Fatalf("drawn %v", drawn)
	}
	told := b.told(work)
	for _, says := range []string{"running", "reported"} {
		b.expect(b.Beat(slow, pooltest.Says(work, 1, says, "late")), work, "stop 1")
	}
	if now := b.told(work); now != told {
		t.Errorf("a late word changed something: %s, then %s", told, now)
	}
	b.run(next, work, "true")
	b.deliver(next, work, "true")
	b.expect(b.Beat(slow, pooltest.Says(work, 1, "reported", "late")), work, "stop 1")
}

// An offer that nobody starts, or that is refused, is made again under the next
// attempt; a word of an older attempt stops that attempt and changes nothing.
func TestOfferedAgain(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	one := b.workers("one")[0]
	work := b.submit(0)
	b.offered(work, nil)
	b.expect(b.Beat(one), work, "start 1")
	b.Advance(61 * time.Second) // two idle intervals; its lease is four
	b.Dispatch()
	told := b.told(work)
	for _, says := range []string{"running", "reported", "uploaded", "failed", "refused"} {
		b.expect(b.Beat(one, pooltest.Says(work, 1, says, "zombie")), work, "stop 1, start 2")
	}
	if now := b.told(work); now != told {
		t.Errorf("a zombie changed something: %s, then %s", told, now)
	}
	b.expect(b.Beat(one, pooltest.Says(work, 2, "refused", "busy")), work, "stop 2")
	b.expectState(work, pool.Waiting)
	b.Dispatch()
	b.expect(b.Beat(one), work, "start 3")
	b.Beat(one, pooltest.Says(work, 3, "refused", "busy"))
	b.Dispatch()
	b.expect(b.Beat(one), work, "") // three times asked
	two := b.workers("two")[0]
	b.Dispatch()
	b.expect(b.Beat(two), work, "start 1")
	b.run(two, work, "true")
	b.deliver(two, work, "true")
}

// A run has its limit and a grace; then its worker is told to stop.
func TestRunLimit(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	one := b.workers("one")[0]
	work := b.submit(0)
	b.offered(work, nil)
	b.Beat(one, pooltest.Says(work, 1, "running", ""))
	b.Advance(595 * time.Second) // 300 s and 300 s of grace
	b.expect(b.Beat(one, pooltest.Says(work, 1, "running", "")), work, "continue 1")
	b.Dispatch()
	b.expectState(work, pool.Running)
	b.Advance(6 * time.Second)
	b.Dispatch()
	b.expectState(work, pool.Waiting)
	b.expect(b.Beat(one, pooltest.Says(work, 1, "running", "")), work, "stop 1")
	if _, turns := b.Work(work); turns[0].Reason != "over its run limit" {
		t.Errorf("%+v", turns)
	}
	b.Dispatch()
	b.expect(b.Beat(one), work, "") // the pair had its run
}

// A work that has not ended at its deadline fails, whatever its state.
func TestDeadline(t *testing.T) {
	t.Parallel()
	for _, begun := range []bool{false, true} {
		b := newBench(t)
		one := b.workers("one")[0]
		body := pooltest.Submission(1, 0)
		body.Template.DeadlineS = 100
		var batch wire.Accepted
		b.Call(b.ann.Token, "POST", "/works", body).Into(b.World, &batch)
		work := batch.FirstWork
		if begun {
			b.offered(work, nil)
			b.Beat(one, pooltest.Says(work, 1, "running", ""))
		}
		b.Advance(101 * time.Second)
		b.Dispatch()
		b.expectState(work, pool.Failed)
		if w, _ := b.Work(work); !strings.HasPrefix(w.Reason, "deadline") {
			t.Errorf("reason %q", w.Reason)
		}
		b.expect(b.Beat(one, pooltest.Says(work, 1, "reported", "true")), work, "stop 1")
		b.expectState(work, pool.Failed)
	}
}

// Three failed runs end a work, and it says why each failed.
func TestThreeFailures(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	all := b.workers("a", "b", "c", "d")
	work := b.submit(0)
	for i := range 3 {
		drawn := b.offered(work, all)
		if len(drawn) != 1 {
			t.Fatalf("try %d: %d drawn", i, len(drawn))
		}
		b.Beat(drawn[0], pooltest.Says(work, 1, "running", ""))
		b.expect(b.Beat(drawn[0], pooltest.Says(work, 1, "failed", fmt.Sprint("exit code ", i))), work, "stop 1")
	}
	b.expectState(work, pool.Failed)
	if w, _ := b.Work(work); w.Reason != "too many failed runs: exit code 0; exit code 1; exit code 2" &&
		(strings.Count(w.Reason, "exit code") != 3 || !strings.HasPrefix(w.Reason, "too many failed runs")) {
		t.Errorf("reason %q", w.Reason)
	}
	if drawn := b.offered(work, all); len(drawn) != 0 {
		t.Errorf("%d drawn for a failed work", len(drawn))
	}
}

// Workers that refuse use up nobody's tries: they are asked no more, and the
// work goes to who is willing.
func TestUnwillingWorkersHarmNobody(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	var unwilling []pooltest.Worker
	for i := range 8 {
		unwilling = append(unwilling, b.workers(fmt.Sprint("w", i))...)
	}
	work, offers := b.submit(0), 0
	for drawn := b.offered(work, unwilling); len(drawn) > 0 && offers < 60; drawn = b.offered(work, unwilling) {
		for _, w := range drawn {
			offers++
			b.Beat(w, pooltest.Says(work, b.attempt(w, work), "refused", "no room"))
		}
	}
	if offers != 3*len(unwilling) {
		t.Errorf("%d offers, want 3 for each of %d", offers, len(unwilling))
	}
	b.expectState(work, pool.Waiting)
	willing := b.workers("willing")
	if drawn := b.offered(work, willing); len(drawn) != 1 {
		t.Errorf("%d drawn of the willing", len(drawn))
	}
}

// A drained worker gets nothing more and finishes what it holds.
func TestDrainedWorker(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	one := b.Worker(b.crowd, "one", 2)
	first := b.submit(0)
	b.offered(first, nil)
	b.Beat(one, pooltest.Says(first, 1, "running", ""))
	b.Call(b.op.Token, "POST", fmt.Sprintf("/workers/%d/drain", one.ID), nil).Into(b.World, &wire.Worker{})
	second := b.submit(0)
	b.Rings()
	b.Dispatch()
	beat := b.Beat(one, pooltest.Says(first, 1, "reported", "true"))
	if beat.State != "draining" {
		t.Errorf("it is told %q", beat.State)
	}
	b.expect(beat, first, "upload 1")
	b.expect(beat, second, "")
	b.deliver(one, first, "true")
	b.Dispatch()
	b.expectState(second, pool.Waiting)
	if rings := b.Rings(); rings != 0 {
		t.Errorf("a draining worker rang %d times", rings)
	}
	b.Call(b.op.Token, "POST", fmt.Sprintf("/workers/%d/activate", one.ID), nil).Into(b.World, &wire.Worker{})
	if rings := b.Rings(); rings != 1 {
		t.Errorf("%d rings for an activation", rings)
	}
	b.Dispatch()
	b.expect(b.Beat(one), second, "start 1")
}

// At trust above 1 an owner has one turn at a work. On a shared account every
// worker is its own owner.
func TestOwners(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	bob := b.Account(pool.RoleWorker, "bob")
	his := []pooltest.Worker{b.Worker(bob, "x", 1), b.Worker(bob, "y", 1), b.Worker(bob, "z", 1)}
	work := b.submit(3)
	drawn := b.offered(work, his)
	if len(drawn) != 1 {
		t.Fatalf("%d workers of one owner drawn at once", len(drawn))
	}
	b.run(drawn[0], work, "true")
	if again := b.offered(work, his); len(again) != 0 {
		t.Fatalf("%d more of the same owner", len(again))
	}
	b.expectState(work, pool.Running)
	crowd := b.workers("a", "b")
	if drawn := b.offered(work, crowd); len(drawn) != 1 {
		t.Fatalf("%d of the crowd drawn, one is wanted", len(drawn))
	}
	other := b.submit(3)
	if drawn := b.offered(other, append(crowd, his...)); len(drawn) != 2 {
		t.Fatalf("%d drawn for another work, want 2", len(drawn))
	}
}
