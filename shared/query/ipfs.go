package query

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"workerpool/shared/cid"
	"workerpool/shared/pool"
)

// Archives finds results of deals by what they are made of.
type Archives interface {
	// WorkOfFile gives a work of a deal whose archive is the file; pool.NotFound
	// when there is none.
	WorkOfFile(ctx context.Context, file pool.Digest) (pool.WorkID, error)
}

// redirectAge is how long anybody may keep the answer of where an archive is. A
// link is good for three times as long: whoever follows a kept answer has time.
const redirectAge = 5 * time.Minute

// Archive gives the link to an archive by its content id. What a deal's requester
// bought is on the chain for all to see, so whoever knows the id may have it; the
// results of other works are nobody else's, and have no id here.
func (q *Query) Archive(ctx context.Context, id string) (pool.Link, error) {
	file, err := cid.Parse(id)
	if err != nil {
		return pool.Link{}, &pool.Error{Kind: pool.NotFound, Message: "this is no content id that the pool gives", Cause: err}
	}
	work, err := q.Archives.WorkOfFile(ctx, file)
	if err != nil {
		return pool.Link{}, err
	}
	return q.Files.PresignGet(ctx, pool.ResultKey(pool.OriginDeal, work, file), cid.Of(file)+pool.OriginDeal.ResultSuffix())
}

// ipfs leads to an archive as a gateway of IPFS would serve it.
func (q *Query) ipfs(w http.ResponseWriter, r *http.Request) error {
	link, err := q.Archive(r.Context(), r.PathValue("cid"))
	if err != nil {
		return err
	}
	w.Header().Set("Location", link.URL)
	w.Header().Set("Cache-Control", fmt.Sprintf("public, max-age=%d", redirectAge/time.Second))
	w.WriteHeader(http.StatusFound)
	return nil
}
