// Package session is the flow of logging in: a login and its password for a
// token, and the change of one's own password. It must not tell anybody which logins exist, by words or by time.
package session

import (
	"context"
	"fmt"
	"log/slog"

	"workerpool/shared/auth"
	"workerpool/shared/pool"
	"workerpool/shared/telemetry"
)

// Accounts finds who can log in, and changes it.
type Accounts interface {
	// AccountByLogin gives pool.NotFound when there is no such account.
	AccountByLogin(ctx context.Context, login string) (pool.Account, error)
	// ChangeAccount stores what decide makes of an account, and gives it.
	ChangeAccount(ctx context.Context, login string, t pool.Trace, decide func(a pool.Account, operators int) (pool.Account, []string, error)) (pool.Account, error)
}

// Tokens makes tokens.
type Tokens interface {
	Issue(ctx context.Context, caller pool.Caller) (string, error)
}

// Config is what a Session needs.
type Config struct {
	Accounts Accounts
	Tokens   Tokens
	Meter    *telemetry.Meter
}

// Session logs accounts in.
type Session struct{ Config }

// New makes a Session.
func New(c Config) *Session { return &Session{c} }

// LogIn gives a token of the account with that login, if the password is its.
// Errors: pool.Unauthenticated, the same for an unknown login and a wrong
// password; pool.Forbidden for a disabled account, told only to who knows its
// password; pool.Unavailable.
func (s *Session) LogIn(ctx context.Context, login, password string) (token string, who pool.Account, err error) {
	token, who, err = s.logIn(ctx, login, password)
	counted := telemetry.Logins
	switch pool.KindOf(err) {
	case pool.Unauthenticated, pool.Forbidden:
		counted = telemetry.LoginsRefused
	case pool.Unavailable:
		counted = telemetry.DependencyFailures
	}
	if err == nil || pool.KindOf(err) != "" {
		if lost := s.Meter.Record(telemetry.N(counted, 1)); lost != nil {
			slog.WarnContext(ctx, "login not counted", telemetry.KeyError, lost)
		}
	}
	return token, who, err
}

func (s *Session) logIn(ctx context.Context, login, password string) (string, pool.Account, error) {
	account, err := s.Accounts.AccountByLogin(ctx, login)
	if pool.KindOf(err) == pool.NotFound || (err == nil && account.PasswordHash == "") {
		auth.CheckNobody(password)
		return "", pool.Account{}, refuse()
	}
	if err != nil {
		return "", pool.Account{}, fmt.Errorf("logging in: %w", err)
	}
	good, err := auth.CheckPassword(account.PasswordHash, password)
	if err != nil {
		return "", pool.Account{}, fmt.Errorf("logging in account %d: %w", account.ID, err)
	}
	if !good {
		slog.InfoContext(ctx, "wrong password", telemetry.KeyAccount, account.ID)
		return "", pool.Account{}, refuse()
	}
	if account.Disabled {
		slog.InfoContext(ctx, "login of a disabled account", telemetry.KeyAccount, account.ID)
		return "", pool.Account{}, pool.Refuse(pool.Forbidden, "", "this account is disabled")
	}
	token, err := s.Tokens.Issue(ctx, callerOf(account))
	if err != nil {
		return "", pool.Account{}, fmt.Errorf("logging in account %d: %w", account.ID, err)
	}
	slog.InfoContext(ctx, "logged in", telemetry.KeyAccount, account.ID)
	return token, account, nil
}

// callerOf is whom a token of an account stands for.
func callerOf(a pool.Account) pool.Caller {
	return pool.Caller{Account: a.ID, Role: a.Role, Login: a.Login, Generation: a.Generation}
}

func refuse() error {
	return pool.Refuse(pool.Unauthenticated, "", "login and password do not fit")
}
