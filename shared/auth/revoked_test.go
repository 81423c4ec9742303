package auth_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"workerpool/shared/auth"
	"workerpool/shared/pool"
)

// generations are books that answer what a test says.
type generations struct {
	raised map[pool.AccountID]int
	err    error
	asked  int
	within time.Duration
}

func (g *generations) Revoked(_ context.Context, within time.Duration) (map[pool.AccountID]int, error) {
	g.asked++
	g.within = within
	if g.err != nil {
		return nil, g.err
	}
	out := map[pool.AccountID]int{}
	for id, generation := range g.raised {
		out[id] = generation
	}
	return out, nil
}

func TestRevokedByGeneration(t *testing.T) {
	books := &generations{raised: map[pool.AccountID]int{12: 3, 14: 1}}
	revoked := auth.NewRevoked(books, func() time.Time { return start })
	for _, c := range []struct {
		caller pool.Caller
		good   bool
	}{
		{pool.Caller{Account: 12, Generation: 2}, false},
		{pool.Caller{Account: 12, Generation: 0, Worker: 5}, false},
		{pool.Caller{Account: 12, Generation: 3}, true},
		{pool.Caller{Account: 12, Generation: 4}, true}, // made after what is known was asked
		{pool.Caller{Account: 13, Generation: 0}, true},
		{pool.Caller{Account: 14, Generation: 0}, false},
		{pool.Caller{Account: 14, Generation: 1}, true},
	} {
		err := revoked.Check(t.Context(), c.caller)
		if (err == nil) != c.good || !c.good && pool.KindOf(err) != pool.Unauthenticated {
			t.Errorf("%+v: %v", c.caller, err)
		}
	}
	if books.asked != 1 || books.within != 65*time.Minute {
		t.Errorf("asked %d times, for %s", books.asked, books.within)
	}
}

// However many come, the books are asked once in five seconds, and nobody's coming
// asks nothing. A clock that was set back is no reason to go by what is old.
func TestRevokedIsAskedSeldom(t *testing.T) {
	books, now := &generations{}, start
	revoked := auth.NewRevoked(books, func() time.Time { return now })
	for _, step := range []struct {
		pass  time.Duration
		asked int
	}{
		{0, 1}, {time.Second, 1}, {3999 * time.Millisecond, 1}, {time.Millisecond, 2}, {4 * time.Second, 2}, {time.Hour, 3}, {-time.Minute, 4}, {4 * time.Second, 4},
	} {
		now = now.Add(step.pass)
		for range 100 {
			if err := revoked.Check(t.Context(), alice); err != nil {
				t.Fatal(err)
			}
		}
		if books.asked != step.asked {
			t.Errorf("at %s: asked %d times, want %d", now, books.asked, step.asked)
		}
	}
}

// While the books are away, what is known stays in force, and they are asked again
// by whoever comes next.
func TestRevokedWhileTheBooksAreAway(t *testing.T) {
	down := pool.Down("the database", errors.New("timeout"))
	books, now := &generations{err: down}, start
	revoked := auth.NewRevoked(books, func() time.Time { return now })
	for range 2 {
		if err := revoked.Check(t.Context(), alice); pool.KindOf(err) != pool.Unavailable {
			t.Errorf("nothing is known: %v", err)
		}
	}
	books.err, books.raised = nil, map[pool.AccountID]int{14: 9}
	if err := revoked.Check(t.Context(), alice); err != nil || books.asked != 3 {
		t.Errorf("%v, asked %d times", err, books.asked)
	}
	books.err, now = down, now.Add(time.Hour)
	if err := revoked.Check(t.Context(), alice); err != nil {
		t.Errorf("not revoked, as far as is known: %v", err)
	}
	if err := revoked.Check(t.Context(), pool.Caller{Account: 14}); pool.KindOf(err) != pool.Unauthenticated || books.asked != 5 {
		t.Errorf("revoked an hour ago: %v, asked %d times", err, books.asked)
	}
	books.err, books.raised = nil, nil
	if err := revoked.Check(t.Context(), pool.Caller{Account: 14}); err != nil {
		t.Errorf("what the books no longer tell has run out: %v", err)
	}
}

// silent are books that never answer.
type silent struct{}

func (silent) Revoked(ctx context.Context, _ time.Duration) (map[pool.AccountID]int, error) {
	<-ctx.Done()
	return nil, pool.Down("the database", ctx.Err())
}

// Books that do not answer leave the request its time.
func TestRevokedIsNotWaitedForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		revoked := auth.NewRevoked(silent{}, time.Now)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if err := revoked.Check(ctx, alice); pool.KindOf(err) != pool.Unavailable {
			t.Errorf("got %v", err)
		}
		if ctx.Err() != nil {
			t.Error("the request's time is over")
		}
	})
}

// A token of before there were generations is of the first.
func TestTokenWithoutGeneration(t *testing.T) {
	now := start
	made := tokens(t, with(keyA, ""), &now)
	header, said := open(t, issue(t, made))
	caller, err := made.Verify(t.Context(), seal(t, header, change(said, "gen", nil), keyA))
	if want := (pool.Caller{Account: alice.Account, Role: alice.Role, Login: alice.Login, Worker: alice.Worker}); err != nil || caller != want {
		t.Errorf("got %+v, %v", caller, err)
	}
}

func TestRevokedByManyAtOnce(t *testing.T) {
	books := &generations{raised: map[pool.AccountID]int{14: 1}}
	revoked := auth.NewRevoked(books, func() time.Time { return start })
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if good, bad := revoked.Check(t.Context(), alice), revoked.Check(t.Context(), pool.Caller{Account: 14}); good != nil || bad == nil {
				t.Errorf("%v, %v", good, bad)
			}
		})
	}
	all.Wait()
	if books.asked != 1 {
		t.Errorf("asked %d times", books.asked)
	}
}
