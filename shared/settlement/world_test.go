package settlement_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"workerpool/shared/pool"
	"workerpool/shared/settlement"
	"workerpool/shared/settlement/pocotest"
)

var (
	ours  = pool.Address{0xaa}
	payer = pool.Address{0xbb}
)

// Money everybody brings: more than a history can take.
const purse = 1_000_000_000

// world is a pool with its tasks on a model of the chain. What happens is drawn
// from one seed.
type world struct {
	t        *rapid.T
	draw     *rand.Rand
	p        settlement.Policy
	c        *pocotest.Chain
	deals    []pocotest.Terms
	books    []*book
	lane     []*sending // of the pool's wallet, in order of nonce
	won      map[feat]uint64
	rows     int64
	wallets  int
	lastRuns []string // what happened, for a failure
	reverts  int
	lazy     bool // workers do not always do at once what they could
	seen     *figures
}

// feat is a successful action, with the block that has it.
type feat struct {
	work  pool.WorkID
	kind  pool.ActionKind
	round int
}

// book is what the pool keeps of one task.
type book struct {
	settlement.Task
	team     []*member
	old      []pool.Task // views so far
	fresh    bool        // the last pass saw it as it is
	gone     bool        // the block at which it was seen was taken back
	rejected map[int64]int
	in       map[int64]*sending
	stored   pool.Hash            // the consensus whose result lies in the bucket
	brought  map[pool.Hash][]byte // what to call back with, by consensus
	lost     bool                 // Exposure has said so, and no block was taken back since
	astray   bool                 // a finalize or reopen was under way when blocks were taken back: it may meet another round
}

// member is a worker that comes to a task.
type member struct {
	wallet   pool.Address
	digest   pool.Hash
	data     []byte        // what the deal is called back with
	comes    time.Duration // after the deal's start
	takes    time.Duration // from its coming to its contribution
	vanishes bool          // before that
	reveals  bool
	fast     bool // contributes and finalizes in one
}

// sending is a broadcast of ours.
type sending struct {
	actions []pool.Action
	block   uint64 // 0 = in no block
}

// figures is what histories had in them: a property that nothing touched says nothing.
type figures struct {
	completed, claimed, refunded, reopened, partial, direct, reverted, forked, moved, dropped, again, calledBack int
}

func (w *world) fatalf(format string, args ...any) {
	w.t.Helper()
	tail := w.lastRuns[max(0, len(w.lastRuns)-60):]
	w.t.Fatalf("%s\nat %v, after\n%s", fmt.Sprintf(format, args...), w.c.Head().Time.Sub(epoch), strings.Join(tail, "\n"))
}

func (w *world) logf(format string, args ...any) {
	w.lastRuns = append(w.lastRuns, fmt.Sprintf("  %v block %d: ", w.c.Head().Time.Sub(epoch), w.c.Head().Number)+fmt.Sprintf(format, args...))
}

func (w *world) chance(of int) bool { return w.draw.IntN(of) == 0 }
func (w *world) upTo(d time.Duration) time.Duration {
	return time.Duration(w.draw.Int64N(int64(d) + 1))
}
func (w *world) now() time.Time { return w.c.Head().Time }

// newWorld makes a chain with deals; team gives the workers of a task, and may
// change the terms of its deal.
func newWorld(t *rapid.T, seen *figures, team func(w *world, terms *pocotest.Terms) []*member) *world {
	seed := rapid.Uint64().Draw(t, "seed")
	w := &world{t: t, draw: rand.New(rand.NewPCG(seed, 4)), c: pocotest.New(epoch), won: map[feat]uint64{}, seen: seen}
	for _, a := range []pool.Address{ours, payer} {
		w.c.Deposit(a, purse)
	}
	period := []time.Duration{time.Minute, 5 * time.Minute, time.Hour}[w.draw.IntN(3)]
	w.p = settlement.Policy{Contribute: []time.Duration{0, period / 5, period}[w.draw.IntN(3)]}
	for salt := range 1 + w.draw.IntN(2) {
		w.offer(pocotest.Terms{
			Callback: []pool.Address{{}, {}, {0xcb}}[w.draw.IntN(3)],
			Pool:     pocotest.Resource{Owner: ours, Price: pool.NRLC(w.draw.Int64N(5000))}, App: pocotest.Resource{Owner: pool.Address{0xa1}, Price: pool.NRLC(w.draw.Int64N(9))},
			Payer: payer, StakeRatio: w.draw.Int64N(101), RewardRatio: w.draw.Int64N(101), Trust: []int{0, 1, 1, 2, 3, 3, 4, 5, 8}[w.draw.IntN(9)],
			T: period, First: w.draw.IntN(3), Tasks: 1 + w.draw.IntN(3), Salt: uint64(salt),
		}, team)
	}
	w.c.Advance(time.Second) // whatever may be taken back, the purses stay
	w.match()
	return w
}

