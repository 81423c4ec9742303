package chain_test

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"sync"
	"testing"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"

	"workerpool/shared/chain"
	"workerpool/shared/chain/chaintest"
	"workerpool/shared/chain/poco"
	"workerpool/shared/pool"
)

var (
	hubAt  = pool.Address{0x0b}
	poolAt = pool.Address{0x99}
	hubABI = func() abi.ABI { return poco.NewHub().GetABI() }()
)

// fake is a chain of a few values, behind a chaintest.Node.
type fake struct {
	mu      sync.Mutex
	newest  uint64
	final   uint64
	fork    byte // changes all hashes
	logs    []map[string]any
	views   map[string][]byte              // answers by "address/data"; none = no contract
	answers map[string]func() (any, error) // by method
	nonce   uint64
}

func newFake(t *testing.T) (*fake, *chaintest.Node) {
	t.Helper()
	f := &fake{newest: 1000, final: 900, views: map[string][]byte{}, answers: map[string]func() (any, error){}}
	return f, chaintest.Start(t, f.answer)
}

func open(t *testing.T, n *chaintest.Node, change ...func(*chain.Config)) *chain.Client {
	t.Helper()
	c := chain.Config{URL: n.URL, Hub: hubAt, Pool: poolAt}
	for _, f := range change {
		f(&c)
	}
	client, err := chain.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func (f *fake) hash(number uint64) pool.Hash {
	return pool.Hash{0: f.fork + 1, 30: byte(number >> 8), 31: byte(number)}
}

func (f *fake) block(number uint64) pool.Block {
	f.mu.Lock()
	defer f.mu.Unlock()
	return pool.Block{Number: number, Hash: f.hash(number)}
}

// set changes the fake while it serves.
func (f *fake) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

func (f *fake) answer(_ context.Context, method string, params []json.RawMessage) (any, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if say := f.answers[method]; say != nil {
		return say()
	}
	switch method {
	case "eth_chainId":
		return "0x7a69", nil
	case "eth_getBlockByNumber":
		return f.header(params[0])
	case "eth_getLogs":
		return f.getLogs(params[0])
	case "eth_call":
		var call struct {
			To   common.Address
			Data hexutil.Bytes
		}
		if err := json.Unmarshal(params[0], &call); err != nil {
			return nil, err
		}
		return hexutil.Bytes(f.views[viewKey(pool.Address(call.To), call.Data)]), f.known(params[1])
	case "eth_getBalance":
		return "0xde0b6b3a7640000", f.known(params[1])
	case "eth_getTransactionCount":
		return hexutil.Uint64(f.nonce), f.known(params[1])
	}
	return nil, &chaintest.Error{Code: -32601, Message: "the method " + method + " does not exist/is not available"}
}

func viewKey(to pool.Address, data []byte) string {
	return to.String() + "/" + hex.EncodeToString(data)
}

// known tells whether a block named by hash is one of the chain.
func (f *fake) known(tag json.RawMessage) error {
	var by struct{ BlockHash common.Hash }
	if json.Unmarshal(tag, &by) != nil || by.BlockHash == (common.Hash{}) {
		return nil
	}
	for n := range f.newest + 1 {
		if common.Hash(f.hash(n)) == by.BlockHash {
			return nil
		}
	}
	return &chaintest.Error{Code: -32000, Message: "header for hash not found"}
}

func (f *fake) header(tag json.RawMessage) (any, error) {
	var name string
	var number hexutil.Uint64
	if err := json.Unmarshal(tag, &name); err != nil {
		return nil, err
	}
	switch name {
	case "latest":
		number = hexutil.Uint64(f.newest)
	case "finalized":
		number = hexutil.Uint64(f.final)
	default:
		if err := json.Unmarshal(tag, &number); err != nil {
			return nil, err
		}
	}
	if uint64(number) > f.newest {
		return nil, nil
	}
	return map[string]any{
		"number": number, "hash": common.Hash(f.hash(uint64(number))), "timestamp": hexutil.Uint64(1_700_000_000 + number),
		"gasLimit": "0x1e84800", "baseFeePerGas": "0x64",
	}, nil
}

func (f *fake) getLogs(filter json.RawMessage) (any, error) {
	var want struct {
		Address            common.Address
		Topics             [][]common.Hash
		FromBlock, ToBlock hexutil.Uint64
	}
	if err := json.Unmarshal(filter, &want); err != nil {
		return nil, err
	}
	out := []map[string]any{}
	for _, l := range f.logs {
		for _, topic := range want.Topics[0] {
			at := uint64(l["blockNumber"].(hexutil.Uint64))
			if l["topics"].([]common.Hash)[0] == topic && at >= uint64(want.FromBlock) && at <= uint64(want.ToBlock) && l["address"] == want.Address {
				out = append(out, l)
			}
		}
	}
	return out, nil
}

// log adds an event of the hub.
func (f *fake) log(block uint64, event string, data []byte, topics ...common.Hash) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.logs = append(f.logs, map[string]any{
		"address": common.Address(hubAt), "topics": append([]common.Hash{hubABI.Events[event].ID}, topics...), "data": hexutil.Bytes(data),
		"blockNumber": hexutil.Uint64(block), "logIndex": hexutil.Uint64(len(f.logs)), "blockHash": common.Hash(f.hash(block)), "removed": false,
	})
}

