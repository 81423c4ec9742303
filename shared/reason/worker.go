package reason

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"workerpool/shared/placement"
	"workerpool/shared/pool"
)

// The reasons of a worker, in the order in which they are looked for; PoolDrains
// and PoolOff stand after WorkerDrains.
const (
	AccountOff   Code = "account_disabled"
	WorkerOff    Code = "inactive"
	NotLive      Code = "not_live"
	WorkerDrains Code = "draining"
	SlotsFull    Code = "slots_full"
	QuotaFull    Code = "quota_full"         // as many as it has earned so far
	NothingWaits Code = "no_work"            // of anybody
	NothingFits  Code = "nothing_fits"       // it meets the demands of no waiting work
	NoneAdmitted Code = "none_admitted"      // its owner's rules leave out all that would fit
	AllTried     Code = "all_tried"          // it, or its owner, had a turn at all that would fit
	AllLimited   Code = "all_limited"        // all that would fit waits for its batch's or requester's limit
	Drawable     Code = "waits_for_the_draw" // nothing keeps it
)

// WorkerCodes lists them.
var WorkerCodes = []Code{
	AccountOff, WorkerOff, NotLive, WorkerDrains, PoolDrains, PoolOff, SlotsFull, QuotaFull,
	NothingWaits, NothingFits, NoneAdmitted, AllTried, AllLimited, Drawable,
}

// Look is what is known of a worker that somebody asks about.
type Look struct {
	Now        time.Time
	State      pool.State
	Worker     pool.Worker
	Disabled   bool          // its account
	Workers    []pool.Worker // live, active and with a free slot: those the draw is among, itself as well
	Queues     []Queue       // of all classes with waiting works
	Batches    map[pool.BatchID]placement.Limit
	Requesters map[pool.AccountID]placement.Limit
}

// Queue is a class with its front and with how many works wait in it.
type Queue struct {
	placement.Class
	Works int
	More  bool // there are more than were counted
}

// Idleness is the answer to a Look.
type Idleness struct {
	Code    Code
	Words   string
	Opens   []Opening // with NothingFits and NoneAdmitted: what would change it, the least first
	Tickets int       // with Drawable: its tickets in the next draw for a work that it could run
	All     int       // and those of all workers
	Owners  int       // of all workers
}

// Opening is a change of a worker that would make works run on it.
type Opening struct {
	If    string // the end of "... if it had 8 cpu"
	Works int
	More  bool // more than Works
}

const maxOpenings = 5

// Idle tells why a worker has no more work than it has.
func Idle(l Look, p placement.Policy) Idleness {
	w := l.Worker
	switch {
	case l.Disabled:
		return Idleness{Code: AccountOff, Words: "its account is disabled: only an operator can change that"}
	case w.State == pool.Inactive:
		return Idleness{Code: WorkerOff, Words: "it is inactive: it is told to stop all and gets nothing until it is activated"}
	case !w.Live(l.Now):
		return Idleness{Code: NotLive, Words: fmt.Sprintf("no heartbeat of it came in time: it counts as lost since %s; its next heartbeat makes it live at once",
			w.Until.UTC().Format(time.DateTime))}
	case w.State == pool.Draining:
		return Idleness{Code: WorkerDrains, Words: "it is draining: it finishes what it holds and gets no more until it is activated"}
	}
	if why, words := closed(l.State); why != "" {
		return Idleness{Code: why, Words: words}
	}
	switch {
	case w.Open >= w.Slots:
		return Idleness{Code: SlotsFull, Words: fmt.Sprintf("it has %d of %s taken", w.Open, plural(w.Slots, "slot"))}
	case w.Open >= w.Quota:
		return Idleness{Code: QuotaFull, Words: fmt.Sprintf(
			"it has %d of the %d that it has earned so far (it has %s); the quota doubles with each agreed result and halves with each failure",
			w.Open, w.Quota, plural(w.Slots, "slot"))}
	}
	return unserved(l, p)
}

