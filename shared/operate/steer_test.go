package operate_test

import (
	"fmt"
	"testing"
	"time"

	"workerpool/shared/pool"
	"workerpool/shared/pooltest"
	"workerpool/shared/wire"
)

// The pool's states may follow each other in any order and be repeated; only
// becoming active rings, also when nothing could be heard of it.
func TestPoolStates(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, step := range []struct {
		what  string
		want  wire.Steered
		rings int
	}{
		{"drain", wire.Steered{Before: "active", State: "draining"}, 0},
		{"drain", wire.Steered{Before: "draining", State: "draining"}, 0},
		{"deactivate", wire.Steered{Before: "draining", State: "inactive"}, 0},
		{"drain", wire.Steered{Before: "inactive", State: "draining"}, 0},
		{"activate", wire.Steered{Before: "draining", State: "active"}, 1},
		{"activate", wire.Steered{Before: "active", State: "active"}, 1},
		{"deactivate", wire.Steered{Before: "active", State: "inactive"}, 0},
		{"activate", wire.Steered{Before: "inactive", State: "active"}, 1},
	} {
		var got wire.Steered
		b.Call(b.op.Token, "POST", "/pool/"+step.what, nil).Into(b.World, &got)
		if rings := b.Rings(); got != step.want || rings != step.rings {
			t.Errorf("%s: %+v and %d rings, want %+v and %d", step.what, got, rings, step.want, step.rings)
		}
		b.Advance(time.Minute) // the public page is some seconds old
		var page wire.Pool
		b.Call("", "GET", "/pool", nil).Into(b.World, &page)
		if page.State != step.want.State {
			t.Errorf("%s: the pool says that it is %s", step.what, page.State)
		}
	}
	if n := b.Books.Count(t, "SELECT COUNT(*) FROM event WHERE kind IN ('pool.active', 'pool.draining', 'pool.inactive') AND account_id = ?", b.op.ID); n != 6 {
		t.Errorf("six changes were noted %d times", n)
	}
	for _, done := range []bool{false, true} {
		b.Bell.Fail("SendMessage", done)
		b.Call(b.op.Token, "POST", "/pool/activate", nil).Into(b.World, &wire.Steered{})
	}
	if b.Bell.Struck() != 2 {
		t.Errorf("the bell was tried %d times", b.Bell.Struck())
	}
}

// What began goes on in a draining pool; what waits is assigned once it is active.
func TestDrainedPoolAssignsNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ann := b.Account(pool.RoleRequester, "ann")
	one := b.Worker(b.crowd, "one", 2)
	begun := b.Submit(ann, 1, 0).FirstWork
	b.Dispatch()
	b.Beat(one, pooltest.Says(begun, 1, "running", ""))
	b.Call(b.op.Token, "POST", "/pool/drain", nil).Into(b.World, &wire.Steered{})
	waits := b.Submit(ann, 1, 0).FirstWork
	b.Dispatch()
	beat := b.Beat(one, pooltest.Says(begun, 1, "reported", "x"))
	if len(beat.Instructions) != 1 || beat.Instructions[0].Work != begun || beat.Instructions[0].Do != wire.DoUpload {
		t.Errorf("%+v", beat)
	}
	if status := b.Upload(beat.Instructions[0].Upload, "x"); status >= 300 {
		t.Fatalf("upload: %d", status)
	}
	b.Rings()
	b.Advance(2 * time.Second)
	b.Beat(one, pooltest.Says(begun, 1, "uploaded", "x"))
	beat = b.Beat(one)
	if beat.NextHeartbeatS != int(pooltest.Idle/time.Second) || b.Rings() != 0 {
		t.Errorf("a worker is called often, or rings, for what will not be assigned: %+v", beat)
	}
	if work, _ := b.Work(begun); work.State != pool.Done {
		t.Errorf("%+v", work)
	}
	if work, turns := b.Work(waits); work.State != pool.Waiting || len(turns) != 0 {
		t.Errorf("%+v %+v", work, turns)
	}
	b.Call(b.op.Token, "POST", "/pool/activate", nil).Into(b.World, &wire.Steered{})
	b.Dispatch()
	if beat := b.Beat(one); len(beat.Instructions) != 1 || beat.Instructions[0].Work != waits {
		t.Errorf("%+v", beat)
	}
}

