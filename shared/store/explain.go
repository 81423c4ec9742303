package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"workerpool/shared/draw"
	"workerpool/shared/placement"
	"workerpool/shared/pool"
	"workerpool/shared/reason"
)

// The bounds of what an explanation reads, however much there is.
const (
	maxAhead   = 10_000    // works counted before one
	maxRivals  = 100       // classes that they are counted in
	tail       = 2_000     // newest events looked at for the rate of offers
	lately     = time.Hour // and no older than that
	maxQueues  = 500       // classes that a worker is held against
	maxWaiting = 1_000     // works counted of one class
	frontWorks = 200       // works of one class looked at one by one
)

// WhyWork gives what there is to know of a work of a requester, or of anybody with
// requester 0, to explain where it is. Somebody else's is pool.NotFound. One round
// trip for a work that wants nothing, four at most otherwise.
func (s *Store) WhyWork(ctx context.Context, requester pool.AccountID, id pool.WorkID) (reason.Inquiry, error) {
	var q reason.Inquiry
	err := s.transact(ctx, "explaining a work", func(conn *sql.Conn) error {
		var err error
		if q, err = askWork(ctx, conn, requester, id); err != nil || q.Ready.Missing == 0 {
			return err
		}
		limits := placement.Snapshot{Batches: map[pool.BatchID]placement.Limit{}, Requesters: map[pool.AccountID]placement.Limit{}}
		if q.Batch.Max > 0 {
			limits.Batches[id.Batch()] = q.Batch
		}
		if q.Requester.Max > 0 {
			limits.Requesters[q.Work.Requester] = q.Requester
		}
		if len(limits.Batches)+len(limits.Requesters) > 0 {
			if err := countRunning(ctx, conn, &limits); err != nil {
				return err
			}
			q.Batch, q.Requester = limits.Batches[id.Batch()], limits.Requesters[q.Work.Requester]
		}
		return s.askRivals(ctx, conn, &q)
	})
	return q, err
}

// askWork reads the work, its place in the queue and its turns.
func askWork(ctx context.Context, conn *sql.Conn, requester pool.AccountID, id pool.WorkID) (reason.Inquiry, error) {
	var q reason.Inquiry
	b := &statements{}
	b.add("SELECT UTC_TIMESTAMP(6), state FROM pool_state WHERE id = 1")
	b.add("SELECT "+workColumns+`, COALESCE(r.missing, 0), b.boost, COALESCE(c.login, ''), b.max_running, COALESCE(g.max_running, 0),
			(SELECT COUNT(*) FROM input i WHERE i.batch_id = b.id AND NOT i.present)
		FROM work w JOIN batch b ON b.id = w.id >> 14 LEFT JOIN account c ON c.id = w.requester LEFT JOIN requester g ON g.account_id = w.requester
		LEFT JOIN ready r ON r.class_id = b.class_id AND r.queue_rank = `+rankSQL+` AND r.work_id = w.id
		WHERE w.id = ? AND (? = 0 OR w.requester = ?)`, int64(id), int64(requester), int64(requester))
	b.add("SELECT "+assignmentColumns+" FROM assignment a WHERE a.work_id = ? ORDER BY a.worker_id", int64(id))
	out, err := query(ctx, conn, b)
	if err != nil {
		return q, err
	}
	_, err = out.one(&q.Now, &q.State)
	err = errors.Join(err,
		out.each(func(rows *sql.Rows) error {
			var boost int64
			err := scanWork(rows, &q.Work, &q.Ready.Missing, &boost, &q.Ready.Login, &q.Batch.Max, &q.Requester.Max, &q.Inputs)
			q.Ready.Work, q.Ready.Rank, q.Ready.Start, q.Ready.Trust, q.Ready.Requester = q.Work.ID, q.Work.Rank, q.Work.Rank+boost, q.Work.Trust, q.Work.Requester
			return err
		}),
		out.each(func(rows *sql.Rows) error {
			var a pool.Assignment
			defer func() { q.Ready.Turns = append(q.Ready.Turns, a) }()
			return scanAssignment(rows, &a)
		}),
		out.close())
	if err == nil && q.Work.ID == 0 {
		err = pool.Refuse(pool.NotFound, "id", "no work %d", id)
	}
	return q, err
}