// offer adds a deal, not matched yet, and a team for each of its tasks.
func (w *world) offer(terms pocotest.Terms, team func(w *world, terms *pocotest.Terms) []*member) {
	for i := range terms.Tasks {
		b := &book{rejected: map[int64]int{}, in: map[int64]*sending{}, brought: map[pool.Hash][]byte{}, team: team(w, &terms)}
		for _, m := range b.team {
			w.wallets++
			m.wallet = pool.Address{0xcc, byte(w.wallets >> 8), byte(w.wallets)}
			w.c.Deposit(m.wallet, purse)
			if !terms.Callback.IsZero() {
				m.data = slices.Clone(m.digest[:])
				m.digest = pocotest.Digest(m.data)
			}
		}
		b.Work, b.Deal, b.Index, b.T = pool.WorkID(len(w.books)+1), terms.ID(), terms.First+i, terms.T
		b.Chain.ID = pocotest.TaskID(b.Deal, b.Index)
		w.books = append(w.books, b)
	}
	for _, b := range w.books[len(w.books)-terms.Tasks:] {
		b.Price, b.CallsBack = terms.Pool.Price, !terms.Callback.IsZero()
	}
	w.deals = append(w.deals, terms)
}

// match makes the deals that the chain does not have, at the head's time.
func (w *world) match() {
	for d, terms := range w.deals {
		if w.c.Deal(terms.ID()).Start.IsZero() {
			if _, err := w.c.Match(terms); err != nil {
				w.fatalf("deal %d: %v", d, err)
			}
		}
	}
}

// vouch has others look at a result that is there, until they or the pool are done
// with it.
func (w *world) vouch(b *book) {
	switch {
	case len(b.Results) == 0:
		b.Vouched = pool.NotVouched
	case b.vouched():
	case !w.now().Before(b.Start.Add(9 * b.T)):
		b.Vouched = pool.NobodyLeft
	default:
		b.Vouched = []pool.Vouching{pool.NotVouched, pool.Vouched, pool.NobodyLeft, pool.Disputed}[w.draw.IntN(4)]
	}
}

func (b *book) vouched() bool { return b.Vouched == pool.Vouched || b.Vouched == pool.NobodyLeft }

// look refreshes what the books have of the chain: each task is missed, or seen as
// it was before, once in so many times; 0 = all is seen as it is.
func (w *world) look(faults int) {
	for _, b := range w.books {
		b.fresh = false
		switch {
		case faults > 0 && w.chance(faults):
		case faults > 0 && len(b.old) > 0 && w.chance(faults):
			b.Chain, b.gone = b.old[w.draw.IntN(len(b.old))], false
		default:
			b.gone, b.fresh, b.Chain, b.Start = false, true, w.c.Task(b.Chain.ID), w.c.Deal(b.Deal).Start
			b.old = append(b.old, b.Chain)
		}
		b.Results, b.Callback = nil, nil // and if there was another before the chain went back
		if !b.stored.IsZero() && b.stored == b.Chain.Consensus {
			b.Results = []byte("at " + b.stored.String())
			b.Callback = b.brought[b.stored]
		}
		w.vouch(b)
		b.Running = false
		for _, m := range b.team {
			b.Running = b.Running || !w.now().Before(b.Start.Add(m.comes)) && (!m.vanishes || w.now().Before(b.Start.Add(m.comes+m.takes)))
		}
	}
}

// work lets the workers do what they do: mostly what is due, and at times what is
// not allowed, which the chain refuses.
func (w *world) work() {
	for _, b := range w.books {
		id, start := b.Chain.ID, w.c.Deal(b.Deal).Start
		for _, m := range b.team {
			if m.vanishes || w.now().Before(start.Add(m.comes+m.takes)) || w.lazy && w.chance(4) {
				continue
			}
			if m.fast {
				if w.c.Do(func() { w.c.ContributeAndFinalize(m.wallet, id, m.digest, said, m.data) }) == nil {
					w.logf("work %d: %v contributes and finalizes", b.Work, m.wallet)
					w.seen.direct++
				}
			}
			if w.c.Do(func() { w.c.Contribute(m.wallet, id, m.digest) }) == nil {
				w.logf("work %d: %v contributes, then %d", b.Work, m.wallet, w.c.Task(id).Status)
			}
			if m.reveals && !(w.lazy && w.chance(3)) && w.c.Do(func() { w.c.Reveal(m.wallet, id, m.digest) }) == nil {
				w.logf("work %d: %v reveals", b.Work, m.wallet)
			}
		}
		if t := w.c.Task(id); t.Reveals > 0 && !(w.lazy && w.chance(2)) {
			b.stored = t.Consensus // once somebody has shown it
			for _, m := range b.team {
				if b.CallsBack && !(w.lazy && w.chance(3)) && pocotest.ResultHash(id, m.digest) == t.Consensus {
					b.brought[t.Consensus] = m.data
				}
			}
		}
	}
}

