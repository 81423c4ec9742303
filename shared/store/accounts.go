package store

import (
	"context"
	"database/sql"
	"errors"

	"workerpool/shared/pool"
)

// AccountByLogin finds an account; pool.NotFound when there is none.
func (s *Store) AccountByLogin(ctx context.Context, login string) (pool.Account, error) {
	var a pool.Account
	err := s.db.QueryRowContext(ctx,
		"SELECT id, login, role, shared, password_hash, disabled FROM account WHERE login = ?", login).
		Scan(&a.ID, &a.Login, &a.Role, &a.Shared, &a.PasswordHash, &a.Disabled)
	if errors.Is(err, sql.ErrNoRows) {
		return a, pool.Refuse(pool.NotFound, "login", "no such account")
	}
	return a, failure("finding an account", err)
}

// PutAccount makes an account, or gives the one with that login this role,
// sharing and password.
func (s *Store) PutAccount(ctx context.Context, a pool.Account) error {
	return s.transact(ctx, "storing an account", func(conn *sql.Conn) error {
		b := &statements{}
		b.add("START TRANSACTION")
		b.add(`INSERT INTO account (login, role, shared, password_hash, disabled, created_at) VALUES (?, ?, ?, ?, ?, UTC_TIMESTAMP(6))
			ON DUPLICATE KEY UPDATE role = ?, shared = ?, password_hash = ?, disabled = ?`,
			a.Login, string(a.Role), a.Shared, a.PasswordHash, a.Disabled, string(a.Role), a.Shared, a.PasswordHash, a.Disabled)
		b.add("INSERT INTO event (at, kind, data) VALUES (UTC_TIMESTAMP(6), 'account.put', ?)", a.Login)
		b.add("COMMIT")
		return exec(ctx, conn, b)
	})
}
