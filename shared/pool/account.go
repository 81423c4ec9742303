package pool

// Role is what an account may do.
type Role string

// The roles.
const (
	RoleRequester Role = "requester" // submits works and reads their results
	RoleWorker    Role = "worker"    // brings workers
	RoleOperator  Role = "operator"  // runs the pool; may also submit
)

// Roles lists them.
var Roles = []Role{RoleRequester, RoleWorker, RoleOperator}

// Account is who can log in.
type Account struct {
	ID           AccountID
	Login        string
	Role         Role
	Shared       bool   // many owners' workers use it: each worker is its own owner
	PasswordHash string // PHC string; "" = no password login
	Disabled     bool
}

// Caller is who makes a request, as its token says.
type Caller struct {
	Account AccountID
	Role    Role
	Login   string
	Worker  WorkerID // of a worker token; 0 otherwise
}

// Trace tells the audit trail who caused a change, and by which request.
type Trace struct {
	Account   AccountID // 0 = the pool itself
	RequestID string
}
