package heartbeat_test

import (
	"strings"
	"testing"

	"workerpool/shared/pool"
	"workerpool/shared/pooltest"
	"workerpool/shared/wire"
)

// TestAnswersStaySmall: however much a requester writes into its works, a
// worker's answer fits, and what did not fit comes with the next heartbeat.
func TestAnswersStaySmall(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	const slots = 60
	one := b.Worker(b.crowd, "one", slots)
	s := pooltest.Submission(slots, 0)
	for range 7 {
		s.Template.Args = append(s.Template.Args, strings.Repeat("<", 8<<10))
	}
	b.Call(b.ann.Token, "POST", "/works", s).Into(b.World, &wire.Accepted{})
	b.Dispatch()
	started := map[int64]bool{}
	var reports []wire.Report
	for calls := 0; len(started) < slots; calls++ {
		if calls > 5 {
			t.Fatalf("%d of %d started after %d heartbeats", len(started), slots, calls)
		}
		answer := b.TryBeat(one, reports...)
		if answer.Status != 200 || len(answer.Body) > 3<<20 {
			t.Fatalf("status %d, %d bytes", answer.Status, len(answer.Body))
		}
		var beat wire.Beat
		answer.Into(b.World, &beat)
		before := len(started)
		for _, i := range beat.Instructions {
			if i.Do == wire.DoStart {
				started[i.Work] = true
				reports = append(reports, pooltest.Says(i.Work, 1, "running", ""))
			}
		}
		if len(started) == before {
			t.Fatalf("nothing more was started after %d", before)
		}
	}
}

// TestOneReportDoesNotCostTheOthers: while the file store is away an upload waits;
// everything else of the heartbeat is taken.
func TestOneReportDoesNotCostTheOthers(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	one := b.Worker(b.crowd, "one", 2)
	uploading := b.toUpload(one)
	running := b.submit(0)
	b.offered(running, []pooltest.Worker{one})
	b.Beat(one, pooltest.Says(running, 1, "running", ""))
	struck := b.Files.Struck()
	b.Files.Fail("HeadObject", false)
	beat := b.Beat(one, pooltest.Says(uploading, 1, "uploaded", "true"), pooltest.Says(running, 1, "failed", "broken"))
	b.expect(beat, running, "stop 1")
	b.expect(beat, uploading, "upload 1")
	b.expectState(uploading, pool.Agreed)
	if b.Files.Struck() != struck+1 {
		t.Error("the file store was not asked")
	}
}
