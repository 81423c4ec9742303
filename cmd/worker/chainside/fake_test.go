//go:build linux

package chainside

import (
	"context"
	"encoding/hex"
	"log/slog"
	"math/big"
	"testing"
	"time"

	"workerpool/cmd/worker/ledger"
	"workerpool/shared/chain"
	"workerpool/shared/ethsig"
	"workerpool/shared/pool"
	"workerpool/shared/wire"
)

// Parties of the tests.
var (
	workerKey = testKey(1)
	ownerKey  = testKey(2)
	otherKey  = testKey(3)
	dealID    = pool.Hash{0xde, 0xa1}
	taskID    = ethsig.TaskID(dealID, 7)
	digest    = pool.Digest{0xd1, 0x9e}
	start     = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
)

func testKey(n byte) *ethsig.Key {
	key, err := ethsig.NewKey(append(make([]byte, 31), n))
	if err != nil {
		panic(err)
	}
	return key
}

// scene is a chain that shows what a test writes down. It sends nothing.
type scene struct {
	err   error // of all looks
	head  pool.Head
	deals []pool.Deal
	task  pool.Task
	purse chain.Purse
	price *big.Int

	asked [][]pool.Hash
}

func (s *scene) Head(context.Context) (pool.Head, error) { return s.head, s.err }

func (s *scene) Deals(_ context.Context, at pool.Block, ids []pool.Hash) ([]pool.Deal, error) {
	s.asked = append(s.asked, ids)
	return s.deals, s.err
}

func (s *scene) Tasks(context.Context, pool.Block, []pool.Hash) ([]pool.Task, error) {
	return []pool.Task{s.task}, s.err
}

func (s *scene) Purse(context.Context, pool.Block, pool.Address) (chain.Purse, error) {
	return s.purse, s.err
}

func (s *scene) Price(context.Context) (*big.Int, error) { return s.price, s.err }

func (*scene) Nonce(context.Context, pool.Block) (uint64, error)             { panic("not asked for") }
func (*scene) Send(context.Context, []byte) error                            { panic("nothing is sent") }
func (*scene) Receipts(context.Context, []pool.Hash) ([]pool.Receipt, error) { panic("not asked for") }
func (*scene) Contribute(task, hash, seal pool.Hash, authorisation []byte) chain.Call {
	return chain.Call{}
}
func (*scene) Reveal(task pool.Hash, digest pool.Digest) chain.Call { return chain.Call{} }

func (*scene) ComposeCall(context.Context, pool.Broadcast, chain.Call) (pool.Broadcast, error) {
	return pool.Broadcast{}, errComposed
}

// newScene is a deal's task that can be taken: 600 s of 2100 s are gone.
func newScene() *scene {
	return &scene{
		head: pool.Head{Block: pool.Block{Number: 9, Hash: pool.Hash{9}, Time: start.Add(10 * time.Minute)}},
		deals: []pool.Deal{{
			ID: dealID, Start: start, First: 5, Tasks: 10, T: 5 * time.Minute, Trust: 1, Image: "sum", AppType: "PROCESS",
			Owner: ownerKey.Address(), Params: `{"iexec_args":"1 'two words'"}`, Price: 100, Stake: 30,
		}},
		task:  pool.Task{ID: taskID, Status: pool.TaskActive},
		purse: chain.Purse{Stake: 30, Gas: big.NewInt(750_000 * 3)},
		price: big.NewInt(3),
	}
}

// offered is the run that the scene's deal says.
func offered() wire.Run {
	return wire.Run{
		App: wire.App{Type: "process", Name: "sum"}, Args: []string{"1", "two words"},
		Env:       map[string]string{"IEXEC_BOT_SIZE": "10", "IEXEC_BOT_FIRST_INDEX": "5"},
		RunLimitS: 300, Task: &wire.Task{ID: taskID.String(), Deal: dealID.String(), Index: 7},
	}
}

// memory is a ledger that a fall does not touch.
type memory struct {
	stored []ledger.Sending
	err    error
}

func (m *memory) Load() ([]ledger.Sending, error) { return m.stored, nil }

func (m *memory) Save(s []ledger.Sending) error {
	if m.err == nil {
		m.stored = s
	}
	return m.err
}

func newAccount(t *testing.T, s *scene, change func(*Config)) *Account {
	t.Helper()
	c := Config{
		Wallet: workerKey.Address(), Node: s, Hub: s, Sender: s, Sent: &memory{},
		Now: func() time.Time { return start }, After: func(time.Duration) <-chan time.Time { return nil }, Log: slog.New(slog.DiscardHandler),
	}
	if change != nil {
		change(&c)
	}
	a, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// word is the word of a key that a wallet may contribute to a task.
func word(t *testing.T, by *ethsig.Key, wallet pool.Address, task pool.Hash) string {
	t.Helper()
	signature, err := by.Sign(context.Background(), ethsig.AuthorisationHash(wallet, task, pool.Address{}))
	if err != nil {
		t.Fatal(err)
	}
	return "0x" + hex.EncodeToString(signature[:])
}

// good is a promise that everything is right with.
func good(t *testing.T) Promise {
	t.Helper()
	return Promise{
		Deal: dealID.String(), Task: taskID.String(), Owner: ownerKey.Address().String(), Digest: pool.Hash(digest).String(),
		Authorisation: word(t, ownerKey, workerKey.Address(), taskID),
	}
}
