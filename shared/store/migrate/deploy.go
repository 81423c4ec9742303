package migrate

import (
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
	return result, errors.Join(
		d.account(ctx, pool.Account{Login: logins["admin_login"], Role: pool.RoleOperator}, logins["admin_password"], "admin"),
		d.account(ctx, pool.Account{Login: logins["worker_login"], Role: pool.RoleWorker, Shared: true}, logins["worker_password"], "worker"))
}

// account makes or updates a bootstrap account; one that is already so is left
// alone, so that the audit trail tells of changes only.
func (d Deployment) account(ctx context.Context, a pool.Account, password, who string) error {
	if a.Login == "" {
		return fmt.Errorf("%s_login is missing in the bootstrap secret", who)
	}
	known, err := d.Accounts.AccountByLogin(ctx, a.Login)
	if err != nil && pool.KindOf(err) != pool.NotFound {
		return err
	}
	if err == nil && known.PasswordHash != "" && known.Role == a.Role && known.Shared == a.Shared {
		same, err := d.Check(known.PasswordHash, password)
		if err != nil || same {
			return err
		}
	}
	if a.PasswordHash, err = d.Hash(password); err != nil {
		return fmt.Errorf("%s_password in the bootstrap secret: %w", who, err)
	}
	return d.Accounts.PutAccount(ctx, a)
}
