// Package apigw plays the HTTP API of API Gateway (payload 2.0) in front of the
// functions. It owns the translation of requests into events and of answers into
// responses, with the service's limits; it must not know what a function does, and
// does not play throttling, authorizers or CORS.
package apigw

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"workerpool/infra/local/lambda"
)

const (
	maxBody         = 10 << 20         // bytes of a request's body
	integrationTime = 30 * time.Second // how long a function may take for the caller
)

// Route leads requests to a function.
type Route struct {
	Method   string // upper case; "ANY" = all
	Path     string // "/works/{id}", "/{rest+}" or "$default"
	Function string
}

// Invoke runs a function; lambda.Host's.
type Invoke func(ctx context.Context, function string, event []byte) (lambda.Result, error)

// Config of a Front.
type Config struct {
	Routes      []Route
	Invoke      Invoke
	Log         *slog.Logger
	Integration time.Duration    // longest wait for a function; 0 = the service's 30 s
	Now         func() time.Time // nil = time.Now
}

// Front is the API as an http.Handler.
type Front struct {
	config Config
	routes *table
}

// New makes the front. Two functions on one route are an error.
func New(c Config) (*Front, error) {
	if c.Integration == 0 {
		c.Integration = integrationTime
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	routes, err := newTable(c.Routes)
	if err != nil {
		return nil, fmt.Errorf("reading the routes of the API: %w", err)
	}
	return &Front{config: c, routes: routes}, nil
}

// ServeHTTP answers one request.
func (f *Front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	route, variables, ok := f.routes.find(r.Method, r.URL.EscapedPath())
	if !ok {
		message(w, http.StatusNotFound, "Not Found")
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		message(w, http.StatusRequestEntityTooLarge, "Request Entity Too Large")
		return
	}
	if err != nil { // the caller broke off
		message(w, http.StatusBadRequest, "Bad Request")
		return
	}
	id := requestID()
	event, err := newEvent(r, route.key(), variables, body, id, f.config.Now())
	if err != nil {
		f.config.Log.ErrorContext(r.Context(), "making the event of a request", "request_id", id, "error", err)
		message(w, http.StatusInternalServerError, "Internal Server Error")
		return
	}
	// The function runs on when the caller goes away, as in AWS.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), f.config.Integration)
	defer cancel()
	result, err := f.config.Invoke(ctx, route.Function, event)
	w.Header().Set("Apigw-Requestid", id)
	if err != nil {
		f.refuse(ctx, w, route, id, err)
		return
	}
	if result.Failed {
		f.config.Log.ErrorContext(ctx, "a function failed", "function", route.Function, "request_id", id, "answer", string(result.Payload))
		message(w, http.StatusInternalServerError, "Internal Server Error")
		return
	}
	response, err := readResponse(result.Payload)
	if err != nil {
		f.config.Log.ErrorContext(ctx, "a function's answer is no response", "function", route.Function, "request_id", id, "error", err)
		message(w, http.StatusInternalServerError, "Internal Server Error")
		return
	}
	response.write(w)
}

// refuse answers for a function that was not run to its end.
func (f *Front) refuse(ctx context.Context, w http.ResponseWriter, route Route, id string, err error) {
	f.config.Log.ErrorContext(ctx, "a function gave no answer", "function", route.Function, "request_id", id, "error", err)
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, lambda.ErrThrottled), errors.Is(err, lambda.ErrClosed):
		message(w, http.StatusServiceUnavailable, "Service Unavailable")
	case errors.Is(err, lambda.ErrTooLarge):
		// base64 and the event's frame make 6 MB of event out of less body.
		message(w, http.StatusRequestEntityTooLarge, "Request Entity Too Large")
	default:
		message(w, http.StatusInternalServerError, "Internal Server Error")
	}
}

func message(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, `{"message":"`+text+`"}`) // the caller may be gone
}