// unserved tells why none of the waiting works has come to a worker with a free
// slot.
func unserved(l Look, p placement.Policy) Idleness {
	works, more := 0, false
	var fitting []Queue
	for _, q := range l.Queues {
		works, more = works+q.Works, more || q.More
		if placement.Meets(l.Worker.Capabilities, q.Demands) {
			fitting = append(fitting, q)
		}
	}
	if works == 0 {
		return Idleness{Code: NothingWaits, Words: "no work waits"}
	}
	waiting := atLeast(works, more) + " of " + plural(len(l.Queues), "kind")
	if len(fitting) == 0 {
		return lacking(l, waiting)
	}
	var unadmitted, tried, limited int
	var first *placement.Ready
	var of placement.Class
	for _, q := range fitting {
		for _, work := range q.Ready {
			switch {
			case !l.Worker.Capabilities.Requesters.Admit(work.Login):
				unadmitted++
			case barred(work, l.Worker, p):
				tried++
			case !runs(work) && (full(l.Batches[work.Work.Batch()]) || full(l.Requesters[work.Requester])):
				limited++
			case first == nil || cmp.Or(cmp.Compare(work.Rank, first.Rank), cmp.Compare(work.Work, first.Work)) < 0:
				first, of = &work, q.Class
			}
		}
	}
	seen := plural(unadmitted+tried+limited, "work") + " that it could run"
	switch {
	case first != nil:
		return drawable(l, *first, of, p)
	case limited > 0:
		return Idleness{Code: AllLimited, Words: fmt.Sprintf("of %s, %d wait for works of their batch or requester to end; it had its turn at %d, and its owner's rules leave out %d", seen, limited, tried, unadmitted)}
	case tried > 0:
		return Idleness{Code: AllTried, Words: fmt.Sprintf("of %s, it or its owner had a turn at %d, and its owner's rules leave out %d", seen, tried, unadmitted)}
	}
	return Idleness{Code: NoneAdmitted, Words: fmt.Sprintf("its owner's rules admit the requester of none of %s", seen)}
}

// lacking tells what a worker lacks that meets the demands of no waiting work.
func lacking(l Look, waiting string) Idleness {
	opens := map[string]Opening{}
	lacks := map[string]int{}
	reason := NothingFits
	for _, q := range l.Queues {
		misses := placement.Misses(l.Worker.Capabilities, q.Demands)
		if len(misses) == 1 && misses[0].Demand == placement.MissRules {
			reason = NoneAdmitted
		}
		key := allOf(misses)
		o := opens[key]
		opens[key], lacks[key] = Opening{key, o.Works + q.Works, o.More || q.More}, len(misses)
	}
	out := Idleness{Code: reason}
	for _, o := range opens {
		out.Opens = append(out.Opens, o)
	}
	slices.SortFunc(out.Opens, func(a, b Opening) int {
		return cmp.Or(cmp.Compare(lacks[a.If], lacks[b.If]), cmp.Compare(b.Works, a.Works), cmp.Compare(a.If, b.If))
	})
	out.Opens = out.Opens[:min(len(out.Opens), maxOpenings)]
	best := out.Opens[0]
	out.Words = fmt.Sprintf("%s wait and it could run none of them; it could run %s if it %s", waiting, atLeast(best.Works, best.More), best.If)
	return out
}

func atLeast(works int, more bool) string {
	if more {
		return "more than " + plural(works, "work")
	}
	return plural(works, "work")
}

// drawable tells a worker's chance in the draw for the first work that it could
// run.
func drawable(l Look, work placement.Ready, of placement.Class, p placement.Policy) Idleness {
	among := urnOf(l.Now, l.Workers, of, work, p)
	out := Idleness{Code: Drawable, Tickets: l.Worker.Free(), All: among.tickets, Owners: among.owners}
	out.Words = fmt.Sprintf("nothing keeps it: for the first work that it could run it has %d of %s", out.Tickets, plural(out.All, "ticket"))
	if work.Trust > 1 {
		out.Words += fmt.Sprintf(", drawn after the owner (it is one of %s)", plural(out.Owners, "owner"))
	}
	out.Words += "; works go by rank, so it may have to wait for its turn"
	return out
}

// contents is what an urn for one work holds.
type contents struct{ workers, owners, tickets int }

// urnOf gives what the draw for a work is among.
func urnOf(now time.Time, workers []pool.Worker, of placement.Class, work placement.Ready, p placement.Policy) contents {
	var c contents
	owners := map[pool.Owner]bool{}
	for _, w := range workers {
		if placement.Eligible(now, w, of.Demands) && w.Capabilities.Requesters.Admit(work.Login) && !barred(work, w, p) {
			c.workers, c.tickets = c.workers+1, c.tickets+w.Free()
			owners[w.Owner] = true
		}
	}
	c.owners = len(owners)
	return c
}
