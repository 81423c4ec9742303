//go:build linux

package turns

import (
	"cmp"

	"workerpool/cmd/worker/ledger"
	"workerpool/shared/wire"
)

// start takes an offer or refuses it, for the reason given or its own. An offer
// that is known, or older than what is known, is nothing new.
func (k *Keeper) start(known *turn, in wire.Instruction, unready string) {
	if known != nil && known.entry.Attempt >= in.Attempt {
		return
	}
	if in.Run == nil {
		k.Log.Warn("offer without a run", "work", in.Work, "attempt", in.Attempt)
		return
	}
	if known != nil {
		k.end(known)
	}
	reason := cmp.Or(k.refusal(*in.Run), unready)
	t := k.add(ledger.Entry{Work: in.Work, Attempt: in.Attempt, State: ledger.Running, Begun: k.Now(), Run: *in.Run})
	if reason == "" && in.Run.Task != nil {
		t.weighing = true
		k.spawn(t, k.weigh)
		return
	}
	k.answer(t, reason)
}

// answer takes an offer, or refuses it when there is a reason to. Keeper.mu is held.
func (k *Keeper) answer(t *turn, reason string) {
	e := t.entry
	if reason == "" {
		if err := k.Ledger.Save(e); err != nil {
			k.Log.Error("offer cannot be stored", "work", e.Work, "attempt", e.Attempt, "error", err)
			reason = "the worker cannot store the assignment: " + err.Error()
			_ = k.Ledger.Drop(e.Work, e.Attempt) // the next start deletes what is left
		}
	}
	switch {
	case reason != "":
		k.Log.Info("offer refused", "work", e.Work, "attempt", e.Attempt, "reason", reason)
		t.refused = short(reason)
	case !t.begins():
		k.Log.Info("offer taken: the run waits for its authorisation", "work", e.Work, "attempt", e.Attempt, "task", e.Run.Task.ID)
	default:
		k.Log.Info("run begins", "work", e.Work, "attempt", e.Attempt, "app", e.Run.App.Name)
		k.spawn(t, k.compute)
	}
	k.notify()
}
