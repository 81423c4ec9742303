package query

import (
	"context"
	"net/http"

	"workerpool/shared/placement"
	"workerpool/shared/pool"
	"workerpool/shared/reason"
	"workerpool/shared/web"
	"workerpool/shared/wire"
)

// Reasons is what explanations are made of. requester and account 0 are
// everybody's.
type Reasons interface {
	WhyWork(ctx context.Context, requester pool.AccountID, id pool.WorkID) (reason.Inquiry, error)
	WhyWorker(ctx context.Context, account pool.AccountID, id pool.WorkerID) (reason.Look, error)
	Drawing(ctx context.Context, work pool.WorkID, worker pool.WorkerID) (reason.Drawing, error)
}

// explainWork tells a requester why its work is where it is, and an operator how
// many workers each question leaves as well.
func (q *Query) explainWork(w http.ResponseWriter, r *http.Request) error {
	requester, id, err := one(r)
	if err != nil {
		return err
	}
	known, err := q.Reasons.WhyWork(r.Context(), requester, pool.WorkID(id))
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, wire.FromExplanation(known.Work, reason.Explain(known, placement.Defaults), requester == 0))
}

// explainWorker is for the account that a worker belongs to, for the worker
// itself (of those on the shared account nobody else but operators may ask), and
// for operators.
func (q *Query) explainWorker(w http.ResponseWriter, r *http.Request) error {
	caller, err := web.CallerAs(r.Context(), pool.RoleWorker, pool.RoleOperator)
	if err != nil {
		return err
	}
	id, err := web.PathID(r, "id")
	if err != nil {
		return err
	}
	account := caller.Account
	switch {
	case caller.Role == pool.RoleOperator || caller.Worker == pool.WorkerID(id):
		account = 0
	case caller.Worker != 0:
		return pool.Refuse(pool.NotFound, "id", "no worker %d", id)
	}
	known, err := q.Reasons.WhyWorker(r.Context(), account, pool.WorkerID(id))
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, wire.FromIdleness(known.Worker, reason.Idle(known, placement.Defaults)))
}

// explainAssignment is for operators: it tells of all workers that were drawn
// among.
func (q *Query) explainAssignment(w http.ResponseWriter, r *http.Request) error {
	if _, err := web.CallerAs(r.Context(), pool.RoleOperator); err != nil {
		return err
	}
	work, err := web.PathID(r, "id")
	if err != nil {
		return err
	}
	worker, err := web.PathID(r, "worker")
	if err != nil {
		return err
	}
	drawing, err := q.Reasons.Drawing(r.Context(), pool.WorkID(work), pool.WorkerID(worker))
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, wire.FromReplay(drawing, reason.Replay(drawing, placement.Defaults)))
}
