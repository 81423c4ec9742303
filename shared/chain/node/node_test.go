package node_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"workerpool/shared/chain/chaintest"
	"workerpool/shared/chain/node"
	"workerpool/shared/pool"
)

// echo answers every call with its first parameter.
func echo(_ context.Context, _ string, params []json.RawMessage) (any, error) {
	return params[0], nil
}

type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

func open(t *testing.T, url string) (*node.Node, *clock) {
	t.Helper()
	c := &clock{now: time.Unix(1e9, 0)}
	n, err := node.Open(node.Config{URL: url, Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}, Now: c.Now})
	if err != nil {
		t.Fatal(err)
	}
	return n, c
}

func numbers(count int) []*node.Request {
	out := make([]*node.Request, count)
	for i := range out {
		out[i] = &node.Request{Method: "echo", Args: []any{i}, Into: new(int)}
	}
	return out
}

func checkNumbers(t *testing.T, asked []*node.Request) {
	t.Helper()
	for i, r := range asked {
		if r.Err != nil || *r.Into.(*int) != i {
			t.Fatalf("call %d: %d, %v", i, *r.Into.(*int), r.Err)
		}
	}
}

func TestBatches(t *testing.T) {
	server := chaintest.Start(t, echo)
	n, _ := open(t, server.URL)
	asked := numbers(120)
	if err := n.Batch(context.Background(), asked); err != nil {
		t.Fatal(err)
	}
	checkNumbers(t, asked)
	if _, sizes := server.Asked(); fmt.Sprint(sizes) != "[50 50 20]" {
		t.Errorf("requests of %v calls", sizes)
	}
	if requests, calls := n.Sent(); requests != 3 || calls != 120 {
		t.Errorf("counted %d requests, %d calls", requests, calls)
	}
}

// TestBatchTooBig meets nodes that take ten calls at once, and say so as a whole,
// by one answer, or by HTTP status.
func TestBatchTooBig(t *testing.T) {
	for name, refusal := range map[string]string{
		"object":      `{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"batch limit 10 exceeded"}}`,
		"array":       `[{"jsonrpc":"2.0","id":1,"error":{"code":-32600,"message":"batch too large"}}]`,
		"HTTP status": `{"jsonrpc":"2.0","error":{"code":31,"message":"Batch of more than 10 requests are not allowed on free plan"}}`,
	} {
		t.Run(name, func(t *testing.T) {
			server := chaintest.Start(t, echo)
			server.Break(func(w http.ResponseWriter, r *http.Request) bool {
				var calls []struct{ ID json.RawMessage }
				if json.NewDecoder(r.Body).Decode(&calls) != nil || len(calls) <= 10 {
					// The body was read; answer here.
					out := make([]map[string]any, len(calls))
					for i, c := range calls {
						out[i] = map[string]any{"jsonrpc": "2.0", "id": c.ID, "result": i}
					}
					_ = json.NewEncoder(w).Encode(out)
					return true
				}
				if name == "HTTP status" {
					w.WriteHeader(http.StatusBadRequest)
				}
				_, _ = w.Write([]byte(strings.Replace(refusal, `"id":1`, `"id":`+string(calls[0].ID), 1)))
				return true
			})
			n, _ := open(t, server.URL)
			asked := numbers(30)
			if err := n.Batch(context.Background(), asked); err != nil {
				t.Fatal(err)
			}
			for i, r := range asked {
				if r.Err != nil || *r.Into.(*int) != i%7 { // 30 -> 15 -> 7
					t.Fatalf("call %d: %d, %v", i, *r.Into.(*int), r.Err)
				}
			}
			before, _ := n.Sent()
			if err := n.Batch(context.Background(), numbers(7)); err != nil {
				t.Fatal(err)
			}
			if after, _ := n.Sent(); after != before+1 {
				t.Errorf("the size that works was forgotten")
			}
		})
	}
}

