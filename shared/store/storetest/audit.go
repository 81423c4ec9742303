package storetest

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
	"testing"
	"time"

	"workerpool/shared/life"
	"workerpool/shared/pool"
)

// Check holds the books to what the pool promises (P1, P2, P3, P5) and to
// themselves. It looks at one consistent snapshot, so it may be called while
// others write, as often as one likes: what ended before must not have changed.
func Check(t testing.TB, b *Books) {
	t.Helper()
	faults, err := b.audit.Look(context.Background())
	if err != nil {
		t.Fatalf("looking at the books: %v", err)
	}
	for _, f := range faults {
		t.Errorf("the books: %s", f)
	}
}

// Audit remembers the ended works of one database between looks.
type Audit struct {
	db    *sql.DB
	mu    sync.Mutex
	ended map[pool.WorkID]string
}

// NewAudit begins to watch a database of the pool.
func NewAudit(db *sql.DB) *Audit { return &Audit{db: db, ended: map[pool.WorkID]string{}} }

// Look gives what is wrong in one consistent snapshot, one sentence each.
func (a *Audit) Look(ctx context.Context) ([]string, error) {
	a.mu.Lock() // looks come in order of their snapshots
	defer a.mu.Unlock()
	tx, err := a.db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback() }() // nothing was written
	s, err := read(ctx, tx)
	if err != nil {
		return nil, err
	}
	faults := s.faults()
	for id, w := range s.works {
		if !w.State.Ended() {
			continue
		}
		now := fmt.Sprintf("%s at %v with %.8s of %d bytes for %q", w.State, w.Ended, w.Digest, w.Size, w.Reason)
		if was, known := a.ended[id]; known && was != now {
			faults = append(faults, fmt.Sprintf("work %d ended %s and is now %s", id, was, now))
		}
		a.ended[id] = now
	}
	for id := range a.ended {
		if _, there := s.works[id]; !there {
			faults = append(faults, fmt.Sprintf("work %d had ended and is gone", id))
		}
	}
	return faults, nil
}

type (
	batchRow struct {
		requester     pool.AccountID
		works         int
		class         pool.ClassID
		rank, cost    int64
		trust         int
		missing       int // as stated
		inputs, there int // rows of input, and those present
	}
	turnRow struct {
		pool.Assignment
		slot string // the owner's, "" = NULL
		past bool
	}
	pair struct {
		work   pool.WorkID
		worker pool.WorkerID
	}
	readyKey struct {
		class pool.ClassID
		rank  int64
		work  pool.WorkID
	}
	workerRow struct {
		owner pool.Owner
		slots int
		beat  bool

		wallet pool.Address
	}
	snapshot struct {
		batches map[pool.BatchID]batchRow
		works   map[pool.WorkID]pool.Work
		turns   map[pool.WorkID][]turnRow
		ready   map[readyKey]int
		workers map[pool.WorkerID]workerRow
		deals   map[pool.WorkID]*dealRow

		taskless []pool.WorkID // works of deals that have no task
		back     map[pair]bool // turns that expired since they were offered; if open, their workers returned
	}
)

