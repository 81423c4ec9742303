package main

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"workerpool/test/bench/measure"
)

// peers are what the figures are held against: the plainest statements that the
// same server can be asked for, by the same driver, over as many connections.
type peers struct {
	db       *sql.DB
	server   int // process
	duration time.Duration
}

const (
	callers  = 32      // the c of "c=32"
	peerRows = 10_000  // of update1 and select1
	pullRows = 100_000 // of pull, the backlog of the study that set the goals
	perRow   = 100     // rows of insert100
)

// payload brings a row to about 140 bytes.
var payload = strings.Repeat("p", 100)

func newPeers(ctx context.Context, s *measure.Server, duration time.Duration) (*peers, error) {
	admin, err := s.Connect("", 1)
	if err != nil {
		return nil, err
	}
	defer admin.Close()
	if _, err := admin.ExecContext(ctx, "CREATE DATABASE peers CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"); err != nil {
		return nil, fmt.Errorf("making the peers' database: %w", err)
	}
	db, err := s.Connect("peers", callers)
	if err != nil {
		return nil, err
	}
	p := &peers{db: db, server: s.PID, duration: duration}
	const row = "requester BIGINT NOT NULL, state VARCHAR(10) NOT NULL, at DATETIME(6) NOT NULL, payload VARCHAR(200) NOT NULL"
	for _, statement := range []string{
		"CREATE TABLE inserted (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, " + row + ")",
		"CREATE TABLE known (id BIGINT NOT NULL PRIMARY KEY, n BIGINT NOT NULL DEFAULT 0, " + row + ")",
		"CREATE TABLE queued (id BIGINT NOT NULL PRIMARY KEY, state TINYINT NOT NULL, class INT NOT NULL, payload VARCHAR(200) NOT NULL, KEY queued_next (state, class, id))",
		"CREATE TABLE pulled (worker_id BIGINT NOT NULL, work_id BIGINT NOT NULL, state VARCHAR(10) NOT NULL, PRIMARY KEY (worker_id, work_id))",
	} {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return nil, fmt.Errorf("making the peers' tables: %w", err)
		}
	}
	if err := p.fill(ctx, "INSERT INTO known (id, requester, state, at, payload) VALUES ", "(?, 1, 'waiting', UTC_TIMESTAMP(6), ?)", peerRows); err != nil {
		return nil, err
	}
	return p, p.fill(ctx, "INSERT INTO queued (id, state, class, payload) VALUES ", "(?, 0, 1, ?)", pullRows)
}

// fill inserts rows of an id and the payload.
func (p *peers) fill(ctx context.Context, head, row string, rows int) error {
	const most = 1000
	for from := 0; from < rows; from += most {
		var args []any
		for i := range most {
			args = append(args, from+i+1, payload)
		}
		if _, err := p.db.ExecContext(ctx, head+row+strings.Repeat(","+row, most-1), args...); err != nil {
			return fmt.Errorf("filling the peers' tables: %w", err)
		}
	}
	return nil
}

// The peers by name.
const (
	insert1   = "insert1, c=32"
	update1   = "update1, c=32"
	select1   = "select1, c=32"
	insert100 = "insert100, c=1"
	pull      = "pull, c=32"
)

// peerNames lists them.
var peerNames = []string{insert1, update1, select1, insert100, pull}

// run measures one peer.
func (p *peers) run(ctx context.Context, name string) (measure.Sample, error) {
	for _, statement := range map[string][]string{
		insert1: {"TRUNCATE inserted"}, insert100: {"TRUNCATE inserted"},
		pull: {"TRUNCATE pulled", "UPDATE queued SET state = 0 WHERE state = 1"},
	}[name] {
		if _, err := p.db.ExecContext(ctx, statement); err != nil {
			return measure.Sample{}, fmt.Errorf("clearing the peers' tables: %w", err)
		}
	}
	const into, values = "INSERT INTO inserted (requester, state, at, payload) VALUES ", "(?, 'waiting', UTC_TIMESTAMP(6), ?)"
	do, c, each := func(context.Context, int, int) error { return nil }, callers, 1
	switch name {
	case insert1:
		do = func(ctx context.Context, caller, _ int) error { return p.exec(ctx, into+values, caller, payload) }
	case insert100:
		var args []any
		for i := range perRow {
			args = append(args, i, payload)
		}
		hundred := into + values + strings.Repeat(","+values, perRow-1)
		c, each = 1, perRow
		do = func(ctx context.Context, _, _ int) error { return p.exec(ctx, hundred, args...) }
	case update1:
		do = func(ctx context.Context, _, _ int) error {
			return p.exec(ctx, "UPDATE known SET n = n + 1 WHERE id = ?", 1+rand.IntN(peerRows))
		}
	case select1:
		do = func(ctx context.Context, _, _ int) error {
			var n int64
			var text string
			return p.db.QueryRowContext(ctx, "SELECT n, payload FROM known WHERE id = ?", 1+rand.IntN(peerRows)).Scan(&n, &text)
		}
	case pull:
		do = p.pull
	}
	return measure.Measure(p.server, func() (int, error) {
		n, err := measure.Parallel(ctx, c, p.duration, do)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", name, err)
		}
		return n * each, nil
	})
}

func (p *peers) exec(ctx context.Context, query string, args ...any) error {
	_, err := p.db.ExecContext(ctx, query, args...)
	return err
}

// pull is how a worker that asks would take its next work: lock the first that
// nobody else has locked, note whose it is, in two round trips and one commit.
func (p *peers) pull(ctx context.Context, caller, _ int) error {
	conn, err := p.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	rows, err := conn.QueryContext(ctx, "START TRANSACTION; SELECT id FROM queued WHERE state = 0 AND class = 1 ORDER BY state, class, id LIMIT 1 FOR UPDATE SKIP LOCKED")
	if err != nil {
		return err
	}
	var id int64
	for more := true; more; more = rows.NextResultSet() {
		for rows.Next() {
			if err := rows.Scan(&id); err != nil {
				return err
			}
		}
	}
	if err := rows.Close(); err != nil {
		return err
	}
	if id == 0 {
		return fmt.Errorf("no work is left to pull")
	}
	_, err = conn.ExecContext(ctx, "INSERT INTO pulled (worker_id, work_id, state) VALUES (?, ?, 'offered'); UPDATE queued SET state = 1 WHERE id = ?; COMMIT",
		caller, id, id)
	return err
}
