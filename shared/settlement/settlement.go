// Package settlement decides what the pool says to the chain: of each task it
// compares what the chain shows with what was decided before, and answers which
// actions are wanted, which are done and which have become useless. It is a
// function of values: no clock but the head's time, no chance, nothing stored or
// sent. It must not change works; that is life's.
package settlement

import (
	"bytes"
	"cmp"
	"slices"
	"time"

	"workerpool/shared/pool"
)

// Policy holds settlement's numbers.
type Policy struct {
	// Contribute is the least of the contribution window that must be left to
	// begin a run: for the action's block, the heartbeat that hands out the
	// authorisation and the contribution's block.
	Contribute time.Duration
}

// Defaults are the pool's numbers.
var Defaults = Policy{Contribute: 2 * time.Minute}

// Task is one task of a deal: its terms, what the chain shows of it and what the
// pool has decided on it.
type Task struct {
	Work    pool.WorkID
	Deal    pool.Hash
	Index   int           // in its request order
	Start   time.Time     // of the deal, by the chain's clock
	T       time.Duration // of the deal's category
	Price   pool.NRLC     // to the pool and its workers
	Chain   pool.Task     // as last seen; a task that was never seen counts as unset
	Running bool          // a worker runs it or has reported: somebody waits for its initialization
	Results []byte        // what finalize is to say; empty until the agreed result lies in the bucket
	Actions []pool.Action // decided so far, all rounds

	Vouched pool.Vouching // whether anybody but its bringer stands for it

	CallsBack bool   // its deal wants the result called back
	Callback  []byte // with these bytes; empty until somebody has brought them
}

// Snapshot is what settlement sees: tasks whose deals the chain still knows, the
// ended ones too while they have actions that are wanted or sent. A task that was
// seen at a block that a reorganisation took back is left out until it is seen
// again: finalize and reopen name no round, and one that is meant for a consensus
// that is gone may meet the next.
type Snapshot struct {
	Head  pool.Block // deadlines are judged by its time
	Tasks []Task
}

// Dropped is an action that is of no use any more: one that was wanted, or sent for
// a task that has ended.
type Dropped struct {
	ID     int64
	Reason string
}

// Verdict is settlement's answer.
type Verdict struct {
	Want []pool.Action // by slack: new (without an ID), wanted again, or wanted with other terms
	Done []int64       // the chain shows what they were to bring about
	Drop []Dropped
}

// Decide compares books and chain. A wanted action stays so while it is of use.
// One that was sent cannot be called back: it is done when the chain shows its
// effect, wanted again only after its broadcast was found without effect, and
// given up only when the task has ended. One that was dropped is wanted again when
// it is needed. One that is done is wanted again when a reorganisation took its
// effect back; only a view of the head itself shows that, for an older one may be
// from before the effect. Nothing is decided on a view from beyond the head.
//
// An answer applied to the books leaves nothing to decide at the same head.
func Decide(s Snapshot, p Policy) Verdict {
	var v Verdict
	for _, t := range s.Tasks {
		if t.Chain.Block > s.Head.Number {
			continue
		}
		m := moment{Task: t, now: s.Head.Time, policy: p}
		wanted, useful := m.wanted()
		known := false
		for _, a := range t.Actions {
			same := useful && a.Kind == wanted.Kind && a.Round == wanted.Round
			known = known || same
			switch {
			case same:
				if wanted.ID = a.ID; m.again(a, wanted, s.Head) {
					v.Want = append(v.Want, wanted)
				}
			case a.State != pool.ActionWanted && a.State != pool.ActionSent:
			case m.shows(a):
				v.Done = append(v.Done, a.ID)
			case a.State == pool.ActionWanted, m.Chain.Status.Ended():
				v.Drop = append(v.Drop, Dropped{a.ID, m.against(a)})
			}
		}
		if useful && !known {
			v.Want = append(v.Want, wanted)
		}
	}
	slices.SortFunc(v.Want, bySlack)
	slices.Sort(v.Done)
	slices.SortFunc(v.Drop, func(a, b Dropped) int { return cmp.Compare(a.ID, b.ID) })
	return v
}

// again tells whether the books are to be told that an action they have is wanted.
func (m moment) again(has, wanted pool.Action, head pool.Block) bool {
	switch has.State {
	case pool.ActionWanted:
		return !has.Before.Equal(wanted.Before) || !bytes.Equal(has.Results, wanted.Results) || !bytes.Equal(has.Callback, wanted.Callback)
	case pool.ActionDone:
		return m.Chain.Block == head.Number
	case pool.ActionDropped:
		return true
	}
	return false
}

// bySlack orders actions by the time left until they are useless.
func bySlack(a, b pool.Action) int {
	return cmp.Or(a.Before.Compare(b.Before), cmp.Compare(a.Work, b.Work), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Round, b.Round))
}

// moment is a task at the head's time.
type moment struct {
	Task
	now    time.Time
	policy Policy
}

// wanted gives the action that the task needs now, if it needs one: no two kinds
// are of use at the same moment.
func (m moment) wanted() (pool.Action, bool) {
	for _, kind := range pool.ActionKinds {
		if m.why(kind) != "" {
			continue
		}
		a := pool.Action{
			Work: m.Work, Deal: m.Deal, Index: m.Index, Task: m.Chain.ID,
			Kind: kind, Round: Round(m.Chain), State: pool.ActionWanted, Before: m.before(kind),
		}
		if kind == pool.Finalize {
			a.Results = m.Results
			if m.CallsBack {
				a.Callback = m.Callback
			}
		}
		return a, true
	}
	return pool.Action{}, false
}

// why gives the first rule's objection to a kind of action, "" when there is none.
func (m moment) why(kind pool.ActionKind) string {
	for _, rule := range rules[kind] {
		if objection := rule(m); objection != "" {
			return objection
		}
	}
	return ""
}

// against says why a wanted action is dropped.
func (m moment) against(a pool.Action) string {
	if a.Round < Round(m.Chain) {
		return "the task was reopened since"
	}
	return cmp.Or(m.why(a.Kind), "the reopening before it was undone")
}

// shows tells that the chain shows what an action was to bring about.
func (m moment) shows(a pool.Action) bool {
	switch a.Kind {
	case pool.Initialize:
		return m.Chain.Status != pool.TaskUnset
	case pool.Finalize:
		return m.Chain.Status == pool.TaskCompleted && a.Round == Round(m.Chain)
	case pool.Reopen:
		return a.Round < Round(m.Chain)
	case pool.Claim, pool.InitializeClaim:
		return m.Chain.Status == pool.TaskFailed
	}
	return false
}

// Round gives the round a task is in: 1, and more after each reopening. The chain
// counts no reopenings, but each one rejects the contributions of its consensus,
// at least one, so their number tells rounds apart. Taken from the chain and not
// counted by the pool, it holds through reorganisations and whoever reopened.
func Round(t pool.Task) int {
	round := 1
	for _, c := range t.Contributions {
		if c.Status == pool.Rejected {
			round++
		}
	}
	return round
}
