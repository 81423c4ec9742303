package submit

import (
	"crypto/sha256"
	"net/http"

	"workerpool/shared/pool"
	"workerpool/shared/telemetry"
	"workerpool/shared/web"
	"workerpool/shared/wire"
)

// Handler serves the routes of requesters who bring something.
func (s *Submit) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("POST /works", web.Handler(s.post))
	mux.Handle("DELETE /works/{id}", web.Handler(s.cancel))
	mux.Handle("GET /batches/{id}/inputs", web.Handler(s.inputs))
	mux.Handle("POST /batches/{id}/inputs", web.Handler(s.check))
	return web.Routes(mux)
}

func requesters(r *http.Request) (pool.Caller, error) {
	return web.CallerAs(r.Context(), pool.RoleRequester, pool.RoleOperator)
}

func trace(r *http.Request, caller pool.Caller) pool.Trace {
	return pool.Trace{Account: caller.Account, RequestID: telemetry.RequestID(r.Context())}
}

func (s *Submit) post(w http.ResponseWriter, r *http.Request) error {
	caller, err := requesters(r)
	if err != nil {
		return err
	}
	key := r.Header.Get("Idempotency-Key")
	if err := wire.ParseIdempotencyKey(key); err != nil {
		return err
	}
	var in wire.Submission
	body, err := web.Decode(r, wire.MaxBody, &in)
	if err != nil {
		return err
	}
	n, err := in.Parse(s.MaxFile)
	if err != nil {
		return err
	}
	n.Requester, n.Idempotency, n.BodyDigest = caller.Account, key, sha256.Sum256(body)
	n.RequestID = telemetry.RequestID(r.Context())
	batch, err := s.Accept(r.Context(), n)
	if err != nil {
		return err
	}
	state := pool.Waiting
	if batch.Missing > 0 {
		state = pool.Staging
	}
	return web.WriteJSON(w, http.StatusCreated, wire.Accepted{
		Batch: int64(batch.ID), FirstWork: int64(batch.ID.Work(0)), LastWork: int64(batch.ID.Work(batch.Works - 1)), Works: batch.Works,
		State: string(state), Created: batch.Created,
	})
}

func (s *Submit) cancel(w http.ResponseWriter, r *http.Request) error {
	caller, err := requesters(r)
	if err != nil {
		return err
	}
	id, err := web.PathID(r, "id")
	if err != nil {
		return err
	}
	requester := caller.Account
	if caller.Role == pool.RoleOperator {
		requester = 0
	}
	before, after, err := s.Cancel(r.Context(), requester, pool.WorkID(id), trace(r, caller))
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, wire.Cancelled{Work: id, Before: string(before), State: string(after)})
}

func (s *Submit) inputs(w http.ResponseWriter, r *http.Request) error {
	caller, err := requesters(r)
	if err != nil {
		return err
	}
	id, err := web.PathID(r, "id")
	if err != nil {
		return err
	}
	targets, missing, err := s.Missing(r.Context(), caller.Account, pool.BatchID(id))
	if err != nil {
		return err
	}
	out := wire.Uploads{Missing: missing, Inputs: []wire.UploadTarget{}}
	for _, t := range targets {
		out.Inputs = append(out.Inputs, wire.UploadTarget{
			SHA256: t.Input.Digest.String(), Size: t.Input.Size,
			Upload: &wire.Link{URL: t.Link.URL, Fields: t.Link.Fields, Expires: t.Link.Expires},
		})
	}
	return web.WriteJSON(w, http.StatusOK, out)
}

func (s *Submit) check(w http.ResponseWriter, r *http.Request) error {
	caller, err := requesters(r)
	if err != nil {
		return err
	}
	id, err := web.PathID(r, "id")
	if err != nil {
		return err
	}
	missing, err := s.Check(r.Context(), caller.Account, pool.BatchID(id), trace(r, caller))
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, wire.Uploads{Missing: missing, Inputs: []wire.UploadTarget{}})
}
