package store_test

import (
	"testing"

	"workerpool/shared/pool"
	"workerpool/shared/store/storetest"
)

// TestDealTrips counts the round trips of each operation on deals.
func TestDealTrips(t *testing.T) {
	t.Parallel()
	var wire storetest.Wire
	s := storetest.New(t, storetest.Dial(wire.Dial), storetest.Conns(1))
	d := dealOf(1, 100, 3)
	var works []pool.WorkID
	var views []pool.Task
	for i := range d.Tasks {
		views = append(views, pool.Task{ID: taskOf(d, 7+i), Block: 9, Status: pool.TaskCompleted, Contributions: []pool.Contribution{contributed(1, 1, pool.Proved, 2)}})
	}
	cost := func(name string, trips int, do func() error) {
		t.Helper()
		wire.Reset()
		if err := do(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := wire.Trips(); got != trips {
			t.Errorf("%s takes %d round trips, want %d: %.300q", name, got, trips, wire.Said())
		}
	}
	cost("reading the cursor", 1, func() error { _, err := s.Cursor(background); return err })
	cost("following", 1, func() error {
		return s.Followed(background, nil, pool.Followed{To: blockAt(5, 0), Clock: genesis, Deals: []pool.Deal{d}, Touched: []pool.Hash{{1}}})
	})
	cost("taking in 100", 4, func() error { _, err := s.TakeIn(background, nil, 1_000, trace, planOf("")); return err })
	cost("nothing to take in", 1, func() error { _, err := s.TakeIn(background, nil, 1_000, trace, planOf("")); return err })
	works = worksOf(t, s, d)
	cost("asking what is due", 1, func() error { _, err := s.Due(background, headAt(6, 0).Block, 100); return err })
	cost("storing 100 views", 4, func() error { _, err := s.SettleTasks(background, nil, views, headAt(9, 0), trace, look); return err })
	cost("asking what to settle", 1, func() error { _, err := s.ToSettle(background, headAt(9, 0).Block); return err })
	cost("reading what to settle", 1, func() error {
		_, err := s.Settlement(background, headAt(9, 0).Block, works, func(pool.Digest) []byte { return nil })
		return err
	})
	cost("storing what was decided", 1, func() error { return s.Decided(background, nil, want(pool.Finalize, 1, works...), trace) })
	cost("reading the lane", 1, func() error { _, err := s.Lane(background, owner, 200); return err })
	cost("signing", 1, func() error { return s.Sign(background, nil, signed(0, 1), []int64{1, 2, 3}, trace) })
	cost("settling a broadcast", 1, func() error { return s.Settled(background, nil, 1, pool.Mined, pool.Receipt{Block: 9}, trace) })
	cost("recalling", 1, func() error { return s.Recall(background, nil, owner, 0) })
	cost("comparing", 1, func() error { _, err := s.Compare(background, works); return err })
	cost("counting", 1, func() error { _, err := s.ChainCensus(background); return err })
	cost("asking whether it is busy", 1, func() error { _, err := s.Busy(background); return err })
	cost("going back", 1, func() error { return s.Unwind(background, nil, blockAt(5, 0), blockAt(2, 0)) })
	cost("asking for unsure deals", 1, func() error { _, err := s.Unsure(background, 9); return err })
	cost("giving a deal up", 1, func() error { return s.Gone(background, nil, []pool.Hash{d.ID}) })
}
