package store

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"

	"workerpool/shared/pool"
)

const accountColumns = "id, login, uid, role, shared, password_hash, bootstrap_hash, disabled, generation, created_at, revoked_at"

// scanAccount reads accountColumns from a row.
func scanAccount(scan func(...any) error) (pool.Account, error) {
	var a pool.Account
	var uid sql.NullString
	var revoked sql.NullTime
	err := scan(&a.ID, &a.Login, &uid, &a.Role, &a.Shared, &a.PasswordHash, &a.Bootstrap, &a.Disabled, &a.Generation, &a.Created, &revoked)
	a.UID, a.Revoked = uid.String, orZero(revoked)
	return a, err
}

func noAccount() error { return pool.Refuse(pool.NotFound, "login", "no such account") }

// named gives the column and the value by which an account is found: its login, or
// its uid behind pool.UIDPrefix.
func named(name string) (column, value string) {
	if uid, ok := strings.CutPrefix(name, pool.UIDPrefix); ok {
		return "uid", uid
	}
	return "login", name
}

// AccountByLogin finds an account by its login alone; pool.NotFound when there is none.
func (s *Store) AccountByLogin(ctx context.Context, login string) (pool.Account, error) {
	return s.account(ctx, "login", login)
}

// Account finds an account by its login or, as "uid:...", its uid; pool.NotFound
// when there is none.
func (s *Store) Account(ctx context.Context, name string) (pool.Account, error) {
	column, value := named(name)
	return s.account(ctx, column, value)
}

func (s *Store) account(ctx context.Context, column, value string) (pool.Account, error) {
	a, err := scanAccount(s.db.QueryRowContext(ctx, "SELECT "+accountColumns+" FROM account WHERE "+column+" = ?", value).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return pool.Account{}, noAccount()
	}
	return a, failure("finding an account", err)
}

// Accounts gives at most limit accounts with ids above after, ascending.
func (s *Store) Accounts(ctx context.Context, after pool.AccountID, limit int) ([]pool.Account, error) {
	rows, err := s.db.QueryContext(ctx, "SELECT "+accountColumns+" FROM account WHERE id > ? ORDER BY id LIMIT ?", int64(after), limit)
	if err != nil {
		return nil, failure("listing accounts", err)
	}
	defer rows.Close()
	var out []pool.Account
	for rows.Next() {
		a, err := scanAccount(rows.Scan)
		if err != nil {
			return nil, failure("listing accounts", err)
		}
		out = append(out, a)
	}
	return out, failure("listing accounts", rows.Err())
}

// CreateAccount makes an account and gives it; pool.Conflict when its login or uid is
// another's. Two round trips.
func (s *Store) CreateAccount(ctx context.Context, a pool.Account, t pool.Trace) (pool.Account, error) {
	err := s.transact(ctx, "making an account", func(conn *sql.Conn) error {
		b := &statements{}
		b.add("START TRANSACTION")
		b.add("INSERT INTO account (login, uid, role, shared, password_hash, created_at) VALUES (?, ?, ?, ?, ?, UTC_TIMESTAMP(6))",
			a.Login, orNull(a.UID), string(a.Role), a.Shared, a.PasswordHash)
		b.add(`INSERT INTO event (at, kind, account_id, request_id, data)
			VALUES (UTC_TIMESTAMP(6), 'account.created', ?, ?, JSON_OBJECT('account', LAST_INSERT_ID(), 'login', ?, 'role', ?))`,
			int64(t.Account), t.RequestID, a.Login, string(a.Role))
		b.add("COMMIT")
		return taken(exec(ctx, conn, b))
	})
	if err != nil {
		return pool.Account{}, err
	}
	return s.AccountByLogin(ctx, a.Login)
}

// taken makes pool.Conflict of a login or a uid that another account has.
func taken(err error) error {
	var e *mysql.MySQLError
	if !errors.As(err, &e) || e.Number != erDuplicate {
		return err
	}
	field := "login"
	if strings.HasSuffix(e.Message, "account_uid'") { // the key's name is the last word
		field = "uid"
	}
	return &pool.Error{Kind: pool.Conflict, Field: field, Message: "another account has this " + field, Cause: err}
}

