package chain_test

import (
	"context"
	"encoding/json"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/google/go-cmp/cmp"

	"workerpool/shared/chain"
	"workerpool/shared/chain/chaintest"
	"workerpool/shared/chain/poco"
	"workerpool/shared/pool"
)

var ctx = context.Background()

func TestHead(t *testing.T) {
	f, n := newFake(t)
	c := open(t, n)
	want := pool.Head{Block: pool.Block{Number: 1000, Hash: f.hash(1000), Time: time.Unix(1_700_001_000, 0).UTC()}, Finalized: 900}
	if got, err := c.Head(ctx); err != nil || got != want {
		t.Errorf("%v, %v", got, err)
	}
	if got := c.Calls(); got != (chain.Calls{Requests: 1, Calls: 2}) {
		t.Errorf("counted %+v", got)
	}
	// An old head is given as it is: the caller remembers what it saw.
	n.Disturb(chaintest.OldHead(950))
	if got, err := c.Head(ctx); err != nil || got.Number != 950 || got.Finalized != 900 {
		t.Errorf("%v, %v", got, err)
	}
	n.Disturb(chaintest.Finalized(1001))
	if _, err := c.Head(ctx); pool.KindOf(err) != pool.Unavailable || !strings.Contains(err.Error(), "block 1001 can no longer change and that the newest is 1000") {
		t.Errorf("a block of the future is final: %v", err)
	}
	n.Disturb(chaintest.Finalized(1000))
	if got, err := c.Head(ctx); err != nil || got.Finalized != 1000 {
		t.Errorf("%v, %v", got, err)
	}
	// Nothing is final yet: nodes say so in two ways.
	tagged := func(word string, err *chaintest.Error) chaintest.Fault {
		return func(call *chaintest.Call, next func()) {
			if next(); string(call.Params[0]) == `"`+word+`"` {
				call.Result, call.Err = json.RawMessage("null"), err
			}
		}
	}
	for _, says := range []*chaintest.Error{nil, {Code: -32000, Message: "finalized block not found"}, {Code: -39001, Message: "Unknown block"}} {
		n.Disturb(tagged("finalized", says))
		if got, err := c.Head(ctx); err != nil || got.Number != 1000 || got.Finalized != 0 {
			t.Errorf("%v: %v, %v", says, got, err)
		}
	}
	n.Disturb(tagged("finalized", &chaintest.Error{Code: -32602, Message: "invalid block tag"}))
	if _, err := c.Head(ctx); err == nil || pool.KindOf(err) != "" {
		t.Errorf("a node that does not know the word: %v", err)
	}
	latest := open(t, n, func(c *chain.Config) { c.Final = "latest" })
	if got, err := latest.Head(ctx); err != nil || got.Finalized != 1000 {
		t.Errorf("latest is final: %v, %v", got, err)
	}
	n.Disturb(tagged("latest", nil))
	if _, err := c.Head(ctx); err == nil || !strings.Contains(err.Error(), "no newest block") {
		t.Errorf("%v", err)
	}
	for _, header := range []string{`{}`, `{"number":"0x1","hash":"0x00","timestamp":"0x1","gasLimit":"0x1"}`, `{"number":"0x1","hash":"` + id(1).String() + `","timestamp":"0xffffffffffff","gasLimit":"0x1"}`} {
		n.Disturb(func(call *chaintest.Call, next func()) { call.Result = json.RawMessage(header) })
		if _, err := c.Head(ctx); err == nil || pool.KindOf(err) != "" {
			t.Errorf("%s: %v", header, err)
		}
	}
	if _, err := chain.Open(chain.Config{URL: n.URL, Final: "soon"}); err == nil {
		t.Error(`"soon" is a block that can no longer change`)
	}
}

