package settlement_test

import (
	"flag"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"workerpool/shared/pool"
	"workerpool/shared/settlement"
	"workerpool/shared/settlement/pocotest"
)

// Each case plays a few tasks to their end; -rapid.checks on the command line wins.
func init() { _ = flag.Set("rapid.checks", "1000") }

// anyTeam draws workers of every sort: honest, lying, vanishing, late, never
// revealing, coming after the task's end.
func anyTeam(w *world, terms *pocotest.Terms) []*member {
	var team []*member
	for range w.draw.IntN(9) {
		m := &member{digest: pool.Hash{1}, reveals: true, comes: w.upTo(3 * terms.T), takes: w.upTo(terms.T)}
		switch w.draw.IntN(8) {
		case 0:
			m.digest = pool.Hash{byte(2 + w.draw.IntN(2))}
		case 1:
			m.vanishes = true
		case 2, 3:
			m.reveals = false
		case 4:
			m.comes = w.upTo(12 * terms.T)
		case 5:
			m.takes = w.upTo(8 * terms.T)
		case 6:
			m.fast = true
		}
		team = append(team, m)
	}
	return team
}

// pass is one pass of the pool: look, decide, write, send. Each answer is held to
// what must hold of any, and where the books saw the task as it is, to the model.
func (w *world) pass(faults int) {
	w.look(faults)
	s := w.snapshot()
	v := settlement.Decide(s, w.p)
	turned := w.snapshot()
	slices.Reverse(turned.Tasks)
	if again := settlement.Decide(turned, w.p); !reflect.DeepEqual(again, v) {
		w.fatalf("two answers: %+v and %+v", v, again)
	}
	for range 1 + w.draw.IntN(2) { // a verdict may be written twice
		w.write(v)
	}
	for _, b := range w.books {
		if b.fresh {
			w.judge(b)
		}
	}
	s = w.snapshot()
	if rest := settlement.Decide(s, w.p); len(rest.Want)+len(rest.Done)+len(rest.Drop) > 0 {
		w.fatalf("after %+v there is still %+v", v, rest)
	}
	w.judgeRisk()
	w.send(faults)
}

func (w *world) snapshot() settlement.Snapshot {
	s := settlement.Snapshot{Head: w.c.Head()}
	for _, b := range w.books {
		if !b.gone {
			s.Tasks = append(s.Tasks, b.Task)
		}
	}
	return s
}

// write applies a verdict as the store does: guarded by the state it is meant for.
func (w *world) write(v settlement.Verdict) {
	for n, a := range v.Want {
		if n > 0 && a.Before.Before(v.Want[n-1].Before) {
			w.fatalf("not by slack: %+v", v.Want)
		}
		b := w.books[a.Work-1]
		i := slices.IndexFunc(b.Actions, func(o pool.Action) bool { return o.Kind == a.Kind && o.Round == a.Round })
		if i < 0 {
			w.rows++
			a.ID = w.rows
			b.Actions = append(slices.Clip(b.Actions), a)
			b.rejected[a.ID] = rejections(b.Chain)
			w.logf("work %d: %s %d wanted", a.Work, a.Kind, a.Round)
			continue
		}
		o := &b.Actions[i]
		if o.State != pool.ActionSent {
			if o.State != pool.ActionWanted {
				w.logf("work %d: %s %d wanted again, was %s", a.Work, a.Kind, a.Round, o.State)
				w.seen.again++
			}
			a.ID = o.ID
			*o = a
		}
	}
	for _, id := range v.Done {
		b, i := w.row(id)
		if a := &b.Actions[i]; a.State == pool.ActionWanted || a.State == pool.ActionSent {
			a.State = pool.ActionDone
			w.judgeDone(b, *a)
		}
	}
	for _, d := range v.Drop {
		b, i := w.row(d.ID)
		if a := &b.Actions[i]; a.State == pool.ActionWanted || a.State == pool.ActionSent && b.Chain.Status.Ended() {
			a.State = pool.ActionDropped
			w.seen.dropped++
			w.logf("work %d: %s %d dropped: %s", a.Work, a.Kind, a.Round, d.Reason)
		} else if a.State != pool.ActionDropped {
			w.fatalf("drops %+v", *a)
		}
		if d.Reason == "" {
			w.fatalf("dropped for no reason")
		}
	}
}

func rejections(t pool.Task) (n int) {
	for _, c := range t.Contributions {
		if c.Status == pool.Rejected {
			n++
		}
	}
	return n
}

func (w *world) judgeDone(b *book, a pool.Action) {
	status := b.Chain.Status
	ok := map[pool.ActionKind]bool{
		pool.Initialize: status != pool.TaskUnset, pool.Finalize: status == pool.TaskCompleted, pool.Claim: status == pool.TaskFailed,
		pool.InitializeClaim: status == pool.TaskFailed, pool.Reopen: rejections(b.Chain) > b.rejected[a.ID],
	}[a.Kind]
	if !ok {
		w.fatalf("work %d: %s is done at status %d", b.Work, a.Kind, status)
	}
}

