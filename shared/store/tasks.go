package store

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"slices"
	"time"

	"workerpool/shared/life"
	"workerpool/shared/pool"
)

// Due gives tasks that are to be looked at, at most limit: those that something
// happened to first, then those whose next deadline has passed by the chain's
// clock. Tasks of deals that the chain does not show wait.
func (s *Store) Due(ctx context.Context, head pool.Block, limit int) ([]pool.Hash, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT k.task_id FROM task k FORCE INDEX (task_look) FORCE INDEX FOR ORDER BY (task_look) STRAIGHT_JOIN deal d ON d.id = k.deal
		WHERE k.look_at <= ? AND d.on_chain AND d.state <> 'gone' ORDER BY k.look_at LIMIT ?`, stamp(head.Time), limit)
	return hashesOf("reading tasks to look at", rows, err)
}

func hashesOf(doing string, rows *sql.Rows, err error) ([]pool.Hash, error) {
	if err != nil {
		return nil, failure(doing, err)
	}
	defer rows.Close()
	var ids []pool.Hash
	for rows.Next() {
		var id []byte
		if err := rows.Scan(&id); err != nil {
			return nil, failure(doing, err)
		}
		ids = append(ids, pool.Hash(id))
	}
	return ids, failure(doing, rows.Err())
}

// SettleTasks stores what the chain shows of tasks and lets decide draw the
// consequences for their works, all or nothing, as Settle does. A view older than
// the one in the books is left out, and so is a task that can no longer change. It
// gives the lives as they are afterwards. Four round trips.
func (s *Store) SettleTasks(ctx context.Context, l *pool.Lease, seen []pool.Task, head pool.Head, t pool.Trace, decide func(now time.Time, lives []life.Life)) ([]life.Life, error) {
	views := map[pool.Hash]pool.Task{}
	ids := make([]pool.Hash, 0, len(seen))
	for _, v := range seen {
		views[v.ID] = v
		ids = append(ids, v.ID)
	}
	works, err := s.worksWhere(ctx, `SELECT k.work_id FROM JSON_TABLE(?, '$[*]' COLUMNS (id CHAR(64) PATH '$')) j STRAIGHT_JOIN task k ON k.task_id = UNHEX(j.id)`, list(hexes(ids)))
	if err != nil || len(works) == 0 {
		return nil, err
	}
	return s.settleTasks(ctx, l, works, views, head, t, decide)
}

// Finish settles tasks that ended in blocks that can no longer change, at most
// limit, and gives their lives. A deal is settled with its last task. Four round
// trips, or one when there are none.
func (s *Store) Finish(ctx context.Context, l *pool.Lease, head pool.Head, limit int, t pool.Trace, decide func(now time.Time, lives []life.Life)) ([]life.Life, error) {
	works, err := s.worksWhere(ctx, "SELECT work_id FROM task FORCE INDEX (task_status) WHERE final = FALSE AND status IN (3, 4) AND seen_block <= ? AND look_at IS NULL LIMIT ?", head.Finalized, limit)
	if err != nil || len(works) == 0 {
		return nil, err
	}
	return s.settleTasks(ctx, l, works, nil, head, t, decide)
}

func (s *Store) worksWhere(ctx context.Context, query string, args ...any) ([]pool.WorkID, error) {
	const doing = "finding the works of tasks"
	rows, err := s.db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, failure(doing, err)
	}
	defer rows.Close()
	var works []pool.WorkID
	for rows.Next() {
		var id pool.WorkID
		if err := rows.Scan(&id); err != nil {
			return nil, failure(doing, err)
		}
		works = append(works, id)
	}
	slices.Sort(works)
	return slices.Compact(works), failure(doing, rows.Err())
}

// settleTasks locks works, shows their lives the chain as viewed (nil: as stored)
// and writes what follows.
func (s *Store) settleTasks(ctx context.Context, l *pool.Lease, works []pool.WorkID, views map[pool.Hash]pool.Task, head pool.Head, t pool.Trace, decide func(now time.Time, lives []life.Life)) ([]life.Life, error) {
	var lives []life.Life
	err := s.transact(ctx, "settling tasks", func(conn *sql.Conn) error {
		before, now, err := lockLives(ctx, conn, works)
		if err != nil {
			return err
		}
		before = slices.DeleteFunc(before, func(l locked) bool { return l.Task == nil || l.Task.Final }) // forgotten, or settled
		lives = make([]life.Life, len(before))
		changes := make([]taskChange, 0, len(before))
		for i, was := range before {
			lives[i] = life.Life{Work: was.Work, Rows: slices.Clone(was.Rows), Task: was.Task, Head: head.Time}
			view, viewed := views[was.Task.ID]
			if viewed && view.Block < was.Task.Block {
				continue
			}
			lives[i].Task = shown(*was.Task, view, viewed, head.Finalized)
			changes = append(changes, changeOfTask(lives[i], view.Block))
		}
		decide(now, lives)
		b := &statements{}
		fence(b, l)
		writeQuotas(b, before, lives)
		writeTaskChanges(b, changes, head.Time)
		closeDeals(b, changes)
		writeContributions(b, before, lives)
		writeLives(b, before, lives, t)
		b.add("COMMIT")
		return lostRace(fenced(ctx, conn, l, exec(ctx, conn, b)))
	})
	return lives, err
}

// shown gives a task as it is stored after a look at it: one that has ended keeps
// the first block at which that was seen, and is final once that block is.
func shown(was, view pool.Task, viewed bool, finalized uint64) *pool.Task {
	now := was
	if viewed {
		now = view
		if view.Status.Ended() && view.Status == was.Status && was.Block > 0 {
			now.Block = was.Block
		}
	}
	now.Final = now.Status.Ended() && now.Block <= finalized
	return &now
}

// taskChange is a task as it is to be stored.
type taskChange struct {
	Work      int64   `json:"work"`
	Status    int     `json:"status"`
	RevealBy  *string `json:"reveal_by"`
	Consensus *string `json:"consensus"`
	Digest    *string `json:"digest"`
	Final     int     `json:"final"`
	Reveals   int     `json:"reveals"`
	Winners   int     `json:"winners"`
	Block     uint64  `json:"block"`
	Viewed    uint64  `json:"viewed"` // the view's own block; 0 = no view
	LookAt    *string `json:"look_at"`
}

func changeOfTask(l life.Life, viewed uint64) taskChange {
	k := l.Task
	c := taskChange{
		Work: int64(l.Work.ID), Status: int(k.Status), RevealBy: stamp(k.RevealBy), Consensus: hexOrNull(pool.Digest(k.Consensus)), Digest: hexOrNull(k.Digest),
		Reveals: k.Reveals, Winners: k.Winners, Block: k.Block, Viewed: viewed, LookAt: stamp(nextLook(l)),
	}
	if k.Final {
		c.Final = 1
	}
	return c
}

// nextLook gives a task's next deadline by the chain's clock; zero without one.
func nextLook(l life.Life) time.Time {
	var next time.Time
	if l.Task.Status.Ended() {
		return next
	}
	for _, deadline := range []time.Time{l.Work.ContributeBy(), l.Task.RevealBy, l.Work.VouchBy(), l.Work.Deadline} {
		if deadline.After(l.Head) && (next.IsZero() || deadline.Before(next)) {
			next = deadline
		}
	}
	return next
}

// writeTaskChanges adds the statement that stores views. What was touched in a
// block behind the view is still to be looked at.
func writeTaskChanges(b *statements, changes []taskChange, clock time.Time) {
	if len(changes) == 0 {
		return
	}
	b.must(int64(len(changes)), `UPDATE JSON_TABLE(?, '$[*]' COLUMNS (work BIGINT PATH '$.work', status INT PATH '$.status', reveal_by VARCHAR(26) PATH '$.reveal_by',
			consensus CHAR(64) PATH '$.consensus', digest CHAR(64) PATH '$.digest', final INT PATH '$.final', reveals INT PATH '$.reveals', winners INT PATH '$.winners',
			block BIGINT PATH '$.block', viewed BIGINT PATH '$.viewed', look_at VARCHAR(26) PATH '$.look_at')) j STRAIGHT_JOIN task k ON k.work_id = j.work
		SET k.status = j.status, k.reveal_by = j.reveal_by, k.consensus = UNHEX(j.consensus), k.digest = UNHEX(j.digest), k.final = j.final, k.reveals = j.reveals,
			k.winners = j.winners, k.seen_block = j.block, k.seen_at = ?, k.look_at = IF(j.final = 0 AND k.touched > j.viewed, k.look_at, j.look_at)`, list(changes), stamp(clock))
}

// closeDeals adds the statements that settle the deals of which the last tasks
// became final. Their rows are locked first, so that of two that settle tasks of
// one deal the second sees what the first did.
func closeDeals(b *statements, changes []taskChange) {
	var works []int64
	for _, c := range changes {
		if c.Final == 1 {
			works = append(works, c.Work)
		}
	}
	if len(works) == 0 {
		return
	}
	const deals = `(SELECT DISTINCT k.deal FROM JSON_TABLE(?, '$[*]' COLUMNS (id BIGINT PATH '$')) j STRAIGHT_JOIN task k ON k.work_id = j.id) m
		STRAIGHT_JOIN deal d ON d.id = m.deal AND d.state = 'open'`
	b.add("UPDATE "+deals+" SET d.state = d.state", list(works))
	b.add("UPDATE "+deals+" SET d.state = 'settled' WHERE NOT EXISTS (SELECT 1 FROM task o WHERE o.deal = d.id AND o.final = FALSE)", list(works))
}

// writeContributions adds the statements that store the contributions of tasks
// where they have changed, and what they tell of their workers' weights.
func writeContributions(b *statements, before []locked, after []life.Life) {
	type row struct {
		Work   int64  `json:"work"`
		Wallet string `json:"wallet"`
		Place  int    `json:"place"`
		Status int    `json:"status"`
		Hash   string `json:"hash"`
		Weight int64  `json:"weight"`
	}
	var works []int64
	var rows []row
	for i, l := range after {
		if slices.Equal(l.Task.Contributions, before[i].Task.Contributions) {
			continue
		}
		works = append(works, int64(l.Work.ID))
		for place, c := range l.Task.Contributions {
			rows = append(rows, row{int64(l.Work.ID), hex.EncodeToString(c.Wallet[:]), place, int(c.Status), hex.EncodeToString(c.Hash[:]), c.Weight})
		}
	}
	if len(works) == 0 {
		return
	}
	b.add("DELETE c FROM JSON_TABLE(?, '$[*]' COLUMNS (id BIGINT PATH '$')) j STRAIGHT_JOIN contribution c FORCE INDEX (PRIMARY) ON c.work_id = j.id", list(works))
	if len(rows) == 0 {
		return
	}
	const columns = `JSON_TABLE(?, '$[*]' COLUMNS (work BIGINT PATH '$.work', wallet CHAR(40) PATH '$.wallet', place INT PATH '$.place',
		status INT PATH '$.status', hash CHAR(64) PATH '$.hash', weight BIGINT PATH '$.weight')) j`
	b.must(int64(len(rows)), `INSERT INTO contribution (work_id, wallet, place, status, result_hash, weight)
		SELECT j.work, UNHEX(j.wallet), j.place, j.status, UNHEX(j.hash), j.weight FROM `+columns, list(rows))
	b.add("UPDATE "+columns+" STRAIGHT_JOIN worker w ON w.wallet = UNHEX(j.wallet) SET w.weight = j.weight WHERE w.weight <> j.weight", list(rows))
}

// Forget ends the works of deals that are gone, at most limit of them, as decide
// says, and removes what the chain showed of them. It gives how many.
func (s *Store) Forget(ctx context.Context, l *pool.Lease, limit int, t pool.Trace, decide func(now time.Time, lives []life.Life)) (int, error) {
	works, err := s.worksWhere(ctx, "SELECT k.work_id FROM deal d STRAIGHT_JOIN task k ON k.deal = d.id WHERE d.state = 'gone' LIMIT ?", limit)
	if err != nil || len(works) == 0 {
		return 0, err
	}
	return len(works), s.transact(ctx, "forgetting a deal", func(conn *sql.Conn) error {
		before, now, err := lockLives(ctx, conn, works)
		if err != nil {
			return err
		}
		lives := make([]life.Life, len(before))
		for i, l := range before {
			lives[i] = life.Life{Work: l.Work, Rows: slices.Clone(l.Rows), Task: l.Task, Head: l.Head}
		}
		decide(now, lives)
		if slices.ContainsFunc(lives, func(l life.Life) bool { return !l.Work.State.Ended() }) {
			return errors.New("a work was to be forgotten and has not ended")
		}
		ids := list(works)
		const each = "JSON_TABLE(?, '$[*]' COLUMNS (id BIGINT PATH '$')) j STRAIGHT_JOIN "
		b := &statements{}
		fence(b, l)
		writeQuotas(b, before, lives)
		writeLives(b, before, lives, t)
		b.add("DELETE c FROM "+each+"contribution c FORCE INDEX (PRIMARY) ON c.work_id = j.id", ids)
		b.add("UPDATE "+each+"action a ON a.work_id = j.id SET a.state = 'dropped', a.reason = 'its deal is gone' WHERE a.state = 'wanted'", ids)
		b.add("DELETE k FROM "+each+"task k ON k.work_id = j.id", ids)
		b.add("COMMIT")
		return lostRace(fenced(ctx, conn, l, exec(ctx, conn, b)))
	})
}
