package pool_test

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"workerpool/shared/pool"
)

// Cases here cost microseconds; -rapid.checks on the command line still wins.
func init() { _ = flag.Set("rapid.checks", "1000") }

func TestWorkIDs(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		batch := pool.BatchID(rapid.Int64Range(1, 1<<39-1).Draw(t, "batch"))
		index := rapid.IntRange(0, pool.MaxBatch-1).Draw(t, "index")
		work := batch.Work(index)
		if work.Batch() != batch || work.Index() != index {
			t.Fatalf("work %d of batch %d at %d reads back as %d at %d", work, batch, index, work.Batch(), work.Index())
		}
		if work <= 0 || int64(work) >= 1<<53 {
			t.Fatalf("work id %d does not fit in 53 bits", work)
		}
		if next := batch.Work(index + 1); next != work+1 {
			t.Fatalf("the range has a gap: %d, %d", work, next)
		}
		if first := (batch + 1).Work(0); first <= batch.Work(pool.MaxBatch-1) {
			t.Fatalf("batch %d begins at %d, inside the one before", batch+1, first)
		}
	})
}

func TestDigestReadsBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var d pool.Digest
		copy(d[:], rapid.SliceOfN(rapid.Byte(), len(d), len(d)).Draw(t, "bytes"))
		text := d.String()
		if len(text) != 64 || text != strings.ToLower(text) {
			t.Fatalf("%q is not 64 lower-case characters", text)
		}
		for _, form := range []string{text, strings.ToUpper(text)} {
			if back, err := pool.ParseDigest(form); err != nil || back != d {
				t.Fatalf("%q reads back as %v, %v", form, back, err)
			}
		}
		if d.IsZero() != (strings.Trim(text, "0") == "") {
			t.Fatalf("%v zero: %v", d, d.IsZero())
		}
	})
}

func TestDigestRefused(t *testing.T) {
	t.Parallel()
	good := strings.Repeat("ab", 32)
	for _, c := range []struct{ text, says string }{
		{"", "not 0"},
		{good[1:], "not 63"},
		{good + "a", "not 65"},
		{good + good, "not 128"},
		{"g" + good[1:], "only hexadecimal"},
		{good[:63] + "z", "only hexadecimal"},
		{" " + good[1:], "only hexadecimal"},
		{"0x" + good[2:], "only hexadecimal"},
	} {
		d, err := pool.ParseDigest(c.text)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%q: %v, want words like %q", c.text, err, c.says)
		}
		if !d.IsZero() {
			t.Errorf("%q is refused and yet gives %v", c.text, d)
		}
	}
}

func TestErrorText(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err  *pool.Error
		text string
	}{
		{pool.Refuse(pool.Invalid, "template.trust", "0 to %d, here %d", 9, 10), "invalid (template.trust): 0 to 9, here 10"},
		{pool.Refuse(pool.NotFound, "", "no such work"), "not_found: no such work"},
		{&pool.Error{Kind: pool.Conflict, Message: "already done", Cause: io.EOF}, "conflict: already done: EOF"},
		{&pool.Error{Kind: pool.TooLarge, Field: "items", Message: "too many", Cause: io.EOF}, "too_large (items): too many: EOF"},
	} {
		if c.err.Error() != c.text {
			t.Errorf("%q, want %q", c.err.Error(), c.text)
		}
	}
}

func TestErrorChain(t *testing.T) {
	t.Parallel()
	down := pool.Down("the database", io.ErrUnexpectedEOF)
	if down.Kind != pool.Unavailable || down.RetryAfter != 2*time.Second || down.Field != "" {
		t.Errorf("%+v", down)
	}
	if !strings.Contains(down.Message, "the database") || strings.Contains(down.Message, "EOF") {
		t.Errorf("message %q must name what is down and hide the cause", down.Message)
	}
	wrapped := fmt.Errorf("storing a batch: %w", down)
	if !errors.Is(wrapped, io.ErrUnexpectedEOF) {
		t.Error("the cause is lost")
	}
	var e *pool.Error
	if !errors.As(wrapped, &e) || e != down {
		t.Error("the error is lost in the chain")
	}
	if k := pool.KindOf(wrapped); k != pool.Unavailable {
		t.Errorf("kind %q", k)
	}
	if k := pool.KindOf(io.EOF); k != "" {
		t.Errorf("kind %q of an error without one", k)
	}
	if k := pool.KindOf(nil); k != "" {
		t.Errorf("kind %q of no error", k)
	}
	outer := &pool.Error{Kind: pool.Invalid, Message: "bad", Cause: down}
	if k := pool.KindOf(outer); k != pool.Invalid {
		t.Errorf("kind %q: the outermost decides", k)
	}
}