// judge asks the model what it would do now, kind by kind, and says what of it a
// pool should do: exactly that must be wanted or sent, and nothing else wanted.
func (w *world) judge(b *book) {
	left := b.Start.Add(7 * b.T).Sub(w.now()) // of the contribution window
	useful := map[pool.ActionKind]bool{
		pool.Initialize:      b.Running && left > w.p.Contribute,
		pool.Finalize:        len(b.Results) > 0 && b.vouched(),
		pool.Reopen:          left > w.p.Contribute+b.T,
		pool.Claim:           true,
		pool.InitializeClaim: true,
	}
	for _, kind := range pool.ActionKinds {
		call := pool.Action{Kind: kind, Deal: b.Deal, Index: b.Index, Task: b.Chain.ID, Results: b.Results, Callback: b.Callback}
		err := w.c.Would(func() { w.c.Act(ours, call) })
		wanted, sent := 0, 0
		for _, a := range b.Actions {
			if a.Kind == kind && a.State == pool.ActionWanted {
				wanted++
				if kind == pool.Finalize && (string(a.Results) != string(b.Results) || string(a.Callback) != string(b.Callback)) {
					w.fatalf("work %d: finalize is to say %q and %x, not %q and %x", b.Work, a.Results, a.Callback, b.Results, b.Callback)
				}
			}
			if a.Kind == kind && a.State == pool.ActionSent {
				sent++
			}
		}
		should := err == nil && useful[kind]
		if wanted > 1 || wanted == 1 && !should || should && wanted+sent == 0 {
			w.fatalf("work %d: %d %s wanted and %d sent; the model says %v, of use: %v, %v left\n%+v", b.Work, wanted, kind, sent, err, useful[kind], left, b.Task)
		}
	}
}

// judgeRisk holds Exposure to the money that the model has locked.
func (w *world) judgeRisk() {
	fresh, tasks := true, []settlement.Task{}
	for _, b := range w.books {
		tasks = append(tasks, b.Task)
		if !b.fresh {
			fresh = false
		} else if settlement.Exposure([]settlement.Task{b.Task}, w.c.Head()).Open == 0 && !b.Chain.Status.Ended() {
			b.lost = true
		}
	}
	risk := settlement.Exposure(tasks, w.c.Head())
	if _, locked := w.c.Account(ours); fresh && risk.Stake != locked {
		w.fatalf("%+v of %d locked", risk, locked)
	}
}

// calm plays on without faults of the pool or the chain until every task has ended
// or its time is over, and a few passes besides.
func (w *world) calm() {
	w.logf("calm")
	for after := 0; after < 4; {
		over := true
		for _, b := range w.books {
			over = over && (w.c.Task(b.Chain.ID).Status.Ended() || !w.now().Before(w.c.Deal(b.Deal).Start.Add(10*b.T)))
		}
		w.work()
		w.pass(0)
		w.mine(0)
		w.c.Advance(w.upTo(w.books[0].T / 4))
		if over {
			after++
		}
	}
}

// ended holds the end to what must be true of it.
func (w *world) ended() {
	paid := pool.NRLC(0)
	for i, b := range w.books {
		t := w.c.Task(b.Chain.ID)
		switch {
		case !t.Status.Ended():
			w.fatalf("work %d has not ended: %+v", b.Work, b.Task)
		case t.Status == pool.TaskCompleted && b.lost:
			w.fatalf("work %d was said to be lost, and is completed", b.Work)
		case t.Status == pool.TaskCompleted:
			paid += w.price(i)
			if r := string(w.c.Results(t.ID)); !b.astray && r != string(said) && r != "at "+t.Consensus.String() {
				w.fatalf("work %d says %q of %v", b.Work, r, t.Consensus)
			}
		}
		for _, a := range b.Actions {
			if a.State == pool.ActionWanted || a.State == pool.ActionSent {
				w.fatalf("at the end there is still %+v", a)
			}
		}
		for _, m := range b.team {
			if _, locked := w.c.Account(m.wallet); locked != 0 {
				w.fatalf("%v has still %d locked", m.wallet, locked)
			}
		}
	}
	for _, a := range []pool.Address{ours, payer} {
		if _, locked := w.c.Account(a); locked != 0 {
			w.fatalf("%v has still %d locked", a, locked)
		}
	}
	if free, _ := w.c.Account(payer); free != purse-paid {
		w.fatalf("the requester paid %d, not %d", purse-free, paid)
	}
	sums := w.c.Totals()
	if left := sums.Locked - sums.Unlocked - sums.Seized; left != w.c.Kitty() {
		w.fatalf("%+v leaves %d, and the kitty has %d", sums, left, w.c.Kitty())
	}
}

