package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"workerpool/shared/placement"
	"workerpool/shared/pool"
	"workerpool/shared/wire"
)

// Dispatch looks at live workers and at up to limit ready works that they can
// run, lets decide match them and stores the plan if the rows are still as they
// were seen. It moves the bookmark past works that were seen. decide must be a
// function of the snapshot. Three round trips with a plan, two without.
func (s *Store) Dispatch(ctx context.Context, l *pool.Lease, limit int, bookmark placement.Bookmark, seed uint64, t pool.Trace,
	decide func(placement.Snapshot) placement.Plan,
) (placement.Pass, error) {
	var pass placement.Pass
	var seen []readyPage
	err := s.transact(ctx, "dispatching", func(conn *sql.Conn) error {
		pass, seen = placement.Pass{}, nil
		snapshot, over, err := s.supply(ctx, conn, limit)
		if err != nil {
			return err
		}
		if len(over) > 0 {
			pass.Over = over
			return nil
		}
		seen, err = readyWorks(ctx, conn, &snapshot, limit, bookmark)
		if err != nil {
			return err
		}
		pass.Exhausted = true
		for _, page := range seen {
			pass.Exhausted = pass.Exhausted && page.last
		}
		plan := decide(snapshot)
		if len(plan.Offers) == 0 {
			return nil
		}
		if err := apply(ctx, conn, l, plan, seed, t); err != nil {
			return err
		}
		pass.Offers = len(plan.Offers)
		return nil
	})
	if errors.Is(err, errMoved) {
		return placement.Pass{Moved: true}, nil
	}
	if err == nil && pass.Over == nil {
		for _, page := range seen {
			bookmark[page.class] = page.end
		}
	}
	return pass, err
}

// supply reads the workers with free slots, the classes that have ready works
// and that one of these workers can run, and the works with something over.
func (s *Store) supply(ctx context.Context, conn *sql.Conn, limit int) (placement.Snapshot, []pool.WorkID, error) {
	var snapshot placement.Snapshot
	var over []pool.WorkID
	var classes []pool.ClassID
	b := &statements{}
	b.add("SELECT UTC_TIMESTAMP(6)")
	b.add(`(SELECT id FROM work WHERE open_until <= UTC_TIMESTAMP(6) LIMIT ?) UNION
		(SELECT a.work_id FROM assignment a LEFT JOIN beat t ON t.worker_id = a.worker_id WHERE a.state IN ('offered', 'running', 'uploading')
			AND (a.start_by <= UTC_TIMESTAMP(6) OR a.run_by <= UTC_TIMESTAMP(6) OR t.until <= UTC_TIMESTAMP(6)) LIMIT ?)`, limit, limit)
	b.add(`SELECT w.id, ` + ownerSQL + `, w.state, w.slots, w.capabilities, t.until, t.interval_s, COALESCE(o.open, 0)
		FROM worker w JOIN account c ON c.id = w.account_id JOIN beat t ON t.worker_id = w.id
		LEFT JOIN (SELECT worker_id, COUNT(*) AS open FROM assignment WHERE state IN ('offered', 'running') GROUP BY worker_id) o ON o.worker_id = w.id
		WHERE w.state = 'active' AND NOT c.disabled AND t.until > UTC_TIMESTAMP(6) AND w.slots > COALESCE(o.open, 0)`)
	b.add(readyClassesSQL)
	out, err := query(ctx, conn, b)
	if err != nil {
		return snapshot, nil, err
	}
	_, err = out.one(&snapshot.Now)
	err = errors.Join(err,
		out.each(func(rows *sql.Rows) error {
			var id pool.WorkID
			defer func() { over = append(over, id) }()
			return rows.Scan(&id)
		}),
		out.each(func(rows *sql.Rows) error {
			var w pool.Worker
			var capabilities []byte
			var interval int64
			if err := rows.Scan(&w.ID, &w.Owner, &w.State, &w.Slots, &capabilities, &w.Until, &interval, &w.Open); err != nil {
				return err
			}
			w.Interval = time.Duration(interval) * time.Second
			w.Capabilities, err = wire.DecodeCapabilities(capabilities)
			snapshot.Workers = append(snapshot.Workers, w)
			return err
		}),
		out.each(func(rows *sql.Rows) error {
			var id pool.ClassID
			defer func() { classes = append(classes, id) }()
			return rows.Scan(&id)
		}),
		out.close())
	if err != nil || len(over) > 0 || len(snapshot.Workers) == 0 {
		return snapshot, over, err
	}
	known, err := s.demands(ctx, conn, classes)
	for _, id := range classes {
		for _, w := range snapshot.Workers {
			if placement.Eligible(snapshot.Now, w, known[id]) {
				snapshot.Classes = append(snapshot.Classes, placement.Class{ID: id, Demands: known[id]})
				break
			}
		}
	}
	return snapshot, nil, err
}

