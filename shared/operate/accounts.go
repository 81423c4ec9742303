package operate

import (
	"context"
	"net/http"

	"workerpool/shared/auth"
	"workerpool/shared/pool"
	"workerpool/shared/web"
	"workerpool/shared/wire"
)

// Accounts is who can log in. A name is a login, or "uid:" and a uid; pool.NotFound
// when nobody has it.
type Accounts interface {
	Accounts(ctx context.Context, after pool.AccountID, limit int) ([]pool.Account, error)
	Account(ctx context.Context, name string) (pool.Account, error)
	// CreateAccount gives pool.Conflict when another has the login or the uid.
	CreateAccount(ctx context.Context, a pool.Account, t pool.Trace) (pool.Account, error)
	// ChangeAccount stores what decide makes of an account, and gives it.
	ChangeAccount(ctx context.Context, name string, t pool.Trace, decide func(a pool.Account, operators int) (pool.Account, []string, error)) (pool.Account, error)
}

func (o *Operate) listAccounts(w http.ResponseWriter, r *http.Request) error {
	if _, err := web.CallerAs(r.Context(), pool.RoleOperator); err != nil {
		return err
	}
	after, limit, err := page(r)
	if err != nil {
		return err
	}
	// One more tells whether there is a next page.
	accounts, err := o.Accounts.Accounts(r.Context(), pool.AccountID(after), limit+1)
	if err != nil {
		return err
	}
	out := wire.Accounts{Accounts: []wire.Account{}}
	if len(accounts) > limit {
		accounts = accounts[:limit]
		out.Next = int64(accounts[limit-1].ID)
	}
	for _, a := range accounts {
		out.Accounts = append(out.Accounts, wire.FromAccount(a))
	}
	return web.WriteJSON(w, http.StatusOK, out)
}

func (o *Operate) createAccount(w http.ResponseWriter, r *http.Request) error {
	caller, err := web.CallerAs(r.Context(), pool.RoleOperator)
	if err != nil {
		return err
	}
	var in wire.NewAccount
	if _, err := web.Decode(r, maxBody, &in); err != nil {
		return err
	}
	account, err := in.Parse()
	if err != nil {
		return err
	}
	if in.Password != "" {
		if account.PasswordHash, err = auth.HashPassword(in.Password); err != nil {
			return err
		}
	}
	made, err := o.Accounts.CreateAccount(r.Context(), account, trace(r, caller))
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusCreated, wire.FromAccount(made))
}

func (o *Operate) showAccount(w http.ResponseWriter, r *http.Request) error {
	_, name, err := asked(r)
	if err != nil {
		return err
	}
	account, err := o.Accounts.Account(r.Context(), name)
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, wire.FromAccount(account))
}

func (o *Operate) changeAccount(w http.ResponseWriter, r *http.Request) error {
	caller, name, err := asked(r)
	if err != nil {
		return err
	}
	var in wire.ChangeAccount
	if _, err := web.Decode(r, maxBody, &in); err != nil {
		return err
	}
	if in == (wire.ChangeAccount{}) {
		return pool.Refuse(pool.Invalid, "", "nothing is to be changed: disabled and password can be")
	}
	change := pool.AccountChange{Disabled: in.Disabled}
	if in.Password != "" {
		if change.PasswordHash, err = auth.HashPassword(in.Password); err != nil {
			return err
		}
	}
	return o.change(w, r, caller, name, change)
}

func (o *Operate) revokeAccount(w http.ResponseWriter, r *http.Request) error {
	caller, name, err := asked(r)
	if err != nil {
		return err
	}
	return o.change(w, r, caller, name, pool.AccountChange{Revoke: true})
}

func (o *Operate) change(w http.ResponseWriter, r *http.Request, caller pool.Caller, name string, change pool.AccountChange) error {
	account, err := o.Accounts.ChangeAccount(r.Context(), name, trace(r, caller), func(a pool.Account, operators int) (pool.Account, []string, error) {
		return a.Change(change, caller.Account, operators)
	})
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, wire.FromAccount(account))
}
