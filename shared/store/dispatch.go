package store

import (
	"context"
	"database/sql"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"workerpool/shared/placement"
	"workerpool/shared/pool"
	"workerpool/shared/wire"
)

// Dispatch looks at live workers and at up to limit ready works that they can
// run, lets decide match them and stores the plan if the rows are still as they
// were seen. It moves the bookmark past works that were seen in vain, and to the beginning after a plan. decide must be a
// function of the snapshot. Three round trips with a plan, two without.
func (s *Store) Dispatch(ctx context.Context, l *pool.Lease, limit int, bookmark placement.Bookmark, seed uint64, t pool.Trace,
	decide func(placement.Snapshot) placement.Plan,
) (placement.Pass, error) {
	var pass placement.Pass
	var seen pages
	err := s.transact(ctx, "dispatching", func(conn *sql.Conn) error {
		pass, seen = placement.Pass{}, pages{}
		found, err := s.supply(ctx, conn, limit, bookmark)
		if err != nil {
			return err
		}
		if found.sweep.Hold() {
			pass.Held, err = hold(ctx, conn, found.sweep, t)
			return err
		}
		if err := swept(ctx, conn, found.sweep); err != nil {
			return err
		}
		if len(found.over) > 0 {
			pass.Over = found.over
			return nil
		}
		snapshot := found.snapshot
		if seen, err = readyWorks(ctx, conn, &snapshot, limit, bookmark); err != nil {
			return err
		}
		pass.Exhausted = !found.more && seen.end()
		plan := decide(snapshot)
		seen.leaveOut(placement.Full(snapshot, plan))
		if len(plan.Offers) == 0 {
			return nil
		}
		if err := apply(ctx, conn, l, snapshot, plan, seed, t); err != nil {
			return err
		}
		pass.Offers = len(plan.Offers)
		return nil
	})
	if errors.Is(err, errMoved) {
		return placement.Pass{Moved: true}, nil
	}
	switch {
	case err == nil && pass.Offers > 0:
		clear(bookmark) // there may be room for works that were passed over for want of it
	case err == nil:
		maps.Copy(bookmark, seen)
	}
	return pass, err
}

// supplies is what a pass reads first.
type supplies struct {
	snapshot placement.Snapshot
	sweep    placement.Sweep
	over     []pool.WorkID
	more     bool // there are classes for a later pass
}

// maxClasses is how many queues one pass looks at: those with the smallest ranks.
const maxClasses = 64

// supply reads the pool's state, the workers with room, the classes that have ready
// works which one of these workers can run and that the bookmark is not at the end
// of, and the works with something over.
func (s *Store) supply(ctx context.Context, conn *sql.Conn, limit int, bookmark placement.Bookmark) (supplies, error) {
	var found supplies
	var classes []pool.ClassID
	b := &statements{}
	b.add(`SELECT UTC_TIMESTAMP(6), p.state, p.swept_at, p.held_at,
		(SELECT COUNT(*) FROM beat WHERE until > UTC_TIMESTAMP(6)),
		(SELECT COUNT(*) FROM beat t JOIN worker w ON w.id = t.worker_id
			WHERE t.until <= UTC_TIMESTAMP(6) AND t.until > UTC_TIMESTAMP(6) - INTERVAL ? MICROSECOND AND w.state <> 'inactive')
		FROM pool_state p WHERE p.id = 1`, placement.LossWindow.Microseconds())
	b.add(`(SELECT id FROM work WHERE open_until <= UTC_TIMESTAMP(6) LIMIT ?) UNION
		(SELECT a.work_id FROM assignment a LEFT JOIN beat t ON t.worker_id = a.worker_id WHERE a.state IN ('offered', 'running', 'reported', 'uploading', 'checking')
			AND (a.start_by <= UTC_TIMESTAMP(6) OR a.run_by <= UTC_TIMESTAMP(6) OR a.state <> 'reported' AND t.until <= UTC_TIMESTAMP(6)) LIMIT ?)`, limit, limit)
	b.add(`SELECT w.id, ` + ownerSQL + `, w.state, w.slots, w.quota, w.capabilities, w.wallet IS NOT NULL, t.until, t.interval_s, COALESCE(o.open, 0)
		FROM worker w JOIN account c ON c.id = w.account_id JOIN beat t ON t.worker_id = w.id
		LEFT JOIN (SELECT worker_id, COUNT(*) AS open FROM assignment WHERE state IN ('offered', 'running') GROUP BY worker_id) o ON o.worker_id = w.id
		WHERE w.state = 'active' AND NOT c.disabled AND t.until > UTC_TIMESTAMP(6) AND LEAST(w.slots, w.quota) > COALESCE(o.open, 0)`)
	b.add(`SELECT f.id FROM (SELECT l.id, (SELECT r.queue_rank FROM ready r WHERE r.class_id = l.id ORDER BY r.class_id, r.queue_rank, r.work_id LIMIT 1) AS front
		FROM class l) f WHERE f.front IS NOT NULL ORDER BY f.front, f.id`)
	out, err := query(ctx, conn, b)
	if err != nil {
		return found, err
	}
	var held sql.NullTime
	_, err = out.one(&found.snapshot.Now, &found.snapshot.State, &found.sweep.Last, &held, &found.sweep.Live, &found.sweep.Lost)
	found.sweep.Now, found.sweep.Held = found.snapshot.Now, held.Time
	err = errors.Join(err,
		out.each(func(rows *sql.Rows) error {
			var id pool.WorkID
			defer func() { found.over = append(found.over, id) }()
			return rows.Scan(&id)
		}),
		out.each(func(rows *sql.Rows) error {
			var w pool.Worker
			var capabilities []byte
			var interval int64
			var wallet bool
			if err := rows.Scan(&w.ID, &w.Owner, &w.State, &w.Slots, &w.Quota, &capabilities, &wallet, &w.Until, &interval, &w.Open); err != nil {
				return err
			}
			w.Interval = time.Duration(interval) * time.Second
			w.Capabilities, err = s.stated.read(capabilities)
			w.Capabilities.Wallet = wallet
			found.snapshot.Workers = append(found.snapshot.Workers, w)
			return err
		}),
		out.each(func(rows *sql.Rows) error {
			var id pool.ClassID
			defer func() { classes = append(classes, id) }()
			return rows.Scan(&id)
		}),
		out.close())
	if err != nil || len(found.over) > 0 || len(found.snapshot.Workers) == 0 || found.snapshot.State != pool.PoolActive {
		return found, err
	}
	known, err := s.demands(ctx, conn, classes)
	for _, id := range classes {
		if bookmark[id].End || !slices.ContainsFunc(found.snapshot.Workers, func(w pool.Worker) bool { return placement.Eligible(found.snapshot.Now, w, known[id]) }) {
			continue
		}
		if found.more = len(found.snapshot.Classes) == maxClasses; found.more {
			break
		}
		found.snapshot.Classes = append(found.snapshot.Classes, placement.Class{ID: id, Demands: known[id]})
	}
	return found, err
}

