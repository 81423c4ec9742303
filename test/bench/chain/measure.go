package chain

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"workerpool/shared/placement"
	"workerpool/shared/pool"
	"workerpool/shared/store/migrate"
	"workerpool/shared/store/storetest"
	"workerpool/test/bench/measure"
)

const (
	running = 1_000 // tasks that workers run at once
	some    = 100   // of them, contributed at once
	atOnce  = 1_000 // works of a submission, as of a batch that reconcile makes of a deal
)

// Options say how much is measured.
type Options struct {
	Largest int                                               // works of one deal, up to pool.MaxBatch
	Times   int                                               // rounds
	Peer    func(ctx context.Context) (measure.Sample, error) // PeerName, on the same server
}

// PeerName is what Options.Peer measures.
const PeerName = "insert100, c=1"

// Measure measures a pool that serves deals, each round on a chain and in books of
// their own, and gives tables in Markdown.
func Measure(ctx context.Context, s *measure.Server, o Options, out io.Writer) (string, error) {
	found := &findings{tasks: min(o.Largest, pool.MaxBatch)}
	for round := range o.Times {
		for i, do := range []func(context.Context, *yard, Options, *findings) error{taking, serving} {
			if err := among(ctx, s, fmt.Sprintf("chain%d_%d", round, i), running/slots*i, func(y *yard) error { return do(ctx, y, o, found) }); err != nil {
				return "", err
			}
		}
		fmt.Fprintf(out, "round %d  chain: %s  load %s\n", round+1, found.brief(), measure.Load())
	}
	return found.table(), nil
}

// among opens a yard with that many workers for a while.
func among(ctx context.Context, s *measure.Server, name string, workers int, do func(*yard) error) (err error) {
	where := migrate.Config{Host: s.Addr(), Name: name, User: s.AdminUser(), Password: s.AdminPassword()}
	if _, err := migrate.Up(ctx, where); err != nil {
		return err
	}
	db, err := s.Connect(name, 2)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	y, err := open(ctx, place{books: where, sql: db, server: s.PID}, workers)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, y.close()) }()
	if err := do(y); err != nil {
		return err
	}
	faults, err := storetest.NewAudit(db).Look(ctx)
	if err == nil && len(faults) > 0 {
		err = fmt.Errorf("the books are not in order: %s", strings.Join(faults, "; "))
	}
	return err
}

// taking takes a large deal in, between the peer and beside as many works that a
// requester submits.
func taking(ctx context.Context, y *yard, o Options, found *findings) error {
	before, err := o.Peer(ctx)
	if err != nil {
		return err
	}
	submitted, err := y.submitting(ctx, found.tasks)
	if err != nil {
		return err
	}
	matched, err := y.match(ctx, found.tasks, 1)
	if err != nil {
		return err
	}
	var taken, shown counts
	var waiting []counts
	err = y.tick(ctx, func(look int, took counts) (bool, error) {
		if look == 1 {
			taken = y.taken
		}
		if len(waiting) > 0 || shown.N == found.tasks {
			waiting = append(waiting, took)
			return len(waiting) == 5, nil
		}
		shown = shown.plus(took)
		shown.N, err = y.count(ctx, seen)
		return false, err
	})
	if err != nil {
		return err
	}
	n, err := y.count(ctx, works, string(pool.Waiting))
	if err == nil && n != found.tasks {
		err = fmt.Errorf("%d of a deal's %d tasks were taken in", n, found.tasks)
	}
	if err != nil {
		return err
	}
	after, err := o.Peer(ctx)
	if err != nil {
		return err
	}
	taken.N = found.tasks
	found.taken, found.shown = append(found.taken, taken), append(found.shown, shown)
	found.submitted = append(found.submitted, submitted)
	found.peer = append(found.peer, before.Plus(after))
	found.waiting = append(found.waiting, waiting...)
	return found.alone(ctx, y, matched)
}

