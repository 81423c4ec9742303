package store_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"workerpool/shared/placement"
	"workerpool/shared/pool"
	"workerpool/shared/store/storetest"
	"workerpool/shared/wire"
)

func TestBatchRepeatedByItsKey(t *testing.T) {
	t.Parallel()
	s := newParty(t, 0, 0)
	n := storetest.NewBatch(s.requester, 3, 3)
	n.Idempotency = "key"
	first := s.AddBatch(t, n)
	if again := s.AddBatch(t, n); !cmp.Equal(first, again) {
		t.Errorf("first %+v, then %+v", first, again)
	}
	other := n
	other.BodyDigest = pool.Digest{8}
	_, err := s.InsertBatch(background, other, 1, 0)
	wantKind(t, err, pool.Conflict)
	if !strings.Contains(err.Error(), fmt.Sprint(first.ID)) {
		t.Errorf("%v does not name the batch %d of the first body", err, first.ID)
	}
	mine := n
	mine.Requester = s.AddAccount(t, "another", pool.RoleRequester, false)
	if b := s.AddBatch(t, mine); b.ID == first.ID {
		t.Error("a key of one requester gave another's batch")
	}
	storetest.Check(t, s.Books)
	if got := s.Count(t, "SELECT COUNT(*) FROM work"); got != 6 {
		t.Errorf("%d works, want 6", got)
	}
	if got := s.Count(t, "SELECT COUNT(*) FROM event WHERE kind = 'batch.accepted'"); got != 2 {
		t.Errorf("%d batches were noted, want 2", got)
	}
}

func TestBatchWithoutKeyIsNewEachTime(t *testing.T) {
	t.Parallel()
	s := newParty(t, 0, 0)
	n := storetest.NewBatch(s.requester, 2, 1)
	a, b := s.AddBatch(t, n), s.AddBatch(t, n)
	if a.ID == b.ID {
		t.Errorf("both are batch %d", a.ID)
	}
	storetest.Check(t, s.Books)
}

func TestBatchesOfOneKeyAtOnce(t *testing.T) {
	t.Parallel()
	s := newParty(t, 0, 0, storetest.Conns(32))
	n := storetest.NewBatch(s.requester, 5, 3)
	n.Idempotency = "key"
	got := make([]pool.Batch, 100)
	errs := make([]error, len(got))
	together(len(got), func(i int) { got[i], errs[i] = s.InsertBatch(background, n, 2, 0) })
	for i := range got {
		if errs[i] != nil || !cmp.Equal(got[i], got[0]) {
			t.Errorf("answer %d: %+v, %v; answer 0: %+v", i, got[i], errs[i], got[0])
		}
	}
	if b := s.Count(t, "SELECT COUNT(*) FROM batch"); b != 1 {
		t.Errorf("%d batches", b)
	}
	storetest.Check(t, s.Books)
}

