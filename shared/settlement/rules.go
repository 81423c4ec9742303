package settlement

import (
	"time"

	"workerpool/shared/pool"
)

// rules says what must hold for each kind of action. A rule gives its objection,
// or "" when it has none. Each names why it is there and the condition of
// IexecPoco2Facet (PoCo v6) that it mirrors; `now` there is block.timestamp. The
// contract gives no reason when it refuses, so these are also the words in which
// the pool explains it.
var rules = map[pool.ActionKind][]func(moment) string{
	pool.Initialize:      {onlyUninitialized, onlyWhileSomebodyWaits, onlyWithTimeToContribute},
	pool.Finalize:        {onlyRevealing, onlyBeforeTheEnd, onlyAfterTheReveals, onlyWithItsResult, onlyWhatIsVouchedFor, onlyWithItsCallback},
	pool.Reopen:          {onlyRevealing, onlyWhenNobodyRevealed, onlyWithTimeForARun},
	pool.Claim:           {onlyOpen, onlyAfterTheEnd},
	pool.InitializeClaim: {onlyUninitialized, onlyAfterTheEnd},
}

// forever is added to a final deadline for what is never useless: a claim.
const forever = 100 * 365 * 24 * time.Hour

func (t Task) contributeBy() time.Time { return pool.Deal{Start: t.Start, T: t.T}.ContributeBy() }
func (t Task) finalBy() time.Time      { return pool.Deal{Start: t.Start, T: t.T}.FinalBy() }

// before gives the time from which a kind of action is of no use.
func (m moment) before(kind pool.ActionKind) time.Time {
	switch kind {
	case pool.Initialize:
		return m.contributeBy().Add(-m.policy.Contribute)
	case pool.Reopen:
		return m.contributeBy().Add(-m.policy.Contribute - m.T)
	case pool.Finalize:
		return m.finalBy()
	default:
		return m.finalBy().Add(forever)
	}
}

// onlyUninitialized: a task is initialized once.
//
// Rationale: a second initialization is mined without effect and burns 81k gas.
// Contract: initialize requires status == UNSET.
func onlyUninitialized(m moment) string {
	if m.Chain.Status != pool.TaskUnset {
		return "the task is initialized"
	}
	return ""
}

// onlyWhileSomebodyWaits: an initialization is for a worker that waits for it.
//
// Rationale: it costs 171k gas a task, and a task that nobody runs earns nothing.
// Contract: contribute requires status == ACTIVE, so who runs it does wait.
func onlyWhileSomebodyWaits(m moment) string {
	if !m.Running {
		return "nobody runs it"
	}
	return ""
}

// onlyWithTimeToContribute: an initialization leaves time for a contribution.
//
// Rationale: initialize itself is allowed at any time, even when it is in vain.
// Contract: contribute requires now < contributionDeadline.
func onlyWithTimeToContribute(m moment) string {
	if !m.now.Before(m.before(pool.Initialize)) {
		return "too late for a contribution"
	}
	return ""
}

// onlyRevealing: finalize and reopen follow a consensus.
//
// Rationale: they revert in any other state, an ended one above all.
// Contract: finalize and reopen require status == REVEALING.
func onlyRevealing(m moment) string {
	switch {
	case m.Chain.Status.Ended():
		return "the task has ended"
	case m.Chain.Status != pool.TaskRevealing:
		return "the task has no consensus"
	}
	return ""
}

// onlyBeforeTheEnd: after the final deadline a task is claimed, not finalized.
//
// Rationale: the contract takes the result no more, and whoever claims first
// takes the pool's stake.
// Contract: finalize requires now < finalDeadline.
func onlyBeforeTheEnd(m moment) string {
	if !m.now.Before(m.before(pool.Finalize)) {
		return "the final deadline has passed"
	}
	return ""
}

