package pooltest_test

import (
	"maps"
	"testing"
	"time"

	"workerpool/shared/pool"
	"workerpool/shared/pooltest"
)

func TestMain(m *testing.M) { pooltest.Main(m) }

// A work goes from its requester to a worker and its result back, by the routes.
func TestWalk(t *testing.T) {
	t.Parallel()
	w := pooltest.New(t)
	ann := w.Account(pool.RoleRequester, "ann")
	ann.Token = w.Login("ann")
	one := w.Worker(w.SharedAccount("crowd"), "one", 1)
	batch := w.Submit(ann, 1, 0)
	if rings := w.Rings(); rings != 1 {
		t.Errorf("%d rings for a submission", rings)
	}
	w.Dispatch()
	beat := w.Beat(one)
	if len(beat.Instructions) != 1 || beat.Instructions[0].Do != "start" {
		t.Fatalf("%+v", beat)
	}
	work, result := batch.FirstWork, "the result"
	w.Beat(one, pooltest.Says(work, 1, "running", ""))
	beat = w.Beat(one, pooltest.Says(work, 1, "reported", result))
	if len(beat.Instructions) != 1 || beat.Instructions[0].Do != "upload" {
		t.Fatalf("%+v", beat)
	}
	if status := w.Upload(beat.Instructions[0].Upload, result); status >= 300 {
		t.Fatalf("upload: %d", status)
	}
	w.Beat(one, pooltest.Says(work, 1, "uploaded", result))
	if now, _ := w.Work(work); now.State != pool.Done {
		t.Errorf("%+v", now)
	}
	w.Check()
	w.Tick()
	w.Check()
}

// What a World says of itself can be trusted: time passes, changes are seen,
// doubt strikes once.
func TestWorld(t *testing.T) {
	t.Parallel()
	w := pooltest.New(t)
	before := w.Stored()
	ann := w.Account(pool.RoleRequester, "ann")
	if maps.Equal(before, w.Stored()) {
		t.Error("an account was made and nothing has changed")
	}
	batch := w.Submit(ann, 1, 0)
	was, _ := w.Work(batch.FirstWork)
	before = w.Stored()
	w.Advance(time.Hour)
	if now, _ := w.Work(batch.FirstWork); was.Deadline.Sub(now.Deadline) != time.Hour {
		t.Errorf("the deadline moved from %v to %v", was.Deadline, now.Deadline)
	}
	if maps.Equal(before, w.Stored()) {
		t.Error("an hour passed and nothing has changed")
	}
	w.Rings()
	for _, done := range []bool{false, true} {
		w.Bell.Fail("SendMessage", done)
		if err := w.TryTick(); err == nil {
			t.Error("the bell was to fail and did not")
		}
		if rings := w.Rings(); (rings == 1) != done {
			t.Errorf("%d rings were heard of one that failed, done %v", rings, done)
		}
	}
	w.Tick()
	if rings := w.Rings(); rings != 1 || w.Bell.Struck() != 2 {
		t.Errorf("%d rings, struck %d times", rings, w.Bell.Struck())
	}
}
