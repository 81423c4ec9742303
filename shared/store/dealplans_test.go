package store_test

import (
	"slices"
	"strings"
	"testing"

	"workerpool/shared/pool"
	"workerpool/shared/settlement"
	"workerpool/shared/store/storetest"
)

// chainKeys are those by which the tables that grow with deals may be entered, by
// the table's name and by what the statements of deals call it.
var chainKeys = map[string]string{
	"deal": "PRIMARY deal_chain deal_open deal_block", "d": "PRIMARY deal_chain deal_open deal_block",
	"task": "PRIMARY task_chain task_deal task_look task_status task_seen", "k": "PRIMARY task_chain task_deal task_look task_status task_seen", "o": "task_deal task_status PRIMARY broadcast_once",
	"action": "PRIMARY action_once action_state action_broadcast", "a": "PRIMARY action_once action_state action_broadcast", "broadcast": "PRIMARY broadcast_once broadcast_hash broadcast_state broadcast_block",
	"contribution": "PRIMARY", "c": "PRIMARY", "authorisation": "PRIMARY", "u": "PRIMARY",
	"work": "PRIMARY", "w": "PRIMARY", "batch": "PRIMARY", "ready": "PRIMARY", "r": "PRIMARY",
}

// TestDealPlans fills the books with settled deals and with one that waits for
// workers, and then looks at what the server reads for each statement of a pass,
// and by which keys: with the statistics of empty tables and with fresh ones.
func TestDealPlans(t *testing.T) {
	t.Parallel()
	var wire storetest.Wire
	s := storetest.New(t, storetest.Dial(wire.Dial), storetest.Conns(1))
	p := &party{Books: s}
	tables := []string{"account", "action", "assignment", "authorisation", "batch", "broadcast", "contribution", "deal", "lease", "ready", "task", "work", "worker"}
	for _, table := range tables {
		s.Exec(t, "ALTER TABLE "+table+" STATS_AUTO_RECALC = 0")
	}
	p.settledDeals(t)
	waiting, served := dealOf(1, 10_000, 3), dealOf(2, 60, 3)
	follow(t, s, blockAt(5, 0), []pool.Deal{waiting, served})
	takeAll(t, s)
	s.Exec(t, "UPDATE task SET look_at = '2032-01-01', seen_block = 8, seen_at = '2031-05-06' WHERE NOT final")
	works := worksOf(t, s, served)
	decideOn(t, s, want(pool.Initialize, 1, works[:40]...))
	p.costs(t, &wire, "empty", served, works)
	for _, table := range tables {
		show(t, s.SQL, "ANALYZE TABLE "+table)
	}
	p.costs(t, &wire, "fresh", served, works)
}

// settledDeals makes a past of settled deals by plain SQL.
func (p *party) settledDeals(t *testing.T) {
	t.Helper()
	d := dealOf(9, 10_000, 1)
	follow(t, p.Books, blockAt(4, 0), []pool.Deal{d})
	takeAll(t, p.Books)
	p.Exec(t, "UPDATE task SET final = TRUE, status = 3, look_at = NULL, seen_block = 3, consensus = task_id, digest = task_id")
	p.Exec(t, "UPDATE work SET state = 'done', digest = REPEAT('x', 32), ended_at = UTC_TIMESTAMP(6), open_until = NULL")
	p.Exec(t, "DELETE FROM ready")
	p.Exec(t, "UPDATE deal SET state = 'settled'")
	p.Exec(t, `INSERT INTO deal (deal_id, account_id, block, start_at, final_at, run_limit_s, first_task, tasks, taken, trust, price, stake, owner, callback, terms, state)
		SELECT task_id, account_id, 3, start_at, final_at, run_limit_s, 0, 1, 1, 1, 1, 1, owner, 0, terms, 'settled' FROM deal JOIN (SELECT task_id FROM task LIMIT 1000) k`)
	p.Exec(t, "INSERT INTO action (work_id, kind, round, state, before_at, broadcast) SELECT work_id, 'finalize', 1, 'done', '2031-01-01', work_id FROM task")
	p.Exec(t, "INSERT INTO contribution (work_id, wallet, place, status, result_hash, weight) SELECT work_id, REPEAT('w', 20), 0, 2, task_id, 2 FROM task")
	p.Exec(t, "INSERT INTO authorisation (work_id, worker_id, wallet, signature, made_at) SELECT work_id, 1, REPEAT('w', 20), REPEAT('s', 65), '2031-01-01' FROM task")
	p.Exec(t, `INSERT INTO broadcast (id, wallet, nonce, attempt, kind, hash, raw, state, signed_at, block, gas)
		SELECT work_id, ?, work_id, 1, 'finalize', task_id, REPEAT('r', 300), 'mined', '2031-01-01', 3, 1 FROM task`, owner[:])
}