// onlyAfterTheReveals: a task is finalized when all its winners revealed, or when
// their time is over and at least one did.
//
// Rationale: earlier it reverts; and who has not revealed by then loses its stake,
// so the pool does not hurry where the contract would not either.
// Contract: finalize requires revealCounter == winnerCounter, or revealCounter > 0
// and revealDeadline <= now.
func onlyAfterTheReveals(m moment) string {
	switch {
	case m.Chain.Reveals == 0:
		return "nobody has revealed"
	case m.Chain.Reveals < m.Chain.Winners && m.now.Before(m.Chain.RevealBy):
		return "winners may still reveal"
	}
	return ""
}

// onlyWithItsResult: a task is finalized with the place of its result.
//
// Rationale: finalize pays everybody and cannot be said twice; a requester that
// paid for a result that is nowhere has lost its money. The contract would take it.
// Contract: finalize stores whatever `results` says.
func onlyWithItsResult(m moment) string {
	if len(m.Results) == 0 {
		return "the result is not in the bucket"
	}
	return ""
}

// onlyWhatIsVouchedFor: a task is finalized with a result that another agreeing
// worker vouches for, as long as there is one who could and time for it.
//
// Rationale: the chain agreed upon a digest, and one worker brought the bytes; a
// requester that paid for other bytes has lost its money. Beyond that the pool's
// stake goes first, and what there is goes to the requester.
// Contract: finalize knows nothing of the bytes.
func onlyWhatIsVouchedFor(m moment) string {
	switch m.Vouched {
	case pool.Vouched, pool.NobodyLeft:
		return ""
	case pool.Disputed:
		return "an agreeing worker says that the result in the bucket is not the agreed one"
	}
	return "another agreeing worker is to vouch for the result"
}

// onlyWithItsCallback: a task whose result is called back is finalized with the
// bytes to do it with.
//
// Rationale: it reverts otherwise. That the bytes are those that were revealed is
// seen when a worker brings them.
// Contract: finalize requires no callback and no resultsCallback, or
// keccak(resultsCallback) == resultDigest.
func onlyWithItsCallback(m moment) string {
	if m.CallsBack && len(m.Callback) == 0 {
		return "what to call back with is not there"
	}
	return ""
}

// onlyWhenNobodyRevealed: a consensus is given up when nobody stands to it.
//
// Rationale: one reveal is enough to finalize, and earlier it reverts.
// Contract: reopen requires revealCounter == 0 and revealDeadline <= now.
func onlyWhenNobodyRevealed(m moment) string {
	switch {
	case m.Chain.Reveals > 0:
		return "somebody has revealed"
	case m.now.Before(m.Chain.RevealBy):
		return "winners may still reveal"
	}
	return ""
}

// onlyWithTimeForARun: a reopening leaves time for others to run the task again.
//
// Rationale: a reopened task keeps its contribution deadline, and who contributed
// to what was rejected may not contribute again; without a fresh run it only costs
// gas, and the claim gives everybody the same without it.
// Contract: contribute requires now < contributionDeadline, which comes before the
// final deadline that reopen requires.
func onlyWithTimeForARun(m moment) string {
	if !m.now.Before(m.before(pool.Reopen)) {
		return "too late for a fresh run"
	}
	return ""
}

// onlyOpen: a claim ends a task that is initialized and has not ended.
//
// Rationale: it reverts otherwise. Of a task nobody initialized the claim comes
// with the initialization.
// Contract: claim requires status == ACTIVE or status == REVEALING.
func onlyOpen(m moment) string {
	switch {
	case m.Chain.Status.Ended():
		return "the task has ended"
	case m.Chain.Status == pool.TaskUnset:
		return "the task is not initialized"
	}
	return ""
}

// onlyAfterTheEnd: a task is claimed when nothing else can end it. The pool loses
// its stake by it, as it would when others claim; the requester gets its money
// back and the workers theirs without having to ask.
//
// Rationale: before the final deadline it reverts.
// Contract: claim requires finalDeadline <= now.
func onlyAfterTheEnd(m moment) string {
	if m.now.Before(m.finalBy()) {
		return "the final deadline has not passed"
	}
	return ""
}
