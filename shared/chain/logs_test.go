package chain_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"workerpool/shared/chain"
	"workerpool/shared/chain/chaintest"
	"workerpool/shared/ethsig"
	"workerpool/shared/pool"
)

// TestNumbers holds the bindings against the numbers that were seen on the chain.
func TestNumbers(t *testing.T) {
	for name, want := range map[string]string{
		"SchedulerNotice":      "0x692ad61076dceddd0f1a861f737553dd61fc8501cf4190d29c4e90af6607f765",
		"OrdersMatched":        "0xd811b592ed0899225773e8933d8df64bd0b62761a9d7aad4ed5b22735f4610a4",
		"TaskInitialize":       "0x252992fb0468d68d6a5784ec03214f0d0a362083f2d7ebd157af43b017a22e06",
		"TaskContribute":       "0x3fdb8d7797562d49a81078dbf7fa1771958ea452f8b13d1148383bd9506aecfb",
		"TaskConsensus":        "0xf6d49bf3e05d33a4bc497d3c793fb5756388bb96b947cf51bb60aaecb0e022e3",
		"TaskReveal":           "0x4b1763d473ac8fa80b4432ba90047e1b92444d8fabc55e6a002d9b1a316d7959",
		"TaskReopen":           "0x3afe0f24796ce653c6ab1f3e7aba5ce564eece5e82aee724aff28253e829f07b",
		"TaskFinalize":         "0x78ce8a8bc0fcb704e8ba3b3dbb36aa88002df8038128b4af2f27ef65db665044",
		"TaskClaimed":          "0xcbc308b5f91040d2659a5201858344b0b583cd2f9e18e8470c2fa052c5b21ff8",
		"AccurateContribution": "0x9703f4589802246c80b822e63697180da799e363cd1b6fd9465a5e5574d53492",
		"FaultyContribution":   "0xf868788948d55240774fdbad06555105ef20bbc70d1b7eccda982b65e11e79bb",
	} {
		if got := hubABI.Events[name].ID.Hex(); got != want {
			t.Errorf("event %s: %s, want %s", name, got, want)
		}
	}
	for name, want := range map[string]string{
		"matchOrders": "156194d4", "initialize": "5b36c66b", "initializeArray": "b504681d", "contribute": "34623484", "reveal": "fc334e8c",
		"finalize": "8fc375e5", "contributeAndFinalize": "5facd761", "reopen": "f6c68e10", "claim": "bd66528a", "claimArray": "fa055d7e",
		"initializeAndClaimArray": "f722cb32", "deposit": "b6b55f25", "withdraw": "2e1a7d4d", "viewDeal": "b74861b2", "viewTask": "adccf0d5",
		"viewContribution": "e741363b", "viewScore": "db230b52", "viewAccount": "6b55f4a5", "viewCategory": "4f5f44ec", "viewConsumed": "4b2bec8c",
		"viewPresigned": "d286eb16", "verifyPresignatureOrSignature": "bf36994e", "resultFor": "d09cc57e", "domain": "c2fb26a6",
		"eip712domain_separator": "9910fd72", "computeDealVolume": "66517ca6",
	} {
		if got := common.Bytes2Hex(hubABI.Methods[name].ID); got != want {
			t.Errorf("call %s: %s, want %s", name, got, want)
		}
	}
	if got, want := ethsig.Keccak([]byte("SchedulerNotice(address,bytes32)")).String(), hubABI.Events["SchedulerNotice"].ID.Hex(); got != want {
		t.Errorf("SchedulerNotice is %s in the ABI, %s by its signature", want, got)
	}
}

