package auth

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"workerpool/shared/pool"
)

const (
	// RevokedWithin is how long after its being raised a generation matters: the
	// tokens of before have run out then, by whatever clock they were made.
	RevokedWithin = Lifetime + 5*time.Minute
	// Notice is how long a process goes by what it was last told: a revocation is in
	// force everywhere so long after it was stored.
	Notice = 5 * time.Second
	// patience is what one asking may take of a request's time: what the request is
	// about asks the same books, and must be left some.
	patience = 2 * time.Second
)

// Generations tells which accounts had their generation raised within a time, and
// which they have now.
type Generations interface {
	Revoked(ctx context.Context, within time.Duration) (map[pool.AccountID]int, error)
}

// Revoked knows which tokens are revoked: those made before their account's
// generation was raised. It asks when somebody comes and what it knows is older than
// Notice, so a process that nobody calls asks nothing. It may be used by several
// goroutines at once.
type Revoked struct {
	books Generations
	now   func() time.Time

	mu    sync.Mutex
	known map[pool.AccountID]int // nil = nothing was ever told
	asked time.Time
}

// NewRevoked makes a Revoked that asks these books.
func NewRevoked(books Generations, now func() time.Time) *Revoked {
	return &Revoked{books: books, now: now}
}

// Check refuses a caller whose token is revoked: pool.Unauthenticated. While the
// books are out of reach, what is known stays in force; pool.Unavailable when
// nothing is known yet.
func (r *Revoked) Check(ctx context.Context, caller pool.Caller) error {
	known, err := r.latest(ctx)
	if err != nil {
		return err
	}
	if caller.Generation < known[caller.Account] {
		return refuseToken(errors.New("it was revoked"))
	}
	return nil
}

func (r *Revoked) latest(ctx context.Context) (map[pool.AccountID]int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	// By the clock on the wall: the other one may stand still while the process is
	// frozen between two calls.
	now := r.now().Round(0)
	if age := now.Sub(r.asked); r.known != nil && age >= 0 && age < Notice {
		return r.known, nil
	}
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	known, err := r.books.Revoked(limited, RevokedWithin)
	if err == nil {
		r.known, r.asked = known, now // as of before it was asked
	} else if r.known == nil {
		return nil, fmt.Errorf("learning which tokens are revoked: %w", err)
	}
	return r.known, nil // what the request itself asks of the same books will tell of their failure
}
