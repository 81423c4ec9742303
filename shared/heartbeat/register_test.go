package heartbeat_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"workerpool/shared/pool"
	"workerpool/shared/pooltest"
	"workerpool/shared/wire"
)

// A worker that registers again is the same one; with another key it is refused.
func TestRegisterTwice(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	in := pooltest.Registration("attic", 2)
	var first, second wire.Registered
	b.Call(b.crowd.Token, "POST", "/workers", in).Into(b.World, &first)
	in.Slots, in.Capabilities.GPU = 3, 1
	b.Call(b.crowd.Token, "POST", "/workers", in).Into(b.World, &second)
	if first.Worker != second.Worker || second.Token == "" || second.ExpiresIn != 3600 {
		t.Errorf("%+v, then %+v", first, second)
	}
	var list wire.Workers
	b.Call(b.op.Token, "GET", "/workers", nil).Into(b.World, &list)
	if len(list.Workers) != 1 || list.Workers[0].Slots != 3 || list.Workers[0].Capabilities.GPU != 1 || list.Workers[0].Live {
		t.Errorf("%+v", list)
	}
	for _, token := range []string{first.Token, second.Token} {
		b.Beat(pooltest.Worker{ID: first.Worker, Token: token})
	}
	before := b.Stored()
	thief := in
	thief.Key, thief.Slots = strings.Repeat("ab", 32), 200
	answer := b.Call(b.crowd.Token, "POST", "/workers", thief)
	if answer.Status != 409 || answer.Problem.Field != "name" {
		t.Errorf("another key: %d %+v", answer.Status, answer.Problem)
	}
	if !maps.Equal(before, b.Stored()) {
		t.Error("a refused registration has changed something")
	}
	// The name belongs to the account: another account has its own.
	var other wire.Registered
	b.Call(b.Account(pool.RoleWorker, "bob").Token, "POST", "/workers", thief).Into(b.World, &other)
	if other.Worker == first.Worker {
		t.Error("two accounts share a worker")
	}
}

// Half done or not done at all, a registration that is repeated gives one worker.
func TestRegisterInDoubt(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for trip := 1; ; trip++ {
		for after, cut := range map[bool]func(int){false: b.Wire.CutBefore, true: b.Wire.CutAfter} {
			name := fmt.Sprint("worker-", trip, "-", after)
			cut(trip)
			answer := b.Call(b.crowd.Token, "POST", "/workers", pooltest.Registration(name, 1))
			beyond := b.Wire.Trips() < trip
			b.Wire.Reset()
			if beyond {
				if trip == 1 || answer.Status != 200 {
					t.Errorf("a registration has %d round trips, status %d", trip-1, answer.Status)
				}
				return
			}
			if answer.Status != 503 || answer.Header.Get("Retry-After") == "" {
				t.Errorf("trip %d, after %v: status %d, %s", trip, after, answer.Status, answer.Body)
			}
			b.Worker(b.crowd, name, 1)
			if n := b.Books.Count(t, "SELECT COUNT(*) FROM worker WHERE name = ?", name); n != 1 {
				t.Errorf("trip %d, after %v: %d workers", trip, after, n)
			}
		}
	}
}

// A disabled account's workers are refused, and get nothing.
func TestDisabledAccount(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	one := b.workers("one")[0]
	b.submit(0)
	b.Books.Exec(t, "UPDATE account SET disabled = TRUE WHERE id = ?", b.crowd.ID)
	b.Dispatch()
	before := b.Stored()
	if answer := b.TryBeat(one); answer.Status != 403 {
		t.Errorf("a heartbeat: %d %s", answer.Status, answer.Body)
	}
	if !maps.Equal(before, b.Stored()) {
		t.Error("a refused heartbeat has changed something")
	}
}
