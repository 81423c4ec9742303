// Package chaintest is a JSON-RPC node for tests that can be made to fail in the
// ways in which nodes fail: it stands before a node that works, or before answers
// that a test writes. It must not know what the chain is about.
package chaintest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/ethereum/go-ethereum/rpc"
)

// Backend answers a call: a value for JSON, or an error, which may be an *Error.
type Backend func(ctx context.Context, method string, params []json.RawMessage) (any, error)

// Error is what a node says instead of a result.
type Error struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Data    any    `json:"data,omitempty"`
}

func (e *Error) Error() string { return e.Message }

// Call is one call while it passes the node.
type Call struct {
	Method string
	Params []json.RawMessage
	Result json.RawMessage
	Err    *Error
}

// Fault disturbs calls: it may change what is asked, call next for the answer, and
// change that.
type Fault func(call *Call, next func())

// Break disturbs a request as a whole; false lets it pass.
type Break func(w http.ResponseWriter, r *http.Request) bool

// Node is the server.
type Node struct {
	URL     string
	backend Backend

	mu     sync.Mutex
	faults []Fault
	breaks Break
	asked  []string
	sizes  []int
}

// Start makes a Node that ends with the test.
func Start(tb testing.TB, backend Backend) *Node {
	tb.Helper()
	n := &Node{backend: backend}
	server := httptest.NewServer(n)
	tb.Cleanup(server.Close)
	n.URL = server.URL
	return n
}

// Forward is the Backend of a node that works.
func Forward(tb testing.TB, url string) Backend {
	tb.Helper()
	client, err := rpc.Dial(url)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(client.Close)
	return func(ctx context.Context, method string, params []json.RawMessage) (any, error) {
		args := make([]any, len(params))
		for i, p := range params {
			args[i] = p
		}
		var out json.RawMessage
		err := client.CallContext(ctx, &out, method, args...)
		return out, err
	}
}

// Disturb puts faults in place of those before, the first outermost; none clears.
func (n *Node) Disturb(faults ...Fault) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.faults = faults
}

// Break puts a break in place of the one before; nil clears.
func (n *Node) Break(b Break) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.breaks = b
}

// Asked gives the methods called since it was asked last, in order, and the
// number of calls of each request.
func (n *Node) Asked() (methods []string, sizes []int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	methods, sizes = n.asked, n.sizes
	n.asked, n.sizes = nil, nil
	return methods, sizes
}

type message struct {
	Version string            `json:"jsonrpc"`
	ID      json.RawMessage   `json:"id"`
	Method  string            `json:"method,omitempty"`
	Params  []json.RawMessage `json:"params,omitempty"`
	Result  json.RawMessage   `json:"result,omitempty"`
	Error   *Error            `json:"error,omitempty"`
}

// ServeHTTP implements http.Handler.
func (n *Node) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	n.mu.Lock()
	breaks, faults := n.breaks, n.faults
	n.mu.Unlock()
	r.Body = io.NopCloser(bytes.NewReader(body))
	if breaks != nil && breaks(w, r) {
		return
	}
	var asked []message
	single := json.Unmarshal(body, &asked) != nil
	if single {
		asked = make([]message, 1)
		if json.Unmarshal(body, &asked[0]) != nil {
			http.Error(w, "no JSON-RPC", http.StatusBadRequest)
			return
		}
	}
	n.mu.Lock()
	n.sizes = append(n.sizes, len(asked))
	for _, m := range asked {
		n.asked = append(n.asked, m.Method)
	}
	n.mu.Unlock()
	answers := make([]message, len(asked))
	for i, m := range asked {
		call := Call{Method: m.Method, Params: m.Params}
		n.answer(r.Context(), faults, &call)
		answers[i] = message{Version: "2.0", ID: m.ID, Result: call.Result, Error: call.Err}
	}
	w.Header().Set("Content-Type", "application/json")
	var out any = answers
	if single {
		out = answers[0]
	}
	_ = json.NewEncoder(w).Encode(out) // whoever asked may be gone
}

func (n *Node) answer(ctx context.Context, faults []Fault, call *Call) {
	if len(faults) > 0 {
		faults[0](call, func() { n.answer(ctx, faults[1:], call) })
		return
	}
	value, err := n.backend(ctx, call.Method, call.Params)
	if err == nil {
		call.Result, err = json.Marshal(value)
	}
	call.Err = asError(err)
}

func asError(err error) *Error {
	if err == nil {
		return nil
	}
	out := &Error{Code: -32000, Message: err.Error()}
	errors.As(err, &out)
	var coded rpc.Error
	if errors.As(err, &coded) {
		out.Code = coded.ErrorCode()
	}
	var more rpc.DataError
	if errors.As(err, &more) {
		out.Data = more.ErrorData()
	}
	return out
}
