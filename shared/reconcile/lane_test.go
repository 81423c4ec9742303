package reconcile_test

import (
	"slices"
	"testing"
	"time"

	"workerpool/shared/pool"
	"workerpool/shared/settlement/pocotest"
)

// running has a deal whose tasks are all run and wait for their initialization,
// which is wanted and not sent yet.
func running(t *testing.T, tasks int) (*served, pool.Deal) {
	t.Helper()
	s := serve(t, 3)
	s.chain.lag = 6
	deal := s.deal(tasks, 1)
	s.waits = 0
	s.tick()
	s.dispatch()
	s.work()
	s.chain.mine(block)
	return s, deal
}

func (s *served) broadcasts(where string) int {
	s.Helper()
	return s.Count(s, "SELECT COUNT(*) FROM broadcast WHERE "+where)
}

// What is sent and lost is sent again, the same bytes, until it is mined.
func TestDropped(t *testing.T) {
	t.Parallel()
	s, _ := running(t, 30)
	s.chain.deaf = true
	for range 3 {
		s.tick()
	}
	if n := s.broadcasts("state = 'signed' AND attempt = 1"); n != 2 || s.chain.calls["Send"] < 6 {
		t.Fatalf("%d broadcasts, sent %d times", n, s.chain.calls["Send"])
	}
	s.chain.deaf = false
	s.until("ended", s.ended)
	if n := s.broadcasts("attempt > 1 OR state <> 'mined'"); n != 0 {
		t.Errorf("%d broadcasts are not as they were", n)
	}
	s.audit()
}

// The first of a lane that waits for long is signed anew at a higher fee, under its
// nonce, with the bytes before; whichever is mined, each action is done once.
func TestStuck(t *testing.T) {
	t.Parallel()
	s, _ := running(t, 30)
	s.chain.jam = 2 // the first two attempts are not mined
	s.tick()
	for want := 2; want <= 3; want++ {
		s.Exec(t, "UPDATE broadcast SET signed_at = signed_at - INTERVAL 3 MINUTE")
		s.tick()
		if n := s.broadcasts("nonce = 0"); n != want {
			t.Fatalf("%d attempts, want %d", n, want)
		}
		if n := s.broadcasts("nonce = 1"); n != 1 {
			t.Errorf("what waits behind it was signed %d times", n)
		}
	}
	if s.Count(t, "SELECT COUNT(*) FROM action WHERE state = 'sent' AND broadcast = (SELECT id FROM broadcast WHERE nonce = 0 AND attempt = 3)") != 25 {
		t.Error("the actions did not go along")
	}
	s.chain.jam = 0
	s.until("ended", s.ended)
	if s.broadcasts("nonce = 0 AND state = 'mined'") != 1 || s.broadcasts("nonce = 0 AND state = 'replaced'") != 2 {
		t.Error("not one of the attempts was mined")
	}
	s.audit()
}

// A stuck broadcast that would revert by now makes room with nothing but its nonce.
func TestStuckAndUseless(t *testing.T) {
	t.Parallel()
	s, deal := running(t, 3)
	s.chain.jam = 1
	s.tick()
	for i := range 3 { // somebody else was faster
		if err := s.chain.Do(func() { s.chain.Initialize(deal.ID, i) }); err != nil {
			t.Fatal(err)
		}
	}
	s.chain.hidden[s.chain.Chain.Head().Number] = true
	s.Exec(t, "UPDATE broadcast SET signed_at = signed_at - INTERVAL 3 MINUTE")
	s.tick()
	if n := s.broadcasts("nonce = 0 AND attempt = 2 AND kind = ''"); n != 1 {
		t.Fatalf("%d broadcasts make room: %s", n, s.open())
	}
	clear(s.chain.hidden)
	s.chain.jam = 0
	s.until("ended", s.ended)
	s.audit()
}

