// Package schedule plays EventBridge Scheduler: it invokes a function at a fixed
// rate, without retries, and without waiting for the last call: a tick may meet
// the one before still at work, as in AWS. It owns the ticking only.
package schedule

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"workerpool/infra/local/lambda"
	"workerpool/infra/local/template"
)

// Config of a Schedule.
type Config struct {
	Name     string // of the schedule
	Function string
	Interval time.Duration // <= 0: only Tick ticks
	Input    string        // what the function is given; "" = the scheduler's own event
	Invoke   func(ctx context.Context, function string, event []byte) (lambda.Result, error)
	Log      *slog.Logger
	Now      func() time.Time // nil = time.Now
}

// Schedule ticks until it is closed.
type Schedule struct {
	config Config
	ctx    context.Context // of the calls begun by the clock
	stop   context.CancelFunc
	wait   sync.WaitGroup
}

// Start begins to tick; the first tick comes after one interval.
func Start(c Config) *Schedule {
	if c.Now == nil {
		c.Now = time.Now
	}
	ctx, stop := context.WithCancel(context.Background())
	s := &Schedule{config: c, ctx: ctx, stop: stop}
	if c.Interval > 0 {
		s.wait.Go(func() {
			ticker := time.NewTicker(c.Interval)
			defer ticker.Stop()
			s.follow(ticker.C)
		})
	}
	return s
}

// follow calls at each tick and never waits for the call.
func (s *Schedule) follow(ticks <-chan time.Time) {
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-ticks:
			s.wait.Go(func() {
				err := s.Tick(s.ctx)
				if errors.Is(err, lambda.ErrThrottled) {
					return // the call before goes on. AWS would put this one off; the next tick does as well
				}
				if err != nil && s.ctx.Err() == nil {
					s.config.Log.ErrorContext(s.ctx, "a scheduled call failed", "schedule", s.config.Name, "error", err)
				}
			})
		}
	}
}

// Tick calls the function now, whatever the clock says, and waits for its end. An
// error of the function is an error here.
func (s *Schedule) Tick(ctx context.Context) error {
	event, err := s.event()
	if err != nil {
		return err
	}
	result, err := s.config.Invoke(ctx, s.config.Function, event)
	if err != nil {
		return err
	}
	if result.Failed {
		return fmt.Errorf("%s failed: %s", s.config.Function, result.Payload)
	}
	return nil
}

// Close stops the clock and gives up the calls that it began.
func (s *Schedule) Close() {
	s.stop()
	s.wait.Wait()
}

func (s *Schedule) event() ([]byte, error) {
	if s.config.Input != "" {
		return []byte(s.config.Input), nil
	}
	now := s.config.Now().UTC()
	event, err := json.Marshal(map[string]any{
		"version": "0", "id": fmt.Sprintf("%s-%d", s.config.Name, now.UnixNano()), "detail-type": "Scheduled Event",
		"source": "aws.scheduler", "account": template.AccountID, "region": template.Region, "time": now.Format(time.RFC3339),
		"resources": []string{"arn:aws:scheduler:" + template.Region + ":" + template.AccountID + ":schedule/default/" + s.config.Name},
		"detail":    "{}",
	})
	if err != nil {
		return nil, fmt.Errorf("encoding the event: %w", err)
	}
	return event, nil
}
