package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"

	"workerpool/shared/pool"
)

// Work gives a work of a requester, or of anybody with requester 0, with its
// assignments in order of worker. Somebody else's is pool.NotFound.
func (s *Store) Work(ctx context.Context, requester pool.AccountID, id pool.WorkID) (pool.Work, []pool.Assignment, error) {
	var work pool.Work
	var turns []pool.Assignment
	err := s.transact(ctx, "reading a work", func(conn *sql.Conn) error {
		work, turns = pool.Work{}, nil
		b := &statements{}
		b.add("SELECT "+workColumns+" FROM work w JOIN batch b ON b.id = w.id >> 14 WHERE w.id = ? AND (? = 0 OR w.requester = ?)",
			int64(id), int64(requester), int64(requester))
		b.add(`SELECT `+assignmentColumns+` FROM assignment a WHERE a.work_id = ? UNION ALL
			SELECT p.work_id, p.worker_id, p.owner, p.attempt, p.state, p.started, NULL, NULL, p.digest, p.size, p.reason, p.file, NULL
			FROM past_assignment p WHERE p.work_id = ? ORDER BY worker_id`, int64(id), int64(id))
		out, err := query(ctx, conn, b)
		if err != nil {
			return err
		}
		err = errors.Join(
			out.each(func(rows *sql.Rows) error { return scanWork(rows, &work) }),
			out.each(func(rows *sql.Rows) error {
				var a pool.Assignment
				defer func() { turns = append(turns, a) }()
				return scanAssignment(rows, &a)
			}),
			out.close())
		if err == nil && work.ID == 0 {
			return pool.Refuse(pool.NotFound, "id", "no work %d", id)
		}
		return err
	})
	return work, turns, err
}

// Works gives a page of works, ascending by id after After.
func (s *Store) Works(ctx context.Context, f pool.WorkFilter) ([]pool.Work, error) {
	where, args := "w.id > ?", []any{int64(f.After)}
	if f.Requester != 0 {
		where, args = where+" AND w.requester = ?", append(args, int64(f.Requester))
	}
	if f.Batch != 0 {
		where, args = where+" AND w.id BETWEEN ? AND ?", append(args, int64(f.Batch.Work(0)), int64(f.Batch.Work(pool.MaxBatch-1)))
	}
	if f.State != "" {
		where, args = where+" AND w.state = ?", append(args, string(f.State))
	}
	rows, err := s.db.QueryContext(ctx, "SELECT "+workColumns+" FROM work w JOIN batch b ON b.id = w.id >> 14 WHERE "+where+" ORDER BY w.id LIMIT ?",
		append(args, f.Limit)...)
	if err != nil {
		return nil, failure("listing works", err)
	}
	defer rows.Close()
	var page []pool.Work
	for rows.Next() {
		var w pool.Work
		if err := scanWork(rows, &w); err != nil {
			return nil, failure("listing works", err)
		}
		page = append(page, w)
	}
	return page, failure("listing works", rows.Err())
}

// Census counts. It reads every work that has not ended: keep its answer a while.
func (s *Store) Census(ctx context.Context) (pool.Census, error) {
	var c pool.Census
	err := s.transact(ctx, "counting the pool", func(conn *sql.Conn) error {
		c = pool.Census{Works: map[pool.WorkState]int{}}
		b := &statements{}
		b.add("SELECT state, COUNT(*) FROM work WHERE open_until IS NOT NULL GROUP BY state")
		b.add(`SELECT COUNT(*), COALESCE(SUM(w.slots), 0), (SELECT COUNT(*) FROM assignment WHERE state IN ('offered', 'running'))
			FROM worker w JOIN beat t ON t.worker_id = w.id WHERE w.state = 'active' AND t.until > UTC_TIMESTAMP(6)`)
		b.add("SELECT state FROM pool_state")
		out, err := query(ctx, conn, b)
		if err != nil {
			return err
		}
		err = out.each(func(rows *sql.Rows) error {
			var state pool.WorkState
			var n int
			if err := rows.Scan(&state, &n); err != nil {
				return err
			}
			c.Works[state] = n
			return nil
		})
		if err == nil {
			_, err = out.one(&c.Workers, &c.Slots, &c.Open)
		}
		if err == nil {
			_, err = out.one(&c.State)
		}
		return errors.Join(err, out.close())
	})
	return c, err
}

// Ping sees that the database answers.
func (s *Store) Ping(ctx context.Context) error {
	return failure("asking the database", s.db.PingContext(ctx))
}

// Archive moves the assignments of up to limit ended works out of the table of
// what runs, adding what became of them to their workers' tallies, and gives how
// many rows it moved. Ended works never change, so nothing is missed: whoever locks
// the rows first moves them, and others at the same time find them gone.
func (s *Store) Archive(ctx context.Context, limit int) (int, error) {
	moved := 0
	err := s.transact(ctx, "archiving assignments", func(conn *sql.Conn) error {
		moved = 0
		works, err := endedWorks(ctx, conn, limit)
		if err != nil || len(works) == 0 {
			return err
		}
		const these = "(SELECT l.id FROM JSON_TABLE(?, '$[*]' COLUMNS (id BIGINT PATH '$')) l) j" // see lockLives
		ids := list(works)
		b := &statements{}
		b.add("START TRANSACTION")
		b.add(`INSERT INTO past_assignment (work_id, worker_id, owner, attempt, state, started, digest, size, file, reason)
			SELECT a.work_id, a.worker_id, a.owner, a.attempt, a.state, a.started, a.digest, a.size, a.file, a.reason
			FROM `+these+` STRAIGHT_JOIN assignment a ON a.work_id = j.id FOR UPDATE`, ids)
		b.add("SELECT ROW_COUNT()")
		b.add(`INSERT INTO tally (worker_id, agreed, disagreed, failed, lost)
			SELECT n.worker_id, n.agreed, n.disagreed, n.failed, n.lost FROM (SELECT a.worker_id, `+tallySQL+`
				FROM `+these+` STRAIGHT_JOIN assignment a ON a.work_id = j.id JOIN work k ON k.id = a.work_id GROUP BY a.worker_id) n
			ON DUPLICATE KEY UPDATE agreed = tally.agreed + n.agreed, disagreed = tally.disagreed + n.disagreed,
				failed = tally.failed + n.failed, lost = tally.lost + n.lost`, ids)
		b.add("DELETE a FROM "+these+" STRAIGHT_JOIN assignment a ON a.work_id = j.id", ids)
		b.add("COMMIT")
		out, err := query(ctx, conn, b)
		if err != nil {
			return err
		}
		_, err = out.one(&moved)
		return errors.Join(err, out.close())
	})
	return moved, err
}

func endedWorks(ctx context.Context, conn *sql.Conn, limit int) (works []int64, err error) {
	found, err := conn.QueryContext(ctx, `SELECT a.work_id FROM assignment a JOIN work w ON w.id = a.work_id
		WHERE w.state IN ('done', 'failed', 'cancelled') GROUP BY a.work_id LIMIT ?`, limit)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	for found.Next() {
		var id int64
		if err := found.Scan(&id); err != nil {
			return nil, err
		}
		works = append(works, id)
	}
	slices.Sort(works)
	return works, found.Err()
}
