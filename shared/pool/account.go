package pool

import (
	"regexp"
	"strings"
	"time"
)

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
	Login        string // of a wallet account the address, in lower case
	UID          string // an id of the operator's choice beside the login; "" = none
	Role         Role
	Shared       bool   // many owners' workers use it: each worker is its own owner
	PasswordHash string // PHC string; "" = no password login
	Bootstrap    string // of the password that the bootstrap secret last gave it; "" = none did
	Disabled     bool
	Generation   int       // tokens of an earlier one are revoked
	Created      time.Time // by database time
	Revoked      time.Time // when Generation was last raised, by database time; zero = never
}

// Caller is who makes a request, as its token says.
type Caller struct {
	Account    AccountID
	Role       Role
	Login      string
	Worker     WorkerID // of a worker token; 0 otherwise
	Generation int      // that the account had when the token was made
}

// Trace tells the audit trail who caused a change, and by which request.
type Trace struct {
	Account   AccountID // 0 = the pool itself
	RequestID string
}

// UIDPrefix stands before a uid where a login may stand as well. No login begins so.
const UIDPrefix = "uid:"

var (
	loginForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}$`)
	uidForm   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
)

// CheckLogin refuses what cannot be the login of a password account: any other form
// than 1 to 64 letters, digits and ._@+- with a letter or digit first, and a
// wallet's address, lest somebody logs in by password as another's wallet.
func CheckLogin(login string) error {
	if !loginForm.MatchString(login) {
		return Refuse(Invalid, "login", "1 to 64 letters, digits and . _ @ + -, a letter or digit first")
	}
	if IsWallet(strings.ToLower(login)) {
		return Refuse(Invalid, "login", "an address of the chain is the login of its wallet, which has no password")
	}
	return nil
}

// CheckUID refuses what cannot be a uid: any other form than 1 to 64 letters, digits
// and ._- with a letter or digit first. A UUID is one.
func CheckUID(uid string) error {
	if !uidForm.MatchString(uid) {
		return Refuse(Invalid, "uid", "1 to 64 letters, digits and . _ -, a letter or digit first")
	}
	return nil
}

// IsWallet tells whether a login is a wallet's: its address, in lower case.
func IsWallet(login string) bool {
	address, err := ParseAddress(login)
	return err == nil && address.String() == login
}

// AccountChange is what is to become of an account.
type AccountChange struct {
	Disabled     *bool  // nil = as it is
	PasswordHash string // "" = as it is
	Revoke       bool   // its tokens
}

// What an AccountChange does, as the audit trail has it.
const (
	AccountDisabled = "account.disabled"
	AccountEnabled  = "account.enabled"
	AccountPassword = "account.password"
	AccountRevoked  = "account.revoked"
)

// Change gives the account after a change by somebody, and what was done to it, in
// order; nothing when it was so already. operators is how many enabled ones there
// are. pool.Conflict: nobody disables himself, the last enabled operator stays
// enabled, and a wallet gets no password.
func (a Account) Change(c AccountChange, by AccountID, operators int) (after Account, done []string, err error) {
	after = a
	if c.Revoke {
		after.Generation, done = a.Generation+1, append(done, AccountRevoked)
	}
	if c.PasswordHash != "" {
		if IsWallet(a.Login) {
			return a, nil, Refuse(Conflict, "password", "a wallet's account has no password: it logs in by a signature")
		}
		after.PasswordHash, after.Generation, done = c.PasswordHash, a.Generation+1, append(done, AccountPassword)
	}
	switch {
	case c.Disabled == nil || *c.Disabled == a.Disabled:
	case a.Disabled:
		after.Disabled, done = false, append(done, AccountEnabled)
	case a.ID == by:
		return a, nil, Refuse(Conflict, "disabled", "nobody disables himself: another operator may")
	case a.Role == RoleOperator && operators <= 1:
		return a, nil, Refuse(Conflict, "disabled", "this is the last enabled operator: nobody could enable it again")
	default:
		after.Disabled, after.Generation, done = true, a.Generation+1, append(done, AccountDisabled)
	}
	return after, done, nil
}
