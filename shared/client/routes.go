package client

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"strconv"

	"workerpool/shared/wire"
)

// Session logs in. It is never repeated by itself: a password that does not fit
// is counted.
func (c *Client) Session(ctx context.Context, login wire.Login) (out wire.Session, err error) {
	err = c.do(ctx, call{method: http.MethodPost, path: "/session", in: login, out: &out})
	return out, err
}

// ChangePassword changes the password of the token's account, ends all of its tokens
// and gives a new one. It is not repeated: after a change the present password is
// another, and the token is no longer good.
func (c *Client) ChangePassword(ctx context.Context, token string, change wire.ChangePassword) (out wire.Session, err error) {
	err = c.do(ctx, call{method: http.MethodPost, path: "/session/password", token: token, in: change, out: &out})
	return out, err
}

// Submit submits a batch. With a key ("" = none) the pool takes the same body
// once only, so the call is repeated when it may help.
func (c *Client) Submit(ctx context.Context, token, key string, s wire.Submission) (out wire.Accepted, err error) {
	err = c.do(ctx, call{method: http.MethodPost, path: "/works", token: token, key: key, in: s, out: &out, repeat: key != ""})
	return out, err
}

// Cancel ends a work; it is no error when the work had ended before.
func (c *Client) Cancel(ctx context.Context, token string, work int64) (out wire.Cancelled, err error) {
	err = c.do(ctx, call{method: http.MethodDelete, path: at("/works", work, ""), token: token, out: &out, repeat: true})
	return out, err
}

// Inputs gives the inputs that a batch still misses, with links to upload them.
func (c *Client) Inputs(ctx context.Context, token string, batch int64) (wire.Uploads, error) {
	return get[wire.Uploads](ctx, c, token, at("/batches", batch, "/inputs"), nil)
}

// CheckInputs makes the pool look for a batch's uploads: it leaves staging when
// none is missing. The answer has no links.
func (c *Client) CheckInputs(ctx context.Context, token string, batch int64) (out wire.Uploads, err error) {
	err = c.do(ctx, call{method: http.MethodPost, path: at("/batches", batch, "/inputs"), token: token, out: &out, repeat: true})
	return out, err
}

// Batch gives a batch with its works counted by state.
func (c *Client) Batch(ctx context.Context, token string, batch int64) (wire.Batch, error) {
	return get[wire.Batch](ctx, c, token, at("/batches", batch, ""), nil)
}

// Work gives one work with its assignments.
func (c *Client) Work(ctx context.Context, token string, work int64) (wire.Work, error) {
	return get[wire.Work](ctx, c, token, at("/works", work, ""), nil)
}

// ExplainWork tells why a work is where it is.
func (c *Client) ExplainWork(ctx context.Context, token string, work int64) (wire.WorkExplained, error) {
	return get[wire.WorkExplained](ctx, c, token, at("/works", work, "/explain"), nil)
}

// ExplainAssignment tells how a work came to a worker. For operators.
func (c *Client) ExplainAssignment(ctx context.Context, token string, work, worker int64) (wire.AssignmentExplained, error) {
	return get[wire.AssignmentExplained](ctx, c, token, at("/works", work, at("/assignments", worker, "/explain")), nil)
}

// ExplainWorker tells why a worker has no more work.
func (c *Client) ExplainWorker(ctx context.Context, token string, worker int64) (wire.WorkerExplained, error) {
	return get[wire.WorkerExplained](ctx, c, token, at("/workers", worker, "/explain"), nil)
}

// Result gives the link to a done work's result archive.
func (c *Client) Result(ctx context.Context, token string, work int64) (wire.Result, error) {
	return get[wire.Result](ctx, c, token, at("/works", work, "/result"), nil)
}

// WorksFilter picks works; zero values pick all.
type WorksFilter struct {
	Batch int64
	State string
	After int64 // only ids above it
	Limit int   // of one page; 0 = the pool's own
}

// Works gives one page of works, ascending by id.
func (c *Client) Works(ctx context.Context, token string, f WorksFilter) (wire.Works, error) {
	query := page(f.After, f.Limit)
	if f.Batch != 0 {
		query.Set("batch", strconv.FormatInt(f.Batch, 10))
	}
	if f.State != "" {
		query.Set("state", f.State)
	}
	return get[wire.Works](ctx, c, token, "/works", query)
}