// events puts a deal's life into the fake, with others' deals between.
func events(f *fake) pool.Logs {
	other := pool.Address{0x77}
	f.notice(10, poolAt, id(1))
	f.notice(10, other, id(2))
	f.log(11, "TaskInitialize", nil, common.Hash(id(101)), common.BytesToHash(poolAt[:]))
	f.log(12, "TaskContribute", make([]byte, 32), common.Hash(id(101)), common.Hash{1})
	f.log(12, "TaskContribute", make([]byte, 32), common.Hash(id(102)), common.Hash{1})
	f.log(12, "TaskConsensus", make([]byte, 32), common.Hash(id(101)))
	f.log(13, "TaskReveal", make([]byte, 32), common.Hash(id(101)), common.Hash{1})
	f.log(13, "Reward", make([]byte, 64), common.Hash{9}) // not followed
	f.log(14, "TaskReopen", nil, common.Hash(id(103)))
	f.log(15, "TaskFinalize", make([]byte, 64), common.Hash(id(101)))
	f.log(16, "TaskClaimed", nil, common.Hash(id(104)))
	f.notice(17, poolAt, id(3))
	return pool.Logs{To: 20, Deals: []pool.Notice{{Deal: id(1), Block: 10}, {Deal: id(3), Block: 17}}, Tasks: []pool.Hash{id(101), id(102), id(103), id(104)}}
}

// TestLogs reads events that come twice, in no order, or not at all.
func TestLogs(t *testing.T) {
	f, n := newFake(t)
	want := events(f)
	c := open(t, n)
	if got, err := c.Logs(ctx, 10, 20); err != nil || !cmp.Equal(got, want) {
		t.Errorf("%v, %s", err, cmp.Diff(want, got))
	}
	if methods, _ := n.Asked(); fmt.Sprint(methods) != "[eth_getLogs eth_getBlockByNumber]" {
		t.Errorf("asked %v", methods)
	}
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		n.Disturb(chaintest.Doubled(rand.New(rand.NewPCG(seed, 1))))
		if got, err := c.Logs(ctx, 10, 20); err != nil || !cmp.Equal(got, want) {
			t.Fatalf("doubled and mixed: %v, %s", err, cmp.Diff(want, got))
		}
		n.Disturb(chaintest.Missing(rand.New(rand.NewPCG(seed, 1)), 0.5))
		got, err := c.Logs(ctx, 10, 20)
		if err != nil {
			t.Fatal(err)
		}
		for _, task := range got.Tasks {
			if !slices.Contains(want.Tasks, task) {
				t.Fatalf("made up task %s", task)
			}
		}
	})
	n.Disturb()
	if got, err := open(t, n, func(c *chain.Config) { c.Pool = pool.Address{} }).Logs(ctx, 10, 10); err != nil || len(got.Deals) != 2 {
		t.Errorf("of all pools: %v, %v", got, err)
	}
	if _, err := c.Logs(ctx, 20, 19); err == nil {
		t.Error("a range backwards")
	}
}

// TestLogsBehind: a node that lacks the last block could leave out events.
func TestLogsBehind(t *testing.T) {
	f, n := newFake(t)
	events(f)
	c := open(t, n)
	n.Disturb(chaintest.OldHead(15))
	if _, err := c.Logs(ctx, 10, 16); pool.KindOf(err) != pool.Unavailable || !strings.Contains(err.Error(), "does not know that block") {
		t.Errorf("%v", err)
	}
	if got, err := c.Logs(ctx, 10, 15); err != nil || len(got.Tasks) != 3 {
		t.Errorf("%v, %v", got, err)
	}
	n.Disturb(chaintest.Refuse("eth_getLogs", chaintest.Error{Code: -32602, Message: "block range extends beyond current head block"}))
	if _, err := c.Logs(ctx, 10, 15); pool.KindOf(err) != pool.Unavailable {
		t.Errorf("%v", err)
	}
	n.Disturb()
	if before := c.Calls(); before.Requests != 3 {
		t.Errorf("%d requests: a node that is behind was taken for one that wants a shorter range", before.Requests)
	}
}

