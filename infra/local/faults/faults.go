// Package faults is the switchboard that makes the local stand-ins misbehave on
// purpose: it decides, from a seed, which call of which target goes wrong and
// how, and carries out the kinds of fault that look the same everywhere.
//
// It must not know any service: what a duplicate or a loss means is written in
// the stand-in that declares the target.
package faults

import (
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Kind is a way to go wrong.
type Kind string

// The kinds. Fail, FailAfter and Delay are possible for every declared target,
// the others only where the stand-in says so in Declare.
const (
	Duplicate Kind = "duplicate" // the message is delivered twice
	Delay     Kind = "delay"     // the call is carried out later; a sent message arrives later
	Reorder   Kind = "reorder"   // the newest message overtakes the others
	Lose      Kind = "lose"      // success is answered, nothing is done
	Fail      Kind = "fail"      // an error is answered (or the connection dropped), nothing is done
	FailAfter Kind = "failafter" // it is done, then an error is answered (or the connection dropped)
)

// anywhere lists the kinds that Serve can carry out for any target.
var anywhere = []Kind{Delay, Fail, FailAfter}

// Rule says what goes wrong with the calls of one target. At least one of
// Probability and Count is given: a Count alone hits the first Count calls, a
// Probability alone hits each call with that chance, both together stop after
// Count hits. The first rule of a target that hits wins the call.
type Rule struct {
	Target      string  `json:"target"` // "sqs:SendMessage"
	Kind        Kind    `json:"kind"`
	Probability float64 `json:"probability,omitempty"` // 0 to 1
	Count       int     `json:"count,omitempty"`
	DelayMS     int64   `json:"delay_ms,omitempty"` // Delay only
	Status      int     `json:"status,omitempty"`   // Fail and FailAfter: 400 to 599, default 500
	Drop        bool    `json:"drop,omitempty"`     // Fail and FailAfter: cut the connection instead of answering
}

// Fault is what was drawn for one call; the zero value means none.
type Fault struct {
	Kind  Kind
	Delay time.Duration

	status int
	drop   bool
}

// Config holds what a Board needs.
type Config struct {
	Seed uint64
	// After is the clock of held calls; nil means time.After.
	After func(time.Duration) <-chan time.Time
}

// Board holds the rules in force. It is safe for concurrent use. The faults of
// one target depend only on the seed, the rules and the number of calls of that
// target so far, never on the traffic of other targets.
type Board struct {
	after func(time.Duration) <-chan time.Time

	mu      sync.Mutex
	seed    uint64
	rules   []*rule
	targets map[string][]Kind
}

type rule struct {
	Rule
	Fired int `json:"fired"`
	rng   *rand.Rand
}

// New makes a board without rules.
func New(c Config) *Board {
	b := &Board{after: c.After, seed: c.Seed, targets: map[string][]Kind{}}
	if b.after == nil {
		b.after = time.After
	}
	return b
}

// Declare makes targets known. own lists the kinds that the stand-in carries out
// itself for them, beside those possible everywhere.
func (b *Board) Declare(own []Kind, targets ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, t := range targets {
		b.targets[t] = slices.Clone(own)
	}
}

// Set replaces all rules and starts every draw anew from seed. A rule that could
// never take effect is refused, and then nothing is changed.
func (b *Board) Set(seed uint64, rules ...Rule) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	var faults []error
	next := make([]*rule, 0, len(rules))
	for i, r := range rules {
		if err := b.check(r); err != nil {
			faults = append(faults, fmt.Errorf("rule %d (%s of %s): %w", i, r.Kind, r.Target, err))
			continue
		}
		h := fnv.New64a()
		fmt.Fprintf(h, "%d %s %s", i, r.Target, r.Kind)
		next = append(next, &rule{Rule: r, rng: rand.New(rand.NewPCG(seed, h.Sum64()))})
	}
	if err := errors.Join(faults...); err != nil {
		return err
	}
	b.seed, b.rules = seed, next
	return nil
}

func (b *Board) check(r Rule) error {
	own, known := b.targets[r.Target]
	failing := r.Kind == Fail || r.Kind == FailAfter
	switch {
	case !known:
		return fmt.Errorf("unknown target, not one of %v", slices.Sorted(maps.Keys(b.targets)))
	case !slices.Contains(own, r.Kind) && !slices.Contains(anywhere, r.Kind):
		return errors.New("this target has no such fault")
	case r.Probability < 0 || r.Probability > 1 || r.Count < 0:
		return errors.New("probability must be 0 to 1 and count not negative")
	case r.Probability == 0 && r.Count == 0:
		return errors.New("neither probability nor count given: it would never happen")
	case (r.Kind == Delay) != (r.DelayMS > 0):
		return errors.New("delay_ms above 0 belongs to delay, and only to delay")
	case !failing && (r.Status != 0 || r.Drop):
		return errors.New("status and drop belong to fail and failafter only")
	case r.Status != 0 && (r.Status < 400 || r.Status > 599):
		return errors.New("status must be 400 to 599")
	}
	return nil
}

// draw decides the fate of one call of target; own tells that the stand-in
// carries it out itself.
func (b *Board) draw(target string) (f Fault, own bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range b.rules {
		if r.Target != target || (r.Count > 0 && r.Fired >= r.Count) {
			continue
		}
		if r.Probability > 0 && r.rng.Float64() >= r.Probability {
			continue
		}
		r.Fired++
		f = Fault{Kind: r.Kind, Delay: time.Duration(r.DelayMS) * time.Millisecond, status: r.Status, drop: r.Drop}
		if f.status == 0 {
			f.status = http.StatusInternalServerError
		}
		return f, slices.Contains(b.targets[target], r.Kind)
	}
	return Fault{}, false
}