// AllWorks walks all pages of Works. It ends after the first error.
func (c *Client) AllWorks(ctx context.Context, token string, f WorksFilter) iter.Seq2[wire.Work, error] {
	return pages(f.After, func(after int64) ([]wire.Work, int64, error) {
		f.After = after
		p, err := c.Works(ctx, token, f)
		return p.Works, p.Next, err
	})
}

// Register makes a worker known, or renews the token of one that is: the pool
// tells by account, name and key.
func (c *Client) Register(ctx context.Context, token string, r wire.Registration) (out wire.Registered, err error) {
	err = c.do(ctx, call{method: http.MethodPost, path: "/workers", token: token, in: r, out: &out, repeat: true})
	return out, err
}

// Heartbeat tells the pool what a worker does and gives what it is to do. The
// token is the worker's own.
func (c *Client) Heartbeat(ctx context.Context, token string, worker int64, h wire.Heartbeat) (out wire.Beat, err error) {
	err = c.do(ctx, call{method: http.MethodPost, path: at("/workers", worker, "/heartbeat"), token: token, in: h, out: &out, repeat: true})
	return out, err
}

// Workers gives one page of workers with ids above after, ascending; limit 0 =
// the pool's own.
func (c *Client) Workers(ctx context.Context, token string, after int64, limit int) (wire.Workers, error) {
	return get[wire.Workers](ctx, c, token, "/workers", page(after, limit))
}

// AllWorkers walks all pages of Workers. It ends after the first error.
func (c *Client) AllWorkers(ctx context.Context, token string) iter.Seq2[wire.Worker, error] {
	return pages(0, func(after int64) ([]wire.Worker, int64, error) {
		p, err := c.Workers(ctx, token, after, 0)
		return p.Workers, p.Next, err
	})
}

// Drain lets a worker finish what it holds and gives it no more.
func (c *Client) Drain(ctx context.Context, token string, worker int64) (out wire.Worker, err error) {
	err = c.do(ctx, call{method: http.MethodPost, path: at("/workers", worker, "/drain"), token: token, out: &out, repeat: true})
	return out, err
}

// Deactivate makes a worker stop all it has, which goes to others, and gives it no
// more.
func (c *Client) Deactivate(ctx context.Context, token string, worker int64) (out wire.Worker, err error) {
	err = c.do(ctx, call{method: http.MethodPost, path: at("/workers", worker, "/deactivate"), token: token, out: &out, repeat: true})
	return out, err
}

// Activate undoes Drain and Deactivate.
func (c *Client) Activate(ctx context.Context, token string, worker int64) (out wire.Worker, err error) {
	err = c.do(ctx, call{method: http.MethodPost, path: at("/workers", worker, "/activate"), token: token, out: &out, repeat: true})
	return out, err
}

// DrainPool lets what runs end and assigns no more; what is submitted waits.
func (c *Client) DrainPool(ctx context.Context, token string) (wire.Steered, error) {
	return c.steer(ctx, token, "/pool/drain")
}

// DeactivatePool lets what runs end, assigns no more and takes no more works.
func (c *Client) DeactivatePool(ctx context.Context, token string) (wire.Steered, error) {
	return c.steer(ctx, token, "/pool/deactivate")
}

// ActivatePool undoes DrainPool and DeactivatePool.
func (c *Client) ActivatePool(ctx context.Context, token string) (wire.Steered, error) {
	return c.steer(ctx, token, "/pool/activate")
}

func (c *Client) steer(ctx context.Context, token, path string) (out wire.Steered, err error) {
	err = c.do(ctx, call{method: http.MethodPost, path: path, token: token, out: &out, repeat: true})
	return out, err
}

// Share gives what a requester gets of the pool.
func (c *Client) Share(ctx context.Context, token, login string) (wire.Share, error) {
	return get[wire.Share](ctx, c, token, shareOf(login), nil)
}

// SetShare changes what a requester gets of the pool.
func (c *Client) SetShare(ctx context.Context, token, login string, s wire.Share) (out wire.Share, err error) {
	err = c.do(ctx, call{method: http.MethodPut, path: shareOf(login), token: token, in: s, out: &out, repeat: true})
	return out, err
}

// Accounts gives one page of accounts with ids above after, ascending; limit 0 = the
// pool's own. For operators, as all on accounts.
func (c *Client) Accounts(ctx context.Context, token string, after int64, limit int) (wire.Accounts, error) {
	return get[wire.Accounts](ctx, c, token, "/accounts", page(after, limit))
}

