package schedule

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"workerpool/infra/local/lambda"
)

// start makes a schedule without a clock of its own.
func start(t *testing.T, input string, invoke func(ctx context.Context, event string) (lambda.Result, error)) *Schedule {
	t.Helper()
	s := Start(Config{
		Name: "Tick", Function: "reconcile", Input: input,
		Invoke: func(ctx context.Context, function string, event []byte) (lambda.Result, error) {
			if function != "reconcile" {
				t.Errorf("invoked %q", function)
			}
			return invoke(ctx, string(event))
		},
		Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
		Now: func() time.Time { return time.Unix(1_800_000_000, 5) },
	})
	t.Cleanup(s.Close)
	return s
}

func TestTickGivesTheEventAndTheFailure(t *testing.T) {
	var got []string
	answer, refusal := lambda.Result{}, error(nil)
	invoke := func(_ context.Context, event string) (lambda.Result, error) {
		got = append(got, event)
		return answer, refusal
	}
	s := start(t, "", invoke)
	if err := s.Tick(t.Context()); err != nil {
		t.Errorf("tick: %v", err)
	}
	answer = lambda.Result{Failed: true, Payload: []byte("as told")}
	if err := s.Tick(t.Context()); err == nil || !strings.Contains(err.Error(), "as told") {
		t.Errorf("tick of a function that fails: %v", err)
	}
	answer, refusal = lambda.Result{}, lambda.ErrThrottled
	if err := start(t, `{"dry_run":true}`, invoke).Tick(t.Context()); !errors.Is(err, lambda.ErrThrottled) {
		t.Errorf("tick that is throttled: %v", err)
	}
	own := `{"account":"000000000000","detail":"{}","detail-type":"Scheduled Event","id":"Tick-1800000000000000005","region":"us-east-1",` +
		`"resources":["arn:aws:scheduler:us-east-1:000000000000:schedule/default/Tick"],"source":"aws.scheduler","time":"2027-01-15T08:00:00Z","version":"0"}`
	if diff := cmp.Diff([]string{own, own, `{"dry_run":true}`}, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func TestTicksOverlapAndCloseGivesThemUp(t *testing.T) {
	begun, given := make(chan struct{}), make(chan error, 2)
	s := start(t, "", func(ctx context.Context, _ string) (lambda.Result, error) {
		begun <- struct{}{}
		<-ctx.Done()
		given <- ctx.Err()
		return lambda.Result{}, ctx.Err()
	})
	ticks := make(chan time.Time)
	s.wait.Go(func() { s.follow(ticks) })
	for range 2 { // the second one must not wait for the first
		ticks <- time.Time{}
		<-begun
	}
	s.Close()
	for range 2 {
		if err := <-given; !errors.Is(err, context.Canceled) {
			t.Errorf("a call at Close: %v", err)
		}
	}
}

func TestTheClockTicks(t *testing.T) {
	called := make(chan struct{})
	s := Start(Config{
		Function: "reconcile", Interval: time.Millisecond, Log: slog.New(slog.DiscardHandler),
		Invoke: func(ctx context.Context, _ string, _ []byte) (lambda.Result, error) {
			select {
			case called <- struct{}{}:
			case <-ctx.Done():
			}
			return lambda.Result{}, nil
		},
	})
	<-called
	<-called
	s.Close()
}