// read is written apart from the store's own reading, column by column.
func read(ctx context.Context, tx *sql.Tx) (*snapshot, error) {
	s := &snapshot{
		batches: map[pool.BatchID]batchRow{}, works: map[pool.WorkID]pool.Work{}, turns: map[pool.WorkID][]turnRow{},
		ready: map[readyKey]int{}, workers: map[pool.WorkerID]workerRow{}, back: map[pair]bool{}, deals: map[pool.WorkID]*dealRow{},
	}
	each := func(query string, scan func(*sql.Rows) error) error {
		rows, err := tx.QueryContext(ctx, query)
		if err != nil {
			return fmt.Errorf("%s: %w", query, err)
		}
		defer rows.Close()
		for rows.Next() {
			if err := scan(rows); err != nil {
				return fmt.Errorf("%s: %w", query, err)
			}
		}
		return rows.Err()
	}
	err := each(`SELECT b.id, b.requester, b.works, b.class_id, b.queue_rank, b.cost, b.trust, b.missing_inputs,
		(SELECT COUNT(*) FROM input i WHERE i.batch_id = b.id), (SELECT COUNT(*) FROM input i WHERE i.batch_id = b.id AND i.present) FROM batch b`, func(r *sql.Rows) error {
		var id pool.BatchID
		var b batchRow
		err := r.Scan(&id, &b.requester, &b.works, &b.class, &b.rank, &b.cost, &b.trust, &b.missing, &b.inputs, &b.there)
		s.batches[id] = b
		return err
	})
	if err != nil {
		return nil, err
	}
	err = each("SELECT id, requester, state, open_until, digest, size, ended_at, reason FROM work", func(r *sql.Rows) error {
		var w pool.Work
		var until, ended sql.NullTime
		var size sql.NullInt64
		var digest []byte
		var reason sql.NullString
		err := r.Scan(&w.ID, &w.Requester, &w.State, &until, &digest, &size, &ended, &reason)
		w.Deadline, w.Ended, w.Size, w.Reason, w.Digest = until.Time, ended.Time, size.Int64, reason.String, digestOf(digest)
		s.works[w.ID] = w
		return err
	})
	if err != nil {
		return nil, err
	}
	const columns = "work_id, worker_id, owner, attempt, state, started, digest, size"
	err = each("SELECT "+columns+", start_by, run_by, COALESCE(owner_slot, ''), FALSE FROM assignment UNION ALL SELECT "+columns+
		", NULL, NULL, '', TRUE FROM past_assignment", func(r *sql.Rows) error {
		var a turnRow
		var digest []byte
		var size sql.NullInt64
		var startBy, runBy sql.NullTime
		err := r.Scan(&a.Work, &a.Worker, &a.Owner, &a.Attempt, &a.State, &a.Started, &digest, &size, &startBy, &runBy, &a.slot, &a.past)
		a.Digest, a.Size, a.StartBy, a.RunBy = digestOf(digest), size.Int64, startBy.Time, runBy.Time
		s.turns[a.Work] = append(s.turns[a.Work], a)
		return err
	})
	if err != nil {
		return nil, err
	}
	err = each("SELECT class_id, queue_rank, work_id, missing FROM ready", func(r *sql.Rows) error {
		var k readyKey
		var missing int
		err := r.Scan(&k.class, &k.rank, &k.work, &missing)
		s.ready[k] = missing
		return err
	})
	if err != nil {
		return nil, err
	}
	err = each(`SELECT work_id, worker_id FROM event WHERE kind IN ('assignment.offered', 'assignment.expired') GROUP BY work_id, worker_id
		HAVING MAX(IF(kind = 'assignment.expired', id, 0)) > MAX(IF(kind = 'assignment.offered', id, 0))`, func(r *sql.Rows) error {
		var p pair
		err := r.Scan(&p.work, &p.worker)
		s.back[p] = true
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := s.readDeals(each); err != nil {
		return nil, err
	}
	return s, each(`SELECT w.id, w.account_id, a.shared, w.slots, t.worker_id IS NOT NULL, w.wallet FROM worker w JOIN account a ON a.id = w.account_id
		LEFT JOIN beat t ON t.worker_id = w.id`, func(r *sql.Rows) error {
		var id pool.WorkerID
		var account pool.AccountID
		var shared bool
		var w workerRow
		var wallet []byte
		err := r.Scan(&id, &account, &shared, &w.slots, &w.beat, &wallet)
		if wallet != nil {
			w.wallet = pool.Address(wallet)
		}
		w.owner = pool.Owner(fmt.Sprint("account:", account))
		if shared {
			w.owner = pool.Owner(fmt.Sprint("worker:", id))
		}
		s.workers[id] = w
		return err
	})
}

func digestOf(b []byte) pool.Digest {
	if b == nil {
		return pool.Digest{}
	}
	return pool.Digest(b)
}

// lifeOf is the work with its turns as life knows them.
func (s *snapshot) lifeOf(w pool.Work) life.Life {
	l := life.Life{Work: w}
	l.Work.Trust = s.batches[w.ID.Batch()].trust
	for _, t := range s.turns[w.ID] {
		l.Rows = append(l.Rows, life.Row{Assignment: t.Assignment, Until: time.Time{}})
	}
	return l
}
