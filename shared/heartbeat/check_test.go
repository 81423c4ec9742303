package heartbeat_test

import (
	"io"
	"net/http"
	"testing"

	"workerpool/shared/ethsig"
	"workerpool/shared/pool"
	"workerpool/shared/pooltest"
	"workerpool/shared/wire"
)

// Of two that agree and made different archives, one brings its own and the other
// looks at it; what that finds wrong it brings itself.
func TestAnothersArchiveIsChecked(t *testing.T) {
	t.Parallel()
	d := newDealer(t)
	second, err := ethsig.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	in := pooltest.Registration("cellar", 1)
	in.Wallet = d.wallet(second, "cellar", in.Key)
	var out wire.Registered
	d.Call(d.crowd.Token, "POST", "/workers", in).Into(d.World, &out)
	workers := map[string]pooltest.Worker{"attic's": d.worker, "cellar's": d.Worker(d.crowd, "cellar", 1)}
	work := int64(d.Books.AddDeal(t, 1, 3)[0])
	var id []byte
	if err := d.Books.SQL.QueryRow("SELECT task_id FROM task WHERE work_id = ?", work).Scan(&id); err != nil {
		t.Fatal(err)
	}
	d.Dispatch()
	says := func(bytes, state, checks string) wire.Beat {
		t.Helper()
		r := pooltest.Says(work, 1, "reported", bytes)
		r.State, r.Digest, r.Checks = state, digest, checks
		return d.Beat(workers[bytes], r)
	}
	d.Books.See(t, pool.Task{ID: pool.Hash(id), Status: pool.TaskActive})
	for bytes := range workers {
		d.Beat(workers[bytes], pooltest.Says(work, 1, "running", ""))
	}
	d.Dispatch()
	for bytes := range workers {
		says(bytes, "reported", "")
	}
	shown := pool.Task{ID: pool.Hash(id), Status: pool.TaskRevealing, Consensus: pool.Hash{0xcc}, Winners: 2, Reveals: 2, Digest: pool.Digest{31: 0xd1}}
	for _, key := range []*ethsig.Key{d.key, second} {
		shown.Contributions = append(shown.Contributions, pool.Contribution{Wallet: key.Address(), Status: pool.Proved, Hash: shown.Consensus, Weight: 2})
	}
	d.Books.See(t, shown)
	up, other := "attic's", "cellar's"
	beat := says(up, "revealed", "")
	if link(beat, work) == nil {
		up, other = other, up
		beat = says(up, "revealed", "")
	}
	if status := d.Upload(link(beat, work), up); status >= 300 {
		t.Fatalf("upload: status %d", status)
	}
	d.expect(says(up, "uploaded", ""), work, "stop 1")
	beat = says(other, "revealed", "")
	d.expect(beat, work, "check 1")
	check := beat.Instructions[0].Check
	if want := pooltest.Says(work, 1, "reported", up); check == nil || check.SHA256 != want.SHA256 || check.Size != want.Size {
		t.Fatalf("to be checked: %+v", check)
	}
	got, err := http.Get(check.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	if text, err := io.ReadAll(got.Body); err != nil || string(text) != up {
		t.Errorf("under the link lies %q, %v", text, err)
	}
	d.expect(says(other, "checking", check.SHA256), work, "check 1")
	beat = says(other, "wrong", check.SHA256)
	d.expect(beat, work, "upload 1")
	if stored, _ := d.Work(work); stored.Vouched != pool.Disputed || stored.File.String() != check.SHA256 {
		t.Errorf("%+v", stored)
	}
	if status := d.Upload(link(beat, work), other); status >= 300 {
		t.Fatalf("upload: status %d", status)
	}
	d.expect(says(other, "uploaded", ""), work, "stop 1")
	if stored, _ := d.Work(work); stored.Vouched != pool.NobodyLeft || stored.File.String() == check.SHA256 {
		t.Errorf("%+v", stored)
	}
}
