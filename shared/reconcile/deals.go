package reconcile

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"workerpool/shared/life"
	"workerpool/shared/pool"
	"workerpool/shared/settlement"
	"workerpool/shared/telemetry"
)

// Chain is what reconcile reads of the chain. What was asked about a block is as
// that block has it, or an error.
type Chain interface {
	Head(ctx context.Context) (pool.Head, error)
	// Block gives a block by its number, one without a hash when there is none.
	Block(ctx context.Context, number uint64) (pool.Block, error)
	// Logs tells what happened in blocks, as far as Logs.To, which is at least from.
	Logs(ctx context.Context, from, to uint64) (pool.Logs, error)
	// Deals leaves out what the block does not know.
	Deals(ctx context.Context, at pool.Block, ids []pool.Hash) ([]pool.Deal, error)
	// Tasks gives what nobody initialized as pool.TaskUnset.
	Tasks(ctx context.Context, at pool.Block, ids []pool.Hash) ([]pool.Task, error)
}

// Sender sends for one wallet.
type Sender interface {
	Wallet() pool.Address
	// Nonce gives the wallet's next nonce, as far as that block has it.
	Nonce(ctx context.Context, at pool.Block) (uint64, error)
	// Compose signs a broadcast; pool.Conflict when it would revert now.
	Compose(ctx context.Context, b pool.Broadcast, actions []pool.Action) (pool.Broadcast, error)
	// Send is content with bytes that the chain has already.
	Send(ctx context.Context, raw []byte) error
	Receipts(ctx context.Context, hashes []pool.Hash) ([]pool.Receipt, error)
}

// Following is what following the chain reads and writes.
type Following interface {
	Cursor(ctx context.Context) (pool.Block, error)
	Followed(ctx context.Context, l *pool.Lease, f pool.Followed) error
	Unwind(ctx context.Context, l *pool.Lease, from, to pool.Block) error
	// Unsure gives deals that a reorganisation took away, with their blocks.
	Unsure(ctx context.Context, limit int) ([]pool.Deal, error)
	Gone(ctx context.Context, l *pool.Lease, deals []pool.Hash) error
}

// Working is what brings deals and works together.
type Working interface {
	TakeIn(ctx context.Context, l *pool.Lease, limit int, t pool.Trace, plan func(pool.DealPart) (pool.Intake, error)) (int, error)
	Due(ctx context.Context, head pool.Block, limit int) ([]pool.Hash, error)
	SettleTasks(ctx context.Context, l *pool.Lease, seen []pool.Task, head pool.Head, t pool.Trace, decide func(now time.Time, lives []life.Life)) ([]life.Life, error)
	// Finish settles tasks that ended in blocks that can no longer change.
	Finish(ctx context.Context, l *pool.Lease, head pool.Head, limit int, t pool.Trace, decide func(now time.Time, lives []life.Life)) ([]life.Life, error)
	// Forget ends the works of deals that are gone.
	Forget(ctx context.Context, l *pool.Lease, limit int, t pool.Trace, decide func(now time.Time, lives []life.Life)) (int, error)
}

// Settling is what is said to the chain.
type Settling interface {
	ToSettle(ctx context.Context, head pool.Block) ([]pool.WorkID, error)
	Settlement(ctx context.Context, head pool.Block, works []pool.WorkID, results func(file pool.Digest) []byte) (settlement.Snapshot, error)
	Decided(ctx context.Context, l *pool.Lease, v settlement.Verdict, t pool.Trace) error
}

// Sending is the wallet's lane.
type Sending interface {
	Lane(ctx context.Context, wallet pool.Address, limit int) (pool.Lane, error)
	Sign(ctx context.Context, l *pool.Lease, b pool.Broadcast, actions []int64, t pool.Trace) error
	Settled(ctx context.Context, l *pool.Lease, id int64, state pool.BroadcastState, r pool.Receipt, t pool.Trace) error
	// Recall takes back that broadcasts from a nonce on were settled.
	Recall(ctx context.Context, l *pool.Lease, wallet pool.Address, nonce uint64) error
}

// Comparing is what is held against the chain.
type Comparing interface {
	// Oldest gives the open tasks that were not looked at for the longest.
	Oldest(ctx context.Context, limit int) ([]pool.WorkID, error)
	Compare(ctx context.Context, works []pool.WorkID) ([]pool.Compared, error)
	ChainCensus(ctx context.Context) (pool.ChainCensus, error)
	// Busy tells that the chain's side may soon need care.
	Busy(ctx context.Context) (bool, error)
}

// Auditing is what the whole books are held against the chain by.
type Auditing interface {
	OpenTasks(ctx context.Context, after pool.WorkID, limit int) ([]pool.WorkID, error)
	// Strangers gives those of the deals that the books do not have.
	Strangers(ctx context.Context, deals []pool.Hash) ([]pool.Hash, error)
	// FirstDeal gives the earliest block with a deal; 0 = there is none.
	FirstDeal(ctx context.Context) (uint64, error)
}

// Errands is what operators ask for.
type Errands interface {
	// NextErrand gives the one that waits longest.
	NextErrand(ctx context.Context) (e pool.Errand, found bool, err error)
	ErrandDone(ctx context.Context, l *pool.Lease, e pool.Errand) error
	// Rebuild lets the chain be followed again behind a block.
	Rebuild(ctx context.Context, l *pool.Lease, from, to pool.Block, t pool.Trace) error
}

// Leasing lets reconcilers take turns; correctness does not rest on it.
type Leasing interface {
	TakeReconcileLease(ctx context.Context) (*pool.Lease, error)
	DropLease(ctx context.Context, l *pool.Lease) error
}

// DealBooks is all that works of deals need.
type DealBooks interface {
	Leasing
	Following
	Working
	Settling
	Lanes
}