// AllAccounts walks all pages of Accounts. It ends after the first error.
func (c *Client) AllAccounts(ctx context.Context, token string) iter.Seq2[wire.Account, error] {
	return pages(0, func(after int64) ([]wire.Account, int64, error) {
		p, err := c.Accounts(ctx, token, after, 0)
		return p.Accounts, p.Next, err
	})
}

// Account gives an account by its login, or by "uid:" and its uid.
func (c *Client) Account(ctx context.Context, token, name string) (wire.Account, error) {
	return get[wire.Account](ctx, c, token, "/accounts/"+name, nil)
}

// CreateAccount makes an account. It is not repeated: a second call would be told
// that there is such an account.
func (c *Client) CreateAccount(ctx context.Context, token string, a wire.NewAccount) (out wire.Account, err error) {
	err = c.do(ctx, call{method: http.MethodPost, path: "/accounts", token: token, in: a, out: &out})
	return out, err
}

// ChangeAccount disables or enables an account or gives it a password.
func (c *Client) ChangeAccount(ctx context.Context, token, name string, change wire.ChangeAccount) (out wire.Account, err error) {
	err = c.do(ctx, call{method: http.MethodPatch, path: "/accounts/" + name, token: token, in: change, out: &out, repeat: true})
	return out, err
}

// RevokeAccount ends all tokens of an account.
func (c *Client) RevokeAccount(ctx context.Context, token, name string) (out wire.Account, err error) {
	err = c.do(ctx, call{method: http.MethodPost, path: "/accounts/" + name + "/revoke", token: token, out: &out, repeat: true})
	return out, err
}

func shareOf(login string) string { return "/requesters/" + login + "/share" }

// Ask asks for an errand on the chain's side: diff, dry-run, or rebuild, which begins
// at a block (0 = that of the oldest deal). One that is still to be done is not asked
// for twice.
func (c *Client) Ask(ctx context.Context, token, errand string, from uint64) (out wire.Errand, err error) {
	k := call{method: http.MethodPost, path: "/chain/" + errand, token: token, out: &out, repeat: true}
	if errand == "rebuild" {
		k.in = wire.AskRebuild{FromBlock: from}
	}
	err = c.do(ctx, k)
	return out, err
}

// Errand gives the last errand of a kind, and what came of the last that was done.
func (c *Client) Errand(ctx context.Context, token, errand string) (wire.Errand, error) {
	return get[wire.Errand](ctx, c, token, "/chain/"+errand, nil)
}

// Pool gives the public page of the pool.
func (c *Client) Pool(ctx context.Context) (wire.Pool, error) {
	return get[wire.Pool](ctx, c, "", "/pool", nil)
}

// Health asks whether the pool can answer.
func (c *Client) Health(ctx context.Context) (wire.Health, error) {
	return get[wire.Health](ctx, c, "", "/health", nil)
}

// OpenAPI gives the description of the routes, in YAML.
func (c *Client) OpenAPI(ctx context.Context) ([]byte, error) {
	return get[[]byte](ctx, c, "", "/openapi.yaml", nil)
}

// Archive gives the link to the result archive of a deal's work by its content id.
func (c *Client) Archive(ctx context.Context, cid string) (string, error) {
	to, err := get[link](ctx, c, "", "/ipfs/"+cid, nil)
	return string(to), err
}

func get[T any](ctx context.Context, c *Client, token, path string, query url.Values) (out T, err error) {
	err = c.do(ctx, call{method: http.MethodGet, path: path, query: query, token: token, out: &out, repeat: true})
	return out, err
}

func at(collection string, id int64, below string) string {
	return collection + "/" + strconv.FormatInt(id, 10) + below
}

func page(after int64, limit int) url.Values {
	query := url.Values{}
	if after != 0 {
		query.Set("after", strconv.FormatInt(after, 10))
	}
	if limit != 0 {
		query.Set("limit", strconv.Itoa(limit))
	}
	return query
}

func pages[T any](after int64, fetch func(after int64) (rows []T, next int64, err error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for {
			rows, next, err := fetch(after)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, row := range rows {
				if !yield(row, nil) {
					return
				}
			}
			if next == 0 {
				return
			}
			after = next
		}
	}
}
