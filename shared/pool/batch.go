package pool

import "time"

// NewBatch is a checked submission, ready to be stored. Template and Items are
// the wire documents as stored; a work's Spec is made of both when it is offered.
type NewBatch struct {
	Requester   AccountID
	Idempotency string // the caller's key; "" = none given
	BodyDigest  Digest // of the request body: same key and other body is a conflict
	Demands     Demands
	Trust       int
	Priority    Priority
	MaxRunning  int           // works of the batch with open assignments at once; 0 = no limit
	Deadline    time.Duration // from acceptance
	Template    []byte
	Items       [][]byte // one a work; nil = nothing beyond the template
	Inputs      []Input  // the distinct files of all works, by digest; empty = nothing to upload
	RequestID   string
}

// Batch is what the books know of a batch.
type Batch struct {
	ID        BatchID
	Requester AccountID
	Works     int
	Created   time.Time
	Counts    map[WorkState]int // works in each state
	Missing   int               // inputs still to be uploaded
}

// Share is what a requester gets of the pool, as its operator decides.
type Share struct {
	Weight     int // 1 to MaxWeight: twice the weight gets twice the share while others wait too
	MaxRunning int // works with open assignments at once; 0 = no limit
}

// MaxWeight is the greatest weight of a requester.
const MaxWeight = 1000
