// Package node is the connection to a JSON-RPC node of the chain. It owns what
// can go wrong between a question and its answer: batches, timeouts, pauses that a
// node asks for, and providers' many words for the same refusals. It must not know
// what is asked, and no error of it repeats the node's URL, which may hold a key.
package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ethereum/go-ethereum/rpc"

	"workerpool/shared/pool"
)

const (
	mostCalls  = 50              // in one request
	mostBytes  = 32 << 20        // of one answer
	mostRest   = 5 * time.Minute // that a node is left alone because it said so
	usualRest  = 2 * time.Second // after a refusal for too many calls that names no time
	mostPage   = 64 << 10        // bytes of an answer that is no batch
	quoteBytes = 300             // of such an answer in an error
)

// Config is what a Node needs.
type Config struct {
	URL       string // http or https
	Timeout   time.Duration
	Transport http.RoundTripper
	Now       func() time.Time // paces calls
}

// Node is a connection. It may be used by several goroutines at once.
type Node struct {
	client          *rpc.Client
	timeout         time.Duration
	now             func() time.Time
	requests, calls atomic.Int64
	width           atomic.Int64 // calls that the node takes in one request, as learned

	mu   sync.Mutex
	rest time.Time // the node wants no call before
}

// Request is one call of a batch, with its answer.
type Request struct {
	Method string
	Args   []any
	Into   any   // pointer
	Err    error // what the node said instead
}

// Open makes a Node. Nothing is asked of it yet.
func Open(c Config) (*Node, error) {
	at, err := url.Parse(c.URL)
	if err != nil || (at.Scheme != "http" && at.Scheme != "https") || at.Host == "" {
		return nil, errors.New("the node's URL is none of http or https")
	}
	client, err := rpc.DialOptions(context.Background(), c.URL, rpc.WithHTTPClient(&http.Client{
		Transport:     strict{c.Transport},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}))
	if err != nil {
		return nil, fmt.Errorf("opening the node: %w", withoutURL(err))
	}
	n := &Node{client: client, timeout: c.Timeout, now: c.Now}
	n.width.Store(mostCalls)
	return n, nil
}

// Sent counts the HTTP requests so far, and the calls in them.
func (n *Node) Sent() (requests, calls int64) { return n.requests.Load(), n.calls.Load() }

// Call makes one call.
func (n *Node) Call(ctx context.Context, into any, method string, args ...any) error {
	asked := Request{Method: method, Args: args, Into: into}
	if err := n.Batch(ctx, []*Request{&asked}); err != nil {
		return err
	}
	return asked.Err
}

// Batch makes calls, as many in each request as the node takes. It gives an error
// when a request as a whole came to nothing, or when the node was asked too much;
// what the node said to single calls stands in them.
func (n *Node) Batch(ctx context.Context, asked []*Request) error {
	for len(asked) > 0 {
		some := asked[:min(int(n.width.Load()), len(asked))]
		err := n.send(ctx, some)
		if len(some) > 1 && tooBig(err, some) {
			n.width.Store(int64(len(some) / 2))
			continue
		}
		if err != nil {
			return err
		}
		asked = asked[len(some):]
	}
	return nil
}

// tooBig tells that the node refused the number of calls in a request: in the
// place of all answers, or of one.
func tooBig(err error, asked []*Request) bool {
	return Says(err, bigBatch) || slices.ContainsFunc(asked, func(r *Request) bool { return Says(r.Err, bigBatch) })
}

func (n *Node) send(ctx context.Context, asked []*Request) error {
	if wait := n.resting(); wait > 0 {
		return resting(wait, errors.New("it asked for a pause"))
	}
	ctx, cancel := context.WithTimeout(ctx, n.timeout)
	defer cancel()
	elements := make([]rpc.BatchElem, len(asked))
	for i, r := range asked {
		elements[i] = rpc.BatchElem{Method: r.Method, Args: r.Args, Result: r.Into}
	}
	n.requests.Add(1)
	n.calls.Add(int64(len(asked)))
	if err := n.client.BatchCallContext(ctx, elements); err != nil {
		return n.failed(asked[0].Method, err)
	}
	for i, e := range elements {
		if asked[i].Err = n.said(e.Method, e.Error); tooMany(e.Error) {
			return asked[i].Err
		}
	}
	return nil
}

func (n *Node) resting() time.Duration {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.rest.Sub(n.now())
}

// failed names why a request came to nothing.
func (n *Node) failed(method string, err error) error {
	var status *statusError
	var answer *answerError
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	err = withoutURL(err)
	switch {
	case errors.As(err, &answer):
		return n.said(method, answer)
	case errors.As(err, &status) && status.code == http.StatusTooManyRequests:
		return n.pause(status.after, err)
	case errors.As(err, &status) && status.refused():
		return fmt.Errorf("the node refuses %s: %w", method, err)
	case errors.As(err, &syntax), errors.As(err, &kind), errors.As(err, &status) && status.code == http.StatusOK:
		return fmt.Errorf("the node's answer to %s is not JSON-RPC: %w", method, err)
	case errors.Is(err, ErrTooLarge):
		return fmt.Errorf("the node's answer to %s: %w", method, err)
	}
	return pool.Down("the node", err)
}

// said names what the node said to a call; nil stays nil.
func (n *Node) said(method string, err error) error {
	var answer rpc.Error
	switch {
	case err == nil:
		return nil
	case tooMany(err):
		return n.pause(0, err)
	case errors.Is(err, rpc.ErrMissingBatchResponse):
		return pool.Down("the node", fmt.Errorf("it left out the answer to %s", method))
	case errors.Is(err, rpc.ErrNoResult):
		return fmt.Errorf("the node's answer to %s has neither result nor error", method)
	case !errors.As(err, &answer):
		return fmt.Errorf("the node's answer to %s is malformed: %w", method, err)
	case Says(err, Behind):
		return pool.Down("the node", refusal(method, err))
	}
	return refusal(method, err)
}

func refusal(method string, err error) error {
	var answer rpc.Error
	if errors.As(err, &answer) {
		return fmt.Errorf("the node refuses %s: %w (code %d)", method, err, answer.ErrorCode())
	}
	return fmt.Errorf("the node refuses %s: %w", method, err)
}

// pause remembers that the node wants no calls for a while.
func (n *Node) pause(after time.Duration, err error) error {
	if after <= 0 {
		after = usualRest
	}
	after = min(after, mostRest)
	n.mu.Lock()
	defer n.mu.Unlock()
	if until := n.now().Add(after); until.After(n.rest) {
		n.rest = until
	}
	return resting(after, err)
}

func resting(after time.Duration, err error) error {
	return &pool.Error{Kind: pool.Unavailable, Message: "the node is asked too often", RetryAfter: after, Cause: err}
}

// withoutURL takes the URL out of an error of net/http: it may hold a key.
func withoutURL(err error) error {
	if at := (*url.Error)(nil); errors.As(err, &at) {
		return at.Err
	}
	return err
}
