//go:build linux

package chainside

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"workerpool/cmd/worker/ledger"
	"workerpool/shared/chain"
	"workerpool/shared/pool"
)

const (
	firstLook  = 250 * time.Millisecond // after something was sent
	lastLook   = 4 * time.Second        // between looks, at the longest
	badLook    = 15 * time.Second       // between looks, while the node answers none
	sendAgain  = 10 * time.Second       // the same bytes
	payMore    = 45 * time.Second       // the same nonce at a higher price
	notOurs    = 3                      // looks at a used nonce that show no receipt of ours
	maxTries   = 40                     // under one nonce: an eighth more each time is a hundredfold
	lookingFor = 20 * time.Second       // one look at most
)

var (
	errReverted = errors.New("it was in a block and had no effect there")
	errReplaced = errors.New("another transaction took its nonce")
	errGaveWay  = errors.New("it gave way to those behind it: the contracts refused it when it was to pay more")
)

// lane is a wallet's transactions, one nonce after the other. What is signed is
// stored before it is sent, so that after a fall the same bytes are sent again and
// nothing is said twice.
type lane struct {
	Config
	gate chan struct{} // holds one token: who has it speaks for the wallet
	kick chan struct{}

	mu      sync.Mutex
	pending []*sending // by nonce; changed by who has the gate
}

// sending is a transaction whose fate is not known. Its ledger part is changed by
// who has the gate.
type sending struct {
	ledger.Sending
	signed time.Time // the newest try; of an earlier life, when this one began
	sent   time.Time // last given to the node; zero = never
	unfit  bool      // the node takes no such bytes: pay more at once
	missed int       // looks that showed its nonce used and no receipt
	done   chan struct{}
	err    error // once done: nil = it had its effect
}

func newLane(c Config) (*lane, error) {
	stored, err := c.Sent.Load()
	if err != nil {
		return nil, err
	}
	l := &lane{Config: c, gate: make(chan struct{}, 1), kick: make(chan struct{}, 1)}
	l.gate <- struct{}{}
	for _, s := range stored {
		l.pending = append(l.pending, &sending{Sending: s, signed: c.Now(), done: make(chan struct{})})
	}
	if len(stored) > 0 {
		l.wake()
	}
	return l, nil
}

func (l *lane) wake() {
	select {
	case l.kick <- struct{}{}:
	default:
	}
}

