// Package reason tells why a work waits, why a worker has no work, and how a draw
// came out: codes and words about what placement decides, from the same facts. It
// is a function of values. It must not decide anything, and it names no worker, no
// owner and nobody else's works.
package reason

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"workerpool/shared/placement"
	"workerpool/shared/pool"
)

// Code is why a work waits, or why a worker has no work, as a code.
type Code string

// The reasons of a work, in the order in which they are looked for.
const (
	WorkEnded      Code = "ended"
	InputsMissing  Code = "inputs_missing"
	BytesToCome    Code = "uploading"       // agreed upon; an agreeing worker is to bring the bytes
	Settling       Code = "settling"        // of a deal: the chain has a consensus
	Checking       Code = "checking"        // of a deal: the result is there, and others look at it
	Contributing   Code = "contributing"    // of a deal: results are on their way to the chain
	TooLate        Code = "too_late"        // of a deal: the chain takes no contribution any more
	EnoughOpen     Code = "running"         // no more assignments are wanted now
	PoolDrains     Code = "pool_draining"   // of workers as well
	PoolOff        Code = "pool_inactive"   // of workers as well
	NobodyLive     Code = "no_worker"       // no worker is live and active
	NobodyFits     Code = "unfit"           // no worker meets the demands
	NobodyAdmits   Code = "not_admitted"    // the rules of the workers' owners leave it out
	NobodyLeft     Code = "tried"           // all have tried it, or their owners had their turn
	BatchLimit     Code = "batch_limit"     // as many works of its batch run as may
	RequesterLimit Code = "requester_limit" // as many works of its requester run as may
	WorkersFull    Code = "workers_full"    // it is first; those that could run it have no slot free
	Next           Code = "next"            // it is first and there is a slot: the next draw is for it
	Queued         Code = "queued"          // others are ahead
)

// WorkCodes lists them.
var WorkCodes = []Code{
	WorkEnded, InputsMissing, BytesToCome, Settling, Checking, Contributing, TooLate, EnoughOpen, PoolDrains, PoolOff, NobodyLive, NobodyFits, NobodyAdmits, NobodyLeft,
	BatchLimit, RequesterLimit, WorkersFull, Next, Queued,
}

// Inquiry is what is known of a work that somebody asks about.
type Inquiry struct {
	Now       time.Time
	State     pool.State
	Work      pool.Work
	Ready     placement.Ready // its place in the queue; Missing is 0 when it has none. Turns are always there
	Inputs    int             // of its batch, still to be uploaded
	Demands   pool.Demands
	Batch     placement.Limit // Max 0 = no limit
	Requester placement.Limit
	Workers   []pool.Worker // with a live lease, whatever their state

	Ahead  Ahead
	Offers []time.Time // when works that compete with it were given assignments lately
	Since  time.Time   // how long ago that goes back
}

// Ahead is what is before a work in the queues of the classes that compete with
// it for workers.
type Ahead struct {
	Works  int
	Wanted int  // assignments that these works want
	More   bool // there are more than were counted
}

// Explanation is the answer to an Inquiry.
type Explanation struct {
	Code     Code
	Words    string
	Queued   bool // Ahead says something: the reason is WorkersFull, Next or Queued
	Ahead    Ahead
	Known    bool // Estimate says something
	Estimate Estimate
	Unmet    []Unmet // with NobodyFits and NobodyAdmits
	Crowd    Crowd
}

// Crowd is how many workers are left after each question, for operators.
type Crowd struct {
	Live, Active, Able, Admitting, Untried, Free int
}

// Explain tells why a work is where it is.
func Explain(q Inquiry, p placement.Policy) Explanation {
	e := Explanation{}
	open := 0
	for _, t := range q.Ready.Turns {
		if t.State.Open() {
			open++
		}
	}
	switch {
	case q.Work.State.Ended():
		e.Code, e.Words = WorkEnded, ending(q.Work)
		return e
	case q.Work.State == pool.Staging:
		e.Code = InputsMissing
		e.Words = fmt.Sprintf("%s of its batch must be uploaded and checked before any work of it may start", plural(q.Inputs, "input"))
		return e
	case q.Work.Origin == pool.OriginDeal && ofDeal(&e, q):
		return e
	case q.Work.State == pool.Agreed:
		e.Code, e.Words = BytesToCome, "its result is agreed upon, and an agreeing worker is to upload it"
		return e
	case q.Ready.Missing == 0:
		e.Code, e.Words = EnoughOpen, fmt.Sprintf("it runs: %s open, and no more are wanted until one of them ends", assignments(open))
		return e
	}
	why(&e, q, p)
	if open > 0 {
		e.Words = fmt.Sprintf("it runs: %d of %s open; of the rest: %s", open, assignments(open+q.Ready.Missing), e.Words)
	}
	return e
}

