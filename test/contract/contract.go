// Package contract holds what goes over the pool's HTTP routes against
// docs/openapi.yaml. It owns the reading of that file and the validating
// transport; it must not know what any route does. Tests only.
package contract

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"

	"workerpool/docs"
)

// Validator fails a test when a request that the pool accepted, or any answer,
// is not as docs/openapi.yaml says. It is safe for use by many goroutines.
type Validator struct {
	t      testing.TB
	doc    *openapi3.T
	router routers.Router

	mu   sync.Mutex
	seen map[string]map[int]int // operation id -> status -> how often
}

// New reads and checks docs/openapi.yaml.
func New(t testing.TB) *Validator {
	t.Helper()
	doc, err := load()
	if err != nil {
		t.Fatal(err)
	}
	router, err := legacy.NewRouter(doc)
	if err != nil {
		t.Fatalf("making a router of docs/openapi.yaml: %v", err)
	}
	return &Validator{t: t, doc: doc, router: router, seen: map[string]map[int]int{}}
}

func load() (*openapi3.T, error) {
	doc, err := openapi3.NewLoader().LoadFromData(docs.OpenAPI)
	if err != nil {
		return nil, fmt.Errorf("reading docs/openapi.yaml: %w", err)
	}
	if err := doc.Validate(context.Background()); err != nil {
		return nil, fmt.Errorf("docs/openapi.yaml is no good OpenAPI: %w", err)
	}
	return doc, nil
}

// Client gives an HTTP client whose calls to the pool are all validated; next
// carries them (nil = http.DefaultTransport). Use it for calls to the pool only:
// links to the bucket are not in the contract.
func (v *Validator) Client(next http.RoundTripper) *http.Client {
	return &http.Client{Transport: v.Transport(next)}
}

// Transport is Client's, for those who make the client themselves.
func (v *Validator) Transport(next http.RoundTripper) http.RoundTripper {
	if next == nil {
		next = http.DefaultTransport
	}
	return transport{v: v, next: next}
}

// Seen tells how often an operation was answered with a status.
func (v *Validator) Seen(operation string, status int) int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.seen[operation][status]
}

// Unseen lists the operations that no call has reached yet.
func (v *Validator) Unseen() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	var out []string
	for _, path := range v.doc.Paths.InMatchingOrder() {
		for _, operation := range v.doc.Paths.Value(path).Operations() {
			if v.seen[operation.OperationID] == nil {
				out = append(out, operation.OperationID)
			}
		}
	}
	return out
}

type transport struct {
	v    *Validator
	next http.RoundTripper
}

func (t transport) RoundTrip(req *http.Request) (*http.Response, error) {
	var body []byte
	if req.Body != nil {
		var err error
		if body, err = io.ReadAll(req.Body); err != nil {
			return nil, fmt.Errorf("reading the request's body: %w", err)
		}
		if err := req.Body.Close(); err != nil {
			return nil, fmt.Errorf("closing the request's body: %w", err)
		}
	}
	sent := req.Clone(req.Context())
	if req.Body != nil {
		sent.Body = io.NopCloser(bytes.NewReader(body))
	}
	resp, err := t.next.RoundTrip(sent)
	if err != nil {
		return nil, err
	}
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("reading the answer: %w", err), resp.Body.Close())
	}
	if err := resp.Body.Close(); err != nil {
		return nil, fmt.Errorf("closing the answer: %w", err)
	}
	resp.Body = io.NopCloser(bytes.NewReader(answer))
	if err := t.v.Check(req, body, resp.StatusCode, resp.Header, answer); err != nil {
		t.v.t.Errorf("%s %s -> %d breaks the contract: %v\nrequest: %s\nanswer: %s",
			req.Method, req.URL.Path, resp.StatusCode, err, head(body), head(answer))
	}
	return resp, nil
}

// Check tells how one exchange breaks the contract; nil = it does not. A request
// that is not as described must not be answered with a 2xx; what is no route at
// all must be answered 404 or 405.
func (v *Validator) Check(req *http.Request, body []byte, status int, header http.Header, answer []byte) error {
	in, err := v.find(req, body)
	if err != nil {
		if status == http.StatusNotFound || status == http.StatusMethodNotAllowed {
			return nil
		}
		return fmt.Errorf("404 or 405 was due: %w", err)
	}
	v.note(in.Route.Operation.OperationID, status)
	if err := openapi3filter.ValidateRequest(req.Context(), in); err != nil && status < 300 {
		return fmt.Errorf("the request is not as described, but was accepted: %w", err)
	}
	out := &openapi3filter.ResponseValidationInput{RequestValidationInput: in, Status: status, Header: header, Options: in.Options}
	out.SetBodyBytes(answer)
	if err := openapi3filter.ValidateResponse(req.Context(), out); err != nil {
		return fmt.Errorf("the answer is not as described: %w", err)
	}
	return nil
}

// CheckRequest tells how a request alone breaks the contract; nil = it does not.
func (v *Validator) CheckRequest(req *http.Request, body []byte) error {
	in, err := v.find(req, body)
	if err != nil {
		return err
	}
	if err := openapi3filter.ValidateRequest(req.Context(), in); err != nil {
		return fmt.Errorf("the request is not as described: %w", err)
	}
	return nil
}

// find gives a request as the validator wants it; it fails when there is no such
// route.
func (v *Validator) find(req *http.Request, body []byte) (*openapi3filter.RequestValidationInput, error) {
	asked := req.Clone(req.Context())
	asked.Body = io.NopCloser(bytes.NewReader(body))
	// The router matches below the server "/": host and scheme do not count.
	asked.URL.Scheme, asked.URL.Host, asked.Host = "", "", ""
	route, params, err := v.router.FindRoute(asked)
	if err != nil {
		return nil, fmt.Errorf("%s %s is no route: %w", req.Method, req.URL.Path, err)
	}
	return &openapi3filter.RequestValidationInput{Request: asked, PathParams: params, Route: route, Options: &openapi3filter.Options{
		IncludeResponseStatus: true, RejectWhenRequestBodyNotSpecified: true, AuthenticationFunc: bearer, SkipSettingDefaults: true,
	}}, nil
}

func (v *Validator) note(operation string, status int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.seen[operation] == nil {
		v.seen[operation] = map[int]int{}
	}
	v.seen[operation][status]++
}

// bearer wants a token where the contract asks for one; whether it is good is
// the pool's to judge.
func bearer(_ context.Context, in *openapi3filter.AuthenticationInput) error {
	token, ok := strings.CutPrefix(in.RequestValidationInput.Request.Header.Get("Authorization"), "Bearer ")
	if !ok || token == "" {
		return errors.New("a bearer token is needed")
	}
	return nil
}

// head gives as much of a body as a person reads.
func head(body []byte) []byte { return body[:min(len(body), 2_000)] }
