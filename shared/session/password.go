package session

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"workerpool/shared/auth"
	"workerpool/shared/pool"
	"workerpool/shared/telemetry"
	"workerpool/shared/web"
	"workerpool/shared/wire"
)

// password serves POST /session/password.
func (s *Session) password(w http.ResponseWriter, r *http.Request) error {
	caller, err := web.CallerOf(r.Context())
	if err != nil {
		return err
	}
	var in wire.ChangePassword
	if _, err := web.Decode(r, maxBody, &in); err != nil {
		return err
	}
	if in.Password == "" {
		return pool.Refuse(pool.Invalid, "password", "the present password is needed")
	}
	token, who, err := s.ChangePassword(r.Context(), caller, in.Password, in.New)
	if err != nil {
		return err
	}
	return answer(w, token, who)
}

// ChangePassword gives the caller's own account a new password, ends all tokens of
// before, and gives one that is good. Errors: pool.Forbidden for a wrong present
// password, a worker's token and an account that many share; pool.Conflict for an
// account without a password; pool.Invalid for a new one that is refused;
// pool.Unauthenticated for an account that was disabled or changed meanwhile.
func (s *Session) ChangePassword(ctx context.Context, caller pool.Caller, present, next string) (token string, who pool.Account, err error) {
	if caller.Worker != 0 {
		return "", who, pool.Refuse(pool.Forbidden, "", "a worker's token is for its heartbeats: use the account's")
	}
	before, err := s.Accounts.AccountByLogin(ctx, caller.Login)
	if err != nil {
		return "", who, fmt.Errorf("changing a password: %w", err)
	}
	switch {
	case before.Shared:
		return "", who, pool.Refuse(pool.Forbidden, "", "many share this account: only an operator changes its password")
	case before.PasswordHash == "":
		return "", who, pool.Refuse(pool.Conflict, "", "this account has no password")
	}
	good, err := auth.CheckPassword(before.PasswordHash, present)
	if err != nil {
		return "", who, fmt.Errorf("changing the password of account %d: %w", before.ID, err)
	}
	if !good {
		slog.InfoContext(ctx, "wrong present password", telemetry.KeyAccount, before.ID)
		return "", who, pool.Refuse(pool.Forbidden, "password", "this is not the present password")
	}
	hash, err := auth.HashPassword(next)
	if err != nil {
		return "", who, named(err, "new")
	}
	trace := pool.Trace{Account: before.ID, RequestID: telemetry.RequestID(ctx)}
	who, err = s.Accounts.ChangeAccount(ctx, before.Login, trace, func(now pool.Account, operators int) (pool.Account, []string, error) {
		// Hashing takes a while. Whoever was disabled or revoked in it does not get in again.
		if now.ID != caller.Account || now.Disabled || now.Generation != caller.Generation || now.PasswordHash != before.PasswordHash {
			return now, nil, pool.Refuse(pool.Unauthenticated, "", "the account was changed meanwhile: log in again")
		}
		return now.Change(pool.AccountChange{PasswordHash: hash}, caller.Account, operators)
	})
	if err != nil {
		return "", pool.Account{}, fmt.Errorf("changing the password of account %d: %w", before.ID, err)
	}
	token, err = s.Tokens.Issue(ctx, callerOf(who))
	if err != nil {
		return "", pool.Account{}, fmt.Errorf("logging in account %d with its new password: %w", who.ID, err)
	}
	return token, who, nil
}

// named gives a refusal the name that its field has here.
func named(err error, field string) error {
	var refusal *pool.Error
	if errors.As(err, &refusal) {
		refusal.Field = field
	}
	return err
}
