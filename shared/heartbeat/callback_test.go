package heartbeat_test

import (
	"encoding/hex"
	"strings"
	"testing"

	"workerpool/shared/ethsig"
	"workerpool/shared/pool"
	"workerpool/shared/pooltest"
	"workerpool/shared/wire"
)

// TestCallbackOfADeal: what a deal's result is to be called back with comes with the
// word that the archive is there, and counts only as the bytes that were revealed.
func TestCallbackOfADeal(t *testing.T) {
	t.Parallel()
	d := newDealer(t)
	work := int64(d.Books.AddDeal(t, 1, 1)[0])
	d.Books.Exec(t, "UPDATE deal SET callback = TRUE")
	var id []byte
	if err := d.Books.SQL.QueryRow("SELECT task_id FROM task WHERE work_id = ?", work).Scan(&id); err != nil {
		t.Fatal(err)
	}
	task, data := pool.Hash(id), []byte("\x00called back with\xff")
	digest := ethsig.Keccak(data)
	says := func(state string, digest pool.Hash, callback []byte) wire.Beat {
		t.Helper()
		r := pooltest.Says(work, 1, state, "archive")
		if r.SHA256 != "" {
			r.Digest = digest.String()
		}
		if callback != nil {
			r.Callback = "0x" + hex.EncodeToString(callback)
		}
		return d.Beat(d.worker, r)
	}
	kept := func(want []byte) {
		t.Helper()
		var has []byte
		if err := d.Books.SQL.QueryRow("SELECT callback FROM work WHERE id = ?", work).Scan(&has); err != nil || string(has) != string(want) || (has == nil) != (want == nil) {
			t.Errorf("%q is kept, want %q, %v", has, want, err)
		}
	}
	d.Dispatch()
	beat := d.Beat(d.worker)
	d.expect(beat, work, "start 1")
	if run := beat.Instructions[0].Run; run.Task == nil || !run.Task.CallsBack {
		t.Errorf("the worker is not told: %+v", run.Task)
	}
	says("running", digest, nil)
	d.Books.See(t, pool.Task{ID: task, Status: pool.TaskActive})
	d.Dispatch()
	says("reported", digest, nil)
	won := pool.Contribution{Wallet: d.key.Address(), Status: pool.Proved, Hash: pool.Hash{0xcc}, Weight: 2}
	revealed := pool.Task{
		ID: task, Status: pool.TaskRevealing, Consensus: won.Hash, Winners: 1, Reveals: 1, Digest: pool.Digest(digest), Contributions: []pool.Contribution{won},
	}
	d.Books.See(t, revealed)
	beat = says("revealed", digest, nil)
	d.expect(beat, work, "upload 1")
	if status := d.Upload(link(beat, work), "archive"); status >= 300 {
		t.Fatalf("upload: status %d", status)
	}
	other := []byte("called back with something else")
	for what, beat := range map[string]wire.Beat{
		"nothing":                          says("uploaded", digest, nil),
		"other bytes":                      says("uploaded", digest, other),
		"other bytes of their own digest":  says("uploaded", ethsig.Keccak(other), other),
		"the bytes under another's digest": says("uploaded", ethsig.Keccak(other), data),
	} {
		d.expect(beat, work, "upload 1")
		if stored, _ := d.Work(work); !stored.File.IsZero() {
			t.Errorf("taken with %s", what)
		}
		kept(nil)
	}
	for _, bad := range []string{"0x", "abcd", "0x0", "0x" + strings.Repeat("00", pool.MaxCallback+1)} {
		r := pooltest.Says(work, 1, "uploaded", "archive")
		r.Digest, r.Callback = digest.String(), bad
		if answer := d.TryBeat(d.worker, r); answer.Status != 400 || answer.Problem.Field != "reports[0].callback" {
			t.Errorf("%.10s: %d %+v", bad, answer.Status, answer.Problem)
		}
	}
	says("uploaded", digest, data)
	kept(data)
	if stored, _ := d.Work(work); stored.File.IsZero() {
		t.Errorf("%+v", stored)
	}
	events := d.Books.Count(t, "SELECT COUNT(*) FROM event")
	says("uploaded", digest, data) // as the answer may have been lost
	kept(data)
	if n := d.Books.Count(t, "SELECT COUNT(*) FROM event"); n != events {
		t.Errorf("said twice it makes %d events", n-events)
	}
	// A reorganisation takes the consensus back, and all that was brought for it.
	d.Books.See(t, pool.Task{ID: task, Status: pool.TaskActive})
	kept(nil)
	if d.Books.Count(t, "SELECT COUNT(*) FROM work WHERE file IS NOT NULL") != 0 {
		t.Error("the archive is kept")
	}
}