// price gives what a requester pays for a book's task.
func (w *world) price(i int) pool.NRLC {
	for _, terms := range w.deals {
		if terms.ID() == w.books[i].Deal {
			return terms.Pool.Price + terms.App.Price
		}
	}
	return 0
}

func (w *world) audit() {
	if err := w.c.Audit(); err != nil {
		w.fatalf("money: %v", err)
	}
}

// TestEveryTaskEnds: whatever workers, strangers, the chain and the pool's own
// machinery do, each task ends once the faults do, nothing is asked of the chain
// that it would refuse, and all money is somewhere.
func TestEveryTaskEnds(t *testing.T) {
	t.Parallel()
	var seen figures
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t, &seen, anyTeam)
		w.lazy = true
		faults := 2 + w.draw.IntN(8)
		until := w.upTo(11 * w.books[0].T)
		for w.now().Before(w.c.Deal(w.books[0].Deal).Start.Add(until)) {
			w.c.Advance(w.upTo(w.books[0].T / 3))
			if w.chance(9) {
				w.c.Advance(w.upTo(3 * w.books[0].T)) // the clock jumps, or the pool was out
			}
			for range 1 + w.draw.IntN(3) {
				switch w.draw.IntN(8) {
				case 0, 1:
					w.work()
				case 2, 3, 4:
					w.pass(faults)
				case 5:
					w.mine(faults)
				case 6:
					if w.chance(3) {
						w.strangers()
					}
				case 7:
					if w.chance(3) {
						w.fork()
					}
				}
				w.audit()
			}
		}
		w.calm()
		w.audit()
		w.ended()
	})
	t.Logf("%+v", seen)
	if s := seen; s.completed == 0 || s.claimed == 0 || s.refunded == 0 || s.reopened == 0 || s.partial == 0 || s.direct == 0 ||
		s.reverted == 0 || s.forked == 0 || s.moved == 0 || s.dropped == 0 || s.again == 0 || s.calledBack == 0 {
		t.Errorf("something never happened: %+v", s)
	}
}

// TestHonestWorkIsPaid: with enough honest workers and nothing in the way every
// task is completed by one initialize and one finalize, and nothing reverts.
func TestHonestWorkIsPaid(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var seen figures
		w := newWorld(t, &seen, func(w *world, terms *pocotest.Terms) []*member {
			terms.Pool.Price++ // there is something to earn
			var team []*member
			for range 3 {
				team = append(team, &member{digest: pool.Hash{1}, reveals: true, comes: w.upTo(2 * terms.T), takes: w.upTo(terms.T)})
			}
			return team
		})
		w.calm()
		w.audit()
		w.ended()
		for _, b := range w.books {
			if len(b.Actions) != 2 || b.Actions[0].Kind != pool.Initialize || b.Actions[1].Kind != pool.Finalize || w.c.Task(b.Chain.ID).Status != pool.TaskCompleted {
				w.fatalf("work %d: %+v", b.Work, b.Actions)
			}
		}
		if w.reverts > 0 {
			w.fatalf("%d reverts", w.reverts)
		}
		if s := w.c.Totals(); w.c.Kitty() != 0 || s.Seized != s.Paid || s.Paid == 0 {
			w.fatalf("%+v, kitty %d", s, w.c.Kitty())
		}
	})
}

// TestNobodyReveals: what is agreed upon by workers that vanish then is opened to
// others in time, and they are paid.
func TestNobodyReveals(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var seen figures
		w := newWorld(t, &seen, func(w *world, terms *pocotest.Terms) []*member {
			enough := []int{1, 1, 1, 2, 2}[min(terms.Trust, 4)]
			terms.Trust = min(terms.Trust, 4)
			var team []*member
			for range enough {
				team = append(team,
					&member{digest: pool.Hash{2}, comes: w.upTo(terms.T), takes: w.upTo(terms.T)},
					&member{digest: pool.Hash{1}, reveals: true, comes: 3 * terms.T, takes: w.upTo(terms.T)}) // the others have agreed then
			}
			return team
		})
		w.calm()
		w.audit()
		w.ended()
		for _, b := range w.books {
			reopened := 0
			for _, a := range b.Actions {
				if a.Kind == pool.Reopen && a.State == pool.ActionDone {
					reopened++
				}
			}
			if t := w.c.Task(b.Chain.ID); reopened == 0 || t.Status != pool.TaskCompleted || t.Reveals != t.Winners {
				w.fatalf("work %d was reopened %d times: %+v, %+v", b.Work, reopened, t, b.Actions)
			}
		}
	})
}
