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
	Start    Order = "start"
	Continue Order = "continue"
	Hold     Order = "hold"
	Upload   Order = "upload"
	Stop     Order = "stop"
)

// Instruction is one order.
type Instruction struct {
	Work    pool.WorkID
	Attempt int
	Do      Order
}

// Instruct derives the instructions of a heartbeat from the worker's rows and
// from what it reported. Nothing is remembered of earlier answers, so a lost
// answer costs nothing. What the worker reports and nobody wants is stopped.
func Instruct(rows []pool.Assignment, reports []pool.Report) []Instruction {
	orders := map[pool.AssignmentState]Order{
		pool.Offered: Start, pool.InRun: Continue, pool.Reported: Hold, pool.Uploading: Upload,
	}
	wanted := map[pool.WorkID]int{}
	var out []Instruction
	for _, row := range rows {
		if do, ok := orders[row.State]; ok {
			out = append(out, Instruction{Work: row.Work, Attempt: row.Attempt, Do: do})
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
