// Package store owns the books: all SQL, its transactions, and the translation
// of the database's failures into pool's kinds. It takes decisions as callbacks
// and must not make any itself.
//
// One lock guards a work and everything that belongs to it: the work's row.
// Whoever changes a work, its ready row or its assignments locks the work first;
// works are locked in order of id, workers after works. The isolation level is
// READ COMMITTED (set in the server), so what is read after the lock is current.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/go-sql-driver/mysql"

	"workerpool/shared/pool"
)

// Config says where the database is.
type Config struct {
	Host string // host:port
	Name string
	// Credentials gives the user and password of each new connection, so that a
	// rotated password needs no restart.
	Credentials func(ctx context.Context) (user, password string, err error)
	Dial        func(ctx context.Context, network, address string) (net.Conn, error) // nil = plain TCP
	MaxConns    int                                                                  // 0 = 2: a Lambda sandbox serves one request at a time
}

// Store gives the books' statements. It is safe for concurrent use.
type Store struct {
	db      *sql.DB
	classes sync.Map // pool.ClassID -> pool.Demands; a class never changes
	stated  stated
}

// Open prepares the connection pool; it does not connect, so that a function
// starts while the database is away.
func Open(c Config) (*Store, error) {
	options := mysql.NewConfig()
	options.Net, options.Addr, options.DBName = "tcp", c.Host, c.Name
	options.Collation = "utf8mb4_bin"
	options.ParseTime, options.Loc = true, time.UTC
	options.InterpolateParams = true // one round trip a statement, and no pinning behind a proxy
	options.MultiStatements = true   // several statements in one round trip
	options.ClientFoundRows = true   // a row that is already as wanted counts: repeats are no lost races
	options.TLSConfig = "preferred"  // encrypted wherever the server can; RDS insists on it
	options.RejectReadOnly = true    // after a failover a connection may lead to the old primary
	options.Timeout, options.ReadTimeout, options.WriteTimeout = 5*time.Second, 25*time.Second, 10*time.Second
	options.DialFunc = c.Dial
	options.Logger = quiet{}
	err := options.Apply(mysql.BeforeConnect(func(ctx context.Context, each *mysql.Config) (err error) {
		each.User, each.Passwd, err = c.Credentials(ctx)
		return err
	}))
	if err != nil {
		return nil, fmt.Errorf("setting the database's options: %w", err)
	}
	connector, err := mysql.NewConnector(options)
	if err != nil {
		return nil, fmt.Errorf("reading the database's address: %w", err)
	}
	if c.MaxConns == 0 {
		c.MaxConns = 2
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(c.MaxConns)
	db.SetMaxIdleConns(c.MaxConns)
	db.SetConnMaxIdleTime(4 * time.Minute)
	db.SetConnMaxLifetime(10 * time.Minute)
	return &Store{db: db}, nil
}

// Close gives the connections back.
func (s *Store) Close() error { return s.db.Close() }

// quiet drops the driver's own log lines: every failure comes back as an error.
type quiet struct{}

func (quiet) Print(...any) {}

// MySQL and MariaDB error numbers that somebody decides by.
const (
	erDuplicate      = 1062
	erPacketTooLarge = 1153
	erOutOfRange     = 1690 // see statements.stopIf
	erLockWait       = 1205
	erDeadlock       = 1213
	erRecordChanged  = 1020 // MariaDB's snapshot isolation
	erTooManyConns   = 1040
	erShutdown       = 1053
	erReadOnly       = 1290
	erReadOnlyMode   = 1836
	erInterrupted    = 1317
	erKilled         = 1927
	erUserLimit      = 1203
	erTableMissing   = 1146
	erNoSuchDatabase = 1049
)

func number(err error) uint16 {
	var e *mysql.MySQLError
	if errors.As(err, &e) {
		return e.Number
	}
	return 0
}

// again tells that the same transaction may succeed when it is run once more.
func again(err error) bool {
	switch number(err) {
	case erDeadlock, erLockWait, erRecordChanged:
		return true
	}
	return false
}

// failure wraps an error with what was being done; what means "the database is
// away or busy" becomes pool.Unavailable.
func failure(doing string, err error) error {
	if err == nil {
		return nil
	}
	var known *pool.Error
	if errors.As(err, &known) {
		return err
	}
	if number(err) == erPacketTooLarge {
		return &pool.Error{Kind: pool.TooLarge, Message: "this is more than the database takes at once; send it in parts", Cause: err}
	}
	err = fmt.Errorf("%s: %w", doing, err)
	if errors.Is(err, context.Canceled) {
		return err
	}
	var network net.Error
	switch number(err) {
	case erDeadlock, erLockWait, erRecordChanged, erTooManyConns, erShutdown, erReadOnly, erReadOnlyMode, erInterrupted, erKilled,
		erUserLimit, erTableMissing, erNoSuchDatabase:
		return pool.Down("the database", err)
	}
	if errors.Is(err, mysql.ErrInvalidConn) || errors.Is(err, sql.ErrConnDone) || errors.Is(err, context.DeadlineExceeded) ||
		errors.As(err, &network) || isBadConn(err) {
		return pool.Down("the database", err)
	}
	return err
}
