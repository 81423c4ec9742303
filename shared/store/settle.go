package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"workerpool/shared/life"
	"workerpool/shared/pool"
)

// Settle locks works, gives their lives to decide and stores what it changed:
// works, assignments, how many more are wanted, and an event for each change,
// all or nothing. Works that do not exist are left out. decide may be called
// several times and must be a function of what it is given. With renew, a
// worker's lease is written in the same transaction. Two round trips, three with
// works of deals. It gives the lives as they are afterwards.
func (s *Store) Settle(ctx context.Context, ids []pool.WorkID, renew *pool.Renewal, t pool.Trace, decide func(now time.Time, lives []life.Life)) ([]life.Life, error) {
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	var lives []life.Life
	err := s.transact(ctx, "settling works", func(conn *sql.Conn) error {
		before, now, err := lockLives(ctx, conn, ids)
		if err != nil {
			return err
		}
		lives = make([]life.Life, len(before))
		for i, l := range before {
			lives[i] = life.Life{Work: l.Work, Rows: slices.Clone(l.Rows), Task: l.Task, Head: l.Head}
		}
		decide(now, lives)
		b := &statements{}
		if renew != nil {
			writeWorker(b, *renew)
		}
		writeQuotas(b, before, lives)
		writeLives(b, before, lives, t)
		if renew != nil {
			writeLease(b, *renew)
		}
		b.add("COMMIT")
		return exec(ctx, conn, b)
	})
	return lives, err
}

// locked is a life as the books hold it, with the row that makes it dispatchable.
type locked struct {
	life.Life
	missing int // of its ready row; 0 = none
}

// rankSQL is the place of a work w of batch b in its class's queue: the works of a
// batch follow each other by what each costs.
const rankSQL = "b.queue_rank + b.cost * (w.id % 16384)"

const workColumns = `w.id, w.requester, b.origin, b.class_id, ` + rankSQL + `, w.state, b.trust, b.run_limit_s, b.deadline, w.digest, w.size,
	w.reason, b.created_at, w.ended_at, w.file, w.vouched`

// lockLives begins a transaction, locks the works in order of id and reads what
// belongs to them.
func lockLives(ctx context.Context, conn *sql.Conn, ids []pool.WorkID) ([]locked, time.Time, error) {
	wanted := list(ids)
	b := &statements{}
	b.add("START TRANSACTION")
	// MySQL refuses FOR UPDATE where a JSON_TABLE is joined itself (error 3569).
	b.add("SELECT w.id FROM (SELECT k.id FROM JSON_TABLE(?, '$[*]' COLUMNS (id BIGINT PATH '$')) k) j STRAIGHT_JOIN work w ON w.id = j.id FOR UPDATE", wanted)
	b.add("SELECT UTC_TIMESTAMP(6)")
	b.add("SELECT "+workColumns+`, COALESCE(r.missing, 0)
		FROM JSON_TABLE(?, '$[*]' COLUMNS (id BIGINT PATH '$')) j STRAIGHT_JOIN work w ON w.id = j.id JOIN batch b ON b.id = w.id >> 14
		LEFT JOIN ready r ON r.class_id = b.class_id AND r.queue_rank = `+rankSQL+` AND r.work_id = w.id ORDER BY w.id`, wanted)
	b.add(`SELECT a.work_id, a.worker_id, a.owner, a.attempt, a.state, a.started, a.start_by, a.run_by, a.digest, a.size, a.reason, a.file, a.checks, t.until, t.interval_s
		FROM JSON_TABLE(?, '$[*]' COLUMNS (id BIGINT PATH '$')) j STRAIGHT_JOIN assignment a ON a.work_id = j.id LEFT JOIN beat t ON t.worker_id = a.worker_id
		ORDER BY a.work_id, a.worker_id`, wanted)
	out, err := query(ctx, conn, b)
	if err != nil {
		return nil, time.Time{}, err
	}
	var now time.Time
	var lives []locked
	at := map[pool.WorkID]int{}
	err = errors.Join(
		out.each(func(*sql.Rows) error { return nil }),
		out.each(func(rows *sql.Rows) error { return rows.Scan(&now) }),
		out.each(func(rows *sql.Rows) error {
			var l locked
			if err := scanWork(rows, &l.Work, &l.missing); err != nil {
				return err
			}
			at[l.Work.ID] = len(lives)
			lives = append(lives, l)
			return nil
		}),
		out.each(func(rows *sql.Rows) error {
			var r life.Row
			var until sql.NullTime
			var interval sql.NullInt64
			if err := scanAssignment(rows, &r.Assignment, &until, &interval); err != nil {
				return err
			}
			r.Until, r.Interval = orZero(until), time.Duration(interval.Int64)*time.Second
			if i, ok := at[r.Work]; ok {
				lives[i].Rows = append(lives[i].Rows, r)
			}
			return nil
		}),
		out.close())
	if err == nil {
		err = readChain(ctx, conn, lives)
	}
	return lives, now, err
}

