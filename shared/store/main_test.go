package store_test

import (
	"context"
	"database/sql"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"workerpool/shared/life"
	"workerpool/shared/placement"
	"workerpool/shared/pool"
	"workerpool/shared/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

var (
	background = context.Background()
	trace      = pool.Trace{Account: 77, RequestID: "request-1"}
	truth      = pool.Digest{1, 2, 3}
	lie        = pool.Digest{9, 9, 9}
)

// wantKind fails the test unless err is of a kind.
func wantKind(t *testing.T, err error, kind pool.Kind) {
	t.Helper()
	if err == nil || pool.KindOf(err) != kind {
		t.Fatalf("%v, want %s", err, kind)
	}
}

func must[V any](v V, err error) func(*testing.T) V {
	return func(t *testing.T) V {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// dispatch makes one pass with placement's own decision.
func dispatch(t *testing.T, s *storetest.Books) placement.Pass {
	t.Helper()
	return must(s.Dispatch(background, nil, 500, placement.Bookmark{}, 1, trace, decide))(t)
}

func decide(s placement.Snapshot) placement.Plan { return placement.Decide(s, 1, placement.Defaults) }

// expire lets life judge works by the database's clock.
func expire(now time.Time, lives []life.Life) {
	for i := range lives {
		lives[i].Expire(now, 1, life.Defaults)
	}
}

func cancel(now time.Time, lives []life.Life) {
	for i := range lives {
		lives[i].Cancel(now)
	}
}

func keep(time.Time, []life.Life) {}

// party is a requester with a pool of workers, each its own owner.
type party struct {
	*storetest.Books
	requester, owner pool.AccountID
	workers          []pool.WorkerID
}

func newParty(t *testing.T, workers, slots int, options ...storetest.Option) *party {
	t.Helper()
	return join(t, storetest.New(t, options...), workers, slots)
}

func join(t *testing.T, s *storetest.Books, workers, slots int) *party {
	t.Helper()
	p := &party{Books: s}
	p.requester = s.AddAccount(t, "requester", pool.RoleRequester, false)
	p.owner = s.AddAccount(t, "workers", pool.RoleWorker, true)
	for range workers {
		p.workers = append(p.workers, s.AddWorker(t, p.owner, slots))
	}
	return p
}

// works submits works of a trust and gives their ids.
func (p *party) works(t *testing.T, n, trust int) []pool.WorkID {
	t.Helper()
	batch := p.AddBatch(t, storetest.NewBatch(p.requester, n, trust))
	ids := make([]pool.WorkID, n)
	for i := range ids {
		ids[i] = batch.ID.Work(i)
	}
	return ids
}

// turns gives a work's assignments.
func (p *party) turns(t *testing.T, id pool.WorkID) []pool.Assignment {
	t.Helper()
	_, turns, err := p.Work(background, 0, id)
	if err != nil {
		t.Fatal(err)
	}
	return turns
}

// open gives those of them that are open.
func (p *party) open(t *testing.T, id pool.WorkID) []pool.Assignment {
	t.Helper()
	return slices.DeleteFunc(p.turns(t, id), func(a pool.Assignment) bool { return !a.State.Open() })
}

// show gives the rows of a query whose columns are each server's own, by their
// names in small letters.
func show(t *testing.T, db *sql.DB, query string) []map[string]string {
	t.Helper()
	rows, err := db.Query(query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var out []map[string]string
	for rows.Next() {
		values, into := make([]sql.NullString, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		row := map[string]string{}
		for i, column := range columns {
			row[strings.ToLower(column)] = values[i].String
		}
		out = append(out, row)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// number reads what show gave.
func number(t *testing.T, text string) int {
	t.Helper()
	return must(strconv.Atoi(text))(t)
}

// bring lets a worker report a digest for a turn.
func (p *party) bring(t *testing.T, a pool.Assignment, d pool.Digest) life.Life {
	t.Helper()
	return p.Report(t, a.Worker, pool.Report{Work: a.Work, Attempt: a.Attempt, Says: pool.SaysReported, Digest: d, Size: 10})
}

// finish brings a work that was dispatched to its end.
func (p *party) finish(t *testing.T, id pool.WorkID) {
	t.Helper()
	for _, a := range p.turns(t, id) {
		p.bring(t, a, truth)
	}
	for _, a := range p.turns(t, id) {
		if a.State == pool.Uploading {
			l := p.Report(t, a.Worker, pool.Report{Work: id, Attempt: a.Attempt, Says: pool.SaysUploaded, Digest: truth, Size: 10})
			if l.Work.State == pool.Done {
				return
			}
		}
	}
	t.Fatalf("work %d did not end: %+v", id, p.turns(t, id))
}
