// Package telemetry owns what the pool says about itself: the set-up of slog,
// the request id that joins records of one request, the metrics written as
// CloudWatch embedded metric format, and the names of all log keys and metrics.
// It must not decide anything, and must not be given secrets or people's data.
package telemetry

import (
	"context"
	"fmt"
	"io"
	"log/slog"
)

// NewLogger writes JSON records, one a line, at or above a level ("DEBUG",
// "INFO", "WARN" or "ERROR"). Each record names the function, and the request
// when its context has one.
func NewLogger(w io.Writer, level, function string) (*slog.Logger, error) {
	var least slog.Level
	if err := least.UnmarshalText([]byte(level)); err != nil {
		return nil, fmt.Errorf("reading the log level: %w", err)
	}
	records := slog.NewJSONHandler(w, &slog.HandlerOptions{Level: least, ReplaceAttr: lambdaNames})
	return slog.New(withRequest{records}).With(slog.String(KeyFunction, function)), nil
}

// Setup makes the NewLogger of a function the default one.
func Setup(w io.Writer, level, function string) error {
	logger, err := NewLogger(w, level, function)
	if err != nil {
		return err
	}
	slog.SetDefault(logger)
	return nil
}

// lambdaNames gives time and message the keys that Lambda's log filter knows.
func lambdaNames(groups []string, attr slog.Attr) slog.Attr {
	if len(groups) > 0 {
		return attr
	}
	switch attr.Key {
	case slog.TimeKey:
		attr.Key = "timestamp"
	case slog.MessageKey:
		attr.Key = "message"
	}
	return attr
}

type withRequest struct{ slog.Handler }

func (h withRequest) Handle(ctx context.Context, r slog.Record) error {
	if id := RequestID(ctx); id != "" {
		r = r.Clone()
		r.AddAttrs(slog.String(KeyRequest, id))
	}
	return h.Handler.Handle(ctx, r)
}

func (h withRequest) WithAttrs(attrs []slog.Attr) slog.Handler {
	return withRequest{h.Handler.WithAttrs(attrs)}
}

func (h withRequest) WithGroup(name string) slog.Handler {
	return withRequest{h.Handler.WithGroup(name)}
}

type requestKey struct{}

// WithRequestID marks everything done under the context as part of one request.
func WithRequestID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestKey{}, id)
}

// RequestID gives the id of the request the context belongs to, or "".
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestKey{}).(string)
	return id
}