func scanWork(rows *sql.Rows, w *pool.Work, more ...any) error {
	var digest, file []byte
	var size sql.NullInt64
	var reason, vouched sql.NullString
	var ended sql.NullTime
	var limit int64
	err := rows.Scan(append([]any{&w.ID, &w.Requester, &w.Origin, &w.Class, &w.Rank, &w.State, &w.Trust, &limit, &w.Deadline, &digest, &size,
		&reason, &w.Created, &ended, &file, &vouched}, more...)...)
	if err != nil {
		return err
	}
	w.RunLimit, w.Size, w.Reason, w.Ended, w.Vouched = time.Duration(limit)*time.Second, size.Int64, reason.String, orZero(ended), pool.Vouching(vouched.String)
	if digest != nil {
		w.Digest = pool.Digest(digest)
	}
	if file != nil {
		w.File = pool.Digest(file)
	}
	return nil
}

const assignmentColumns = "a.work_id, a.worker_id, a.owner, a.attempt, a.state, a.started, a.start_by, a.run_by, a.digest, a.size, a.reason, a.file, a.checks"

func scanAssignment(rows *sql.Rows, a *pool.Assignment, more ...any) error {
	var digest, file, checks []byte
	var size sql.NullInt64
	var reason sql.NullString
	var startBy, runBy sql.NullTime
	err := rows.Scan(append([]any{&a.Work, &a.Worker, &a.Owner, &a.Attempt, &a.State, &a.Started, &startBy, &runBy, &digest, &size, &reason, &file, &checks}, more...)...)
	if err != nil {
		return err
	}
	a.StartBy, a.RunBy, a.Size, a.Reason = orZero(startBy), orZero(runBy), size.Int64, reason.String
	if digest != nil {
		a.Digest = pool.Digest(digest)
	}
	if file != nil {
		a.File = pool.Digest(file)
	}
	a.Checks = pool.Digest(hashOf(checks))
	return nil
}

// The lists that writeLives sends, one entry a changed row.
type (
	workChange struct {
		ID      int64   `json:"id"`
		Was     string  `json:"was"`
		State   string  `json:"state"`
		Digest  *string `json:"digest"`
		Size    *int64  `json:"size"`
		Ended   *string `json:"ended"`
		Reason  *string `json:"reason"`
		File    *string `json:"file,omitempty"`
		Vouched *string `json:"vouched,omitempty"`
	}
	assignmentChange struct {
		Worker  int64   `json:"worker"`
		Work    int64   `json:"work"`
		Attempt int     `json:"attempt"`
		Was     string  `json:"was"`
		State   string  `json:"state"`
		Slot    *string `json:"slot"`
		Started int     `json:"started"`
		StartBy *string `json:"start_by"`
		RunBy   *string `json:"run_by"`
		Digest  *string `json:"digest"`
		Size    *int64  `json:"size"`
		Reason  *string `json:"reason"`
		File    *string `json:"file,omitempty"`
		Checks  *string `json:"checks,omitempty"`
	}
	readyRow struct {
		Class   int64 `json:"class"`
		Rank    int64 `json:"rank"`
		Work    int64 `json:"work"`
		Missing int   `json:"missing"`
		Left    int   `json:"left,omitempty"` // dispatch: what remains of Missing
	}
	eventRow struct {
		Kind   string          `json:"kind"`
		Work   int64           `json:"work"`
		Worker *int64          `json:"worker"`
		Data   json.RawMessage `json:"data"`
	}
)