// enter waits for the gate; leave gives it back.
func (l *lane) enter(ctx context.Context) error {
	select {
	case <-l.gate:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (l *lane) leave() { l.gate <- struct{}{} }

func (l *lane) all() []*sending {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.pending)
}

// store keeps pending in the ledger and, when that was done, in memory.
func (l *lane) store(pending []*sending) error {
	slices.SortFunc(pending, func(a, b *sending) int { return int(int64(a.Nonce) - int64(b.Nonce)) })
	flat := make([]ledger.Sending, len(pending))
	for i, s := range pending {
		flat[i] = s.Sending
	}
	if err := l.Sent.Save(flat); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pending = pending
	return nil
}

// find gives what was sent of a kind for a task and is not settled; nil = nothing.
func (l *lane) find(kind string, task pool.Hash) *sending {
	for _, s := range l.all() {
		if s.Kind == kind && s.Task == task.String() {
			return s
		}
	}
	return nil
}

// wait gives what became of a sending.
func (s *sending) wait(ctx context.Context) error {
	select {
	case <-s.done:
		return s.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// send signs a call, stores it and gives it to the node. After an error nothing
// was sent.
func (l *lane) send(ctx context.Context, kind string, task pool.Hash, call chain.Call) (*sending, error) {
	if err := l.enter(ctx); err != nil {
		return nil, err
	}
	defer l.leave()
	head, err := l.Node.Head(ctx)
	if err != nil {
		return nil, err
	}
	nonce, err := l.Sender.Nonce(ctx, head.Block)
	if err != nil {
		return nil, err
	}
	pending := l.all()
	// The first that is free: a reorganisation may have emptied one before the last.
	for slices.ContainsFunc(pending, func(s *sending) bool { return s.Nonce == nonce }) {
		nonce++
	}
	signed, err := l.Sender.ComposeCall(ctx, pool.Broadcast{Nonce: nonce, Attempt: 1}, call)
	if err != nil {
		return nil, err
	}
	s := &sending{
		Sending: ledger.Sending{Nonce: nonce, Kind: kind, Task: task.String(), To: call.To[:], Data: call.Data, Tries: []ledger.Try{{Hash: signed.Hash.String(), Raw: signed.Raw}}},
		signed:  l.Now(), done: make(chan struct{}),
	}
	if err := l.store(append(pending, s)); err != nil {
		return nil, err
	}
	l.Log.Info("sent to the chain", "doing", kind, "task", task, "nonce", nonce, "transaction", signed.Hash)
	l.give(ctx, s)
	l.wake()
	return s, nil
}

// give gives the newest bytes to the node. What fails is tried again by run.
func (l *lane) give(ctx context.Context, s *sending) {
	s.sent = l.Now()
	err := l.Sender.Send(ctx, s.Tries[len(s.Tries)-1].Raw)
	s.unfit = pool.KindOf(err) == pool.Conflict
	if err != nil {
		l.Log.Warn("the node did not take a transaction; it is sent again", "nonce", s.Nonce, "error", err)
	}
}

// run looks after what is sent until ctx ends.
func (l *lane) run(ctx context.Context) {
	pause := firstLook
	for {
		var next <-chan time.Time // none while nothing is under way
		if len(l.all()) > 0 {
			next = l.After(pause)
		}
		select {
		case <-ctx.Done():
			return
		case <-l.kick:
			pause = firstLook
		case <-next:
			pause = min(2*pause, lastLook)
		}
		if err := l.look(ctx); err != nil && ctx.Err() == nil {
			l.Log.Warn("what was sent to the chain is not known", "error", err)
			pause = badLook
		}
	}
}

// look settles what is in a block and sends again what is not.
func (l *lane) look(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, lookingFor)
	defer cancel()
	if err := l.enter(ctx); err != nil {
		return err
	}
	defer l.leave()
	head, err := l.Node.Head(ctx)
	if err != nil {
		return err
	}
	next, err := l.Sender.Nonce(ctx, head.Block)
	if err != nil {
		return err
	}
	receipts, err := l.receipts(ctx)
	if err != nil {
		return err
	}
	var open, settled []*sending
	for _, s := range l.all() {
		if l.settled(s, next, receipts) {
			settled = append(settled, s)
		} else {
			open = append(open, s)
		}
	}
	if len(settled) > 0 {
		if err := l.store(open); err != nil {
			return err
		}
		for _, s := range settled {
			close(s.done)
			l.Log.Info("settled on the chain", "doing", s.Kind, "task", s.Task, "nonce", s.Nonce, "error", s.err)
		}
	}
	for _, s := range open {
		if s.Nonce >= next {
			l.insist(ctx, s)
		}
	}
	return nil
}

// receipts gives the receipts of all tries, by hash.
func (l *lane) receipts(ctx context.Context) (map[string]pool.Receipt, error) {
	var hashes []pool.Hash
	for _, s := range l.all() {
		for _, t := range s.Tries {
			hash, err := pool.ParseHash(t.Hash)
			if err != nil {
				return nil, fmt.Errorf("reading what was sent: %w", err)
			}
			hashes = append(hashes, hash)
		}
	}
	found, err := l.Sender.Receipts(ctx, hashes)
	if err != nil {
		return nil, err
	}
	out := map[string]pool.Receipt{}
	for _, r := range found {
		if r.Found {
			out[r.Hash.String()] = r
		}
	}
	return out, nil
}

// settled tells that the fate of a sending is known, which it then has. next is
// the wallet's first nonce that no block has.
func (l *lane) settled(s *sending, next uint64, receipts map[string]pool.Receipt) bool {
	for _, t := range s.Tries {
		r, found := receipts[t.Hash]
		switch {
		case !found:
			continue
		case t.Nothing:
			s.err = errGaveWay
		case !r.Good:
			s.err = errReverted
		}
		return true
	}
	if s.Nonce >= next {
		s.missed = 0
		return false
	}
	// One node behind a name may know the block and another not yet.
	if s.missed++; s.missed < notOurs {
		return false
	}
	s.err = errReplaced
	return true
}

// insist sends the bytes again after a while, and after a longer one others that
// pay more. What the contracts refuse meanwhile gives way to a transaction that
// does nothing but free its nonce for those behind it.
func (l *lane) insist(ctx context.Context, s *sending) {
	now := l.Now()
	if (s.unfit || now.Sub(s.signed) >= payMore) && len(s.Tries) < maxTries {
		if err := l.raise(ctx, s); err == nil {
			l.give(ctx, s)
			return
		} else if !errors.Is(err, chain.ErrGasPrice) {
			l.Log.Warn("a transaction that is not mined cannot be made to pay more", "nonce", s.Nonce, "error", err)
		}
	}
	if now.Sub(s.sent) >= sendAgain {
		l.give(ctx, s)
	}
}

// raise signs and stores another try of a sending.
func (l *lane) raise(ctx context.Context, s *sending) error {
	before := pool.Broadcast{Nonce: s.Nonce, Attempt: len(s.Tries) + 1, Raw: s.Tries[len(s.Tries)-1].Raw}
	signed, err := l.Sender.ComposeCall(ctx, before, chain.Call{To: pool.Address(s.To), Data: s.Data})
	nothing := errors.Is(err, chain.ErrReverts)
	if nothing {
		signed, err = l.Sender.ComposeCall(ctx, before, chain.Call{To: l.Wallet})
	}
	if err != nil {
		return err
	}
	was := s.Sending
	s.Tries = append(slices.Clone(s.Tries), ledger.Try{Hash: signed.Hash.String(), Raw: signed.Raw, Nothing: nothing})
	if err := l.store(l.all()); err != nil {
		s.Sending = was
		return err
	}
	s.signed = l.Now()
	l.Log.Info("sent to the chain at a higher price", "doing", s.Kind, "task", s.Task, "nonce", s.Nonce, "transaction", signed.Hash, "in_vain", nothing)
	return nil
}
