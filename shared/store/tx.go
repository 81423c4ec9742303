package store

import (
	"bytes"
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"time"
)

// maxTries bounds how often a transaction that lost a deadlock is run again.
const maxTries = 6

func isBadConn(err error) bool {
	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// statements gathers SQL that goes to the server in one round trip.
type statements struct {
	text strings.Builder
	args []any
}

// add appends a statement of which any number of rows is right.
func (b *statements) add(query string, args ...any) {
	b.text.WriteString(query)
	b.text.WriteString(";\n")
	b.args = append(b.args, args...)
}

// must appends a statement that has to find exactly that many rows. Otherwise
// the server stops right behind it, so that a COMMIT in the same round trip is
// not reached.
func (b *statements) must(rows int64, query string, args ...any) {
	b.add(query, args...)
	b.stopIf("ROW_COUNT() <> ?", rows)
}

// stopIf makes the server stop where a condition holds: the greatest number and
// one more is an error (to SELECT; DO would swallow it).
func (b *statements) stopIf(condition string, args ...any) {
	b.add("SELECT 9223372036854775807 + ("+condition+")", args...)
}

// errMoved tells that rows were not as the decision saw them.
var errMoved = errors.New("the rows have changed since they were read")

// exec sends the statements; errMoved when one of them did not find its rows.
func exec(ctx context.Context, conn *sql.Conn, b *statements) error {
	_, err := conn.ExecContext(ctx, b.text.String(), b.args...)
	if number(err) == erOutOfRange {
		return errors.Join(errMoved, err)
	}
	return err
}

// transact runs fn on one connection, again from the beginning when it lost a
// deadlock or found rows moved, and makes sure no transaction stays open.
func (s *Store) transact(ctx context.Context, doing string, fn func(*sql.Conn) error) error {
	for try := 1; ; try++ {
		err := s.once(ctx, fn)
		if err == nil {
			return nil
		}
		if !again(err) && !errors.Is(err, errMoved) || try == maxTries || ctx.Err() != nil {
			return failure(doing, err)
		}
		pause := time.NewTimer(time.Duration(rand.Int64N(int64(2*time.Millisecond) << try)))
		select {
		case <-ctx.Done():
		case <-pause.C:
		}
	}
}

func (s *Store) once(ctx context.Context, fn func(*sql.Conn) error) error {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	whole := false
	defer func() { // also when fn panics
		if !whole {
			leave(ctx, conn)
		}
	}()
	err = fn(conn)
	whole = err == nil
	return err
}

// leave ends the transaction that the connection may hold. A failed rollback
// means that the connection is broken; then it must not be used again.
func leave(ctx context.Context, conn *sql.Conn) {
	clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if _, err := conn.ExecContext(clean, "ROLLBACK"); err != nil {
		_ = conn.Raw(func(any) error { return driver.ErrBadConn })
	}
}

// results reads the result sets of several SELECTs one after the other, skipping
// what the statements between them answer.
type results struct {
	rows  *sql.Rows
	first bool
}

func query(ctx context.Context, conn *sql.Conn, b *statements) (*results, error) {
	rows, err := conn.QueryContext(ctx, b.text.String(), b.args...)
	if err != nil {
		return nil, err
	}
	return &results{rows: rows, first: true}, nil
}

// each calls scan for every row of the next result set.
func (r *results) each(scan func(*sql.Rows) error) error {
	if !r.first && !r.rows.NextResultSet() {
		if err := r.rows.Err(); err != nil {
			return err
		}
		return errors.New("a result set is missing")
	}
	r.first = false
	for r.rows.Next() {
		if err := scan(r.rows); err != nil {
			return err
		}
	}
	return r.rows.Err()
}

// one scans the only row of the next result set; false when it is empty.
func (r *results) one(into ...any) (bool, error) {
	found := false
	err := r.each(func(rows *sql.Rows) error {
		found = true
		return rows.Scan(into...)
	})
	return found, err
}

func (r *results) close() error {
	for r.rows.NextResultSet() { // read on, or the rest is left in the connection
	}
	err := r.rows.Err()
	return errors.Join(err, r.rows.Close())
}

// list encodes values for JSON_TABLE: one placeholder, whatever their number.
func list(values any) string {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false) // it would only grow
	if err := encoder.Encode(values); err != nil {
		panic(fmt.Sprintf("encoding a list for the database: %v", err)) // plain structs of ours only
	}
	return text.String()
}

// stamp gives a time as the database writes it; zero is NULL.
func stamp(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	text := t.UTC().Format("2006-01-02 15:04:05.000000")
	return &text
}

func orZero(t sql.NullTime) time.Time { return t.Time }
