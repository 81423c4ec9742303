package store_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"testing"
	"time"

	"workerpool/shared/life"
	"workerpool/shared/placement"
	"workerpool/shared/pool"
	"workerpool/shared/store"
	"workerpool/shared/store/storetest"
)

// operations does each operation of the store once.
func operations(ctx context.Context, s *store.Store, p *party) map[string]error {
	out := map[string]error{}
	id := pool.BatchID(1)
	_, out["AccountByLogin"] = s.AccountByLogin(ctx, "requester")
	out["PutAccount"] = s.PutAccount(ctx, pool.Account{Login: "x", Role: pool.RoleWorker})
	_, out["Account"] = s.Account(ctx, "uid:owner")
	if pool.KindOf(out["Account"]) == pool.NotFound {
		out["Account"] = nil // it has no uid: it was asked
	}
	_, out["Accounts"] = s.Accounts(ctx, 0, 1)
	_, out["CreateAccount"] = s.CreateAccount(ctx, pool.Account{Login: rand.Text(), Role: pool.RoleWorker}, trace)
	_, out["ChangeAccount"] = s.ChangeAccount(ctx, "requester", trace, func(a pool.Account, operators int) (pool.Account, []string, error) {
		return a.Change(pool.AccountChange{Revoke: true}, 0, operators)
	})
	_, out["Revoked"] = s.Revoked(ctx, time.Hour)
	_, out["InsertBatch"] = s.InsertBatch(ctx, storetest.NewBatch(p.requester, 1, 1), 1, 0)
	_, out["Batch"] = s.Batch(ctx, 0, id)
	_, _, out["MissingInputs"] = s.MissingInputs(ctx, 0, id, 1)
	_, out["MarkInputs"] = s.MarkInputs(ctx, id, nil, 1, trace)
	_, out["Settle"] = s.Settle(ctx, []pool.WorkID{id.Work(0)}, nil, trace, func(time.Time, []life.Life) {})
	_, out["TakeLease"] = s.TakeLease(ctx)
	_, out["ReleaseLease"] = s.ReleaseLease(ctx, &pool.Lease{Holder: "x"})
	_, out["Dispatch"] = s.Dispatch(ctx, nil, 1, placement.Bookmark{}, 1, trace, decide)
	_, out["Register"] = s.Register(ctx, pool.NewWorker{Account: p.owner, Name: "x", Slots: 1}, trace)
	_, out["Hear"] = s.Hear(ctx, p.owner, p.workers[0])
	out["Renew"] = s.Renew(ctx, pool.Renewal{Worker: p.workers[0], Lease: time.Hour, Interval: time.Second})
	_, _, out["Workers"] = s.Workers(ctx, 0, 0, 1)
	out["SetWorkerState"] = s.SetWorkerState(ctx, 0, p.workers[0], pool.Active, trace)
	_, out["SetPoolState"] = s.SetPoolState(ctx, pool.PoolActive, trace)
	_, out["Share"] = s.Share(ctx, "requester")
	out["SetShare"] = s.SetShare(ctx, "requester", pool.Share{Weight: 2}, trace)
	_, _, out["Work"] = s.Work(ctx, 0, id.Work(0))
	_, out["Works"] = s.Works(ctx, pool.WorkFilter{Limit: 1})
	_, out["Census"] = s.Census(ctx)
	_, out["Archive"] = s.Archive(ctx, 1)
	_, out["WhyWork"] = s.WhyWork(ctx, 0, id.Work(0))
	_, out["WhyWorker"] = s.WhyWorker(ctx, 0, p.workers[0])
	if _, out["Drawing"] = s.Drawing(ctx, id.Work(0), p.workers[0]); pool.KindOf(out["Drawing"]) == pool.NotFound {
		out["Drawing"] = nil // never offered: it was asked
	}
	_, out["ForgetDraws"] = s.ForgetDraws(ctx, time.Hour, 1, 1)
	out["Ping"] = s.Ping(ctx)
	return out
}