// readyPage tells how far a class's queue was seen.
type readyPage struct {
	class pool.ClassID
	end   placement.Place
	last  bool // there was nothing behind
}

// readyWorks reads up to limit works of each class of the snapshot behind the bookmark,
// with the turns they have had. A class nobody can run is not looked at.
func readyWorks(ctx context.Context, conn *sql.Conn, snapshot *placement.Snapshot, limit int, bookmark placement.Bookmark) ([]readyPage, error) {
	if len(snapshot.Classes) == 0 {
		return nil, nil
	}
	free := 0
	for _, w := range snapshot.Workers {
		free += w.Free()
	}
	if len(bookmark) == 0 {
		limit = min(limit, 2*free+8) // no more works than could be given, and some to pass over
	}
	var arms []string
	var args []any
	for _, c := range snapshot.Classes {
		from := bookmark[c.ID]
		if from == (placement.Place{}) {
			arms = append(arms, "(SELECT class_id, queue_rank, work_id, missing FROM ready WHERE class_id = ? ORDER BY class_id, queue_rank, work_id LIMIT ?)")
			args = append(args, int64(c.ID), limit)
			continue
		}
		arms = append(arms, `(SELECT class_id, queue_rank, work_id, missing FROM ready WHERE class_id = ?
			AND (queue_rank > ? OR (queue_rank = ? AND work_id > ?)) ORDER BY class_id, queue_rank, work_id LIMIT ?)`)
		args = append(args, int64(c.ID), from.Rank, from.Rank, int64(from.Work), limit)
	}
	union := strings.Join(arms, " UNION ALL ")
	b := &statements{}
	b.add("SELECT u.class_id, u.queue_rank, u.work_id, u.missing, b.trust FROM ("+union+") u JOIN batch b ON b.id = u.work_id >> 14 ORDER BY 1, 2, 3", args...)
	b.add("SELECT "+assignmentColumns+" FROM ("+union+") u STRAIGHT_JOIN assignment a ON a.work_id = u.work_id", args...)
	out, err := query(ctx, conn, b)
	if err != nil {
		return nil, err
	}
	at := map[pool.ClassID]*placement.Class{}
	for i := range snapshot.Classes {
		at[snapshot.Classes[i].ID] = &snapshot.Classes[i]
	}
	turns := map[pool.WorkID][]pool.Assignment{}
	err = errors.Join(
		out.each(func(rows *sql.Rows) error {
			var id pool.ClassID
			var h placement.Ready
			if err := rows.Scan(&id, &h.Rank, &h.Work, &h.Missing, &h.Trust); err != nil {
				return err
			}
			at[id].Ready = append(at[id].Ready, h)
			return nil
		}),
		out.each(func(rows *sql.Rows) error {
			var a pool.Assignment
			if err := scanAssignment(rows, &a); err != nil {
				return err
			}
			turns[a.Work] = append(turns[a.Work], a)
			return nil
		}),
		out.close())
	if err != nil {
		return nil, err
	}
	var pages []readyPage
	for i := range snapshot.Classes {
		c := &snapshot.Classes[i]
		page := readyPage{class: c.ID, end: bookmark[c.ID], last: len(c.Ready) < limit}
		for j := range c.Ready {
			c.Ready[j].Turns = turns[c.Ready[j].Work]
			page.end = placement.Place{Rank: c.Ready[j].Rank, Work: c.Ready[j].Work}
		}
		pages = append(pages, page)
	}
	return pages, nil
}

// offerRow is an assignment to be inserted, or offered again.
type offerRow struct {
	Work    int64   `json:"work"`
	Worker  int64   `json:"worker"`
	Owner   string  `json:"owner"`
	Slot    *string `json:"slot"`
	Attempt int     `json:"attempt"`
	StartBy *string `json:"start_by"`
}

