package store_test

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"workerpool/shared/placement"
	"workerpool/shared/pool"
	"workerpool/shared/store/storetest"
)

const (
	hostile   = 20_000 // works ready that nobody can run
	ended     = 10_000 // works of the past, with their assignments
	batchSize = 10_000
)

// TestPlans fills the books with works nobody can run and with a long past, and
// then looks at what the server reads for each of the hot statements.
func TestPlans(t *testing.T) {
	t.Parallel()
	var wire storetest.Wire
	s, _ := storetest.Own(t, storetest.Dial(wire.Dial), storetest.Conns(1))
	p := join(t, s, 20, 10)
	for range hostile / batchSize {
		n := storetest.NewBatch(p.requester, batchSize, 3)
		n.Demands.App.Name = "nobody"
		p.AddBatch(t, n)
	}
	p.past(t)
	p.Exec(t, `INSERT INTO batch (requester, origin, body_sha256, nonce, works, class_id, queue_rank, trust, run_limit_s, deadline, missing_inputs, template, created_at)
		SELECT requester, origin, body_sha256, nonce, 0, class_id, 1, 1, 60, deadline, 0, '{}', created_at FROM batch JOIN seq_1_to_1000`) // batches of the past
	p.Exec(t, "SET GLOBAL innodb_stats_auto_recalc = OFF") // plans may not rest on fresh statistics
	ids := p.works(t, 300, 3)
	dispatch(t, p.Books)
	const open = 200 // 20 workers of 10 slots
	if got := p.Count(t, "SELECT COUNT(*) FROM assignment WHERE state = 'offered'"); got != open {
		t.Fatalf("%d offers", got)
	}
	renewal := pool.Renewal{Worker: p.workers[0], Lease: time.Hour, Interval: time.Second}
	for _, c := range []struct {
		name string
		most int // rows read by all statements together
		do   func() error
	}{
		{"an idle heartbeat", 200, func() error { _, err := p.Hear(background, p.owner, p.workers[0]); return err }},
		{"settling ten works", 1000, func() error {
			_, err := p.Settle(background, ids[:10], &renewal, trace, cancel)
			return err
		}},
		{"dispatching", 20 * open, func() error {
			pass, err := p.Dispatch(background, nil, 50, placement.Bookmark{}, 1, trace, decide)
			if err == nil && pass.Offers == 0 {
				err = fmt.Errorf("%+v", pass)
			}
			return err
		}},
		{"dispatching behind a bookmark", 20 * open, func() error {
			must(p.Settle(background, ids[10:20], nil, trace, cancel))(t) // slots
			wire.Reset()
			bookmark := placement.Bookmark{}
			for _, id := range ids[:1] {
				work, _, err := p.Work(background, 0, id)
				if err != nil {
					return err
				}
				bookmark[work.Class] = placement.Place{Rank: work.Rank, Work: ids[150]}
			}
			wire.Reset()
			_, err := p.Dispatch(background, nil, 50, bookmark, 1, trace, decide)
			return err
		}},
		{"a page of works", 1000, func() error {
			_, err := p.Works(background, pool.WorkFilter{Requester: p.requester, After: ids[0], Limit: 100})
			return err
		}},
		{"a work", 100, func() error { _, _, err := p.Work(background, p.requester, ids[0]); return err }},
		{"renewing", 50, func() error { return p.Renew(background, renewal) }},
		{"taking the lease", 50, func() error { _, err := p.TakeLease(background); return err }},
	} {
		asking := -p.rowsRead(t)
		asking += p.rowsRead(t)
		before := p.rowsRead(t) + asking
		wire.Reset()
		if err := c.do(); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		read := p.rowsRead(t) - before
		t.Logf("%-28s reads %6d rows", c.name, read)
		if read > c.most {
			t.Errorf("%s reads %d rows, at most %d are right; its statements:", c.name, read, c.most)
		}
		p.explain(t, c.name, wire.Said())
	}
}

// past makes ended works with assignments by plain SQL, most of them archived.
func (p *party) past(t *testing.T) {
	t.Helper()
	const fresh = 300 // ended since the last archiving
	batch := p.AddBatch(t, storetest.NewBatch(p.requester, ended, 1))
	first, last := int64(batch.ID.Work(0)), int64(batch.ID.Work(ended-1))
	p.Exec(t, "DELETE FROM ready WHERE work_id BETWEEN ? AND ?", first, last)
	p.Exec(t, "UPDATE work SET state = 'done', digest = REPEAT('x', 32), ended_at = UTC_TIMESTAMP(6), open_until = NULL WHERE id BETWEEN ? AND ?", first, last)
	for table, part := range map[string][2]int64{"past_assignment": {first + fresh, last}, "assignment": {first, first + fresh - 1}} {
		p.Exec(t, "INSERT INTO "+table+` (work_id, worker_id, owner, attempt, state, started, digest, size)
			SELECT w.id, k.id, CONCAT('worker:', k.id), 1, 'closed', TRUE, w.digest, 1 FROM work w JOIN worker k ON k.id = ? + w.id % 20
			WHERE w.id BETWEEN ? AND ?`, int64(p.workers[0]), part[0], part[1])
	}
}

// rowsRead is how many rows the test's server has read. Asking costs some, too.
func (p *party) rowsRead(t *testing.T) int {
	t.Helper()
	rows, err := p.SQL.Query("SHOW GLOBAL STATUS LIKE 'Handler_read%'")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	sum := 0
	for rows.Next() {
		var name string
		var n int
		if err := rows.Scan(&name, &n); err != nil {
			t.Fatal(err)
		}
		sum += n
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return sum
}

// explain asks the server for its plan of each statement: tables that grow with
// the past are entered by a key, and queues are read in the order of theirs.
func (p *party) explain(t *testing.T, name string, said []string) {
	t.Helper()
	for _, trip := range said {
		for _, statement := range storetest.Statements(trip) {
			verb, _, _ := strings.Cut(strings.TrimLeft(statement, "( "), " ")
			if verb == "SELECT" || verb == "UPDATE" || verb == "DELETE" || verb == "INSERT" {
				p.plan(t, name, statement)
			}
		}
	}
}

// growing are the tables, by their names and by what statements call them, that
// must never be read whole.
var growing = map[string]bool{
	"ready": true, "r": true, "work": true, "batch": true, "b": true, "work_item": true, "i": true, "event": true, "past_assignment": true, "p": true,
}

func (p *party) plan(t *testing.T, name, statement string) {
	t.Helper()
	rows, err := p.SQL.Query("EXPLAIN " + statement)
	if err != nil {
		t.Fatalf("%s: %v: %s", name, err, statement)
	}
	defer rows.Close()
	for rows.Next() {
		var id, kind, table, how, possible, key, length, ref, estimate, extra sql.NullString
		if err := rows.Scan(&id, &kind, &table, &how, &possible, &key, &length, &ref, &estimate, &extra); err != nil {
			t.Fatal(err)
		}
		if growing[table.String] && (key.String == "" || how.String == "ALL" || how.String == "index") {
			t.Errorf("%s reads all of %s (%s): %.300s", name, table.String, how.String, statement)
		}
		if (table.String == "ready" || table.String == "r") && (key.String != "PRIMARY" || strings.Contains(extra.String, "filesort")) {
			t.Errorf("%s reads %s by %q, %s: %.300s", name, table.String, key.String, extra.String, statement)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}
