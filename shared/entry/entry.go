// Package entry is the door through which Lambda comes in. It owns the shape of
// events and answers, the deadline, the request id in the context and what
// happens to a panic. It must not know a flow: it calls an http.Handler or a
// function, and only functions/* may call it.
package entry

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"runtime/debug"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"workerpool/shared/pool"
	"workerpool/shared/telemetry"
)

// margin is kept between the deadline a function sees and its real one, for the
// answer and the log.
const margin = 500 * time.Millisecond

// Main begins a function: start reads its parameters, opens its doors and ends in
// one of the other entries. What keeps it from that is logged and ends the
// process, so a bad deployment fails before its first request.
func Main(start func(ctx context.Context) error) {
	if err := start(context.Background()); err != nil {
		slog.Error("not started", telemetry.KeyError, err)
		os.Exit(1)
	}
}

// HTTP serves API Gateway's HTTP API events (payload 2.0) with the handler. It
// does not return.
func HTTP(handler http.Handler) { lambda.Start(serve(handler)) }

// Rings serves SQS events whose messages carry nothing: all that parse lets pass
// are one look. When the look fails all of them are delivered again. It does not
// return.
func Rings(parse func(body string) error, look func(ctx context.Context) error) {
	lambda.Start(receive(together(parse, look)))
}

// Ticker is a flow that is due from time to time, and can tell what it would do.
type Ticker interface {
	Tick(ctx context.Context) error
	DryRun(ctx context.Context) (lines []string, err error)
}

// Schedule serves the events of a schedule; what they say is not looked at, but
// that {"dry_run":true}, which nobody but a person sends, is answered with what a
// tick would do. An error marks the invocation as failed. It does not return.
func Schedule(t Ticker) { lambda.Start(scheduled(t)) }

// Direct serves invocations by hand or by a deployment: input and output are
// JSON, and a property of the input that In does not know is refused. It does
// not return.
func Direct[In, Out any](run func(ctx context.Context, in In) (Out, error)) {
	lambda.Start(directly(run))
}

type invocation[Out any] func(ctx context.Context, event json.RawMessage) (Out, error)

// ticked is the answer to an event of a schedule.
type ticked struct {
	Would []string `json:"would,omitempty"`
}

func scheduled(t Ticker) invocation[ticked] {
	return guarded(func(ctx context.Context, event json.RawMessage) (out ticked, err error) {
		var asked struct {
			DryRun bool `json:"dry_run"`
		}
		if json.Unmarshal(event, &asked) == nil && asked.DryRun {
			out.Would, err = t.DryRun(ctx)
			return out, err
		}
		return out, t.Tick(ctx)
	})
}

func directly[In, Out any](run func(context.Context, In) (Out, error)) invocation[Out] {
	return guarded(func(ctx context.Context, event json.RawMessage) (Out, error) {
		var in In
		d := json.NewDecoder(bytes.NewReader(event))
		d.DisallowUnknownFields()
		if err := d.Decode(&in); err != nil {
			var none Out
			return none, pool.Refuse(pool.Invalid, "", "the input is not understood: %v", err)
		}
		return run(ctx, in)
	})
}

// guarded adds to a function what all have in common. The error it gives to
// Lambda has only words meant for the invoker; the log has the rest.
func guarded[Out any](run invocation[Out]) invocation[Out] {
	return func(ctx context.Context, event json.RawMessage) (out Out, err error) {
		ctx, cancel := begin(ctx, "")
		defer cancel()
		err = guard(ctx, func() error {
			out, err = run(ctx, event)
			return err
		})
		if err == nil {
			return out, nil
		}
		slog.ErrorContext(ctx, "invocation failed", telemetry.KeyError, err)
		var known *pool.Error
		if errors.As(err, &known) {
			return out, errors.New(known.Message)
		}
		return out, fmt.Errorf("something went wrong; the log of request %s says what", telemetry.RequestID(ctx))
	}
}

// begin gives the context of an invocation: it has the request id, Lambda's own
// when none is given, and ends before Lambda does.
func begin(ctx context.Context, id string) (context.Context, context.CancelFunc) {
	if lc, ok := lambdacontext.FromContext(ctx); ok && id == "" {
		id = lc.AwsRequestID
	}
	ctx = telemetry.WithRequestID(ctx, id)
	if deadline, ok := ctx.Deadline(); ok {
		return context.WithDeadline(ctx, deadline.Add(-margin))
	}
	return context.WithCancel(ctx)
}

// guard calls run and makes an error of its panic, which is logged with the
// stack. The process lives on: what it holds is either immutable or guarded.
func guard(ctx context.Context, run func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			slog.ErrorContext(ctx, "panic", telemetry.KeyError, fmt.Sprint(p), telemetry.KeyStack, string(debug.Stack()))
			err = errPanic
		}
	}()
	return run()
}

var errPanic = errors.New("the function panicked")
