package query

import (
	"cmp"
	"net/http"
	"slices"

	"workerpool/shared/pool"
	"workerpool/shared/web"
	"workerpool/shared/wire"
)

const (
	pageDefault = 100
	pageMost    = 1000
)

// Handler serves what is read. known lets only those through whose token is
// good: it stands before all but the pool's public answers.
func (q *Query) Handler(known func(http.Handler) http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /pool", web.Handler(q.pool))
	mux.Handle("GET /health", web.Handler(q.health))
	mux.Handle("GET /openapi.yaml", web.Handler(q.openapi))
	mux.Handle("GET /ipfs/{cid}", web.Handler(q.ipfs))
	mux.Handle("GET /works", known(web.Handler(q.works)))
	mux.Handle("GET /works/{id}", known(web.Handler(q.work)))
	mux.Handle("GET /works/{id}/result", known(web.Handler(q.result)))
	mux.Handle("GET /works/{id}/explain", known(web.Handler(q.explainWork)))
	mux.Handle("GET /works/{id}/assignments/{worker}/explain", known(web.Handler(q.explainAssignment)))
	mux.Handle("GET /workers/{id}/explain", known(web.Handler(q.explainWorker)))
	mux.Handle("GET /batches/{id}", known(web.Handler(q.batch)))
	return web.Routes(mux)
}

func (q *Query) health(w http.ResponseWriter, r *http.Request) error {
	if err := q.Books.Ping(r.Context()); err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, wire.Health{Status: "ok"})
}

func (q *Query) pool(w http.ResponseWriter, r *http.Request) error {
	census, err := q.Glance(r.Context())
	if err != nil {
		return err
	}
	out := wire.Pool{
		Name: q.Pool, Chain: cmp.Or(q.Chain, "off"), State: string(census.State), Works: map[string]int{}, Workers: census.Workers, Slots: census.Slots, Open: census.Open, MaxFile: q.MaxFile,
	}
	for state, n := range census.Works {
		out.Works[string(state)] = n
	}
	return web.WriteJSON(w, http.StatusOK, out)
}

func (q *Query) openapi(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "application/yaml")
	w.Header().Set("Cache-Control", "public, max-age=300")
	_, err := w.Write(q.OpenAPI)
	return err
}

// scope gives whose works the caller may read: its own, or as operator everybody's.
func scope(r *http.Request) (pool.AccountID, error) {
	caller, err := web.CallerAs(r.Context(), pool.RoleRequester, pool.RoleOperator)
	if caller.Role == pool.RoleOperator {
		return 0, err
	}
	return caller.Account, err
}

func (q *Query) works(w http.ResponseWriter, r *http.Request) error {
	requester, err := scope(r)
	if err != nil {
		return err
	}
	filter, err := parseFilter(r)
	if err != nil {
		return err
	}
	filter.Requester = requester
	limit := filter.Limit
	filter.Limit++ // one more tells whether there is a next page
	page, err := q.Books.Works(r.Context(), filter)
	if err != nil {
		return err
	}
	out := wire.Works{Works: []wire.Work{}}
	if len(page) > limit {
		page = page[:limit]
		out.Next = int64(page[limit-1].ID)
	}
	for _, work := range page {
		out.Works = append(out.Works, wire.FromWork(work, nil))
	}
	return web.WriteJSON(w, http.StatusOK, out)
}

func parseFilter(r *http.Request) (pool.WorkFilter, error) {
	none := pool.WorkFilter{}
	values := r.URL.Query()
	for name, given := range values {
		if !slices.Contains([]string{"state", "batch", "after", "limit"}, name) {
			return none, pool.Refuse(pool.Invalid, name, "unknown filter; known are state, batch, after and limit")
		}
		if len(given) > 1 {
			return none, pool.Refuse(pool.Invalid, name, "stands twice")
		}
	}
	filter := pool.WorkFilter{State: pool.WorkState(values.Get("state"))}
	if filter.State != "" && !slices.Contains(pool.WorkStates, filter.State) {
		return none, pool.Refuse(pool.Invalid, "state", "no such state: %q", filter.State)
	}
	batch, err := web.QueryInt(values, "batch", 0, 1, 1<<39)
	if err != nil {
		return none, err
	}
	after, err := web.QueryInt(values, "after", 0, 0, 1<<53)
	if err != nil {
		return none, err
	}
	limit, err := web.QueryInt(values, "limit", pageDefault, 1, pageMost)
	if err != nil {
		return none, err
	}
	filter.Batch, filter.After, filter.Limit = pool.BatchID(batch), pool.WorkID(after), int(limit)
	return filter, nil
}

func (q *Query) work(w http.ResponseWriter, r *http.Request) error {
	requester, id, err := one(r)
	if err != nil {
		return err
	}
	work, turns, err := q.Books.Work(r.Context(), requester, pool.WorkID(id))
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, wire.FromWork(work, turns))
}

func (q *Query) batch(w http.ResponseWriter, r *http.Request) error {
	requester, id, err := one(r)
	if err != nil {
		return err
	}
	batch, err := q.Books.Batch(r.Context(), requester, pool.BatchID(id))
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, wire.FromBatch(batch))
}

func one(r *http.Request) (pool.AccountID, int64, error) {
	requester, err := scope(r)
	if err != nil {
		return 0, 0, err
	}
	id, err := web.PathID(r, "id")
	return requester, id, err
}

// result is for the owner only, also where an operator asks.
func (q *Query) result(w http.ResponseWriter, r *http.Request) error {
	caller, err := web.CallerAs(r.Context(), pool.RoleRequester, pool.RoleOperator)
	if err != nil {
		return err
	}
	id, err := web.PathID(r, "id")
	if err != nil {
		return err
	}
	work, link, err := q.Result(r.Context(), caller.Account, pool.WorkID(id))
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, wire.Result{
		Work: id, URL: link.URL, SHA256: work.Digest.String(), Size: work.Size, Expires: link.Expires,
	})
}
