package chain_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"

	"workerpool/shared/chain"
	"workerpool/shared/chain/chaintest"
	"workerpool/shared/ethsig"
	"workerpool/shared/pool"
)

// gas is what the fake's node says of the price of gas.
type gas struct{ base, price, tip string }

func (f *fake) prices(g gas) {
	f.set(func() {
		f.answers["eth_gasPrice"] = func() (any, error) { return g.price, nil }
		f.answers["eth_estimateGas"] = func() (any, error) { return "0x30d40", nil } // 200,000
		f.answers["eth_maxPriorityFeePerGas"] = func() (any, error) { return g.tip, nil }
		if g.tip == "" {
			delete(f.answers, "eth_maxPriorityFeePerGas")
		}
		f.answers["eth_getBlockByNumber"] = func() (any, error) {
			h := map[string]any{"number": "0x3e8", "hash": common.Hash(f.hash(1000)), "timestamp": "0x6553f100", "gasLimit": "0x1e84800"}
			if g.base != "" {
				h["baseFeePerGas"] = g.base
			}
			return h, nil
		}
	})
}

func signer(t *testing.T) *ethsig.Key {
	t.Helper()
	key, err := ethsig.NewKey(append(make([]byte, 31), 7))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func sender(t *testing.T, n *chaintest.Node, most *big.Int) *chain.Sender {
	t.Helper()
	return chain.NewSender(chain.SenderConfig{Chain: open(t, n), Signer: signer(t), MaxGasPrice: most})
}

func decode(t *testing.T, raw []byte) *types.Transaction {
	t.Helper()
	tx := new(types.Transaction)
	if err := tx.UnmarshalBinary(raw); err != nil {
		t.Fatal(err)
	}
	return tx
}

func action(kind pool.ActionKind, i int) pool.Action {
	return pool.Action{ID: int64(100 + i), Kind: kind, Deal: id(1), Index: 5 + i, Task: id(200 + i), Results: []byte("where")}
}

func TestCompose(t *testing.T) {
	f, n := newFake(t)
	f.prices(gas{"0x64", "0x65", "0x5"})
	s := sender(t, n, nil)
	deals, tasks := [][32]byte{id(1), id(1)}, [][32]byte{id(200), id(201)}
	five, six := big.NewInt(5), big.NewInt(6)
	for _, c := range []struct {
		kind   pool.ActionKind
		count  int
		method string
		args   []any
	}{
		{pool.Initialize, 1, "initialize", []any{id(1), five}},
		{pool.Initialize, 2, "initializeArray", []any{deals, []*big.Int{five, six}}},
		{pool.Finalize, 1, "finalize", []any{id(200), []byte("where"), []byte(nil)}},
		{pool.Reopen, 1, "reopen", []any{id(200)}},
		{pool.Claim, 1, "claim", []any{id(200)}},
		{pool.Claim, 2, "claimArray", []any{tasks}},
		{pool.InitializeClaim, 1, "initializeAndClaimArray", []any{deals[:1], []*big.Int{five}}},
		{pool.InitializeClaim, 2, "initializeAndClaimArray", []any{deals, []*big.Int{five, six}}},
	} {
		var actions []pool.Action
		for i := range c.count {
			actions = append(actions, action(c.kind, i))
		}
		b, err := s.Compose(ctx, pool.Broadcast{Kind: c.kind, Nonce: 9, Attempt: 1}, actions)
		if err != nil {
			t.Errorf("%s: %v", c.method, err)
			continue
		}
		want, err := hubABI.Pack(c.method, c.args...)
		if err != nil {
			t.Fatal(err)
		}
		tx := decode(t, b.Raw)
		from, err := types.Sender(types.LatestSignerForChainID(big.NewInt(31337)), tx)
		if err != nil || pool.Address(from) != s.Wallet() || b.Wallet != s.Wallet() || pool.Hash(tx.Hash()) != b.Hash || b.Nonce != 9 || b.Kind != c.kind {
			t.Errorf("%s: from %s, %v: %+v", c.method, from, err, b)
		}
		if *tx.To() != common.Address(hubAt) || string(tx.Data()) != string(want) || tx.Nonce() != 9 || tx.Gas() != 320_000 || tx.Value().Sign() != 0 ||
			tx.GasFeeCap().Int64() != 205 || tx.GasTipCap().Int64() != 5 {
			t.Errorf("%s: %+v", c.method, tx)
		}
	}
	f.view(t, "callbackgas", nil, big.NewInt(100_000))
	back := action(pool.Finalize, 0)
	back.Callback = []byte("called back with")
	called, err := s.Compose(ctx, pool.Broadcast{Kind: pool.Finalize, Nonce: 4, Attempt: 1}, []pool.Action{back})
	if err != nil {
		t.Fatal(err)
	}
	want, err := hubABI.Pack("finalize", id(200), []byte("where"), back.Callback)
	if tx := decode(t, called.Raw); err != nil || string(tx.Data()) != string(want) || tx.Gas() != 420_000 {
		t.Errorf("with a callback: %+v, %v", tx, err)
	}
	f.view(t, "callbackgas", nil, new(big.Int).Lsh(big.NewInt(1), 200))
	if called, err = s.Compose(ctx, pool.Broadcast{Kind: pool.Finalize, Nonce: 4, Attempt: 1}, []pool.Action{back}); err != nil || decode(t, called.Raw).Gas() != 32_000_000 {
		t.Errorf("with all the gas of a block: %v", err)
	}
	nothing, err := s.Compose(ctx, pool.Broadcast{Nonce: 4, Attempt: 1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if tx := decode(t, nothing.Raw); *tx.To() != common.Address(s.Wallet()) || len(tx.Data()) != 0 || tx.Nonce() != 4 {
		t.Errorf("%+v", tx)
	}
	for name, c := range map[string]struct {
		kind    pool.ActionKind
		actions []pool.Action
	}{
		"none":             {pool.Initialize, nil},
		"of another kind":  {pool.Initialize, []pool.Action{action(pool.Claim, 0)}},
		"two to finalize":  {pool.Finalize, []pool.Action{action(pool.Finalize, 0), action(pool.Finalize, 1)}},
		"two to reopen":    {pool.Reopen, []pool.Action{action(pool.Reopen, 0), action(pool.Reopen, 1)}},
		"something":        {"", []pool.Action{action(pool.Claim, 0)}},
		"an unknown thing": {"dance", []pool.Action{action("dance", 0)}},
	} {
		if b, err := s.Compose(ctx, pool.Broadcast{Kind: c.kind, Attempt: 1}, c.actions); err == nil {
			t.Errorf("%s: %+v", name, b)
		}
	}
}

func TestFees(t *testing.T) {
	f, n := newFake(t)
	legacy := func(price int64) []byte { return oldBytes(t, nil, big.NewInt(price)) }
	dynamic := func(tip, most int64) []byte { return oldBytes(t, big.NewInt(tip), big.NewInt(most)) }
	for name, c := range map[string]struct {
		gas     gas
		most    int64 // 0 = none
		attempt int
		before  []byte
		want    string // tip, most; or what is refused
	}{
		"base and tip":                {gas{"0x64", "0x65", "0x5"}, 0, 1, nil, "5 205"},
		"no call for tips":            {gas{"0x64", "0x65", ""}, 0, 1, nil, "0 200"},
		"no base fee":                 {gas{"", "0x65", "0x5"}, 0, 1, nil, "legacy 101"},
		"gas for nothing":             {gas{"0x0", "0x0", "0x3b9aca00"}, 0, 1, nil, "0 0"},
		"gas for nothing, no base":    {gas{"", "0x0", ""}, 0, 1, nil, "legacy 0"},
		"base fee of 0, but a price":  {gas{"0x0", "0x7", "0x7"}, 0, 1, nil, "7 7"},
		"below the limit":             {gas{"0x64", "0x65", "0x5"}, 205, 1, nil, "5 205"},
		"kept to the limit":           {gas{"0x64", "0x65", "0x5"}, 150, 1, nil, "5 150"},
		"a tip above the limit":       {gas{"0x64", "0x65", "0xff"}, 100, 1, nil, "100 100"},
		"above the limit":             {gas{"0x64", "0x65", "0x5"}, 99, 1, nil, "costs 100 wei just now, allowed are 99"},
		"no base fee, above":          {gas{"", "0x65", ""}, 100, 1, nil, "costs 101 wei just now, allowed are 100"},
		"second attempt":              {gas{"0x64", "0x65", "0x5"}, 0, 2, nil, "6 231"},
		"third attempt":               {gas{"0x64", "0x65", "0x5"}, 0, 3, nil, "7 260"},
		"second, cheaper now":         {gas{"0xa", "0xb", "0x1"}, 0, 2, dynamic(5, 205), "6 231"},
		"second, dearer now":          {gas{"0x3e8", "0x3e9", "0x5"}, 0, 2, dynamic(5, 205), "6 2256"},
		"second, after nothing":       {gas{"0x0", "0x0", ""}, 0, 2, dynamic(0, 0), "1 1"},
		"second, no base fee":         {gas{"", "0xa", ""}, 0, 2, legacy(101), "legacy 114"},
		"second, limit in the way":    {gas{"0xa", "0xb", "0x1"}, 220, 2, dynamic(5, 205), "costs 231 wei just now, allowed are 220"},
		"second, limit just suffices": {gas{"0x64", "0x65", "0x5"}, 231, 2, dynamic(5, 205), "6 231"},
		"the attempt before broken":   {gas{"0x64", "0x65", "0x5"}, 0, 2, []byte{2, 1}, "reading the attempt before"},
	} {
		t.Run(name, func(t *testing.T) {
			f.prices(c.gas)
			var most *big.Int
			if c.most != 0 {
				most = big.NewInt(c.most)
			}
			b, err := sender(t, n, most).Compose(ctx, pool.Broadcast{Kind: pool.Claim, Nonce: 3, Attempt: c.attempt, Raw: c.before}, []pool.Action{action(pool.Claim, 0)})
			if err != nil {
				if !strings.Contains(err.Error(), c.want) || (errors.Is(err, chain.ErrGasPrice) != (pool.KindOf(err) == pool.Unavailable)) {
					t.Errorf("%v, want %q", err, c.want)
				}
				return
			}
			tx := decode(t, b.Raw)
			got := fmt.Sprint(tx.GasTipCap(), tx.GasFeeCap())
			if tx.Type() == types.LegacyTxType {
				got = fmt.Sprint("legacy ", tx.GasPrice())
			}
			if got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
			if from, err := types.Sender(types.LatestSignerForChainID(big.NewInt(31337)), tx); err != nil || pool.Address(from) != b.Wallet {
				t.Errorf("from %s, %v", from, err)
			}
			if told, err := sender(t, n, most).Price(ctx); err != nil || (c.attempt == 1 && told.Cmp(tx.GasFeeCap()) != 0) {
				t.Errorf("told is %v, %v; %s is paid", told, err, tx.GasFeeCap())
			}
		})
	}
	f.prices(gas{"0x64", "0x65", "0x5"})
	if _, err := sender(t, n, nil).Compose(ctx, pool.Broadcast{Nonce: 4, Attempt: 2, Raw: dynamic(5, 205)}, nil); err == nil || !strings.Contains(err.Error(), "has nonce 3, this one 4") {
		t.Errorf("replacing another nonce: %v", err)
	}
}

func oldBytes(t *testing.T, tip, most *big.Int) []byte {
	t.Helper()
	var inner types.TxData = &types.LegacyTx{Nonce: 3, GasPrice: most, To: &common.Address{}}
	if tip != nil {
		inner = &types.DynamicFeeTx{ChainID: big.NewInt(31337), Nonce: 3, GasTipCap: tip, GasFeeCap: most, To: &common.Address{}}
	}
	raw, err := types.NewTx(inner).MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// TestReverts names the actions that are refused, not the whole broadcast.
func TestReverts(t *testing.T) {
	f, n := newFake(t)
	f.prices(gas{"0x64", "0x65", "0x5"})
	bad := map[string]bool{id(201).String()[2:]: true, id(203).String()[2:]: true}
	n.Disturb(func(call *chaintest.Call, next func()) {
		next()
		if call.Method != "eth_estimateGas" {
			return
		}
		for task := range bad {
			if strings.Contains(string(call.Params[0]), task) {
				call.Result, call.Err = nil, &chaintest.Error{Code: 3, Message: "execution reverted", Data: "0x"}
			}
		}
	})
	var actions []pool.Action
	for i := range 4 {
		actions = append(actions, action(pool.Claim, i))
	}
	s := sender(t, n, nil)
	_, err := s.Compose(ctx, pool.Broadcast{Kind: pool.Claim, Attempt: 1}, actions)
	var revert *chain.RevertError
	if pool.KindOf(err) != pool.Conflict || !errors.Is(err, chain.ErrReverts) || !errors.As(err, &revert) || fmt.Sprint(revert.Refused()) != "[101 103]" {
		t.Fatalf("%v", err)
	}
	if !strings.Contains(err.Error(), "action 101 to claim task "+id(201).String()) || !strings.Contains(err.Error(), "execution reverted") {
		t.Errorf("%v", err)
	}
	_, err = s.Compose(ctx, pool.Broadcast{Kind: pool.Claim, Attempt: 1}, actions[1:2])
	if !errors.As(err, &revert) || fmt.Sprint(revert.Refused()) != "[101]" {
		t.Errorf("alone: %v", err)
	}
	if b, err := s.Compose(ctx, pool.Broadcast{Kind: pool.Claim, Attempt: 1}, []pool.Action{actions[0], actions[2]}); err != nil || len(b.Raw) == 0 {
		t.Errorf("the others: %v", err)
	}
	for _, says := range []struct {
		answer chaintest.Error
		kind   pool.Kind
		revert bool
	}{
		{chaintest.Error{Code: -32000, Message: "execution reverted"}, pool.Conflict, true},
		{chaintest.Error{Code: -32015, Message: "VM execution error."}, pool.Conflict, true},
		{chaintest.Error{Code: 3, Message: "execution reverted: IexecEscrow: Transfer amount exceeds balance"}, pool.Conflict, true},
		{chaintest.Error{Code: -32000, Message: "insufficient funds for gas * price + value"}, pool.Unavailable, false},
		{chaintest.Error{Code: -32000, Message: "header not found"}, pool.Unavailable, false},
		{chaintest.Error{Code: -32602, Message: "missing value"}, "", false},
	} {
		n.Disturb(chaintest.Refuse("eth_estimateGas", says.answer))
		if _, err := s.Compose(ctx, pool.Broadcast{Kind: pool.Claim, Attempt: 1}, actions[:1]); pool.KindOf(err) != says.kind || errors.Is(err, chain.ErrReverts) != says.revert || err == nil {
			t.Errorf("%q: %v", says.answer.Message, err)
		}
	}
	n.Break(chaintest.Away)
	if _, err := s.Compose(ctx, pool.Broadcast{Kind: pool.Claim, Attempt: 1}, actions); pool.KindOf(err) != pool.Unavailable {
		t.Errorf("%v", err)
	}
}

func TestSend(t *testing.T) {
	f, n := newFake(t)
	f.prices(gas{"0x64", "0x65", "0x5"})
	s := sender(t, n, nil)
	b, err := s.Compose(ctx, pool.Broadcast{Attempt: 1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var sent []string
	f.set(func() { f.answers["eth_sendRawTransaction"] = func() (any, error) { return common.Hash(b.Hash), nil } })
	n.Disturb(func(call *chaintest.Call, next func()) { sent = append(sent, string(call.Params[0])); next() })
	if err := s.Send(ctx, b.Raw); err != nil || fmt.Sprint(sent) != fmt.Sprintf(`["%s"]`, hexutil.Encode(b.Raw)) {
		t.Errorf("%v, sent %v", err, sent)
	}
	f.set(func() { f.answers["eth_sendRawTransaction"] = func() (any, error) { return common.Hash{1}, nil } })
	if err := s.Send(ctx, b.Raw); err == nil || !strings.Contains(err.Error(), "says that it is 0x01") {
		t.Errorf("%v", err)
	}
	for words, kind := range map[string]pool.Kind{
		"already known":       "nil",
		"nonce too low: next": "nil",
		"nonce too high":      pool.Unavailable,
		"insufficient funds for gas * price + value": pool.Unavailable,
		"txpool is full":                              pool.Unavailable,
		"replacement transaction underpriced":         pool.Conflict,
		"max fee per gas less than block base fee":    pool.Conflict,
		"transaction type not supported by this node": "",
	} {
		n.Disturb(chaintest.Refuse("eth_sendRawTransaction", chaintest.Error{Code: -32000, Message: words}))
		err := s.Send(ctx, b.Raw)
		if (err == nil) != (kind == "nil") || (err != nil && pool.KindOf(err) != kind) {
			t.Errorf("%q: %v of kind %q, want %q", words, err, pool.KindOf(err), kind)
		}
	}
	before := open(t, n).Calls()
	if err := s.Send(ctx, []byte("no")); err == nil || before.Requests != 0 {
		t.Errorf("%v", err)
	}
}

func TestReceipts(t *testing.T) {
	_, n := newFake(t)
	known := map[string]string{
		id(1).String(): `{"transactionHash":"` + id(1).String() + `","blockNumber":"0x10","status":"0x1","gasUsed":"0x5208"}`,
		id(2).String(): `{"transactionHash":"` + id(2).String() + `","blockNumber":"0x11","status":"0x0","gasUsed":"0x5209"}`,
		id(3).String(): `{"transactionHash":"` + id(3).String() + `","blockNumber":null}`,
		id(5).String(): `{"transactionHash":"` + id(1).String() + `","blockNumber":"0x10","status":"0x1","gasUsed":"0x5208"}`,
		id(6).String(): `{"transactionHash":"` + id(6).String() + `","blockNumber":"0x10","gasUsed":"0x5208"}`,
	}
	n.Disturb(func(call *chaintest.Call, _ func()) {
		var hash string
		if err := json.Unmarshal(call.Params[0], &hash); err != nil {
			t.Error(err)
		}
		if call.Result = json.RawMessage("null"); known[hash] != "" {
			call.Result = json.RawMessage(known[hash])
		}
	})
	s := sender(t, n, nil)
	got, err := s.Receipts(ctx, []pool.Hash{id(4), id(1), id(2), id(3)})
	want := []pool.Receipt{{Hash: id(4)}, {Hash: id(1), Found: true, Block: 16, Good: true, Gas: 21000}, {Hash: id(2), Found: true, Block: 17, Gas: 21001}, {Hash: id(3)}}
	if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v, %v", got, err)
	}
	for _, bad := range []pool.Hash{id(5), id(6)} {
		if got, err := s.Receipts(ctx, []pool.Hash{bad}); err == nil {
			t.Errorf("%v", got)
		}
	}
}

func TestNonce(t *testing.T) {
	f, n := newFake(t)
	f.set(func() { f.nonce = 42 })
	s := sender(t, n, nil)
	if got, err := s.Nonce(ctx, f.block(990)); err != nil || got != 42 {
		t.Errorf("%d, %v", got, err)
	}
	at := f.block(990)
	f.set(func() { f.fork++ })
	if got, err := s.Nonce(ctx, at); pool.KindOf(err) != pool.Unavailable {
		t.Errorf("after a reorganisation: %d, %v", got, err)
	}
}
