package heartbeat_test

import (
	"testing"
	"time"

	"workerpool/shared/pool"
	"workerpool/shared/pooltest"
)

// agreed brings a work of trust 3 to its consensus on "true" and gives who is to
// upload, and who else could.
func (b bench) agreed(work int64, all []pooltest.Worker) (uploader, other pooltest.Worker) {
	b.Helper()
	drawn := b.offered(work, all)
	if len(drawn) != 2 {
		b.Fatalf("%d drawn, want 2", len(drawn))
	}
	for _, w := range drawn {
		b.run(w, work, "true")
	}
	b.expectState(work, pool.Agreed)
	if _, turns := b.state(work); turns[drawn[1].ID] == pool.Uploading {
		return drawn[1], drawn[0]
	}
	return drawn[0], drawn[1]
}

// An uploader that does not begin, or says that it cannot, is followed by another
// that agreed; its own word is late then.
func TestNextUploader(t *testing.T) {
	t.Parallel()
	for name, leave := range map[string]func(b bench, work int64, uploader, other pooltest.Worker){
		"silent": func(b bench, work int64, _, other pooltest.Worker) {
			b.Advance(15 * time.Second) // two busy intervals and more
			b.Beat(other, pooltest.Says(work, 1, "reported", "true"))
			b.Dispatch()
		},
		"vanished": func(b bench, work int64, _, other pooltest.Worker) {
			b.Advance(3 * time.Minute)
			b.Beat(other, pooltest.Says(work, 1, "reported", "true"))
			b.Dispatch()
		},
		"failed": func(b bench, work int64, uploader, _ pooltest.Worker) {
			b.expect(b.Beat(uploader, pooltest.Says(work, 1, "failed", "disk gone")), work, "stop 1")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			all := b.workers("a", "b")
			work := b.submit(3)
			uploader, other := b.agreed(work, all)
			b.expect(b.Beat(other, pooltest.Says(work, 1, "reported", "true")), work, "hold 1")
			leave(b, work, uploader, other)
			b.expect(b.Beat(uploader, pooltest.Says(work, 1, "uploading", "true")), work, "stop 1")
			b.deliver(other, work, "true")
		})
	}
}

// When all who agreed are gone the work waits with its digest; the first to make
// the same bytes again delivers them, and other bytes are not taken.
func TestUploadersGone(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	work := b.submit(3)
	b.agreed(work, b.workers("a", "b"))
	b.Advance(3 * time.Minute)
	b.Dispatch()
	b.expectWanted(work, 1)
	kept, _ := b.Work(work)
	if kept.Digest.IsZero() {
		t.Fatal("the digest is forgotten")
	}
	wrong := b.workers("wrong")
	if drawn := b.offered(work, wrong); len(drawn) != 1 {
		t.Fatalf("%d drawn, want 1", len(drawn))
	}
	b.expect(b.run(wrong[0], work, "a lie"), work, "stop 1")
	b.expectWanted(work, 1)
	right := b.workers("right")
	if drawn := b.offered(work, right); len(drawn) != 1 {
		t.Fatalf("%d drawn, want 1", len(drawn))
	}
	b.expect(b.run(right[0], work, "true"), work, "upload 1")
	b.deliver(right[0], work, "true")
	if done, _ := b.Work(work); done.Digest != kept.Digest {
		t.Errorf("done with %v, agreed on %v", done.Digest, kept.Digest)
	}
}

// One of those who had agreed returns before anybody made the bytes again.
func TestUploaderReturns(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	work := b.submit(3)
	uploader, other := b.agreed(work, b.workers("a", "b"))
	b.Advance(3 * time.Minute)
	b.Dispatch()
	b.expectWanted(work, 1)
	b.expect(b.Beat(other, pooltest.Says(work, 1, "reported", "true")), work, "upload 1")
	b.expect(b.Beat(uploader, pooltest.Says(work, 1, "uploading", "true")), work, "stop 1")
	b.deliver(other, work, "true")
}

// An upload has its time as well.
func TestUploadTooLong(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	work := b.submit(3)
	uploader, other := b.agreed(work, b.workers("a", "b"))
	b.Beat(uploader, pooltest.Says(work, 1, "uploading", "true"))
	b.Advance(59 * time.Minute)
	b.Beat(uploader, pooltest.Says(work, 1, "uploading", "true"))
	b.Beat(other, pooltest.Says(work, 1, "reported", "true"))
	b.Dispatch()
	b.expect(b.Beat(uploader, pooltest.Says(work, 1, "uploading", "true")), work, "upload 1")
	b.Advance(2 * time.Minute)
	b.Beat(uploader, pooltest.Says(work, 1, "uploading", "true"))
	b.Beat(other, pooltest.Says(work, 1, "reported", "true"))
	b.Dispatch()
	b.expect(b.Beat(uploader, pooltest.Says(work, 1, "uploading", "true")), work, "stop 1")
	b.deliver(other, work, "true")
}

// Who says "uploaded" is believed when the bytes are there, and the link lets in
// only the agreed ones.
func TestUploadedIsLookedAt(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	one := b.workers("one")[0]
	work := b.submit(0)
	b.offered(work, nil)
	beat := b.run(one, work, "true")
	b.expect(beat, work, "upload 1")
	before := b.told(work)
	for _, content := range []string{"", "tru", "tree", "true and more"} {
		if status := b.Upload(link(beat, work), content); status < 400 {
			t.Errorf("the link let %q in: status %d", content, status)
		}
	}
	beat = b.Beat(one, pooltest.Says(work, 1, "uploaded", "true"))
	b.expect(beat, work, "upload 1")
	b.expectState(work, pool.Agreed)
	if now := b.told(work); now != before {
		t.Errorf("events %s, then %s", before, now)
	}
	if status := b.Upload(link(beat, work), "true"); status >= 300 {
		t.Fatalf("status %d", status)
	}
	b.expect(b.Beat(one, pooltest.Says(work, 1, "uploaded", "false")), work, "upload 1")
	b.expectState(work, pool.Agreed)
	b.expect(b.Beat(one, pooltest.Says(work, 1, "uploaded", "true")), work, "stop 1")
	b.expectState(work, pool.Done)
	b.expect(b.Beat(one, pooltest.Says(work, 1, "uploaded", "true")), work, "stop 1")
}