func TestBlock(t *testing.T) {
	f, n := newFake(t)
	c := open(t, n)
	if got, err := c.Block(ctx, 7); err != nil || got.Hash != f.hash(7) || got.Number != 7 || got.Time.Unix() != 1_700_000_007 {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := c.Block(ctx, 1001); err != nil || !got.Hash.IsZero() {
		t.Errorf("of the future: %v, %v", got, err)
	}
	n.Disturb(func(call *chaintest.Call, next func()) { call.Params[0] = json.RawMessage(`"0x8"`); next() })
	if _, err := c.Block(ctx, 7); err == nil || !strings.Contains(err.Error(), "asked for block 7 and gave block 8") {
		t.Errorf("%v", err)
	}
}

// TestDeals reads what a deal says, once what never changes.
func TestDeals(t *testing.T) {
	f, n := newFake(t)
	f.catalogue(t)
	f.deal(t, id(1))
	f.deal(t, id(2), func(d *poco.IexecLibCoreV5Deal) { d.StartTime = new(big.Int) })
	f.deal(t, id(3), func(d *poco.IexecLibCoreV5Deal) { d.Workerpool.Pointer = common.Address{0x77} })
	f.deal(t, id(4), func(d *poco.IexecLibCoreV5Deal) { d.Trust = big.NewInt(0) })
	c := open(t, n)
	want := pool.Deal{
		ID: id(1), Start: time.Unix(1_700_000_777, 0).UTC(), First: 5, Tasks: 16, T: 5 * time.Minute, Trust: 3, Tag: pool.Hash{31: 1},
		App: pool.Address{0xa1}, Image: "docker.io/library/alpine:3", AppType: "DOCKER", Owner: pool.Address{0x0e},
		Requester: pool.Address{0x11}, Beneficiary: pool.Address{0x12}, Callback: pool.Address{0x13},
		Params: `{"iexec_args":"Alice"}`, Price: 1000, Stake: 300,
	}
	four := want
	four.ID, four.Trust = id(4), 0
	got, err := c.Deals(ctx, f.block(1000), []pool.Hash{id(1), id(2), id(3), id(4)})
	if err != nil || !cmp.Equal(got, []pool.Deal{want, four}) {
		t.Errorf("%v, %s", err, cmp.Diff([]pool.Deal{want, four}, got))
	}
	if got := count(c, func() error { _, err := c.Deals(ctx, f.block(1000), []pool.Hash{id(1), id(4)}); return err }); got != "1 requests, 2 calls, <nil>" {
		t.Errorf("the second time: %s", got)
	}
	if got := count(c, func() error { _, err := c.Deals(ctx, f.block(1000), nil); return err }); got != "0 requests, 0 calls, <nil>" {
		t.Errorf("of none: %s", got)
	}
	var many []pool.Hash
	for i := range 120 {
		f.deal(t, id(1000+i))
		many = append(many, id(1000+i))
	}
	if got := count(c, func() error { _, err := c.Deals(ctx, f.block(1000), many); return err }); got != "3 requests, 120 calls, <nil>" {
		t.Errorf("many: %s", got)
	}
}

// TestDatasets reads what deals say of their datasets, in the same requests.
func TestDatasets(t *testing.T) {
	f, n := newFake(t)
	f.catalogue(t)
	f.deal(t, id(1))
	with := func(set byte) func(*poco.IexecLibCoreV5Deal) {
		return func(d *poco.IexecLibCoreV5Deal) { d.Dataset.Pointer = common.Address{set} }
	}
	f.deal(t, id(2), with(0xd1))
	f.deal(t, id(3), with(0xd2))
	f.deal(t, id(4), with(0xd1))
	multiaddr := common.FromHex("0xa5032212205d008f22f8f878fd58473a634cc73d41049fc0d19b81002eaae221ac5a446a3e")
	f.view(t, "viewDataset", []any{common.Address{0xd1}}, poco.IexecLibCoreV5DatasetInfo{MDatasetMultiaddr: multiaddr, MDatasetChecksum: [32]byte{7}})
	f.view(t, "viewDataset", []any{common.Address{0xd2}}, poco.IexecLibCoreV5DatasetInfo{MDatasetMultiaddr: []byte("https://example.com/\xff")})
	c := open(t, n)
	ids := []pool.Hash{id(1), id(2), id(3), id(4)}
	var got []pool.Deal
	ask := func() (err error) {
		got, err = c.Deals(ctx, f.block(1000), ids)
		return err
	}
	if _, err := c.Deals(ctx, f.block(1000), ids[:1]); err != nil {
		t.Fatal(err)
	}
	// Four deals and two datasets: app and category are known.
	if calls := count(c, ask); calls != "2 requests, 6 calls, <nil>" {
		t.Errorf("the first time: %s", calls)
	}
	for i, want := range []pool.Deal{
		{}, {Dataset: pool.Address{0xd1}, DatasetAt: "/ipfs/QmUbh7ugQ9WVprTVYjzrCS4d9cCy73zUz4MMchsrqzzu1w", DatasetSum: pool.Digest{7}},
		{Dataset: pool.Address{0xd2}, DatasetAt: "https://example.com/\uFFFD"}, {Dataset: pool.Address{0xd1}, DatasetAt: "/ipfs/QmUbh7ugQ9WVprTVYjzrCS4d9cCy73zUz4MMchsrqzzu1w", DatasetSum: pool.Digest{7}},
	} {
		if d := got[i]; d.Dataset != want.Dataset || d.DatasetAt != want.DatasetAt || d.DatasetSum != want.DatasetSum {
			t.Errorf("%d: %+v", i, d)
		}
	}
	if calls := count(c, ask); calls != "1 requests, 4 calls, <nil>" {
		t.Errorf("the second time: %s", calls)
	}
	f.deal(t, id(5), with(0xd3)) // of which there is no contract
	if _, err := c.Deals(ctx, f.block(1000), []pool.Hash{id(5)}); err == nil || !strings.Contains(err.Error(), "viewDataset of 0xd3") {
		t.Errorf("%v", err)
	}
}

// TestHostileDeal: whoever matches orders writes what they like into a deal.
func TestHostileDeal(t *testing.T) {
	f, n := newFake(t)
	f.view(t, "viewApp", []any{common.Address{0xa1}}, poco.IexecLibCoreV5AppInfo{MAppType: "DO\xffCKER", MAppMultiaddr: []byte{0xff, 'a', 0}})
	huge := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 256), big.NewInt(1))
	f.view(t, "viewCategory", []any{huge}, poco.IexecLibCoreV5Category{WorkClockTimeRef: huge})
	f.deal(t, id(1), func(d *poco.IexecLibCoreV5Deal) {
		d.Params, d.Trust, d.Category, d.StartTime, d.BotFirst, d.BotSize = "\xc3\x28", huge, huge, huge, huge, huge
		d.Workerpool.Price, d.WorkerStake = huge, huge
	})
	got, err := open(t, n).Deals(ctx, f.block(1000), []pool.Hash{id(1)})
	if err != nil || len(got) != 1 {
		t.Fatalf("%v, %v", got, err)
	}
	d := got[0]
	if d.Params != "\uFFFD(" || d.AppType != "DO\uFFFDCKER" || d.Image != "\uFFFDa\x00" || d.Trust != pool.MaxTrust+1 {
		t.Errorf("%+v", d)
	}
	if d.Price <= 0 || d.Stake <= 0 || d.Tasks <= 0 || d.First <= 0 || !d.FinalBy().After(d.Start) || d.Start.Year() < 3000 {
		t.Errorf("a number became something else: %+v", d)
	}
}

