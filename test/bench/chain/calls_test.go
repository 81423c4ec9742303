package chain

import (
	"fmt"
	"log/slog"
	"testing"

	"workerpool/shared/chain/lane"
	"workerpool/shared/ethsig"
	"workerpool/shared/placement"
	"workerpool/shared/pool"
	"workerpool/shared/store/storetest"
)

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	storetest.Main(m)
}

// What the pool may ask of its node. It is the budget of docs/performance.md.
const (
	passRequests, passCalls     = 3, 5   // a pass in which nothing happened
	minuteRequests, minuteCalls = 21, 85 // six passes, one of which compares 50 tasks and the youngest deals
	taskRequests, taskCalls     = 2, 16  // one more task of a deal, at trust 1
)

// spent is what the node was asked.
type spent struct{ requests, calls int64 }

func (c counts) spent() spent { return spent{c.requests, c.calls} }

// testYard is a pool of which workers run that many tasks, with the pool's word to
// contribute, since long.
func testYard(t *testing.T, running int) *yard {
	t.Helper()
	b := storetest.New(t)
	y, err := open(t.Context(), place{books: b.Config, sql: b.SQL}, running/slots+1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		storetest.Check(t, b)
		if err := y.close(); err != nil {
			t.Error(err)
		}
	})
	if err := y.run(t.Context(), running); err != nil {
		t.Fatal(err)
	}
	if err := y.age(t.Context()); err != nil {
		t.Fatal(err)
	}
	return y
}

// life brings a deal of so many tasks at trust 1 to its end, in one invocation, and
// gives what that took from its match until its blocks were read again.
func (y *yard) life(t *testing.T, tasks int) (sum counts) {
	t.Helper()
	ctx := t.Context()
	if err := y.age(ctx); err != nil {
		t.Fatal(err)
	}
	window := func() uint64 { return y.market.Chain.Head().Number / lane.Overlap }
	began := window()
	var deal pool.Deal
	steps := []func() error{
		func() (err error) { deal, err = y.match(ctx, tasks, 1); return err },
		func() error { return y.start(ctx, deal.ID, tasks) },
		func() error { return nil }, // what was sent is in a block by then
		func() error { return y.contribute(ctx, deal.ID, tasks) },
		func() error { return y.all(ctx, placement.Reveal, deal.ID, tasks) },
		func() error { return y.all(ctx, placement.Upload, deal.ID, tasks) },
		func() error {
			// The end is seen in a block that can still change, as on public chains; here
			// one that 32 divides cannot.
			y.market.Chain.Mine(int(48 - y.market.Chain.Head().Number%32))
			return nil
		},
		func() error {
			if now := window(); now != began {
				return fmt.Errorf("a life took %d blocks: some were read again before its end", y.market.Chain.Head().Number)
			}
			y.market.Chain.Mine(lane.Overlap)
			return nil
		},
	}
	err := y.tick(ctx, func(look int, c counts) (bool, error) {
		if look > 1 { // the first of an invocation compares
			sum = sum.plus(c)
		}
		if look > len(steps) {
			return true, nil
		}
		if err := steps[look-1](); err != nil {
			return false, fmt.Errorf("step %d: %w", look, err)
		}
		return false, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := range tasks {
		seen, err := y.market.Task(ctx, ethsig.TaskID(deal.ID, i))
		if err != nil || seen.Status != pool.TaskCompleted {
			t.Fatalf("task %d ended as %+v, %v", i, seen, err)
		}
	}
	return sum
}

// TestCallsDoNotGrow holds what the pool asks of its node, on the real contracts,
// against the number of tasks that run: neither a pass, nor a minute, nor a task
// from its deal's match to its end takes more among 500 than among 10.
func TestCallsDoNotGrow(t *testing.T) {
	type bill struct{ pass, minute, four, eight spent }
	bills := map[int]*bill{10: {}, 60: {}, 500: {}}
	t.Run("yards", func(t *testing.T) {
		for running, b := range bills {
			t.Run(fmt.Sprint(running), func(t *testing.T) {
				t.Parallel()
				y := testYard(t, running)
				passes, err := y.quiet(t.Context(), 6)
				if err != nil {
					t.Fatal(err)
				}
				var sum counts
				for i, pass := range passes {
					if sum = sum.plus(pass); i == 1 {
						b.pass = pass.spent()
					} else if i > 1 && pass.spent() != b.pass {
						t.Errorf("passes in which nothing happened took %+v and %+v", b.pass, pass.spent())
					}
				}
				b.minute = sum.spent()
				b.four, b.eight = y.life(t, 4).spent(), y.life(t, 8).spent()
				t.Logf("%+v", *b)
			})
		}
	})
	few, some, many := bills[10], bills[60], bills[500]
	if few.pass != many.pass || few.pass.requests == 0 || few.pass.requests > passRequests || few.pass.calls > passCalls {
		t.Errorf("a pass in which nothing happened: %+v while 10 tasks run, %+v while 500 do", few.pass, many.pass)
	}
	// The comparison takes 50 tasks each minute, if there are so many.
	if some.minute != many.minute || many.minute.requests > minuteRequests || many.minute.calls > minuteCalls {
		t.Errorf("a minute in which nothing happened: %+v while 60 tasks run, %+v while 500 do", some.minute, many.minute)
	}
	if few.four != many.four || few.eight != many.eight {
		t.Errorf("lives of 4 and of 8 tasks: %+v and %+v while 10 others run, %+v and %+v while 500 do", few.four, few.eight, many.four, many.eight)
	}
	each := spent{(many.eight.requests - many.four.requests) / 4, (many.eight.calls - many.four.calls) / 4}
	if each.calls == 0 || each.requests > taskRequests || each.calls > taskCalls {
		t.Errorf("one more task took %+v", each)
	}
}
