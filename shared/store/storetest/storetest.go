// Package storetest gives tests a real database: one private server for a test
// binary, or the one that database.Choice names, and an empty, migrated database
// for every test. It is imported by tests only.
package storetest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/go-sql-driver/mysql"

	"workerpool/infra/local/database"
	"workerpool/shared/store"
	"workerpool/shared/store/migrate"
)

var (
	server migrate.Config // whose Name is nothing yet
	serial atomic.Int64
	// mark tells this process's databases from those of others on a given server.
	mark = strings.ToLower(rand.Text()[:8])
)

// Main starts the server unless one is given, runs a package's tests and leaves nothing behind. Call
// it from TestMain.
func Main(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	if given := database.Given(); given != "" {
		c, err := mysql.ParseDSN(given)
		if err != nil {
			fmt.Fprintln(os.Stderr, "reading "+database.Choice+":", err)
			return 1
		}
		server = migrate.Config{Host: c.Addr, User: c.User, Password: c.Passwd}
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "workerpool-store")
	if err != nil {
		fmt.Fprintln(os.Stderr, "making a folder for the database:", err)
		return 1
	}
	defer os.RemoveAll(dir)
	started, err := database.Start(database.Config{Dir: dir, Fast: true})
	if err != nil {
		fmt.Fprintln(os.Stderr, "starting the database:", err)
		return 1
	}
	defer started.Kill() // its files go with it
	server = configOf(started)
	return m.Run()
}

// Books is a test's database: the store under test and plain SQL beside it, for
// looking at what the store wrote.
type Books struct {
	*store.Store
	SQL    *sql.DB
	Config migrate.Config
	audit  *Audit
}

// Option changes how the store connects.
type Option func(*store.Config)

// Dial lets a test see or disturb every connection.
func Dial(dial func(ctx context.Context, network, address string) (net.Conn, error)) Option {
	return func(c *store.Config) { c.Dial = dial }
}

// Conns sets the size of the connection pool (8 otherwise).
func Conns(n int) Option { return func(c *store.Config) { c.MaxConns = n } }

// Empty gives a database without tables.
func Empty(t testing.TB) migrate.Config {
	t.Helper()
	c := named(server)
	t.Cleanup(func() {
		db := plain(t, c, "")
		if _, err := db.Exec("DROP DATABASE IF EXISTS `" + c.Name + "`"); err != nil {
			t.Errorf("dropping the test's database: %v", err)
		}
	})
	return c
}

// New gives an empty, migrated database.
func New(t testing.TB, options ...Option) *Books {
	t.Helper()
	return books(t, Empty(t), options)
}

// Own gives an empty, migrated database on a server of its own, for tests that
// stop it, change its settings or read its counters. It is never a given one.
func Own(t testing.TB, options ...Option) (*Books, *database.Database) {
	t.Helper()
	own, err := database.Start(database.Config{Dir: t.TempDir(), Fast: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(own.Kill)
	return books(t, named(configOf(own)), options), own
}

func configOf(d *database.Database) migrate.Config {
	return migrate.Config{Host: d.Addr(), User: d.AdminUser(), Password: d.AdminPassword()}
}

func named(c migrate.Config) migrate.Config {
	c.Name = fmt.Sprintf("test_%s_%d", mark, serial.Add(1))
	return c
}

func books(t testing.TB, c migrate.Config, options []Option) *Books {
	t.Helper()
	if _, err := migrate.Up(context.Background(), c); err != nil {
		t.Fatal(err)
	}
	config := store.Config{Host: c.Host, Name: c.Name, Credentials: As(c.User, c.Password), MaxConns: 8}
	for _, option := range options {
		option(&config)
	}
	s, err := store.Open(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	b := &Books{Store: s, SQL: plain(t, c, c.Name), Config: c}
	b.audit = NewAudit(b.SQL)
	return b
}

// Apart gives another store of the same books, with connections of its own: what it
// asks is neither counted nor disturbed.
func (b *Books) Apart(t testing.TB) *store.Store {
	t.Helper()
	s, err := store.Open(store.Config{Host: b.Config.Host, Name: b.Config.Name, Credentials: As(b.Config.User, b.Config.Password), MaxConns: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// As gives fixed credentials.
func As(user, password string) func(context.Context) (string, string, error) {
	return func(context.Context) (string, string, error) { return user, password, nil }
}

func plain(t testing.TB, c migrate.Config, name string) *sql.DB {
	t.Helper()
	options := mysql.NewConfig()
	options.Net, options.Addr, options.User, options.Passwd, options.DBName = "tcp", c.Host, c.User, c.Password, name
	options.ParseTime, options.MultiStatements, options.Collation = true, true, "utf8mb4_bin"
	options.Logger = &mysql.NopLogger{} // tests stop servers
	connector, err := mysql.NewConnector(options)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	t.Cleanup(func() { _ = db.Close() })
	return db
}
