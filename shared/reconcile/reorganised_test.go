package reconcile_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	local "workerpool/infra/local/chain"
	"workerpool/shared/chain/lane"
	"workerpool/shared/ethsig"
	"workerpool/shared/pool"
	"workerpool/shared/reconcile"
)

// step is a moment of a deal's life.
type step int

const (
	taken       step = iota // its works are in the books
	initialized             // the chain takes contributions
	contributed             // one worker's of two
	agreed
	revealed
	finalizing // the result is in the bucket, and finalize is sent
	finalized  // in a block that can still change
	claimed    // after the final deadline, as nobody worked
	steps
)

func (s step) String() string {
	return [steps]string{"taken in", "initialized", "contributed", "agreed", "revealed", "finalize sent", "finalized", "claimed"}[s]
}

// youngest is how many blocks old a deal is at a step, its own counted, when no
// block is made in vain.
var youngest = [steps]int{taken: 1, initialized: 2, contributed: 3, agreed: 3, revealed: 4, finalizing: 4, finalized: 5, claimed: 3}

// way is what a reorganisation does.
type way int

const (
	lost    way = iota // the deal is gone, and the same orders are matched again at once
	late               // they are matched again when the pool has given the deal up
	moved              // the deal is mined again, at a later time, with all that followed
	again              // the deal stays, and what followed is mined again
	dropped            // the deal stays, and what followed is forgotten
	ways
)

func (w way) String() string {
	return [ways]string{"deal lost", "deal lost for long", "deal moved", "mined again", "dropped"}[w]
}

// shake is a reorganisation at a step.
type shake struct {
	at    step
	how   way
	depth int // blocks
}

// idle is how many blocks are made in vain before the step, so that the deal's own
// is the deepest that is replaced, or the first below; false = it cannot be so young.
func (s shake) idle() (int, bool) {
	if s.how < again {
		return s.depth - youngest[s.at], s.depth >= youngest[s.at]
	}
	return max(0, s.depth+1-youngest[s.at]), true
}

// shakes are all that there are: each step, way and depth.
func shakes() []shake {
	var all []shake
	for at := range steps {
		for how := range ways {
			for depth := 1; depth <= 20; depth++ {
				s := shake{at, how, depth}
				if _, can := s.idle(); can {
					all = append(all, s)
				}
			}
		}
	}
	return all
}

// steered is a pool on a real chain that makes blocks only when it is told to, and
// whose workers go no further than they are let.
type steered struct {
	*real
	first bool // one worker may contribute to each task, and no more
	sent  map[pool.Hash]int
}

var errHeld = errors.New("it is held back")

func steer(t *testing.T, workers int) *steered {
	t.Helper()
	s := &steered{real: serveReal(t, workers), sent: map[pool.Hash]int{}}
	s.contribute = func(w turn, task pool.Hash, word []byte) error {
		if s.first && s.sent[task] > 0 {
			return errHeld
		}
		err := s.send(w, s.market.Contribute(w.wallet, task, pool.Digest(w.digest), [65]byte(word)))
		if err == nil {
			s.sent[task]++
		}
		return err
	}
	s.reveal = func(w turn, task pool.Hash) error { return s.send(w, s.market.Reveal(task, pool.Digest(w.digest))) }
	s.flow = s.reconciler(func(d *reconcile.Deals) { d.Overlap = lane.Overlap }) // deeper than any that is played here
	s.market.Chain.Pause()
	return s
}

// send is say without waiting for a block.
func (s *steered) send(w turn, call local.Call) error {
	_, err := s.keys[w.wallet].Send(s.Context(), call)
	return err
}

// matched lets the terms be matched, in a block of its own.
func (s *steered) matched(tasks, trust int) pool.Deal {
	s.Helper()
	s.market.Chain.Resume()
	defer s.market.Chain.Pause()
	return s.match(tasks, trust)
}

// rematch has the same orders matched again, which make the same deal.
func (s *steered) rematch(d pool.Deal) {
	s.Helper()
	s.matched(d.Tasks, d.Trust)
	if again := s.deals[len(s.deals)-1]; again.ID != d.ID || !again.Start.After(d.Start) {
		s.Fatalf("%+v was matched again as %+v", d, again)
	}
	s.deals = s.deals[:len(s.deals)-1]
}

