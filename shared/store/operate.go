package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"workerpool/shared/pool"
)

// SetPoolState brings the pool to a state and gives the one it was in. What is
// already so stays so and leaves no event. One round trip.
func (s *Store) SetPoolState(ctx context.Context, state pool.State, t pool.Trace) (before pool.State, err error) {
	err = s.transact(ctx, "changing the pool's state", func(conn *sql.Conn) error {
		b := &statements{}
		b.add("START TRANSACTION")
		b.add("SELECT state FROM pool_state WHERE id = 1 FOR UPDATE")
		b.add("INSERT INTO event (at, kind, account_id, request_id) SELECT UTC_TIMESTAMP(6), ?, ?, ? FROM pool_state WHERE id = 1 AND state <> ?",
			"pool."+string(state), int64(t.Account), t.RequestID, string(state))
		b.add("UPDATE pool_state SET state = ? WHERE id = 1", string(state))
		b.add("COMMIT")
		out, err := query(ctx, conn, b)
		if err != nil {
			return err
		}
		_, err = out.one(&before)
		return errors.Join(err, out.close())
	})
	return before, err
}

// noRequester answers for a login that submits nothing, be it unknown or a
// worker account's.
func noRequester() error { return pool.Refuse(pool.NotFound, "login", "no requester has this login") }

// Share gives what a requester gets of the pool, found by its login or "uid:...";
// pool.NotFound when nobody who may submit has it.
func (s *Store) Share(ctx context.Context, name string) (pool.Share, error) {
	var share pool.Share
	column, value := named(name)
	err := s.db.QueryRowContext(ctx, `SELECT COALESCE(r.weight, 1), COALESCE(r.max_running, 0)
		FROM account c LEFT JOIN requester r ON r.account_id = c.id WHERE c.`+column+` = ? AND c.role <> 'worker'`, value).
		Scan(&share.Weight, &share.MaxRunning)
	if errors.Is(err, sql.ErrNoRows) {
		return share, noRequester()
	}
	return share, failure("reading a share", err)
}

// SetShare says what a requester, found by its login or "uid:...", gets of the pool
// from now on; pool.NotFound when nobody who may submit has it. Its clock stays: a
// greater weight is no pardon for what it had. What is already so leaves no event.
func (s *Store) SetShare(ctx context.Context, name string, share pool.Share, t pool.Trace) error {
	column, value := named(name)
	return s.transact(ctx, "changing a share", func(conn *sql.Conn) error {
		b := &statements{}
		b.add("START TRANSACTION")
		b.must(1, "UPDATE account SET login = login WHERE "+column+" = ? AND role <> 'worker'", value) // changes of one share take turns
		b.add(`INSERT INTO event (at, kind, account_id, request_id, data) SELECT UTC_TIMESTAMP(6), 'requester.share', ?, ?, CONCAT(c.login, ?)
			FROM account c LEFT JOIN requester r ON r.account_id = c.id
			WHERE c.`+column+` = ? AND (COALESCE(r.weight, 1) <> ? OR COALESCE(r.max_running, 0) <> ?)`,
			int64(t.Account), t.RequestID, fmt.Sprintf(" weight %d max_running %d", share.Weight, share.MaxRunning),
			value, share.Weight, share.MaxRunning)
		b.add(`INSERT INTO requester (account_id, weight, max_running) SELECT id, ?, ? FROM account WHERE `+column+` = ?
			ON DUPLICATE KEY UPDATE weight = ?, max_running = ?`, share.Weight, share.MaxRunning, value, share.Weight, share.MaxRunning)
		b.add("COMMIT")
		err := exec(ctx, conn, b)
		if errors.Is(err, errMoved) {
			return noRequester()
		}
		return err
	})
}