// TestDatabaseAway: while the database is away every operation says so and may
// be tried again; when it is back the same store works.
func TestDatabaseAway(t *testing.T) {
	t.Parallel()
	s, server := storetest.Own(t, storetest.Conns(3))
	s.Exec(t, "SET GLOBAL innodb_flush_log_at_trx_commit = 1") // what is lost in a crash is not a matter here
	p := join(t, s, 1, 5)
	p.works(t, 1, 1)
	working := func(when string) {
		t.Helper()
		for name, err := range operations(background, s.Store, p) {
			if err != nil {
				t.Errorf("%s %s: %v", name, when, err)
			}
		}
	}
	away := func(when string, s *store.Store) {
		t.Helper()
		for name, err := range operations(background, s, p) {
			var e *pool.Error
			if !errors.As(err, &e) || e.Kind != pool.Unavailable || e.RetryAfter <= 0 {
				t.Errorf("%s %s: %v", name, when, err)
			}
		}
	}
	working("at first")
	server.Kill()
	away("when killed", s.Store)
	if err := server.Restart(); err != nil {
		t.Fatal(err)
	}
	working("after a crash")
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	away("when stopped", s.Store)
	if err := server.Restart(); err != nil {
		t.Fatal(err)
	}
	working("after a restart")
	storetest.Check(t, s)

	other := func(change func(*store.Config)) *store.Store {
		c := store.Config{Host: s.Config.Host, Name: s.Config.Name, Credentials: storetest.As(s.Config.User, s.Config.Password), MaxConns: 1}
		change(&c)
		o := must(store.Open(c))(t)
		t.Cleanup(func() { _ = o.Close() })
		return o
	}
	away("without a database", other(func(c *store.Config) { c.Name = "nowhere" }))
	away("when nobody listens", other(func(c *store.Config) { c.Host = "127.0.0.1:1" }))
	away("when dialling takes too long", other(func(c *store.Config) {
		c.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, context.DeadlineExceeded }
	}))
	s.Exec(t, "SET GLOBAL read_only = ON")
	s.Exec(t, "CREATE USER reader@'127.0.0.1' IDENTIFIED BY 'secret'")
	s.Exec(t, "GRANT SELECT, INSERT, UPDATE, DELETE ON `"+s.Config.Name+"`.* TO reader@'127.0.0.1'")
	replica := other(func(c *store.Config) { c.Credentials = storetest.As("reader", "secret") })
	wantKind(t, replica.Renew(background, pool.Renewal{Worker: p.workers[0], Lease: time.Hour, Interval: time.Second}), pool.Unavailable)
	s.Exec(t, "SET GLOBAL read_only = OFF")
	if err := replica.Renew(background, pool.Renewal{Worker: p.workers[0], Lease: time.Hour, Interval: time.Second}); err != nil {
		t.Error(err)
	}
	const most = 10 // the least that the server lets be set
	s.Exec(t, fmt.Sprint("SET GLOBAL max_connections = ", most))
	for full := false; !full; {
		conn, err := s.SQL.Conn(background)
		if full = err != nil; !full {
			defer conn.Close()
		}
	}
	wantKind(t, other(func(c *store.Config) { c.Credentials = storetest.As("reader", "secret") }).Ping(background), pool.Unavailable)
}

// TestCancelledCallerIsNoFault: who goes away is told that, not that the
// database is down.
func TestCancelledCallerIsNoFault(t *testing.T) {
	t.Parallel()
	p := newParty(t, 1, 1)
	ctx, stop := context.WithCancel(background)
	stop()
	for name, err := range operations(ctx, p.Store, p) {
		if !errors.Is(err, context.Canceled) || pool.KindOf(err) != "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	late, stop := context.WithDeadline(background, time.Unix(0, 0))
	defer stop()
	for name, err := range operations(late, p.Store, p) {
		if pool.KindOf(err) != pool.Unavailable {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, err := range operations(background, p.Store, p) {
		if err != nil && pool.KindOf(err) != pool.NotFound {
			t.Errorf("%s: %v", name, fmt.Errorf("afterwards: %w", err))
		}
	}
}
