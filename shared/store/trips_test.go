package store_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"workerpool/shared/auth"
	"workerpool/shared/life"
	"workerpool/shared/placement"
	"workerpool/shared/pool"
	"workerpool/shared/store/storetest"
)

// TestRoundTrips counts what each operation costs: packets to the server, and by
// the server's own counters commits and written rows.
func TestRoundTrips(t *testing.T) {
	t.Parallel()
	var wire storetest.Wire
	s, _ := storetest.Own(t, storetest.Dial(wire.Dial), storetest.Conns(1))
	p := join(t, s, 2, pool.MaxSlots)
	w := p.workers[0]
	ids := p.works(t, 1, 1)
	dispatch(t, s)
	p.Report(t, p.turns(t, ids[0])[0].Worker, pool.Report{Work: ids[0], Attempt: 1, Says: pool.SaysRunning})
	must(p.Hear(background, p.owner, w))(t)
	renewal := pool.Renewal{Worker: w, Lease: 2 * time.Hour, Interval: time.Second}
	const many = 500
	var taken []pool.WorkID
	var lease *pool.Lease
	cost := func(name string, trips, commits int, rows bool, do func() error) {
		t.Helper()
		before := counters(t, s)
		wire.Reset()
		if err := do(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := wire.Trips(); got != trips {
			t.Errorf("%s takes %d round trips, want %d: %.300q", name, got, trips, wire.Said())
		}
		after := counters(t, s)
		if got := after["commits"] - before["commits"]; got != commits {
			t.Errorf("%s commits %d times, want %d", name, got, commits)
		}
		if wrote := after["rows"] - before["rows"]; (wrote > 0) != rows {
			t.Errorf("%s writes %d rows", name, wrote)
		}
	}
	cost("an idle heartbeat", 1, 0, false, func() error {
		h, err := p.Hear(background, p.owner, w)
		if err == nil && h.Worker.Open > 1 {
			err = fmt.Errorf("%+v", h.Worker)
		}
		return err
	})
	cost("renewing", 1, 1, true, func() error { return p.Renew(background, renewal) })
	cost("submitting", 2, 1, true, func() error {
		b, err := p.InsertBatch(background, storetest.NewBatch(p.requester, many, 1), 1, 0)
		for i := range many {
			taken = append(taken, b.ID.Work(i))
		}
		return err
	})
	cost("taking the lease", 1, 1, true, func() (err error) {
		lease, err = p.TakeLease(background)
		return err
	})
	cost("dispatching 500", 3, 1, true, func() error {
		pass, err := p.Dispatch(background, lease, many, placement.Bookmark{}, 1, trace, decide)
		if err == nil && pass.Offers != many {
			err = fmt.Errorf("%+v", pass)
		}
		return err
	})
	cost("dispatching nothing", 1, 0, false, func() error {
		_, err := p.Dispatch(background, lease, many, placement.Bookmark{}, 1, trace, decide)
		return err
	})
	cost("letting the lease go", 1, 1, true, func() error {
		_, err := p.ReleaseLease(background, lease)
		return err
	})
	cost("a heartbeat with reports", 3, 1, true, func() error {
		if _, err := p.Hear(background, p.owner, w); err != nil {
			return err
		}
		_, err := p.Settle(background, taken, &renewal, trace, func(now time.Time, lives []life.Life) {
			for i := range lives {
				lives[i].Report(now, w, pool.Report{Work: lives[i].Work.ID, Attempt: 1, Says: pool.SaysReported, Digest: truth}, true, 1, life.Defaults)
			}
		})
		return err
	})
	cost("settling without change", 2, 1, false, func() error {
		_, err := p.Settle(background, taken, nil, trace, keep)
		return err
	})
	cost("asking for a work", 1, 0, false, func() error { _, _, err := p.Work(background, 0, taken[0]); return err })
	cost("asking for works", 1, 0, false, func() error { _, err := p.Works(background, pool.WorkFilter{Limit: 100}); return err })
	cost("asking for a batch", 1, 0, false, func() error { _, err := p.Batch(background, 0, taken[0].Batch()); return err })
	now := time.Now()
	revoked := auth.NewRevoked(p.Store, func() time.Time { return now })
	check := func(times int) func() error {
		return func() error {
			var faults []error
			for range times {
				faults = append(faults, revoked.Check(background, pool.Caller{Account: p.owner}))
			}
			return errors.Join(faults...)
		}
	}
	cost("the first check of a token", 1, 0, false, check(1))
	now = now.Add(auth.Notice - time.Millisecond)
	cost("a hundred checks within five seconds", 0, 0, false, check(100))
	now = now.Add(time.Millisecond)
	cost("a hundred checks after them", 1, 0, false, check(100))
	cost("finding who logs in", 1, 0, false, func() error { _, err := p.AccountByLogin(background, "requester"); return err })
	cost("revoking", 2, 1, true, func() error {
		_, err := change(p.Books, "requester", 0, pool.AccountChange{Revoke: true})
		return err
	})
	cost("the census", 1, 0, false, func() error { _, err := p.Census(background); return err })
	storetest.Check(t, s)
}

// counters are the server's, of all connections: the test has it to itself. MySQL
// counts the rows of its temporary tables among those that handlers write, and
// MariaDB has no others.
func counters(t *testing.T, s *storetest.Books) map[string]int {
	t.Helper()
	rows := "'Handler_write', 'Handler_update', 'Handler_delete'"
	if strings.HasPrefix(storetest.Version(t, s), "MySQL") {
		rows = "'Innodb_rows_inserted', 'Innodb_rows_updated', 'Innodb_rows_deleted'"
	}
	out := map[string]int{}
	for _, row := range show(t, s.SQL, "SHOW GLOBAL STATUS WHERE Variable_name IN ('Com_commit', "+rows+")") {
		if row["variable_name"] == "Com_commit" {
			out["commits"] += number(t, row["value"])
		} else {
			out["rows"] += number(t, row["value"])
		}
	}
	return out
}
