// Package chain measures how a pool serves deals: production's reconcile, dispatch,
// heartbeat, store and client of the chain, against a real chain in this process
// with the real contracts. Workers are simulated: they run nothing, but promise,
// contribute, reveal and report as the pool instructs them. It owns the pool it
// measures; it must not decide anything in the pool's place.
package chain

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	local "workerpool/infra/local/chain"
	"workerpool/infra/local/chain/market"
	door "workerpool/shared/chain"
	"workerpool/shared/chain/fit"
	"workerpool/shared/chain/lane"
	"workerpool/shared/cid"
	"workerpool/shared/dispatch"
	"workerpool/shared/ethsig"
	"workerpool/shared/heartbeat"
	"workerpool/shared/pool"
	"workerpool/shared/reconcile"
	"workerpool/shared/store"
	"workerpool/shared/store/migrate"
	"workerpool/shared/store/storetest"
	"workerpool/shared/submit"
	"workerpool/shared/telemetry"
)

const (
	program             = "app"
	price     pool.NRLC = 1_000
	stake               = 30 // percent
	deposit   pool.NRLC = 1e9
	longest             = 4 // category XL: the chain's clock runs ahead of quick blocks
	slots               = 100
	period              = 30 * time.Second // between heartbeats
	logRange            = 1_000            // as in template.yaml
	gasOfCall           = 600_000          // at most, of what workers say
	fileSize            = 1_000
)

// What every run finds, and the archive it makes of it.
var (
	answer  = pool.Digest(sha256.Sum256([]byte("the answer")))
	archive = pool.Digest(sha256.Sum256([]byte("the archive")))
)

// place is where a yard's books are, on a server that is there.
type place struct {
	books  migrate.Config // migrated
	sql    *sql.DB        // plain statements beside the store
	server int            // process, for its CPU time; 0 = it is not asked for
}

// yard is a pool that serves deals, with those who trade with it. Its chain makes no
// block by itself.
type yard struct {
	place
	market                      *market.Market
	owner, publisher, requester *local.Account
	pool, app                   pool.Address

	node         *door.Client
	far, near    *storetest.Wire // of reconcile, and of the others
	books, stage *store.Store    // the same books through each
	reconcile    *reconcile.Reconcile
	dispatch     *dispatch.Dispatch
	heartbeat    *heartbeat.Heartbeat
	submit       *submit.Submit
	account      pool.AccountID // whose the workers are
	workers      []worker
	waits        func() error  // what happens while reconcile waits
	asked        time.Duration // how long it last asked to wait
	began        counts
	taken        counts // from begin to where nothing more was to be taken in
	since        time.Time
}

// worker is one with a wallet.
type worker struct {
	id     pool.WorkerID
	wallet *local.Account
}

// silent stands for the queue and the bucket. Whatever is uploaded is there.
type silent struct{}

func (silent) Ring(context.Context) error     { return nil }
func (silent) RingSoon(context.Context) error { return nil }
func (silent) PresignPost(context.Context, pool.Upload) (pool.Link, error) {
	return pool.Link{}, nil
}
func (silent) PresignGet(context.Context, string, string) (pool.Link, error) {
	return pool.Link{}, nil
}
func (silent) Head(context.Context, string) (pool.Object, bool, error) {
	return pool.Object{Size: fileSize, Digest: archive}, true, nil
}
func (silent) Issue(context.Context, pool.Caller) (string, error) { return "", nil }

// open makes a yard with that many workers. It must be closed.
func open(ctx context.Context, at place, workers int) (_ *yard, err error) {
	m, err := market.Start(ctx, local.Config{})
	if err != nil {
		return nil, err
	}
	y := &yard{place: at, market: m, far: &storetest.Wire{}, near: &storetest.Wire{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, y.close())
		}
	}()
	for _, who := range []**local.Account{&y.owner, &y.publisher, &y.requester} {
		if *who, err = y.join(ctx); err != nil {
			return nil, err
		}
	}
	if y.app, err = m.CreateApp(ctx, y.publisher, market.App{Name: "app", Kind: "PROCESS", Image: program}); err != nil {
		return nil, err
	}
	if y.pool, err = m.CreatePool(ctx, y.owner, "pool", market.Policy{Stake: stake, Reward: 1}); err != nil {
		return nil, err
	}
	if err := y.flows(); err != nil {
		return nil, err
	}
	if err := y.people(ctx, workers); err != nil {
		return nil, err
	}
	m.Chain.Pause()
	return y, fit.Check(ctx, y.node, fit.Wanted{Hub: m.At.Hub, RLC: m.At.RLC, Pool: y.pool, Wallet: y.owner.Address()})
}

func (y *yard) join(ctx context.Context) (*local.Account, error) {
	key, err := ethsig.GenerateKey()
	if err != nil {
		return nil, fmt.Errorf("making a wallet: %w", err)
	}
	return y.market.Join(ctx, key, deposit)
}