// apply stores a plan in one round trip: every statement has to find the rows that
// the plan was made of, or nothing is committed. Works are locked
// first, so nobody settles them meanwhile; workers are locked before their slots
// are counted, so two dispatchers cannot fill the same slot.
func apply(ctx context.Context, conn *sql.Conn, l *pool.Lease, plan placement.Plan, seed uint64, t pool.Trace) error {
	var fresh, again []offerRow
	var left, filled []readyRow
	var works, workers []int64
	var events []eventRow
	given := map[pool.WorkID]int{}
	drawn := map[pool.WorkerID]bool{}
	for _, o := range plan.Offers {
		row := offerRow{Work: int64(o.Work), Worker: int64(o.Worker), Owner: string(o.Owner), Attempt: o.Attempt, StartBy: stamp(o.StartBy)}
		if o.Trust > 1 {
			row.Slot = &row.Owner
		}
		if o.Again {
			again = append(again, row)
		} else {
			fresh = append(fresh, row)
		}
		if given[o.Work]++; given[o.Work] == 1 {
			works = append(works, int64(o.Work))
		}
		if !drawn[o.Worker] {
			drawn[o.Worker] = true
			workers = append(workers, int64(o.Worker))
		}
		worker := int64(o.Worker)
		events = append(events, eventRow{
			Kind: "assignment.offered", Work: row.Work, Worker: &worker, Data: []byte(fmt.Sprintf(`"seed %d attempt %d"`, seed, o.Attempt)),
		})
	}
	for _, o := range plan.Offers {
		if given[o.Work] == 0 {
			continue
		}
		r := readyRow{Class: int64(o.Class), Rank: o.Rank, Work: int64(o.Work), Missing: o.Missing}
		if given[o.Work] == o.Missing {
			filled = append(filled, r)
		} else {
			r.Left = o.Missing - given[o.Work]
			left = append(left, r)
		}
		given[o.Work] = 0
	}
	b := &statements{}
	b.add("START TRANSACTION")
	b.must(int64(len(works)), `UPDATE JSON_TABLE(?, '$[*]' COLUMNS (id BIGINT PATH '$')) j STRAIGHT_JOIN work w ON w.id = j.id
		SET w.state = 'running' WHERE w.state IN ('waiting', 'running')`, list(works))
	claimReady(b, filled, left)
	claimWorkers(b, workers)
	offer(b, fresh, again)
	b.must(int64(len(workers)), slotsSQL, list(workers), list(workers))
	writeEvents(b, events, t)
	renewLease(b, l)
	b.add("COMMIT")
	err := exec(ctx, conn, b)
	if number(err) == erDuplicate {
		err = errors.Join(errMoved, err)
	}
	return err
}

// Every bulk statement lets its list lead: joined the other way round, the server
// would read a whole table once it takes the list for the larger side.

// slotsSQL finds each worker of a list whose open assignments fit its slots.
const slotsSQL = `UPDATE JSON_TABLE(?, '$[*]' COLUMNS (id BIGINT PATH '$')) j STRAIGHT_JOIN worker w ON w.id = j.id
	STRAIGHT_JOIN (SELECT k.id, SUM(a.state IN ('offered', 'running')) AS open FROM JSON_TABLE(?, '$[*]' COLUMNS (id BIGINT PATH '$')) k
		STRAIGHT_JOIN assignment a ON a.worker_id = k.id GROUP BY k.id) o ON o.id = w.id
	SET w.slots = w.slots WHERE o.open <= w.slots`

func claimReady(b *statements, filled, left []readyRow) {
	const rows = `JSON_TABLE(?, '$[*]' COLUMNS (class BIGINT PATH '$.class', queue_rank BIGINT PATH '$.rank', work BIGINT PATH '$.work',
		missing INT PATH '$.missing', remain INT PATH '$.left')) j STRAIGHT_JOIN ready r
		ON r.class_id = j.class AND r.queue_rank = j.queue_rank AND r.work_id = j.work AND r.missing = j.missing`
	if len(filled) > 0 {
		b.must(int64(len(filled)), "DELETE r FROM "+rows, list(filled))
	}
	if len(left) > 0 {
		b.must(int64(len(left)), "UPDATE "+rows+" SET r.missing = j.remain", list(left))
	}
}

func claimWorkers(b *statements, workers []int64) {
	b.must(int64(len(workers)), `UPDATE JSON_TABLE(?, '$[*]' COLUMNS (id BIGINT PATH '$')) j STRAIGHT_JOIN worker w ON w.id = j.id
		SET w.slots = w.slots WHERE w.state = 'active'`, list(workers))
}

func offer(b *statements, fresh, again []offerRow) {
	const columns = `JSON_TABLE(?, '$[*]' COLUMNS (work BIGINT PATH '$.work', worker BIGINT PATH '$.worker', owner VARCHAR(64) PATH '$.owner',
		slot VARCHAR(64) PATH '$.slot', attempt INT PATH '$.attempt', start_by VARCHAR(26) PATH '$.start_by')) j`
	if len(again) > 0 {
		b.must(int64(len(again)), "UPDATE "+columns+` STRAIGHT_JOIN assignment a ON a.worker_id = j.worker AND a.work_id = j.work AND a.attempt = j.attempt - 1
			AND a.state IN ('expired', 'refused') AND NOT a.started
			SET a.state = 'offered', a.attempt = j.attempt, a.owner_slot = j.slot, a.start_by = j.start_by, a.run_by = NULL, a.reason = NULL`, list(again))
	}
	if len(fresh) > 0 {
		b.must(int64(len(fresh)), `INSERT INTO assignment (work_id, worker_id, owner, owner_slot, attempt, state, start_by)
			SELECT j.work, j.worker, j.owner, j.slot, j.attempt, 'offered', j.start_by FROM `+columns, list(fresh))
	}
}