func TestTasks(t *testing.T) {
	f, n := newFake(t)
	alice, bob := common.Address{0xaa}, common.Address{0xbb}
	f.task(t, id(1))
	f.task(t, id(2), func(v *poco.IexecLibCoreV5Task) {
		v.Status, v.Contributors = 2, []common.Address{bob, alice}
		v.RevealDeadline, v.RevealCounter, v.WinnerCounter = big.NewInt(1_700_000_600), big.NewInt(1), big.NewInt(2)
		v.ConsensusValue, v.ResultDigest = [32]byte{1}, [32]byte{2}
	})
	f.view(t, "viewContribution", []any{id(2), bob}, poco.IexecLibCoreV5Contribution{Status: 2, ResultHash: [32]byte{1}, Weight: big.NewInt(1)})
	f.view(t, "viewContribution", []any{id(2), alice}, poco.IexecLibCoreV5Contribution{Status: 1, ResultHash: [32]byte{1}, Weight: big.NewInt(3)})
	f.task(t, id(3), func(v *poco.IexecLibCoreV5Task) { v.Status = 4 })
	c := open(t, n)
	want := []pool.Task{
		{ID: id(3), Block: 990, Status: pool.TaskFailed},
		{ID: id(2), Block: 990, Status: pool.TaskRevealing, RevealBy: time.Unix(1_700_000_600, 0).UTC(), Consensus: pool.Hash{1}, Digest: pool.Digest{2}, Reveals: 1, Winners: 2,
			Contributions: []pool.Contribution{
				{Wallet: pool.Address(bob), Status: pool.Proved, Hash: pool.Hash{1}, Weight: 2},
				{Wallet: pool.Address(alice), Status: pool.Contributed, Hash: pool.Hash{1}, Weight: 8},
			}},
		{ID: id(1), Block: 990, Status: pool.TaskUnset},
	}
	got, err := c.Tasks(ctx, f.block(990), []pool.Hash{id(3), id(2), id(1)})
	if err != nil || !cmp.Equal(got, want) {
		t.Errorf("%v, %s", err, cmp.Diff(want, got))
	}
	if got := count(c, func() error { _, err := c.Tasks(ctx, f.block(990), []pool.Hash{id(3), id(2), id(1)}); return err }); got != "2 requests, 5 calls, <nil>" {
		t.Error(got)
	}
	f.task(t, id(4), func(v *poco.IexecLibCoreV5Task) { v.Status = 5 })
	f.task(t, id(5), func(v *poco.IexecLibCoreV5Task) { v.Contributors = []common.Address{{1}} })
	f.view(t, "viewContribution", []any{id(5), common.Address{1}}, poco.IexecLibCoreV5Contribution{Status: 4, Weight: new(big.Int)})
	for name, c2 := range map[string]struct {
		task pool.Hash
		why  string
	}{
		"a status there is not":       {id(4), "the status 5"},
		"a contribution there is not": {id(5), "the status 4"},
		"where there is no contract":  {id(6), "viewTask of " + id(6).String() + ", 0 bytes, is malformed"},
	} {
		if _, err := c.Tasks(ctx, f.block(990), []pool.Hash{c2.task}); err == nil || pool.KindOf(err) != "" || !strings.Contains(err.Error(), c2.why) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestPinned reads at one block only, whether the node takes hashes, takes none,
// or takes any.
func TestPinned(t *testing.T) {
	for name, c := range map[string]struct {
		fault  chaintest.Fault
		hashes bool
	}{
		"takes hashes":     {func(_ *chaintest.Call, next func()) { next() }, true},
		"refuses hashes":   {chaintest.NoHashes, false},
		"takes any hashes": {chaintest.AnyHash, false},
	} {
		t.Run(name, func(t *testing.T) {
			f, n := newFake(t)
			f.task(t, id(1))
			var tags []string
			watch := func(call *chaintest.Call, next func()) {
				if call.Method == "eth_call" {
					tags = append(tags, string(call.Params[1]))
				}
				next()
			}
			n.Disturb(watch, c.fault)
			client := open(t, n)
			at := f.block(990)
			read := func() error { _, err := client.Tasks(ctx, at, []pool.Hash{id(1)}); return err }
			if err := read(); err != nil {
				t.Fatal(err)
			}
			tags = nil
			want := "1 requests, 1 calls, <nil>"
			if !c.hashes {
				want = "2 requests, 2 calls, <nil>"
			}
			if got := count(client, read); got != want {
				t.Errorf("the second time %s, want %s", got, want)
			}
			if byHash := strings.Contains(tags[0], at.Hash.String()) && strings.Contains(tags[0], `"requireCanonical":true`); len(tags) != 1 || byHash != c.hashes || (!byHash && tags[0] != `"0x3de"`) {
				t.Errorf("asked at %v", tags)
			}
			// A reorganisation since the head was read.
			f.set(func() { f.fork++ })
			if err := read(); pool.KindOf(err) != pool.Unavailable {
				t.Errorf("after a reorganisation: %v", err)
			}
			at = f.block(990)
			if err := read(); err != nil {
				t.Errorf("of the new side: %v", err)
			}
		})
	}
	_, n := newFake(t)
	if _, err := open(t, n).Tasks(ctx, pool.Block{Number: 5}, []pool.Hash{id(1)}); err == nil || !strings.Contains(err.Error(), "no hash is given") {
		t.Errorf("%v", err)
	}
}
