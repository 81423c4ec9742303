package pool

// WorkFilter narrows a page of works; zero values do not.
type WorkFilter struct {
	Requester AccountID // 0 = everybody's
	Batch     BatchID
	State     WorkState
	After     WorkID
	Limit     int
}

// Census is the pool at a glance.
type Census struct {
	State   State             // of the pool
	Works   map[WorkState]int // that have not ended
	Workers int               // live and active
	Slots   int               // theirs
	Open    int               // open assignments
}

// Lease is a held lease. Correctness never rests on it: it spares dispatchers and
// reconcilers the work of finding out that another was faster.
type Lease struct {
	Name   string
	Holder string
	Fence  int64
	Asked  int64 // how many had asked when it was last looked at
}

// State is what the operator wants of the whole pool.
type State string

// The states of the pool. Runs that have begun go on to their end in each.
const (
	PoolActive   State = "active"
	PoolDraining State = "draining" // assigns nothing; submissions are accepted and wait
	PoolInactive State = "inactive" // assigns nothing and accepts nothing
)

// States lists them.
var States = []State{PoolActive, PoolDraining, PoolInactive}
