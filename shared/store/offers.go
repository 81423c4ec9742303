package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"

	"workerpool/shared/draw"
	"workerpool/shared/placement"
	"workerpool/shared/pool"
)

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
func apply(ctx context.Context, conn *sql.Conn, l *pool.Lease, seen placement.Snapshot, plan placement.Plan, seed uint64, t pool.Trace) error {
	var fresh, again []offerRow
	var left, filled []readyRow
	var works, workers []int64
	var events []eventRow
	given := map[pool.WorkID]int{}
	drawn := map[pool.WorkerID]bool{}
	var latest int64 // start tag
	for _, o := range plan.Offers {
		latest = max(latest, o.Start)
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
	slices.Sort(workers)
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
	snapshot, err := draw.Encode(seen)
	if err != nil {
		return err
	}
	ofBatches, ofRequesters := placement.Bound(seen, plan)
	batches, requesters := limitRows(ofBatches), limitRows(ofRequesters)
	b := &statements{}
	b.add("START TRANSACTION")
	lockLimits(b, batches, requesters)
	b.must(int64(len(works)), `UPDATE JSON_TABLE(?, '$[*]' COLUMNS (id BIGINT PATH '$')) j STRAIGHT_JOIN work w ON w.id = j.id
		SET w.state = 'running' WHERE w.state IN ('waiting', 'running')`, list(works))
	claimReady(b, filled, left)
	claimWorkers(b, workers)
	offer(b, fresh, again)
	b.must(int64(len(workers)), slotsSQL, list(workers), list(workers))
	keepLimits(b, batches, requesters)
	b.add("INSERT INTO draw (at, seed, snapshot) VALUES (UTC_TIMESTAMP(6), ?, ?)", seed, snapshot)
	writeEvents(b, events, t)
	b.must(1, "UPDATE pool_state SET virtual_time = GREATEST(virtual_time, ?) WHERE id = 1 AND state = 'active'", latest)
	renewLease(b, l)
	b.add("COMMIT")
	err = exec(ctx, conn, b)
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
	SET w.slots = w.slots WHERE o.open <= LEAST(w.slots, w.quota)`

// limitRow is a limit that a plan has to keep.
type limitRow struct {
	ID  int64 `json:"id"`
	Max int   `json:"max"`
}

func limitRows[ID ~int64](bound map[ID]placement.Limit) (rows []limitRow) {
	for _, id := range slices.Sorted(maps.Keys(bound)) {
		rows = append(rows, limitRow{int64(id), bound[id].Max})
	}
	return rows
}

// lockLimits locks what has a limit before its works are, so that two dispatchers
// cannot both fill the same; as a submission does, requesters before batches.
func lockLimits(b *statements, batches, requesters []limitRow) {
	const rows = "JSON_TABLE(?, '$[*]' COLUMNS (id BIGINT PATH '$.id', most INT PATH '$.max')) j STRAIGHT_JOIN "
	if len(requesters) > 0 {
		b.must(int64(len(requesters)), "UPDATE "+rows+"requester q ON q.account_id = j.id SET q.max_running = q.max_running WHERE q.max_running = j.most", list(requesters))
	}
	if len(batches) > 0 {
		b.must(int64(len(batches)), "UPDATE "+rows+"batch q ON q.id = j.id SET q.max_running = q.max_running WHERE q.max_running = j.most", list(batches))
	}
}

// keepLimits adds what stops the plan where a limit would be broken.
func keepLimits(b *statements, batches, requesters []limitRow) {
	const broken = `EXISTS (SELECT 1 FROM (SELECT b.%[1]s AS id, COUNT(DISTINCT a.work_id) AS running FROM assignment a JOIN batch b ON b.id = a.work_id >> 14
			WHERE a.state IN ('offered', 'running') GROUP BY b.%[1]s) n
		JOIN JSON_TABLE(?, '$[*]' COLUMNS (id BIGINT PATH '$.id', most INT PATH '$.max')) j ON j.id = n.id AND n.running > j.most)`
	if len(batches) > 0 {
		b.stopIf(fmt.Sprintf(broken, "id"), list(batches))
	}
	if len(requesters) > 0 {
		b.stopIf(fmt.Sprintf(broken, "requester"), list(requesters))
	}
}

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
