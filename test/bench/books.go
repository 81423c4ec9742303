package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"time"

	"workerpool/shared/dispatch"
	"workerpool/shared/heartbeat"
	"workerpool/shared/pool"
	"workerpool/shared/store"
	"workerpool/shared/store/migrate"
	"workerpool/shared/submit"
	"workerpool/shared/telemetry"
	"workerpool/test/bench/measure"
)

// books is one pool with a backlog: production's store and flows on a database of
// its own, without HTTP, queue and bucket.
type books struct {
	name      string // of the database
	server    *measure.Server
	store     *store.Store
	sql       *sql.DB
	submit    *submit.Submit
	heartbeat *heartbeat.Heartbeat
	dispatch  *dispatch.Dispatch
	ann       pool.AccountID   // whose the backlog is
	others    []pool.AccountID // one a caller
	crowd     pool.AccountID   // whose the workers are
	wide      []pool.WorkerID  // with wideSlots slots
	narrow    []pool.WorkerID  // with one slot
	bulk      []pool.WorkerID  // with bulkSlots slots
}

const (
	program   = "app"
	episode   = 1000 // works dispatched, or brought through their life, between two cleanings
	wideSlots = 10
	bulkSlots = 250
	period    = 30 * time.Second // between heartbeats
)

// silent stands for the queue and the bucket: a figure of the books is about the
// database only. Whatever is uploaded is there.
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
	return pool.Object{Size: resultSize, Digest: resultDigest}, true, nil
}
func (silent) Issue(context.Context, pool.Caller) (string, error) { return "", nil }

const resultSize = 1000

var resultDigest = pool.Digest(sha256.Sum256([]byte("the result")))

func openBooks(ctx context.Context, s *measure.Server, name string) (*books, error) {
	where := migrate.Config{Host: s.Addr(), Name: name, User: s.AdminUser(), Password: s.AdminPassword()}
	if _, err := migrate.Up(ctx, where); err != nil {
		return nil, err
	}
	opened, err := store.Open(store.Config{Host: s.Addr(), Name: name, MaxConns: callers, Credentials: func(context.Context) (string, string, error) {
		return s.AdminUser(), s.AdminPassword(), nil
	}})
	if err != nil {
		return nil, err
	}
	b := &books{name: name, server: s, store: opened}
	if b.sql, err = s.Connect(name, 2); err != nil {
		return nil, err
	}
	meter := telemetry.NewMeter(telemetry.MeterConfig{Out: io.Discard, Pool: name, Function: "bench", Now: time.Now})
	b.submit = submit.New(submit.Config{Books: opened, Files: silent{}, Bell: silent{}, Meter: meter, MaxFile: 1 << 20})
	b.heartbeat = heartbeat.New(heartbeat.Config{
		Books: opened, Files: silent{}, Bell: silent{}, Tokens: silent{}, Meter: meter, Seed: seed, Busy: period, Idle: period, Budget: 100_000, MaxFile: 1 << 20,
	})
	b.dispatch = dispatch.New(dispatch.Config{Books: opened, Meter: meter, Seed: seed, Lease: true, Now: time.Now})
	return b, b.people(ctx)
}

// people makes the accounts and workers.
func (b *books) people(ctx context.Context) (err error) {
	if b.ann, err = b.account(ctx, "ann", pool.RoleRequester, false); err != nil {
		return err
	}
	if b.crowd, err = b.account(ctx, "crowd", pool.RoleWorker, true); err != nil {
		return err
	}
	for i := range callers {
		other, err := b.account(ctx, fmt.Sprint("requester-", i), pool.RoleRequester, false)
		if err != nil {
			return err
		}
		b.others = append(b.others, other)
	}
	for kind, of := range map[string]struct {
		ids         *[]pool.WorkerID
		count, slot int
	}{"wide": {&b.wide, episode / wideSlots, wideSlots}, "narrow": {&b.narrow, episode, 1}, "bulk": {&b.bulk, episode / bulkSlots, bulkSlots}} {
		for i := range of.count {
			id, err := b.worker(ctx, fmt.Sprint(kind, "-", i), of.slot)
			if err != nil {
				return err
			}
			*of.ids = append(*of.ids, id)
		}
	}
	// What the pool trusts a worker with grows with every agreed result; here it has grown.
	return b.exec(ctx, "UPDATE worker SET quota = slots")
}