// TestFaults tells what may be tried again from what may not.
func TestFaults(t *testing.T) {
	const key = "s3cr3t"
	type fault struct {
		name   string
		breaks chaintest.Break
		says   *chaintest.Error
		kind   pool.Kind
		words  string
	}
	for _, c := range []fault{
		{"away", chaintest.Away, nil, pool.Unavailable, "EOF"},
		{"cut", chaintest.Cut, nil, pool.Unavailable, "EOF"},
		{"500", chaintest.Status(500, "oops"), nil, pool.Unavailable, `500 Internal Server Error "oops"`},
		{"502 in JSON-RPC", chaintest.Status(502, `{"error":{"code":-32000,"message":"bad gateway"}}`), nil, pool.Unavailable, "502"},
		{"408", chaintest.Status(408, ""), nil, pool.Unavailable, "408"},
		{"401", chaintest.Status(401, "no such project"), nil, "", "401 Unauthorized \"no such project\""},
		{"redirect", chaintest.Status(302, ""), nil, "", "302"},
		{"a page", chaintest.Status(200, "<html>please log in</html>"), nil, "", "not JSON-RPC"},
		{"no answers", chaintest.Status(200, "[]"), nil, pool.Unavailable, "left out the answer to echo"},
		{"nothing", chaintest.Status(200, ""), nil, pool.Unavailable, "EOF"},
		{"white space", chaintest.Status(200, strings.Repeat(" ", 1<<17)), nil, pool.Unavailable, "EOF"},
		{"broken JSON", chaintest.Status(200, `[{"jsonrpc":}]`), nil, "", "not JSON-RPC"},
		{"other JSON", chaintest.Status(200, `[1,2]`), nil, "", "not JSON-RPC"},
		{"an object", chaintest.Status(200, `{"a":1}`), nil, "", "not JSON-RPC"},
		{"too large", func(w http.ResponseWriter, _ *http.Request) bool {
			_, _ = w.Write([]byte(`[{"result":"`))
			for range 33 {
				_, _ = w.Write([]byte(strings.Repeat("0", 1<<20)))
			}
			return true
		}, nil, "", "larger than 33554432 bytes"},
		{"a whole batch refused", chaintest.Status(200, `{"error":{"code":-32601,"message":"the method echo does not exist"}}`), nil, "", "the node refuses echo: the method echo does not exist (code -32601)"},
		{"a call refused", nil, &chaintest.Error{Code: -32601, Message: "the method echo does not exist"}, "", "the node refuses echo: the method echo does not exist (code -32601)"},
		{"no such block", nil, &chaintest.Error{Code: -32000, Message: "header not found"}, pool.Unavailable, "header not found"},
		{"reorganised", nil, &chaintest.Error{Code: -32000, Message: "hash is not currently canonical"}, pool.Unavailable, "canonical"},
		{"internal", nil, &chaintest.Error{Code: -32603, Message: "Internal error"}, pool.Unavailable, "Internal error"},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := chaintest.Start(t, echo)
			server.Break(c.breaks)
			if c.says != nil {
				server.Disturb(chaintest.Refuse("echo", *c.says))
			}
			n, _ := open(t, server.URL+"/v2/"+key)
			err := n.Call(context.Background(), new(int), "echo", 7)
			if err == nil || pool.KindOf(err) != c.kind || !strings.Contains(err.Error(), c.words) {
				t.Errorf("%v of kind %q, want %q of kind %q", err, pool.KindOf(err), c.words, c.kind)
			}
			if strings.Contains(err.Error(), key) {
				t.Errorf("the error repeats the node's URL: %v", err)
			}
			server.Break(nil)
			server.Disturb()
			var back int
			if err := n.Call(context.Background(), &back, "echo", 7); err != nil || back != 7 {
				t.Errorf("after the fault: %d, %v", back, err)
			}
		})
	}
}

// TestPauses leaves a node alone for as long as it says, and makes no call.
func TestPauses(t *testing.T) {
	for _, c := range []struct {
		name   string
		breaks chaintest.Break
		says   *chaintest.Error
		wait   time.Duration
	}{
		{"429", chaintest.TooOften(17 * time.Second), nil, 17 * time.Second},
		{"429 for too long", chaintest.TooOften(24 * time.Hour), nil, 5 * time.Minute},
		{"429 without a time", chaintest.Status(429, "slow down"), nil, 2 * time.Second},
		{"429 until a time", func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Date", "Mon, 02 Jan 2006 15:04:05 GMT")
			w.Header().Set("Retry-After", "Mon, 02 Jan 2006 15:04:35 GMT")
			w.WriteHeader(429)
			return true
		}, nil, 30 * time.Second},
		{"429 in a batch's place", chaintest.Status(200, `{"error":{"code":429,"message":"Your app has exceeded its compute units per second capacity"}}`), nil, 2 * time.Second},
		{"a code", nil, &chaintest.Error{Code: 429, Message: "no"}, 2 * time.Second},
		{"Infura's code", nil, &chaintest.Error{Code: -32005, Message: "daily request count exceeded, request rate limited"}, 2 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := chaintest.Start(t, echo)
			server.Break(c.breaks)
			if c.says != nil {
				server.Disturb(chaintest.Refuse("echo", *c.says))
			}
			n, clock := open(t, server.URL)
			refused := func(want time.Duration) {
				t.Helper()
				err := n.Call(context.Background(), new(int), "echo", 1)
				var e *pool.Error
				if !errors.As(err, &e) || e.Kind != pool.Unavailable || e.RetryAfter != want {
					t.Errorf("%v, want Unavailable for %v", err, want)
				}
			}
			refused(c.wait)
			server.Break(nil)
			server.Disturb()
			clock.now = clock.now.Add(c.wait - time.Second)
			refused(time.Second)
			if requests, _ := n.Sent(); requests != 1 {
				t.Errorf("%d requests, want 1: the node asked for a pause", requests)
			}
			clock.now = clock.now.Add(time.Second)
			var back int
			if err := n.Call(context.Background(), &back, "echo", 3); err != nil || back != 3 {
				t.Errorf("after the pause: %d, %v", back, err)
			}
		})
	}
}

