package operate_test

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"workerpool/shared/pool"
	"workerpool/shared/pooltest"
	"workerpool/shared/wire"
)

func TestMain(m *testing.M) { pooltest.Main(m) }

type bench struct {
	*pooltest.World
	*testing.T
	op, crowd, bob pooltest.Someone
}

func newBench(t *testing.T) bench {
	t.Helper()
	w := pooltest.New(t)
	t.Cleanup(w.Check)
	return bench{World: w, T: t, op: w.Account(pool.RoleOperator, "op"), crowd: w.SharedAccount("crowd"), bob: w.Account(pool.RoleWorker, "bob")}
}

func (b bench) try(who pooltest.Someone, worker int64, what string) pooltest.Answer {
	b.Helper()
	return b.Call(who.Token, "POST", fmt.Sprintf("/workers/%d/%s", worker, what), nil)
}

// Draining and activating may be repeated, by the owner and by an operator; each
// activation rings, also when nothing could be heard of it.
func TestDrainAndActivate(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	one := b.Worker(b.bob, "one", 1)
	for _, who := range []pooltest.Someone{b.bob, b.op} {
		for _, c := range []struct {
			what, state string
			rings       int
		}{{"drain", "draining", 0}, {"drain", "draining", 0}, {"activate", "active", 1}, {"activate", "active", 1}} {
			var out wire.Worker
			b.try(who, one.ID, c.what).Into(b.World, &out)
			if rings := b.Rings(); out.State != c.state || out.ID != one.ID || out.Name != "one" || rings != c.rings {
				t.Errorf("%s by %s: %+v and %d rings", c.what, who.Login, out, rings)
			}
			if beat := b.Beat(one); beat.State != c.state {
				t.Errorf("%s by %s: the worker is told %s", c.what, who.Login, beat.State)
			}
		}
	}
	for _, done := range []bool{false, true} {
		b.Bell.Fail("SendMessage", done)
		var out wire.Worker
		b.try(b.bob, one.ID, "activate").Into(b.World, &out)
	}
	if b.Bell.Struck() != 2 {
		t.Errorf("the bell was tried %d times", b.Bell.Struck())
	}
}

// Whoever drains and loses the answer drains again.
func TestDrainInDoubt(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	one := b.Worker(b.bob, "one", 1)
	for trip := 1; ; trip++ {
		for after, cut := range map[bool]func(int){false: b.Wire.CutBefore, true: b.Wire.CutAfter} {
			b.try(b.bob, one.ID, "activate")
			cut(trip)
			answer := b.try(b.bob, one.ID, "drain")
			beyond := b.Wire.Trips() < trip
			b.Wire.Reset()
			if beyond {
				if trip == 1 {
					t.Error("nothing was disturbed")
				}
				return
			}
			if answer.Status != 503 {
				t.Errorf("trip %d, after %v: %d %s", trip, after, answer.Status, answer.Body)
			}
			var out wire.Worker
			b.try(b.bob, one.ID, "drain").Into(b.World, &out)
			if out.State != "draining" {
				t.Errorf("trip %d, after %v: %+v", trip, after, out)
			}
		}
	}
}

// Somebody else's worker is not there, and the try leaves no trace.
func TestForeignWorker(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	one := b.Worker(b.crowd, "one", 1)
	stored := b.Stored()
	for _, what := range []string{"drain", "deactivate", "activate"} {
		for _, c := range []struct {
			who    pooltest.Someone
			worker int64
		}{{b.bob, one.ID}, {b.crowd, one.ID}, {b.crowd, one.ID + 1}, {b.op, one.ID + 1}} {
			if answer := b.try(c.who, c.worker, what); answer.Status != 404 || answer.Problem.Field != "id" {
				t.Errorf("%s of %d by %s: %d %s", what, c.worker, c.who.Login, answer.Status, answer.Body)
			}
			if now := b.Stored(); !maps.Equal(stored, now) {
				t.Errorf("%s of %d by %s has stored something", what, c.worker, c.who.Login)
				stored = now
			}
		}
	}
}

// An account sees its own workers and an operator all, page by page.
func TestList(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	var theirs, his []int64
	for i := range 3 {
		theirs = append(theirs, b.Worker(b.crowd, fmt.Sprint("w", i), i+1).ID)
		his = append(his, b.Worker(b.bob, fmt.Sprint("w", i), 1).ID)
	}
	walk := func(who pooltest.Someone, limit int) (ids []int64) {
		t.Helper()
		for after := int64(0); ; {
			var page wire.Workers
			b.Call(who.Token, "GET", fmt.Sprintf("/workers?limit=%d&after=%d", limit, after), nil).Into(b.World, &page)
			for _, w := range page.Workers {
				ids = append(ids, w.ID)
				if !w.Live || w.State != "active" || w.HeartbeatS != 30 || w.Open != 0 || w.RegisteredAt.IsZero() {
					t.Errorf("%+v", w)
				}
			}
			if page.Next != 0 && len(page.Workers) != limit {
				t.Errorf("%d on a page of %d, and the next begins after %d", len(page.Workers), limit, page.Next)
			}
			if page.Next == 0 {
				return ids
			}
			after = page.Next
		}
	}
	var all []int64
	for i := range theirs {
		all = append(all, theirs[i], his[i])
	}
	for _, limit := range []int{1, 2, 3, 100} {
		// On a shared account nobody's workers are anybody else's business.
		for who, want := range map[*pooltest.Someone][]int64{&b.crowd: nil, &b.bob: his, &b.op: all} {
			if got := walk(*who, limit); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%s by %d: %v, want %v", who.Login, limit, got, want)
			}
		}
	}
	b.Advance(time.Hour)
	var list wire.Workers
	b.Call(b.op.Token, "GET", "/workers", nil).Into(b.World, &list)
	for _, w := range list.Workers {
		if w.Live {
			t.Errorf("live after an hour of silence: %+v", w)
		}
	}
}
