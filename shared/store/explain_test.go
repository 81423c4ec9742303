package store_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"workerpool/shared/placement"
	"workerpool/shared/pool"
	"workerpool/shared/reason"
	"workerpool/shared/store/storetest"
)

// A work's place is that which counting by hand gives: among its own class and
// those that compete with it, and no others.
func TestWhyWorkCounts(t *testing.T) {
	t.Parallel()
	p := newParty(t, 2, 2)
	p.AddWorker(t, p.owner, 1, storetest.Program, "other")
	p.AddWorker(t, p.owner, 1, "third")
	others := p.AddAccount(t, "others", pool.RoleRequester, false)
	type entry struct {
		class, rank, missing int64
		work                 pool.WorkID
	}
	draw := rand.New(rand.NewPCG(3, 3))
	for range 40 {
		n := storetest.NewBatch([]pool.AccountID{p.requester, others}[draw.IntN(2)], 1+draw.IntN(6), []int{0, 3}[draw.IntN(2)])
		n.Demands.App.Name = []string{storetest.Program, "other", "third", "nobody"}[draw.IntN(4)]
		p.AddBatch(t, n)
	}
	var queue []entry
	rows := must(p.SQL.Query("SELECT class_id, queue_rank, missing, work_id FROM ready"))(t)
	defer rows.Close()
	for rows.Next() {
		var e entry
		if err := rows.Scan(&e.class, &e.rank, &e.missing, &e.work); err != nil {
			t.Fatal(err)
		}
		queue = append(queue, e)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	name := map[int64]string{}
	for _, e := range queue {
		q := must(p.WhyWork(background, 0, e.work))(t)
		name[e.class] = q.Demands.App.Name
		if q.Work.Rank != e.rank || int64(q.Ready.Missing) != e.missing || q.Work.ID != e.work {
			t.Fatalf("%+v: %+v", e, q)
		}
	}
	// Those who can run mandelbrot are three, of whom one runs other as well.
	compete := func(a, b string) bool {
		return a == b || a != "third" && b != "third" && a != "nobody" && b != "nobody"
	}
	most := 0
	for _, e := range queue {
		want := reason.Ahead{}
		for _, o := range queue {
			if compete(name[e.class], name[o.class]) && cmp.Or(cmp.Compare(o.rank, e.rank), cmp.Compare(o.work, e.work)) < 0 {
				want.Works, want.Wanted = want.Works+1, want.Wanted+int(o.missing)
			}
		}
		if q := must(p.WhyWork(background, 0, e.work))(t); q.Ahead != want {
			t.Errorf("work %d of %s: %+v, want %+v", e.work, name[e.class], q.Ahead, want)
		}
		most = max(most, want.Works)
	}
	if len(queue) < 80 || most < 40 || len(name) != 4 {
		t.Errorf("%d works of %v, at most %d ahead", len(queue), name, most)
	}
	_, err := p.WhyWork(background, others, p.works(t, 1, 0)[0])
	wantKind(t, err, pool.NotFound)
}

// What the rate is judged by are the offers of works that compete, of the last
// hour and the newest events.
func TestWhyWorkSeesTheRate(t *testing.T) {
	t.Parallel()
	p := newParty(t, 2, 3)
	work := p.works(t, 9, 0)[8]
	n := storetest.NewBatch(p.requester, 4, 0)
	n.Demands.App.Name = "alien"
	alien := p.AddBatch(t, n).ID.Work(0)
	dispatch(t, p.Books)
	p.Exec(t, "INSERT INTO event (at, kind, work_id, data) VALUES (UTC_TIMESTAMP(6), 'assignment.offered', ?, 'seed 1 attempt 1')", int64(alien))
	q := must(p.WhyWork(background, 0, work))(t)
	if len(q.Offers) != 6 || q.Since.IsZero() || q.Since.After(q.Offers[0]) || q.Now.Before(q.Offers[5]) {
		t.Errorf("%d offers since %v, now %v", len(q.Offers), q.Since, q.Now)
	}
	p.Exec(t, "UPDATE event SET at = at - INTERVAL 61 MINUTE")
	if q = must(p.WhyWork(background, 0, work))(t); len(q.Offers) != 0 || q.Now.Sub(q.Since).Round(time.Minute) != time.Hour {
		t.Errorf("of an hour ago: %d offers since %v", len(q.Offers), q.Since)
	}
	p.Exec(t, "DELETE FROM event")
	if q = must(p.WhyWork(background, 0, work))(t); len(q.Offers) != 0 {
		t.Errorf("of nothing: %d offers", len(q.Offers))
	}
}

// However much waits and however long the past, an explanation reads so much and
// no more, with the statistics of empty tables as with fresh ones.
func TestExplainingIsBounded(t *testing.T) {
	t.Parallel()
	s := storetest.New(t, storetest.Conns(1))
	p := join(t, s, 20, 10)
	for _, table := range []string{"ready", "event", "batch", "work", "draw"} {
		s.Exec(t, "ALTER TABLE "+table+" STATS_AUTO_RECALC = 0")
	}
	var last pool.WorkID
	for i := range 6 {
		n := storetest.NewBatch(p.requester, 5000, 0)
		n.Demands.CPU = -i % 2 // two classes, both of which everybody can run
		n.Demands.RunLimit = time.Duration(1+i%2) * time.Minute
		last = p.AddBatch(t, n).ID.Work(4999)
	}
	p.Exec(t, `INSERT INTO event (at, kind, work_id, data) SELECT UTC_TIMESTAMP(6) - INTERVAL 1 SECOND, 'assignment.offered', w.id, 'seed 1 attempt 1' FROM work w LIMIT 30000`)
	p.Exec(t, "INSERT INTO draw (at, seed, snapshot) SELECT UTC_TIMESTAMP(6), w.id, REPEAT('x', 1000) FROM work w LIMIT 2000")
	for _, statistics := range []string{"empty", "fresh"} {
		for name, c := range map[string]struct {
			most int
			do   func() error
		}{
			"a work": {4*10_000 + 6*2_000, func() error {
				q, err := p.WhyWork(background, 0, last)
				if err == nil && (!q.Ahead.More || q.Ahead.Works != 10_000 || len(q.Offers) != 2000 || len(q.Workers) != 20) {
					err = fmt.Errorf("%+v, %d offers, %d workers", q.Ahead, len(q.Offers), len(q.Workers))
				}
				return err
			}},
			"a worker": {8_000, func() error {
				l, err := p.WhyWorker(background, 0, p.workers[3])
				if err == nil && (len(l.Queues) != 2 || !l.Queues[0].More || l.Queues[0].Works != 1000 || len(l.Queues[1].Ready) != 200) {
					err = fmt.Errorf("%d queues", len(l.Queues))
				}
				return err
			}},
			"a draw": {100, func() error {
				_, err := p.Drawing(background, last, p.workers[3])
				if pool.KindOf(err) == pool.NotFound {
					return nil
				}
				return fmt.Errorf("never offered: %w", err)
			}},
			"forgetting": {300, func() error { _, err := p.ForgetDraws(background, time.Hour, 100_000, 50); return err }},
		} {
			before := p.rowsRead(t)
			asking := p.rowsRead(t) - before
			before = p.rowsRead(t)
			if err := c.do(); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			read := p.rowsRead(t) - before - asking
			t.Logf("%s, %s statistics: %d rows", name, statistics, read)
			if read > c.most {
				t.Errorf("explaining %s reads %d rows with %s statistics, at most %d are right", name, read, statistics, c.most)
			}
		}
		show(t, p.SQL, "ANALYZE TABLE ready, event, batch, work, draw")
	}
}

// A worker's look holds the front of what it can run, with turns and limits.
func TestWhyWorkerLooks(t *testing.T) {
	t.Parallel()
	p := newParty(t, 3, 1)
	n := storetest.NewBatch(p.requester, 5, 0)
	n.MaxRunning = 2
	batch := p.AddBatch(t, n)
	n = storetest.NewBatch(p.requester, 4, 0)
	n.Demands.CPU = 8
	p.AddBatch(t, n)
	dispatch(t, p.Books)
	l := must(p.WhyWorker(background, 0, p.workers[0]))(t)
	if len(l.Queues) != 2 || l.Queues[0].Works != 3 || len(l.Queues[0].Ready) != 3 || l.Queues[1].Works != 4 || len(l.Queues[1].Ready) != 0 {
		t.Errorf("%+v", l.Queues)
	}
	if l.Batches[batch.ID] != (placement.Limit{Max: 2, Running: 2}) || len(l.Workers) != 1 {
		t.Errorf("%+v, %d workers", l.Batches, len(l.Workers))
	}
	_, err := p.WhyWorker(background, p.owner, p.workers[0]) // shared: nobody can tell whose it is
	wantKind(t, err, pool.NotFound)
	_, err = p.WhyWorker(background, p.requester, p.workers[0])
	wantKind(t, err, pool.NotFound)
}
