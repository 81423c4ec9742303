package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"time"

	"workerpool/shared/pool"
)

// DispatchLease is how long a dispatcher may be silent before another takes over.
const DispatchLease = 15 * time.Second

// TakeLease takes the dispatch lease if nobody holds it; otherwise it leaves
// word that somebody asked, which the holder sees before it lets go, and gives
// nil. One round trip.
func (s *Store) TakeLease(ctx context.Context) (*pool.Lease, error) {
	me := rand.Text()
	var lease *pool.Lease
	err := s.transact(ctx, "taking the dispatch lease", func(conn *sql.Conn) error {
		b := &statements{}
		b.add("START TRANSACTION")
		// SET works from left to right: until is tested by all before it changes.
		b.add(`UPDATE lease SET asked = asked + (until > UTC_TIMESTAMP(6)), fence = fence + (until <= UTC_TIMESTAMP(6)),
			holder = IF(until > UTC_TIMESTAMP(6), holder, ?),
			until = IF(until > UTC_TIMESTAMP(6), until, UTC_TIMESTAMP(6) + INTERVAL ? MICROSECOND) WHERE name = 'dispatch'`, me, DispatchLease.Microseconds())
		b.add("SELECT holder, fence, asked FROM lease WHERE name = 'dispatch'")
		b.add("COMMIT")
		out, err := query(ctx, conn, b)
		if err != nil {
			return err
		}
		var l pool.Lease
		found, err := out.one(&l.Holder, &l.Fence, &l.Asked)
		if err = errors.Join(err, out.close()); err != nil {
			return err
		}
		if !found {
			return errors.New("the dispatch lease has no row: run the migrations")
		}
		if l.Holder == me {
			lease = &l
		}
		return nil
	})
	return lease, err
}

// ReleaseLease lets the lease go unless somebody asked meanwhile; then it stays
// held, for another 15 s, and more is true. A lease that was lost is let go.
func (s *Store) ReleaseLease(ctx context.Context, l *pool.Lease) (more bool, err error) {
	err = s.transact(ctx, "releasing the dispatch lease", func(conn *sql.Conn) error {
		b := &statements{}
		b.add("START TRANSACTION")
		b.add(`UPDATE lease SET until = IF(asked = ?, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6) + INTERVAL ? MICROSECOND)
			WHERE name = 'dispatch' AND holder = ? AND fence = ?`, l.Asked, DispatchLease.Microseconds(), l.Holder, l.Fence)
		b.add("SELECT asked FROM lease WHERE name = 'dispatch' AND holder = ? AND fence = ?", l.Holder, l.Fence)
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
	_, err := s.db.ExecContext(ctx, "UPDATE lease SET until = UTC_TIMESTAMP(6) WHERE name = 'dispatch' AND holder = ? AND fence = ?", l.Holder, l.Fence)
	return failure("dropping the dispatch lease", err)
}

// renewLease adds the statement that keeps the lease while work goes on.
func renewLease(b *statements, l *pool.Lease) {
	if l != nil {
		b.add("UPDATE lease SET until = UTC_TIMESTAMP(6) + INTERVAL ? MICROSECOND WHERE name = 'dispatch' AND holder = ? AND fence = ?",
			DispatchLease.Microseconds(), l.Holder, l.Fence)
	}
}
