package placement

import (
	"cmp"
	"slices"

	"workerpool/shared/pool"
)

// Order is what a worker is to do about one assignment.
type Order string

// The orders.
const (
	Start      Order = "start"
	Continue   Order = "continue"
	Hold       Order = "hold"
	Contribute Order = "contribute"
	Reveal     Order = "reveal"
	Upload     Order = "upload"
	Check      Order = "check"
	Stop       Order = "stop"
)

// Instruction is one order.
type Instruction struct {
	Work    pool.WorkID
	Attempt int
	Do      Order
}

// Instruct derives the instructions of a heartbeat from the worker's rows, from
// what the chain shows of those of deals, and from what it reported. Nothing is
// remembered of earlier answers, so a lost answer costs nothing. What the worker
// reports and nobody wants is stopped.
func Instruct(rows []pool.Assignment, turns map[pool.WorkID]pool.ChainTurn, reports []pool.Report) []Instruction {
	wanted := map[pool.WorkID]int{}
	var out []Instruction
	for _, row := range rows {
		if row.State.Held() {
			out = append(out, Instruction{Work: row.Work, Attempt: row.Attempt, Do: order(row, turns[row.Work])})
			wanted[row.Work] = row.Attempt
		}
	}
	for _, r := range reports {
		if wanted[r.Work] != r.Attempt {
			out = append(out, Instruction{Work: r.Work, Attempt: r.Attempt, Do: Stop})
		}
	}
	slices.SortFunc(out, func(a, b Instruction) int {
		return cmp.Or(cmp.Compare(a.Work, b.Work), cmp.Compare(a.Attempt, b.Attempt))
	})
	return out
}

// order gives what a worker is to do about a turn that it holds; turn is zero for
// an api work.
func order(row pool.Assignment, turn pool.ChainTurn) Order {
	switch row.State {
	case pool.Offered:
		return Start
	case pool.InRun:
		return Continue
	case pool.Uploading:
		return Upload
	case pool.Checking:
		return Check
	case pool.Reported:
		if turn.Status == pool.TaskActive && turn.Takes && turn.Authorisation != nil && turn.Contribution.Status == pool.NotContributed {
			return Contribute
		}
	case pool.HasContributed:
		if turn.Status == pool.TaskRevealing && turn.Contribution.Status == pool.Contributed && turn.Contribution.Hash == turn.Consensus {
			return Reveal
		}
	case pool.HasRevealed, pool.Closed, pool.Expired, pool.Refused, pool.Broken, pool.Superseded:
	}
	return Hold
}