// liveSQL reads the workers with a live lease.
const liveSQL = `SELECT w.id, ` + ownerSQL + `, w.state, w.slots, w.quota, w.capabilities, w.wallet IS NOT NULL, t.until, t.interval_s, COALESCE(o.open, 0)
	FROM beat t JOIN worker w ON w.id = t.worker_id JOIN account c ON c.id = w.account_id
	LEFT JOIN (SELECT worker_id, COUNT(*) AS open FROM assignment WHERE state IN ('offered', 'running') GROUP BY worker_id) o ON o.worker_id = w.id
	WHERE NOT c.disabled AND t.until > UTC_TIMESTAMP(6)`

func (s *Store) scanLive(rows *sql.Rows, more ...any) (pool.Worker, error) {
	var w pool.Worker
	var capabilities []byte
	var interval int64
	var wallet bool
	err := rows.Scan(append([]any{&w.ID, &w.Owner, &w.State, &w.Slots, &w.Quota, &capabilities, &wallet, &w.Until, &interval, &w.Open}, more...)...)
	if err != nil {
		return w, err
	}
	w.Interval = time.Duration(interval) * time.Second
	w.Capabilities, err = s.stated.read(capabilities)
	w.Capabilities.Wallet = wallet
	return w, err
}

// askRivals reads the workers, what is ahead of the work in the queues that they
// serve as well, and how fast works of these queues went lately.
func (s *Store) askRivals(ctx context.Context, conn *sql.Conn, q *reason.Inquiry) error {
	b := &statements{}
	b.add(liveSQL)
	b.add(readyClassesSQL)
	out, err := query(ctx, conn, b)
	if err != nil {
		return err
	}
	classes := []pool.ClassID{q.Work.Class}
	err = errors.Join(
		out.each(func(rows *sql.Rows) error {
			w, err := s.scanLive(rows)
			q.Workers = append(q.Workers, w)
			return err
		}),
		out.each(func(rows *sql.Rows) error {
			var id pool.ClassID
			defer func() { classes = append(classes, id) }()
			return rows.Scan(&id)
		}),
		out.close())
	if err != nil {
		return err
	}
	known, err := s.demands(ctx, conn, classes)
	if err != nil {
		return err
	}
	q.Demands = known[q.Work.Class]
	rivals := reason.Rivals(q.Work.Class, q.Workers, known)
	cut := len(rivals) > maxRivals
	return askAhead(ctx, conn, q, rivals[:min(len(rivals), maxRivals)], cut)
}

