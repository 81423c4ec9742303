package pool

import "time"

// ErrandKind is something that an operator asks of reconcile, which alone reaches
// the chain.
type ErrandKind string

// The kinds of errands.
const (
	ErrandDiff    ErrandKind = "diff"    // hold all open tasks and all deals against the chain
	ErrandDryRun  ErrandKind = "dry-run" // tell what a pass would store and send, and do neither
	ErrandRebuild ErrandKind = "rebuild" // follow the chain again from an early block, and look at every task anew
)

// ErrandKinds lists them.
var ErrandKinds = []ErrandKind{ErrandDiff, ErrandDryRun, ErrandRebuild}

// Errand is the last one of its kind.
type Errand struct {
	Kind    ErrandKind
	Number  int64  // how often this kind was asked for
	From    uint64 // rebuild: the block to begin at; 0 = that of the oldest deal in the books
	AskedBy AccountID
	Asked   time.Time
	Done    int64 // number of the last that was done; less than Number while it is not
	DoneAt  time.Time
	Answer  Answer // of number Done
}

// Pending tells that it is still to be done.
func (e Errand) Pending() bool { return e.Done < e.Number }

// Answer is what came of an errand.
type Answer struct {
	Block       Block        // diff: the head that the books were held against; rebuild: where following begins again
	Fault       string       // why it came to nothing; "" = it did not
	Count       int          // diff: of all differences
	Differences []Difference // the first of them
	Lines       []string     // dry-run: what would be stored and sent
}

// Difference is something on which the books and the chain disagree though both
// should know better.
type Difference struct {
	Deal  Hash
	Task  Hash // zero where it is about the whole deal
	What  string
	Books string
	Chain string
}