// views are a deal's tasks at the newest block.
func (s *steered) views(d pool.Deal) []pool.Task {
	s.Helper()
	out := make([]pool.Task, d.Tasks)
	for i := range out {
		var err error
		if out[i], err = s.market.Task(s.Context(), s.task(d, i)); err != nil {
			s.Fatal(err)
		}
	}
	return out
}

// reached tells that all tasks of a deal are at a step.
func (s *steered) reached(d pool.Deal, at step) bool {
	s.Helper()
	for _, task := range s.views(d) {
		var is bool
		switch at {
		case taken:
			is = task.Status == pool.TaskUnset && s.Count(s, "SELECT COUNT(*) FROM deal d JOIN task k ON k.deal = d.id WHERE d.deal_id = ?", d.ID[:]) == d.Tasks
		case initialized:
			is = task.Status == pool.TaskActive && len(task.Contributions) == 0
		case contributed:
			is = task.Status == pool.TaskActive && len(task.Contributions) == 1
		case agreed:
			is = task.Status == pool.TaskRevealing && task.Reveals == 0
		case revealed:
			is = task.Status == pool.TaskRevealing && task.Reveals == 2
		case finalizing:
			is = task.Reveals == 2 && s.broadcasts("kind = 'finalize' AND state = 'signed'") > 0
		case finalized:
			is = task.Status == pool.TaskCompleted
		case claimed:
			is = task.Status == pool.TaskFailed
		}
		if !is {
			return false
		}
	}
	return true
}

// hasten lets reconcile make one pass a tick and no block.
func (s *steered) hasten() (end func()) {
	waits, pass := s.waits, s.pass
	s.waits, s.pass = 0, func(time.Duration) {}
	return func() { s.waits, s.pass = waits, pass }
}

// bring brings a deal to a step with no block more than it takes.
func (s *steered) bring(d pool.Deal, at step) {
	s.Helper()
	s.first = at == contributed
	defer s.hasten()()
	if at == claimed {
		s.tick()
		if err := s.market.Chain.AdjustTime(pool.FinalAfter * term); err != nil {
			s.Fatal(err)
		}
	}
	for range 20 {
		if s.reached(d, at) {
			return
		}
		s.tick()
		if at < claimed {
			s.dispatch()
			s.work()
		}
		if s.reached(d, at) {
			return
		}
		if s.market.Chain.Waiting() > 0 {
			s.market.Chain.Mine(1)
		}
	}
	s.Fatalf("never %s: %+v %s", at, s.views(d), s.open())
}

// suffer plays a deal to its end with one reorganisation, and holds the end to the
// promises.
func (s *steered) suffer(x shake, draw *rand.Rand) {
	s.Helper()
	chain := s.market.Chain
	chain.Mine(32 - int(chain.Head().Number%32)) // all before it stays
	binary.BigEndian.PutUint64(s.terms.Salt[:], draw.Uint64())
	d := s.matched(2, 3)
	idle, _ := x.idle()
	chain.Mine(idle)
	s.bring(d, x.at)
	if age := int(chain.Head().Number-s.floor) + 1; age != youngest[x.at]+idle {
		s.Fatalf("the deal is %d blocks old, want %d", age, youngest[x.at]+idle)
	}
	if draw.IntN(2) == 0 {
		end := s.hasten()
		s.tick() // the pool has seen it
		end()
	}
	s.first = false
	if err := chain.Reorganise(x.depth, x.how == moved || x.how == again); err != nil {
		s.Fatal(err)
	}
	now, err := s.market.Deal(s.Context(), d.ID)
	switch {
	case x.how <= late && err == nil, x.how == moved && !now.Start.After(d.Start), x.how > moved && !now.Start.Equal(d.Start):
		s.Fatalf("the deal is %+v, %v; was %+v", now, err, d)
	}
	switch x.how {
	case lost:
		for range draw.IntN(4) {
			s.round()
		}
		if chain.Head().Finalized < s.floor && s.Count(s, "SELECT COUNT(*) FROM deal WHERE state = 'gone'") != 0 {
			s.Error("the deal was given up while it could come back")
		}
		s.rematch(d)
	case late:
		s.until("given up", func() bool {
			chain.Mine(8)
			return s.Count(s, "SELECT COUNT(*) FROM deal WHERE deal_id = ? AND state = 'gone'", d.ID[:]) == 1
		})
		s.rematch(d)
	case moved, again, dropped:
	}
	s.finish()
	s.spoke(d)
	if now, err = s.market.Deal(s.Context(), d.ID); err != nil {
		s.Fatal(err)
	}
	if s.Count(s, "SELECT COUNT(*) FROM deal WHERE deal_id = ? AND start_at = ? AND final_at = ?", d.ID[:], now.Start, now.FinalBy()) != 1 || s.Count(s, `SELECT COUNT(*)
		FROM deal d JOIN task k ON k.deal = d.id JOIN batch b ON b.id = k.work_id >> 14 WHERE d.deal_id = ? AND b.deadline <> d.final_at`, d.ID[:]) != 0 {
		s.Errorf("the deal's times are not the chain's, from %s to %s", now.Start, now.FinalBy())
	}
	want, state := pool.TaskCompleted, pool.Done
	if x.at == claimed && x.how > moved { // its deadline is over on any chain
		want, state = pool.TaskFailed, pool.Failed
	}
	for _, task := range s.views(d) {
		if task.Status != want {
			s.Errorf("task %s is %d, want %d", task.ID, task.Status, want)
		}
	}
	if n := s.Count(s, "SELECT COUNT(*) FROM deal d JOIN task k ON k.deal = d.id JOIN work w ON w.id = k.work_id WHERE d.deal_id = ? AND w.state = ?", d.ID[:], string(state)); n != d.Tasks {
		s.Errorf("%d works are %s", n, state)
	}
}

