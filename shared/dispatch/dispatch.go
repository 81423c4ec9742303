// Package dispatch is the flow of a ring: settle what is over, match works with
// workers, until nothing is left to do. It decides nothing itself: placement
// and life do.
package dispatch

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"workerpool/shared/life"
	"workerpool/shared/placement"
	"workerpool/shared/pool"
	"workerpool/shared/telemetry"
)

// Books is what dispatching reads and writes.
type Books interface {
	TakeLease(ctx context.Context) (*pool.Lease, error)
	ReleaseLease(ctx context.Context, l *pool.Lease) (more bool, err error)
	DropLease(ctx context.Context, l *pool.Lease) error
	Dispatch(ctx context.Context, l *pool.Lease, limit int, bookmark placement.Bookmark, seed uint64, t pool.Trace,
		decide func(placement.Snapshot) placement.Plan) (placement.Pass, error)
	Settle(ctx context.Context, ids []pool.WorkID, renew *pool.Renewal, t pool.Trace, decide func(now time.Time, lives []life.Life)) ([]life.Life, error)
}

// Words is where the pool's word to workers of deals is kept.
type Words interface {
	Unauthorised(ctx context.Context, limit int) ([]pool.Authorisation, error)
	Authorise(ctx context.Context, signed []pool.Authorisation, t pool.Trace) (given int, err error)
}

// Signer signs with the pool's key.
type Signer interface {
	// Authorise signs that a wallet may contribute to a task.
	Authorise(ctx context.Context, wallet pool.Address, task pool.Hash) ([65]byte, error)
}

// Config is what Dispatch needs.
type Config struct {
	Books  Books
	Words  Words // nil in a pool without a chain, as Signer
	Signer Signer
	Meter  *telemetry.Meter
	Seed   func() uint64 // from the system's random source: nobody can foresee a draw
	Lease  bool          // take turns with other dispatchers; correctness does not rest on it
	Now    func() time.Time
}

// Dispatch answers rings.
type Dispatch struct{ Config }

// New makes a Dispatch.
func New(c Config) *Dispatch { return &Dispatch{c} }

const (
	limit   = 500             // works of a queue looked at in one pass
	maxVain = 200             // passes on end that assign nothing: 100,000 works of a queue that nobody with room may be given
	margin  = 5 * time.Second // before the function's deadline: no pass is begun any more
)

// ParseRing checks a message of the queue. It carries no state; what cannot be
// read was not sent by the pool.
func ParseRing(body string) error {
	var ring struct {
		Ring int `json:"ring"`
	}
	if err := json.Unmarshal([]byte(body), &ring); err != nil || ring.Ring != 1 {
		return errors.New("the message is no ring")
	}
	return nil
}

// Run looks at the pool until there is nothing to assign and nothing over, or
// the deadline of the context is near. When another dispatcher is at it, that
// one is told to look again and Run returns at once.
func (d *Dispatch) Run(ctx context.Context) error {
	began := d.Now()
	made, held := 0, true
	var err error
	if d.Lease {
		var lease *pool.Lease
		if lease, err = d.Books.TakeLease(ctx); err == nil {
			if held = lease != nil; held {
				made, err = d.hold(ctx, lease)
			}
		}
	} else {
		made, err = d.drain(ctx, nil)
	}
	if err == nil && d.Signer != nil && !d.late(ctx) {
		err = d.authorise(ctx)
	}
	if held {
		d.count(ctx, telemetry.N(telemetry.OffersMade, made), telemetry.Took(telemetry.DispatchTime, d.Now().Sub(began)))
	}
	if made > 0 {
		slog.InfoContext(ctx, "assigned", telemetry.KeyCount, made)
	}
	if pool.KindOf(err) == pool.Unavailable {
		d.Meter.DependencyFailed()
	}
	return err
}

// hold drains until nobody asked meanwhile. When something went wrong or the time
// is nearly over the lease is let go all the same, so that others need not wait
// for its end; whoever asked is served by the next ring: heartbeats ring while
// works wait, and so does the tick.
func (d *Dispatch) hold(ctx context.Context, lease *pool.Lease) (made int, err error) {
	for {
		n, err := d.drain(ctx, lease)
		made += n
		if err != nil || d.late(ctx) {
			dropping, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
			defer cancel()
			return made, errors.Join(err, d.Books.DropLease(dropping, lease))
		}
		if more, err := d.Books.ReleaseLease(ctx, lease); err != nil || !more {
			return made, err
		}
	}
}

// drain makes passes until every queue was seen to its end, and gives how many
// assignments it made.
func (d *Dispatch) drain(ctx context.Context, lease *pool.Lease) (made int, err error) {
	bookmark := placement.Bookmark{}
	vain := 0
	for vain < maxVain && !d.late(ctx) {
		seed := d.Seed()
		pass, err := d.Books.Dispatch(ctx, lease, limit, bookmark, seed, trace(ctx), func(s placement.Snapshot) placement.Plan {
			return placement.Decide(s, seed, placement.Defaults)
		})
		if err != nil {
			return made, err
		}
		made += pass.Offers
		if vain++; pass.Offers > 0 {
			vain = 0
		}
		if pass.Held > 0 {
			d.count(ctx, telemetry.N(telemetry.LeasesHeld, pass.Held))
			slog.WarnContext(ctx, "many leases ended together, or the pool itself was out: every lease gets one full period", telemetry.KeyCount, pass.Held)
		}
		switch {
		case len(pass.Over) > 0:
			if err := d.expire(ctx, pass.Over, seed); err != nil {
				return made, err
			}
		case pass.Exhausted:
			return made, nil
		}
	}
	return made, nil
}

// expire ends what is over in works.
func (d *Dispatch) expire(ctx context.Context, works []pool.WorkID, seed uint64) error {
	var before []life.Life
	lives, err := d.Books.Settle(ctx, works, nil, trace(ctx), func(now time.Time, lives []life.Life) {
		before = before[:0]
		for i := range lives {
			was := life.Life{Work: lives[i].Work, Rows: append([]life.Row(nil), lives[i].Rows...)}
			before = append(before, was)
			lives[i].Expire(now, seed, life.Defaults)
		}
	})
	if err != nil {
		return err
	}
	offers, runs, failed := 0, 0, 0
	for i, l := range lives {
		if l.Work.State == pool.Failed && before[i].Work.State != pool.Failed {
			failed++
		}
		for j, row := range l.Rows {
			if row.State != pool.Expired || before[i].Rows[j].State == pool.Expired {
				continue
			}
			if row.Started {
				runs++
			} else {
				offers++
			}
			slog.InfoContext(ctx, "assignment expired", telemetry.KeyWork, int64(row.Work), telemetry.KeyWorker, int64(row.Worker), telemetry.KeyReason, row.Reason)
		}
	}
	d.count(ctx, telemetry.N(telemetry.OffersExpired, offers), telemetry.N(telemetry.RunsLost, runs), telemetry.N(telemetry.WorksFailed, failed))
	return nil
}

// trace names the invocation: the pool itself acts, for nobody's account.
func trace(ctx context.Context) pool.Trace { return pool.Trace{RequestID: telemetry.RequestID(ctx)} }

func (d *Dispatch) late(ctx context.Context) bool {
	deadline, ok := ctx.Deadline()
	return ctx.Err() != nil || ok && deadline.Sub(d.Now()) < margin
}

func (d *Dispatch) count(ctx context.Context, values ...telemetry.Value) {
	if err := d.Meter.Record(values...); err != nil {
		slog.WarnContext(ctx, "not counted", telemetry.KeyError, err.Error())
	}
}
