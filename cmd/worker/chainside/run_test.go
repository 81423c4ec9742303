//go:build linux

package chainside

import (
	"context"
	"errors"
	"testing"
	"time"

	"workerpool/shared/ethsig"
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
