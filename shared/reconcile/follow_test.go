package reconcile_test

import (
	"fmt"
	"testing"
	"time"

	"workerpool/shared/pool"
	"workerpool/shared/reconcile"
	"workerpool/shared/store/storetest"
)

func (s *served) cursor() uint64 {
	s.Helper()
	return uint64(s.Count(s, "SELECT COALESCE(MAX(block), 0) FROM chain_cursor"))
}

func (s *served) blocks(n int) {
	for range n {
		s.chain.mine(block)
	}
}

// After a long absence the chain is followed range by range, also where the node
// gives less than is asked for, and no deal is missed.
func TestCatchingUp(t *testing.T) {
	t.Parallel()
	for _, narrow := range []uint64{0, 7, 1} {
		t.Run(fmt.Sprint(narrow), func(t *testing.T) {
			t.Parallel()
			s := serve(t, 0)
			s.chain.narrow = narrow
			for range 5 {
				s.blocks(70)
				s.deal(1, 1)
			}
			s.waits = 0
			for range 20 {
				s.tick()
			}
			if n := s.Count(t, "SELECT COUNT(*) FROM deal"); n != 5 && narrow != 1 || s.cursor() < 300 && narrow != 1 {
				t.Errorf("%d deals, up to block %d of %d", n, s.cursor(), s.chain.Chain.Head().Number)
			}
			if s.cursor() < 20 {
				t.Errorf("up to block %d only", s.cursor())
			}
		})
	}
}

// Without a block to begin at it begins at the newest, and what came before stays
// somebody else's.
func TestBeginsAtTheNewest(t *testing.T) {
	t.Parallel()
	s := serve(t, 0)
	s.flow = s.reconciler(func(d *reconcile.Deals) { d.Start = 0 })
	s.deal(1, 1)
	s.blocks(50)
	s.tick()
	late := s.deal(2, 1)
	s.chain.mine(block)
	s.tick()
	if s.Count(t, "SELECT COUNT(*) FROM deal WHERE deal_id = ?", late.ID[:]) != 1 || s.Count(t, "SELECT COUNT(*) FROM deal") != 1 {
		t.Errorf("%v", s.Dump(t, "deal"))
	}
}

// The chain moves between the logs of some blocks and the last of these blocks: what
// was read is not believed, or the deals of the other side would be missed.
func TestMovesWhileCatchingUp(t *testing.T) {
	t.Parallel()
	s := serve(t, 0)
	s.flow = s.reconciler(func(d *reconcile.Deals) { d.Overlap = 0 })
	s.chain.lag, s.waits = 50, 0
	s.tick()
	at := s.cursor()
	s.blocks(20)
	s.chain.narrow = 5
	var deal pool.Deal
	s.chain.then["Logs"] = func() {
		s.chain.fork(at+1, true)
		deal = s.deal(1, 1)
		s.blocks(30)
	}
	for range 12 {
		s.tick()
	}
	if s.Count(t, "SELECT COUNT(*) FROM deal WHERE deal_id = ?", deal.ID[:]) != 1 {
		t.Error("the deal was missed")
	}
}

// What a node that lagged left out is found when the last blocks are read again.
func TestLogsMissed(t *testing.T) {
	t.Parallel()
	s := serve(t, 0)
	s.tick()
	deal := s.deal(1, 1)
	s.chain.hidden[s.chain.Chain.Head().Number] = true
	s.blocks(2)
	s.tick()
	if s.Count(t, "SELECT COUNT(*) FROM deal") != 0 {
		t.Fatal("the node told of it")
	}
	clear(s.chain.hidden)
	s.blocks(16)
	s.tick()
	if s.Count(t, "SELECT COUNT(*) FROM deal WHERE deal_id = ?", deal.ID[:]) != 1 {
		t.Error("never found")
	}
}

// A node that tells of a deal and does not show it is asked again: the deal is not
// passed by, and the others need not wait.
func TestDealNotShown(t *testing.T) {
	t.Parallel()
	s := serve(t, 2)
	known := s.deal(2, 1)
	s.round()
	veiled := s.deal(1, 1)
	s.chain.veiled = veiled.ID
	s.chain.mine(block)
	at := s.cursor()
	s.until("ended", func() bool { return s.settledHere(known) })
	if s.cursor() != at || s.Count(t, "SELECT COUNT(*) FROM deal") != 1 {
		t.Errorf("it was passed by: %d, now %d", at, s.cursor())
	}
	s.chain.veiled = pool.Hash{}
	s.until("all ended", func() bool { return s.settled([]pool.Deal{known, veiled}) })
	s.audit()
}