// flows wires what functions/ wires, without queue and bucket.
func (y *yard) flows() (err error) {
	for _, each := range []struct {
		into *(*store.Store)
		wire *storetest.Wire
	}{{&y.books, y.far}, {&y.stage, y.near}} {
		*each.into, err = store.Open(store.Config{
			Host: y.place.books.Host, Name: y.place.books.Name, Credentials: storetest.As(y.place.books.User, y.place.books.Password), Dial: each.wire.Dial,
		})
		if err != nil {
			return err
		}
	}
	if y.node, err = door.Open(door.Config{URL: y.market.Chain.URL(), Hub: y.market.At.Hub, Pool: y.pool, LogRange: logRange}); err != nil {
		return err
	}
	deals := &reconcile.Deals{
		Books: watched{y.books, y}, Chain: y.node, Sender: door.NewSender(door.SenderConfig{Chain: y.node, Signer: y.owner.Signer}), TaskID: ethsig.TaskID, Results: cid.Results,
		Seed: rand.Uint64, Start: 1, Range: logRange, Overlap: lane.Overlap, Poll: poll, Wait: func(_ context.Context, d time.Duration) error {
			y.asked = d
			return y.waits()
		},
	}
	meter := telemetry.NewMeter(telemetry.MeterConfig{Out: io.Discard, Pool: "bench", Function: "bench", Now: time.Now})
	y.reconcile = reconcile.New(reconcile.Config{
		Books: y.books, Bell: silent{}, Meter: meter, Now: time.Now, Chain: func(context.Context) (*reconcile.Deals, error) { return deals, nil },
	})
	y.dispatch = dispatch.New(dispatch.Config{
		Books: y.stage, Words: y.stage, Signer: ethsig.Word{Signer: y.owner.Signer}, Meter: meter, Seed: rand.Uint64, Lease: true, Now: time.Now,
	})
	y.heartbeat = heartbeat.New(heartbeat.Config{
		Books: y.stage, Files: silent{}, Bell: silent{}, Tokens: silent{}, Meter: meter, Seed: rand.Uint64, Busy: period, Idle: period, Budget: 100_000,
		MaxFile: 1 << 20, Pool: "bench", Deals: true, Recover: ethsig.Signed, Keccak: ethsig.Keccak,
	})
	y.submit = submit.New(submit.Config{Books: y.stage, Files: silent{}, Bell: silent{}, Meter: meter, MaxFile: 1 << 20})
	return nil
}

// watched are books that tell when all deals are taken in.
type watched struct {
	*store.Store
	yard *yard
}

func (w watched) TakeIn(ctx context.Context, l *pool.Lease, limit int, t pool.Trace, plan func(pool.DealPart) (pool.Intake, error)) (int, error) {
	n, err := w.Store.TakeIn(ctx, l, limit, t, plan)
	if err == nil && n == 0 {
		w.yard.taken, err = w.yard.end()
	}
	return n, err
}

// people makes the workers, live for the whole run.
func (y *yard) people(ctx context.Context, workers int) error {
	if err := y.stage.PutAccount(ctx, pool.Account{Login: "crowd", Role: pool.RoleWorker, Shared: true}); err != nil {
		return err
	}
	crowd, err := y.stage.AccountByLogin(ctx, "crowd")
	if err != nil {
		return err
	}
	y.account = crowd.ID
	for i := range workers {
		wallet, err := y.join(ctx)
		if err != nil {
			return err
		}
		name := fmt.Sprint("worker-", i)
		id, err := y.stage.Register(ctx, pool.NewWorker{
			Account: crowd.ID, Name: name, Key: sha256.Sum256([]byte(name)), Wallet: wallet.Address(), Slots: slots,
			Capabilities: pool.Capabilities{Programs: []string{program}, CPU: 4, MemoryMB: 16_000, Wallet: true},
		}, pool.Trace{Account: crowd.ID, RequestID: "bench"})
		if err == nil {
			err = y.stage.Renew(ctx, pool.Renewal{Worker: id, Lease: 24 * time.Hour, Interval: period})
		}
		if err != nil {
			return err
		}
		y.workers = append(y.workers, worker{id, wallet})
	}
	// What the pool trusts a worker with grows with every agreed result; here it has grown.
	if _, err := y.sql.ExecContext(ctx, "UPDATE worker SET quota = slots"); err != nil {
		return fmt.Errorf("letting workers be trusted: %w", err)
	}
	return nil
}

// match makes a deal, in a block.
func (y *yard) match(ctx context.Context, tasks, trust int) (pool.Deal, error) {
	y.market.Chain.Resume()
	defer y.market.Chain.Pause()
	return y.market.Match(ctx, market.Terms{
		App: y.app, AppOwner: y.publisher, Pool: y.pool, PoolOwner: y.owner, Price: price, Requester: y.requester, Tasks: tasks, Trust: trust,
		Category: longest, Params: `{"iexec_args":"--depth 3"}`,
	})
}

// count asks the books beside the store.
func (y *yard) count(ctx context.Context, query string, args ...any) (n int, err error) {
	if err = y.sql.QueryRowContext(ctx, query, args...).Scan(&n); err != nil {
		err = fmt.Errorf("%s: %w", query, err)
	}
	return n, err
}

func (y *yard) close() error {
	var faults []error
	for _, s := range []*store.Store{y.books, y.stage} {
		if s != nil {
			faults = append(faults, s.Close())
		}
	}
	return errors.Join(append(faults, y.market.Chain.Close())...)
}
