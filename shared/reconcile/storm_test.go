package reconcile_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"workerpool/shared/pool"
)

// TestStorms plays deals to their end through reorganisations, a node that is away,
// lags or lies, lost transactions, and reconcilers that die anywhere or come in
// twos. When the storm is over every work ends, and books and chain agree.
func TestStorms(t *testing.T) {
	t.Parallel()
	for n := range 6 {
		seed := rand.Uint64()
		if given, err := strconv.ParseUint(os.Getenv("STORM_SEED"), 10, 64); err == nil {
			seed = given
		}
		t.Run(fmt.Sprintf("%d seed %d", n, seed), func(t *testing.T) {
			t.Parallel()
			storm(t, rand.New(rand.NewPCG(seed, 0)))
		})
	}
}

func storm(t *testing.T, draw *rand.Rand) {
	s := serve(t, 5)
	s.workers[4].digest = wrong
	s.chain.lag = uint64(draw.IntN(24))
	other := s.reconciler()
	deals := []pool.Deal{s.deal(1+draw.IntN(40), []int{1, 3, 5}[draw.IntN(3)])}
	for round := range 40 {
		if draw.IntN(12) == 0 && len(deals) < 4 {
			deals = append(deals, s.deal(1+draw.IntN(30), []int{1, 3}[draw.IntN(2)]))
		}
		s.weather(draw)
		if draw.IntN(4) == 0 {
			done := make(chan struct{})
			go func() {
				_ = other.Tick(s.Context()) // it may be cut off, too
				close(done)
			}()
			_ = s.flow.Tick(s.Context())
			<-done
		} else {
			_ = s.flow.Tick(s.Context())
		}
		s.calm()
		s.dispatch()
		s.work()
		s.chain.mine(time.Duration(1+draw.IntN(10)) * time.Second)
		if t.Failed() {
			t.Fatalf("in round %d", round)
		}
	}
	// A reorganisation may have taken a deal for good: its requester matches again.
	for _, d := range deals {
		if s.chain.Deal(d.ID).Start.IsZero() {
			s.chain.rematch(d.ID)
		}
	}
	s.chain.mine(block)
	s.until("ended", func() bool { return s.ended() && s.settled(deals) })
	s.audit()
	if n := s.states(pool.Done); n == 0 {
		t.Error("no work was done")
	}
}

// weather lets something go wrong.
func (s *served) weather(draw *rand.Rand) {
	c := s.chain
	switch draw.IntN(9) {
	case 0, 1:
		head := c.Chain.Head().Number
		c.fork(head-min(head-1, uint64(1+draw.IntN(20))), draw.IntN(2) == 0)
		for range 1 + draw.IntN(25) {
			c.mine(block)
		}
	case 2:
		for _, what := range []string{"Head", "Block", "Logs", "Deals", "Tasks", "Nonce", "Compose", "Send", "Receipts"} {
			if draw.IntN(3) == 0 {
				c.faults[what] = 1 + draw.IntN(3)
			}
		}
	case 3:
		c.height = c.Chain.Head().Number - min(c.Chain.Head().Number-1, uint64(draw.IntN(6)))
	case 4:
		for n := range uint64(3) {
			c.hidden[c.Chain.Head().Number-min(n, c.Chain.Head().Number)] = true
		}
	case 5:
		c.deaf = true
	case 6:
		c.blind = true
	case 7, 8:
		if trip := 1 + draw.IntN(60); draw.IntN(2) == 0 {
			s.wire.CutBefore(trip)
		} else {
			s.wire.CutAfter(trip)
		}
	}
}

// calm ends what went wrong.
func (s *served) calm() {
	s.wire.Reset()
	s.Exec(s, "UPDATE lease SET until = UTC_TIMESTAMP(6)") // its holder may have died
	clear(s.chain.faults)
	clear(s.chain.hidden)
	s.chain.height, s.chain.deaf, s.chain.blind = 0, false, false
}

// settled tells that books and chain agree on the end of deals.
func (s *served) settled(deals []pool.Deal) bool {
	for _, d := range deals {
		for i := range d.Tasks {
			if !s.chain.Task(s.task(d, i)).Status.Ended() {
				return false
			}
		}
	}
	return s.Count(s, "SELECT COUNT(*) FROM deal WHERE state <> 'settled'") == 0 && s.Count(s, "SELECT COUNT(*) FROM broadcast WHERE state = 'signed'") == 0 &&
		s.Count(s, "SELECT COUNT(*) FROM action WHERE state IN ('wanted', 'sent')") == 0
}