func (f *fake) notice(block uint64, of pool.Address, deal pool.Hash) {
	f.log(block, "SchedulerNotice", deal[:], common.BytesToHash(of[:]))
}

// view answers a view of the hub.
func (f *fake) view(t *testing.T, method string, args []any, out ...any) {
	t.Helper()
	data, err := hubABI.Pack(method, args...)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := hubABI.Methods[method].Outputs.Pack(out...)
	if err != nil {
		t.Fatal(err)
	}
	f.set(func() { f.views[viewKey(hubAt, data)] = answer })
}

// deal is one that nothing is wrong with.
func (f *fake) deal(t *testing.T, id pool.Hash, change ...func(*poco.IexecLibCoreV5Deal)) {
	t.Helper()
	d := poco.IexecLibCoreV5Deal{
		App:        poco.IexecLibCoreV5Resource{Pointer: common.Address{0xa1}, Owner: common.Address{0xa2}, Price: big.NewInt(3)},
		Dataset:    poco.IexecLibCoreV5Resource{Price: new(big.Int)},
		Workerpool: poco.IexecLibCoreV5Resource{Pointer: common.Address(poolAt), Owner: common.Address{0x0e}, Price: big.NewInt(1000)},
		Trust:      big.NewInt(3), Category: big.NewInt(0), Tag: [32]byte{31: 1}, Requester: common.Address{0x11}, Beneficiary: common.Address{0x12},
		Callback: common.Address{0x13}, Params: `{"iexec_args":"Alice"}`, StartTime: big.NewInt(1_700_000_777), BotFirst: big.NewInt(5), BotSize: big.NewInt(16),
		WorkerStake: big.NewInt(300), SchedulerRewardRatio: big.NewInt(1),
	}
	for _, c := range change {
		c(&d)
	}
	f.view(t, "viewDeal", []any{id}, d)
}

func (f *fake) catalogue(t *testing.T) {
	t.Helper()
	f.view(t, "viewApp", []any{common.Address{0xa1}}, poco.IexecLibCoreV5AppInfo{MAppType: "DOCKER", MAppMultiaddr: []byte("docker.io/library/alpine:3")})
	f.view(t, "viewCategory", []any{new(big.Int)}, poco.IexecLibCoreV5Category{Name: "XS", WorkClockTimeRef: big.NewInt(300)})
}

func (f *fake) task(t *testing.T, id pool.Hash, change ...func(*poco.IexecLibCoreV5Task)) {
	t.Helper()
	zero := new(big.Int)
	v := poco.IexecLibCoreV5Task{Idx: zero, Timeref: zero, ContributionDeadline: zero, RevealDeadline: zero, FinalDeadline: zero, RevealCounter: zero, WinnerCounter: zero, ResultsTimestamp: zero}
	for _, c := range change {
		c(&v)
	}
	f.view(t, "viewTask", []any{id}, v)
}

func id(n int) pool.Hash { return pool.Hash{0: 0xd0, 30: byte(n >> 8), 31: byte(n)} }

func count(c *chain.Client, of func() error) string {
	before := c.Calls()
	err := of()
	after := c.Calls()
	return fmt.Sprintf("%d requests, %d calls, %v", after.Requests-before.Requests, after.Calls-before.Calls, err)
}
