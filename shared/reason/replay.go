package reason

import (
	"fmt"
	"time"

	"workerpool/shared/placement"
	"workerpool/shared/pool"
)

// Drawing is an assignment as it was drawn.
type Drawing struct {
	Work     pool.WorkID
	Worker   pool.WorkerID
	Attempt  int
	Seed     uint64
	At       time.Time
	Snapshot *placement.Snapshot // nil = no longer kept
}

// Replayed is what a drawing comes to when it is drawn once more. The counts are
// those at the beginning of the pass: draws of the same pass take tickets away.
type Replayed struct {
	Workers  int  // the pass was among
	Eligible int  // for this work
	Owners   int  // of these
	Tickets  int  // free slots of the worker drawn
	All      int  // of all that were eligible
	Same     bool // the same worker was drawn again
	Words    string
}

// Replay draws once more from what a pass saw and with its seed.
func Replay(d Drawing, p placement.Policy) Replayed {
	if d.Snapshot == nil {
		return Replayed{Words: "what the pass saw is no longer kept (or was not yet, at that time): it cannot be drawn again"}
	}
	out := Replayed{Workers: len(d.Snapshot.Workers)}
	trust := 0
	for _, c := range d.Snapshot.Classes {
		for _, work := range c.Ready {
			if work.Work == d.Work {
				among := urnOf(d.Snapshot.Now, d.Snapshot.Workers, c, work, p)
				out.Eligible, out.Owners, out.All, trust = among.workers, among.owners, among.tickets, work.Trust
			}
		}
	}
	for _, w := range d.Snapshot.Workers {
		if w.ID == d.Worker {
			out.Tickets = w.Free()
		}
	}
	for _, o := range placement.Decide(*d.Snapshot, d.Seed, p).Offers {
		out.Same = out.Same || o.Work == d.Work && o.Worker == d.Worker && o.Attempt == d.Attempt
	}
	how := fmt.Sprintf("of %s seen, %d could be drawn, with %s; this one had %d", plural(out.Workers, "worker"), out.Eligible, plural(out.All, "ticket"), out.Tickets)
	if trust > 1 {
		how += fmt.Sprintf(", drawn after the owner (one of %d)", out.Owners)
	}
	if out.Same {
		out.Words = how + "; drawn again with the same seed it is the same worker"
	} else {
		out.Words = how + "; drawn again it is not the same worker: the rules of the draw have changed since, or the snapshot is not the one"
	}
	return out
}
