package migrate

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"workerpool/shared/pool"
)

// Accounts is where the bootstrap accounts go.
type Accounts interface {
	AccountByLogin(ctx context.Context, login string) (pool.Account, error)
	PutAccount(ctx context.Context, a pool.Account) error
}

// Credentials gives a database user and its password.
type Credentials func(ctx context.Context) (user, password string, err error)

// Deployment is all that a deployment sets up in the database.
type Deployment struct {
	Host, Name string
	Admin      Credentials // may define the database
	User       Credentials // the functions connect as
	Bootstrap  func(ctx context.Context) (map[string]string, error)
	Accounts   Accounts
	Hash       func(password string) (string, error)
	Check      func(hash, password string) (bool, error)
}

// Deploy brings the schema up, makes the functions' database user and the
// bootstrap accounts of operator and workers. Repeated it changes nothing, or
// what the secrets have changed.
func Deploy(ctx context.Context, d Deployment) (Result, error) {
	admin, adminPassword, err := d.Admin(ctx)
	if err != nil {
		return Result{}, fmt.Errorf("reading the database's admin: %w", err)
	}
	user, userPassword, err := d.User(ctx)
	if err != nil {
		return Result{}, fmt.Errorf("reading the pool's database user: %w", err)
	}
	logins, err := d.Bootstrap(ctx)
	if err != nil {
		return Result{}, fmt.Errorf("reading the bootstrap accounts: %w", err)
	}
	c := Config{Host: d.Host, Name: d.Name, User: admin, Password: adminPassword}
	result, err := Up(ctx, c)
	if err != nil {
		return Result{}, err
	}
	if err := User(ctx, c, user, userPassword); err != nil {
		return Result{}, err
	}
	if logins["admin_login"] == logins["worker_login"] || logins["admin_uid"] != "" && logins["admin_uid"] == logins["worker_uid"] {
		return Result{}, errors.New("operator and workers have one login or one uid in the bootstrap secret: they are two accounts")
	}
	return result, errors.Join(
		d.account(ctx, pool.Account{Role: pool.RoleOperator}, logins, "admin"),
		d.account(ctx, pool.Account{Role: pool.RoleWorker, Shared: true}, logins, "worker"))
}

// account makes or updates a bootstrap account. One that is already so is left
// alone, so that the audit trail tells of changes only. Only a password that is new
// in the secret is taken over: one that was changed in the pool stays, and so does
// being disabled, until then.
func (d Deployment) account(ctx context.Context, a pool.Account, secret map[string]string, who string) error {
	a.Login, a.UID = secret[who+"_login"], secret[who+"_uid"]
	if err := pool.CheckLogin(a.Login); err != nil {
		return fmt.Errorf("%s_login in the bootstrap secret: %w", who, err)
	}
	if a.UID != "" {
		if err := pool.CheckUID(a.UID); err != nil {
			return fmt.Errorf("%s_uid in the bootstrap secret: %w", who, err)
		}
	}
	known, err := d.Accounts.AccountByLogin(ctx, a.Login)
	if err != nil && pool.KindOf(err) != pool.NotFound {
		return err
	}
	password, given := secret[who+"_password"], cmp.Or(known.Bootstrap, known.PasswordHash)
	same := false
	if given != "" {
		if same, err = d.Check(given, password); err != nil {
			return err
		}
	}
	if same {
		a.PasswordHash, a.Bootstrap, a.Disabled = known.PasswordHash, given, known.Disabled
	} else {
		if a.PasswordHash, err = d.Hash(password); err != nil {
			return fmt.Errorf("%s_password in the bootstrap secret: %w", who, err)
		}
		a.Bootstrap = a.PasswordHash
	}
	if same && known.Bootstrap == given && known.Role == a.Role && known.Shared == a.Shared && known.UID == a.UID {
		return nil
	}
	return d.Accounts.PutAccount(ctx, a)
}