// TestRevertIsNoPause: what a contract says is anybody's text.
func TestRevertIsNoPause(t *testing.T) {
	server := chaintest.Start(t, echo)
	server.Disturb(chaintest.Refuse("echo", chaintest.Error{Code: 3, Message: "execution reverted: too many requests", Data: "0x08c379a0"}))
	n, _ := open(t, server.URL)
	err := n.Call(context.Background(), new(int), "echo", 1)
	if node.Code(err) != node.Reverted || pool.KindOf(err) != "" || !strings.Contains(node.Told(err), "0x08c379a0") {
		t.Errorf("%v", err)
	}
	server.Disturb()
	if err := n.Call(context.Background(), new(int), "echo", 1); err != nil {
		t.Error(err)
	}
}

func TestGivenUp(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // only then it is seen that the client is gone
		<-r.Context().Done()
	}))
	t.Cleanup(server.Close)
	n, _ := open(t, server.URL)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := n.Call(ctx, new(int), "echo", 1); pool.KindOf(err) != pool.Unavailable || !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	slow, err := node.Open(node.Config{URL: server.URL, Timeout: time.Millisecond, Transport: http.DefaultTransport, Now: (&clock{}).Now})
	if err != nil {
		t.Fatal(err)
	}
	if err := slow.Call(context.Background(), new(int), "echo", 1); pool.KindOf(err) != pool.Unavailable || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}

func TestOpenRefused(t *testing.T) {
	for _, url := range []string{"", "ws://127.0.0.1:1/s3cr3t", "127.0.0.1:8545", "http:///s3cr3t", "http://a b/s3cr3t", "ht\x00tp://s3cr3t"} {
		if _, err := node.Open(node.Config{URL: url}); err == nil || strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("%q: %v", url, err)
		}
	}
}

// TestWords holds what providers are known to say.
func TestWords(t *testing.T) {
	said := func(code int, words string) error {
		server := chaintest.Start(t, echo)
		server.Disturb(chaintest.Refuse("echo", chaintest.Error{Code: code, Message: words}))
		n, _ := open(t, server.URL)
		return n.Call(context.Background(), new(int), "echo", 1)
	}
	for _, c := range []struct {
		code  int
		words string
	}{
		{-32005, "query returned more than 10000 results"},
		{-32005, "query returned more than 10000 results. Try with this block range [0xBDE5F8, 0x102DBCC]."},
		{-32602, "range 1000000 exceeds limit of 10000"},
		{-32602, "Log response size exceeded. You can make eth_getLogs requests with up to a 2K block range and no limit on the response size"},
		{-32600, "You can make eth_getLogs requests with up to a 500 block range. Based on your parameters, this block range should work: [0x1, 0x2]"},
		{-32600, "block range is too wide"},
		{-32614, "eth_getLogs is limited to a 10,000 range"},
		{-32000, "requested too many blocks from 1 to 2049, maximum is set to 2048"},
		{-32000, "query exceeds max results 20000, retry with the range 1-2"},
		{-32000, "logs matched by query exceeds limit of 10000"},
		{-32000, "backend response too large"},
		{-32602, "response size should not greater than 10000000 bytes"},
		{-32000, "query must be smaller than size 1024"},
		{-32602, "Maximum allowed number of requested blocks is 1000"},
		{-32000, "query returns too many logs, narrow your filter: 20000"},
		{-32602, "maximum [from, to] blocks distance: 10000"},
		{-32005, "limit exceeded"},
		{-32000, "query timeout exceeded"},
		{-32602, "exceed maximum block range 1000"},
		{-32000, "exceeds the range allowed for your plan (1001 > 1000)"},
	} {
		if err := said(c.code, c.words); !node.Says(err, node.TooWide) {
			t.Errorf("%q is a range that is too wide", c.words)
		}
	}
	for _, words := range []string{
		"already known", "known transaction: 1234", "nonce too low: next nonce 7, tx nonce 5", "nonce too low", "Transaction nonce is too low. Try incrementing the nonce.",
		"Transaction with the same hash was already imported.", "AlreadyKnown", "OldNonce, Current nonce: 7, nonce of rejected tx: 5", "existing tx with same hash",
	} {
		if err := said(-32000, words); !node.Says(err, node.Known) || node.Says(err, node.Unfit) {
			t.Errorf("%q is a transaction that the node has or had", words)
		}
	}
	for _, words := range []string{"replacement transaction underpriced", "transaction underpriced", "max fee per gas less than block base fee: address 0x1", "transaction gas price below minimum", "intrinsic gas too low"} {
		if err := said(-32000, words); !node.Says(err, node.Unfit) || node.Says(err, node.Known) {
			t.Errorf("%q is a transaction that will not be taken", words)
		}
	}
	if err := said(-32000, "nonce too high"); !node.Says(err, node.Early) || node.Says(err, node.Known) {
		t.Errorf("%v", err)
	}
	if err := said(-32000, "insufficient funds for gas * price + value: balance 0"); !node.Says(err, node.Poor) {
		t.Errorf("%v", err)
	}
	if node.Says(errors.New("already known"), node.Known) {
		t.Error("an error that the node did not say")
	}
}