// ChangeAccount makes of an account, found by its login or "uid:...", what decide
// makes of it, notes what was done, and gives it; pool.NotFound when there is none.
// decide is told how many enabled operators there are, and may be asked again. When
// it raises the generation, tokens of before are revoked. No two changes of an
// operator are decided upon at once. Two round trips, one when nothing is done.
func (s *Store) ChangeAccount(ctx context.Context, name string, t pool.Trace, decide func(a pool.Account, operators int) (pool.Account, []string, error)) (pool.Account, error) {
	column, value := named(name)
	var after pool.Account
	err := s.transact(ctx, "changing an account", func(conn *sql.Conn) error {
		before, operators, err := lockAccount(ctx, conn, column, value)
		if err != nil {
			return err
		}
		var done []string
		if after, done, err = decide(before, operators); err != nil {
			return err
		}
		b := &statements{}
		if len(done) > 0 {
			revoked := after.Generation > before.Generation
			b.add("UPDATE account SET disabled = ?, password_hash = ?, generation = ?, revoked_at = IF(?, UTC_TIMESTAMP(6), revoked_at) WHERE id = ?",
				after.Disabled, after.PasswordHash, after.Generation, revoked, int64(before.ID))
		}
		for _, kind := range done {
			b.add("INSERT INTO event (at, kind, account_id, request_id, data) VALUES (UTC_TIMESTAMP(6), ?, ?, ?, JSON_OBJECT('account', ?, 'login', ?))",
				kind, int64(t.Account), t.RequestID, int64(before.ID), before.Login)
		}
		b.add("SELECT revoked_at FROM account WHERE id = ?", int64(before.ID))
		b.add("COMMIT")
		out, err := query(ctx, conn, b)
		if err != nil {
			return err
		}
		var at sql.NullTime
		_, err = out.one(&at)
		after.Revoked = orZero(at)
		return errors.Join(err, out.close())
	})
	if err != nil {
		return pool.Account{}, err
	}
	return after, nil
}

// lockAccount begins a transaction, locks the operators, in order, and the account,
// and gives it with the number of operators that are enabled.
func lockAccount(ctx context.Context, conn *sql.Conn, column, value string) (a pool.Account, operators int, err error) {
	b := &statements{}
	b.add("START TRANSACTION")
	b.add("SELECT disabled FROM account FORCE INDEX (account_by_role) WHERE role = 'operator' ORDER BY id FOR UPDATE")
	b.add("SELECT "+accountColumns+" FROM account WHERE "+column+" = ? FOR UPDATE", value)
	out, err := query(ctx, conn, b)
	if err != nil {
		return a, 0, err
	}
	err = out.each(func(rows *sql.Rows) error {
		var disabled bool
		err := rows.Scan(&disabled)
		if !disabled {
			operators++
		}
		return err
	})
	if err == nil {
		err = out.each(func(rows *sql.Rows) (err error) {
			a, err = scanAccount(rows.Scan)
			return err
		})
	}
	if err = errors.Join(err, out.close()); err == nil && a.ID == 0 {
		err = noAccount()
	}
	return a, operators, err
}

// Revoked gives the generations of the accounts that had theirs raised within a
// time: tokens of an earlier one are revoked. One round trip.
func (s *Store) Revoked(ctx context.Context, within time.Duration) (map[pool.AccountID]int, error) {
	rows, err := s.db.QueryContext(ctx, "SELECT id, generation FROM account FORCE INDEX (account_revoked) WHERE revoked_at > UTC_TIMESTAMP(6) - INTERVAL ? MICROSECOND",
		within.Microseconds())
	if err != nil {
		return nil, failure("asking what was revoked", err)
	}
	defer rows.Close()
	out := map[pool.AccountID]int{}
	for rows.Next() {
		var id pool.AccountID
		var generation int
		if err := rows.Scan(&id, &generation); err != nil {
			return nil, failure("asking what was revoked", err)
		}
		out[id] = generation
	}
	return out, failure("asking what was revoked", rows.Err())
}

// PutAccount makes an account, or gives the one with that login this uid, role,
// sharing, passwords and being enabled or not. A uid that another had is taken from
// it. Another role or password, or being disabled, revokes the tokens of before.
func (s *Store) PutAccount(ctx context.Context, a pool.Account) error {
	return s.transact(ctx, "storing an account", func(conn *sql.Conn) error {
		uid := orNull(a.UID)
		b := &statements{}
		b.add("START TRANSACTION")
		b.add("UPDATE account SET uid = NULL WHERE uid = ? AND login <> ?", uid, a.Login)
		// Assigned from left to right: what is compared is still as it was before.
		b.add(`INSERT INTO account (login, uid, role, shared, password_hash, bootstrap_hash, disabled, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, UTC_TIMESTAMP(6))
			ON DUPLICATE KEY UPDATE revoked_at = IF(role <> ? OR password_hash <> ? OR disabled < ?, UTC_TIMESTAMP(6), revoked_at),
				generation = generation + (role <> ? OR password_hash <> ? OR disabled < ?),
				uid = ?, role = ?, shared = ?, password_hash = ?, bootstrap_hash = ?, disabled = ?`,
			a.Login, uid, string(a.Role), a.Shared, a.PasswordHash, a.Bootstrap, a.Disabled, string(a.Role), a.PasswordHash, a.Disabled,
			string(a.Role), a.PasswordHash, a.Disabled, uid, string(a.Role), a.Shared, a.PasswordHash, a.Bootstrap, a.Disabled)
		b.add("INSERT INTO event (at, kind, data) VALUES (UTC_TIMESTAMP(6), 'account.put', ?)", a.Login)
		b.add("COMMIT")
		return exec(ctx, conn, b)
	})
}
