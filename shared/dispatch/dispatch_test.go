package dispatch_test

import (
	"context"
	"fmt"
	"io"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"workerpool/shared/dispatch"
	"workerpool/shared/placement"
	"workerpool/shared/pool"
	"workerpool/shared/pooltest"
	"workerpool/shared/telemetry"
	"workerpool/shared/wire"
)

func TestMain(m *testing.M) { pooltest.Main(m) }

type bench struct {
	*pooltest.World
	*testing.T
	ann, crowd pooltest.Someone
}

func newBench(t *testing.T) bench {
	t.Helper()
	w := pooltest.New(t)
	t.Cleanup(w.Check)
	return bench{World: w, T: t, ann: w.Account(pool.RoleRequester, "ann"), crowd: w.SharedAccount("crowd")}
}

func (b bench) offered() int {
	b.Helper()
	return b.Books.Count(b.T, "SELECT COUNT(*) FROM assignment WHERE state = 'offered'")
}

// released tells whether nobody holds the dispatch lease.
func (b bench) released() bool {
	b.Helper()
	return b.Books.Count(b.T, "SELECT COUNT(*) FROM lease WHERE until > UTC_TIMESTAMP(6)") == 0
}

// A ring is answered until nothing is left; another finds nothing to do.
func TestUntilNothingIsLeft(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for i := range 4 {
		b.Worker(b.crowd, fmt.Sprint("w", i), 250)
	}
	b.Submit(b.ann, 700, 0)
	b.Submit(b.ann, 50, 3)
	b.Dispatch()
	if n := b.offered(); n != 800 {
		t.Errorf("%d offers, and 800 are wanted of 1000 slots", n)
	}
	if !b.released() {
		t.Error("the lease is held on")
	}
	before := b.Books.Count(t, "SELECT COUNT(*) FROM event")
	b.Wire.Reset()
	b.Dispatch()
	if n := b.Books.Count(t, "SELECT COUNT(*) FROM event"); n != before || b.offered() != 800 {
		t.Errorf("a second ring has done something: %d events, then %d", before, n)
	}
	if trips := b.Wire.Trips(); trips > 4 {
		t.Errorf("a ring for nothing took %d round trips", trips)
	}
}

// Rings that come together fill each slot once.
func TestRingsAtOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for i := range 5 {
		b.Worker(b.crowd, fmt.Sprint("w", i), 20)
	}
	b.Submit(b.ann, 150, 0)
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			if err := b.TryDispatch(); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := b.offered(); n != 100 || !b.released() {
		t.Errorf("%d offers for 100 slots, lease released %v", n, b.released())
	}
}

// While another holds the lease a ring leaves word and is done; when that one is
// dead, its lease ends by itself.
func TestLeaseOfTheDead(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.Worker(b.crowd, "one", 1)
	b.Submit(b.ann, 1, 0)
	lease, err := b.Books.TakeLease(t.Context())
	if err != nil || lease == nil {
		t.Fatal(lease, err)
	}
	b.Dispatch()
	if b.offered() != 0 || b.Books.Count(t, "SELECT asked FROM lease") != int(lease.Asked)+1 {
		t.Error("it did not leave it to the holder")
	}
	if more, err := b.Books.ReleaseLease(t.Context(), lease); err != nil || !more {
		t.Errorf("the holder is not told: %v, %v", more, err)
	}
	b.Advance(16 * time.Second)
	b.Dispatch()
	if b.offered() != 1 || !b.released() {
		t.Errorf("%d offers, released %v", b.offered(), b.released())
	}
}

// A dispatch that breaks off anywhere loses nothing and doubles nothing: when its
// lease has run out the next ring does the rest.
func TestDispatchInDoubt(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	one := b.Worker(b.crowd, "one", 16)
	clean := func() {
		t.Helper()
		for _, i := range b.Beat(one).Instructions {
			b.Call(b.ann.Token, "DELETE", fmt.Sprint("/works/", i.Work), nil).Into(b.World, &wire.Cancelled{})
		}
	}
	for _, expiring := range []bool{false, true} {
		prepare := func() wire.Accepted {
			t.Helper()
			batch := b.Submit(b.ann, 2, 0)
			if expiring {
				b.Dispatch()
				b.Advance(61 * time.Second)
				b.Beat(one)
			}
			b.Books.Exec(t, "UPDATE worker SET quota = 16") // whatever was lost before
			return batch
		}
		trips := 0
		for range 2 { // at first the class is new, which is one trip more
			prepare()
			b.Wire.Reset()
			b.Dispatch()
			trips = b.Wire.Trips()
			clean()
		}
		for trip := 1; trip <= trips; trip++ {
			for after, cut := range map[bool]func(int){false: b.Wire.CutBefore, true: b.Wire.CutAfter} {
				batch := prepare()
				cut(trip)
				err := b.TryDispatch()
				b.Wire.Reset()
				if pool.KindOf(err) != pool.Unavailable {
					t.Errorf("expiring %v, trip %d, after %v: %v", expiring, trip, after, err)
				}
				if trip > 1 && trip < trips && !b.released() {
					t.Errorf("expiring %v, trip %d, after %v: the lease is held on", expiring, trip, after)
				}
				b.Check()
				b.Books.Exec(t, "UPDATE lease SET until = UTC_TIMESTAMP(6)") // of who broke off
				b.Dispatch()
				attempt := 1
				if expiring {
					attempt = 2
				}
				for work := batch.FirstWork; work <= batch.LastWork; work++ {
					_, turns := b.Work(work)
					if len(turns) != 1 || turns[0].State != pool.Offered || turns[0].Attempt != attempt {
						t.Errorf("expiring %v, trip %d, after %v: %+v", expiring, trip, after, turns)
					}
				}
				clean()
			}
		}
	}
}

