package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"workerpool/shared/placement"
	"workerpool/shared/pool"
	"workerpool/shared/store/storetest"
)

const (
	hostile   = 100_000 // works ready that nobody can run
	ended     = 10_000  // works of the past, with their assignments
	batchSize = 10_000
)

// TestPlans fills the books with works nobody can run and with a long past, and
// then looks at what the server reads for each of the hot statements, and by which
// keys: with the statistics of empty tables, as right after a large submission, and
// with fresh ones.
func TestPlans(t *testing.T) {
	t.Parallel()
	var wire storetest.Wire
	s := storetest.New(t, storetest.Dial(wire.Dial), storetest.Conns(1))
	t.Log("on " + storetest.Version(t, s))
	tables := []string{"account", "assignment", "batch", "beat", "class", "event", "lease", "past_assignment", "ready", "tally", "work", "work_item", "worker"}
	for _, table := range tables {
		s.Exec(t, "ALTER TABLE "+table+" STATS_AUTO_RECALC = 0")
	}
	p := join(t, s, 20, 10)
	for range hostile / batchSize {
		n := storetest.NewBatch(p.requester, batchSize, 3)
		n.Demands.App.Name = "nobody"
		for i := range n.Items {
			n.Items[i] = []byte("{}")
		}
		p.AddBatch(t, n)
	}
	p.past(t)
	p.Exec(t, `INSERT INTO batch (requester, origin, body_sha256, nonce, works, class_id, queue_rank, trust, run_limit_s, deadline, missing_inputs, template, created_at)
		SELECT requester, origin, body_sha256, nonce, 0, class_id, 1, 1, 60, deadline, 0, '{}', created_at
		FROM batch JOIN (SELECT id FROM work LIMIT 1000) n`) // batches of the past
	p.Exec(t, "INSERT INTO account (login, role, created_at) SELECT CONCAT('of-', id), 'requester', UTC_TIMESTAMP(6) FROM work LIMIT 20000")
	ids := p.works(t, 600, 3)
	dispatch(t, p.Books)
	const open = 200 // 20 workers of 10 slots
	if got := p.Count(t, "SELECT COUNT(*) FROM assignment WHERE state = 'offered'"); got != open {
		t.Fatalf("%d offers", got)
	}
	p.hot(t, &wire, "empty", ids[:100], open)
	for _, table := range tables {
		show(t, p.SQL, "ANALYZE TABLE "+table)
	}
	p.hot(t, &wire, "fresh", ids[100:], open)
}

// hot does each of the hot operations and holds what it read to what is right.
func (p *party) hot(t *testing.T, wire *storetest.Wire, statistics string, ids []pool.WorkID, open int) {
	t.Helper()
	renewal := pool.Renewal{Worker: p.workers[0], Lease: time.Hour, Interval: time.Second}
	var staged pool.BatchID
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
			work, _, err := p.Work(background, 0, ids[0])
			if err != nil {
				return err
			}
			bookmark := placement.Bookmark{work.Class: {Rank: work.Rank, Work: ids[50]}}
			wire.Reset()
			_, err = p.Dispatch(background, nil, 50, bookmark, 1, trace, decide)
			return err
		}},
		{"submitting", 500, func() error {
			n := storetest.NewBatch(p.requester, 20, 1)
			n.Idempotency, n.Items[3] = statistics, []byte("{}")
			n.Inputs = []pool.Input{{Digest: pool.Digest{1}, Size: 1}, {Digest: pool.Digest{2}, Size: 1}}
			b, err := p.InsertBatch(background, n, 1, 0)
			staged = b.ID
			return err
		}},
		{"asking for missing inputs", 100, func() error {
			_, missing, err := p.MissingInputs(background, p.requester, staged, 10)
			if err == nil && missing != 2 {
				err = fmt.Errorf("%d are missing", missing)
			}
			return err
		}},
		{"noting inputs", 300, func() error {
			_, err := p.MarkInputs(background, staged, []pool.Digest{{1}, {2}}, 1, trace)
			return err
		}},
		{"a batch", 100, func() error { _, err := p.Batch(background, p.requester, staged); return err }},
		{"an archive nobody has", 20, func() error {
			if _, err := p.WorkOfFile(background, pool.Digest{1}); pool.KindOf(err) != pool.NotFound {
				return fmt.Errorf("an answer about a file that is not there: %v", err)
			}
			return nil
		}},
		{"a page of workers", 15 * open, func() error { _, _, err := p.Workers(background, 0, 0, 100); return err }},
		{"archiving", 2000, func() error {
			moved, err := p.Archive(background, 20)
			if err == nil && moved == 0 {
				err = fmt.Errorf("nothing was moved")
			}
			return err
		}},
		{"a page of works", 1000, func() error {
			_, err := p.Works(background, pool.WorkFilter{Requester: p.requester, After: ids[0], Limit: 100})
			return err
		}},
		{"a work", 100, func() error { _, _, err := p.Work(background, p.requester, ids[0]); return err }},
		{"what is revoked", 20, func() error { _, err := p.Revoked(background, time.Hour); return err }},
		{"revoking", 50, func() error { _, err := change(p.Books, "requester", 0, pool.AccountChange{Revoke: true}); return err }},
		{"a page of accounts", 300, func() error { _, err := p.Accounts(background, 5, 100); return err }},
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
		said := wire.Said()
		read := p.rowsRead(t) - before
		t.Logf("%s statistics: %-30s reads %6d rows", statistics, c.name, read)
		if read > c.most {
			t.Errorf("%s reads %d rows with %s statistics, at most %d are right", c.name, read, statistics, c.most)
		}
		p.explain(t, c.name, said)
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

// rowsRead is how many rows the store's only connection has read. Asking costs
// some, too.
func (p *party) rowsRead(t *testing.T) int {
	t.Helper()
	sum := 0
	for _, row := range show(t, p.Conns(), "SHOW SESSION STATUS LIKE 'Handler_read%'") {
		sum += number(t, row["value"])
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

// keys are those by which a table may be entered, by the table's name and by what
// statements call it. These tables grow with the past or with what waits.
var keys = map[string]string{
	"ready": "PRIMARY", "r": "PRIMARY",
	"batch": "PRIMARY", "b": "PRIMARY",
	"work_item": "PRIMARY", "i": "PRIMARY",
	"past_assignment": "PRIMARY", "p": "PRIMARY",
	"event": "event_work",
	"input": "PRIMARY",
	"work":  "PRIMARY work_open work_requester",
}

func (p *party) plan(t *testing.T, name, statement string) {
	t.Helper()
	for _, step := range show(t, p.SQL, "EXPLAIN FORMAT=TRADITIONAL "+statement) {
		if step["select_type"] == "INSERT" { // MySQL names what is written, too
			continue
		}
		table, how, key := step["table"], step["type"], step["key"]
		right, grows := keys[table]
		if grows && (!slices.Contains(strings.Fields(right), key) || how == "ALL" || how == "index") {
			t.Errorf("%s enters %s by %q (%s): %.300s", name, table, key, how, statement)
		}
		if (table == "ready" || table == "r") && strings.Contains(step["extra"], "filesort") {
			t.Errorf("%s sorts %s: %.300s", name, table, statement)
		}
	}
}
