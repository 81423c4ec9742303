package wire

import (
	"time"

	"workerpool/shared/pool"
)

// Work is one work as its requester sees it.
type Work struct {
	ID          int64        `json:"id"`
	Batch       int64        `json:"batch"`
	Index       int          `json:"index"`
	Origin      string       `json:"origin"`
	State       string       `json:"state"`
	Trust       int          `json:"trust"`
	RunLimitS   int64        `json:"run_limit_s"`
	Created     time.Time    `json:"created"`
	Deadline    time.Time    `json:"deadline"`
	Ended       *time.Time   `json:"ended,omitempty"`
	SHA256      string       `json:"sha256,omitempty"` // of the result, once done
	Size        int64        `json:"size,omitempty"`   // bytes of the result, once done
	Reason      string       `json:"reason,omitempty"` // why it failed
	Unstable    bool         `json:"nondeterministic,omitempty"`
	Assignments []Assignment `json:"assignments,omitempty"` // in GET /works/{id} only
}

// Assignment is one worker's turn. Digests are shown after the work has ended
// only, so that nobody learns them from us while consensus is open.
type Assignment struct {
	Worker  int64  `json:"worker"`
	Attempt int    `json:"attempt"`
	State   string `json:"state"`
	SHA256  string `json:"sha256,omitempty"`
	Reason  string `json:"reason,omitempty"`
}

// Works is a page of GET /works: ascending by id; After of the next page is
// Next, absent on the last.
type Works struct {
	Works []Work `json:"works"`
	Next  int64  `json:"next,omitempty"`
}

// Batch is the answer to GET /batches/{id}.
type Batch struct {
	ID            int64          `json:"id"`
	FirstWork     int64          `json:"first_work"`
	LastWork      int64          `json:"last_work"`
	Works         int            `json:"works"`
	Created       time.Time      `json:"created"`
	States        map[string]int `json:"states"` // works in each state
	MissingInputs int            `json:"missing_inputs"`
}

// Result is the answer to GET /works/{id}/result: a link good until Expires to
// the result archive: a tar, of a work of a deal a zip.
type Result struct {
	Work    int64     `json:"work"`
	URL     string    `json:"url"`
	SHA256  string    `json:"sha256"`
	Size    int64     `json:"size"`
	Expires time.Time `json:"expires"`
}

// Pool is the answer to GET /pool.
type Pool struct {
	Name    string         `json:"name"`
	Chain   string         `json:"chain"` // the pool's address on the chain; "off" without
	State   string         `json:"state"` // active, draining, inactive
	Works   map[string]int `json:"works"` // in each state that has not ended
	Workers int            `json:"workers"`
	Slots   int            `json:"slots"` // of live, active workers
	Open    int            `json:"open_assignments"`
	MaxFile int64          `json:"max_file_size"`
}

// Health is the answer to GET /health.
type Health struct {
	Status string `json:"status"` // "ok"
}

// FromWork gives a work as its requester may see it.
func FromWork(w pool.Work, rows []pool.Assignment) Work {
	out := Work{
		ID: int64(w.ID), Batch: int64(w.ID.Batch()), Index: w.ID.Index(), Origin: string(w.Origin), State: string(w.State),
		Trust: w.Trust, RunLimitS: int64(w.RunLimit / time.Second), Created: w.Created, Deadline: w.Deadline, Reason: w.Reason,
	}
	if w.State.Ended() {
		ended := w.Ended
		out.Ended = &ended
	}
	if w.State == pool.Done {
		out.SHA256, out.Size = w.Digest.String(), w.Size
	}
	digests := map[pool.Digest]bool{}
	for _, a := range rows {
		row := Assignment{Worker: int64(a.Worker), Attempt: a.Attempt, State: string(a.State), Reason: a.Reason}
		if !a.Digest.IsZero() {
			digests[a.Digest] = true
			if w.State.Ended() {
				row.SHA256 = a.Digest.String()
			}
		}
		out.Assignments = append(out.Assignments, row)
	}
	out.Unstable = w.Trust > 1 && len(digests) >= 3
	return out
}

// FromBatch gives a batch as its requester sees it.
func FromBatch(b pool.Batch) Batch {
	out := Batch{
		ID: int64(b.ID), FirstWork: int64(b.ID.Work(0)), LastWork: int64(b.ID.Work(b.Works - 1)), Works: b.Works,
		Created: b.Created, States: map[string]int{}, MissingInputs: b.Missing,
	}
	for state, n := range b.Counts {
		out.States[string(state)] = n
	}
	return out
}