// askAhead counts what is before the work and reads when works of the same
// queues were given assignments.
func askAhead(ctx context.Context, conn *sql.Conn, q *reason.Inquiry, rivals []pool.ClassID, cut bool) error {
	var arms []string
	var args, ids []any
	for _, id := range rivals {
		arms = append(arms, `(SELECT missing FROM ready WHERE class_id = ? AND (queue_rank < ? OR (queue_rank = ? AND work_id < ?))
			ORDER BY class_id, queue_rank, work_id LIMIT ?)`)
		args = append(args, int64(id), q.Work.Rank, q.Work.Rank, int64(q.Work.ID), maxAhead+1)
		ids = append(ids, int64(id))
	}
	const newest = "(SELECT at, kind, work_id FROM event ORDER BY id DESC LIMIT ?) e"
	b := &statements{}
	b.add("SELECT COUNT(*), COALESCE(SUM(u.missing), 0) FROM ("+strings.Join(arms, " UNION ALL ")+" LIMIT ?) u", append(args, maxAhead+1)...)
	b.add("SELECT GREATEST(MIN(e.at), UTC_TIMESTAMP(6) - INTERVAL ? MICROSECOND) FROM "+newest, lately.Microseconds(), tail)
	b.add(`SELECT e.at FROM `+newest+` JOIN batch b ON b.id = e.work_id >> 14 WHERE e.kind = 'assignment.offered'
		AND e.at >= UTC_TIMESTAMP(6) - INTERVAL ? MICROSECOND AND b.class_id IN (?`+strings.Repeat(", ?", len(ids)-1)+")",
		append([]any{tail, lately.Microseconds()}, ids...)...)
	out, err := query(ctx, conn, b)
	if err != nil {
		return err
	}
	var since sql.NullTime
	_, err = out.one(&q.Ahead.Works, &q.Ahead.Wanted)
	if err == nil {
		_, err = out.one(&since)
	}
	err = errors.Join(err,
		out.each(func(rows *sql.Rows) error {
			var at time.Time
			defer func() { q.Offers = append(q.Offers, at) }()
			return rows.Scan(&at)
		}),
		out.close())
	q.Since = since.Time
	if q.Ahead.More = cut || q.Ahead.Works > maxAhead; q.Ahead.Works > maxAhead {
		q.Ahead.Works = maxAhead
	}
	return err
}

// WhyWorker gives what there is to know of a worker to explain why it has no more
// work: one of an account that is not shared, or any with account 0. Another's is
// pool.NotFound.
func (s *Store) WhyWorker(ctx context.Context, account pool.AccountID, id pool.WorkerID) (reason.Look, error) {
	var l reason.Look
	err := s.transact(ctx, "explaining a worker", func(conn *sql.Conn) error {
		l = reason.Look{}
		var classes []pool.ClassID
		b := &statements{}
		b.add("SELECT UTC_TIMESTAMP(6), state FROM pool_state WHERE id = 1")
		b.add(`SELECT w.id, `+ownerSQL+`, w.state, w.slots, w.quota, w.capabilities, w.wallet IS NOT NULL, t.until, t.interval_s,
				(SELECT COUNT(*) FROM assignment a WHERE a.worker_id = w.id AND a.state IN ('offered', 'running')), c.disabled
			FROM worker w JOIN account c ON c.id = w.account_id JOIN beat t ON t.worker_id = w.id
			WHERE w.id = ? AND (? = 0 OR w.account_id = ? AND NOT c.shared)`, int64(id), int64(account), int64(account))
		b.add(liveSQL + " AND w.state = 'active' AND LEAST(w.slots, w.quota) > COALESCE(o.open, 0)")
		b.add(readyClassesSQL)
		out, err := query(ctx, conn, b)
		if err != nil {
			return err
		}
		_, err = out.one(&l.Now, &l.State)
		err = errors.Join(err,
			out.each(func(rows *sql.Rows) (err error) {
				l.Worker, err = s.scanLive(rows, &l.Disabled)
				return err
			}),
			out.each(func(rows *sql.Rows) error {
				w, err := s.scanLive(rows)
				l.Workers = append(l.Workers, w)
				return err
			}),
			out.each(func(rows *sql.Rows) error {
				var id pool.ClassID
				defer func() { classes = append(classes, id) }()
				return rows.Scan(&id)
			}),
			out.close())
		switch {
		case err != nil:
			return err
		case l.Worker.ID == 0:
			return pool.Refuse(pool.NotFound, "id", "no worker %d", id)
		case len(classes) == 0:
			return nil
		}
		return s.askQueues(ctx, conn, &l, classes)
	})
	return l, err
}

