package pool

import "time"

// WorkState is where a work stands in its life.
type WorkState string

// The states of a work. The last three are its ends.
const (
	Staging   WorkState = "staging"   // accepted; inputs are still to be uploaded
	Waiting   WorkState = "waiting"   // may be assigned; nobody has it
	Running   WorkState = "running"   // at least one assignment was made
	Agreed    WorkState = "agreed"    // consensus on a digest; the bytes are still to come
	Done      WorkState = "done"      // the agreed result lies in the bucket
	Failed    WorkState = "failed"    // ended without a result, with a reason
	Cancelled WorkState = "cancelled" // ended by its requester or an operator
)

// WorkMoves is the transition table of works: from each state, the states that
// may follow. A state that is absent from the values of its row never follows.
var WorkMoves = map[WorkState][]WorkState{
	Staging:   {Waiting, Failed, Cancelled},
	Waiting:   {Running, Agreed, Failed, Cancelled}, // agreed when a lost uploader returns
	Running:   {Waiting, Agreed, Failed, Cancelled},
	Agreed:    {Waiting, Running, Done, Failed, Cancelled},
	Done:      {},
	Failed:    {},
	Cancelled: {},
}

// WorkStates lists the states in the order of a life.
var WorkStates = []WorkState{Staging, Waiting, Running, Agreed, Done, Failed, Cancelled}

// Ended tells that the work will never change again (P2).
func (s WorkState) Ended() bool { return s == Done || s == Failed || s == Cancelled }

// Open tells that assignments may still be made for the work.
func (s WorkState) Open() bool { return s == Waiting || s == Running }

// Origin tells who judges a work: the books (api) or the chain (deal).
type Origin string

// The origins.
const (
	OriginAPI  Origin = "api"  // submitted by HTTPS
	OriginDeal Origin = "deal" // a task of a deal on the chain
)

// Work is what decisions need to know of one computation.
type Work struct {
	ID        WorkID
	Requester AccountID
	Origin    Origin
	Class     ClassID
	Rank      int64 // place in its class's queue: smaller goes first
	State     WorkState
	Trust     int // wanted confidence, 0 to MaxTrust; 0 to 2 means one worker and no check
	RunLimit  time.Duration
	Deadline  time.Time // when it fails if it has not ended
	Digest    Digest    // what was agreed upon; kept when the bytes were lost
	Size      int64     // bytes of the agreed result
	File      Digest    // of a deal: the SHA-256 of the agreed result's bytes, once they are in the bucket
	Vouched   Vouching  // of a deal: whether another stands for the bytes of File
	CallsBack bool      // of a deal: its requester wants the result called back
	Callback  string    // of a deal that calls back: the bytes to do it with, once somebody has brought them
	Reason    string    // why it failed; "" otherwise
	Created   time.Time
	Ended     time.Time // zero while it lives
}

// Vouching tells whether anybody but the worker that brought the bytes of a deal's
// result stands for them: the chain agrees upon a digest of the result only, and
// not on the archive that the requester gets.
type Vouching string

// Whether there is one.
const (
	NotVouched Vouching = ""          // no bytes, or another agreeing worker is to look at them
	Vouched    Vouching = "vouched"   // another made the same bytes, or found the agreed result in them
	NobodyLeft Vouching = "unvouched" // there is no other who could, or no time for it
	Disputed   Vouching = "disputed"  // another did not find the agreed result in them: others are to come in their place
)

// MaxTrust is the highest confidence an api work may ask for: beyond it the
// number of agreeing owners needed is more than any pool has.
const MaxTrust = 1_000_000

// AppType tells how a worker runs an application.
type AppType string

// The kinds of applications.
const (
	ProcessApp AppType = "process" // a program that the worker's owner allows by name
	DockerApp  AppType = "docker"  // a container image
)

// App names what a work runs.
type App struct {
	Type AppType
	Name string // the allowed program's name, or the image reference
}

// Input is one file a work reads.
type Input struct {
	Name   string // file name below IEXEC_IN
	Digest Digest
	Size   int64 // bytes
}

// Fetch is one file that a work of a deal reads and whoever runs it fetches itself,
// from where the requester or the dataset's owner said.
type Fetch struct {
	Name   string // file name below IEXEC_IN
	URL    string // http, https, or /ipfs/ and a content id
	Digest Digest // SHA-256; zero = whatever comes
}

// Spec is what a worker needs to run a work.
type Spec struct {
	App     App
	Args    []string
	Env     map[string]string
	Inputs  []Input
	Fetches []Fetch
}

// Priority is a requester's wish about order among waiting works.
type Priority string

// The priorities.
const (
	Low    Priority = "low"
	Normal Priority = "normal"
	High   Priority = "high"
)

// Bytes gives the SHA-256 of the agreed result's bytes; of a deal zero while they
// are not in the bucket.
func (w Work) Bytes() Digest {
	if w.Origin == OriginDeal {
		return w.File
	}
	return w.Digest
}

// ContributeBy gives the time from which the chain takes no contribution to a
// work of a deal; the deadline of such a work is its task's final deadline.
func (w Work) ContributeBy() time.Time {
	return w.Deadline.Add(-(FinalAfter - ContributeFor) * w.RunLimit)
}

// VouchBy gives the time from which a work of a deal makes do with the bytes that
// are there, although nobody vouches for them.
func (w Work) VouchBy() time.Time { return w.Deadline.Add(-(FinalAfter - VouchFor) * w.RunLimit) }

// Category is a time class with its run limit T.
type Category struct {
	Name     string
	RunLimit time.Duration
}

// Categories are the time classes with the run limits iExec uses, shortest first.
var Categories = []Category{
	{"XS", 300 * time.Second},
	{"S", 1200 * time.Second},
	{"M", 3600 * time.Second},
	{"L", 10800 * time.Second},
	{"XL", 36000 * time.Second},
}

// CategoryNamed finds a category.
func CategoryNamed(name string) (Category, bool) {
	for _, c := range Categories {
		if c.Name == name {
			return c, true
		}
	}
	return Category{}, false
}

// Limits of an api work's life.
const (
	DefaultDeadline = 7 * 24 * time.Hour
	MaxDeadline     = 30 * 24 * time.Hour
)
