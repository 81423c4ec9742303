package main

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"workerpool/infra/local/buyer"
	"workerpool/infra/local/chain/market"
	"workerpool/shared/pool"
)

// sale is what one wants to know of a deal at its end.
type sale struct {
	deal      buyer.Deal
	tasks     []pool.Task
	account   buyer.Account
	names     map[pool.Address]string // of wallets
	requester pool.Address
	accepted  map[pool.Hash]time.Time // when the pool made a work of a task
	worked    worked
	wrong     []int
	out       string
}

// check tells what keeps the deal from being a good one.
func (s sale) check() error {
	var faults []error
	for _, t := range s.tasks {
		if t.Status != pool.TaskCompleted {
			faults = append(faults, fmt.Errorf("%w: task %s was not completed", errUnpaid, t.ID))
		}
	}
	b := s.balance()
	if b.locked != b.paid+b.refunded+b.seized {
		faults = append(faults, fmt.Errorf("%w: %s were locked, %s paid, %s refunded and %s seized", errUnpaid, rlc(b.locked), rlc(b.paid), rlc(b.refunded), rlc(b.seized)))
	}
	if b.earned != b.paid+b.seized-b.kitty {
		faults = append(faults, fmt.Errorf("%w: %s were earned, %s paid and %s seized, %s of it kept", errUnpaid, rlc(b.earned), rlc(b.paid), rlc(b.seized), rlc(b.kitty)))
	}
	for worker, n := range s.account.Faulty {
		if lost := s.account.Sheet.Lines[worker].Lost; lost != pool.NRLC(n)*s.deal.Stake {
			faults = append(faults, fmt.Errorf("%w: %d contributions of %s were not the agreed ones, and it lost %s", errUnpaid, n, s.name(worker), rlc(lost)))
		}
	}
	return errors.Join(faults...)
}

// balance is what became of all the money: locked is paid, refunded or seized, and
// paid and seized is earned, but for what the hub's kitty kept.
type balance struct{ locked, paid, refunded, seized, earned, kitty pool.NRLC }

func (s sale) balance() balance {
	out := balance{kitty: s.account.Sheet.Seized}
	for account, line := range s.account.Sheet.Lines {
		out.locked += line.Locked
		out.refunded += line.Refunded
		out.earned += line.Earned
		if account == s.requester {
			out.paid += line.Lost
		} else {
			out.seized += line.Lost
		}
	}
	return out
}

func (s sale) name(account pool.Address) string {
	return cmp.Or(s.names[account], account.String())
}

// rlc writes an amount in RLC.
func rlc(n pool.NRLC) string {
	sign := ""
	if n < 0 {
		sign, n = "-", -n
	}
	whole, rest := n/1e9, strings.TrimRight(fmt.Sprintf("%09d", n%1e9), "0")
	if rest == "" {
		return fmt.Sprintf("%s%d", sign, whole)
	}
	return fmt.Sprintf("%s%d.%s", sign, whole, rest)
}

// String gives the report.
func (s sale) String() string {
	var out strings.Builder
	w := tabwriter.NewWriter(&out, 0, 8, 2, ' ', 0)
	s.head(w)
	s.money(w)
	s.gas(w)
	s.times(w)
	if err := w.Flush(); err != nil {
		return err.Error() // a strings.Builder takes all
	}
	out.WriteString(s.moral())
	return out.String()
}

func (s sale) head(w *tabwriter.Writer) {
	completed, contributions := 0, 0
	for _, t := range s.tasks {
		contributions += len(t.Contributions)
		if t.Status == pool.TaskCompleted {
			completed++
		}
	}
	faulty := 0
	for _, n := range s.account.Faulty {
		faulty += n
	}
	verdict := "every pixel is as rendered here"
	switch {
	case completed < len(s.tasks):
		verdict = "not made, as tasks were not completed"
	case len(s.wrong) > 0:
		verdict = fmt.Sprintf("%d tiles are WRONG", len(s.wrong))
	}
	fmt.Fprintln(w)
	fmt.Fprintf(w, "picture\t%s: %s\n", s.out, verdict)
	fmt.Fprintf(w, "deal\t%s\n", s.deal.ID)
	fmt.Fprintf(w, "tasks\t%d at trust %d, %d completed on the chain\n", len(s.tasks), s.deal.Trust, completed)
	fmt.Fprintf(w, "contributions\t%d, %d of them outvoted\n\n", contributions, faulty)
}

