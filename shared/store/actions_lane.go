package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"workerpool/shared/pool"
)

// actionColumns are those of an action a of a task k of a deal d.
const actionColumns = "a.id, a.work_id, d.deal_id, k.task_index, k.task_id, a.kind, a.round, a.state, a.results, a.callback, a.before_at"

func scanAction(rows *sql.Rows, a *pool.Action, more ...any) error {
	var deal, task []byte
	var results sql.NullString
	if err := rows.Scan(append([]any{&a.ID, &a.Work, &deal, &a.Index, &task, &a.Kind, &a.Round, &a.State, &results, &a.Callback, &a.Before}, more...)...); err != nil {
		return err
	}
	a.Deal, a.Task, a.Results = pool.Hash(deal), pool.Hash(task), orNone(results)
	return nil
}

// Lane reads a wallet's lane: its broadcasts that are not settled, and up to limit
// actions that wait, but for those on tasks that something has happened to since
// they were seen. One round trip.
func (s *Store) Lane(ctx context.Context, wallet pool.Address, limit int) (pool.Lane, error) {
	var lane pool.Lane
	err := s.transact(ctx, "reading a lane", func(conn *sql.Conn) error {
		lane = pool.Lane{Sent: map[int64][]pool.Action{}}
		const ofTask = " STRAIGHT_JOIN task k ON k.work_id = a.work_id STRAIGHT_JOIN deal d ON d.id = k.deal "
		b := &statements{}
		b.add("SELECT UTC_TIMESTAMP(6), COALESCE((SELECT MAX(nonce) + 1 FROM broadcast WHERE wallet = ?), 0)", wallet[:])
		b.add("SELECT id, nonce, attempt, kind, hash, raw, state, signed_at FROM broadcast WHERE state = 'signed' AND wallet = ? ORDER BY state, wallet, nonce, attempt", wallet[:])
		b.add("SELECT "+actionColumns+", a.broadcast FROM broadcast b STRAIGHT_JOIN action a FORCE INDEX (action_broadcast) ON a.broadcast = b.id AND a.state = 'sent'"+ofTask+
			"WHERE b.state = 'signed' AND b.wallet = ? ORDER BY a.id", wallet[:])
		b.add("SELECT "+actionColumns+" FROM action a FORCE INDEX (action_state)"+ofTask+
			"WHERE a.state = 'wanted' AND d.on_chain AND d.state <> 'gone' AND (k.look_at IS NULL OR k.look_at <> "+touchedAt+") ORDER BY a.state, a.before_at LIMIT ?", limit)
		out, err := query(ctx, conn, b)
		if err != nil {
			return err
		}
		_, err = out.one(&lane.Now, &lane.Next)
		return errors.Join(err,
			out.each(func(rows *sql.Rows) error {
				x := pool.Broadcast{Wallet: wallet}
				var hash []byte
				if err := rows.Scan(&x.ID, &x.Nonce, &x.Attempt, &x.Kind, &hash, &x.Raw, &x.State, &x.At); err != nil {
					return err
				}
				x.Hash = pool.Hash(hash)
				lane.Unsettled = append(lane.Unsettled, x)
				return nil
			}),
			out.each(func(rows *sql.Rows) error {
				var a pool.Action
				var broadcast int64
				if err := scanAction(rows, &a, &broadcast); err != nil {
					return err
				}
				lane.Sent[broadcast] = append(lane.Sent[broadcast], a)
				return nil
			}),
			out.each(func(rows *sql.Rows) error {
				var a pool.Action
				if err := scanAction(rows, &a); err != nil {
					return err
				}
				lane.Wanted = append(lane.Wanted, a)
				return nil
			}),
			out.close())
	})
	return lane, err
}

// againSQL is what an action is again that came to nothing: of no use where its task
// was forgotten meanwhile.
const againSQL = "IF(k.work_id IS NULL, 'dropped', 'wanted')"

// Sign stores a signed broadcast before it is sent: a first attempt under the
// lane's next nonce, with actions that are wanted; or a further one under the
// nonce of one that is not settled, with actions of that one, the others of which
// are wanted again. Whoever repeats it stores nothing twice; another in its place
// is pool.Conflict. One round trip.
func (s *Store) Sign(ctx context.Context, l *pool.Lease, x pool.Broadcast, actions []int64, t pool.Trace) error {
	err := s.transact(ctx, "storing a broadcast", func(conn *sql.Conn) error {
		b := &statements{}
		b.add("START TRANSACTION")
		fence(b, l)
		was := "wanted"
		if x.Attempt == 1 {
			b.stopIf("EXISTS (SELECT 1 FROM broadcast WHERE wallet = ? AND nonce >= ?)", x.Wallet[:], x.Nonce)
			b.stopIf(`EXISTS (SELECT 1 FROM broadcast WHERE state = 'signed' AND wallet = ?) AND NOT EXISTS (SELECT 1 FROM broadcast WHERE wallet = ? AND nonce = ?)`,
				x.Wallet[:], x.Wallet[:], int64(x.Nonce)-1)
		} else {
			was = "sent"
			b.stopIf("NOT EXISTS (SELECT 1 FROM broadcast WHERE wallet = ? AND nonce = ? AND attempt = ? AND state = 'signed')", x.Wallet[:], x.Nonce, x.Attempt-1)
		}
		b.must(1, `INSERT INTO broadcast (wallet, nonce, attempt, kind, hash, raw, state, signed_at) VALUES (?, ?, ?, ?, ?, ?, 'signed', UTC_TIMESTAMP(6))`,
			x.Wallet[:], x.Nonce, x.Attempt, string(x.Kind), x.Hash[:], x.Raw)
		const before = "(SELECT id FROM broadcast WHERE wallet = ? AND nonce = ? AND attempt = ?)"
		if len(actions) > 0 {
			taken := "UPDATE JSON_TABLE(?, '$[*]' COLUMNS (id BIGINT PATH '$')) j STRAIGHT_JOIN action a ON a.id = j.id SET a.state = 'sent', a.broadcast = LAST_INSERT_ID() WHERE a.state = '" + was + "'"
			args := []any{list(actions)}
			if x.Attempt > 1 {
				taken, args = taken+" AND a.broadcast = "+before, append(args, x.Wallet[:], x.Nonce, x.Attempt-1)
			}
			b.must(int64(len(actions)), taken, args...)
			tell(b, "JSON_TABLE(?, '$[*]' COLUMNS (id BIGINT PATH '$')) j STRAIGHT_JOIN action a ON a.id = j.id", list(actions), t)
		}
		if x.Attempt > 1 {
			b.add("UPDATE action a LEFT JOIN task k ON k.work_id = a.work_id SET a.state = "+againSQL+", a.broadcast = NULL WHERE a.state = 'sent' AND a.broadcast = "+before,
				x.Wallet[:], x.Nonce, x.Attempt-1)
		}
		b.add("COMMIT")
		err := exec(ctx, conn, b)
		if number(err) == erDuplicate {
			err = errors.Join(errMoved, err)
		}
		return lostRace(fenced(ctx, conn, l, err))
	})
	if pool.KindOf(err) != pool.Conflict {
		return err
	}
	var there bool
	if asked := s.db.QueryRowContext(ctx, "SELECT COUNT(*) > 0 FROM broadcast WHERE hash = ?", x.Hash[:]).Scan(&there); asked != nil || !there {
		return errors.Join(err, failure("looking for a broadcast", asked))
	}
	return nil
}