// askQueues counts what waits in each class and reads the fronts of those that the
// worker can run.
func (s *Store) askQueues(ctx context.Context, conn *sql.Conn, l *reason.Look, classes []pool.ClassID) error {
	slices.Sort(classes)
	classes = classes[:min(len(classes), maxQueues)]
	known, err := s.demands(ctx, conn, classes)
	if err != nil {
		return err
	}
	var arms []string
	var args []any
	for _, id := range classes {
		arms = append(arms, "SELECT ?, COUNT(*) FROM (SELECT 1 FROM ready WHERE class_id = ? LIMIT ?) n")
		args = append(args, int64(id), int64(id), maxWaiting+1)
	}
	b := &statements{}
	b.add(strings.Join(arms, " UNION ALL "), args...)
	out, err := query(ctx, conn, b)
	if err != nil {
		return err
	}
	err = errors.Join(out.each(func(rows *sql.Rows) error {
		var q reason.Queue
		err := rows.Scan(&q.ID, &q.Works)
		q.Demands, q.More, q.Works = known[q.ID], q.Works > maxWaiting, min(q.Works, maxWaiting)
		l.Queues = append(l.Queues, q)
		return err
	}), out.close())
	if err != nil {
		return err
	}
	fronts := placement.Snapshot{}
	for _, q := range l.Queues {
		if placement.Meets(l.Worker.Capabilities, q.Demands) && len(fronts.Classes) < maxClasses {
			fronts.Classes = append(fronts.Classes, q.Class)
		}
	}
	if _, err := readyWorks(ctx, conn, &fronts, frontWorks, placement.Bookmark{0: {}}); err != nil {
		return err
	}
	l.Batches, l.Requesters = fronts.Batches, fronts.Requesters
	for _, c := range fronts.Classes {
		for i := range l.Queues {
			if l.Queues[i].ID == c.ID {
				l.Queues[i].Ready = c.Ready
			}
		}
	}
	return nil
}

// Drawing gives how a worker last came to a work, with what the pass saw as long
// as that is kept. pool.NotFound when it never did.
func (s *Store) Drawing(ctx context.Context, work pool.WorkID, worker pool.WorkerID) (reason.Drawing, error) {
	d := reason.Drawing{Work: work, Worker: worker}
	err := s.transact(ctx, "reading a draw", func(conn *sql.Conn) error {
		var words string
		err := conn.QueryRowContext(ctx, `SELECT at, data FROM event WHERE work_id = ? AND worker_id = ? AND kind = 'assignment.offered' ORDER BY id DESC LIMIT 1`,
			int64(work), int64(worker)).Scan(&d.At, &words)
		if errors.Is(err, sql.ErrNoRows) {
			return pool.Refuse(pool.NotFound, "id", "work %d was never offered to worker %d", work, worker)
		}
		if err != nil {
			return err
		}
		if _, err := fmt.Sscanf(words, "seed %d attempt %d", &d.Seed, &d.Attempt); err != nil {
			return fmt.Errorf("reading the event %q: %w", words, err)
		}
		var packed []byte
		err = conn.QueryRowContext(ctx, "SELECT snapshot FROM draw WHERE seed = ? AND at <= ? ORDER BY id DESC LIMIT 1", d.Seed, d.At).Scan(&packed)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		snapshot, err := draw.Decode(packed)
		d.Snapshot = &snapshot
		return err
	})
	return d, err
}

// ForgetDraws looks at the limit oldest of what passes saw, removes those that are
// older than that or beyond the newest so many, and gives how many it removed. They
// are stored as time goes, so the oldest are first.
func (s *Store) ForgetDraws(ctx context.Context, older time.Duration, newest, limit int) (int, error) {
	removed := 0
	err := s.transact(ctx, "forgetting draws", func(conn *sql.Conn) error {
		out, err := conn.ExecContext(ctx, `DELETE d FROM (SELECT id, at FROM draw ORDER BY id LIMIT ?) f STRAIGHT_JOIN draw d ON d.id = f.id
			WHERE f.at < UTC_TIMESTAMP(6) - INTERVAL ? MICROSECOND OR f.id <= (SELECT n.id - ? FROM (SELECT MAX(id) AS id FROM draw) n)`,
			limit, older.Microseconds(), newest)
		if err != nil {
			return err
		}
		n, err := out.RowsAffected()
		removed = int(n)
		return err
	})
	return removed, err
}
