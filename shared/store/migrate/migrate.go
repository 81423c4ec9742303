// Package migrate brings the database to the schema this code was built with and
// makes the pool's database user. It owns goose and data definition; rows are
// store's.
package migrate

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/pressly/goose/v3"

	"workerpool/shared/pool"
	"workerpool/shared/store/migrations"
)

// Config says where the database is and who may define it.
type Config struct {
	Host     string // host:port
	Name     string // made when absent
	User     string // may create databases, tables and users
	Password string
}

// Result tells what was done.
type Result struct {
	Version int64 `json:"version"` // of the schema now
	Applied int   `json:"applied"` // steps that were missing
}

var nameForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,31}$`)

// Up makes the database if it is absent, sees that the server is set up as the
// store needs it, and applies the missing steps. It may be run at any time.
func Up(ctx context.Context, c Config) (Result, error) {
	return UpTo(ctx, c, migrations.Files, 0)
}

// UpTo is Up with given steps, up to a version; 0 is the last.
func UpTo(ctx context.Context, c Config, steps fs.FS, version int64) (Result, error) {
	if !nameForm.MatchString(c.Name) {
		return Result{}, fmt.Errorf("DBNAME %q: a letter, then letters, digits and underscores, at most 32", c.Name)
	}
	server, err := open(c, "")
	if err != nil {
		return Result{}, err
	}
	defer server.Close()
	if err := checkServer(ctx, server); err != nil {
		return Result{}, err
	}
	if _, err := server.ExecContext(ctx, "CREATE DATABASE IF NOT EXISTS `"+c.Name+"` CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"); err != nil {
		return Result{}, fmt.Errorf("making database %s: %w", c.Name, err)
	}
	done, err := takeTurn(ctx, server, c.Name)
	if err != nil {
		return Result{}, err
	}
	defer done()
	db, err := open(c, c.Name)
	if err != nil {
		return Result{}, err
	}
	defer db.Close()
	provider, err := goose.NewProvider(goose.DialectMySQL, db, steps)
	if err != nil {
		return Result{}, fmt.Errorf("reading the migrations: %w", err)
	}
	var applied []*goose.MigrationResult
	if version == 0 {
		applied, err = provider.Up(ctx)
	} else {
		applied, err = provider.UpTo(ctx, version)
	}
	if err != nil {
		return Result{}, fmt.Errorf("applying the migrations: %w", err)
	}
	now, err := provider.GetDBVersion(ctx)
	if err != nil {
		return Result{}, fmt.Errorf("reading the schema's version: %w", err)
	}
	return Result{Version: now, Applied: len(applied)}, nil
}

const turnLimit = 5 * time.Minute // longer than any run of the steps

// takeTurn waits until no other run is at the same database. The turn is an
// advisory lock of a connection that is used for nothing else: it ends with the
// connection, so a run that died blocks nobody. (goose's own lockers begin after
// it has looked at the version; the first runs of a database meet before that.)
func takeTurn(ctx context.Context, server *sql.DB, name string) (done func(), err error) {
	conn, err := server.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("waiting for other migrations: %w", err)
	}
	lock := "migrate " + name
	var got sql.NullInt64
	if err := conn.QueryRowContext(ctx, "SELECT GET_LOCK(?, ?)", lock, int64(turnLimit/time.Second)).Scan(&got); err != nil {
		return nil, errors.Join(fmt.Errorf("waiting for other migrations: %w", err), conn.Close())
	}
	if got.Int64 != 1 {
		return nil, errors.Join(fmt.Errorf("another migration has run for %s and has not ended", turnLimit), conn.Close())
	}
	return func() {
		// What fails here ends with the connection, which the caller closes.
		_, _ = conn.ExecContext(context.WithoutCancel(ctx), "DO RELEASE_LOCK(?)", lock)
		_ = conn.Close()
	}, nil
}

func open(c Config, database string) (*sql.DB, error) {
	options := mysql.NewConfig()
	options.Net, options.Addr, options.User, options.Passwd, options.DBName = "tcp", c.Host, c.User, c.Password, database
	options.Collation, options.ParseTime, options.Loc = "utf8mb4_bin", true, time.UTC
	options.InterpolateParams, options.TLSConfig, options.Timeout = true, "preferred", 5*time.Second
	connector, err := mysql.NewConnector(options)
	if err != nil {
		return nil, fmt.Errorf("reading the database's address: %w", err)
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(1) // what one connection is told, such as a lock, holds for what follows
	return db, nil
}

// checkServer refuses a server whose settings would break the store's promises.
func checkServer(ctx context.Context, db *sql.DB) error {
	rows, err := db.QueryContext(ctx, `SHOW GLOBAL VARIABLES WHERE Variable_name IN ('transaction_isolation', 'tx_isolation', 'sql_mode')`)
	if err != nil {
		return pool.Down("the database", fmt.Errorf("reading the server's settings: %w", err))
	}
	defer rows.Close()
	var faults []error
	for rows.Next() {
		var name, value string
		if err := rows.Scan(&name, &value); err != nil {
			return fmt.Errorf("reading the server's settings: %w", err)
		}
		switch {
		case strings.HasSuffix(name, "isolation") && value != "READ-COMMITTED":
			faults = append(faults, fmt.Errorf("the server's %s is %s: set READ-COMMITTED in its parameter group", name, value))
		case name == "sql_mode" && !strings.Contains(value, "STRICT_TRANS_TABLES"):
			faults = append(faults, fmt.Errorf("the server's sql_mode is %q: add STRICT_TRANS_TABLES in its parameter group", value))
		}
	}
	return errors.Join(append(faults, rows.Err())...)
}

// User makes the database user the functions connect with, or gives it this
// password; it may read and write rows of the pool's database and nothing else.
func User(ctx context.Context, c Config, user, password string) error {
	if !nameForm.MatchString(user) {
		return fmt.Errorf("the pool's database user %q: a letter, then letters, digits and underscores, at most 32", user)
	}
	db, err := open(c, c.Name)
	if err != nil {
		return err
	}
	defer db.Close()
	for _, statement := range []struct {
		text string
		args []any
	}{
		{"CREATE USER IF NOT EXISTS '" + user + "'@'%' IDENTIFIED BY ?", []any{password}},
		{"ALTER USER '" + user + "'@'%' IDENTIFIED BY ?", []any{password}},
		{"GRANT SELECT, INSERT, UPDATE, DELETE ON `" + c.Name + "`.* TO '" + user + "'@'%'", nil},
	} {
		if _, err := db.ExecContext(ctx, statement.text, statement.args...); err != nil {
			return fmt.Errorf("making the pool's database user %s: %w", user, err)
		}
	}
	return nil
}