// An inactive worker is gone at once: others get what it had, whatever it says is
// answered with stop and changes nothing, until it is activated.
func TestInactiveWorker(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ann := b.Account(pool.RoleRequester, "ann")
	zombie := b.Worker(b.bob, "zombie", 4)
	batch := b.Submit(ann, 3, 0)
	b.Dispatch()
	running, offered, reported := batch.FirstWork, batch.FirstWork+1, batch.FirstWork+2
	b.Beat(zombie, pooltest.Says(running, 1, "running", ""))
	b.Beat(zombie, pooltest.Says(reported, 1, "reported", "x"))
	b.Rings()
	for range 2 { // by its owner; again it is the same
		var out wire.Worker
		b.try(b.bob, zombie.ID, "deactivate").Into(b.World, &out)
		if rings := b.Rings(); out.State != "inactive" || out.Live || rings != 1 {
			t.Errorf("%+v and %d rings", out, rings)
		}
	}
	other := b.Worker(b.crowd, "other", 4)
	silent := b.Stored()
	says := func(when string) {
		t.Helper()
		for _, word := range []string{"running", "reported", "failed", "refused", "uploaded"} {
			body := wire.Heartbeat{Slots: 200, Capabilities: &wire.Capabilities{CPU: 99}, Reports: []wire.Report{
				pooltest.Says(running, 1, word, "x"), pooltest.Says(reported, 1, word, "x"), pooltest.Says(1<<30, 7, word, "x"),
			}}
			var beat wire.Beat
			b.Call(zombie.Token, "POST", fmt.Sprintf("/workers/%d/heartbeat", zombie.ID), body).Into(b.World, &beat)
			if beat.State != "inactive" || beat.NextHeartbeatS != int(pooltest.Idle/time.Second) || len(beat.Instructions) != 3 {
				t.Errorf("%s, %s: %+v", when, word, beat)
			}
			for _, i := range beat.Instructions {
				if i.Do != wire.DoStop {
					t.Errorf("%s, %s: told to %s work %d", when, word, i.Do, i.Work)
				}
			}
		}
		if beat := b.Beat(zombie); len(beat.Instructions) != 0 { // the offer is not said again
			t.Errorf("%s: %+v", when, beat)
		}
	}
	says("before the others have it")
	if now := b.Stored(); fmt.Sprint(now) != fmt.Sprint(silent) {
		t.Errorf("an inactive worker's heartbeat was stored: %v, then %v", silent, now)
	}
	b.Dispatch()
	b.Dispatch() // what was lost waits now
	told := map[int64]bool{}
	for _, i := range b.Beat(other).Instructions {
		told[i.Work] = i.Do == wire.DoStart
	}
	if !told[running] || !told[offered] || !told[reported] {
		t.Errorf("the other has %v", told)
	}
	says("after")
	b.try(b.op, zombie.ID, "activate").Into(b.World, &wire.Worker{})
	if beat := b.Beat(zombie, pooltest.Says(running, 1, "running", "")); beat.State != "active" || len(beat.Instructions) != 1 || beat.Instructions[0].Do == wire.DoStart {
		t.Errorf("%+v", beat)
	}
	again := b.Submit(ann, 8, 0)
	b.Dispatch()
	given := 0
	for _, i := range b.Beat(zombie).Instructions {
		if i.Work >= again.FirstWork && i.Do == wire.DoStart {
			given++
		}
	}
	if given == 0 {
		t.Error("an active worker gets nothing")
	}
}

// A share is shown as it was set, whole, and no other requester's is touched.
func TestShare(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.Account(pool.RoleRequester, "ann")
	b.Account(pool.RoleRequester, "eve")
	ask := func(method, login string, body any) (out wire.Share) {
		t.Helper()
		b.Call(b.op.Token, method, "/requesters/"+login+"/share", body).Into(b.World, &out)
		return out
	}
	if got := ask("GET", "ann", nil); got != (wire.Share{Weight: 1}) {
		t.Errorf("%+v", got)
	}
	for _, share := range []wire.Share{{Weight: 2, MaxRunning: 100}, {Weight: 2, MaxRunning: 100}, {Weight: 1000}, {Weight: 1, MaxRunning: 1}} {
		b.Rings()
		if got := ask("PUT", "ann", share); got != share || b.Rings() != 1 {
			t.Errorf("%+v, answered %+v", share, got)
		}
		if got := ask("GET", "ann", nil); got != share {
			t.Errorf("%+v, then %+v", share, got)
		}
	}
	if got := ask("GET", "eve", nil); got != (wire.Share{Weight: 1}) {
		t.Errorf("another's became %+v", got)
	}
	if got := ask("GET", "op", nil); got != (wire.Share{Weight: 1}) { // operators may submit as well
		t.Errorf("%+v", got)
	}
}