func TestBatchesMakeOneClassAtOnce(t *testing.T) {
	t.Parallel()
	s := newParty(t, 0, 0, storetest.Conns(16))
	for round := range 8 {
		n := storetest.NewBatch(s.requester, 2, 1)
		n.Demands.CPU = round + 1
		errs := make([]error, 16)
		together(len(errs), func(i int) { _, errs[i] = s.InsertBatch(background, n, 1, 0) })
		for _, err := range errs {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := s.Count(t, "SELECT COUNT(*) FROM class"); got != 8 {
		t.Errorf("%d classes, want 8", got)
	}
	if got := s.Count(t, "SELECT COUNT(DISTINCT class_id) FROM batch"); got != 8 {
		t.Errorf("batches of %d classes, want 8", got)
	}
	storetest.Check(t, s.Books)
}

// together runs fn n times at once, from one moment on.
func together(n int, fn func(i int)) {
	var all sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		all.Go(func() { <-start; fn(i) })
	}
	close(start)
	all.Wait()
}

func TestBatchOfTenThousand(t *testing.T) {
	t.Parallel()
	s := newParty(t, 0, 0)
	n := storetest.NewBatch(s.requester, pool.MaxBatch, 3)
	for i := range n.Items {
		if i%2 == 0 {
			n.Items[i] = fmt.Appendf(nil, `{"args":["%d"]}`, i)
		}
	}
	b := s.AddBatch(t, n)
	next := s.works(t, 1, 1)[0]
	if b.Works != pool.MaxBatch || next.Batch() == b.ID {
		t.Errorf("%+v, and then work %d", b, next)
	}
	page := must(s.Works(background, pool.WorkFilter{Batch: b.ID, Limit: pool.MaxBatch + 1}))(t)
	if len(page) != pool.MaxBatch || page[0].ID != b.ID.Work(0) || page[len(page)-1].ID != b.ID.Work(pool.MaxBatch-1) {
		t.Fatalf("%d works from %d to %d", len(page), page[0].ID, page[len(page)-1].ID)
	}
	if bad := s.Count(t, `SELECT COUNT(*) FROM work_item WHERE item <> CONCAT('{"args":["', work_id & 16383, '"]}')`); bad != 0 {
		t.Errorf("%d items are another work's", bad)
	}
	counted := must(s.Batch(background, s.requester, b.ID))(t)
	if want := map[pool.WorkState]int{pool.Waiting: pool.MaxBatch}; !cmp.Equal(counted.Counts, want) || counted.Missing != 0 || !counted.Created.Equal(b.Created) {
		t.Errorf("%+v", counted)
	}
	storetest.Check(t, s.Books)
}

func TestBatchIsItsRequesters(t *testing.T) {
	t.Parallel()
	s := newParty(t, 0, 0)
	n := storetest.NewBatch(s.requester, 1, 1)
	n.Inputs = []pool.Input{{Digest: pool.Digest{1}, Size: 5}}
	b := s.AddBatch(t, n)
	must(s.Batch(background, 0, b.ID))(t)
	_, err := s.Batch(background, s.owner, b.ID)
	wantKind(t, err, pool.NotFound)
	_, _, err = s.MissingInputs(background, s.owner, b.ID, 10)
	wantKind(t, err, pool.NotFound)
	_, err = s.Batch(background, s.requester, b.ID+1)
	wantKind(t, err, pool.NotFound)
}

// TestBatchKeepsEveryCharacter sends through JSON, SQL and back what either may
// take for its own.
func TestBatchKeepsEveryCharacter(t *testing.T) {
	t.Parallel()
	hard := []string{
		`'`, `"`, `\`, `\'`, `\\"`, "`", `');DROP TABLE work;--`, "a;\nb;\n", "?", "%s", "$.t", "\x00", "\x1a", "\n\r\t\b", "é ☂ 漢 👩‍🚀 \u2028",
		`{"a":[1,"]}"]}`, `\u0041`, "\u007f\u0080", "", " lead and trail ", "<&>", strings.Repeat(`\"'`, 30_000), strings.Repeat("👩", 20_000),
	}
	s := newParty(t, 1, 100)
	n := storetest.NewBatch(s.requester, 0, 1)
	for i, text := range hard {
		item := must(json.Marshal(wire.Item{Args: []string{text}, Env: map[string]string{"K": text}}))(t)
		if i == 0 {
			item = nil
		}
		n.Items = append(n.Items, item)
	}
	all := strings.Join(hard, "|")
	n.Template = must(json.Marshal(wire.Template{App: wire.App{Type: "process", Name: storetest.Program}, Args: []string{all}}))(t)
	n.Idempotency, n.RequestID = `k'\"`, `r'\"☂`
	b := s.AddBatch(t, n)
	if pass := dispatch(t, s.Books); pass.Offers != len(hard) {
		t.Fatalf("%+v", pass)
	}
	h := must(s.Hear(background, s.owner, s.workers[0]))(t)
	for i, text := range hard {
		want := []string{all, text}
		env := map[string]string{"K": text}
		if i == 0 {
			want, env = want[:1], map[string]string{}
		}
		got := h.Specs[b.ID.Work(i)]
		if diff := cmp.Diff(want, got.Spec.Args); diff != "" {
			t.Errorf("arguments of %.40q: %.400s", text, diff)
		}
		if diff := cmp.Diff(env, got.Spec.Env); diff != "" {
			t.Errorf("environment of %.40q: %.400s", text, diff)
		}
		if got.RunLimit != time.Minute {
			t.Errorf("run limit %v", got.RunLimit)
		}
	}
	if got := s.Count(t, "SELECT COUNT(*) FROM event WHERE request_id = ?", n.RequestID); got != 1 {
		t.Errorf("the request's id is in %d events", got)
	}
}

