package operate

import (
	"context"
	"net/http"
	"slices"

	"workerpool/shared/pool"
	"workerpool/shared/web"
	"workerpool/shared/wire"
)

// Errands is what operators ask of reconcile, which alone reaches the chain: it
// does them at its next tick.
type Errands interface {
	// AskErrand gives the errand asked for, or the same one that is still to be done.
	AskErrand(ctx context.Context, kind pool.ErrandKind, from uint64, t pool.Trace) (pool.Errand, error)
	// Errand gives the last of a kind; pool.NotFound when there is none.
	Errand(ctx context.Context, kind pool.ErrandKind) (pool.Errand, error)
}

// errand gives an operator and what it asks about.
func (o *Operate) errand(r *http.Request) (pool.Caller, pool.ErrandKind, error) {
	caller, err := web.CallerAs(r.Context(), pool.RoleOperator)
	kind := pool.ErrandKind(r.PathValue("errand"))
	switch {
	case err != nil:
	case !slices.Contains(pool.ErrandKinds, kind):
		err = pool.Refuse(pool.NotFound, "errand", "there is no such errand")
	case o.Errands == nil:
		err = pool.Refuse(pool.Conflict, "", "this pool has no chain")
	}
	return caller, kind, err
}

func (o *Operate) askErrand(w http.ResponseWriter, r *http.Request) error {
	caller, kind, err := o.errand(r)
	if err != nil {
		return err
	}
	var in wire.AskRebuild
	if kind == pool.ErrandRebuild {
		if _, err := web.Decode(r, maxBody, &in); err != nil {
			return err
		}
	}
	from, err := in.Parse()
	if err != nil {
		return err
	}
	e, err := o.Errands.AskErrand(r.Context(), kind, from, trace(r, caller))
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusAccepted, wire.FromErrand(e))
}

func (o *Operate) showErrand(w http.ResponseWriter, r *http.Request) error {
	_, kind, err := o.errand(r)
	if err != nil {
		return err
	}
	e, err := o.Errands.Errand(r.Context(), kind)
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, wire.FromErrand(e))
}
