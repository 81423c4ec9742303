package pool

import "time"

// Owner tells whose a worker is, for the rule of one turn per owner and work:
// "account:ID" for a personal account, "worker:ID" on the shared account, where
// nobody can tell owners apart.
type Owner string

// WorkerState is what an operator or owner wants of a worker. Whether it is
// live is not a state: it follows from its last heartbeat.
type WorkerState string

// The states of a worker.
const (
	Active   WorkerState = "active"
	Draining WorkerState = "draining" // finishes what it holds, gets no more
)

// WorkerStates lists them.
var WorkerStates = []WorkerState{Active, Draining}

// MaxSlots is the most works one worker may hold open at once.
const MaxSlots = 256

// Capabilities is what a worker says it can do. What it leaves out it cannot.
type Capabilities struct {
	OS       string
	Arch     string
	CPU      int   // cores
	MemoryMB int64 // MiB
	DiskMB   int64 // MiB free for works
	GPU      int   // devices
	TEE      []string
	Tags     []string
	Programs []string // names of the programs its owner allows (process applications)
	Docker   bool     // runs container images
	MaxRun   time.Duration
	Version  string // of the worker program, "MAJOR.MINOR.PATCH"
}

// Demands is what a work needs of a worker. Zero values demand nothing.
type Demands struct {
	App        App // process: that program allowed; docker: able to run images (the name does not matter)
	CPU        int
	MemoryMB   int64
	DiskMB     int64
	GPU        int
	TEE        string
	Tags       []string // all of them, sorted
	NotTags    []string // none of them, sorted
	OS         string
	Arch       string
	MinVersion string
	RunLimit   time.Duration
}

// Worker is what placement needs to know of one.
type Worker struct {
	ID           WorkerID
	Owner        Owner
	State        WorkerState
	Slots        int // most open assignments at once
	Open         int // open assignments now: counted, never stored
	Until        time.Time
	Interval     time.Duration // between heartbeats, as last told
	Capabilities Capabilities
}

// Live tells that the worker's lease holds.
func (w Worker) Live(now time.Time) bool { return now.Before(w.Until) }

// Free gives the slots that may still be filled.
func (w Worker) Free() int { return max(0, w.Slots-w.Open) }
