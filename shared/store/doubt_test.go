package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"workerpool/shared/life"
	"workerpool/shared/placement"
	"workerpool/shared/pool"
	"workerpool/shared/store/storetest"
)

// doubtful is an operation of the store with the state it begins from. do is
// what a caller repeats until it is told that it worked.
type doubtful struct {
	prepare func(t *testing.T, p *party) (do func() error)
	loose   []string // tables where only the number of rows must agree
	notes   bool     // a repeat may leave a second note in event
}

var doubtfuls = map[string]doubtful{
	"InsertBatch": {
		prepare: func(_ *testing.T, p *party) func() error {
			n := storetest.NewBatch(p.requester, 3, 3)
			n.Idempotency = "key"
			n.Items[1] = []byte(`{"args":["1"]}`)
			n.Demands.CPU = 1
			return func() error { _, err := p.InsertBatch(background, n, 2, 0); return err }
		},
		// A number that was given to a transaction that did not commit is not given again.
		loose: []string{"class", "batch", "work", "ready", "work_item", "event"},
	},
	"MarkInputs": {prepare: func(t *testing.T, p *party) func() error {
		n := storetest.NewBatch(p.requester, 3, 3)
		n.Inputs = []pool.Input{{Digest: truth, Size: 1}}
		b := p.AddBatch(t, n)
		return func() error { _, err := p.MarkInputs(background, b.ID, []pool.Digest{truth}, 2, trace); return err }
	}},
	"Settle": {prepare: func(t *testing.T, p *party) func() error {
		ids := p.works(t, 2, 3)
		dispatch(t, p.Books)
		w := p.turns(t, ids[0])[0].Worker
		return func() error {
			_, err := p.Settle(background, ids, &pool.Renewal{Worker: w, Lease: time.Hour, Interval: time.Second}, trace, func(now time.Time, lives []life.Life) {
				for i := range lives {
					lives[i].Report(now, w, pool.Report{Work: lives[i].Work.ID, Attempt: 1, Says: pool.SaysReported, Digest: truth, Size: 3}, false, 1, life.Defaults)
				}
			})
			return err
		}
	}},
	"Dispatch": {prepare: func(t *testing.T, p *party) func() error {
		p.works(t, 4, 3)
		must(p.Hear(background, p.owner, p.workers[0]))(t) // the class is known
		return func() error {
			_, err := p.Dispatch(background, nil, 9, placement.Bookmark{}, 1, trace, decide)
			return err
		}
	}},
	"Register": {notes: true, loose: []string{"worker", "beat"}, prepare: func(_ *testing.T, p *party) func() error {
		return func() error {
			_, err := p.Register(background, pool.NewWorker{Account: p.owner, Name: "new", Slots: 1, Key: truth}, trace)
			return err
		}
	}},
	"Renew": {prepare: func(_ *testing.T, p *party) func() error {
		return func() error {
			return p.Renew(background, pool.Renewal{Worker: p.workers[0], Lease: 2 * time.Hour, Interval: 7 * time.Second, Slots: 9})
		}
	}},
	"SetWorkerState": {notes: true, prepare: func(_ *testing.T, p *party) func() error {
		return func() error { return p.SetWorkerState(background, 0, p.workers[0], pool.Draining, trace) }
	}},
	"PutAccount": {notes: true, loose: []string{"account"}, prepare: func(_ *testing.T, p *party) func() error {
		return func() error { return p.PutAccount(background, pool.Account{Login: "x", Role: pool.RoleOperator}) }
	}},
	"ChangeAccount": {prepare: func(t *testing.T, p *party) func() error {
		p.make(t, pool.Account{Login: "op", Role: pool.RoleOperator})
		return func() error {
			_, err := change(p.Books, "op", 0, pool.AccountChange{Disabled: new(false)})
			if err == nil {
				_, err = change(p.Books, "requester", 0, pool.AccountChange{Disabled: new(true)})
			}
			return err
		}
	}},
	"Archive": {prepare: func(t *testing.T, p *party) func() error {
		ids := p.works(t, 2, 1)
		dispatch(t, p.Books)
		p.finish(t, ids[0])
		p.finish(t, ids[1])
		return func() error { _, err := p.Archive(background, 10); return err }
	}},
}

