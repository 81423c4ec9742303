package wire

import (
	"slices"
	"strings"
	"time"

	"workerpool/shared/pool"
)

// NewAccount is the body of POST /accounts: an account with a password, or of a
// wallet, whose login is its address.
type NewAccount struct {
	Login    string `json:"login"`
	Role     string `json:"role"`
	Password string `json:"password,omitempty"` // none for a wallet
	UID      string `json:"uid,omitempty"`      // an id of the operator's choice, of no other account
}

// Parse checks all but the password itself, and gives a wallet's login its form.
func (n NewAccount) Parse() (pool.Account, error) {
	a := pool.Account{Login: n.Login, Role: pool.Role(n.Role), UID: n.UID}
	if wallet := strings.ToLower(n.Login); pool.IsWallet(wallet) {
		a.Login = wallet
		if n.Password != "" {
			return pool.Account{}, invalid("password", "a wallet's account has none: it logs in by a signature")
		}
	} else if err := pool.CheckLogin(n.Login); err != nil {
		return pool.Account{}, err
	} else if n.Password == "" {
		return pool.Account{}, invalid("password", "a password is needed: only a wallet's account has none")
	}
	if !slices.Contains(pool.Roles, a.Role) {
		return pool.Account{}, invalid("role", "requester, worker or operator")
	}
	if n.UID != "" {
		if err := pool.CheckUID(n.UID); err != nil {
			return pool.Account{}, err
		}
	}
	return a, nil
}

// ChangeAccount is the body of PATCH /accounts/{login}; what is left out stays.
type ChangeAccount struct {
	Disabled *bool  `json:"disabled,omitempty"`
	Password string `json:"password,omitempty"`
}

// ChangePassword is the body of POST /session/password.
type ChangePassword struct {
	Password string `json:"password"` // the present one
	New      string `json:"new"`
}

// Account is one account as operators see it.
type Account struct {
	ID        int64      `json:"id"`
	Login     string     `json:"login"`
	UID       string     `json:"uid,omitempty"`
	Role      string     `json:"role"`
	Wallet    bool       `json:"wallet"` // logs in by a signature of this address
	Shared    bool       `json:"shared"` // many owners' workers use it
	Disabled  bool       `json:"disabled"`
	CreatedAt time.Time  `json:"created_at"`           // by database time
	RevokedAt *time.Time `json:"revoked_at,omitempty"` // when tokens of before were last revoked
}

// Accounts is a page of GET /accounts, ascending by id.
type Accounts struct {
	Accounts []Account `json:"accounts"`
	Next     int64     `json:"next,omitempty"`
}

// FromAccount gives an account as JSON.
func FromAccount(a pool.Account) Account {
	out := Account{
		ID: int64(a.ID), Login: a.Login, UID: a.UID, Role: string(a.Role), Wallet: pool.IsWallet(a.Login), Shared: a.Shared, Disabled: a.Disabled, CreatedAt: a.Created,
	}
	if !a.Revoked.IsZero() {
		out.RevokedAt = &a.Revoked
	}
	return out
}