func (s sale) money(w *tabwriter.Writer) {
	fmt.Fprintln(w, "RLC OF\tLOCKED\tREFUNDED\tLOST\tEARNED\tGAIN")
	row := func(name string, l market.Line) {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", name, rlc(l.Locked), rlc(l.Refunded), rlc(l.Lost), rlc(l.Earned), rlc(l.Earned-l.Lost))
	}
	accounts := slices.SortedFunc(maps.Keys(s.account.Sheet.Lines), func(a, b pool.Address) int { return cmp.Compare(s.name(a), s.name(b)) })
	for _, account := range accounts {
		row(s.name(account), s.account.Sheet.Lines[account])
	}
	b := s.balance()
	row("all", market.Line{Locked: b.locked, Refunded: b.refunded, Lost: b.paid + b.seized, Earned: b.earned})
	fmt.Fprintf(w, "\n%s locked = %s paid + %s refunded + %s seized; what was paid and seized was earned", rlc(b.locked), rlc(b.paid), rlc(b.refunded), rlc(b.seized))
	if b.kitty != 0 {
		fmt.Fprintf(w, ", but for %s in the hub's kitty", rlc(b.kitty))
	}
	fmt.Fprint(w, "\n\n")
}

func (s sale) gas(w *tabwriter.Writer) {
	fmt.Fprintln(w, "GAS FOR\tBY\tCALLS\tTIMES\tGAS EACH TIME")
	n := int64(len(s.tasks))
	fmt.Fprintf(w, "matched\t%s\t1\t%d\t%d\n", s.name(s.requester), n, s.deal.Gas/n)
	total := s.deal.Gas
	for _, c := range s.account.Calls {
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\n", c.Step, s.name(c.By), c.Sent, c.Steps, c.Gas/int64(c.Steps))
		total += c.Gas
	}
	fmt.Fprintf(w, "a task\tall\t\t\t%d\n\n", total/n)
}

// The steps that the chain does not tell of.
const (
	taken      = "taken in"
	authorised = "authorised"
	uploaded   = "uploaded"
)

// order is how steps follow each other in a task.
var order = []string{taken, string(buyer.Initialized), authorised, string(buyer.Contributed), string(buyer.Agreed), string(buyer.Revealed), uploaded, string(buyer.Finalized)}

// moments gives when each step was first done for each task, in seconds after the
// block of the deal. Blocks tell whole seconds.
func (s sale) moments() map[string][]time.Duration {
	first := map[string]map[pool.Hash]time.Time{}
	note := func(step string, task pool.Hash, at time.Time) {
		if first[step] == nil {
			first[step] = map[pool.Hash]time.Time{}
		}
		if _, known := first[step][task]; !known {
			first[step][task] = at
		}
	}
	for _, m := range s.account.Moments {
		note(string(m.Step), m.Task, m.At)
	}
	for _, id := range s.deal.TaskIDs {
		if at, known := s.accepted[id]; known {
			note(taken, id, at)
		}
		work, known := s.worked.works[id]
		if !known {
			continue
		}
		note(authorised, id, s.worked.begun[work])
		if at, known := s.worked.uploaded[work]; known {
			note(uploaded, id, at)
		}
	}
	out := map[string][]time.Duration{}
	for step, tasks := range first {
		for _, at := range tasks {
			out[step] = append(out[step], max(0, at.Sub(s.deal.Start)))
		}
		slices.Sort(out[step])
	}
	return out
}

func (s sale) times(w *tabwriter.Writer) {
	fmt.Fprintln(w, "SECONDS AFTER THE DEAL\tFIRST TASK\tMEDIAN\tLAST TASK\tTOOK (MEDIAN)")
	all := s.moments()
	var before time.Duration
	for _, step := range order {
		at := all[step]
		if len(at) == 0 {
			continue // logs that are not here
		}
		median := at[len(at)/2]
		fmt.Fprintf(w, "%s\t%.1f\t%.1f\t%.1f\t%.1f\n", step, at[0].Seconds(), median.Seconds(), at[len(at)-1].Seconds(), max(0, median-before).Seconds())
		before = max(before, median)
	}
	fmt.Fprintln(w)
}

// moral says what was to be seen.
func (s sale) moral() string {
	if len(s.account.Faulty) == 0 {
		return "No worker of this pool lied."
	}
	var out []string
	for _, worker := range slices.SortedFunc(maps.Keys(s.account.Faulty), func(a, b pool.Address) int { return cmp.Compare(s.name(a), s.name(b)) }) {
		out = append(out, fmt.Sprintf("%s was outvoted %d times and lost %s RLC of stake to those who told the truth.",
			s.name(worker), s.account.Faulty[worker], rlc(s.account.Sheet.Lines[worker].Lost)))
	}
	return strings.Join(out, "\n")
}
