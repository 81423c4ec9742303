//go:build linux

package chainside

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"workerpool/cmd/worker/ledger"
	"workerpool/shared/chain"
	"workerpool/shared/ethsig"
	"workerpool/shared/pool"
)

// water is a chain on which a test decides what is mined. Its bytes are readable:
// "nonce.attempt call".
type water struct {
	*scene
	mu      sync.Mutex
	next    uint64             // first nonce that no block has
	mined   map[pool.Hash]bool // and whether it had its effect
	refuses string             // calls that would revert
	price   error              // why nothing is priced
	down    error              // of all that is asked and sent
	taken   error              // what the node says to bytes
	sent    []string
	stored  func() []ledger.Sending // what the ledger has, at each sending
	books   [][]ledger.Sending
}

func (w *water) Nonce(context.Context, pool.Block) (uint64, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.next, w.down
}

func (w *water) ComposeCall(_ context.Context, b pool.Broadcast, call chain.Call) (pool.Broadcast, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.down != nil:
		return b, w.down
	case w.refuses != "" && string(call.Data) == w.refuses:
		return b, &pool.Error{Kind: pool.Conflict, Message: "refused", Cause: &chain.RevertError{}}
	case w.price != nil:
		return b, &pool.Error{Kind: pool.Unavailable, Message: "dear", Cause: w.price}
	}
	if b.Attempt > 1 && !strings.HasPrefix(string(b.Raw), fmt.Sprintf("%d.%d ", b.Nonce, b.Attempt-1)) {
		return b, fmt.Errorf("attempt %d is given the bytes %q of the one before", b.Attempt, b.Raw)
	}
	what := string(call.Data)
	if call.To == workerKey.Address() {
		what = "nothing"
	}
	b.Raw = fmt.Appendf(nil, "%d.%d %s", b.Nonce, b.Attempt, what)
	b.Hash = ethsig.Keccak(b.Raw)
	return b, nil
}

func (w *water) Send(_ context.Context, raw []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sent = append(w.sent, string(raw))
	w.books = append(w.books, w.stored())
	if w.down != nil {
		return w.down
	}
	return w.taken
}

func (w *water) Receipts(_ context.Context, hashes []pool.Hash) ([]pool.Receipt, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []pool.Receipt
	for _, h := range hashes {
		good, found := w.mined[h]
		out = append(out, pool.Receipt{Hash: h, Found: found, Good: good})
	}
	return out, w.down
}

func (w *water) mine(raw string, good bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mined[ethsig.Keccak([]byte(raw))] = good
	w.next++
}

func (w *water) said() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	said := w.sent
	w.sent = nil
	return said
}

// shore is a lane with its time, which a test moves.
type shore struct {
	t *testing.T
	*water
	*lane
	account *Account
	now     time.Time
	kept    *memory
}

func newShore(t *testing.T) *shore {
	t.Helper()
	s := &shore{t: t, water: &water{scene: newScene(), next: 5, mined: map[pool.Hash]bool{}}, now: start, kept: &memory{}}
	s.water.stored = func() []ledger.Sending { return slices.Clone(s.kept.stored) }
	s.live()
	return s
}

// live begins a life of the worker, from what its ledger has.
func (s *shore) live() {
	s.t.Helper()
	a := newAccount(s.t, s.scene, func(c *Config) {
		c.Sender, c.Node, c.Sent, c.Now = s.water, s.scene, s.kept, func() time.Time { return s.now }
	})
	s.account, s.lane = a, a.lane
}

func task(n byte) pool.Hash { return pool.Hash{n} }

func (s *shore) say(n byte, what string) *sending {
	s.t.Helper()
	sent, err := s.lane.send(context.Background(), contribution, task(n), chain.Call{To: otherKey.Address(), Data: []byte(what)})
	if err != nil {
		s.t.Fatal(err)
	}
	return sent
}

// looks moves the time and looks.
func (s *shore) looks(after time.Duration) {
	s.t.Helper()
	s.now = s.now.Add(after)
	if err := s.lane.look(context.Background()); err != nil {
		s.t.Error(err)
	}
}