// TestNothingHappensTwice breaks the connection at every round trip of every
// operation, before the server has heard it or after it has done it. The caller
// is told that it did not work, repeats, and all is as if it had worked at once.
func TestNothingHappensTwice(t *testing.T) {
	t.Parallel()
	for name, d := range doubtfuls {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			whole, trips := d.run(t, 0, false)
			if trips == 0 {
				t.Fatal("no round trip")
			}
			for trip := 1; trip <= trips; trip++ {
				for _, after := range []bool{false, true} {
					broken, _ := d.run(t, trip, after)
					if diff := cmp.Diff(whole, broken); diff != "" {
						t.Errorf("cut at round trip %d of %d, after the server did it: %v:\n%s", trip, trips, after, diff)
					}
				}
			}
		})
	}
}

// run does the operation with one cut and gives the books then, and how many
// round trips the operation took.
func (d doubtful) run(t *testing.T, cut int, after bool) (books string, trips int) {
	t.Helper()
	var wire storetest.Wire
	p := newParty(t, 3, 5, storetest.Dial(wire.Dial), storetest.Conns(1))
	do := d.prepare(t, p)
	switch {
	case cut == 0:
		wire.Reset()
	case after:
		wire.CutAfter(cut)
	default:
		wire.CutBefore(cut)
	}
	err := do()
	trips = wire.Trips()
	wire.Reset()
	if cut > 0 {
		wantKind(t, err, pool.Unavailable)
		err = do()
	}
	if err != nil {
		t.Fatal(err)
	}
	storetest.Check(t, p.Books)
	return d.dump(t, p), trips
}

func (d doubtful) dump(t *testing.T, p *party) string {
	var all strings.Builder
	for _, table := range []string{
		"account", "class", "batch", "work", "work_item", "input", "ready", "worker", "beat", "assignment", "past_assignment", "tally", "event", "lease",
		"deal", "task", "contribution", "action", "broadcast", "chain_cursor",
	} {
		lines := p.Dump(t, table)
		loose := table == "worker" || table == "class" // names and keys differ from database to database
		for _, l := range d.loose {
			loose = loose || l == table
		}
		switch {
		case table == "event" && d.notes:
		case loose:
			fmt.Fprintln(&all, table, len(lines))
		default:
			fmt.Fprintln(&all, table, strings.Join(lines, "\n\t"))
		}
	}
	return all.String()
}

// TestLeaseInDoubt: a lease that was given and never heard of is free again when
// its time is over; one that was let go unheard stays let go, or is held again.
func TestLeaseInDoubt(t *testing.T) {
	t.Parallel()
	for _, after := range []bool{false, true} {
		var wire storetest.Wire
		s := storetest.New(t, storetest.Dial(wire.Dial), storetest.Conns(1))
		cut := wire.CutBefore
		if after {
			cut = wire.CutAfter
		}
		if err := s.Ping(background); err != nil {
			t.Fatal(err)
		}
		cut(1)
		_, err := s.TakeLease(background)
		wantKind(t, err, pool.Unavailable)
		wire.Reset()
		l := take(t, s)
		if (l == nil) != after {
			t.Fatalf("after %v: %+v", after, l)
		}
		if after {
			s.Exec(t, "UPDATE lease SET until = UTC_TIMESTAMP(6)")
			l = take(t, s)
		}
		for _, asked := range []bool{true, false} {
			if asked && take(t, s) != nil {
				t.Fatal("two hold it")
			}
			cut(1)
			_, err = s.ReleaseLease(background, l)
			wantKind(t, err, pool.Unavailable)
			wire.Reset()
			if more := release(t, s, l); more != asked {
				t.Errorf("after %v: asked %v and more is %v", after, asked, more)
			}
		}
		if take(t, s) == nil {
			t.Error("was not let go")
		}
	}
}