// TestLogsRanges: a provider takes ten blocks at once. The range is found by
// halving, used from then on, and tried to be widened less and less often.
func TestLogsRanges(t *testing.T) {
	f, n := newFake(t)
	want := events(f)
	c := open(t, n, func(c *chain.Config) { c.LogRange = 640 })
	n.Disturb(chaintest.RangeLimit(10, chaintest.Error{Code: -32600, Message: "You can make eth_getLogs requests with up to a 10 block range."}))
	var got pool.Logs
	var widths []uint64
	read := func(from, to uint64) {
		for from <= to {
			part, err := c.Logs(ctx, from, to)
			if err != nil {
				t.Fatal(err)
			}
			widths = append(widths, part.To-from+1)
			got.To, got.Deals, got.Tasks = part.To, append(got.Deals, part.Deals...), append(got.Tasks, part.Tasks...)
			from = part.To + 1
		}
	}
	read(1, 20)
	slices.SortFunc(got.Tasks, func(a, b pool.Hash) int { return strings.Compare(a.String(), b.String()) })
	got.Tasks = slices.Compact(got.Tasks)
	if !cmp.Equal(got, want) || fmt.Sprint(widths) != "[10 10]" {
		t.Errorf("ranges of %v blocks: %s", widths, cmp.Diff(want, got))
	}
	before := c.Calls().Requests
	if before != 1+2 {
		t.Errorf("%d requests, want one in vain and two", before)
	}
	read(1, 1000)
	if more := c.Calls().Requests - before; more < 100+3 || more > 100+6 {
		t.Errorf("%d requests for 100 ranges, want a few in vain", more)
	}
	// Many logs in few blocks are refused once; afterwards the range grows again.
	n.Disturb()
	widths = nil
	for range 12 {
		read(1, 1000)
	}
	if widest := slices.Max(widths); widest != 640 {
		t.Errorf("widest range afterwards %d blocks, want 640", widest)
	}
}

func TestLogsRefused(t *testing.T) {
	f, n := newFake(t)
	c := open(t, n)
	// Not even one block.
	n.Disturb(chaintest.RangeLimit(0, chaintest.Error{Code: -32005, Message: "query returned more than 10000 results"}))
	if _, err := c.Logs(ctx, 1, 500); pool.KindOf(err) != pool.Unavailable || !strings.Contains(err.Error(), "of one block") {
		t.Errorf("%v", err)
	}
	// A refusal that has nothing to do with the range is not asked again.
	n.Disturb(chaintest.Refuse("eth_getLogs", chaintest.Error{Code: -32601, Message: "the method eth_getLogs does not exist"}))
	if got := count(c, func() error { _, err := c.Logs(ctx, 1, 500); return err }); !strings.HasPrefix(got, "1 requests") || !strings.Contains(got, "does not exist") {
		t.Error(got)
	}
	n.Disturb()
	for name, c := range map[string]struct {
		change map[string]any
		why    string
	}{
		"of another contract": {map[string]any{"address": common.Address{1}}, "answer 0 is none"},
		"of another block":    {map[string]any{"blockNumber": "0x1"}, "answer 0 is none"},
		"of no block":         {map[string]any{"blockNumber": nil}, "answer 0 is none"},
		"another event":       {map[string]any{"topics": []common.Hash{{1}, {2}}}, "gave event 0x01"},
		"without a task":      {map[string]any{"topics": []common.Hash{hubABI.Events["TaskReopen"].ID}}, "answer 0 is none"},
		"short notice":        {map[string]any{"topics": []common.Hash{hubABI.Events["SchedulerNotice"].ID, {}}, "data": "0x01"}, "1 bytes of data"},
		"no hexadecimal":      {map[string]any{"data": "zz"}, "malformed"},
	} {
		f.log(50, "TaskReopen", nil, common.Hash(id(1)))
		n.Disturb(chaintest.Logs(func(logs []json.RawMessage) []json.RawMessage {
			var log map[string]any
			if err := json.Unmarshal(logs[0], &log); err != nil {
				t.Error(err)
			}
			for k, v := range c.change {
				log[k] = v
			}
			out, err := json.Marshal(log)
			if err != nil {
				t.Error(err)
			}
			return []json.RawMessage{out}
		}))
		if _, err := open(t, n).Logs(ctx, 50, 50); err == nil || pool.KindOf(err) != "" || !strings.Contains(err.Error(), c.why) {
			t.Errorf("%s: %v, want %q", name, err, c.why)
		}
	}
	// What a reorganisation removed is no event.
	n.Disturb(chaintest.Logs(func([]json.RawMessage) []json.RawMessage {
		return []json.RawMessage{json.RawMessage(`{"address":"` + common.Address(hubAt).Hex() + `","topics":["` + hubABI.Events["TaskReopen"].ID.Hex() + `","` + id(1).String() + `"],"data":"0x","blockNumber":"0x32","removed":true}`)}
	}))
	if got, err := open(t, n).Logs(ctx, 50, 50); err != nil || len(got.Tasks) != 0 {
		t.Errorf("%v, %v", got, err)
	}
}
