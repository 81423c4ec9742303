package pool

import (
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

// Words of the chain (iExec PoCo v6). Deal and task ids are made of what they
// contain, so they are known before any block has them and stay through a
// reorganisation.

// Address names an account or a contract of the chain. Zero = none.
type Address [20]byte

// Hash is 32 bytes of the chain: the id of a deal or task, of a block or a
// sending, or what a contribution commits to. Zero = none.
type Hash [32]byte

// NRLC is an amount of money in nRLC, 10^-9 RLC. All there is, 87e15, fits.
type NRLC int64

// ParseAddress reads "0x" and 40 hexadecimal characters of any case.
func ParseAddress(text string) (Address, error) {
	var a Address
	return a, parseHex(a[:], text)
}

// ParseHash reads "0x" and 64 hexadecimal characters of any case.
func ParseHash(text string) (Hash, error) {
	var h Hash
	return h, parseHex(h[:], text)
}

func parseHex(into []byte, text string) error {
	digits, ok := strings.CutPrefix(text, "0x")
	if !ok || len(digits) != 2*len(into) {
		return fmt.Errorf("0x and %d hexadecimal characters are wanted, here %q", 2*len(into), text)
	}
	if _, err := hex.Decode(into, []byte(digits)); err != nil {
		clear(into)
		return fmt.Errorf("0x and %d hexadecimal characters are wanted, here %q", 2*len(into), text)
	}
	return nil
}

// String gives "0x" and lower-case hexadecimal characters.
func (a Address) String() string { return "0x" + hex.EncodeToString(a[:]) }

// String gives "0x" and lower-case hexadecimal characters.
func (h Hash) String() string { return "0x" + hex.EncodeToString(h[:]) }

// IsZero tells that there is none.
func (a Address) IsZero() bool { return a == Address{} }

// IsZero tells that there is none.
func (h Hash) IsZero() bool { return h == Hash{} }

// Block is a block of the chain.
type Block struct {
	Number uint64
	Hash   Hash
	Time   time.Time // the chain's clock: deadlines are judged by it
}

// Head is the newest block, with the newest that can no longer change.
type Head struct {
	Block
	Finalized uint64
}

// Deal is matched orders of this pool: Tasks works under one set of terms.
type Deal struct {
	ID          Hash
	Block       uint64    // of the orders' match, as last seen
	Start       time.Time // that block's time; all deadlines count from it, and a reorganisation may move it
	First       int       // index of its first task in the request order (botFirst)
	Tasks       int       // how many (botSize)
	T           time.Duration
	Trust       int  // wanted confidence; one beyond MaxTrust is given as MaxTrust + 1
	Tag         Hash // demands as bits: 0 TEE, 8 GPU
	App         Address
	Image       string // of the app: where its container image lies
	AppType     string // as the app's owner declared it, "DOCKER"
	Dataset     Address
	DatasetAt   string  // where the dataset lies: a URL, or /ipfs/ and a content id
	DatasetSum  Digest  // SHA-256 of its bytes; zero = its owner did not say
	Owner       Address // of the pool when the orders matched: its word authorises, it finalizes and reopens
	Requester   Address
	Beneficiary Address
	Callback    Address
	Params      string // as the requester wrote them
	Price       NRLC   // of one task, to the pool and its workers
	Stake       NRLC   // that each contribution locks of its worker
}

// Times of a task in units of its category's T (IexecPoco2Facet of PoCo v6).
const (
	ContributeFor = 7  // from the deal's start
	FinalAfter    = 10 // from the deal's start
	RevealFor     = 2  // from the consensus
	VouchFor      = 9  // from the deal's start; the pool's own, so that its stake is not lost over a check
)

// ContributeBy gives the time from which the chain takes no contribution.
func (d Deal) ContributeBy() time.Time { return d.Start.Add(ContributeFor * d.T) }

// FinalBy gives the time from which a task can only be claimed.
func (d Deal) FinalBy() time.Time { return d.Start.Add(FinalAfter * d.T) }

// MaxCallback is the most bytes that a deal's result is called back with. The hub
// keeps each 32 of them in a slot of storage, at 22,100 gas: with so many a
// finalization uses 3.4M, less than the pool's dearest broadcast, of 25
// initializations (4.3M).
const MaxCallback = 4 << 10

// TaskStatus is a task's status as the chain numbers it.
type TaskStatus int8

// The statuses of a task.
const (
	TaskUnset     TaskStatus = 0 // not initialized
	TaskActive    TaskStatus = 1 // takes contributions
	TaskRevealing TaskStatus = 2 // has a consensus, takes reveals
	TaskCompleted TaskStatus = 3 // finalized
	TaskFailed    TaskStatus = 4 // claimed
)

// Ended tells that the chain will not change the task any more.
func (s TaskStatus) Ended() bool { return s == TaskCompleted || s == TaskFailed }

// Task is a task as the chain shows it at a block.
type Task struct {
	ID            Hash
	Block         uint64 // at which it was seen
	Status        TaskStatus
	RevealBy      time.Time // zero before a consensus
	Consensus     Hash      // the result hash that won; zero before
	Digest        Digest    // what was revealed (resultDigest); zero before the first reveal
	Reveals       int
	Winners       int
	Final         bool           // seen at a block that can no longer change
	Contributions []Contribution // in the order in which they came
}

// Of gives a wallet's contribution.
func (t Task) Of(wallet Address) (Contribution, bool) {
	for _, c := range t.Contributions {
		if c.Wallet == wallet {
			return c, true
		}
	}
	return Contribution{}, false
}

// ContributionStatus is a contribution's status as the chain numbers it.
type ContributionStatus int8

// The statuses of a contribution.
const (
	NotContributed ContributionStatus = 0
	Contributed    ContributionStatus = 1
	Proved         ContributionStatus = 2 // revealed
	Rejected       ContributionStatus = 3 // lost a consensus that nobody revealed
)

// Contribution is one worker's word on a task.
type Contribution struct {
	Wallet Address
	Status ContributionStatus
	Hash   Hash  // keccak(task, digest): tells nobody the digest before the reveal
	Weight int64 // 2 and more, by the worker's score when it contributed
}

// Logs is what happened to a pool's deals and tasks in blocks up to To.
type Logs struct {
	To    uint64 // last block looked at: a provider may give fewer than asked for
	Deals []Notice
	Tasks []Hash // initialized, contributed to, agreed on, revealed, reopened, finalized or claimed; of other pools too
}

// Notice tells of a deal.
type Notice struct {
	Deal  Hash
	Block uint64
}

// ActionKind is what the pool may do to a task on the chain.
type ActionKind string

// The kinds of actions.
const (
	Initialize      ActionKind = "initialize"
	Finalize        ActionKind = "finalize"
	Reopen          ActionKind = "reopen"
	Claim           ActionKind = "claim"
	InitializeClaim ActionKind = "init-claim" // of a task nobody initialized, so that the requester gets its money back
)

// ActionKinds lists them.
var ActionKinds = []ActionKind{Initialize, Finalize, Reopen, Claim, InitializeClaim}

// ActionState is where an action stands.
type ActionState string

// The states of an action.
const (
	ActionWanted  ActionState = "wanted"  // decided, in no broadcast
	ActionSent    ActionState = "sent"    // in a broadcast that is not settled
	ActionDone    ActionState = "done"    // the chain shows what it was to bring about
	ActionDropped ActionState = "dropped" // no longer of use
)

// ActionStates lists them.
var ActionStates = []ActionState{ActionWanted, ActionSent, ActionDone, ActionDropped}

// Action is an intended call of the chain, unique by work, kind and round.
type Action struct {
	ID      int64
	Work    WorkID
	Deal    Hash
	Index   int // of the task in its request order
	Task    Hash
	Kind    ActionKind
	Round   int // 1, and more after each reopening (settlement.Round)
	State   ActionState
	Results []byte    // finalize: what the chain is to keep of where the result lies
	Before  time.Time // by the chain's clock: useless afterwards

	Callback []byte // finalize: what the deal's result is called back with; empty where it is not
}

// BroadcastState is where a broadcast stands.
type BroadcastState string

// The states of a broadcast.
const (
	Signed   BroadcastState = "signed"   // its bytes are in the books; it may or may not have been sent
	Mined    BroadcastState = "mined"    // in a block, and did what it was to
	Reverted BroadcastState = "reverted" // in a block, without effect
	Replaced BroadcastState = "replaced" // another with its nonce was mined
)

// BroadcastStates lists them.
var BroadcastStates = []BroadcastState{Signed, Mined, Reverted, Replaced}

// Broadcast is one signed sending of 1 to 25 actions of a kind. It stands in the
// books before it is sent, so whoever goes on after a crash sends the same bytes.
type Broadcast struct {
	ID      int64
	Wallet  Address
	Nonce   uint64
	Attempt int        // 1, and one more for each sending under the same nonce at a higher fee
	Kind    ActionKind // "" = nothing but its nonce: it makes room for those behind
	Hash    Hash
	Raw     []byte
	State   BroadcastState
	Block   uint64    // of its receipt
	At      time.Time // when it was signed, by database time
}

// Receipt tells what became of a broadcast. Found is false while no block has it.
type Receipt struct {
	Hash  Hash
	Found bool
	Block uint64
	Good  bool  // it did not revert
	Gas   int64 // that it used
}

// Authorisation is the pool's word that a worker may contribute to a task. It
// cannot be taken back.
type Authorisation struct {
	Work      WorkID
	Worker    WorkerID
	Wallet    Address
	Task      Hash
	Signature [65]byte // zero before it is signed
}

// ChainTurn is what the chain shows of one worker's turn at a work of a deal, and
// the pool's word for it.
type ChainTurn struct {
	Task          Hash
	Deal          Hash
	Index         int // in the request order
	Status        TaskStatus
	Consensus     Hash
	Contribution  Contribution // zero while the chain has none
	Authorisation []byte       // 65 bytes; nil = not given
	Takes         bool         // the chain still takes contributions to the task
	File          Digest       // that lies in the bucket; zero = none
	Size          int64        // bytes of it
	CallsBack     bool         // the deal wants its result called back
	ContributeBy  time.Time
	FinalBy       time.Time
}
