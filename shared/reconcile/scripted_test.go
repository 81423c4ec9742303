package reconcile_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"time"

	"workerpool/shared/pool"
	"workerpool/shared/settlement/pocotest"
)

// scripted is a chain with one node, as reconcile sees it: a model of the contracts,
// a mempool, and whatever a test wants to go wrong. A transaction is mined by
// mine, which makes a block.
type scripted struct {
	mu sync.Mutex
	*pocotest.Chain
	wallet  pool.Address // of the pool, its owner
	lag     uint64       // blocks between the head and what can no longer change
	final   uint64       // what can no longer change
	faults  map[string]int
	calls   map[string]int
	terms   map[pool.Hash]pool.Deal // what the model does not know of deals
	orders  map[pool.Hash]pocotest.Terms
	digests map[pool.Hash]pool.Digest

	waiting []sending
	mined   []sending
	deaf    bool              // what is sent is lost
	blind   bool              // receipts are not found
	hidden  map[uint64]bool   // blocks whose logs the node does not give
	veiled  pool.Hash         // a deal that the node does not show
	narrow  uint64            // blocks of logs that the node gives at once; 0 = all
	height  uint64            // the newest block that the node admits to; 0 = all
	jam     int               // attempts below are not mined
	before  func()            // called before the next answer
	then    map[string]func() // called once after an answer of a kind
}

// sending is a transaction: its bytes are its own JSON.
type sending struct {
	Nonce   uint64
	Attempt int
	Actions []pool.Action
	hash    pool.Hash
	block   uint64
	good    bool
}

var errNode = pool.Down("the node", errors.New("a test's doing"))

func newScripted(wallet pool.Address) *scripted {
	c := &scripted{
		Chain: pocotest.New(time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)), wallet: wallet, faults: map[string]int{}, calls: map[string]int{},
		terms: map[pool.Hash]pool.Deal{}, orders: map[pool.Hash]pocotest.Terms{}, digests: map[pool.Hash]pool.Digest{}, hidden: map[uint64]bool{}, then: map[string]func(){},
	}
	c.Deposit(wallet, 1_000_000)
	return c
}

// ask counts a call and lets it fail where a test wants that.
func (c *scripted) ask(what string) error {
	c.calls[what]++
	if c.before != nil {
		before := c.before
		c.before = nil
		before()
	}
	if c.faults[what] > 0 {
		c.faults[what]--
		return errNode
	}
	return nil
}

func (c *scripted) afterwards(what string) {
	if then := c.then[what]; then != nil {
		delete(c.then, what)
		then()
	}
}

func (c *scripted) newest() pool.Block {
	if c.height > 0 && c.height < c.Chain.Head().Number {
		return c.Chain.Block(c.height)
	}
	return c.Chain.Head()
}

func (c *scripted) Head(context.Context) (pool.Head, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	err := c.ask("Head")
	head := c.newest()
	return pool.Head{Block: head, Finalized: min(c.final, head.Number)}, err
}

func (c *scripted) Block(_ context.Context, number uint64) (pool.Block, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.ask("Block"); err != nil || number > c.newest().Number {
		return pool.Block{}, err
	}
	return c.Chain.Block(number), nil
}

func (c *scripted) Logs(_ context.Context, from, to uint64) (pool.Logs, error) {
	c.mu.Lock()
	defer c.afterwards("Logs")
	defer c.mu.Unlock()
	err := c.ask("Logs")
	if c.narrow > 0 {
		to = min(to, from+c.narrow-1)
	}
	out := pool.Logs{To: to}
	for n := from; n <= to; n++ {
		if !c.hidden[n] {
			logs := c.Chain.Logs(n, n)
			out.Deals, out.Tasks = append(out.Deals, logs.Deals...), append(out.Tasks, logs.Tasks...)
		}
	}
	return out, err
}

// at refuses what is asked about a block that is not the newest: the model knows
// no past.
func (c *scripted) at(what string, block pool.Block) error {
	if err := c.ask(what); err != nil {
		return err
	}
	if block.Hash != c.Chain.Block(block.Number).Hash {
		return pool.Down("the node", errors.New("it does not know that block"))
	}
	return nil
}

func (c *scripted) Deals(_ context.Context, at pool.Block, ids []pool.Hash) ([]pool.Deal, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.at("Deals", at); err != nil {
		return nil, err
	}
	var deals []pool.Deal
	for _, id := range ids {
		if d := c.Chain.Deal(id); !d.Start.IsZero() && id != c.veiled {
			told := c.terms[id]
			d.Block, d.Image, d.AppType, d.Params, d.Dataset, d.Tag = 0, told.Image, told.AppType, told.Params, told.Dataset, told.Tag
			d.DatasetAt, d.DatasetSum = told.DatasetAt, told.DatasetSum
			deals = append(deals, d)
		}
	}
	return deals, nil
}

