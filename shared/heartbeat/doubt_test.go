package heartbeat_test

import (
	"fmt"
	"testing"

	"workerpool/shared/pool"
	"workerpool/shared/pooltest"
	"workerpool/shared/wire"
)

// step is a heartbeat that changes something, from a work made ready for it.
type step struct {
	name    string
	ready   func(b bench, one pooltest.Worker) (work int64)
	says    string
	want    string // what it is told then
	becomes pool.WorkState
}

var steps = []step{
	{"start", bench.fresh, "running", "continue 1", pool.Running},
	{"report", bench.begun, "reported", "upload 1", pool.Agreed},
	{"report at once", bench.fresh, "reported", "upload 1", pool.Agreed},
	{"fail", bench.begun, "failed", "stop 1", pool.Waiting},
	{"refuse", bench.fresh, "refused", "stop 1", pool.Waiting},
	{"begin to upload", bench.toUpload, "uploading", "upload 1", pool.Agreed},
	{"deliver", bench.brought, "uploaded", "stop 1", pool.Done},
}

func (b bench) fresh(pooltest.Worker) int64 {
	work := b.submit(0)
	b.Dispatch()
	return work
}

func (b bench) begun(one pooltest.Worker) int64 {
	work := b.fresh(one)
	b.expect(b.Beat(one, pooltest.Says(work, 1, "running", "")), work, "continue 1")
	return work
}

func (b bench) toUpload(one pooltest.Worker) int64 {
	work := b.begun(one)
	b.expect(b.Beat(one, pooltest.Says(work, 1, "reported", "true")), work, "upload 1")
	return work
}

func (b bench) brought(one pooltest.Worker) int64 {
	work := b.toUpload(one)
	if status := b.Upload(link(b.Beat(one), work), "true"); status >= 300 {
		b.Fatalf("upload: status %d", status)
	}
	return work
}

// finish leaves nothing of a work behind that would be in the way of the next.
func (b bench) finish(one pooltest.Worker, work int64) {
	b.Helper()
	b.Call(b.ann.Token, "DELETE", fmt.Sprint("/works/", work), nil).Into(b.World, &wire.Cancelled{})
}

// Every heartbeat may come twice: the answer is the same, and nothing happens again.
func TestEveryStepTwice(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	one := b.Worker(b.crowd, "one", 1)
	for _, s := range steps {
		work := s.ready(b, one)
		report := pooltest.Says(work, 1, s.says, "true")
		first := b.Beat(one, report)
		b.expect(first, work, s.want)
		b.expectState(work, s.becomes)
		told := b.told(work)
		second := b.Beat(one, report)
		b.expect(second, work, s.want)
		b.expectState(work, s.becomes)
		if again := b.told(work); again != told {
			t.Errorf("%s: events %s, then %s", s.name, told, again)
		}
		b.finish(one, work)
	}
}

// However a heartbeat breaks off on its way to the books and back, the worker
// gets 503, says the same once more, and all is as if nothing had been.
func TestBooksInDoubt(t *testing.T) {
	t.Parallel()
	for _, s := range steps {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			one := b.Worker(b.crowd, "one", 1)
			work := s.ready(b, one)
			b.Wire.Reset()
			b.expect(b.Beat(one, pooltest.Says(work, 1, s.says, "true")), work, s.want)
			trips, told := b.Wire.Trips(), b.told(work)
			if trips < 3 {
				t.Fatalf("only %d round trips: nothing is written", trips)
			}
			b.finish(one, work)
			for trip := 1; trip <= trips; trip++ {
				for after, cut := range map[bool]func(int){false: b.Wire.CutBefore, true: b.Wire.CutAfter} {
					work := s.ready(b, one)
					report := pooltest.Says(work, 1, s.says, "true")
					cut(trip)
					answer := b.TryBeat(one, report)
					b.Wire.Reset()
					if answer.Status != 503 || answer.Problem.Code != "unavailable" {
						t.Errorf("trip %d, after %v: status %d, %s", trip, after, answer.Status, answer.Body)
					}
					b.Check()
					b.expect(b.Beat(one, report), work, s.want)
					b.expectState(work, s.becomes)
					if now := b.told(work); now != told {
						t.Errorf("trip %d, after %v: events %s, want %s", trip, after, now, told)
					}
					b.finish(one, work)
				}
			}
		})
	}
}

// A bucket that cannot be asked, or whose answer is lost, costs a repeat only: of
// the whole call when a link is missing, of one report when an object was not seen.
func TestFilesInDoubt(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	one := b.Worker(b.crowd, "one", 1)
	for _, c := range []struct {
		operation string
		done      bool
		step      int // of steps
	}{
		{"HeadObject", false, 6}, {"HeadObject", true, 6}, {"PresignPostObject", false, 1}, {"PresignPostObject", false, 5},
	} {
		s := steps[c.step]
		work := s.ready(b, one)
		report, struck := pooltest.Says(work, 1, s.says, "true"), b.Files.Struck()
		b.Files.Fail(c.operation, c.done)
		if answer, want := b.TryBeat(one, report), map[bool]int{true: 200, false: 503}[c.operation == "HeadObject"]; answer.Status != want {
			t.Errorf("%s, done %v: status %d, %s", c.operation, c.done, answer.Status, answer.Body)
		}
		if b.Files.Struck() != struck+1 {
			t.Fatalf("%s was not asked for by %q", c.operation, s.name)
		}
		b.expect(b.Beat(one, report), work, s.want)
		b.expectState(work, s.becomes)
		b.finish(one, work)
	}
	work, struck := b.begun(one), b.Files.Struck()
	b.Files.Fail("HeadObject", false)
	b.expect(b.Beat(one, pooltest.Says(work, 1, "uploaded", "true")), work, "upload 1")
	if b.Files.Struck() != struck {
		t.Error("the bucket is asked for what nobody was told to upload")
	}
}
