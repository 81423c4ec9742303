package pool

import "time"

// AssignmentState is where one worker's turn at one work stands.
type AssignmentState string

// The states of an assignment. Only offered and running hold a slot.
const (
	Offered        AssignmentState = "offered"     // the worker is to start; not a run yet
	InRun          AssignmentState = "running"     // the worker said that it computes
	Reported       AssignmentState = "reported"    // the worker committed the digest of its result
	HasContributed AssignmentState = "contributed" // of a deal: the chain has its contribution
	HasRevealed    AssignmentState = "revealed"    // of a deal: the chain has its digest, and it won
	Uploading      AssignmentState = "uploading"   // its digest was agreed upon and it is to bring the bytes
	Checking       AssignmentState = "checking"    // of a deal: it is to look at the bytes that another has brought
	Closed         AssignmentState = "closed"      // nothing more is wanted; it had reported
	Expired        AssignmentState = "expired"     // not started in time, too long, or the worker was lost
	Refused        AssignmentState = "refused"     // the worker declined the offer
	Broken         AssignmentState = "failed"      // the run failed; never tried again with this worker
	Superseded     AssignmentState = "superseded"  // the work ended or was agreed upon without it
)

// AssignmentMoves is the transition table of assignments of api works: what one
// decision may make of a state. An expired or refused offer may be offered again
// under the next attempt; an expired run comes back to where it was if its worker
// returns while it is still wanted.
var AssignmentMoves = map[AssignmentState][]AssignmentState{
	Offered:    {InRun, Reported, Uploading, Closed, Expired, Refused, Broken, Superseded},
	InRun:      {Reported, Uploading, Closed, Expired, Broken, Superseded},
	Reported:   {Uploading, Closed, Superseded},
	Uploading:  {Closed, Expired, Broken, Superseded},
	Expired:    {Offered, InRun, Reported, Uploading, Closed, Superseded},
	Refused:    {Offered},
	Closed:     {},
	Broken:     {},
	Superseded: {},
}

// DealMoves is the same for works of deals, whose judge is the chain: whatever
// the books thought of a turn, it is where the chain shows it, also when a
// reorganisation has taken something back. Until the work ends no state but a
// failed run is final.
var DealMoves = map[AssignmentState][]AssignmentState{
	Offered:        {InRun, Reported, HasContributed, HasRevealed, Uploading, Checking, Closed, Expired, Refused, Broken, Superseded},
	InRun:          {Reported, HasContributed, HasRevealed, Uploading, Checking, Closed, Expired, Broken, Superseded},
	Reported:       {HasContributed, HasRevealed, Uploading, Checking, Closed, Expired, Broken, Superseded},
	HasContributed: {Reported, HasRevealed, Uploading, Checking, Closed, Superseded},
	HasRevealed:    {Reported, HasContributed, Uploading, Checking, Closed, Superseded},
	Uploading:      {Reported, HasContributed, HasRevealed, Closed, Expired, Broken, Superseded},
	Checking:       {Reported, HasContributed, HasRevealed, Uploading, Closed, Expired, Broken, Superseded},
	Closed:         {Reported, HasContributed, HasRevealed, Uploading, Checking, Broken, Superseded},
	Expired:        {Offered, InRun, Reported, HasContributed, HasRevealed, Uploading, Checking, Closed, Superseded},
	Refused:        {Offered, HasContributed, HasRevealed, Uploading, Checking, Closed},
	Broken:         {},
	Superseded:     {HasContributed, HasRevealed, Uploading, Checking, Closed},
}

// AssignmentStates lists the states in the order of a life.
var AssignmentStates = []AssignmentState{
	Offered, InRun, Reported, HasContributed, HasRevealed, Uploading, Checking, Closed, Expired, Refused, Broken, Superseded,
}

// Open tells that the assignment holds a slot of its worker (P5) and that
// consensus counts on it (P3).
func (s AssignmentState) Open() bool { return s == Offered || s == InRun }

// Held tells that the worker still has something to do or to keep for it.
func (s AssignmentState) Held() bool {
	return s.Open() || s == Reported || s == HasContributed || s == HasRevealed || s == Uploading || s == Checking
}

// Assignment is one worker's turn at one work, unique by (work, worker). A
// report is for it only when it names the same attempt.
type Assignment struct {
	Work    WorkID
	Worker  WorkerID
	Owner   Owner
	Attempt int // 1 for the first offer; one more each time it is offered again
	State   AssignmentState
	Started bool      // the worker said that it computes, in this attempt
	StartBy time.Time // offered, uploading, checking: when it expires unless begun; zero = begun
	RunBy   time.Time // running, uploading, checking: when it expires unless finished
	Digest  Digest    // what the worker committed to; zero before reported
	Size    int64     // bytes of that result
	File    Digest    // of a deal: the SHA-256 of the result's bytes, Digest being what the chain is told; zero otherwise
	Checks  Digest    // of a deal: the file, another's, that it was asked to look at; each is asked once
	Reason  string    // why it failed, expired or was refused
}

// Bytes gives the SHA-256 of the result's bytes.
func (a Assignment) Bytes() Digest {
	if a.File.IsZero() {
		return a.Digest
	}
	return a.File
}

// Origin tells whose result was reported: only a deal's has a file beside its
// digest.
func (a Assignment) Origin() Origin {
	if a.File.IsZero() {
		return OriginAPI
	}
	return OriginDeal
}

// HoldsOwner tells that the turn counts as its owner's one turn at the work: a
// run does, also when it was lost; an offer that nobody started does not.
func (a Assignment) HoldsOwner() bool {
	return a.Started || (a.State != Expired && a.State != Refused)
}

// ReportState is what a worker says of an assignment in a heartbeat.
type ReportState string

// What a worker may say.
const (
	SaysRunning     ReportState = "running"     // it computes
	SaysReported    ReportState = "reported"    // it has a result of this digest and size
	SaysContributed ReportState = "contributed" // it told the chain; only the chain's word counts
	SaysRevealed    ReportState = "revealed"    // it revealed; only the chain's word counts
	SaysUploading   ReportState = "uploading"   // it has begun to bring the bytes
	SaysUploaded    ReportState = "uploaded"    // the bytes are there
	SaysChecking    ReportState = "checking"    // it has begun to look at another's bytes
	SaysChecked     ReportState = "checked"     // they hold the result that was agreed upon
	SaysWrong       ReportState = "wrong"       // they do not
	SaysFailed      ReportState = "failed"      // the run, or the upload, came to nothing
	SaysRefused     ReportState = "refused"     // it does not take the offer
)

// Report is one line of a heartbeat.
type Report struct {
	Work    WorkID
	Attempt int
	Says    ReportState
	Digest  Digest
	Size    int64
	File    Digest // of a deal, beside Digest: the SHA-256 of the bytes
	Checks  Digest // with checking, checked and wrong: the SHA-256 of the bytes looked at
	Reason  string

	Callback string // of a deal that calls back, with uploaded: the bytes whose keccak256 is Digest
}