// A node with an old head is not believed, and costs nothing but time.
func TestOldHead(t *testing.T) {
	t.Parallel()
	s := serve(t, 2)
	s.blocks(20)
	s.deal(3, 1)
	s.round()
	at := s.cursor()
	before := fmt.Sprint(s.Dump(t, "task"), s.Dump(t, "action"), s.Dump(t, "chain_cursor"))
	s.chain.height = at - 9
	s.tick()
	if after := fmt.Sprint(s.Dump(t, "task"), s.Dump(t, "action"), s.Dump(t, "chain_cursor")); after != before {
		t.Errorf("an old head was believed:\n%s\n%s", before, after)
	}
	s.chain.height = 0
	s.until("ended", s.ended)
	s.audit()
}

// A node that is down makes a tick fail and nothing else: what has nothing to do
// with the chain is done, and the next ticks go on.
func TestNodeDown(t *testing.T) {
	t.Parallel()
	s := serve(t, 2)
	s.deal(3, 1)
	s.round()
	s.bells.Store(0)
	for range 10 { // minutes
		s.chain.faults["Head"] = 1_000
		if err := s.flow.Tick(t.Context()); pool.KindOf(err) != pool.Unavailable {
			t.Fatalf("%v", err)
		}
		s.blocks(30)
	}
	if n := s.bells.Load(); n != 10 {
		t.Errorf("%d rings", n)
	}
	clear(s.chain.faults)
	s.until("ended", s.ended)
	s.audit()
}

// A reorganisation of each depth at each step of a deal's life, with the matched
// deal moved to another time, or what was sent mined again or lost.
func TestReorganised(t *testing.T) {
	t.Parallel()
	for _, depth := range []uint64{1, 2, 5, 12, 20} {
		for _, lost := range []bool{false, true} {
			t.Run(fmt.Sprint(depth, " lost ", lost), func(t *testing.T) {
				t.Parallel()
				s := serve(t, 3)
				s.chain.lag = 30
				s.waits = 0
				s.blocks(25)
				deal := s.deal(4, 3)
				for range 10 {
					s.round()
					s.chain.fork(max(s.cursor(), depth+2)-depth, lost)
					s.chain.mine(3 * time.Second)
					if s.chain.Deal(deal.ID).Start.IsZero() {
						s.chain.rematch(deal.ID)
					}
					s.blocks(int(depth) + 1)
				}
				s.until("ended", func() bool { return s.settled([]pool.Deal{deal}) && s.ended() })
				if n := s.Count(t, "SELECT COUNT(*) FROM event WHERE kind = 'chain.reorganised'"); n == 0 {
					t.Error("no reorganisation was seen")
				}
				if now := s.chain.Deal(deal.ID); s.Count(t, "SELECT COUNT(*) FROM deal WHERE start_at = ? AND final_at = ?", now.Start, now.FinalBy()) != 1 {
					t.Error("the deal's times are not the chain's")
				}
				if n := s.states(pool.Done); n != 4 {
					t.Errorf("%d works are done", n)
				}
				s.audit()
			})
		}
	}
}

// A deal that is gone for good is given up only when that is certain: its works end
// with the reason, and its workers stop.
func TestDealGone(t *testing.T) {
	t.Parallel()
	s := serve(t, 3)
	s.chain.lag = 40
	s.blocks(45)
	at := s.chain.Chain.Head().Number
	s.chain.mine(block)
	deal := s.deal(3, 1)
	s.waits = 0
	s.round()
	s.round()
	s.chain.fork(at, true)
	s.blocks(10)
	s.round()
	if s.Count(t, "SELECT COUNT(*) FROM deal WHERE NOT on_chain AND state = 'open'") != 1 || s.ended() {
		t.Fatalf("given up too early, or not noticed: %s", s.open())
	}
	sent := s.broadcasts("TRUE")
	s.blocks(20)
	s.round()
	if s.ended() || s.broadcasts("TRUE") != sent {
		t.Error("given up, or acted upon, before it was certain")
	}
	s.blocks(15)
	s.round()
	if n := s.Count(t, "SELECT COUNT(*) FROM work WHERE state = 'cancelled' AND reason LIKE '%reorganisation%'"); n != 3 {
		t.Errorf("%d works were cancelled: %s", n, s.open())
	}
	storetest.Check(t, s.Books)
	// The same orders matched much later are the same deal, and new works.
	s.chain.rematch(deal.ID)
	s.chain.mine(block)
	s.until("ended", func() bool { return s.settled([]pool.Deal{deal}) })
	if n := s.states(pool.Done); n != 3 {
		t.Errorf("%d works are done", n)
	}
	s.audit()
}