func (s *shore) expect(want ...string) {
	s.t.Helper()
	if said := s.said(); !slices.Equal(said, want) {
		s.t.Errorf("sent %q, want %q", said, want)
	}
}

// over tells whether the fate of a sending is known, and it.
func (s *shore) over(of *sending) (bool, error) {
	select {
	case <-of.done:
		return true, of.err
	default:
		return false, nil
	}
}

func (s *shore) ends(of *sending, want error) {
	s.t.Helper()
	if over, err := s.over(of); !over || !errors.Is(err, want) || (err == nil) != (want == nil) {
		s.t.Errorf("over %v with %v, want %v", over, err, want)
	}
	for _, kept := range s.kept.stored {
		if kept.Nonce == of.Nonce {
			s.t.Errorf("it is kept though it is over: %+v", kept)
		}
	}
}

func TestLaneStoresBeforeItSends(t *testing.T) {
	s := newShore(t)
	one, two := s.say(1, "a"), s.say(2, "b")
	s.expect("5.1 a", "6.1 b")
	for i, stored := range s.books {
		if len(stored) != i+1 || string(stored[i].Tries[0].Raw) != []string{"5.1 a", "6.1 b"}[i] {
			t.Errorf("sending %d: the ledger has %+v", i, stored)
		}
	}
	if s.find(contribution, task(2)) != two || s.find(reveal, task(2)) != nil || s.find(contribution, task(3)) != nil {
		t.Error("what is sent is not found, or more")
	}
	s.mine("5.1 a", true)
	s.looks(time.Second)
	s.ends(one, nil)
	if over, _ := s.over(two); over || len(s.kept.stored) != 1 {
		t.Errorf("the other is over as well: %+v", s.kept.stored)
	}
	s.mine("6.1 b", false)
	s.looks(time.Second)
	s.ends(two, errReverted)
	s.expect()
}

func TestLaneSendsNothingThatItCannotStore(t *testing.T) {
	s := newShore(t)
	s.kept.err = errors.New("disk full")
	if _, err := s.lane.send(context.Background(), reveal, task(1), chain.Call{}); !errors.Is(err, s.kept.err) {
		t.Errorf("%v", err)
	}
	s.expect()
	s.kept.err = nil
	s.say(1, "a")
	s.expect("5.1 a")
}

// The worker is killed between any two steps; the next life sends the same bytes,
// or finds them in a block.
func TestLaneAfterAFall(t *testing.T) {
	for name, c := range map[string]struct {
		down  error // what the node says in the first life
		mined bool  // its bytes came through nevertheless
		sent  []string
	}{
		"before it was sent":       {errors.New("connection refused"), false, []string{"5.1 a", "5.1 a"}},
		"before the answer, lost":  {errors.New("connection reset"), false, []string{"5.1 a", "5.1 a"}},
		"before the answer, mined": {errors.New("connection reset"), true, []string{"5.1 a"}},
		"after the answer":         {nil, false, []string{"5.1 a", "5.1 a"}},
		"after it was in a block":  {nil, true, []string{"5.1 a"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShore(t)
			s.water.taken = c.down
			s.say(1, "a")
			s.water.taken = nil
			if c.mined {
				s.mine("5.1 a", true)
			}
			s.live()
			again := s.find(contribution, task(1))
			if again == nil {
				t.Fatal("the next life knows nothing of it")
			}
			s.looks(0)
			s.expect(c.sent...)
			if !c.mined {
				s.mine("5.1 a", true)
				s.looks(time.Second)
			}
			s.ends(again, nil)
			s.say(2, "b")
			s.expect("6.1 b")
		})
	}
}

