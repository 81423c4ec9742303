// Package operate is the flow of those who run the pool or own workers: listing
// workers and changing their states, and for operators alone the pool's state,
// accounts, what each requester gets of the pool, and what they ask of reconcile.
package operate

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"time"
	"unicode/utf8"

	"workerpool/shared/pool"
	"workerpool/shared/telemetry"
	"workerpool/shared/web"
	"workerpool/shared/wire"
)

// Books is what operating reads and writes. account 0 is everybody's.
type Books interface {
	Workers(ctx context.Context, account pool.AccountID, after pool.WorkerID, limit int) ([]pool.WorkerRecord, time.Time, error)
	SetWorkerState(ctx context.Context, account pool.AccountID, worker pool.WorkerID, state pool.WorkerState, t pool.Trace) error
	SetPoolState(ctx context.Context, state pool.State, t pool.Trace) (before pool.State, err error)
	// The requester's name is its login, or "uid:" and its uid.
	Share(ctx context.Context, name string) (pool.Share, error)
	SetShare(ctx context.Context, name string, share pool.Share, t pool.Trace) error
}

// Bell rings the dispatcher.
type Bell interface {
	Ring(ctx context.Context) error
}

// Config is what Operate needs.
type Config struct {
	Books    Books
	Accounts Accounts
	Bell     Bell
	Errands  Errands // nil = a pool without a chain
}

// Operate lists and steers.
type Operate struct{ Config }

// New makes an Operate.
func New(c Config) *Operate { return &Operate{c} }

const (
	pageDefault = 100
	pageMost    = 1000
	maxBody     = 4 << 10 // bytes
)

// Handler serves the routes of operators and worker owners.
func (o *Operate) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /workers", web.Handler(o.list))
	mux.Handle("POST /workers/{id}/drain", o.become(pool.Draining))
	mux.Handle("POST /workers/{id}/deactivate", o.become(pool.Inactive))
	mux.Handle("POST /workers/{id}/activate", o.become(pool.Active))
	mux.Handle("POST /pool/drain", o.steer(pool.PoolDraining))
	mux.Handle("POST /pool/deactivate", o.steer(pool.PoolInactive))
	mux.Handle("POST /pool/activate", o.steer(pool.PoolActive))
	mux.Handle("GET /requesters/{login}/share", web.Handler(o.share))
	mux.Handle("PUT /requesters/{login}/share", web.Handler(o.setShare))
	mux.Handle("GET /accounts", web.Handler(o.listAccounts))
	mux.Handle("POST /accounts", web.Handler(o.createAccount))
	mux.Handle("GET /accounts/{login}", web.Handler(o.showAccount))
	mux.Handle("PATCH /accounts/{login}", web.Handler(o.changeAccount))
	mux.Handle("POST /accounts/{login}/revoke", web.Handler(o.revokeAccount))
	mux.Handle("POST /chain/{errand}", web.Handler(o.askErrand))
	mux.Handle("GET /chain/{errand}", web.Handler(o.showErrand))
	return web.Routes(mux)
}

// scope gives whose workers the caller may see: its own, or as operator all. The
// token of one worker is for its heartbeats only.
func scope(r *http.Request) (pool.Caller, pool.AccountID, error) {
	caller, err := web.CallerAs(r.Context(), pool.RoleOperator, pool.RoleWorker)
	if err == nil && caller.Worker != 0 {
		err = pool.Refuse(pool.Forbidden, "", "a worker's token is for its heartbeats: use the account's")
	}
	if caller.Role == pool.RoleOperator {
		return caller, 0, err
	}
	return caller, caller.Account, err
}

func (o *Operate) list(w http.ResponseWriter, r *http.Request) error {
	_, account, err := scope(r)
	if err != nil {
		return err
	}
	after, limit, err := page(r)
	if err != nil {
		return err
	}
	// One more tells whether there is a next page.
	records, now, err := o.Books.Workers(r.Context(), account, pool.WorkerID(after), limit+1)
	if err != nil {
		return err
	}
	out := wire.Workers{Workers: []wire.Worker{}}
	if len(records) > limit {
		records = records[:limit]
		out.Next = int64(records[limit-1].ID)
	}
	for _, record := range records {
		out.Workers = append(out.Workers, worker(record, now))
	}
	return web.WriteJSON(w, http.StatusOK, out)
}