// meddler lets something happen behind the back of the first look at the books.
type meddler struct {
	dispatch.Books
	happen func()
}

func (m *meddler) Dispatch(ctx context.Context, l *pool.Lease, limit int, bookmark placement.Bookmark, seed uint64, t pool.Trace,
	decide func(placement.Snapshot) placement.Plan,
) (placement.Pass, error) {
	pass, err := m.Books.Dispatch(ctx, l, limit, bookmark, seed, t, decide)
	if m.happen != nil {
		m.happen()
		m.happen = nil
	}
	return pass, err
}

// A ring that comes when another has just looked is not lost: that one looks again.
func TestRingWhileLooking(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.Worker(b.crowd, "one", 1)
	behind := &meddler{Books: b.Books, happen: func() {
		b.Submit(b.ann, 1, 0)
		b.Dispatch() // finds the lease held and leaves word
	}}
	meter := telemetry.NewMeter(telemetry.MeterConfig{Out: io.Discard, Pool: pooltest.Pool, Function: "dispatch", Now: time.Now})
	flow := dispatch.New(dispatch.Config{Books: behind, Meter: meter, Seed: func() uint64 { return 1 }, Lease: true, Now: time.Now})
	if err := flow.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if b.offered() != 1 || !b.released() {
		t.Errorf("%d offers, lease released %v", b.offered(), b.released())
	}
	// With no time left the lease is let go for whoever is rung next: heartbeats
	// ring while works wait, and so does the tick.
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	late := time.Now()
	flow.Now = func() time.Time { return late }
	behind.happen = func() {
		late = late.Add(time.Minute)
		b.Dispatch()
	}
	if err := flow.Run(ctx); err != nil {
		t.Error(err)
	}
	if !b.released() {
		t.Error("who gave up holds the lease on")
	}
}

// Without the lease, and without time, nothing goes wrong.
func TestWithoutLease(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.Worker(b.crowd, "one", 1)
	b.Submit(b.ann, 1, 0)
	meter := telemetry.NewMeter(telemetry.MeterConfig{Out: io.Discard, Pool: pooltest.Pool, Function: "dispatch", Now: time.Now})
	flow := dispatch.New(dispatch.Config{Books: b.Books, Meter: meter, Seed: func() uint64 { return 1 }, Now: time.Now})
	ctx, cancel := context.WithTimeout(t.Context(), time.Second) // less than what is kept for the answer
	defer cancel()
	if err := flow.Run(ctx); err != nil || b.offered() != 0 {
		t.Errorf("%v, and %d offers with no time left", err, b.offered())
	}
	if err := flow.Run(t.Context()); err != nil || b.offered() != 1 {
		t.Errorf("%v, and %d offers", err, b.offered())
	}
}

// A class that nobody can run costs the others nothing, and waits for who can.
func TestImpossibleDemands(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.Worker(b.crowd, "one", 1)
	s := pooltest.Submission(600, 0)
	s.Template.Demands.GPU, s.Template.Priority = 8, "high"
	b.Call(b.ann.Token, "POST", "/works", s).Into(b.World, &wire.Accepted{})
	possible := b.Submit(b.ann, 1, 0)
	b.Dispatch()
	if now, _ := b.Work(possible.FirstWork); now.State != pool.Running {
		t.Errorf("the possible one is %s", now.State)
	}
	able := pooltest.Registration("able", 3)
	able.Capabilities.GPU = 8
	var out wire.Registered
	b.Call(b.crowd.Token, "POST", "/workers", able).Into(b.World, &out)
	b.Beat(pooltest.Worker{ID: out.Worker, Token: out.Token})
	b.Dispatch()
	if n := b.offered(); n != 2 { // a new worker is trusted with one at first
		t.Errorf("%d offers, want 2", n)
	}
}

// Nobody live is nobody: nothing is offered and nothing written but the lease.
func TestNobodyThere(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.Worker(b.crowd, "one", 1)
	b.Submit(b.ann, 1, 0)
	b.Advance(time.Hour)
	before := b.Stored()
	b.Dispatch()
	after := b.Stored()
	for table := range before {
		if strings.HasSuffix(table, ".lease") {
			delete(before, table)
			delete(after, table)
		}
	}
	if !maps.Equal(before, after) {
		t.Errorf("%v, then %v", before, after)
	}
}

func TestParseRing(t *testing.T) {
	t.Parallel()
	for body, good := range map[string]bool{
		`{"ring":1}`: true, `{"ring": 1}`: true, `{"ring":1,"later":true}`: true,
		``: false, `1`: false, `{}`: false, `{"ring":2}`: false, `{"ring":"1"}`: false, `{"ring":1`: false, `null`: false, `[{"ring":1}]`: false,
	} {
		if err := dispatch.ParseRing(body); (err == nil) != good {
			t.Errorf("%q: %v", body, err)
		}
	}
}