func TestLaneInsists(t *testing.T) {
	s := newShore(t)
	one := s.say(1, "a")
	s.expect("5.1 a")
	s.looks(sendAgain - time.Second)
	s.expect()
	s.looks(time.Second)
	s.expect("5.1 a")
	s.looks(payMore - sendAgain)
	s.expect("5.2 a")
	if len(s.kept.stored) != 1 || len(s.kept.stored[0].Tries) != 2 {
		t.Errorf("the ledger has %+v", s.kept.stored)
	}
	// Its price is at the owner's bound: the same bytes go on.
	s.price = chain.ErrGasPrice
	s.looks(payMore)
	s.expect("5.2 a")
	s.price = nil
	// What cannot be stored is not sent.
	s.kept.err = errors.New("disk full")
	s.looks(sendAgain)
	s.expect("5.2 a")
	s.kept.err = nil
	s.looks(time.Second)
	s.expect("5.3 a")
	for range 2 * maxTries {
		s.looks(payMore)
	}
	if n := len(s.kept.stored[0].Tries); n != maxTries {
		t.Errorf("%d tries, want no more than %d", n, maxTries)
	}
	s.said()
	// An earlier try may be the one that is mined.
	s.mine("5.2 a", true)
	s.looks(time.Second)
	s.ends(one, nil)
}

func TestLanePaysMoreAtOnceForWhatTheNodeDoesNotTake(t *testing.T) {
	s := newShore(t)
	s.taken = &pool.Error{Kind: pool.Conflict, Message: "the fee is too low"}
	s.say(1, "a")
	s.taken = nil
	s.looks(time.Second)
	s.looks(time.Second)
	s.expect("5.1 a", "5.2 a")
}

// What the contracts refuse when it is to pay more frees its nonce.
func TestLaneGivesWay(t *testing.T) {
	s := newShore(t)
	s.say(1, "a")
	s.say(2, "b")
	s.said()
	s.refuses = "a"
	s.looks(payMore)
	s.expect("5.2 nothing", "6.2 b")
	s.live()
	one, two := s.find(contribution, task(1)), s.find(contribution, task(2))
	s.mine("5.2 nothing", true)
	s.mine("6.1 b", true)
	s.looks(time.Second)
	s.ends(one, errGaveWay)
	s.ends(two, nil)
}

func TestLaneLosesItsNonce(t *testing.T) {
	s := newShore(t)
	one := s.say(1, "a")
	s.said()
	for _, gone := range []bool{true, false} {
		s.mine("another's", true)
		for range notOurs - 1 {
			s.looks(payMore)
			if over, _ := s.over(one); over {
				t.Error("over before all nodes may know the block")
			}
		}
		s.expect() // it could not be mined
		if gone {  // in a reorganisation
			s.water.next--
			s.looks(0)
			s.expect("5.2 a")
		}
	}
	s.looks(time.Second)
	s.ends(one, errReplaced)
	s.expect()

	// The block was only late at this node.
	two := s.say(2, "b")
	s.mine("another's still", true)
	s.looks(time.Second)
	s.mine("6.1 b", true)
	s.looks(time.Second)
	s.ends(two, nil)
}

// A reorganisation takes back what was settled: the nonce in front of those that
// wait is used again.
func TestLaneFillsGaps(t *testing.T) {
	s := newShore(t)
	s.say(1, "a")
	s.say(2, "b")
	s.mine("5.1 a", true)
	s.looks(time.Second)
	s.water.mu.Lock()
	s.next = 5
	s.water.mu.Unlock()
	s.said()
	s.say(1, "a again")
	s.say(3, "c")
	s.expect("5.1 a again", "7.1 c")
	if nonces := []uint64{s.kept.stored[0].Nonce, s.kept.stored[1].Nonce, s.kept.stored[2].Nonce}; !slices.Equal(nonces, []uint64{5, 6, 7}) {
		t.Errorf("the ledger has nonces %v", nonces)
	}
}

func TestLaneWhileTheNodeIsAway(t *testing.T) {
	s := newShore(t)
	one := s.say(1, "a")
	s.down = errors.New("connection refused")
	for range 100 {
		s.now = s.now.Add(time.Minute)
		if err := s.lane.look(context.Background()); !errors.Is(err, s.down) {
			t.Fatalf("%v", err)
		}
	}
	if _, err := s.lane.send(context.Background(), reveal, task(2), chain.Call{}); !errors.Is(err, s.down) {
		t.Errorf("%v", err)
	}
	s.down = nil
	s.said()
	s.looks(0)
	s.expect("5.2 a")
	s.mine("5.1 a", true)
	s.looks(0)
	s.ends(one, nil)
}
