package chain

import (
	"context"
	"errors"
	"fmt"
	"time"

	local "workerpool/infra/local/chain"
	"workerpool/shared/chain/lane"
	"workerpool/shared/heartbeat"
	"workerpool/shared/placement"
	"workerpool/shared/pool"
	"workerpool/shared/store/storetest"
	"workerpool/test/bench/measure"
)

// poll is CHAINPOLL's default: how long reconcile waits between two looks at the
// chain. Here it waits for nothing but what happens meanwhile.
const poll = 10 * time.Second

// counts is what some stretches took of reconcile.
type counts struct {
	measure.Sample               // without N, and without what happens between the looks
	looks          int           // that it then waited
	waited         time.Duration // as long as it asked to wait after these
	statements     int           // SQL, those that begin and end transactions included
	trips          int           // to the database
	requests       int64         // HTTP requests to the node
	calls          int64         // in them
}

func (c counts) plus(d counts) counts {
	c.Sample = c.Sample.Plus(d.Sample)
	c.looks, c.statements, c.trips, c.waited = c.looks+d.looks, c.statements+d.statements, c.trips+d.trips, c.waited+d.waited
	c.requests, c.calls = c.requests+d.requests, c.calls+d.calls
	return c
}

// begin starts counting anew.
func (y *yard) begin() (err error) {
	y.far.Reset()
	sent := y.node.Calls()
	y.began = counts{requests: sent.Requests, calls: sent.Calls}
	if y.server != 0 {
		y.began.Flow, y.began.Server, err = measure.Clocks(y.server)
	}
	y.since = time.Now()
	return err
}

// end gives what was since begin, one look.
func (y *yard) end() (c counts, err error) {
	c.Took, c.looks, c.waited = time.Since(y.since), 1, y.asked
	if y.server != 0 {
		if c.Flow, c.Server, err = measure.Clocks(y.server); err != nil {
			return c, err
		}
		c.Flow, c.Server = c.Flow-y.began.Flow, c.Server-y.began.Server
	}
	sent := y.node.Calls()
	c.requests, c.calls = sent.Requests-y.began.requests, sent.Calls-y.began.calls
	c.statements, c.trips = told(y.far)
	return c, nil
}

func told(w *storetest.Wire) (statements, trips int) {
	for _, said := range w.Said() {
		statements += len(storetest.Statements(said))
	}
	return statements, w.Trips()
}

var errEnough = errors.New("enough was seen")

// tick is one invocation of reconcile. Each time that it waits, which ends a look,
// meanwhile hears what that took; then the chain puts what was sent into blocks. The
// invocation goes on until meanwhile has had enough, or there is nothing to wait for.
func (y *yard) tick(ctx context.Context, meanwhile func(look int, took counts) (enough bool, err error)) error {
	const most = 2_000
	look, done := 0, false
	var failed error
	ended := func() error {
		took, err := y.end()
		look++
		y.settle()
		if err == nil {
			done, err = meanwhile(look, took)
		}
		if err == nil && !done && look == most {
			err = fmt.Errorf("reconcile has looked at the chain %d times and is not done", look)
		}
		return err
	}
	y.waits = func() error {
		if failed = ended(); failed != nil || done {
			return errEnough
		}
		y.settle()
		return y.begin()
	}
	if err := y.begin(); err != nil {
		return err
	}
	err := errors.Join(y.reconcile.Tick(ctx), failed)
	if err == nil && !done {
		err = ended() // there is nothing to wait for
	}
	if err == nil && !done {
		err = fmt.Errorf("reconcile saw nothing to wait for after %d looks", look)
	}
	return err
}

// settle puts all that was sent into blocks.
func (y *yard) settle() {
	y.market.Chain.Mine(1)
	for y.market.Chain.Waiting() > 0 {
		y.market.Chain.Mine(1)
	}
}

// until lets reconcile look at the chain until the books have so many rows of what
// the query counts. It gives all that took.
func (y *yard) until(ctx context.Context, rows int, query string, args ...any) (sum counts, err error) {
	err = y.tick(ctx, func(_ int, took counts) (bool, error) {
		sum = sum.plus(took)
		n, err := y.count(ctx, query, args...)
		return n >= rows, err
	})
	if err != nil {
		err = fmt.Errorf("waiting for %d of %s: %w", rows, query, err)
	}
	return sum, err
}