// writeLives adds the statements that bring the books from before to after.
func writeLives(b *statements, before []locked, after []life.Life, t pool.Trace) {
	var works []workChange
	var assignments []assignmentChange
	var gone, wanted []readyRow
	var events []eventRow
	for i, l := range after {
		was := before[i]
		w := l.Work
		if w != was.Work {
			works = append(works, workChange{
				ID: int64(w.ID), Was: string(was.Work.State), State: string(w.State), Digest: hexOrNull(w.Digest),
				Size: positive(w.Size, !w.Digest.IsZero()), Ended: stamp(w.Ended), Reason: textOrNull(w.Reason), File: hexOrNull(w.File),
				Vouched: textOrNull(string(w.Vouched)),
			})
			if w.State != was.Work.State {
				events = append(events, eventRow{Kind: "work." + string(w.State), Work: int64(w.ID), Data: note(w.Reason)})
			}
			if w.Vouched != was.Work.Vouched && w.Vouched != pool.NotVouched {
				events = append(events, eventRow{Kind: "work." + string(w.Vouched), Work: int64(w.ID), Data: note("")})
			}
		}
		for j, row := range l.Rows {
			if row.Assignment == was.Rows[j].Assignment {
				continue
			}
			assignments = append(assignments, changeOf(row.Assignment, was.Rows[j].State, w.Trust))
			if row.State != was.Rows[j].State {
				worker := int64(row.Worker)
				events = append(events, eventRow{Kind: "assignment." + string(row.State), Work: int64(w.ID), Worker: &worker, Data: note(row.Reason)})
			}
		}
		if missing := l.Wanted(life.Defaults); missing != was.missing {
			r := readyRow{Class: int64(w.Class), Rank: w.Rank, Work: int64(w.ID), Missing: missing}
			if missing == 0 {
				gone = append(gone, r)
			} else {
				wanted = append(wanted, r)
			}
		}
	}
	writeWorks(b, works)
	writeBrought(b, before, after)
	writeReady(b, gone, wanted)
	writeAssignments(b, assignments)
	giveBack(b, before, after)
	writeEvents(b, events, t)
}

// giveBack takes works that end without a run off their requesters' clocks: a
// flood that was cancelled must not keep its requester behind for as long as it
// would have run. Works in staging are not on the clock yet.
func giveBack(b *statements, before []locked, after []life.Life) {
	var works []int64
	for i, l := range after {
		was := before[i].Work.State
		ran := slices.ContainsFunc(l.Rows, func(row life.Row) bool { return row.Started })
		if l.Work.State.Ended() && !was.Ended() && was != pool.Staging && !ran {
			works = append(works, int64(l.Work.ID))
		}
	}
	if len(works) > 0 {
		b.add(`UPDATE (SELECT b.requester, SUM(b.cost) AS cost FROM JSON_TABLE(?, '$[*]' COLUMNS (id BIGINT PATH '$')) j STRAIGHT_JOIN batch b ON b.id = j.id >> 14
			GROUP BY b.requester) r STRAIGHT_JOIN requester q ON q.account_id = r.requester SET q.clock = q.clock - r.cost`, list(works))
	}
}

// writeQuotas adds what the workers' turns earned or cost them. Workers are locked
// before assignments, as dispatch locks them, and by id.
func writeQuotas(b *statements, before []locked, after []life.Life) {
	credit := map[pool.WorkerID]int{}
	for i, l := range after {
		for worker, n := range life.Credit(before[i].Life, l) {
			credit[worker] += n
		}
	}
	type change struct {
		Worker int64 `json:"worker"`
		Times  int   `json:"times"`
	}
	var changes []change
	for worker, n := range credit {
		if n != 0 {
			changes = append(changes, change{int64(worker), max(-maxDoublings, min(maxDoublings, n))})
		}
	}
	if len(changes) == 0 {
		return
	}
	slices.SortFunc(changes, func(a, b change) int { return cmp.Compare(a.Worker, b.Worker) })
	b.add(`UPDATE JSON_TABLE(?, '$[*]' COLUMNS (worker BIGINT PATH '$.worker', times INT PATH '$.times')) j STRAIGHT_JOIN worker w ON w.id = j.worker
		SET w.quota = IF(j.times > 0, GREATEST(w.quota, LEAST(w.slots, w.quota * POW(2, j.times))), GREATEST(1, FLOOR(LEAST(w.quota, w.slots) * POW(2, j.times))))
		WHERE j.times < 0 AND w.quota > 1 OR j.times > 0 AND w.quota < w.slots`, list(changes))
}

// maxDoublings take a quota from one to MaxSlots.
const maxDoublings = 8

func changeOf(a pool.Assignment, was pool.AssignmentState, trust int) assignmentChange {
	c := assignmentChange{
		Worker: int64(a.Worker), Work: int64(a.Work), Attempt: a.Attempt, Was: string(was), State: string(a.State),
		StartBy: stamp(a.StartBy), RunBy: stamp(a.RunBy), Digest: hexOrNull(a.Digest), Size: positive(a.Size, !a.Digest.IsZero()),
		Reason: textOrNull(a.Reason), File: hexOrNull(a.File), Checks: hexOrNull(a.Checks),
	}
	if a.Started {
		c.Started = 1
	}
	if trust > 1 && a.HoldsOwner() {
		owner := string(a.Owner)
		c.Slot = &owner
	}
	return c
}

