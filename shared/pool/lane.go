package pool

import "time"

// Followed is what was found by following the chain from one block to another.
type Followed struct {
	From    Block     // the cursor as it was; zero = none yet
	To      Block     // where it is now
	Clock   time.Time // the head's: the chain's clock as last seen
	Deals   []Deal    // as the head shows them
	Touched []Hash    // tasks that something happened to, of other pools too
}

// DealPart is a part of a deal that is to become works.
type DealPart struct {
	Deal  Deal
	First int // index of its first task in the request order
	Tasks int
}

// Intake is what becomes of a part of a deal.
type Intake struct {
	Batch   NewBatch // what its works are; Requester, Items and Deadline are the deal's
	Wanted  int      // assignments that each work wants at first
	Tasks   []Hash   // ids on the chain, in order of index
	Refused string   // why nobody can run it: its works end at once; "" otherwise
}

// Lane is a wallet's broadcasts, which the chain takes in order of their nonces,
// and what waits to be sent.
type Lane struct {
	Now       time.Time          // database time
	Next      uint64             // one more than the last nonce used; 0 before the first
	Unsettled []Broadcast        // by nonce, then attempt
	Sent      map[int64][]Action // of each of them, by its ID
	Wanted    []Action           // least slack first
}

// Compared is a task as the books have it, to be held against the chain.
type Compared struct {
	Work    WorkID
	Deal    Hash
	Task    Task
	Stale   bool      // known to have changed since it was seen
	Vouched []Address // wallets that have the pool's word to contribute
}

// ChainCensus is the chain's side of the pool at a glance.
type ChainCensus struct {
	Tasks     int       // that have not ended
	Unsure    int       // deals that a reorganisation took away, perhaps for good
	Wanted    int       // actions in no broadcast
	Unsettled int       // broadcasts
	Stake     NRLC      // that the pool loses if none of the tasks ends with a result
	Before    time.Time // by the chain's clock: when the next wanted action becomes useless; zero = none
}
