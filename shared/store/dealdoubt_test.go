package store_test

import (
	"maps"
	"testing"

	"workerpool/shared/pool"
)

// The operations on deals, as TestNothingHappensTwice repeats them: who was not told
// that it worked reads anew where the books stand, as reconcile does.
func init() {
	maps.Copy(doubtfuls, map[string]doubtful{
		"Followed": {loose: []string{"account", "deal"}, prepare: func(t *testing.T, p *party) func() error {
			d := dealOf(1, 2, 3)
			dealt(t, p.Books, d)
			d.Start = d.Start.Add(1)
			return func() error {
				from, err := p.Cursor(background)
				if err != nil || from.Number == 9 {
					return err
				}
				return p.Followed(background, nil, pool.Followed{From: from, To: blockAt(9, 0), Clock: genesis, Deals: []pool.Deal{d, dealOf(2, 1, 1)}, Touched: []pool.Hash{taskOf(d, 7)}})
			}
		}},
		"Unwind": {prepare: func(t *testing.T, p *party) func() error {
			d := dealOf(1, 2, 3)
			dealt(t, p.Books, d)
			seeAll(t, p.Books, headAt(9, 0), d)
			return func() error {
				from, err := p.Cursor(background)
				if err != nil || from.Number == 3 {
					return err
				}
				return p.Unwind(background, nil, from, blockAt(3, 0))
			}
		}},
		// A number that was given to a transaction that did not commit is not given again.
		"TakeIn": {loose: []string{"class", "batch", "work", "ready", "event", "task"}, prepare: func(t *testing.T, p *party) func() error {
			follow(t, p.Books, blockAt(5, 0), []pool.Deal{dealOf(1, 2, 3)})
			return func() error { _, err := p.TakeIn(background, nil, 9, trace, planOf("")); return err }
		}},
		"Gone": {prepare: func(t *testing.T, p *party) func() error {
			d := dealOf(1, 2, 3)
			dealt(t, p.Books, d)
			p.Exec(t, "UPDATE deal SET on_chain = FALSE")
			return func() error { return p.Gone(background, nil, []pool.Hash{d.ID}) }
		}},
		"Forget": {prepare: func(t *testing.T, p *party) func() error {
			dealt(t, p.Books, dealOf(1, 2, 3))
			p.Exec(t, "UPDATE deal SET on_chain = FALSE, state = 'gone'")
			return func() error { _, err := p.Forget(background, nil, 9, trace, cancel); return err }
		}},
		"SettleTasks": {prepare: func(t *testing.T, p *party) func() error {
			d := dealOf(1, 2, 3)
			dealt(t, p.Books, d)
			view := pool.Task{ID: taskOf(d, 7), Block: 9, Status: pool.TaskRevealing, Consensus: pool.Hash{1}, Winners: 1, Contributions: []pool.Contribution{contributed(1, 1, pool.Contributed, 2)}}
			return func() error {
				_, err := p.SettleTasks(background, nil, []pool.Task{view}, headAt(9, 0), trace, look)
				return err
			}
		}},
		"Finish": {prepare: func(t *testing.T, p *party) func() error {
			d := dealOf(1, 1, 1)
			dealt(t, p.Books, d)
			see(t, p.Books, headAt(9, 0), pool.Task{ID: taskOf(d, 7), Status: pool.TaskCompleted, Digest: truth})
			return func() error { _, err := p.Finish(background, nil, headAt(19, 9), 9, trace, look); return err }
		}},
		"Decided": {notes: true, prepare: func(t *testing.T, p *party) func() error {
			works := dealt(t, p.Books, dealOf(1, 2, 3))
			decideOn(t, p.Books, want(pool.Claim, 1, works[0]))
			v := want(pool.Initialize, 1, works...)
			v.Done = []int64{1}
			return func() error { return p.Decided(background, nil, v, trace) }
		}},
		"Sign": {prepare: func(t *testing.T, p *party) func() error {
			decideOn(t, p.Books, want(pool.Initialize, 1, dealt(t, p.Books, dealOf(1, 2, 3))...))
			return func() error { return p.Sign(background, nil, signed(0, 1), []int64{1, 2}, trace) }
		}},
		"Settled": {prepare: func(t *testing.T, p *party) func() error {
			decideOn(t, p.Books, want(pool.Initialize, 1, dealt(t, p.Books, dealOf(1, 2, 3))...))
			sign(t, p.Books, 0, 1, 1, 2)
			sign(t, p.Books, 0, 2, 1)
			return func() error { return p.Settled(background, nil, 2, pool.Mined, pool.Receipt{Block: 12, Gas: 3}, trace) }
		}},
		"Recall": {prepare: func(t *testing.T, p *party) func() error {
			decideOn(t, p.Books, want(pool.Initialize, 1, dealt(t, p.Books, dealOf(1, 2, 3))...))
			sign(t, p.Books, 0, 1, 1, 2)
			if err := p.Settled(background, nil, 1, pool.Mined, pool.Receipt{Block: 12}, trace); err != nil {
				t.Fatal(err)
			}
			return func() error { return p.Recall(background, nil, owner, 0) }
		}},
	})
}