func TestWorkMovesAreClosed(t *testing.T) {
	t.Parallel()
	closed(t, pool.WorkStates, pool.WorkMoves)
	for _, s := range pool.WorkStates {
		if ends := len(pool.WorkMoves[s]) == 0; ends != s.Ended() {
			t.Errorf("%s: ended %v, but %d moves", s, s.Ended(), len(pool.WorkMoves[s]))
		}
		if s.Ended() && s.Open() {
			t.Errorf("%s is ended and open", s)
		}
		if !s.Ended() && !slices.Contains(pool.WorkMoves[s], pool.Cancelled) {
			t.Errorf("%s cannot be cancelled", s)
		}
		if !s.Ended() && !slices.Contains(pool.WorkMoves[s], pool.Failed) {
			t.Errorf("%s cannot fail at its deadline", s)
		}
		if slices.Contains(pool.WorkMoves[s], pool.Done) != (s == pool.Agreed) {
			t.Errorf("%s: only what was agreed upon may be done", s)
		}
		if slices.Contains(pool.WorkMoves[s], pool.Staging) {
			t.Errorf("%s goes back to staging", s)
		}
	}
	reach(t, pool.Staging, pool.WorkStates, pool.WorkMoves)
}

// apiStates are the states that assignments of api works know.
func apiStates() []pool.AssignmentState {
	return slices.DeleteFunc(slices.Clone(pool.AssignmentStates), func(s pool.AssignmentState) bool {
		return s == pool.HasContributed || s == pool.HasRevealed || s == pool.Checking
	})
}

func TestAssignmentMovesAreClosed(t *testing.T) {
	t.Parallel()
	for _, table := range []struct {
		states []pool.AssignmentState
		moves  map[pool.AssignmentState][]pool.AssignmentState
	}{{apiStates(), pool.AssignmentMoves}, {pool.AssignmentStates, pool.DealMoves}} {
		closed(t, table.states, table.moves)
		for _, s := range table.states {
			moves := table.moves[s]
			if s.Open() && !s.Held() {
				t.Errorf("%s is open but not held", s)
			}
			if s.Held() && !slices.Contains(moves, pool.Superseded) {
				t.Errorf("%s is held and cannot be superseded when its work ends", s)
			}
			if slices.Contains(moves, pool.Offered) != (s == pool.Expired || s == pool.Refused) {
				t.Errorf("%s: only an expired or a refused turn is offered again", s)
			}
		}
		if len(table.moves[pool.Broken]) != 0 {
			t.Errorf("a failed run moves to %v", table.moves[pool.Broken])
		}
		reach(t, pool.Offered, table.states, table.moves)
	}
	for _, end := range []pool.AssignmentState{pool.Closed, pool.Superseded} {
		if len(pool.AssignmentMoves[end]) != 0 {
			t.Errorf("%s is an end and moves to %v", end, pool.AssignmentMoves[end])
		}
	}
	if slices.Contains(pool.AssignmentMoves[pool.Reported], pool.Expired) {
		t.Error("a reported digest must not expire")
	}
}

// closed tells that table and list name the same states and each move once.
func closed[S ~string](t *testing.T, states []S, moves map[S][]S) {
	t.Helper()
	if len(states) != len(moves) {
		t.Errorf("%d states, %d rows", len(states), len(moves))
	}
	for i, s := range states {
		if slices.Index(states, s) != i {
			t.Errorf("%s is listed twice", s)
		}
		row, ok := moves[s]
		if !ok {
			t.Errorf("%s has no row", s)
		}
		for j, to := range row {
			switch {
			case to == s:
				t.Errorf("%s moves to itself", s)
			case !slices.Contains(states, to):
				t.Errorf("%s moves to %q, which is no state", s, to)
			case slices.Index(row, to) != j:
				t.Errorf("%s moves to %s twice", s, to)
			}
		}
	}
}

// reach tells that every state can be reached from the first.
func reach[S ~string](t *testing.T, first S, states []S, moves map[S][]S) {
	t.Helper()
	seen, next := map[S]bool{first: true}, []S{first}
	for len(next) > 0 {
		s := next[0]
		next = next[1:]
		for _, to := range moves[s] {
			if !seen[to] {
				seen[to] = true
				next = append(next, to)
			}
		}
	}
	for _, s := range states {
		if !seen[s] {
			t.Errorf("nothing leads to %s", s)
		}
	}
}

func TestPredicates(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		state       pool.WorkState
		open, ended bool
	}{
		{pool.Staging, false, false}, {pool.Waiting, true, false}, {pool.Running, true, false}, {pool.Agreed, false, false},
		{pool.Done, false, true}, {pool.Failed, false, true}, {pool.Cancelled, false, true},
	} {
		if c.state.Open() != c.open || c.state.Ended() != c.ended {
			t.Errorf("%s: open %v, ended %v", c.state, c.state.Open(), c.state.Ended())
		}
	}
	for _, c := range []struct {
		state                   pool.AssignmentState
		open, held, owner, runs bool // owner: holds its owner's turn unstarted; runs: once started
	}{
		{pool.Offered, true, true, true, true}, {pool.InRun, true, true, true, true}, {pool.Reported, false, true, true, true},
		{pool.Uploading, false, true, true, true}, {pool.Closed, false, false, true, true}, {pool.Expired, false, false, false, true},
		{pool.Refused, false, false, false, true}, {pool.Broken, false, false, true, true}, {pool.Superseded, false, false, true, true},
	} {
		if c.state.Open() != c.open || c.state.Held() != c.held {
			t.Errorf("%s: open %v, held %v", c.state, c.state.Open(), c.state.Held())
		}
		if got := (pool.Assignment{State: c.state}).HoldsOwner(); got != c.owner {
			t.Errorf("%s unstarted holds its owner's turn: %v", c.state, got)
		}
		if got := (pool.Assignment{State: c.state, Started: true}).HoldsOwner(); got != c.runs {
			t.Errorf("%s once started holds its owner's turn: %v", c.state, got)
		}
	}
}

