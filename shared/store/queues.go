package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"

	"workerpool/shared/placement"
	"workerpool/shared/pool"
)

// pages tells how far the queues of a pass were seen.
type pages placement.Bookmark

// end tells that nothing is behind any of them.
func (p pages) end() bool {
	for _, place := range p {
		if !place.End {
			return false
		}
	}
	return true
}

// mostFull bounds the batches that a page leaves out: beyond it they are looked
// at again, which is slower than leaving them out and nothing worse.
const mostFull = 1_000

// leaveOut notes, class by class, batches of which no more can run.
func (p pages) leaveOut(full map[pool.ClassID][]pool.BatchID) {
	for class, batches := range full {
		if place, ok := p[class]; ok && len(place.Full)+len(batches) <= mostFull {
			place.Full = slices.Concat(place.Full, batches)
			p[class] = place
		}
	}
}

// readyWorks reads up to limit works of each class of the snapshot behind the bookmark,
// with the turns they have had and the limits that bind them. A class nobody can run
// is not looked at.
func readyWorks(ctx context.Context, conn *sql.Conn, snapshot *placement.Snapshot, limit int, bookmark placement.Bookmark) (pages, error) {
	if len(snapshot.Classes) == 0 {
		return nil, nil
	}
	free := 0
	for _, w := range snapshot.Workers {
		free += w.Free()
	}
	if len(bookmark) == 0 {
		limit = min(limit, 4*free+32) // what could be given, and more, so that small requesters are seen between large ones
	}
	var arms []string
	var args []any
	for _, c := range snapshot.Classes {
		from := bookmark[c.ID]
		arm := "(SELECT class_id, queue_rank, work_id, missing FROM ready WHERE class_id = ?"
		args = append(args, int64(c.ID))
		if from.Work != 0 {
			arm += " AND (queue_rank > ? OR (queue_rank = ? AND work_id > ?))"
			args = append(args, from.Rank, from.Rank, int64(from.Work))
		}
		if len(from.Full) > 0 {
			arm += " AND work_id DIV 16384 NOT IN (?" + strings.Repeat(", ?", len(from.Full)-1) + ")"
			for _, batch := range from.Full {
				args = append(args, int64(batch))
			}
		}
		arms = append(arms, arm+" ORDER BY class_id, queue_rank, work_id LIMIT ?)")
		args = append(args, limit)
	}
	union := strings.Join(arms, " UNION ALL ")
	b := &statements{}
	b.add(`SELECT u.class_id, u.queue_rank, u.work_id, u.missing, b.trust, b.boost, b.requester, b.max_running, COALESCE(c.login, ''), COALESCE(q.max_running, 0), COALESCE(q.weight, 1)
		FROM (`+union+`) u JOIN batch b ON b.id = u.work_id >> 14 LEFT JOIN account c ON c.id = b.requester LEFT JOIN requester q ON q.account_id = b.requester ORDER BY 1, 2, 3`, args...)
	b.add("SELECT "+assignmentColumns+" FROM ("+union+") u STRAIGHT_JOIN assignment a ON a.work_id = u.work_id", args...)
	out, err := query(ctx, conn, b)
	if err != nil {
		return nil, err
	}
	at := map[pool.ClassID]*placement.Class{}
	for i := range snapshot.Classes {
		at[snapshot.Classes[i].ID] = &snapshot.Classes[i]
	}
	snapshot.Batches, snapshot.Requesters = map[pool.BatchID]placement.Limit{}, map[pool.AccountID]placement.Limit{}
	snapshot.Use = map[pool.AccountID]placement.Use{}
	turns := map[pool.WorkID][]pool.Assignment{}
	err = errors.Join(
		out.each(func(rows *sql.Rows) error {
			var id pool.ClassID
			var r placement.Ready
			var boost int64
			var ofBatch, ofRequester, weight int
			if err := rows.Scan(&id, &r.Rank, &r.Work, &r.Missing, &r.Trust, &boost, &r.Requester, &ofBatch, &r.Login, &ofRequester, &weight); err != nil {
				return err
			}
			r.Start = r.Rank + boost
			snapshot.Use[r.Requester] = placement.Use{Weight: weight}
			at[id].Ready = append(at[id].Ready, r)
			if ofBatch > 0 {
				snapshot.Batches[r.Work.Batch()] = placement.Limit{Max: ofBatch}
			}
			if ofRequester > 0 {
				snapshot.Requesters[r.Requester] = placement.Limit{Max: ofRequester}
			}
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
	if err == nil && (len(snapshot.Use) > 1 || len(snapshot.Batches)+len(snapshot.Requesters) > 0) {
		err = countRunning(ctx, conn, snapshot)
	}
	if err != nil {
		return nil, err
	}
	seen := pages{}
	for i := range snapshot.Classes {
		c := &snapshot.Classes[i]
		place := bookmark[c.ID]
		place.End = len(c.Ready) < limit
		for j := range c.Ready {
			c.Ready[j].Turns = turns[c.Ready[j].Work]
			place.Rank, place.Work = c.Ready[j].Rank, c.Ready[j].Work
		}
		seen[c.ID] = place
	}
	return seen, nil
}

// runningSQL counts open assignments, and the works that have them, by batch and
// requester.
const runningSQL = `SELECT b.id, b.requester, COUNT(DISTINCT a.work_id), COUNT(*) FROM assignment a JOIN batch b ON b.id = a.work_id >> 14
	WHERE a.state IN ('offered', 'running') GROUP BY b.id, b.requester`

// countRunning counts what requesters have, and towards the limits of a snapshot.
// A third round trip, only where several requesters wait or somebody set a limit.
func countRunning(ctx context.Context, conn *sql.Conn, snapshot *placement.Snapshot) error {
	rows, err := conn.QueryContext(ctx, runningSQL)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var batch pool.BatchID
		var requester pool.AccountID
		var running, open int
		if err := rows.Scan(&batch, &requester, &running, &open); err != nil {
			return err
		}
		if u, ok := snapshot.Use[requester]; ok {
			snapshot.Use[requester] = placement.Use{Open: u.Open + open, Weight: u.Weight}
		}
		if limit, ok := snapshot.Batches[batch]; ok {
			snapshot.Batches[batch] = placement.Limit{Max: limit.Max, Running: limit.Running + running}
		}
		if limit, ok := snapshot.Requesters[requester]; ok {
			snapshot.Requesters[requester] = placement.Limit{Max: limit.Max, Running: limit.Running + running}
		}
	}
	return rows.Err()
}
