package wire

import (
	"math"
	"strconv"
	"time"

	"workerpool/shared/pool"
	"workerpool/shared/reason"
)

// WorkExplained is the answer to GET /works/{id}/explain.
type WorkExplained struct {
	Work     int64     `json:"work"`
	State    string    `json:"state"`
	Reason   string    `json:"reason"`
	Words    string    `json:"words"`
	Ahead    *Ahead    `json:"ahead,omitempty"`    // when it waits for its turn
	Estimate *Estimate `json:"estimate,omitempty"` // when one can be made; Words say why otherwise
	Unmet    []Unmet   `json:"unmet,omitempty"`    // when no worker meets the demands
	Workers  *Crowd    `json:"workers,omitempty"`  // for operators
}

// Ahead is a work's position: the works before it, in the queues of all kinds of
// works that compete with it for workers.
type Ahead struct {
	Works       int  `json:"works"`
	Assignments int  `json:"assignments"`    // that they want
	More        bool `json:"more,omitempty"` // there are more than were counted
}

// Estimate is when a work's next assignment is expected.
type Estimate struct {
	Seconds int64 `json:"seconds"` // from now
	Error   int64 `json:"error_s"` // standard error, in seconds
	Seen    int   `json:"seen"`    // assignments that it is judged by
	WindowS int64 `json:"window_s"`
}

// Unmet is a demand with the number of workers that it rules out.
type Unmet struct {
	Demand  string `json:"demand"`
	Workers int    `json:"workers"`
}

// Crowd is how many workers are left after each question.
type Crowd struct {
	Live      int `json:"live"`
	Active    int `json:"active"`    // of these
	Able      int `json:"able"`      // of these
	Admitting int `json:"admitting"` // of these, the owners' rules admit the requester
	Untried   int `json:"untried"`   // of these, neither they nor their owners had their turn
	Free      int `json:"free"`      // of these, with a free slot
}

// WorkerExplained is the answer to GET /workers/{id}/explain.
type WorkerExplained struct {
	Worker int64     `json:"worker"`
	State  string    `json:"state"`
	Reason string    `json:"reason"`
	Words  string    `json:"words"`
	Slots  int       `json:"slots"`
	Quota  int       `json:"quota"`
	Open   int       `json:"open_assignments"`
	Opens  []Opening `json:"opens,omitempty"` // what would change it
	Chance *Chance   `json:"chance,omitempty"`
}

// Opening is a change that would make works run on a worker.
type Opening struct {
	If    string `json:"if"`    // the end of "if it ..."
	Works int    `json:"works"` // that wait
	More  bool   `json:"more,omitempty"`
}

// Chance is a worker's part in the next draw for a work that it could run.
type Chance struct {
	Tickets int `json:"tickets"`
	Of      int `json:"of"`
	Owners  int `json:"owners"`
}

// AssignmentExplained is the answer to GET /works/{id}/assignments/{worker}/explain.
type AssignmentExplained struct {
	Work     int64     `json:"work"`
	Worker   int64     `json:"worker"`
	Attempt  int       `json:"attempt"`
	Seed     string    `json:"seed"` // 64 bits, more than a JSON number keeps everywhere
	At       time.Time `json:"at"`
	Kept     bool      `json:"kept"` // what the pass saw is still there
	Workers  int       `json:"workers_seen"`
	Eligible int       `json:"eligible"`
	Owners   int       `json:"owners"`
	Tickets  int       `json:"tickets_of_chosen"`
	All      int       `json:"tickets_of_all"`
	Replayed bool      `json:"replayed"` // drawn again, it was the same worker
	Words    string    `json:"words"`
}

// FromExplanation gives an explanation; all of it is for operators only.
func FromExplanation(work pool.Work, e reason.Explanation, all bool) WorkExplained {
	out := WorkExplained{Work: int64(work.ID), State: string(work.State), Reason: string(e.Code), Words: e.Words}
	if e.Queued {
		out.Ahead = &Ahead{Works: e.Ahead.Works, Assignments: e.Ahead.Wanted, More: e.Ahead.More}
	}
	if e.Known {
		out.Estimate = &Estimate{
			Seconds: up(e.Estimate.After), Error: up(e.Estimate.Error), Seen: e.Estimate.Seen, WindowS: up(e.Estimate.Window),
		}
	}
	for _, u := range e.Unmet {
		out.Unmet = append(out.Unmet, Unmet(u))
	}
	if crowd := Crowd(e.Crowd); all && crowd.Live > 0 {
		out.Workers = &crowd
	}
	return out
}

// up gives whole seconds, never less than there are.
func up(d time.Duration) int64 { return int64(math.Ceil(d.Seconds())) }

// FromIdleness gives why a worker has no more work.
func FromIdleness(w pool.Worker, i reason.Idleness) WorkerExplained {
	out := WorkerExplained{
		Worker: int64(w.ID), State: string(w.State), Reason: string(i.Code), Words: i.Words, Slots: w.Slots, Quota: w.Quota, Open: w.Open,
	}
	for _, o := range i.Opens {
		out.Opens = append(out.Opens, Opening(o))
	}
	if i.Code == reason.Drawable {
		out.Chance = &Chance{Tickets: i.Tickets, Of: i.All, Owners: i.Owners}
	}
	return out
}

// FromReplay gives how an assignment came about.
func FromReplay(d reason.Drawing, r reason.Replayed) AssignmentExplained {
	return AssignmentExplained{
		Work: int64(d.Work), Worker: int64(d.Worker), Attempt: d.Attempt, Seed: strconv.FormatUint(d.Seed, 10), At: d.At, Kept: d.Snapshot != nil,
		Workers: r.Workers, Eligible: r.Eligible, Owners: r.Owners, Tickets: r.Tickets, All: r.All, Replayed: r.Same, Words: r.Words,
	}
}
