package web

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"workerpool/shared/pool"
	"workerpool/shared/telemetry"
	"workerpool/shared/wire"
)

// statuses gives each kind its HTTP status.
var statuses = map[pool.Kind]int{
	pool.Invalid:         http.StatusBadRequest,
	pool.Unauthenticated: http.StatusUnauthorized,
	pool.Forbidden:       http.StatusForbidden,
	pool.NotFound:        http.StatusNotFound,
	pool.Conflict:        http.StatusConflict,
	pool.TooLarge:        http.StatusRequestEntityTooLarge,
	pool.Unsupported:     http.StatusUnsupportedMediaType,
	pool.TooMany:         http.StatusTooManyRequests,
	pool.Unavailable:     http.StatusServiceUnavailable,
}

// WriteProblem answers with the problem document of an error and logs it. Only
// a pool.Error speaks for itself; a deadline that passed is 503, and of any
// other error the caller learns nothing but the request id.
func WriteProblem(w http.ResponseWriter, r *http.Request, err error) {
	var known *pool.Error
	if !errors.As(err, &known) {
		known = unknown(err)
	}
	status, ok := statuses[known.Kind]
	if !ok {
		status, known = http.StatusInternalServerError, &pool.Error{
			Kind: "internal", Message: "something went wrong on the pool's side; quote the request id when asking why",
		}
	}
	record(r, status, known, err)
	if known.RetryAfter > 0 {
		seconds := int64((known.RetryAfter + time.Second - 1) / time.Second)
		w.Header().Set("Retry-After", strconv.FormatInt(seconds, 10))
	}
	if status == http.StatusUnauthorized && w.Header().Get("WWW-Authenticate") == "" {
		w.Header().Set("WWW-Authenticate", `Bearer realm="pool"`)
	}
	problem := document(r, status, string(known.Kind), known.Message)
	problem.Field = known.Field
	writeDocument(w, r, problem)
}

// unknown gives the words for an error that nobody phrased for the caller.
func unknown(err error) *pool.Error {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return &pool.Error{Kind: pool.Unavailable, Message: "this took too long, try again", RetryAfter: time.Second}
	}
	return &pool.Error{}
}

func record(r *http.Request, status int, known *pool.Error, err error) {
	level := slog.LevelInfo
	switch {
	case status == http.StatusInternalServerError:
		level = slog.LevelError
	case status > http.StatusInternalServerError:
		level = slog.LevelWarn
	}
	slog.LogAttrs(r.Context(), level, "request refused",
		slog.String(telemetry.KeyMethod, r.Method), slog.String(telemetry.KeyPath, r.URL.Path),
		slog.Int(telemetry.KeyStatus, status), slog.String(telemetry.KeyKind, string(known.Kind)),
		slog.String(telemetry.KeyField, known.Field), slog.String(telemetry.KeyError, err.Error()))
}

func document(r *http.Request, status int, code, detail string) wire.Problem {
	return wire.Problem{
		Type: "about:blank", Title: http.StatusText(status), Status: status,
		Code: code, Detail: detail, RequestID: telemetry.RequestID(r.Context()),
	}
}

func writeDocument(w http.ResponseWriter, r *http.Request, problem wire.Problem) {
	text, err := json.Marshal(problem)
	if err != nil { // strings and numbers can always be written
		slog.ErrorContext(r.Context(), "problem document not written", telemetry.KeyError, err)
	}
	write(w, "application/problem+json", problem.Status, text)
}