// stated remembers what texts of capabilities say: most workers of a pool state
// the same, and reading ten thousand texts at every pass would take longer than
// the match.
type stated struct {
	mu    sync.Mutex
	known map[string]pool.Capabilities
}

const maxStated = 1_000 // texts; beyond it memory would grow with every worker that ever came

func (s *stated) read(text []byte) (pool.Capabilities, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c, ok := s.known[string(text)]; ok {
		return c, nil
	}
	c, err := wire.DecodeCapabilities(text)
	if err != nil {
		return c, err
	}
	if s.known == nil || len(s.known) >= maxStated {
		s.known = map[string]pool.Capabilities{}
	}
	s.known[string(text)] = c
	return c, nil
}

// sweepEvery is how often a pass notes that it looked.
const sweepEvery = 10 * time.Second

// swept notes that leases were looked at, how many workers live, and that an outage
// is over.
func swept(ctx context.Context, conn *sql.Conn, s placement.Sweep) error {
	if s.Now.Sub(s.Last) < sweepEvery {
		return nil
	}
	_, err := conn.ExecContext(ctx, "UPDATE pool_state SET swept_at = UTC_TIMESTAMP(6), live_workers = ?, held_at = IF(?, NULL, held_at) WHERE id = 1",
		s.Live, s.Over())
	return err
}

// hold gives every lease that would end in a mass loss one full period from now,
// and what these workers hold the time to be told of, and gives how many.
func hold(ctx context.Context, conn *sql.Conn, s placement.Sweep, t pool.Trace) (int, error) {
	since := stamp(s.Since())
	b := &statements{}
	b.add("START TRANSACTION")
	b.must(1, "UPDATE pool_state SET held_at = UTC_TIMESTAMP(6), swept_at = UTC_TIMESTAMP(6) WHERE id = 1 AND held_at IS NULL")
	b.add(`UPDATE beat t JOIN worker w ON w.id = t.worker_id JOIN assignment a ON a.worker_id = t.worker_id
		SET a.start_by = GREATEST(a.start_by, UTC_TIMESTAMP(6) + INTERVAL 4 * t.interval_s SECOND),
			a.run_by = GREATEST(a.run_by, UTC_TIMESTAMP(6) + INTERVAL 4 * t.interval_s SECOND)
		WHERE t.until > ? AND w.state <> 'inactive' AND a.state IN ('offered', 'running', 'uploading', 'checking')`, since)
	b.add(`UPDATE beat t JOIN worker w ON w.id = t.worker_id SET t.until = GREATEST(t.until, UTC_TIMESTAMP(6) + INTERVAL 4 * t.interval_s SECOND)
		WHERE t.until > ? AND w.state <> 'inactive'`, since)
	b.add("SELECT ROW_COUNT()")
	b.must(1, "INSERT INTO event (at, kind, request_id, data) VALUES (UTC_TIMESTAMP(6), 'pool.held', ?, ?)", orNull(t.RequestID),
		list(map[string]int{"live": s.Live, "lost": s.Lost}))
	b.add("COMMIT")
	out, err := query(ctx, conn, b)
	if number(err) == erOutOfRange {
		return 0, errors.Join(errMoved, err)
	}
	if err != nil {
		return 0, err
	}
	held := 0
	err = out.each(func(*sql.Rows) error { return nil })
	if err == nil {
		_, err = out.one(&held)
	}
	return held, errors.Join(err, out.close())
}
