package heartbeat_test

import (
	"encoding/hex"
	"fmt"
	"maps"
	"strings"
	"testing"

	"workerpool/shared/ethsig"
	"workerpool/shared/pool"
	"workerpool/shared/pooltest"
	"workerpool/shared/wire"
)

// dealer is a bench that serves deals, with a worker that has a wallet.
type dealer struct {
	bench
	key    *ethsig.Key
	worker pooltest.Worker
}

func newDealer(t *testing.T) dealer {
	t.Helper()
	w := pooltest.NewWithDeals(t)
	t.Cleanup(w.Check)
	b := bench{World: w, T: t, ann: w.Account(pool.RoleRequester, "ann"), op: w.Account(pool.RoleOperator, "op"), crowd: w.SharedAccount("crowd")}
	key, err := ethsig.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	d := dealer{b, key, b.Worker(b.crowd, "attic", 1)}
	in := pooltest.Registration("attic", 1)
	in.Wallet = d.wallet(key, "attic", in.Key)
	var out wire.Registered
	b.Call(b.crowd.Token, "POST", "/workers", in).Into(b.World, &out)
	return d
}

// wallet is a key's word that a worker acts for it.
func (d dealer) wallet(key *ethsig.Key, name, secret string) *wire.Wallet {
	d.Helper()
	digest, err := pool.ParseDigest(secret)
	if err != nil {
		d.Fatal(err)
	}
	signature, err := key.Sign(d.Context(), ethsig.PersonalHash([]byte(pool.WalletProof(pooltest.Pool, name, digest))))
	if err != nil {
		d.Fatal(err)
	}
	return &wire.Wallet{Address: key.Address().String(), Signature: "0x" + hex.EncodeToString(signature[:])}
}

const digest = "0x00000000000000000000000000000000000000000000000000000000000000d1"

// says is a report of a work of a deal.
func (d dealer) says(work int64, state, bytes string) wire.Beat {
	d.Helper()
	r := pooltest.Says(work, 1, state, bytes)
	if r.SHA256 != "" {
		r.Digest = digest
	}
	return d.Beat(d.worker, r)
}

func TestWorkOfADeal(t *testing.T) {
	t.Parallel()
	d := newDealer(t)
	work := int64(d.Books.AddDeal(t, 1, 1)[0])
	var id []byte
	if err := d.Books.SQL.QueryRow("SELECT task_id FROM task WHERE work_id = ?", work).Scan(&id); err != nil {
		t.Fatal(err)
	}
	task := pool.Hash(id)
	d.Dispatch()
	beat := d.Beat(d.worker)
	d.expect(beat, work, "start 1")
	if run := beat.Instructions[0].Run; run.Task == nil || run.Task.ID != task.String() || run.Task.Index != 0 ||
		run.Task.FinalBy.Sub(run.Task.ContributeBy).Minutes() != 15 {
		t.Errorf("%+v", run.Task)
	}
	d.expect(d.says(work, "running", ""), work, "continue 1")
	d.Dispatch()
	if beat = d.Beat(d.worker); beat.Instructions[0].Authorisation != "" {
		t.Error("authorised before the task is initialized")
	}
	d.Books.See(t, pool.Task{ID: task, Status: pool.TaskActive})
	d.Dispatch()
	beat = d.says(work, "running", "")
	d.expect(beat, work, "continue 1")
	word, err := hex.DecodeString(strings.TrimPrefix(beat.Instructions[0].Authorisation, "0x"))
	if err != nil {
		t.Fatal(err)
	}
	if by, err := ethsig.Recover(ethsig.AuthorisationHash(d.key.Address(), task, pool.Address{}), word); err != nil || by != d.Key.Address() {
		t.Errorf("the word is of %s, %v", by, err)
	}
	beat = d.says(work, "reported", "pixels")
	d.expect(beat, work, "contribute 1")
	if beat.Instructions[0].Authorisation != "0x"+hex.EncodeToString(word) {
		t.Error("another word comes with the order to contribute")
	}
	won := pool.Contribution{Wallet: d.key.Address(), Status: pool.Contributed, Hash: pool.Hash{0xcc}, Weight: 2}
	d.Books.See(t, pool.Task{ID: task, Status: pool.TaskActive, Contributions: []pool.Contribution{won}})
	d.expect(d.says(work, "contributed", "pixels"), work, "hold 1")
	d.Books.See(t, pool.Task{ID: task, Status: pool.TaskRevealing, Consensus: won.Hash, Winners: 1, Contributions: []pool.Contribution{won}})
	d.expect(d.says(work, "contributed", "pixels"), work, "reveal 1")
	won.Status = pool.Proved
	revealed := pool.Task{
		ID: task, Status: pool.TaskRevealing, Consensus: won.Hash, Winners: 1, Reveals: 1, Digest: pool.Digest{31: 0xd1}, Contributions: []pool.Contribution{won},
	}
	d.Books.See(t, revealed)
	beat = d.says(work, "revealed", "pixels")
	d.expect(beat, work, "upload 1")
	if to := link(beat, work).Fields; to["Content-Type"] != "application/zip" || !strings.HasSuffix(to["key"], ".zip") {
		t.Errorf("to be uploaded as %v", to)
	}
	if status := d.Upload(link(beat, work), "pixels"); status >= 300 {
		t.Fatalf("upload: status %d", status)
	}
	d.expect(d.says(work, "uploaded", "pixels"), work, "stop 1")
	d.expectState(work, pool.Agreed)
	stored, _ := d.Work(work)
	if stored.File.IsZero() || stored.Digest != revealed.Digest || stored.Size != 6 {
		t.Errorf("%+v", stored)
	}
	if answer := d.Call(d.op.Token, "DELETE", fmt.Sprint("/works/", work), nil); answer.Status != 409 {
		t.Errorf("cancelled what was sold: %d", answer.Status)
	}
	revealed.Status, revealed.Final = pool.TaskCompleted, true
	d.Books.See(t, revealed)
	d.expectState(work, pool.Done)
}