// Mined without effect: somebody else initialized in between. The others of the
// array are wanted again, and what is done is done.
func TestReverted(t *testing.T) {
	t.Parallel()
	s, deal := running(t, 10)
	s.tick()
	if s.broadcasts("state = 'signed'") != 1 || len(s.chain.mined) != 1 {
		t.Fatal("nothing is under way")
	}
	s.chain.fork(s.chain.mined[0].block-1, false) // it waits again
	if err := s.chain.Do(func() { s.chain.Initialize(deal.ID, 4) }); err != nil {
		t.Fatal(err)
	}
	s.chain.mine(block)
	s.chain.mine(block)
	s.until("ended", s.ended)
	if n := s.broadcasts("state = 'reverted'"); n != 1 {
		t.Errorf("%d reverted", n)
	}
	if n := s.states(pool.Done); n != 10 {
		t.Errorf("%d works are done", n)
	}
	s.audit()
}

// An array that would revert is sent without the one that somebody else did, of
// which the node told nothing.
func TestRefusedInArray(t *testing.T) {
	t.Parallel()
	s, deal := running(t, 10)
	if err := s.chain.Do(func() { s.chain.Initialize(deal.ID, 4) }); err != nil {
		t.Fatal(err)
	}
	s.chain.hidden[s.chain.Chain.Head().Number] = true
	s.waits = 1
	s.tick()
	for i := range 10 {
		if s.chain.Task(s.task(deal, i)).Status != pool.TaskActive {
			t.Errorf("task %d is not initialized", i)
		}
	}
	if n := s.broadcasts("TRUE"); n != 1 {
		t.Errorf("%d broadcasts", n)
	}
	s.until("ended", s.ended)
	s.audit()
}

// What would always revert, because the deal has another owner for instance, is
// tried a few times in a tick and no more, and keeps nothing else from going on.
func TestHopeless(t *testing.T) {
	t.Parallel()
	s := serve(t, 2)
	foreign := pool.Address{0x99, 1}
	s.chain.Deposit(foreign, deposit)
	lost := s.deal(2, 1, func(terms *pocotest.Terms, _ *pool.Deal) { terms.Pool.Owner = foreign })
	fine := s.deal(3, 1)
	s.until("ended", func() bool { return s.settledHere(fine) })
	s.until("wanted in vain", func() bool {
		return s.Count(t, "SELECT COUNT(*) FROM action WHERE state = 'wanted' AND kind = 'finalize'") == 2
	})
	clear(s.chain.calls)
	s.waits = 20
	s.tick()
	if n := s.chain.calls["Compose"]; n != 2*3 {
		t.Errorf("tried %d times in a tick", n)
	}
	s.chain.mine(lost.FinalBy().Sub(s.chain.Chain.Head().Time))
	s.until("claimed", func() bool { return s.settled([]pool.Deal{lost, fine}) })
	s.audit()
}

// While no receipt is known nothing is signed in the place of what was sent, though
// the chain says that its nonce was used.
func TestUnknownReceipt(t *testing.T) {
	t.Parallel()
	s, _ := running(t, 3)
	s.chain.blind = true
	s.waits = 9
	s.tick()
	s.Exec(t, "UPDATE broadcast SET signed_at = signed_at - INTERVAL 1 HOUR")
	s.tick()
	if s.broadcasts("TRUE") != 1 || s.broadcasts("state = 'signed'") != 1 || len(s.chain.mined) != 1 {
		t.Errorf("%d broadcasts, %d mined: %s", s.broadcasts("TRUE"), len(s.chain.mined), s.open())
	}
	s.chain.blind = false
	s.until("ended", s.ended)
	s.audit()
}

// The wallet was used elsewhere: what had the nonce was replaced, once that is deep
// enough, and its actions go out again under the next.
func TestNonceUsedElsewhere(t *testing.T) {
	t.Parallel()
	s, _ := running(t, 3)
	s.chain.deaf = true
	s.tick()
	head := s.chain.Chain.Head().Number
	s.chain.mined = append(s.chain.mined, sending{Nonce: 0, hash: pool.Hash{0xee}, block: head, good: true}) // by hand
	s.chain.deaf = false
	s.tick()
	if n := s.broadcasts("state = 'replaced'"); n != 0 {
		t.Error("given up while the receipt may still come")
	}
	for range 31 {
		s.chain.mine(block)
	}
	s.until("ended", s.ended)
	if s.broadcasts("nonce = 0 AND state = 'replaced'") != 1 || s.broadcasts("nonce = 1 AND state = 'mined'") != 1 {
		t.Errorf("%v", s.Dump(t, "broadcast"))
	}
	s.audit()
}

