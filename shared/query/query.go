// Package query is the flow of reading: works, batches, results, why something
// waits, and the pool at a glance. It changes nothing.
package query

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	"workerpool/shared/pool"
)

// Books is what can be read. requester 0 reads everybody's.
type Books interface {
	Work(ctx context.Context, requester pool.AccountID, id pool.WorkID) (pool.Work, []pool.Assignment, error)
	Works(ctx context.Context, f pool.WorkFilter) ([]pool.Work, error)
	Batch(ctx context.Context, requester pool.AccountID, id pool.BatchID) (pool.Batch, error)
	Census(ctx context.Context) (pool.Census, error)
	Ping(ctx context.Context) error
}

// Files makes links.
type Files interface {
	PresignGet(ctx context.Context, key, filename string) (pool.Link, error)
}

// Config is what Query needs.
type Config struct {
	Books    Books
	Reasons  Reasons
	Archives Archives
	Files    Files
	Pool     string // the pool's name
	Chain    string // its address on the chain; "" without
	MaxFile  int64
	OpenAPI  []byte // docs/openapi.yaml
	Now      func() time.Time
}

// Query reads.
type Query struct {
	Config
	mu      sync.Mutex
	census  pool.Census
	counted time.Time
}

// New makes a Query.
func New(c Config) *Query { return &Query{Config: c} }

// censusAge is how old a census may be: anybody may ask for it, and counting
// reads every work that has not ended.
const censusAge = 5 * time.Second

// Glance gives the pool's numbers, at most censusAge old.
func (q *Query) Glance(ctx context.Context) (pool.Census, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.counted.IsZero() || q.Now().Sub(q.counted) >= censusAge {
		census, err := q.Books.Census(ctx)
		if err != nil {
			return pool.Census{}, err
		}
		q.census, q.counted = census, q.Now()
	}
	census := q.census
	census.Works = maps.Clone(census.Works)
	return census, nil
}

// Result gives the link to a requester's result; pool.Conflict while there is
// none, telling the work's state. Of a deal it is there before the chain's last
// word.
func (q *Query) Result(ctx context.Context, requester pool.AccountID, id pool.WorkID) (pool.Work, pool.Link, error) {
	work, _, err := q.Books.Work(ctx, requester, id)
	if err != nil {
		return work, pool.Link{}, err
	}
	if work.State != pool.Done && (work.State != pool.Agreed || work.File.IsZero()) {
		return work, pool.Link{}, pool.Refuse(pool.Conflict, "id", "work %d is %s: there is a result once it is done", id, work.State)
	}
	link, err := q.Files.PresignGet(ctx, pool.ResultKey(work.Origin, id, work.Bytes()), fmt.Sprintf("work-%d%s", id, work.Origin.ResultSuffix()))
	return work, link, err
}