// submitting takes works in from one requester, for workers that there are not.
func (y *yard) submitting(ctx context.Context, tasks int) (measure.Sample, error) {
	if err := y.stage.PutAccount(ctx, pool.Account{Login: "ann", Role: pool.RoleRequester}); err != nil {
		return measure.Sample{}, err
	}
	ann, err := y.stage.AccountByLogin(ctx, "ann")
	if err != nil {
		return measure.Sample{}, err
	}
	return measure.Measure(y.server, func() (int, error) {
		for left := tasks; left > 0; left -= atOnce {
			n := pool.NewBatch{
				Requester: ann.ID, Idempotency: rand.Text(), Trust: 1, Deadline: 24 * time.Hour, Template: []byte(`{"app":{"type":"process","name":"` + program + `"}}`),
				Demands: pool.Demands{App: pool.App{Type: pool.ProcessApp, Name: program}, RunLimit: time.Minute, GPU: 8}, RequestID: "bench",
				Items: make([][]byte, min(left, atOnce)),
			}
			for i := range n.Items {
				n.Items[i] = fmt.Appendf(nil, `{"args":["--part","%d"]}`, i)
			}
			if _, err := y.submit.Accept(ctx, n); err != nil {
				return 0, err
			}
		}
		return tasks, nil
	})
}

// serving brings a deal from its match to its settled end, and on the way lets
// nothing happen for a while, and then little.
func serving(ctx context.Context, y *yard, _ Options, found *findings) error {
	y.near.Reset()
	matched, err := y.match(ctx, running, 1)
	if err != nil {
		return err
	}
	var life counts
	until := func(rows int, query string, args ...any) (counts, error) {
		took, err := y.until(ctx, rows, query, args...)
		life = life.plus(took)
		return took, err
	}
	if _, err := until(running, works, string(pool.Waiting)); err != nil {
		return err
	}
	if err := y.start(ctx, matched.ID, running); err != nil {
		return err
	}
	initialized, err := until(running, statuses, int(pool.TaskActive))
	if err != nil {
		return err
	}
	if err := y.hand(ctx); err != nil {
		return err
	}
	if err := y.age(ctx); err != nil {
		return err
	}
	minute, err := y.quiet(ctx, int(time.Minute/poll))
	if err != nil {
		return err
	}
	if err := y.all(ctx, placement.Continue, matched.ID, running); err != nil {
		return err
	}
	var few counts
	err = y.tick(ctx, func(look int, took counts) (bool, error) {
		life = life.plus(took)
		if few = took; look == 2 {
			return true, nil
		}
		return false, y.all(ctx, placement.Contribute, matched.ID, some)
	})
	if err != nil {
		return err
	}
	if err := y.all(ctx, placement.Contribute, matched.ID, running-some); err != nil {
		return err
	}
	if _, err := until(running, statuses, int(pool.TaskRevealing)); err != nil {
		return err
	}
	if err := y.all(ctx, placement.Reveal, matched.ID, running); err != nil {
		return err
	}
	if _, err := until(running, revealed); err != nil {
		return err
	}
	if err := y.all(ctx, placement.Upload, matched.ID, running); err != nil {
		return err
	}
	finalized, err := until(running, statuses, int(pool.TaskCompleted))
	if err != nil {
		return err
	}
	y.market.Chain.Mine(64) // of which the first 32 can no longer change
	if _, err := until(running, works, string(pool.Done)); err != nil {
		return err
	}
	initialized.N, finalized.N, life.N, few.N = running, running, running, some
	found.initialized, found.finalized = append(found.initialized, initialized), append(found.finalized, finalized)
	found.life, found.few = append(found.life, life), append(found.few, few)
	found.quiet = append(found.quiet, minute[1:]...)
	sum := counts{}
	for _, look := range minute {
		sum = sum.plus(look)
	}
	found.minute = append(found.minute, sum)
	statements, trips := told(y.near)
	found.others = append(found.others, counts{Sample: measure.Sample{N: running}, statements: statements, trips: trips})
	return found.spend(ctx, y)
}
