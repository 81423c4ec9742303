package store_test

import (
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"workerpool/shared/placement"
	"workerpool/shared/pool"
	"workerpool/shared/store"
	"workerpool/shared/store/storetest"
)

func take(t *testing.T, s *storetest.Books) *pool.Lease {
	t.Helper()
	return must(s.TakeLease(background))(t)
}

func release(t *testing.T, s *storetest.Books, l *pool.Lease) bool {
	t.Helper()
	return must(s.ReleaseLease(background, l))(t)
}

func TestLeaseOfOne(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	a := take(t, s)
	if a == nil {
		t.Fatal("a free lease was not given")
	}
	if left := s.Count(t, "SELECT TIMESTAMPDIFF(MICROSECOND, UTC_TIMESTAMP(6), until) FROM lease"); left > int(store.DispatchLease.Microseconds()) || left < int((store.DispatchLease-5*time.Second).Microseconds()) {
		t.Errorf("held for %d us", left)
	}
	for range 2 {
		if b := take(t, s); b != nil {
			t.Fatalf("two hold it: %+v, %+v", a, b)
		}
	}
	if !release(t, s, a) {
		t.Error("let go though somebody asked")
	}
	if take(t, s) != nil {
		t.Error("not held any more")
	}
	if !release(t, s, a) || release(t, s, a) {
		t.Error("asked once more, then never")
	}
	b := take(t, s)
	if b == nil || b.Fence <= a.Fence {
		t.Fatalf("%+v after %+v", b, a)
	}
	if release(t, s, a) || s.Count(t, "SELECT until > UTC_TIMESTAMP(6) FROM lease") != 1 {
		t.Error("a lease was let go by who had it before")
	}
	if release(t, s, b) {
		t.Error("nobody asked")
	}
}

func TestLeaseTakenOver(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	silent := take(t, s)
	s.Exec(t, "UPDATE lease SET until = UTC_TIMESTAMP(6)")
	heir := take(t, s)
	if heir == nil || heir.Fence <= silent.Fence {
		t.Fatalf("%+v after %+v", heir, silent)
	}
	asked := s.Count(t, "SELECT asked FROM lease")
	// The silent one wakes up: what it does with the lease touches nobody's.
	p := join(t, s, 1, 1)
	p.works(t, 1, 1)
	s.Exec(t, "UPDATE lease SET until = UTC_TIMESTAMP(6) + INTERVAL 1 SECOND")
	must(s.Dispatch(background, silent, 9, placement.Bookmark{}, 1, trace, decide))(t)
	if left := s.Count(t, "SELECT TIMESTAMPDIFF(SECOND, UTC_TIMESTAMP(6), until) FROM lease"); left > 1 {
		t.Errorf("a lost lease was renewed to %d s", left)
	}
	if release(t, s, silent) {
		t.Error("a lost lease asks for more")
	}
	if s.Count(t, "SELECT asked FROM lease") != asked || s.Count(t, "SELECT fence FROM lease") != int(heir.Fence) {
		t.Error("the heir's lease has changed")
	}
	storetest.Check(t, s)
}

func TestLeaseRenewedByDispatching(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	p := join(t, s, 1, 1)
	p.works(t, 1, 1)
	l := take(t, s)
	s.Exec(t, "UPDATE lease SET until = UTC_TIMESTAMP(6) + INTERVAL 2 SECOND")
	must(s.Dispatch(background, l, 9, placement.Bookmark{}, 1, trace, decide))(t)
	if left := s.Count(t, "SELECT TIMESTAMPDIFF(SECOND, UTC_TIMESTAMP(6), until) FROM lease"); left < 5 {
		t.Errorf("%d s left", left)
	}
}

func TestLeaseOfFiftyTakers(t *testing.T) {
	t.Parallel()
	s := storetest.New(t, storetest.Conns(25))
	for range 4 {
		var holders atomic.Int64
		var held atomic.Pointer[pool.Lease]
		errs := make([]error, 50)
		together(len(errs), func(i int) {
			l, err := s.TakeLease(background)
			if errs[i] = err; l != nil {
				holders.Add(1)
				held.Store(l)
			}
		})
		if err := errors.Join(errs...); err != nil || holders.Load() != 1 {
			t.Fatalf("%d hold it, %v", holders.Load(), err)
		}
		for release(t, s, held.Load()) { // those who came after it are one word or many
		}
	}
}

// TestNoRingIsLost: a ring comes with work to do. Whoever is refused the lease
// may leave, because the holder then looks again after that moment.
func TestNoRingIsLost(t *testing.T) {
	t.Parallel()
	s := storetest.New(t, storetest.Conns(16))
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	for round := range 20 {
		var rung, looked atomic.Int64 // the last ring, and the last ring that a look has seen
		errs := make([]error, 16)
		together(len(errs), func(i int) {
			r := rand.New(rand.NewPCG(seed, uint64(round*100+i)))
			for range 1 + r.IntN(3) {
				rung.Add(1)
				l, err := s.TakeLease(background)
				if err != nil || l == nil {
					errs[i] = err
					continue
				}
				for more := true; more; {
					looked.Store(rung.Load())
					if errs[i] = s.Ping(background); errs[i] != nil { // others may ring meanwhile
						return
					}
					if more, err = s.ReleaseLease(background, l); err != nil {
						errs[i] = err
						return
					}
				}
			}
		})
		if err := errors.Join(errs...); err != nil {
			t.Fatal(err)
		}
		if looked.Load() != rung.Load() {
			t.Fatalf("ring %d was never looked after, only %d", rung.Load(), looked.Load())
		}
	}
}
