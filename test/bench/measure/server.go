package measure

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"

	"workerpool/infra/local/database"
)

// Server is the one database server of a run. Every commit is on the disk, in
// redo log and binary log, before it is answered, as RDS does it with backups on.
type Server struct {
	*database.Database
	PID     int
	Version string

	statements *sql.DB // where a profile is read; nil = none is taken
	kinds      map[string]kind
	measured   int // works or calls
}

// production are the settings in which the pool's server differs from the one
// that `make run` starts: the binary log, synced, and memory for the tables.
var production = []string{
	"--log-bin=binlog", "--server-id=1", "--sync-binlog=1", "--innodb-flush-log-at-trx-commit=1",
	"--innodb-buffer-pool-size=2G",
}

// StartServer starts one in a folder; with profile it can tell what statements of
// each kind take.
func StartServer(ctx context.Context, dir string, profile bool) (*Server, error) {
	schema, log := "--performance-schema=OFF", "--innodb-log-file-size=1G"
	if profile {
		schema = "--performance-schema=ON"
	}
	if os.Getenv(database.Choice) != "" {
		log = "--innodb-redo-log-capacity=1G"
	}
	arguments := slices.Concat(production, []string{schema, log})
	started, err := database.Start(database.Config{Dir: dir, Arguments: arguments})
	if err != nil {
		return nil, err
	}
	s := &Server{Database: started, kinds: map[string]kind{}}
	if profile {
		s.statements, err = s.Connect("performance_schema", 1)
	}
	if err := errors.Join(err, s.look(ctx, dir)); err != nil {
		started.Kill()
		return nil, err
	}
	return s, nil
}

// look finds the server's process and holds it to what production means.
func (s *Server) look(ctx context.Context, dir string) error {
	found, err := filepath.Glob(filepath.Join(dir, "data*", "server.pid"))
	if err != nil || len(found) != 1 {
		return fmt.Errorf("finding the database's process: %d files server.pid in %s: %w", len(found), dir, err)
	}
	text, err := os.ReadFile(found[0])
	if err != nil {
		return fmt.Errorf("finding the database's process: %w", err)
	}
	if s.PID, err = strconv.Atoi(strings.TrimSpace(string(text))); err != nil {
		return fmt.Errorf("finding the database's process: %w", err)
	}
	db, err := s.Connect("", 1)
	if err != nil {
		return err
	}
	defer db.Close()
	var flush, sync, binlog, isolation string
	err = db.QueryRowContext(ctx, "SELECT VERSION(), @@innodb_flush_log_at_trx_commit, @@sync_binlog, @@log_bin, @@transaction_isolation").
		Scan(&s.Version, &flush, &sync, &binlog, &isolation)
	if strings.Contains(fmt.Sprint(err), "Unknown system variable") { // MariaDB's name of it
		err = db.QueryRowContext(ctx, "SELECT VERSION(), @@innodb_flush_log_at_trx_commit, @@sync_binlog, @@log_bin, @@tx_isolation").
			Scan(&s.Version, &flush, &sync, &binlog, &isolation)
	}
	if err != nil {
		return fmt.Errorf("reading the database's settings: %w", err)
	}
	if got := flush + " " + sync + " " + binlog + " " + isolation; got != "1 1 1 READ-COMMITTED" {
		return fmt.Errorf("the database is not as in production: flush_log, sync_binlog, log_bin and isolation are %s", got)
	}
	return nil
}

// Connect opens a database of the server as the store does; "" = none.
func (s *Server) Connect(name string, conns int) (*sql.DB, error) {
	return connect(s.Addr(), s.AdminUser(), s.AdminPassword(), name, conns)
}

// kind is what statements of one kind took the server.
type kind struct {
	times int
	took  time.Duration // on the server's clock: waiting included
}

// Measure is Measure with this server; with a profile it also gathers what the
// statements of each kind took meanwhile. The server tells kinds apart even where
// several statements come in one round trip.
func (s *Server) Measure(f func() (n int, err error)) (Sample, error) {
	if s.statements == nil {
		return Measure(s.PID, f)
	}
	if _, err := s.statements.Exec("TRUNCATE events_statements_summary_global_by_event_name"); err != nil {
		return Sample{}, fmt.Errorf("beginning a profile: %w", err)
	}
	found, err := Measure(s.PID, f)
	if err != nil {
		return found, err
	}
	rows, err := s.statements.Query(`SELECT SUBSTRING_INDEX(EVENT_NAME, '/', -1), COUNT_STAR, ROUND(SUM_TIMER_WAIT / 1000)
		FROM events_statements_summary_global_by_event_name WHERE COUNT_STAR > 0 AND EVENT_NAME LIKE 'statement/sql/%' AND EVENT_NAME <> 'statement/sql/truncate'`)
	if err != nil {
		return found, fmt.Errorf("reading a profile: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		var k kind
		if err := rows.Scan(&name, &k.times, &k.took); err != nil {
			return found, fmt.Errorf("reading a profile: %w", err)
		}
		s.kinds[name] = kind{s.kinds[name].times + k.times, s.kinds[name].took + k.took}
	}
	s.measured += found.N
	return found, rows.Err()
}

// Tell prints the profile since the last time, for each work or call.
func (s *Server) Tell(out io.Writer) {
	names := slices.SortedFunc(maps.Keys(s.kinds), func(a, b string) int { return cmp.Compare(s.kinds[b].took, s.kinds[a].took) })
	for _, name := range names {
		k := s.kinds[name]
		fmt.Fprintf(out, "  %-16s %7.3f statements each, %9.1f us each\n", name, float64(k.times)/float64(s.measured), float64(k.took.Microseconds())/float64(s.measured))
	}
	clear(s.kinds)
	s.measured = 0
}

// connect opens a database of the server as the store does.
func connect(addr, user, password, name string, conns int) (*sql.DB, error) {
	options := mysql.NewConfig()
	options.Net, options.Addr, options.User, options.Passwd, options.DBName = "tcp", addr, user, password, name
	options.ParseTime, options.InterpolateParams, options.MultiStatements, options.Collation = true, true, true, "utf8mb4_bin"
	connector, err := mysql.NewConnector(options)
	if err != nil {
		return nil, fmt.Errorf("reading the database's address: %w", err)
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	return db, nil
}
