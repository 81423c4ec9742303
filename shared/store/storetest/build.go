package storetest

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"workerpool/shared/consensus"
	"workerpool/shared/life"
	"workerpool/shared/pool"
)

// Program is what the works of NewBatch run and the workers of AddWorker allow.
const Program = "mandelbrot"

// AddAccount makes an account with a role and gives its id.
func (b *Books) AddAccount(t testing.TB, login string, role pool.Role, shared bool) pool.AccountID {
	t.Helper()
	if err := b.PutAccount(context.Background(), pool.Account{Login: login, Role: role, Shared: shared}); err != nil {
		t.Fatal(err)
	}
	a, err := b.AccountByLogin(context.Background(), login)
	if err != nil {
		t.Fatal(err)
	}
	return a.ID
}

// AddWorker registers a worker that is live for an hour, trusted with all its slots, and allows the programs,
// or Program when none is named.
func (b *Books) AddWorker(t testing.TB, account pool.AccountID, slots int, programs ...string) pool.WorkerID {
	t.Helper()
	if programs == nil {
		programs = []string{Program}
	}
	n := serial.Add(1)
	id, err := b.Register(context.Background(), pool.NewWorker{
		Account: account, Name: fmt.Sprint("worker-", n), Key: pool.Digest{byte(n), byte(n >> 8), 1}, Slots: slots,
		Capabilities: pool.Capabilities{Programs: programs},
	}, pool.Trace{Account: account, RequestID: "build"})
	if err == nil {
		err = b.Renew(context.Background(), pool.Renewal{Worker: id, Lease: time.Hour, Interval: 5 * time.Second})
	}
	if err != nil {
		t.Fatal(err)
	}
	b.Exec(t, "UPDATE worker SET quota = slots WHERE id = ?", int64(id)) // it has proved itself before
	return id
}

// NewBatch is a submission without a key of works that demand nothing but Program.
func NewBatch(requester pool.AccountID, works, trust int) pool.NewBatch {
	return pool.NewBatch{
		Requester: requester, BodyDigest: pool.Digest{7}, Trust: trust, Deadline: time.Hour,
		Demands:  pool.Demands{App: pool.App{Type: pool.ProcessApp, Name: Program}, RunLimit: time.Minute},
		Template: []byte(`{"app":{"type":"process","name":"` + Program + `"}}`), Items: make([][]byte, works), RequestID: "build",
	}
}

// Wanted is how many assignments a new work of a trust wants.
func Wanted(trust int) int { return consensus.New().Wanted(trust, 0, consensus.APIWeight) }

// AddBatch submits.
func (b *Books) AddBatch(t testing.TB, n pool.NewBatch) pool.Batch {
	t.Helper()
	batch, err := b.InsertBatch(context.Background(), n, Wanted(n.Trust), 0)
	if err != nil {
		t.Fatal(err)
	}
	return batch
}

// Report settles one report of a worker as a heartbeat does, and gives the life
// of its work.
func (b *Books) Report(t testing.TB, worker pool.WorkerID, r pool.Report) life.Life {
	t.Helper()
	lives, err := b.Settle(context.Background(), []pool.WorkID{r.Work}, nil, pool.Trace{RequestID: "report"}, func(now time.Time, lives []life.Life) {
		for i := range lives {
			lives[i].Report(now, worker, r, true, 1, life.Defaults)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(lives) != 1 {
		t.Fatalf("settling work %d gave %d lives", r.Work, len(lives))
	}
	return lives[0]
}

// Exec runs plain SQL, mostly to move a moment instead of waiting for it.
func (b *Books) Exec(t testing.TB, query string, args ...any) {
	t.Helper()
	if _, err := b.SQL.Exec(query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// Dump gives a table's rows in order of all their columns, each as one line.
// Times, what is drawn at random and the numbers of events are left out.
func (b *Books) Dump(t testing.TB, table string) []string {
	t.Helper()
	columns := b.texts(t, `SELECT CONCAT('COALESCE(HEX(', column_name, "), 'null')") FROM information_schema.columns
		WHERE table_schema = DATABASE() AND table_name = ? AND data_type <> 'datetime' AND column_name NOT IN ('nonce', 'holder', 'queue_rank', 'clock', 'virtual_time', 'snapshot')
		AND NOT (table_name = 'event' AND column_name = 'id')
		ORDER BY ordinal_position`, table)
	if len(columns) == 0 {
		t.Fatalf("no table %s", table)
	}
	return b.texts(t, "SELECT CONCAT_WS(' ', "+strings.Join(columns, ", ")+") FROM `"+table+"` ORDER BY 1")
}

func (b *Books) texts(t testing.TB, query string, args ...any) []string {
	t.Helper()
	rows, err := b.SQL.Query(query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			t.Fatal(err)
		}
		out = append(out, text)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// Version tells which server this is.
func Version(t testing.TB, b *Books) string {
	t.Helper()
	version := b.texts(t, "SELECT VERSION()")[0]
	if strings.Contains(version, "MariaDB") {
		return version
	}
	return "MySQL " + version
}

// Count gives the number that a query answers.
func (b *Books) Count(t testing.TB, query string, args ...any) int {
	t.Helper()
	var n int
	if err := b.SQL.QueryRow(query, args...).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}
