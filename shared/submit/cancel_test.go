package submit_test

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"workerpool/shared/pool"
	"workerpool/shared/pooltest"
	"workerpool/shared/wire"
)

// Cancelling answers what really happened, in every state, and once more.
func TestCancel(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	crowd := b.SharedAccount("crowd")
	one := b.Worker(crowd, "one", 1)
	say := func(work int64, state string) wire.Beat { return b.Beat(one, pooltest.Says(work, 1, state, "true")) }
	given := func() int64 {
		work := b.Submit(b.ann, 1, 0).FirstWork
		b.Dispatch()
		return work
	}
	for _, c := range []struct {
		before, after string
		ready         func() int64
		says          string // what its worker says afterwards
	}{
		{"staging", "cancelled", func() int64 {
			var batch wire.Accepted
			b.post("", withInputs("never")).Into(b.World, &batch)
			return batch.FirstWork
		}, ""},
		{"waiting", "cancelled", func() int64 { return b.Submit(b.ann, 1, 0).FirstWork }, ""},
		{"running", "cancelled", given, "running"},
		{"running", "cancelled", func() int64 { w := given(); say(w, "running"); return w }, "reported"},
		{"agreed", "cancelled", func() int64 { w := given(); say(w, "reported"); return w }, "uploading"},
		{"done", "done", func() int64 {
			w := given()
			if status := b.Upload(say(w, "reported").Instructions[0].Upload, "true"); status >= 300 {
				t.Fatalf("status %d", status)
			}
			say(w, "uploaded")
			return w
		}, "uploaded"},
		{"failed", "failed", func() int64 {
			s := pooltest.Submission(1, 0)
			s.Template.DeadlineS = 1
			var batch wire.Accepted
			b.post("", s).Into(b.World, &batch)
			b.Advance(2 * time.Second)
			b.Dispatch()
			return batch.FirstWork
		}, ""},
	} {
		work := c.ready()
		if now, _ := b.Work(work); string(now.State) != c.before {
			t.Fatalf("the work is %s, want %s", now.State, c.before)
		}
		var first, second wire.Cancelled
		b.Call(b.ann.Token, "DELETE", fmt.Sprint("/works/", work), nil).Into(b.World, &first)
		if want := (wire.Cancelled{Work: work, Before: c.before, State: c.after}); first != want {
			t.Errorf("%+v, want %+v", first, want)
		}
		stored := b.Stored()
		b.Call(b.ann.Token, "DELETE", fmt.Sprint("/works/", work), nil).Into(b.World, &second)
		if want := (wire.Cancelled{Work: work, Before: c.after, State: c.after}); second != want || !maps.Equal(stored, b.Stored()) {
			t.Errorf("again: %+v, want %+v, and nothing stored", second, want)
		}
		if c.says != "" {
			if beat := say(work, c.says); len(beat.Instructions) != 1 || beat.Instructions[0].Do != "stop" {
				t.Errorf("%s and cancelled, its worker is told %+v", c.before, beat)
			}
		}
		if now, _ := b.Work(work); string(now.State) != c.after {
			t.Errorf("cancelled when %s, it is %s", c.before, now.State)
		}
		b.Dispatch()
		if beat := b.Beat(one); len(beat.Instructions) != 0 {
			t.Errorf("%s and cancelled, it is given out: %+v", c.before, beat)
		}
	}
}

// Half of a cancellation is none; repeated it is one. An operator may cancel
// anybody's.
func TestCancelInDoubt(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	op := b.Account(pool.RoleOperator, "op")
	batch := b.Submit(b.ann, 100, 0)
	work := batch.FirstWork
	for trip := 1; ; trip++ {
		for after, cut := range map[bool]func(int){false: b.Wire.CutBefore, true: b.Wire.CutAfter} {
			work++
			cut(trip)
			answer := b.Call(op.Token, "DELETE", fmt.Sprint("/works/", work), nil)
			beyond := b.Wire.Trips() < trip
			b.Wire.Reset()
			if beyond {
				if trip < 4 || answer.Status != 200 {
					t.Errorf("a cancellation has %d round trips, status %d", trip-1, answer.Status)
				}
				return
			}
			if answer.Status != 503 {
				t.Errorf("trip %d, after %v: status %d", trip, after, answer.Status)
			}
			var out wire.Cancelled
			b.Call(op.Token, "DELETE", fmt.Sprint("/works/", work), nil).Into(b.World, &out)
			if out.State != "cancelled" {
				t.Errorf("trip %d, after %v: %+v", trip, after, out)
			}
			if n := b.Books.Count(t, "SELECT COUNT(*) FROM event WHERE kind = 'work.cancelled' AND work_id = ?", work); n != 1 {
				t.Errorf("trip %d, after %v: cancelled %d times", trip, after, n)
			}
		}
	}
}
