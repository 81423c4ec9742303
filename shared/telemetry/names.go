package telemetry

// Keys of log records.
const (
	KeyAccount    = "account"    // account id
	KeyAction     = "action"     // what a migration or an operator asked for
	KeyAttempt    = "attempt"    // times a message was received, or an assignment offered
	KeyBatch      = "batch"      // batch id
	KeyBlock      = "block"      // number of a block of the chain
	KeyCount      = "count"      // how many of what the message names
	KeyDeal       = "deal"       // id of a deal on the chain
	KeyDependency = "dependency" // one of the Dependency values
	KeyDuration   = "ms"         // milliseconds
	KeyError      = "error"      // text of an error, never of a secret
	KeyField      = "field"      // path of the property that was refused
	KeyFunction   = "function"   // name of the function
	KeyKind       = "kind"       // a pool.Kind
	KeyLogin      = "login"      // login name
	KeyMessage    = "message_id" // id of a queue message
	KeyMethod     = "method"     // HTTP method
	KeyNonce      = "nonce"      // of the pool's wallet
	KeyPath       = "path"       // HTTP path, without the query
	KeyReason     = "reason"     // why something was decided
	KeyRequest    = "request_id" // id of the invocation or of the HTTP request
	KeyStack      = "stack"      // goroutine stack of a panic
	KeyStatus     = "status"     // HTTP status
	KeyTask       = "task"       // id of a task on the chain
	KeyVersion    = "version"    // schema version
	KeyWork       = "work"       // work id
	KeyWorker     = "worker"     // worker id
)

// Metric is the name and the unit of one number in CloudWatch.
type Metric struct {
	Name string
	Unit Unit
}

// Unit is a CloudWatch unit.
type Unit string

// The units in use.
const (
	Count        Unit = "Count"
	Milliseconds Unit = "Milliseconds"
)

// The metrics. Their dimensions are the pool and the function, nothing finer:
// each further combination is billed as a metric of its own.
var (
	BatchesAccepted = Metric{"BatchesAccepted", Count} // submit: batches stored
	WorksAccepted   = Metric{"WorksAccepted", Count}   // submit: works stored

	ReportsTaken  = Metric{"ReportsTaken", Count}  // heartbeat: reports that changed a row
	RunsAgreed    = Metric{"RunsAgreed", Count}    // heartbeat: works whose digest was agreed upon
	WorksDone     = Metric{"WorksDone", Count}     // heartbeat: works that ended with a result
	WorksFailed   = Metric{"WorksFailed", Count}   // heartbeat, dispatch: works that ended without one
	RingsFailed   = Metric{"RingsFailed", Count}   // rings that could not be sent; the tick repairs them
	OffersMade    = Metric{"OffersMade", Count}    // dispatch: assignments offered
	OffersExpired = Metric{"OffersExpired", Count} // dispatch: offers not started in time
	RunsLost      = Metric{"RunsLost", Count}      // dispatch: runs whose worker was lost
	LeasesHeld    = Metric{"LeasesHeld", Count}    // dispatch: leases prolonged because many ended together, or the pool was out: look why
	WorksWaiting  = Metric{"WorksWaiting", Count}  // dispatch: works that wait after the last pass
	DispatchTime  = Metric{"DispatchTime", Milliseconds}

	AuthorisationsGiven = Metric{"AuthorisationsGiven", Count} // dispatch: workers of deals that may contribute

	ReconcileTicks = Metric{"ReconcileTicks", Count} // reconcile: ticks that ended well
	ReconcileTime  = Metric{"ReconcileTime", Milliseconds}

	ChainTasks          = Metric{"ChainTasks", Count}          // reconcile: tasks of deals that have not ended
	ChainBehind         = Metric{"ChainBehind", Count}         // reconcile: blocks that are still to be followed
	ChainDifference     = Metric{"ChainDifference", Count}     // reconcile: on what books and chain disagree, of what was compared; 0 when all is well
	DealsUnsure         = Metric{"DealsUnsure", Count}         // reconcile: deals that a reorganisation took away, perhaps for good
	ActionsWanted       = Metric{"ActionsWanted", Count}       // reconcile: what is to be said to the chain
	BroadcastsUnsettled = Metric{"BroadcastsUnsettled", Count} // reconcile: sendings in no block yet
	StakeAtRisk         = Metric{"StakeAtRisk", Count}         // reconcile: nRLC that are lost if no open task ends with a result
	HeadAge             = Metric{"HeadAge", Milliseconds}      // reconcile: since the newest block
	LeastSlack          = Metric{"LeastSlack", Milliseconds}   // reconcile: until the most urgent action is of no use; below 0 it is too late

	Logins        = Metric{"Logins", Count}        // session: tokens given
	LoginsRefused = Metric{"LoginsRefused", Count} // session: logins turned away

	// DependencyFailures counts, per function, the calls to the database, the
	// queue, the bucket or the secrets that failed; the log says which.
	DependencyFailures = Metric{"DependencyFailures", Count}
)

// Metrics lists every metric there is: a dashboard may name no other.
var Metrics = []Metric{
	BatchesAccepted, WorksAccepted,
	ReportsTaken, RunsAgreed, WorksDone, WorksFailed, RingsFailed,
	OffersMade, OffersExpired, RunsLost, LeasesHeld, WorksWaiting, DispatchTime, AuthorisationsGiven,
	ReconcileTicks, ReconcileTime,
	ChainTasks, ChainBehind, ChainDifference, DealsUnsure, ActionsWanted, BroadcastsUnsettled, StakeAtRisk, HeadAge, LeastSlack,
	Logins, LoginsRefused,
	DependencyFailures,
}