// ofDeal tells what a work of a deal waits for when that is the chain.
func ofDeal(e *Explanation, q Inquiry) bool {
	result := func(t pool.Assignment) bool { return t.State == pool.Reported || t.State == pool.HasContributed }
	switch {
	case q.Work.State == pool.Agreed && q.Work.File.IsZero():
		e.Code, e.Words = Settling, "the chain has a consensus on its result; workers reveal it, and one of them is to upload it"
	case q.Work.State == pool.Agreed && q.Work.Vouched == pool.NotVouched:
		e.Code = Checking
		e.Words = "its result was uploaded; another agreeing worker is to vouch for it, until " + stampOf(q.Work.VouchBy()) + " at most, before the pool finalizes its task"
	case q.Work.State == pool.Agreed && q.Work.Vouched == pool.Disputed:
		e.Code = Checking
		e.Words = "a worker did not find the agreed result in what was uploaded; an agreeing worker is to upload its own, until " + stampOf(q.Work.VouchBy()) + " at most"
	case q.Work.State == pool.Agreed:
		e.Code, e.Words = Settling, "its result can be fetched; the pool finalizes its task, and it is done once the chain can no longer take that back"
	case q.Ready.Missing == 0 && slices.ContainsFunc(q.Ready.Turns, result):
		e.Code, e.Words = Contributing, "workers have results and contribute them to the chain; no more are wanted until the chain shows them"
	case q.Ready.Missing == 0 && !q.Now.Before(q.Work.ContributeBy()):
		e.Code = TooLate
		e.Words = "the chain takes contributions until " + stampOf(q.Work.ContributeBy()) + " only; its requester gets the money back after " + stampOf(q.Work.Deadline)
	default:
		return false
	}
	return true
}