func writeWorks(b *statements, works []workChange) {
	if len(works) == 0 {
		return
	}
	b.must(int64(len(works)), `UPDATE JSON_TABLE(?, '$[*]' COLUMNS (id BIGINT PATH '$.id', was VARCHAR(10) PATH '$.was',
			state VARCHAR(10) PATH '$.state', digest CHAR(64) PATH '$.digest', size BIGINT PATH '$.size', ended VARCHAR(26) PATH '$.ended',
			reason VARCHAR(1000) PATH '$.reason', file CHAR(64) PATH '$.file', vouched VARCHAR(10) PATH '$.vouched')) j STRAIGHT_JOIN work w ON w.id = j.id AND w.state = j.was
		SET w.state = j.state, w.digest = UNHEX(j.digest), w.size = j.size, w.ended_at = j.ended, w.reason = j.reason, w.file = UNHEX(j.file), w.vouched = j.vouched,
			w.open_until = IF(j.ended IS NULL, w.open_until, NULL)`, list(works))
}

func writeReady(b *statements, gone, wanted []readyRow) {
	if len(gone) > 0 {
		b.must(int64(len(gone)), `DELETE r FROM JSON_TABLE(?, '$[*]' COLUMNS (class BIGINT PATH '$.class', queue_rank BIGINT PATH '$.rank',
				work BIGINT PATH '$.work')) j STRAIGHT_JOIN ready r ON r.class_id = j.class AND r.queue_rank = j.queue_rank AND r.work_id = j.work`, list(gone))
	}
	if len(wanted) > 0 {
		b.add(`INSERT INTO ready (class_id, queue_rank, work_id, missing)
			SELECT j.class, j.queue_rank, j.work, j.missing FROM JSON_TABLE(?, '$[*]' COLUMNS (class BIGINT PATH '$.class',
				queue_rank BIGINT PATH '$.rank', work BIGINT PATH '$.work', missing INT PATH '$.missing')) j
			ON DUPLICATE KEY UPDATE missing = j.missing`, list(wanted))
	}
}

func writeAssignments(b *statements, assignments []assignmentChange) {
	if len(assignments) == 0 {
		return
	}
	b.must(int64(len(assignments)), `UPDATE JSON_TABLE(?, '$[*]' COLUMNS (worker BIGINT PATH '$.worker', work BIGINT PATH '$.work',
			attempt INT PATH '$.attempt', was VARCHAR(12) PATH '$.was', state VARCHAR(12) PATH '$.state', slot VARCHAR(64) PATH '$.slot',
			started INT PATH '$.started', start_by VARCHAR(26) PATH '$.start_by', run_by VARCHAR(26) PATH '$.run_by',
			digest CHAR(64) PATH '$.digest', size BIGINT PATH '$.size', reason VARCHAR(500) PATH '$.reason', file CHAR(64) PATH '$.file',
			checks CHAR(64) PATH '$.checks')) j STRAIGHT_JOIN assignment a ON a.worker_id = j.worker AND a.work_id = j.work AND a.attempt = j.attempt AND a.state = j.was
		SET a.state = j.state, a.owner_slot = j.slot, a.started = j.started, a.start_by = j.start_by, a.run_by = j.run_by,
			a.digest = UNHEX(j.digest), a.size = j.size, a.reason = j.reason, a.file = UNHEX(j.file), a.checks = UNHEX(j.checks)`, list(assignments))
}

func writeEvents(b *statements, events []eventRow, t pool.Trace) {
	if len(events) == 0 {
		return
	}
	b.must(int64(len(events)), `INSERT INTO event (at, kind, work_id, worker_id, account_id, request_id, data)
		SELECT UTC_TIMESTAMP(6), j.kind, j.work, j.worker, ?, ?, j.data FROM JSON_TABLE(?, '$[*]' COLUMNS (kind VARCHAR(32) PATH '$.kind',
			work BIGINT PATH '$.work', worker BIGINT PATH '$.worker', data TEXT PATH '$.data')) j`,
		zeroNull(int64(t.Account)), orNull(t.RequestID), list(events))
}

func note(reason string) json.RawMessage {
	if reason == "" {
		return json.RawMessage("null")
	}
	return json.RawMessage(list(reason))
}

func hexOrNull(d pool.Digest) *string {
	if d.IsZero() {
		return nil
	}
	text := d.String()
	return &text
}

func textOrNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func positive(n int64, known bool) *int64 {
	if !known {
		return nil
	}
	return &n
}

func zeroNull(n int64) any {
	if n == 0 {
		return nil
	}
	return n
}