// do lets workers do what they are ordered about turns at a deal, or at any for a
// zero one, most of them at most, and gives how many they did it about. An
// instruction of the other kinds stays for later.
func (y *yard) do(ctx context.Context, order placement.Order, deal pool.Hash, most int) (done int, err error) {
	for _, w := range y.workers {
		call := heartbeat.Call{Account: y.account, Worker: w.id, Trace: pool.Trace{Account: y.account, RequestID: "bench"}}
		told, err := y.heartbeat.Beat(ctx, call)
		if err != nil {
			return done, err
		}
		var calls []local.Call
		for _, i := range told.Instructions {
			turn := told.Turns[i.Work]
			if done == most || i.Do != order || !deal.IsZero() && turn.Deal != deal {
				continue
			}
			report := pool.Report{Work: i.Work, Attempt: i.Attempt, Digest: answer, File: archive, Size: fileSize}
			switch order {
			case placement.Start:
				report = pool.Report{Work: i.Work, Attempt: i.Attempt, Says: pool.SaysRunning}
			case placement.Continue:
				if turn.Authorisation == nil {
					return done, fmt.Errorf("work %d is to go on without the pool's word", i.Work)
				}
				report.Says = pool.SaysReported
			case placement.Upload:
				report.Says = pool.SaysUploaded
			case placement.Contribute:
				calls = append(calls, y.market.Contribute(w.wallet.Address(), turn.Task, answer, [65]byte(turn.Authorisation)))
			case placement.Reveal:
				calls = append(calls, y.market.Reveal(turn.Task, answer))
			case placement.Hold, placement.Stop:
				return done, fmt.Errorf("nobody does anything to %s", order)
			}
			done++
			if report.Says != "" {
				call.Reports = append(call.Reports, report)
			}
		}
		if len(call.Reports) > 0 {
			if _, err := y.heartbeat.Beat(ctx, call); err != nil {
				return done, err
			}
		}
		if err := y.say(ctx, w, calls); err != nil {
			return done, err
		}
	}
	return done, nil
}

// all is do of so many turns, no fewer.
func (y *yard) all(ctx context.Context, order placement.Order, deal pool.Hash, turns int) error {
	done, err := y.do(ctx, order, deal, turns)
	if err == nil && done != turns {
		err = fmt.Errorf("workers were to %s %d times and did %d times", order, turns, done)
	}
	return err
}

// say puts a worker's calls into blocks.
func (y *yard) say(ctx context.Context, w worker, calls []local.Call) error {
	if len(calls) == 0 {
		return nil
	}
	for i := range calls {
		calls[i].Gas = gasOfCall
	}
	sent, err := w.wallet.Send(ctx, calls...)
	if err != nil {
		return err
	}
	y.settle()
	for _, hash := range sent {
		if in, ok := y.market.Chain.Look(hash); !ok || !in.Good {
			return fmt.Errorf("what worker %d said to the chain did nothing", w.id)
		}
	}
	return nil
}

// age makes so many blocks, and lets reconcile look at them, that what happened
// before was read again, and as many may follow before anything is.
func (y *yard) age(ctx context.Context) error {
	head := y.market.Chain.Head().Number
	y.market.Chain.Mine(int(lane.Overlap - (head+1)%lane.Overlap)) // the first look's end makes the block at the mark
	return y.tick(ctx, func(look int, _ counts) (bool, error) { return look == 2, nil })
}

// hand lets dispatch give out works and the pool's word.
func (y *yard) hand(ctx context.Context) error { return y.dispatch.Run(ctx) }

// Rows of the books that tell how far deals have come.
const (
	seen     = "SELECT COUNT(*) FROM task WHERE seen_block > 0"
	works    = "SELECT COUNT(*) FROM task k JOIN work w ON w.id = k.work_id WHERE w.state = ?"
	statuses = "SELECT COUNT(*) FROM task WHERE status = ?"
	revealed = "SELECT COUNT(*) FROM task WHERE reveals > 0"
)

// run matches a deal and brings its tasks to where workers run them with the pool's
// word to contribute.
func (y *yard) run(ctx context.Context, tasks int) error {
	if _, err := y.match(ctx, tasks, 1); err != nil {
		return err
	}
	if _, err := y.until(ctx, tasks, works, string(pool.Waiting)); err != nil {
		return err
	}
	if err := y.start(ctx, pool.Hash{}, tasks); err != nil {
		return err
	}
	if _, err := y.until(ctx, tasks, statuses, int(pool.TaskActive)); err != nil {
		return err
	}
	return y.hand(ctx)
}

// start lets workers begin to run works.
func (y *yard) start(ctx context.Context, deal pool.Hash, tasks int) error {
	if err := y.hand(ctx); err != nil {
		return err
	}
	return y.all(ctx, placement.Start, deal, tasks)
}

// contribute lets workers end their runs and contribute.
func (y *yard) contribute(ctx context.Context, deal pool.Hash, tasks int) error {
	if err := y.hand(ctx); err != nil {
		return err
	}
	if err := y.all(ctx, placement.Continue, deal, tasks); err != nil {
		return err
	}
	return y.all(ctx, placement.Contribute, deal, tasks)
}

// quiet lets nothing happen for some looks of one invocation, but for as many blocks
// as come meanwhile on Arbitrum, and gives what each took. The first compares.
func (y *yard) quiet(ctx context.Context, looks int) (took []counts, err error) {
	err = y.tick(ctx, func(look int, c counts) (bool, error) {
		took = append(took, c)
		y.market.Chain.Mine(int(poll / (250 * time.Millisecond)))
		return look == looks, nil
	})
	return took, err
}