// A lane begins where the chain says that the wallet stands.
func TestLaneBeginsAtTheChain(t *testing.T) {
	t.Parallel()
	s, _ := running(t, 1)
	s.chain.mined = append(s.chain.mined, sending{Nonce: 41, hash: pool.Hash{0xee}, block: 1, good: true})
	s.tick()
	if s.broadcasts("nonce = 42") != 1 || s.broadcasts("TRUE") != 1 {
		t.Errorf("%v", s.Dump(t, "broadcast"))
	}
}

// No more is under way than a node surely keeps.
func TestInFlight(t *testing.T) {
	t.Parallel()
	s := serve(t, 8)
	s.deal(450, 1)
	s.waits = 0
	s.tick()
	s.dispatch()
	s.work()
	s.chain.deaf = true
	for range 3 {
		s.tick()
	}
	if n := s.broadcasts("state = 'signed'"); n != 16 {
		t.Errorf("%d broadcasts are under way", n)
	}
	if n := s.Count(t, "SELECT COUNT(*) FROM action WHERE state = 'sent'"); n != 400 {
		t.Errorf("%d actions are under way", n)
	}
}

// A chain that goes on further back than the books went: what it does not have any
// more is sent again, and a node that merely lags changes nothing.
func TestMinedNoMore(t *testing.T) {
	t.Parallel()
	s, _ := running(t, 3)
	s.chain.lag = 1 << 20
	from := s.chain.Chain.Head().Number
	s.tick()
	for range 40 { // more than Overlap
		s.chain.mine(block)
		s.tick()
	}
	if s.broadcasts("state = 'mined'") != 1 {
		t.Fatal("not mined")
	}
	s.chain.fork(from, true)
	for range 60 {
		s.chain.mine(block)
	}
	s.chain.lag = 6
	s.until("ended", s.ended)
	s.audit()
}

// It dies between any two statements of act, before or after the server has done it,
// and at any call of the node. The next goes on; nothing is sent twice.
func TestDiesInAct(t *testing.T) {
	t.Parallel()
	const trips = 40
	for _, after := range []bool{false, true} {
		t.Run(map[bool]string{false: "before", true: "after"}[after], func(t *testing.T) {
			t.Parallel()
			s := serve(t, 3)
			for trip := 1; trip <= trips; trip++ {
				s.waits = 2
				s.deal(2, 1)
				s.tick()
				s.dispatch()
				s.work()
				s.chain.mine(block)
				cut := s.wire.CutBefore
				if after {
					cut = s.wire.CutAfter
				}
				cut(trip)
				_ = s.flow.Tick(t.Context())
				s.calm()
				s.until("ended", s.ended)
			}
			if n := s.states(pool.Done); n != 2*trips {
				t.Errorf("%d works are done", n)
			}
			s.audit()
		})
	}
	for _, call := range []string{"Nonce", "Receipts", "Compose", "Send"} {
		t.Run(call, func(t *testing.T) {
			t.Parallel()
			s := serve(t, 3)
			for n := 1; n <= 4; n++ {
				s.deal(2, 1)
				s.chain.faults[call] = n
				s.until("ended", s.ended)
			}
			s.audit()
		})
	}
}

// Two reconcilers at once, the lease of one taken over by the other in every pass,
// waste work and do no harm.
func TestTwoAtOnce(t *testing.T) {
	t.Parallel()
	s := serve(t, 4)
	deals := []pool.Deal{s.deal(40, 1), s.deal(20, 3)}
	others := slices.Repeat([]func() error{nil}, 2)
	for i := range others {
		flow := s.reconciler()
		others[i] = func() error { return flow.Tick(t.Context()) }
	}
	for range 30 {
		errs := make(chan error, len(others))
		for _, tick := range others {
			go func() { errs <- tick() }()
		}
		for range 3 {
			s.Exec(t, "UPDATE lease SET until = UTC_TIMESTAMP(6) WHERE name = 'reconcile'")
		}
		for range others {
			if err := <-errs; err != nil {
				t.Fatal(err)
			}
		}
		s.dispatch()
		s.work()
		s.chain.mine(time.Second)
	}
	s.until("ended", func() bool { return s.ended() && s.settled(deals) })
	if n := s.states(pool.Done); n != 60 {
		t.Errorf("%d works are done", n)
	}
	s.audit()
}