func TestWalletsRefused(t *testing.T) {
	t.Parallel()
	d := newDealer(t)
	other, err := ethsig.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	before := d.Stored()
	for name, test := range map[string]struct {
		alter func(*wire.Registration)
		field string
		code  int
	}{
		"signed by another":     {func(r *wire.Registration) { r.Wallet.Address = d.key.Address().String() }, "wallet.signature", 400},
		"signed for another":    {func(r *wire.Registration) { r.Wallet = d.wallet(other, "cellar", r.Key) }, "wallet.signature", 400},
		"under another key":     {func(r *wire.Registration) { r.Wallet = d.wallet(other, "loft", strings.Repeat("ab", 32)) }, "wallet.signature", 400},
		"half a signature":      {func(r *wire.Registration) { r.Wallet.Signature = r.Wallet.Signature[:66] }, "wallet.signature", 400},
		"no address":            {func(r *wire.Registration) { r.Wallet.Address = "0x12" }, "wallet.address", 400},
		"no one's":              {func(r *wire.Registration) { r.Wallet.Address = pool.Address{}.String() }, "wallet.address", 400},
		"another worker's":      {func(r *wire.Registration) { r.Wallet = d.wallet(d.key, "loft", r.Key) }, "wallet", 409},
		"no signature at all":   {func(r *wire.Registration) { r.Wallet.Signature = "0x" + strings.Repeat("00", 65) }, "wallet.signature", 400},
		"signature of nonsense": {func(r *wire.Registration) { r.Wallet.Signature = "0x" + strings.Repeat("ff", 65) }, "wallet.signature", 400},
	} {
		in := pooltest.Registration("loft", 1)
		in.Wallet = d.wallet(other, "loft", in.Key)
		test.alter(&in)
		if answer := d.Call(d.crowd.Token, "POST", "/workers", in); answer.Status != test.code || answer.Problem.Field != test.field {
			t.Errorf("%s: %d %+v", name, answer.Status, answer.Problem)
		}
	}
	if !maps.Equal(before, d.Stored()) {
		t.Error("something is stored of what was refused")
	}
	plain := newBench(t)
	in := pooltest.Registration("loft", 1)
	in.Wallet = d.wallet(other, "loft", in.Key)
	if answer := plain.Call(plain.crowd.Token, "POST", "/workers", in); answer.Status != 400 || answer.Problem.Field != "wallet" {
		t.Errorf("a pool without a chain: %d %+v", answer.Status, answer.Problem)
	}
}