func stampOf(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func assignments(n int) string {
	if n == 1 {
		return "1 assignment is"
	}
	return fmt.Sprintf("%d assignments are", n)
}

func ending(w pool.Work) string {
	switch w.State {
	case pool.Done:
		return "it is done; its result can be fetched"
	case pool.Failed:
		return "it failed: " + w.Reason
	}
	return "it was cancelled"
}

// why tells what keeps a work that wants assignments.
func why(e *Explanation, q Inquiry, p placement.Policy) {
	if why, words := closed(q.State); why != "" {
		e.Code, e.Words = why, words
		return
	}
	left := sift(e, q, p)
	if e.Code != "" {
		return
	}
	if !runs(q.Ready) {
		for _, l := range []struct {
			limit  placement.Limit
			reason Code
			whose  string
		}{{q.Batch, BatchLimit, "its batch"}, {q.Requester, RequesterLimit, "its requester"}} {
			if full(l.limit) {
				e.Code, e.Words = l.reason, fmt.Sprintf("%s may have %s running at once, and has %d", l.whose, plural(l.limit.Max, "work"), l.limit.Running)
				return
			}
		}
	}
	e.Queued, e.Ahead = true, q.Ahead
	slots := 0
	for _, w := range left {
		slots += w.Free()
	}
	could := fmt.Sprintf("%s could run it, with %s free", plural(len(left), "worker"), plural(slots, "slot"))
	switch {
	case q.Ahead.Works == 0 && slots > 0:
		e.Code, e.Words = Next, "nothing is ahead of it and "+could+": the next draw is for it"
		return
	case q.Ahead.Works == 0:
		e.Code, e.Words = WorkersFull, "nothing is ahead of it; "+could+" (a worker has as many as it states and has earned)"
	default:
		e.Code, e.Words = Queued, plural(q.Ahead.Works, "work")+" before it; "+could
		if q.Ahead.More {
			e.Words = "more than " + e.Words
		}
	}
	switch {
	case q.Ahead.More:
		e.Words += "; so far back nothing can be estimated"
	default:
		if e.Estimate, e.Known = Expect(q.Ahead.Wanted+1, q.Offers, q.Since, q.Now); !e.Known {
			e.Words += "; nothing was assigned lately that an estimate could be made of"
		}
	}
}

// runs tells that a work counts as running already.
func runs(work placement.Ready) bool {
	return slices.ContainsFunc(work.Turns, func(t pool.Assignment) bool { return t.State.Open() })
}

// full tells that no more works may run; Max 0 is no limit.
func full(l placement.Limit) bool { return l.Max > 0 && l.Running >= l.Max }

// closed tells whether the pool as a whole assigns nothing.
func closed(s pool.State) (Code, string) {
	switch s {
	case pool.PoolDraining:
		return PoolDrains, "the pool is draining: nothing is assigned until an operator activates it"
	case pool.PoolInactive:
		return PoolOff, "the pool is inactive: nothing is assigned until an operator activates it"
	}
	return "", ""
}

// sift asks question by question which workers are left, and names the question
// after which nobody is.
func sift(e *Explanation, q Inquiry, p placement.Policy) (left []pool.Worker) {
	var active, able, admitting []pool.Worker
	var misses [][]placement.Miss
	onlyRules := 0
	for _, w := range q.Workers {
		if !w.Live(q.Now) {
			continue
		}
		e.Crowd.Live++
		if w.State != pool.Active {
			continue
		}
		active = append(active, w)
		missed := placement.Misses(w.Capabilities, q.Demands)
		if len(missed) > 0 {
			misses = append(misses, missed)
			if len(missed) == 1 && missed[0].Demand == placement.MissRules {
				onlyRules++
			}
			continue
		}
		able = append(able, w)
		if !w.Capabilities.Requesters.Admit(q.Ready.Login) {
			continue
		}
		admitting = append(admitting, w)
		if barred(q.Ready, w, p) {
			continue
		}
		left = append(left, w)
		if w.Free() > 0 {
			e.Crowd.Free++
		}
	}
	e.Crowd.Active, e.Crowd.Able, e.Crowd.Admitting, e.Crowd.Untried = len(active), len(able), len(admitting), len(left)
	switch {
	case len(active) == 0:
		e.Code, e.Words = NobodyLive, "no worker is live and active"
		if e.Crowd.Live > 0 {
			e.Words += fmt.Sprintf(": %s live, but draining or inactive", are(e.Crowd.Live))
		}
	case len(able) == 0 && onlyRules == 0:
		e.Code, e.Unmet = NobodyFits, unmet(misses)
		e.Words = fmt.Sprintf("none of %s meets its demands: %s", plural(len(active), "active worker"), rulings(e.Unmet, misses))
	case len(admitting) == 0:
		e.Code, e.Unmet = NobodyAdmits, unmet(misses)
		e.Words = fmt.Sprintf("the owners of %s that could run it do not admit its application or its requester", plural(onlyRules+len(able), "worker"))
	case len(left) == 0:
		e.Code = NobodyLeft
		e.Words = fmt.Sprintf("%s could run it, but each has tried it, refused it too often, or its owner had the one turn at it", plural(len(admitting), "worker"))
	}
	return left
}

func are(n int) string {
	if n == 1 {
		return "1 is"
	}
	return fmt.Sprintf("%d are", n)
}

// rulings says which demands rule out how many, and what would be enough.
func rulings(of []Unmet, misses [][]placement.Miss) string {
	var parts []string
	for _, u := range of {
		parts = append(parts, fmt.Sprintf("%s rules out %d", u.Demand, u.Workers))
	}
	best := nearest(misses)
	who := "it"
	if best.count > 1 {
		who = "they"
	}
	return fmt.Sprintf("%s; %s would do if %s %s", strings.Join(parts, ", "), plural(best.count, "worker"), who, best.enough)
}

// barred tells that a worker may not be offered a work for what has been: it had
// a turn, refused it too often, or at trust above 1 another of its owner had one.
func barred(work placement.Ready, w pool.Worker, p placement.Policy) bool {
	for _, t := range work.Turns {
		mine := t.Worker == w.ID
		if mine && (t.HoldsOwner() || t.State == pool.Refused && t.Attempt >= p.MaxRefusals) ||
			work.Trust > 1 && t.Owner == w.Owner && t.HoldsOwner() {
			return true
		}
	}
	return false
}

// Rivals gives, first its own class and then in order of id, the classes whose works
// some worker might be given instead of a work of these demands.
func Rivals(own pool.ClassID, workers []pool.Worker, demands map[pool.ClassID]pool.Demands) []pool.ClassID {
	able := slices.DeleteFunc(slices.Clone(workers), func(w pool.Worker) bool {
		return w.State != pool.Active || !placement.Meets(w.Capabilities, demands[own])
	})
	rivals := []pool.ClassID{own}
	for _, id := range slices.Sorted(maps.Keys(demands)) {
		if id != own && slices.ContainsFunc(able, func(w pool.Worker) bool { return placement.Meets(w.Capabilities, demands[id]) }) {
			rivals = append(rivals, id)
		}
	}
	return rivals
}
