package main

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"workerpool/infra/local/buyer"
	"workerpool/infra/local/chain/market"
	"workerpool/shared/cid"
	"workerpool/shared/pool"
)

const coin pool.NRLC = 1e9

var began = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func account(n byte) pool.Address { return pool.Address{19: n} }

func task(n byte) pool.Hash { return pool.Hash{31: n} }

// twoTasks is a deal of two tasks at 1 RLC for the pool and 0.1 for the app: one
// worker lied about one of them.
func twoTasks() sale {
	requester, app, owner, one, two, wrong := account(1), account(2), account(3), account(4), account(5), account(6)
	at := func(n byte, step buyer.Step, seconds int) buyer.Moment {
		return buyer.Moment{Task: task(n), Step: step, At: began.Add(time.Duration(seconds) * time.Second)}
	}
	return sale{
		deal: buyer.Deal{
			Deal: pool.Deal{ID: pool.Hash{9}, Start: began, Tasks: 2, Trust: 3, Price: coin, Stake: 3 * coin / 10}, Gas: 700_000, TaskIDs: []pool.Hash{task(1), task(2)},
		},
		tasks: []pool.Task{
			{ID: task(1), Status: pool.TaskCompleted, Contributions: make([]pool.Contribution, 2)},
			{ID: task(2), Status: pool.TaskCompleted, Contributions: make([]pool.Contribution, 3)},
		},
		account: buyer.Account{
			Sheet: market.Sheet{Lines: map[pool.Address]market.Line{
				requester: {Locked: 22 * coin / 10, Lost: 22 * coin / 10},
				app:       {Earned: 2 * coin / 10},
				owner:     {Locked: 6 * coin / 10, Refunded: 6 * coin / 10, Earned: 23_000_000},
				one:       {Locked: 6 * coin / 10, Refunded: 6 * coin / 10, Earned: 1_138_500_000},
				two:       {Locked: 6 * coin / 10, Refunded: 6 * coin / 10, Earned: 1_138_500_000},
				wrong:     {Locked: 3 * coin / 10, Lost: 3 * coin / 10},
			}},
			Calls: []buyer.Call{
				{Step: buyer.Initialized, By: owner, Sent: 1, Steps: 2, Gas: 400_001}, {Step: buyer.Contributed, By: one, Sent: 2, Steps: 2, Gas: 600_000},
			},
			Faulty:  map[pool.Address]int{wrong: 1},
			Moments: []buyer.Moment{at(1, buyer.Initialized, 4), at(2, buyer.Initialized, 6), at(2, buyer.Contributed, 8), at(2, buyer.Contributed, 9), at(2, buyer.Finalized, 20)},
		},
		names:     map[pool.Address]string{requester: "requester", app: "app", owner: "pool", one: "local-1", two: "local-2", wrong: "local-3"},
		requester: requester, out: "demo.png",
		accepted: map[pool.Hash]time.Time{task(1): began.Add(1500 * time.Millisecond)},
		worked: worked{
			works: map[pool.Hash]int64{task(1): 7}, begun: map[int64]time.Time{7: began.Add(5 * time.Second)}, uploaded: map[int64]time.Time{7: began.Add(12 * time.Second)},
		},
	}
}

// lines are those of a report without the blanks of its columns.
func lines(report string) string {
	var out []string
	for line := range strings.Lines(report) {
		out = append(out, strings.Join(strings.Fields(line), " "))
	}
	return strings.Join(out, "\n")
}

func TestSale(t *testing.T) {
	s := twoTasks()
	if err := s.check(); err != nil {
		t.Error(err)
	}
	contains(t, lines(s.String()), "picture demo.png: every pixel is as rendered here", "tasks 2 at trust 3, 2 completed on the chain", "contributions 5, 1 of them outvoted",
		"requester 2.2 0 2.2 0 -2.2", "local-1 0.6 0.6 0 1.1385 1.1385", "local-3 0.3 0 0.3 0 -0.3", "all 4.3 1.8 2.5 2.5 0",
		"4.3 locked = 2.2 paid + 1.8 refunded + 0.3 seized; what was paid and seized was earned\n",
		"matched requester 1 2 350000", "initialized pool 1 2 200000", "contributed local-1 2 2 300000", "a task all 850000",
		"taken in 1.5 1.5 1.5 1.5", "initialized 4.0 6.0 6.0 4.5", "authorised 5.0 5.0 5.0 0.0", "contributed 8.0 8.0 8.0 2.0", "uploaded 12.0 12.0 12.0 4.0", "finalized 20.0 20.0 20.0 8.0",
		"local-3 was outvoted 1 times and lost 0.3 RLC")
	if strings.Contains(s.String(), "revealed") {
		t.Error("a step is told of that did not happen")
	}
}

