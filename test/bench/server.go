package main

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

	"workerpool/infra/local/database"
)

// server is the one database server of a run. Every commit is on the disk, in
// redo log and binary log, before it is answered, as RDS does it with backups on.
type server struct {
	*database.Database
	pid     int
	version string

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

func startServer(ctx context.Context, dir string, profile bool) (*server, error) {
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
	s := &server{Database: started, kinds: map[string]kind{}}
	if profile {
		s.statements, err = s.connect("performance_schema", 1)
	}
	if err := errors.Join(err, s.look(ctx, dir)); err != nil {
		started.Kill()
		return nil, err
	}
	return s, nil
}

// look finds the server's process and holds it to what production means.
func (s *server) look(ctx context.Context, dir string) error {
	found, err := filepath.Glob(filepath.Join(dir, "data*", "server.pid"))
	if err != nil || len(found) != 1 {
		return fmt.Errorf("finding the database's process: %d files server.pid in %s: %w", len(found), dir, err)
	}
	text, err := os.ReadFile(found[0])
	if err != nil {
		return fmt.Errorf("finding the database's process: %w", err)
	}
	if s.pid, err = strconv.Atoi(strings.TrimSpace(string(text))); err != nil {
		return fmt.Errorf("finding the database's process: %w", err)
	}
	db, err := s.connect("", 1)
	if err != nil {
		return err
	}
	defer db.Close()
	var flush, sync, binlog, isolation string
	err = db.QueryRowContext(ctx, "SELECT VERSION(), @@innodb_flush_log_at_trx_commit, @@sync_binlog, @@log_bin, @@transaction_isolation").
		Scan(&s.version, &flush, &sync, &binlog, &isolation)
	if strings.Contains(fmt.Sprint(err), "Unknown system variable") { // MariaDB's name of it
		err = db.QueryRowContext(ctx, "SELECT VERSION(), @@innodb_flush_log_at_trx_commit, @@sync_binlog, @@log_bin, @@tx_isolation").
			Scan(&s.version, &flush, &sync, &binlog, &isolation)
	}
	if err != nil {
		return fmt.Errorf("reading the database's settings: %w", err)
	}
	if got := flush + " " + sync + " " + binlog + " " + isolation; got != "1 1 1 READ-COMMITTED" {
		return fmt.Errorf("the database is not as in production: flush_log, sync_binlog, log_bin and isolation are %s", got)
	}
	return nil
}

func (s *server) connect(name string, conns int) (*sql.DB, error) {
	return connect(s.Addr(), s.AdminUser(), s.AdminPassword(), name, conns)
}

// kind is what statements of one kind took the server.
type kind struct {
	times int
	took  time.Duration // on the server's clock: waiting included
}

// measure is measure with this server; with a profile it also gathers what the
// statements of each kind took meanwhile. The server tells kinds apart even where
// several statements come in one round trip.
func (s *server) measure(f func() (n int, err error)) (sample, error) {
	if s.statements == nil {
		return measure(s.pid, f)
	}
	if _, err := s.statements.Exec("TRUNCATE events_statements_summary_global_by_event_name"); err != nil {
		return sample{}, fmt.Errorf("beginning a profile: %w", err)
	}
	found, err := measure(s.pid, f)
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
	s.measured += found.n
	return found, rows.Err()
}

// tell prints the profile since the last time, for each work or call.
func (s *server) tell(out io.Writer) {
	names := slices.SortedFunc(maps.Keys(s.kinds), func(a, b string) int { return cmp.Compare(s.kinds[b].took, s.kinds[a].took) })
	for _, name := range names {
		k := s.kinds[name]
		fmt.Fprintf(out, "  %-16s %7.3f statements each, %9.1f us each\n", name, float64(k.times)/float64(s.measured), float64(k.took.Microseconds())/float64(s.measured))
	}
	clear(s.kinds)
	s.measured = 0
}