func TestBatchStagedByItsInputs(t *testing.T) {
	t.Parallel()
	s := newParty(t, 3, 9)
	n := storetest.NewBatch(s.requester, 4, 3)
	for i := range 3 {
		n.Inputs = append(n.Inputs, pool.Input{Digest: pool.Digest{byte(3 - i)}, Size: int64(10 * i)})
	}
	b := s.AddBatch(t, n)
	mark := func(want int, digests ...pool.Digest) {
		t.Helper()
		if got := must(s.MarkInputs(background, b.ID, digests, storetest.Wanted(3), trace))(t); got != want {
			t.Errorf("%d inputs are missing, want %d", got, want)
		}
		storetest.Check(t, s.Books)
	}
	if pass := dispatch(t, s.Books); pass.Offers != 0 {
		t.Errorf("staging works were dispatched: %+v", pass)
	}
	mark(3)
	mark(3, pool.Digest{99}) // somebody else's
	mark(2, pool.Digest{2})
	mark(2, pool.Digest{2})
	missing := func(limit, total int, want ...pool.Input) {
		t.Helper()
		got, all, err := s.MissingInputs(background, s.requester, b.ID, limit)
		if err != nil || all != total || !cmp.Equal(got, want) {
			t.Errorf("missing %v of %d, %v; want %v of %d", got, all, err, want, total)
		}
	}
	one, three := pool.Input{Digest: pool.Digest{1}, Size: 20}, pool.Input{Digest: pool.Digest{3}, Size: 0}
	missing(10, 2, one, three)
	missing(1, 2, one)
	// A work that was cancelled while its batch was staging stays so.
	must(s.Settle(background, []pool.WorkID{b.ID.Work(2)}, nil, trace, cancel))(t)
	mark(0, pool.Digest{1}, pool.Digest{3})
	counts := must(s.Batch(background, s.requester, b.ID))(t).Counts
	if want := map[pool.WorkState]int{pool.Waiting: 3, pool.Cancelled: 1}; !cmp.Equal(counts, want) {
		t.Errorf("states %v", counts)
	}
	missing(10, 0)
	if pass := dispatch(t, s.Books); pass.Offers != 3*storetest.Wanted(3) {
		t.Errorf("%+v", pass)
	}
	mark(0, pool.Digest{1}, pool.Digest{2}, pool.Digest{3}) // runs are not made ready again
	if got := s.Count(t, "SELECT COUNT(*) FROM event WHERE kind = 'batch.staged'"); got != 1 {
		t.Errorf("left staging %d times", got)
	}
}

func TestInputsMarkedAtOnce(t *testing.T) {
	t.Parallel()
	s := newParty(t, 0, 0, storetest.Conns(16))
	n := storetest.NewBatch(s.requester, 50, 3)
	for i := range 16 {
		n.Inputs = append(n.Inputs, pool.Input{Digest: pool.Digest{byte(i)}, Size: 1})
	}
	b := s.AddBatch(t, n)
	left := make([]int, 32)
	errs := make([]error, len(left))
	together(len(left), func(i int) {
		left[i], errs[i] = s.MarkInputs(background, b.ID, []pool.Digest{n.Inputs[i%16].Digest}, 2, trace)
	})
	none := 0
	for i, err := range errs {
		if err != nil {
			t.Error(err)
		}
		if left[i] == 0 {
			none++
		}
	}
	if none == 0 {
		t.Error("nobody saw the last input come")
	}
	if got := s.Count(t, "SELECT COUNT(*) FROM event WHERE kind = 'batch.staged'"); got != 1 {
		t.Errorf("left staging %d times", got)
	}
	storetest.Check(t, s.Books)
}

// TestBatchTakesItsPlace: what was accepted first goes first, and a boost is as
// good as that much waiting.
func TestBatchTakesItsPlace(t *testing.T) {
	t.Parallel()
	s := newParty(t, 1, 1)
	var batches []pool.BatchID
	for _, boost := range []time.Duration{0, -time.Hour, placement.Boost(pool.High), 0} {
		b := must(s.InsertBatch(background, storetest.NewBatch(s.requester, 1, 1), 1, boost))(t)
		batches = append(batches, b.ID)
	}
	for _, i := range []int{2, 0, 3, 1} {
		if pass := dispatch(t, s.Books); pass.Offers != 1 {
			t.Fatalf("%+v", pass)
		}
		h := must(s.Hear(background, s.owner, s.workers[0]))(t)
		if got := h.Rows[len(h.Rows)-1]; h.Worker.Open != 1 || s.Count(t, "SELECT COUNT(*) FROM assignment WHERE work_id = ? AND state = 'offered'", int64(batches[i].Work(0))) != 1 {
			t.Fatalf("%+v was offered, not a work of batch %d", got, batches[i])
		}
		must(s.Settle(background, []pool.WorkID{batches[i].Work(0)}, nil, trace, cancel))(t)
	}
}
