//go:build linux

package turns

import (
	"context"
	"errors"
	"fmt"
	"time"

	"workerpool/cmd/worker/chainside"
	"workerpool/cmd/worker/ledger"
	"workerpool/shared/pool"
	"workerpool/shared/wire"
)

// Chain is the worker's account on the chain; *chainside.Account is it.
type Chain interface {
	// Weigh gives what a deal's work asks for and what the account has, or why it
	// is not taken.
	Weigh(ctx context.Context, run wire.Run) (chainside.Offer, string)
	// Authorised tells what is wrong with the pool's word that the account may
	// contribute.
	Authorised(p chainside.Promise) error
	// Contribute and Reveal return when the chain shows it. An error that is a
	// *chainside.HopelessError says that it never will.
	Contribute(ctx context.Context, p chainside.Promise) error
	Reveal(ctx context.Context, p chainside.Promise) error
}

// weighPatience is how long an offer may wait for the chain's node.
const weighPatience = 20 * time.Second

// begins tells that nothing keeps the run from being begun.
func (t *turn) begins() bool { return t.entry.Deal == nil || t.entry.Deal.Authorisation != "" }

// weigh looks at a deal's work on the chain before anything is promised, and
// takes the offer or refuses it.
func (k *Keeper) weigh(t *turn) {
	ctx, cancel := context.WithTimeout(t.ctx, weighPatience)
	defer cancel()
	offer, reason := k.Chain.Weigh(ctx, t.entry.Run)
	k.mu.Lock()
	defer k.mu.Unlock()
	if t.ctx.Err() != nil {
		return // ended or closing meanwhile
	}
	t.weighing = false
	if k.closing {
		reason = "the worker is shutting down"
	}
	if reason == "" {
		reason = offer.Lacks(k.promised())
	}
	if reason == "" {
		t.entry.Deal = &ledger.Deal{Owner: offer.Owner.String(), Stake: int64(offer.Stake)}
	}
	k.answer(t, reason)
}

// promised is what the account is to pay for what was taken before. Keeper.mu is held.
func (k *Keeper) promised() chainside.Promised {
	var all chainside.Promised
	for _, t := range k.turns {
		if t.entry.Deal == nil || t.refused != "" {
			continue
		}
		switch t.entry.State {
		case ledger.Running, ledger.Reported:
			all.Stake += pool.NRLC(t.entry.Deal.Stake)
			all.Contributions++
			all.Reveals++
		case ledger.Contributed:
			all.Reveals++
		case ledger.Revealed, ledger.Uploaded, ledger.Failed:
		}
	}
	return all
}

// authorise begins the run that waited for the pool's word, when it is its word.
// Keeper.mu is held.
func (k *Keeper) authorise(t *turn, word string) {
	if t.begins() || t.refused != "" || k.closing {
		return
	}
	deal := *t.entry.Deal
	deal.Authorisation = word
	if err := k.Chain.Authorised(promise(t.entry.Run, deal)); err != nil {
		k.giveBack(t, "the pool's authorisation is not good: "+err.Error())
		return
	}
	t.entry.Deal, t.entry.Begun = &deal, k.Now() // the time that it waited is not the program's
	k.save(t)
	k.Log.Info("run begins", "work", t.entry.Work, "attempt", t.entry.Attempt, "app", t.entry.Run.App.Name, "task", t.entry.Run.Task.ID)
	k.spawn(t, k.compute)
}

// say tells the chain of the result what the pool asks for, once at a time; the
// pool repeats what the chain does not show. Keeper.mu is held.
func (k *Keeper) say(t *turn, what string) {
	if t.entry.Deal == nil || t.entry.Deal.Digest == "" || t.entry.State == ledger.Failed || t.saying || t.uploading {
		return
	}
	t.saying = true
	p := promise(t.entry.Run, *t.entry.Deal)
	k.spawn(t, func(t *turn) {
		act, state := k.Chain.Contribute, ledger.Contributed
		if what == wire.DoReveal {
			act, state = k.Chain.Reveal, ledger.Revealed
		}
		err := act(t.ctx, p)
		k.mu.Lock()
		defer k.mu.Unlock()
		if t.ctx.Err() != nil {
			return // ended or closing meanwhile: what was sent is in the ledger
		}
		t.saying = false
		var hopeless *chainside.HopelessError
		switch {
		case err == nil && t.entry.State == state:
			// The pool has not seen it yet, and asks: said again at once it would not see it sooner.
		case err == nil:
			deal := *t.entry.Deal
			deal.Checks, deal.Found = "", "" // of a consensus before this one
			t.entry.State, t.entry.Deal = state, &deal
			k.Log.Info("the chain has it", "work", t.entry.Work, "attempt", t.entry.Attempt, "task", p.Task, "state", state)
			k.save(t)
			k.notify()
		case errors.As(err, &hopeless):
			k.fail(t, fmt.Sprintf("%s: %v", what, err))
		default:
			k.Log.Warn("the chain has it not; tried again when the pool asks again", "work", t.entry.Work, "attempt", t.entry.Attempt, "task", p.Task, "doing", what, "error", err)
		}
	})
}

// promise is what a turn promised, in the chain's words.
func promise(r wire.Run, d ledger.Deal) chainside.Promise {
	return chainside.Promise{Deal: r.Task.Deal, Task: r.Task.ID, Owner: d.Owner, Authorisation: d.Authorisation, Digest: d.Digest}
}