// strangers may initialize and claim what they like.
func (w *world) strangers() {
	b := w.books[w.draw.IntN(len(w.books))]
	kind := []pool.ActionKind{pool.Initialize, pool.Claim, pool.InitializeClaim}[w.draw.IntN(3)]
	a := pool.Action{Kind: kind, Deal: b.Deal, Index: b.Index, Task: b.Chain.ID}
	if w.c.Do(func() { w.c.Act(pool.Address{0x5}, a) }) == nil {
		w.logf("work %d: a stranger's %s", b.Work, kind)
	}
}

// send signs broadcasts of what is wanted.
func (w *world) send(faults int) {
	var wanted []pool.Action
	for _, b := range w.books {
		for _, a := range b.Actions {
			if a.State == pool.ActionWanted {
				wanted = append(wanted, a)
			}
		}
	}
	for _, group := range settlement.Group(wanted, 1+w.draw.IntN(30)) {
		if faults > 0 && w.chance(faults) {
			return
		}
		s := &sending{actions: group}
		w.lane = append(w.lane, s)
		for _, a := range group {
			b, i := w.row(a.ID)
			b.Actions[i].State, b.in[a.ID] = pool.ActionSent, s
		}
	}
}

func (w *world) row(id int64) (*book, int) {
	for _, b := range w.books {
		for i := range b.Actions {
			if b.Actions[i].ID == id {
				return b, i
			}
		}
	}
	w.fatalf("no action %d in the books", id)
	return nil, 0
}

// mine brings what was sent into blocks, in order; some is lost for good.
func (w *world) mine(faults int) {
	for _, s := range w.lane {
		if s.block > 0 {
			continue
		}
		if faults > 0 && w.chance(faults) {
			return // the next cannot go before it
		}
		err := error(pocotest.Revert("lost"))
		if faults == 0 || !w.chance(faults) {
			err = w.c.Do(func() {
				for _, a := range s.actions {
					w.c.Act(ours, a)
				}
			})
		}
		w.logf("sent %s of %d: %v", s.actions[0].Kind, len(s.actions), err)
		s.block = w.c.Head().Number
		for _, a := range s.actions {
			b, i := w.row(a.ID)
			if err != nil {
				w.reverts++
				w.seen.reverted++
				if b.in[a.ID] == s && b.Actions[i].State == pool.ActionSent {
					b.Actions[i].State = pool.ActionWanted
				}
				continue
			}
			did := feat{a.Work, a.Kind, a.Round}
			if _, twice := w.won[did]; twice && !b.astray {
				w.fatalf("%+v had success twice", did)
			}
			w.won[did] = s.block
			w.count(b, a)
		}
	}
}

func (w *world) count(b *book, a pool.Action) {
	switch t := w.c.Task(b.Chain.ID); {
	case a.Kind == pool.Reopen:
		w.seen.reopened++
	case a.Kind == pool.Claim:
		w.seen.claimed++
	case a.Kind == pool.InitializeClaim:
		w.seen.refunded++
	case a.Kind == pool.Finalize:
		w.seen.completed++
		if b.CallsBack {
			w.seen.calledBack++
		}
		if t.Reveals < t.Winners {
			w.seen.partial++
		}
	}
}

// fork takes blocks back. What was sent waits again to be mined; a deal may be
// matched anew, later than before.
func (w *world) fork() {
	to := uint64(max(0, int(w.c.Head().Number)-1-w.draw.IntN(6)))
	w.c.Fork(to)
	w.seen.forked++
	w.logf("the chain goes on from block %d", to)
	for did, block := range w.won {
		if block > to {
			delete(w.won, did)
		}
	}
	for _, s := range w.lane {
		if s.block > to {
			s.block = 0
		}
		if a := s.actions[0]; s.block == 0 && (a.Kind == pool.Finalize || a.Kind == pool.Reopen) {
			w.books[a.Work-1].astray = true
		}
	}
	for _, b := range w.books {
		b.lost = false
		b.gone = b.gone || b.Chain.Block > to
		b.old = slices.DeleteFunc(b.old, func(t pool.Task) bool { return t.Block > to })
	}
	w.c.Advance(w.upTo(10 * time.Second))
	if w.c.Deal(w.deals[0].ID()).Start.IsZero() {
		w.seen.moved++
	}
	w.match()
}
