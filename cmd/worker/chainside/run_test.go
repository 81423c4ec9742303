//go:build linux

package chainside

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"workerpool/shared/ethsig"
	"workerpool/shared/pool"
)

func (s *shore) runs() (end func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.lane.run(ctx)
	}()
	return func() {
		cancel()
		<-ended
	}
}

// What was sent is looked at ever less often, and seldom while the node is away.
func TestLaneLooksEverLessOften(t *testing.T) {
	s := newShore(t)
	sent := s.say(1, "a")
	<-s.lane.kick
	waits, ring := make(chan time.Duration), make(chan time.Time)
	s.lane.After = func(d time.Duration) <-chan time.Time {
		waits <- d
		return ring
	}
	defer s.runs()()
	passes := func(want time.Duration) {
		t.Helper()
		if got := <-waits; got != want {
			t.Errorf("waits %v, want %v", got, want)
		}
	}
	for _, d := range []time.Duration{firstLook, 2 * firstLook, 4 * firstLook, 8 * firstLook, lastLook} {
		passes(d)
		ring <- s.now
	}
	passes(lastLook)
	s.away(errors.New("connection refused"))
	ring <- s.now
	passes(badLook)
	s.away(nil)
	s.mine("5.1 a", true)
	ring <- s.now
	if err := sent.wait(context.Background()); err != nil {
		t.Error(err)
	}
}

// What is sent is looked at without a wait, and so is what an earlier life sent.
func TestLaneLooksAtOnce(t *testing.T) {
	s := newShore(t)
	end := s.runs()
	for i, raw := range []string{"5.1 a", "6.1 a"} {
		s.minesAtOnce(raw, 5+uint64(i))
		if err := s.say(byte(i), "a").wait(context.Background()); err != nil {
			t.Error(err)
		}
	}
	end()
	s.say(9, "z")
	s.live()
	s.mine("6.1 z", true)
	sent := s.find(contribution, task(9))
	defer s.runs()()
	if err := sent.wait(context.Background()); err != nil {
		t.Error(err)
	}
}

// Works that end together do not share a nonce.
func TestLaneOneAtATime(t *testing.T) {
	s := newShore(t)
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			s.say(byte(i), fmt.Sprint(i))
			if err := s.lane.look(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	var nonces []uint64
	for _, kept := range s.kept.stored {
		nonces = append(nonces, kept.Nonce)
	}
	want := make([]uint64, 20)
	for i := range want {
		want[i] = uint64(5 + i)
	}
	if !slices.Equal(nonces, want) {
		t.Errorf("nonces %v", nonces)
	}
	s.said()
}

func (w *water) away(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.down = err
}

// minesAtOnce puts bytes into a block that are still to be sent.
func (w *water) minesAtOnce(raw string, nonce uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mined[ethsig.Keccak([]byte(raw))], w.next = true, nonce
}

// A task is told once of a result, however often that is asked for at a time.
func TestSaidOnceAtATime(t *testing.T) {
	for name, c := range map[string]struct {
		scene func(*scene)
		say   func(*Account, context.Context, Promise) error
	}{
		contribution: {func(*scene) {}, (*Account).Contribute},
		reveal:       {func(s *scene) { contributed(pool.Contributed)(s); agreed(s) }, (*Account).Reveal},
	} {
		s := newShore(t)
		c.scene(s.scene)
		for range 3 {
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond) // no block comes
			if err := c.say(s.account, ctx, good(t)); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: %v", name, err)
			}
			cancel()
		}
		if said := s.said(); len(said) != 1 {
			t.Errorf("%s: said %q", name, said)
		}
	}
}