func (c *scripted) Tasks(_ context.Context, at pool.Block, ids []pool.Hash) ([]pool.Task, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.at("Tasks", at); err != nil {
		return nil, err
	}
	var tasks []pool.Task
	for _, id := range ids {
		t := c.Chain.Task(id)
		t.Block = at.Number
		if t.Reveals > 0 {
			t.Digest = c.digests[id]
		}
		tasks = append(tasks, t)
	}
	return tasks, nil
}

func (c *scripted) Wallet() pool.Address { return c.wallet }

// nonce is the wallet's next as of a block.
func (c *scripted) nonce(number uint64) uint64 {
	n := uint64(0)
	for _, m := range c.mined {
		if m.block <= number {
			n = max(n, m.Nonce+1)
		}
	}
	return n
}

func (c *scripted) Nonce(_ context.Context, at pool.Block) (uint64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.nonce(at.Number), c.at("Nonce", at)
}

// refusal is what chain.RevertError tells.
type refusal []int64

func (refusal) Error() string      { return "execution reverted" }
func (r refusal) Refused() []int64 { return r }

func (c *scripted) Compose(_ context.Context, b pool.Broadcast, actions []pool.Action) (pool.Broadcast, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.ask("Compose"); err != nil {
		return b, err
	}
	if err := c.Would(func() { c.all(actions) }); err != nil {
		var alone refusal
		for _, a := range actions {
			if c.Would(func() { c.Act(c.wallet, a) }) != nil {
				alone = append(alone, a.ID)
			}
		}
		return b, &pool.Error{Kind: pool.Conflict, Message: "the contracts refuse", Cause: alone}
	}
	raw, err := json.Marshal(sending{Nonce: b.Nonce, Attempt: b.Attempt, Actions: actions})
	b.Raw, b.Hash = raw, sha256.Sum256(raw)
	return b, err
}

func (c *scripted) all(actions []pool.Action) {
	for _, a := range actions {
		c.Act(c.wallet, a)
	}
}

func (c *scripted) Send(_ context.Context, raw []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.ask("Send"); err != nil {
		return err
	}
	x := sending{hash: sha256.Sum256(raw)}
	if err := json.Unmarshal(raw, &x); err != nil {
		return err
	}
	known := slices.ContainsFunc(c.waiting, func(w sending) bool { return w.hash == x.hash })
	if !c.deaf && !known && x.Nonce >= c.nonce(c.Chain.Head().Number) {
		c.waiting = append(c.waiting, x)
	}
	return nil
}

func (c *scripted) Receipts(_ context.Context, hashes []pool.Hash) ([]pool.Receipt, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	err := c.ask("Receipts")
	out := make([]pool.Receipt, len(hashes))
	for i, h := range hashes {
		out[i].Hash = h
		for _, m := range c.mined {
			if m.hash == h && !c.blind {
				out[i] = pool.Receipt{Hash: h, Found: true, Block: m.block, Good: m.good, Gas: 21_000}
			}
		}
	}
	return out, err
}

// mine makes a block, so much later, of all that waits and whose turn it is.
func (c *scripted) mine(later time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	head := c.Advance(later)
	c.final = max(c.final, head.Number-min(c.lag, head.Number))
	slices.SortStableFunc(c.waiting, func(a, b sending) int { return (int(a.Nonce)-int(b.Nonce))*1000 + b.Attempt - a.Attempt })
	next := c.nonce(head.Number)
	var left []sending
	for _, x := range c.waiting {
		switch {
		case x.Nonce < next:
		case x.Nonce > next || x.Attempt <= c.jam:
			left = append(left, x)
		default:
			x.block, x.good = head.Number, c.Do(func() { c.all(x.Actions) }) == nil
			c.mined = append(c.mined, x)
			next++
		}
	}
	c.waiting = left
}

// fork takes back blocks after one, as far as they may change. What was mined in
// them waits again, or is lost.
func (c *scripted) fork(number uint64, lost bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	number = max(number, c.final)
	c.Fork(number)
	var kept []sending
	for _, m := range c.mined {
		if m.block <= number {
			kept = append(kept, m)
		} else if !lost {
			c.waiting = append(c.waiting, m)
		}
	}
	c.mined = kept
}

// rematch matches the orders of a deal that a reorganisation took away.
func (c *scripted) rematch(id pool.Hash) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, err := c.Match(c.orders[id]); err != nil {
		panic(err)
	}
}
