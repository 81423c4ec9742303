package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"time"

	"workerpool/shared/pool"
)

// How long a holder may be silent before another takes over.
const (
	DispatchLease  = 15 * time.Second
	ReconcileLease = 30 * time.Second // it speaks to the chain between its writes
)

// The leases there are.
const (
	dispatchLease  = "dispatch"
	reconcileLease = "reconcile"
)

func lasts(name string) time.Duration {
	if name == reconcileLease {
		return ReconcileLease
	}
	return DispatchLease
}

// TakeLease takes the dispatch lease if nobody holds it; otherwise it leaves
// word that somebody asked, which the holder sees before it lets go, and gives
// nil. One round trip.
func (s *Store) TakeLease(ctx context.Context) (*pool.Lease, error) {
	return s.takeLease(ctx, dispatchLease)
}

// TakeReconcileLease is TakeLease for the reconcile lease.
func (s *Store) TakeReconcileLease(ctx context.Context) (*pool.Lease, error) {
	return s.takeLease(ctx, reconcileLease)
}

func (s *Store) takeLease(ctx context.Context, name string) (*pool.Lease, error) {
	me := rand.Text()
	var lease *pool.Lease
	err := s.transact(ctx, "taking the "+name+" lease", func(conn *sql.Conn) error {
		b := &statements{}
		b.add("START TRANSACTION")
		// SET works from left to right: until is tested by all before it changes.
		b.add(`UPDATE lease SET asked = asked + (until > UTC_TIMESTAMP(6)), fence = fence + (until <= UTC_TIMESTAMP(6)),
			holder = IF(until > UTC_TIMESTAMP(6), holder, ?),
			until = IF(until > UTC_TIMESTAMP(6), until, UTC_TIMESTAMP(6) + INTERVAL ? MICROSECOND) WHERE name = ?`, me, lasts(name).Microseconds(), name)
		b.add("SELECT name, holder, fence, asked FROM lease WHERE name = ?", name)
		b.add("COMMIT")
		out, err := query(ctx, conn, b)
		if err != nil {
			return err
		}
		var l pool.Lease
		found, err := out.one(&l.Name, &l.Holder, &l.Fence, &l.Asked)
		if err = errors.Join(err, out.close()); err != nil {
			return err
		}
		if !found {
			return errors.New("the " + name + " lease has no row: run the migrations")
		}
		if l.Holder == me {
			lease = &l
		}
		return nil
	})
	return lease, err
}

// ReleaseLease lets the lease go unless somebody asked meanwhile; then it stays
// held, as if taken anew, and more is true. A lease that was lost is let go.
func (s *Store) ReleaseLease(ctx context.Context, l *pool.Lease) (more bool, err error) {
	err = s.transact(ctx, "releasing the "+l.Name+" lease", func(conn *sql.Conn) error {
		b := &statements{}
		b.add("START TRANSACTION")
		// Long past, not now: who waits for the row has taken its time before, by which
		// now is still to come.
		b.add(`UPDATE lease SET until = IF(asked = ?, '2000-01-01', UTC_TIMESTAMP(6) + INTERVAL ? MICROSECOND)
			WHERE name = ? AND holder = ? AND fence = ?`, l.Asked, lasts(l.Name).Microseconds(), l.Name, l.Holder, l.Fence)
		b.add("SELECT asked FROM lease WHERE name = ? AND holder = ? AND fence = ?", l.Name, l.Holder, l.Fence)
		b.add("COMMIT")
		out, err := query(ctx, conn, b)
		if err != nil {
			return err
		}
		var asked int64
		mine, err := out.one(&asked)
		if err = errors.Join(err, out.close()); err != nil {
			return err
		}
		more = mine && asked != l.Asked
		l.Asked = asked
		return nil
	})
	return more, err
}

// DropLease lets the lease go whoever asked: its holder cannot serve them.
func (s *Store) DropLease(ctx context.Context, l *pool.Lease) error {
	_, err := s.db.ExecContext(ctx, "UPDATE lease SET until = '2000-01-01' WHERE name = ? AND holder = ? AND fence = ?", l.Name, l.Holder, l.Fence)
	return failure("dropping the "+l.Name+" lease", err)
}

const renewSQL = "UPDATE lease SET until = UTC_TIMESTAMP(6) + INTERVAL ? MICROSECOND WHERE name = ? AND holder = ? AND fence = ?"

// renewLease adds the statement that keeps the lease while work goes on.
func renewLease(b *statements, l *pool.Lease) {
	if l != nil {
		b.add(renewSQL, lasts(l.Name).Microseconds(), l.Name, l.Holder, l.Fence)
	}
}

// fence adds the statement that keeps the lease and stops the transaction where
// another has taken it over. Without a lease nothing is added: the guards of the
// other statements are enough.
func fence(b *statements, l *pool.Lease) {
	if l != nil {
		b.must(1, renewSQL, lasts(l.Name).Microseconds(), l.Name, l.Holder, l.Fence)
	}
}

// fenced tells of a transaction whose rows had moved whether its lease was lost:
// then it is pool.Conflict, and nothing is tried again.
func fenced(ctx context.Context, conn *sql.Conn, l *pool.Lease, err error) error {
	if !errors.Is(err, errMoved) || l == nil {
		return err
	}
	var held bool
	asked := conn.QueryRowContext(ctx, "SELECT COUNT(*) > 0 FROM lease WHERE name = ? AND holder = ? AND fence = ?", l.Name, l.Holder, l.Fence).Scan(&held)
	if asked != nil || held {
		return errors.Join(err, asked)
	}
	return pool.Refuse(pool.Conflict, "lease", "another has taken over the %s lease", l.Name)
}