func TestSaleGoneWrong(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*sale)
		said  string
	}{
		"a task claimed":    {func(s *sale) { s.tasks[1].Status = pool.TaskFailed }, task(2).String() + " was not completed"},
		"money lost":        {func(s *sale) { s.put(account(4), market.Line{Locked: 6 * coin / 10, Earned: 1_138_500_000}) }, "4.3 were locked, 2.2 paid, 1.2 refunded and 0.3 seized"},
		"money not paid":    {func(s *sale) { s.put(account(2), market.Line{}) }, "2.3 were earned, 2.2 paid and 0.3 seized"},
		"the liar got away": {func(s *sale) { s.account.Faulty[account(6)]++ }, "2 contributions of local-3 were not the agreed ones, and it lost 0.3"},
	} {
		t.Run(name, func(t *testing.T) {
			s := twoTasks()
			c.spoil(&s)
			if err := s.check(); !errors.Is(err, errUnpaid) || !strings.Contains(err.Error(), c.said) {
				t.Errorf("got %v, want %q", err, c.said)
			}
		})
	}
	s := twoTasks()
	s.account.Sheet.Seized = coin / 10
	s.put(account(2), market.Line{Earned: coin / 10})
	if err := s.check(); err != nil {
		t.Errorf("with a kitty: %v", err)
	}
	contains(t, s.String(), "was earned, but for 0.1 in the hub's kitty")
	s.tasks[0].Status = pool.TaskFailed
	contains(t, s.String(), "not made, as tasks were not completed", "2 at trust 3, 1 completed")
	s = twoTasks()
	s.wrong = []int{1}
	s.account.Faulty = nil
	contains(t, s.String(), "1 tiles are WRONG", "No worker of this pool lied")
}

func (s *sale) put(of pool.Address, l market.Line) { s.account.Sheet.Lines[of] = l }

func TestRLC(t *testing.T) {
	for n, want := range map[pool.NRLC]string{0: "0", 1: "0.000000001", coin: "1", -coin / 2: "-0.5", 12*coin + 340_000_000: "12.34", 87_000_000 * coin: "87000000"} {
		if got := rlc(n); got != want {
			t.Errorf("%d nRLC is %s RLC, want %s", n, got, want)
		}
	}
}

func TestLogs(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"local-1.log": `time=2026-01-02T03:04:06.5Z level=INFO msg="offer taken" work=5 attempt=1 task=` + task(1).String() + `
time=2026-01-02T03:04:07.5Z level=INFO msg="run begins" work=5 attempt=1 app=mandelbrot task=` + task(1).String() + `
time=2026-01-02T03:04:09Z level=INFO msg="result uploaded" work=5 attempt=1 bytes=3
time=2026-01-02T03:04:10Z level=INFO msg="run begins" work=6 attempt=1 app=mandelbrot
`,
		"demo-liar.log": `time=2026-01-02T03:04:07Z level=INFO msg="run begins" work=5 attempt=1 app=mandelbrot task=` + task(1).String() + "\n",
		"other.log":     `time=2026-01-02T03:04:01Z level=INFO msg="run begins" work=5 attempt=1 app=mandelbrot task=` + task(1).String() + "\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := readLogs(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.works) != 1 || got.works[task(1)] != 5 || !got.begun[5].Equal(began.Add(2*time.Second)) || !got.uploaded[5].Equal(began.Add(4*time.Second)) {
		t.Errorf("got %+v", got)
	}
	if none, err := readLogs(filepath.Join(dir, "absent")); err != nil || len(none.works) != 0 {
		t.Errorf("without logs: %+v, %v", none, err)
	}
}

// TestFetch believes nothing that is not what its name says.
func TestFetch(t *testing.T) {
	good := []byte("a result")
	digest := pool.Digest(sha256.Sum256(good))
	served := good
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != cid.Path(digest) {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		_, _ = w.Write(served)
	}))
	defer server.Close()
	s := show{options: options{url: server.URL}}
	if got, err := s.fetch(t.Context(), cid.Results(digest)); err != nil || !bytes.Equal(got, good) {
		t.Errorf("got %q, %v", got, err)
	}
	served = []byte("a resulT")
	for said, results := range map[string][]byte{
		"is something else": cid.Results(digest), "404": cid.Results(pool.Digest{1}), "it lies at": []byte(`{"storage":"dropbox","location":"/ipfs/x"}`),
		"reading": []byte("x"), "content id": []byte(`{"storage":"ipfs","location":"/ipfs/x"}`),
	} {
		if _, err := s.fetch(t.Context(), results); err == nil || !strings.Contains(err.Error(), said) {
			t.Errorf("%s: %v, want %q", results, err, said)
		}
	}
}

func TestUnpack(t *testing.T) {
	archive := func(name, content string) []byte {
		var out bytes.Buffer
		w := zip.NewWriter(&out)
		file, err := w.Create(name)
		if err == nil {
			_, err = file.Write([]byte(content))
		}
		if err = errors.Join(err, w.Close()); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	to := filepath.Join(t.TempDir(), "1.png")
	for _, other := range []string{"x/tile.png", "computed.json"} {
		if err := unpack(archive(other, "x"), to); err != nil {
			t.Errorf("a result with nothing but %s: %v", other, err)
		}
	}
	if _, err := os.Stat(to); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("of results without a tile a file was written: %v", err)
	}
	if err := unpack(archive("tile.png", "a tile"), to); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(to); err != nil || string(text) != "a tile" {
		t.Errorf("the tile is %q, %v", text, err)
	}
	if err := unpack([]byte("no archive"), to); err == nil || !strings.Contains(err.Error(), "archive") {
		t.Errorf("no archive: %v", err)
	}
}

func TestStanding(t *testing.T) {
	tasks := []pool.Task{{Contributions: make([]pool.Contribution, 2), Status: pool.TaskActive}, {Status: pool.TaskCompleted}, {}, {}}
	if got := standing(tasks); got != "2 contributions; 2 waiting 1 active 1 completed" {
		t.Errorf("got %q", got)
	}
}
