package settlement

import (
	"time"

	"workerpool/shared/pool"
)

// stakePercent is WORKERPOOL_STAKE_RATIO of PoCo v6.
const stakePercent = 30

// Stake gives what a task of a price locks of the pool's deposit until it has
// ended: lost when it is claimed. The contract rounds down for each task.
func Stake(price pool.NRLC) pool.NRLC { return price * stakePercent / 100 }

// Risk is what the pool stands to lose.
type Risk struct {
	Open  int           // tasks that can still be won
	Stake pool.NRLC     // locked for all tasks that have not ended
	Lost  pool.NRLC     // the part of Stake that no result brings back: it goes with the claim
	Slack time.Duration // until the next open task is lost if nothing happens to it; 0 without one
}

// Exposure adds up what tasks put at risk at a head.
func Exposure(tasks []Task, head pool.Block) Risk {
	var r Risk
	for _, t := range tasks {
		if t.Chain.Status.Ended() {
			continue
		}
		stake := Stake(t.Price)
		r.Stake += stake
		left := t.winBy().Sub(head.Time)
		switch {
		case left <= 0:
			r.Lost += stake
			continue
		case r.Open == 0 || left < r.Slack:
			r.Slack = left
		}
		r.Open++
	}
	return r
}

// winBy gives the time by which a task that has not ended must have moved on, or
// can only be claimed.
func (t Task) winBy() time.Time {
	switch {
	case t.Chain.Status != pool.TaskRevealing:
		return t.contributeBy()
	case t.Chain.Reveals > 0:
		return t.finalBy()
	case t.Chain.RevealBy.After(t.contributeBy()):
		return t.Chain.RevealBy // a first reveal
	default:
		return t.contributeBy() // a fresh run after a reopening
	}
}
