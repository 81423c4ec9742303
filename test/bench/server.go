package main

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"workerpool/infra/local/database"
)

// server is the one database server of a run. Every commit is on the disk, in
// redo log and binary log, before it is answered, as RDS does it with backups on.
type server struct {
	*database.Database
	pid     int
	version string
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
	s := &server{Database: started}
	if err := s.look(ctx, dir); err != nil {
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

// dearest prints the statements of the flows that took the server longest together.
func (s *server) dearest(ctx context.Context, out io.Writer) error {
	db, err := s.connect("performance_schema", 1)
	if err != nil {
		return err
	}
	defer db.Close()
	rows, err := db.QueryContext(ctx, `SELECT COUNT_STAR, SUM_TIMER_WAIT / 1e12, AVG_TIMER_WAIT / 1e6, SUM_LOCK_TIME / 1e12, SUM_ROWS_EXAMINED / COUNT_STAR,
		LEFT(DIGEST_TEXT, 160) FROM events_statements_summary_by_digest WHERE SCHEMA_NAME <> 'peers' ORDER BY SUM_TIMER_WAIT DESC LIMIT 40`)
	if err != nil {
		return fmt.Errorf("asking for the dearest statements: %w", err)
	}
	defer rows.Close()
	fmt.Fprintf(out, "\n%9s %8s %9s %8s %9s  statement\n", "times", "s", "us each", "s locked", "rows each")
	for rows.Next() {
		var times int
		var sum, each, locked, examined float64
		var text string
		if err := rows.Scan(&times, &sum, &each, &locked, &examined, &text); err != nil {
			return fmt.Errorf("reading the dearest statements: %w", err)
		}
		fmt.Fprintf(out, "%9d %8.2f %9.0f %8.2f %9.1f  %s\n", times, sum, each, locked, examined, text)
	}
	return rows.Err()
}