// costs does each operation of a pass and holds what it read to what is right.
func (p *party) costs(t *testing.T, wire *storetest.Wire, statistics string, d pool.Deal, works []pool.WorkID) {
	t.Helper()
	head := headAt(50, 40)
	last := uint64(p.Count(t, "SELECT MAX(nonce) FROM broadcast"))
	cursor := must(p.Cursor(background))(t)
	views := make([]pool.Task, 50)
	for i := range views {
		views[i] = pool.Task{ID: taskOf(d, 7+i), Block: 50, Status: pool.TaskActive, Contributions: []pool.Contribution{contributed(1, 1, pool.Contributed, 2)}}
	}
	first := int64(p.Count(t, "SELECT MIN(id) FROM action WHERE state = 'wanted'"))
	for _, c := range []struct {
		name string
		most int // rows read by all statements together
		do   func() error
	}{
		{"following", 200, func() error {
			return p.Followed(background, nil, pool.Followed{From: cursor, To: blockAt(cursor.Number+1, 0), Clock: genesis, Deals: []pool.Deal{d}, Touched: []pool.Hash{taskOf(d, 7), taskOf(d, 8)}})
		}},
		{"asking for unsure deals", 20, func() error { _, err := p.Unsure(background, 10); return err }},
		{"asking for deals to take in", 20, func() error { _, err := p.TakeIn(background, nil, 9, trace, planOf("")); return err }},
		{"asking what is due", 60, func() error { _, err := p.Due(background, head.Block, 100); return err }},
		{"storing 50 views", 3_000, func() error { _, err := p.SettleTasks(background, nil, views, head, trace, look); return err }},
		{"asking what is final", 20, func() error { _, err := p.Finish(background, nil, head, 100, trace, look); return err }},
		{"asking what is to be forgotten", 20, func() error { _, err := p.Forget(background, nil, 100, trace, cancel); return err }},
		{"asking what to settle", 1_000, func() error {
			found, err := p.ToSettle(background, head.Block)
			if err == nil && len(found) < 38 {
				t.Errorf("%d are to be settled", len(found))
			}
			return err
		}},
		{"reading what to settle", 1_500, func() error {
			_, err := p.Settlement(background, head.Block, works[:40], func(pool.Digest) []byte { return nil })
			return err
		}},
		{"storing what was decided", 1_500, func() error {
			v := want(pool.Initialize, 1, works[:40]...)
			v.Drop = []settlement.Dropped{{ID: first + 30, Reason: "x"}, {ID: first + 31, Reason: "x"}}
			return p.Decided(background, nil, v, trace)
		}},
		{"reading the lane", 600, func() error { _, err := p.Lane(background, owner, 30); return err }},
		{"signing", 500, func() error { return p.Sign(background, nil, signed(last+1, 1), []int64{first, first + 1}, trace) }},
		{"settling a broadcast", 300, func() error {
			id := int64(p.Count(t, "SELECT id FROM broadcast WHERE nonce = ?", last+1))
			wire.Reset()
			return p.Settled(background, nil, id, pool.Mined, pool.Receipt{Block: 49}, trace)
		}},
		{"going back", 2_000, func() error {
			from := must(p.Cursor(background))(t)
			wire.Reset()
			return p.Unwind(background, nil, from, blockAt(48, 0))
		}},
		{"recalling", 100, func() error { return p.Recall(background, nil, owner, last+1) }},
		{"asking for the oldest", 600, func() error { _, err := p.Oldest(background, 50); return err }},
		{"a page of open tasks", 600, func() error { _, err := p.OpenTasks(background, works[0]-1, 50); return err }},
		{"comparing", 1_000, func() error { _, err := p.Compare(background, works[:50]); return err }},
		{"asking whether it is busy", 20, func() error { _, err := p.Busy(background); return err }},
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
		t.Logf("%s statistics: %-32s reads %6d rows", statistics, c.name, read)
		if read > c.most {
			t.Errorf("%s reads %d rows with %s statistics, at most %d are right", c.name, read, statistics, c.most)
		}
		for _, trip := range said {
			for _, statement := range storetest.Statements(trip) {
				switch verb, _, _ := strings.Cut(strings.TrimLeft(statement, "( "), " "); verb {
				case "SELECT", "UPDATE", "DELETE", "INSERT":
					p.entered(t, c.name, statement)
				}
			}
		}
	}
}

// entered asks the server by which keys a statement enters the tables of deals.
func (p *party) entered(t *testing.T, name, statement string) {
	t.Helper()
	for _, step := range show(t, p.SQL, "EXPLAIN FORMAT=TRADITIONAL "+statement) {
		if step["select_type"] == "INSERT" { // MySQL names what is written, too
			continue
		}
		table, how, key := step["table"], step["type"], step["key"]
		right, grows := chainKeys[table]
		if table == "w" && strings.Contains(statement, "worker w") || table == "a" && !strings.Contains(statement, "action a ") {
			continue
		}
		if table == "k" && strings.Contains(statement, "JSON_TABLE(") && !strings.Contains(statement, "task k") { // another's name for a list
			continue
		}
		if grows && (!slices.Contains(strings.Fields(right), key) || how == "ALL" || how == "index") {
			t.Errorf("%s enters %s by %q (%s): %.400s", name, table, key, how, statement)
		}
		if (table == "k" || table == "task" || table == "action") && strings.Contains(step["extra"], "filesort") && strings.Contains(statement, "LIMIT") {
			t.Errorf("%s sorts %s: %.300s", name, table, statement)
		}
	}
}