func (b *books) account(ctx context.Context, login string, role pool.Role, shared bool) (pool.AccountID, error) {
	if err := b.store.PutAccount(ctx, pool.Account{Login: login, Role: role, Shared: shared}); err != nil {
		return 0, err
	}
	a, err := b.store.AccountByLogin(ctx, login)
	return a.ID, err
}

func (b *books) worker(ctx context.Context, name string, slots int) (pool.WorkerID, error) {
	key := sha256.Sum256([]byte(name))
	id, err := b.store.Register(ctx, pool.NewWorker{
		Account: b.crowd, Name: name, Key: key, Slots: slots, Capabilities: pool.Capabilities{Programs: []string{program}, CPU: 4, MemoryMB: 16_000},
	}, pool.Trace{Account: b.crowd, RequestID: "bench"})
	if err != nil {
		return 0, err
	}
	// Live for the whole run.
	return id, b.store.Renew(ctx, pool.Renewal{Worker: id, Lease: 24 * time.Hour, Interval: period})
}

// batch is a submission of works that differ by an argument.
func batch(requester pool.AccountID, works int, demands pool.Demands) pool.NewBatch {
	demands.App, demands.RunLimit = pool.App{Type: pool.ProcessApp, Name: program}, time.Minute
	n := pool.NewBatch{
		Requester: requester, Idempotency: rand.Text(), BodyDigest: pool.Digest{7}, Trust: 1, Deadline: 24 * time.Hour, Demands: demands,
		Template: []byte(`{"app":{"type":"process","name":"` + program + `"}}`), Items: make([][]byte, works), RequestID: "bench",
	}
	for i := range n.Items {
		n.Items[i] = fmt.Appendf(nil, `{"args":["--part","%d"]}`, i)
	}
	return n
}

// add submits works, at most 10,000 a batch.
func (b *books) add(ctx context.Context, works int, demands pool.Demands) error {
	for works > 0 {
		n := min(works, pool.MaxBatch)
		if _, err := b.submit.Accept(ctx, batch(b.ann, n, demands)); err != nil {
			return err
		}
		works -= n
	}
	return nil
}

// only lets one kind of workers take works, and the others none.
func (b *books) only(ctx context.Context, workers []pool.WorkerID) error {
	return b.exec(ctx, "UPDATE worker SET state = IF(id BETWEEN ? AND ?, 'active', 'draining')", int64(workers[0]), int64(workers[len(workers)-1]))
}

// clean ends the works that were given out, frees all slots and brings as many
// works to the end of the queue.
func (b *books) clean(ctx context.Context, dispatched int) error {
	err := errors.Join(
		b.exec(ctx, "UPDATE assignment a JOIN work w ON w.id = a.work_id SET w.state = 'cancelled', w.open_until = NULL, w.ended_at = UTC_TIMESTAMP(6) WHERE w.open_until IS NOT NULL"),
		b.exec(ctx, "DELETE FROM assignment"))
	if err != nil {
		return err
	}
	return b.add(ctx, dispatched, pool.Demands{})
}

// assigned holds the number of assignments in a state to what it has to be.
func (b *books) assigned(ctx context.Context, state string, want int) error {
	var got, others int
	err := b.sql.QueryRowContext(ctx, "SELECT COALESCE(SUM(state = ?), 0), COALESCE(SUM(state <> ?), 0) FROM assignment", state, state).Scan(&got, &others)
	if err != nil {
		return fmt.Errorf("counting assignments: %w", err)
	}
	if got != want || others != 0 {
		return fmt.Errorf("%s: %d assignments are %s and %d are not; %d and none were expected", b.name, got, state, others, want)
	}
	return nil
}

func (b *books) exec(ctx context.Context, query string, args ...any) error {
	if _, err := b.sql.ExecContext(ctx, query, args...); err != nil {
		return fmt.Errorf("%s: %w", query, err)
	}
	return nil
}

func (b *books) close() error { return errors.Join(b.store.Close(), b.sql.Close()) }
