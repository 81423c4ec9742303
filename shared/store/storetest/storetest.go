// Package storetest gives tests a real database: one private MariaDB server for
// a test binary, and an empty, migrated database for every test. It is imported
// by tests only.
package storetest

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"os"
	"sync/atomic"
	"testing"

	"github.com/go-sql-driver/mysql"

	"workerpool/infra/local/database"
	"workerpool/shared/store"
	"workerpool/shared/store/migrate"
)

var (
	server *database.Database
	serial atomic.Int64
)

// Main starts the server, runs a package's tests and leaves nothing behind. Call
// it from TestMain.
func Main(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "workerpool-store")
	if err != nil {
		fmt.Fprintln(os.Stderr, "making a folder for the database:", err)
		return 1
	}
	defer os.RemoveAll(dir)
	server, err = database.Start(database.Config{Dir: dir, Fast: true})
	if err != nil {
		fmt.Fprintln(os.Stderr, "starting the database:", err)
		return 1
	}
	defer server.Stop()
	return m.Run()
}

// Books is a test's database: the store under test and plain SQL beside it, for
// looking at what the store wrote.
type Books struct {
	*store.Store
	SQL    *sql.DB
	Config migrate.Config
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
	c := migrate.Config{Host: server.Addr(), Name: fmt.Sprintf("test_%d", serial.Add(1)), User: server.AdminUser(), Password: server.AdminPassword()}
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
	c := Empty(t)
	if _, err := migrate.Up(context.Background(), c); err != nil {
		t.Fatal(err)
	}
	config := store.Config{Host: c.Host, Name: c.Name, User: c.User, Password: c.Password, MaxConns: 8}
	for _, option := range options {
		option(&config)
	}
	s, err := store.Open(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return &Books{Store: s, SQL: plain(t, c, c.Name), Config: c}
}

func plain(t testing.TB, c migrate.Config, name string) *sql.DB {
	t.Helper()
	options := mysql.NewConfig()
	options.Net, options.Addr, options.User, options.Passwd, options.DBName = "tcp", c.Host, c.User, c.Password, name
	options.ParseTime, options.MultiStatements, options.Collation = true, true, "utf8mb4_bin"
	connector, err := mysql.NewConnector(options)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	t.Cleanup(func() { _ = db.Close() })
	return db
}