func TestWorkerSlotsAndLease(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ slots, quota, open, free int }{
		{4, 256, 0, 4}, {4, 4, 3, 1}, {4, 4, 4, 0}, {2, 4, 4, 0}, {0, 1, 0, 0}, {4, 1, 0, 1}, {4, 2, 1, 1}, {4, 1, 2, 0},
	} {
		if got := (pool.Worker{Slots: c.slots, Quota: c.quota, Open: c.open}).Free(); got != c.free {
			t.Errorf("%+v: %d free", c, got)
		}
	}
	until := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	w := pool.Worker{Until: until}
	if !w.Live(until.Add(-1)) || w.Live(until) || w.Live(until.Add(1)) {
		t.Error("a lease holds before its end and no longer")
	}
}

func TestRules(t *testing.T) {
	t.Parallel()
	allow := func(entries ...string) pool.Rules { return pool.Rules{Allow: entries} }
	deny := func(entries ...string) pool.Rules { return pool.Rules{Deny: entries} }
	for _, c := range []struct {
		rules pool.Rules
		name  string
		admit bool
	}{
		{pool.Rules{}, "ann", true}, {pool.Rules{}, "", true},
		{allow("ann"), "ann", true}, {allow("ann"), "anna", false}, {allow("bob", "ann*"), "anna", true}, {allow("ann*"), "ann", true}, {allow("ann*"), "an", false},
		{deny("ann"), "ann", false}, {deny("ann"), "anna", true}, {deny("ann*"), "anna", false}, {deny("bob"), "ann", true}, {deny("*"), "ann", false},
		{pool.Rules{Allow: []string{"ann"}, Deny: []string{"a*"}}, "ann", false}, {pool.Rules{Allow: []string{"*"}, Deny: []string{"bob"}}, "ann", true},
	} {
		if got := c.rules.Admit(c.name); got != c.admit {
			t.Errorf("%+v admits %q: %v", c.rules, c.name, got)
		}
	}
}

func TestCategories(t *testing.T) {
	t.Parallel()
	want := map[string]time.Duration{"XS": 300 * time.Second, "S": 20 * time.Minute, "M": time.Hour, "L": 3 * time.Hour, "XL": 10 * time.Hour}
	if len(pool.Categories) != len(want) {
		t.Errorf("%d categories", len(pool.Categories))
	}
	for name, limit := range want {
		if c, ok := pool.CategoryNamed(name); !ok || c.Name != name || c.RunLimit != limit {
			t.Errorf("%s: %+v %v", name, c, ok)
		}
	}
	for _, name := range []string{"", "xs", "XXL"} {
		if c, ok := pool.CategoryNamed(name); ok || c != (pool.Category{}) {
			t.Errorf("%q is %+v", name, c)
		}
	}
}

// Keys in the bucket: no two owners, works or digests share one.
func TestKeys(t *testing.T) {
	t.Parallel()
	a, b := pool.Digest{1}, pool.Digest{2}
	if key := pool.InputKey(7, a); key != "inputs/7/"+a.String() {
		t.Errorf("%s", key)
	}
	for origin, want := range map[pool.Origin][2]string{pool.OriginAPI: {".tar", "application/x-tar"}, pool.OriginDeal: {".zip", "application/zip"}} {
		if key := pool.ResultKey(origin, 9, b); key != "results/9/"+b.String()+want[0] || origin.ResultType() != want[1] {
			t.Errorf("%s: %s, %s", origin, key, origin.ResultType())
		}
	}
	if reported := (pool.Assignment{Digest: a}); reported.Origin() != pool.OriginAPI {
		t.Errorf("a digest alone is of %s", reported.Origin())
	}
	if reported := (pool.Assignment{Digest: a, File: b}); reported.Origin() != pool.OriginDeal {
		t.Errorf("a digest with a file is of %s", reported.Origin())
	}
	if pool.InputKey(1, a) == pool.InputKey(2, a) || pool.InputKey(1, a) == pool.InputKey(1, b) ||
		pool.ResultKey(pool.OriginAPI, 1, a) == pool.ResultKey(pool.OriginAPI, 2, a) || pool.ResultKey(pool.OriginDeal, 1, a) == pool.ResultKey(pool.OriginDeal, 1, b) {
		t.Error("two files under one key")
	}
}