// Settled stores what became of a broadcast that was not settled. Others with its
// nonce were replaced by it. What the actions of a mined one were to bring about is
// done, and shows at the next look; those of others are wanted again, after the
// next look. One round trip.
func (s *Store) Settled(ctx context.Context, l *pool.Lease, id int64, state pool.BroadcastState, r pool.Receipt, t pool.Trace) error {
	if state == pool.Signed {
		return fmt.Errorf("broadcast %d cannot be settled as %s", id, state)
	}
	return s.transact(ctx, "settling a broadcast", func(conn *sql.Conn) error {
		b := &statements{}
		b.add("START TRANSACTION")
		fence(b, l)
		b.add("UPDATE broadcast SET state = ?, block = ?, gas = ? WHERE id = ? AND state = 'signed'", string(state), r.Block, zeroNull(r.Gas), id)
		const rivals = `UPDATE broadcast b JOIN (SELECT wallet, nonce, state FROM broadcast WHERE id = ?) n ON b.wallet = n.wallet AND b.nonce = n.nonce AND n.state = ?
			SET b.state = 'replaced', b.block = ? WHERE b.id <> ? AND b.state = 'signed'`
		b.add(rivals, id, string(state), r.Block, id)
		// The actions of all that have its nonce: one that was replaced may hold some.
		const these = `(SELECT o.id, o.state FROM broadcast n JOIN broadcast o ON o.wallet = n.wallet AND o.nonce = n.nonce WHERE n.id = ? AND n.state = ?) o
			STRAIGHT_JOIN action a FORCE INDEX (action_broadcast) ON a.broadcast = o.id AND a.state = 'sent'`
		b.add("UPDATE "+these+` STRAIGHT_JOIN task k ON k.work_id = a.work_id SET k.look_at = `+touchedAt+`, k.touched = GREATEST(k.touched, ?)
			WHERE NOT k.final`, id, string(state), r.Block)
		b.add(`INSERT INTO event (at, kind, work_id, request_id, data) SELECT UTC_TIMESTAMP(6), CONCAT('action.', o.state), a.work_id, ?, JSON_QUOTE(CONCAT(a.kind, ' ', a.round))
			FROM `+these, orNull(t.RequestID), id, string(state))
		b.add("UPDATE "+these+" LEFT JOIN task k ON k.work_id = a.work_id SET a.state = IF(o.state = 'mined', 'done', "+againSQL+"), a.broadcast = IF(o.state = 'mined', a.broadcast, NULL)",
			id, string(state))
		b.add("COMMIT")
		return lostRace(fenced(ctx, conn, l, exec(ctx, conn, b)))
	})
}

// Recall takes back that broadcasts from a nonce on were settled: the chain no
// longer shows that they were mined. Their bytes are sent again.
func (s *Store) Recall(ctx context.Context, l *pool.Lease, wallet pool.Address, nonce uint64) error {
	return s.transact(ctx, "recalling broadcasts", func(conn *sql.Conn) error {
		b := &statements{}
		b.add("START TRANSACTION")
		fence(b, l)
		unsettle(b, "broadcast_once", "b.wallet = ? AND b.nonce >= ?", wallet[:], nonce)
		b.add("COMMIT")
		return lostRace(fenced(ctx, conn, l, exec(ctx, conn, b)))
	})
}

// unsettle adds the statements that take back that broadcasts b were settled; key is
// the one by which they are found.
func unsettle(b *statements, key, which string, args ...any) {
	these := "broadcast b FORCE INDEX (" + key + ")"
	b.add("UPDATE "+these+" STRAIGHT_JOIN action a FORCE INDEX (action_broadcast) ON a.broadcast = b.id AND a.state = 'done' SET a.state = 'sent' WHERE b.state = 'mined' AND "+which, args...)
	b.add("UPDATE "+these+" SET b.state = 'signed', b.block = NULL, b.gas = NULL WHERE "+which, args...)
}
