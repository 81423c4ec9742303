// Package web owns what all HTTP handlers of the pool share: strict reading of
// JSON, answers, problem documents (RFC 9457) and the caller in the context. It
// knows net/http only: no Lambda, no token, no flow. It must not decide what a
// caller may see.
package web

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"workerpool/shared/pool"
)

// Handler answers a request, or returns an error before it has written anything.
type Handler func(w http.ResponseWriter, r *http.Request) error

// ServeHTTP calls the handler and turns its error into a problem document.
func (h Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := h(w, r); err != nil {
		WriteProblem(w, r, err)
	}
}

// WriteJSON answers with a status and a JSON body. Answers are never cached:
// each depends on who asks and when. The error is that of an unwritable value;
// nothing has been written then.
func WriteJSON(w http.ResponseWriter, status int, body any) error {
	text, err := Encode(body)
	if err != nil {
		return err
	}
	write(w, "application/json", status, text)
	return nil
}

// Encode gives a value as it stands in an answer. What HTML would need escaped is
// left as it is: nobody shows it as a page, and escaped it may be six times as long.
func Encode(body any) ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(body); err != nil {
		return nil, fmt.Errorf("writing the answer: %w", err)
	}
	return bytes.TrimSuffix(text.Bytes(), []byte("\n")), nil
}

func write(w http.ResponseWriter, contentType string, status int, text []byte) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(text) // a caller that has gone needs no answer
}

// Routes serves a mux, with problem documents for unknown paths (404) and
// methods (405) in place of the mux's plain text.
func Routes(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		refusal, pattern := mux.Handler(r)
		if pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		answer := verdict{header: http.Header{}}
		refusal.ServeHTTP(&answer, r)
		if answer.status != http.StatusMethodNotAllowed {
			WriteProblem(w, r, pool.Refuse(pool.NotFound, "", "there is nothing at this path"))
			return
		}
		allowed := answer.header.Get("Allow")
		w.Header().Set("Allow", allowed)
		writeDocument(w, r, document(r, answer.status, "method_not_allowed", "this path takes "+allowed+" only"))
	})
}

// verdict takes what the mux says of a request it has no handler for.
type verdict struct {
	header http.Header
	status int
}

func (v *verdict) Header() http.Header         { return v.header }
func (v *verdict) WriteHeader(status int)      { v.status = status }
func (v *verdict) Write(p []byte) (int, error) { return len(p), nil }

// PathID reads a positive id from the path. Whatever cannot be an id is
// reported as not found, like an id that nobody has.
func PathID(r *http.Request, name string) (int64, error) {
	const most = 1<<53 - 1 // ids pass through every JSON reader unharmed
	text := r.PathValue(name)
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id <= 0 || id > most || text != strconv.FormatInt(id, 10) {
		return 0, pool.Refuse(pool.NotFound, "", "there is no such %s", name)
	}
	return id, nil
}

type callerKey struct{}

// WithCaller marks everything done under the context as done for the caller.
func WithCaller(ctx context.Context, caller pool.Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, caller)
}

// CallerOf gives who makes the request; pool.Unauthenticated when nobody is known.
func CallerOf(ctx context.Context) (pool.Caller, error) {
	caller, ok := ctx.Value(callerKey{}).(pool.Caller)
	if !ok {
		return pool.Caller{}, pool.Refuse(pool.Unauthenticated, "", "a token is needed")
	}
	return caller, nil
}

// CallerAs gives the caller if it has one of the roles, and pool.Forbidden otherwise.
func CallerAs(ctx context.Context, roles ...pool.Role) (pool.Caller, error) {
	caller, err := CallerOf(ctx)
	if err != nil {
		return pool.Caller{}, err
	}
	if !slices.Contains(roles, caller.Role) {
		return pool.Caller{}, pool.Refuse(pool.Forbidden, "", "the role %s may not do this", caller.Role)
	}
	return caller, nil
}