// Lanes is the wallet's lane, what is held against the chain, and errands.
type Lanes interface {
	Sending
	Comparing
	Auditing
	Errands
}

// Deals is what a pool with a chain has beside the others.
type Deals struct {
	Books   DealBooks
	Chain   Chain
	Sender  Sender
	TaskID  func(deal pool.Hash, index int) pool.Hash
	Results func(file pool.Digest) []byte // what finalize tells of where a result lies
	Seed    func() uint64
	Wait    func(ctx context.Context, d time.Duration) error
	Start   uint64        // block from which deals are looked for at the very first time; 0 = the newest then
	Range   uint64        // blocks asked about in one call
	Overlap uint64        // blocks that are read twice, and gone back by in a reorganisation
	Poll    time.Duration // between two passes while deals are served
}

// Numbers of a pass.
const (
	takeWorks  = 1_000 // one batch
	lookTasks  = 200   // views stored in one transaction
	settle     = 500   // tasks decided on at a time
	mostRounds = 20    // of each step in one pass: the next goes on
	unsure     = 100

	// soon is the wait instead of Poll while the lane is in use: it holds few
	// broadcasts at once, so that its pace would be theirs in each Poll.
	soon = 2 * time.Second
)

// serve makes passes over the chain until nothing is left to do and no deal is
// served, or the deadline is near. Another that is at it does the same.
func (r *Reconcile) serve(ctx context.Context) error {
	deals, err := r.open(ctx)
	if err != nil {
		return err
	}
	lease, err := deals.Books.TakeReconcileLease(ctx)
	if err != nil || lease == nil {
		return err
	}
	defer func() {
		dropping, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		if err := deals.Books.DropLease(dropping, lease); err != nil {
			slog.WarnContext(ctx, "the lease was not dropped", telemetry.KeyError, err.Error())
		}
	}()
	err = r.passes(ctx, lease)
	if pool.KindOf(err) == pool.Conflict {
		slog.InfoContext(ctx, "another reconciles", telemetry.KeyError, err.Error())
		return nil
	}
	return err
}

func (r *Reconcile) open(ctx context.Context) (*Deals, error) {
	if r.opened == nil {
		deals, err := r.Chain(ctx)
		if err != nil {
			return nil, fmt.Errorf("opening the chain: %w", err)
		}
		r.opened = deals
	}
	return r.opened, nil
}

func (r *Reconcile) passes(ctx context.Context, lease *pool.Lease) error {
	p := &pass{Deals: r.opened, r: r, lease: lease, vain: map[int64]int{}}
	if err := p.errands(ctx); err != nil {
		return err
	}
	compared := false
	for {
		more, err := p.run(ctx)
		if pool.KindOf(err) == pool.Conflict {
			return err // another is at it
		}
		if err == nil && !compared && p.good && p.behind == 0 {
			err, compared = p.compare(ctx), true
		}
		if err == nil && more && !r.late(ctx) {
			continue
		}
		busy, asked := p.Books.Busy(ctx)
		if asked != nil || !busy || r.late(ctx) {
			return errors.Join(err, asked, p.measure(ctx))
		}
		if err != nil { // deals are served: the next pass may do better
			slog.WarnContext(ctx, "a pass failed", telemetry.KeyError, err.Error())
			r.Meter.DependencyFailed()
		}
		pause := p.Poll
		if p.flying {
			pause = min(pause, soon)
		}
		if waited := p.Wait(ctx, pause); waited != nil || r.late(ctx) {
			return errors.Join(err, p.measure(context.WithoutCancel(ctx)))
		}
	}
}

// pass is what the passes of one invocation share.
type pass struct {
	*Deals
	r        *Reconcile
	lease    *pool.Lease
	head     pool.Head
	behind   uint64        // blocks that are still to be followed
	good     bool          // the head is believed and followed
	dry      bool          // nothing is stored
	flying   bool          // something was sent that no block has shown, or is wanted
	recalled bool          // broadcasts were
	vain     map[int64]int // how often actions were refused
}

// run is one pass: follow, take in, refresh, settle, act. more tells that the next
// has something to do at once.
func (p *pass) run(ctx context.Context) (more bool, err error) {
	if p.head, err = p.Chain.Head(ctx); err != nil {
		return false, fmt.Errorf("asking for the head: %w", err)
	}
	if p.good, err = p.follow(ctx); err != nil || !p.good {
		return false, err
	}
	changed := 0
	for _, step := range []struct {
		doing string
		do    func(context.Context) (int, error)
	}{
		{"looking for lost deals", p.recover}, {"taking deals in", p.takeIn}, {"looking at tasks", p.refresh}, {"settling tasks", p.finish},
		{"forgetting deals", p.forget},
	} {
		n, err := step.do(ctx)
		if err != nil {
			return false, fmt.Errorf("%s: %w", step.doing, err)
		}
		changed += n
	}
	if changed > 0 {
		p.ring(ctx)
	}
	if err := p.settle(ctx); err != nil {
		return false, fmt.Errorf("deciding what to say to the chain: %w", err)
	}
	more, err = p.act(ctx)
	if err != nil {
		return false, fmt.Errorf("speaking to the chain: %w", err)
	}
	return more || p.behind > 0, nil
}

// ring wakes the dispatcher: there are works, or workers to be authorised.
func (p *pass) ring(ctx context.Context) {
	if err := p.r.Bell.Ring(ctx); err != nil {
		slog.WarnContext(ctx, "not rung", telemetry.KeyError, err.Error())
		p.r.count(ctx, telemetry.N(telemetry.RingsFailed, 1))
	}
}

func trace(ctx context.Context) pool.Trace { return pool.Trace{RequestID: telemetry.RequestID(ctx)} }