// spoke holds what the pool said to the chain against the promises: each task was
// initialized once and ended once, and the books know what became of each nonce.
func (s *steered) spoke(d pool.Deal) {
	s.Helper()
	begun, ended := ethsig.Keccak([]byte("TaskInitialize(bytes32,address)")), map[pool.Hash]bool{
		ethsig.Keccak([]byte("TaskFinalize(bytes32,bytes)")): true, ethsig.Keccak([]byte("TaskClaimed(bytes32)")): true,
	}
	topics := []pool.Hash{begun}
	for topic := range ended {
		topics = append(topics, topic)
	}
	logs, err := s.market.Chain.Logs(s.Context(), s.market.At.Hub, 0, topics...)
	if err != nil {
		s.Fatal(err)
	}
	begins, ends := map[pool.Hash]int{}, map[pool.Hash]int{}
	for _, log := range logs {
		if pool.Hash(log.Topics[0]) == begun {
			begins[pool.Hash(log.Topics[1])]++
		} else {
			ends[pool.Hash(log.Topics[1])]++
		}
	}
	for i := range d.Tasks {
		if id := s.task(d, i); begins[id] != 1 || ends[id] != 1 {
			s.Errorf("task %d was initialized %d times and ended %d times", i, begins[id], ends[id])
		}
	}
	s.booked()
}

// shakesOn are those played on one chain: workers who have done many tasks are
// believed alone, and then there is no step between the first contribution and the
// agreement.
const shakesOn = 5

// TestRealReorganisations: on iExec's contracts a reorganisation of each depth comes
// right after each step of a deal's life, and takes the deal away, moves it to a
// later time, or takes back what followed it; all is done in the end as if nothing
// had been. STORM_SEED plays one again, and all of them if it is "all".
func TestRealReorganisations(t *testing.T) {
	t.Parallel()
	all := shakes()
	seeds := make([]uint64, 2*shakesOn)
	for i := range seeds {
		seeds[i] = rand.Uint64()
	}
	given := os.Getenv("STORM_SEED")
	if seed, err := strconv.ParseUint(given, 10, 64); err == nil {
		seeds = []uint64{seed}
	} else if given == "all" {
		seeds = seeds[:0]
		for i := range all {
			seeds = append(seeds, uint64(i))
		}
	}
	var mu sync.Mutex
	played := map[string]int{}
	t.Cleanup(func() { t.Logf("of %d reorganisations: %v", len(all), played) })
	for len(seeds) > 0 {
		part := seeds[:min(shakesOn, len(seeds))]
		seeds = seeds[len(part):]
		t.Run(fmt.Sprint("from seed ", part[0]), func(t *testing.T) {
			t.Parallel()
			s := steer(t, 4)
			for _, seed := range part {
				x := all[seed%uint64(len(all))]
				t.Logf("STORM_SEED=%d: %s, %s, %d blocks", seed, x.at, x.how, x.depth)
				if s.suffer(x, rand.New(rand.NewPCG(seed, 2))); t.Failed() {
					t.FailNow()
				}
				mu.Lock()
				played[fmt.Sprintf("%s, %s", x.at, x.how)]++
				mu.Unlock()
			}
		})
	}
}
