package store

import (
	"context"
	"database/sql"
	"errors"

	"workerpool/shared/pool"
	"workerpool/shared/wire"
)

const errandColumns = "kind, asked, from_block, account_id, asked_at, done, done_at, answer"

func scanErrand(row *sql.Row) (pool.Errand, error) {
	var e pool.Errand
	var doneAt sql.NullTime
	var answer []byte
	if err := row.Scan(&e.Kind, &e.Number, &e.From, &e.AskedBy, &e.Asked, &e.Done, &doneAt, &answer); err != nil {
		return pool.Errand{}, err
	}
	if e.DoneAt = doneAt.Time; answer == nil {
		return e, nil
	}
	var err error
	e.Answer, err = wire.DecodeAnswer(answer)
	return e, err
}

// AskErrand asks for an errand and gives it; one of its kind that is still to be
// done stands for both. pool.Conflict when that one is to begin at another block.
// Two round trips.
func (s *Store) AskErrand(ctx context.Context, kind pool.ErrandKind, from uint64, t pool.Trace) (pool.Errand, error) {
	err := s.transact(ctx, "asking for an errand", func(conn *sql.Conn) error {
		b := &statements{}
		b.add("START TRANSACTION")
		// Assigned from left to right: asked last, by which the others tell.
		b.add(`INSERT INTO errand (kind, asked, asked_at, account_id, from_block) VALUES (?, 1, UTC_TIMESTAMP(6), ?, ?)
			ON DUPLICATE KEY UPDATE asked_at = IF(asked > done, asked_at, UTC_TIMESTAMP(6)), account_id = IF(asked > done, account_id, ?),
				from_block = IF(asked > done, from_block, ?), asked = IF(asked > done, asked, asked + 1)`,
			string(kind), int64(t.Account), from, int64(t.Account), from)
		b.add("INSERT INTO event (at, kind, account_id, request_id, data) VALUES (UTC_TIMESTAMP(6), ?, ?, ?, ?)", "chain."+string(kind), int64(t.Account), t.RequestID, list(from))
		b.add("COMMIT")
		return exec(ctx, conn, b)
	})
	if err != nil {
		return pool.Errand{}, err
	}
	e, err := s.Errand(ctx, kind)
	if err == nil && e.Pending() && e.From != from {
		err = pool.Refuse(pool.Conflict, "from_block", "a %s from block %d on is to be done first", kind, e.From)
	}
	return e, err
}

// Errand gives the last errand of a kind; pool.NotFound when none was asked for.
func (s *Store) Errand(ctx context.Context, kind pool.ErrandKind) (pool.Errand, error) {
	e, err := scanErrand(s.db.QueryRowContext(ctx, "SELECT "+errandColumns+" FROM errand WHERE kind = ?", string(kind)))
	if errors.Is(err, sql.ErrNoRows) {
		return e, pool.Refuse(pool.NotFound, "errand", "no %s was asked for yet", kind)
	}
	return e, failure("reading an errand", err)
}

// NextErrand gives the one that waits longest; found is false when none does.
func (s *Store) NextErrand(ctx context.Context) (e pool.Errand, found bool, err error) {
	e, err = scanErrand(s.db.QueryRowContext(ctx, "SELECT "+errandColumns+" FROM errand WHERE asked > done ORDER BY asked_at, kind LIMIT 1"))
	if errors.Is(err, sql.ErrNoRows) {
		return e, false, nil
	}
	return e, err == nil, failure("looking for an errand", err)
}

// ErrandDone keeps what came of an errand. Another that has done it meanwhile, or
// one asked for since, is no matter.
func (s *Store) ErrandDone(ctx context.Context, l *pool.Lease, e pool.Errand) error {
	answer, err := wire.EncodeAnswer(e.Answer)
	if err != nil {
		return err
	}
	return s.transact(ctx, "keeping what came of an errand", func(conn *sql.Conn) error {
		b := &statements{}
		b.add("START TRANSACTION")
		fence(b, l)
		b.add("UPDATE errand SET done = ?, done_at = UTC_TIMESTAMP(6), answer = ? WHERE kind = ? AND done < ?", e.Number, string(answer), string(e.Kind), e.Number)
		b.add("COMMIT")
		return lostRace(fenced(ctx, conn, l, exec(ctx, conn, b)))
	})
}

// FirstDeal gives the earliest block in which the books have a deal; 0 = they have
// none.
func (s *Store) FirstDeal(ctx context.Context) (uint64, error) {
	var block uint64
	err := s.db.QueryRowContext(ctx, "SELECT COALESCE(MIN(block), 0) FROM deal").Scan(&block)
	return block, failure("looking for the first deal", err)
}

// Rebuild lets the chain be followed again behind a block: all deals matched behind
// it count as unsure until they are seen again, also settled ones, and all of their
// tasks are to be looked at anew, also those that could no longer change. What the
// chain shows of a deal or task of that id takes the place of what the books had;
// until then nothing is decided on it. Works, assignments, the pool's words for
// workers and what was sent to the chain stay: the chain does not tell them.
func (s *Store) Rebuild(ctx context.Context, l *pool.Lease, from, to pool.Block, t pool.Trace) error {
	return s.transact(ctx, "rebuilding the books of deals", func(conn *sql.Conn) error {
		b := &statements{}
		b.add("START TRANSACTION")
		fence(b, l)
		moveCursor(b, from, to, to.Time)
		b.add(`UPDATE deal d STRAIGHT_JOIN task k ON k.deal = d.id SET k.final = FALSE, k.seen_block = 0, k.touched = ?, k.look_at = `+touchedAt+`
			WHERE d.block > ? AND d.state <> 'gone'`, to.Number+1, to.Number)
		b.add("UPDATE deal SET on_chain = FALSE, state = IF(state = 'settled', 'open', state) WHERE block > ? AND state <> 'gone'", to.Number)
		b.must(1, "INSERT INTO event (at, kind, account_id, data) VALUES (UTC_TIMESTAMP(6), 'chain.rebuilding', ?, ?)",
			int64(t.Account), list(map[string]uint64{"from": from.Number, "to": to.Number}))
		b.add("COMMIT")
		return lostRace(fenced(ctx, conn, l, exec(ctx, conn, b)))
	})
}
