package pool

import (
	"slices"
	"strings"
	"time"
)

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
	Inactive WorkerState = "inactive" // is told to stop all, gets no more; what it held goes to others
)

// WorkerStates lists them.
var WorkerStates = []WorkerState{Active, Draining, Inactive}

// Rules says whom or what a worker's owner admits. An entry is a name, or the
// beginning of names with a "*" behind it.
type Rules struct {
	Allow []string // empty = everything that is not denied
	Deny  []string // wins over Allow
}

// Admit tells whether a name is admitted.
func (r Rules) Admit(name string) bool {
	among := func(entries []string) bool {
		return slices.ContainsFunc(entries, func(entry string) bool {
			beginning, open := strings.CutSuffix(entry, "*")
			return entry == name || open && strings.HasPrefix(name, beginning)
		})
	}
	return !among(r.Deny) && (len(r.Allow) == 0 || among(r.Allow))
}

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
	Wallet   bool   // has an account on the chain: known to the pool, not stated

	Apps       Rules // by the application's name or image reference
	Requesters Rules // by the requester's login
}

// Demands is what a work needs of a worker. Zero values demand nothing.
type Demands struct {
	App        App // process: that program allowed; docker: able to run images
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
	Wallet     bool // an account on the chain: works of deals
	RunLimit   time.Duration
}

// Worker is what placement needs to know of one.
type Worker struct {
	ID           WorkerID
	Owner        Owner
	State        WorkerState
	Slots        int // most open assignments at once, as the worker says
	Quota        int // most that the pool trusts it with so far: 1 to MaxSlots
	Open         int // open assignments now: counted, never stored
	Until        time.Time
	Interval     time.Duration // between heartbeats, as last told
	Capabilities Capabilities
}

// Live tells that the worker's lease holds.
func (w Worker) Live(now time.Time) bool { return now.Before(w.Until) }

// Free gives the assignments that it may still be given.
func (w Worker) Free() int { return max(0, min(w.Slots, w.Quota)-w.Open) }