// page reads which page of a list is asked for.
func page(r *http.Request) (after int64, limit int, err error) {
	values := r.URL.Query()
	for name, given := range values {
		if !slices.Contains([]string{"after", "limit"}, name) || len(given) > 1 {
			return 0, 0, pool.Refuse(pool.Invalid, name, "known are after and limit, each once")
		}
	}
	if after, err = web.QueryInt(values, "after", 0, 0, 1<<53); err != nil {
		return 0, 0, err
	}
	most, err := web.QueryInt(values, "limit", pageDefault, 1, pageMost)
	return after, int(most), err
}

func worker(r pool.WorkerRecord, now time.Time) wire.Worker {
	out := wire.FromWorker(r.Worker, now)
	out.Name, out.Account, out.RegisteredAt = r.Name, int64(r.Account), r.Registered
	out.Agreed, out.Disagreed, out.FailedRuns, out.LostRuns = r.Agreed, r.Disagreed, r.Failed, r.Lost
	return out
}

// become makes the handler that brings a worker to a state.
func (o *Operate) become(state pool.WorkerState) http.Handler {
	return web.Handler(func(w http.ResponseWriter, r *http.Request) error {
		caller, account, err := scope(r)
		if err != nil {
			return err
		}
		id, err := web.PathID(r, "id")
		if err != nil {
			return err
		}
		if err := o.Books.SetWorkerState(r.Context(), account, pool.WorkerID(id), state, trace(r, caller)); err != nil {
			return err
		}
		// What an inactive worker had waits for others; an active one waits for works.
		if state != pool.Draining {
			o.ring(r.Context())
		}
		page, now, err := o.Books.Workers(r.Context(), account, pool.WorkerID(id-1), 1)
		if err != nil {
			return err
		}
		if len(page) == 0 || page[0].ID != pool.WorkerID(id) {
			return pool.Refuse(pool.NotFound, "id", "no worker %d", id)
		}
		return web.WriteJSON(w, http.StatusOK, worker(page[0], now))
	})
}

func trace(r *http.Request, caller pool.Caller) pool.Trace {
	return pool.Trace{Account: caller.Account, RequestID: telemetry.RequestID(r.Context())}
}

// ring is best effort: what it would have told, the next tick tells.
func (o *Operate) ring(ctx context.Context) {
	if err := o.Bell.Ring(ctx); err != nil {
		slog.WarnContext(ctx, "the dispatcher could not be rung; the next tick will", telemetry.KeyError, err.Error())
	}
}

// steer makes the handler that brings the whole pool to a state.
func (o *Operate) steer(state pool.State) http.Handler {
	return web.Handler(func(w http.ResponseWriter, r *http.Request) error {
		caller, err := web.CallerAs(r.Context(), pool.RoleOperator)
		if err != nil {
			return err
		}
		before, err := o.Books.SetPoolState(r.Context(), state, trace(r, caller))
		if err != nil {
			return err
		}
		if state == pool.PoolActive {
			o.ring(r.Context())
		}
		return web.WriteJSON(w, http.StatusOK, wire.Steered{Before: string(before), State: string(state)})
	})
}

// asked gives an operator and the login, or "uid:" and uid, that it asks about.
func asked(r *http.Request) (pool.Caller, string, error) {
	caller, err := web.CallerAs(r.Context(), pool.RoleOperator)
	name := r.PathValue("login")
	if err == nil && !utf8.ValidString(name) { // the database refuses to compare it
		err = pool.Refuse(pool.NotFound, "login", "nobody has this login")
	}
	return caller, name, err
}

func (o *Operate) share(w http.ResponseWriter, r *http.Request) error {
	_, login, err := asked(r)
	if err != nil {
		return err
	}
	share, err := o.Books.Share(r.Context(), login)
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, wire.FromShare(share))
}

// setShare takes effect with the works accepted from then on, and for the limit at
// once.
func (o *Operate) setShare(w http.ResponseWriter, r *http.Request) error {
	caller, login, err := asked(r)
	if err != nil {
		return err
	}
	var in wire.Share
	if _, err := web.Decode(r, maxBody, &in); err != nil {
		return err
	}
	share, err := in.Parse()
	if err != nil {
		return err
	}
	if err := o.Books.SetShare(r.Context(), login, share, trace(r, caller)); err != nil {
		return err
	}
	// A greater limit lets works go that wait.
	o.ring(r.Context())
	return web.WriteJSON(w, http.StatusOK, wire.FromShare(share))
}
