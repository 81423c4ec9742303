package main

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
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
	"--innodb-buffer-pool-size=2G", "--performance-schema=OFF",
}

func startServer(ctx context.Context, dir string) (*server, error) {
	arguments := append(production, "--innodb-log-file-size=1G")
	if os.Getenv(database.Choice) != "" {
		arguments = append(production, "--innodb-redo-log-capacity=1G")
	}
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
