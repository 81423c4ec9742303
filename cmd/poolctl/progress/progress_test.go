package progress

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"workerpool/shared/wire"
)

func batch(done, failed, running int) wire.Batch {
	return wire.Batch{ID: 3, Works: 4, States: map[string]int{"done": done, "failed": failed, "running": running}}
}

func TestWatchAsksUntilAllEnded(t *testing.T) {
	answers := []wire.Batch{batch(0, 0, 4), batch(1, 0, 3), batch(1, 0, 3), batch(3, 1, 0)}
	var out bytes.Buffer
	var waits []time.Duration
	w := Watch{
		Fetch: func(context.Context) (wire.Batch, error) {
			now := answers[0]
			answers = answers[1:]
			return now, nil
		},
		Wait: func(_ context.Context, d time.Duration) error {
			waits = append(waits, d)
			return nil
		},
		Every: 2 * time.Second,
		Bar:   &Bar{To: &out},
	}
	last, err := w.Run(t.Context())
	if err != nil || last.States["done"] != 3 || len(answers) > 0 {
		t.Errorf("got %v, %v; %d answers are left", last, err, len(answers))
	}
	if !slices.Equal(waits, slices.Repeat([]time.Duration{2 * time.Second}, 3)) {
		t.Errorf("waited %v", waits)
	}
	want := "0 of 4 ended, running 4\n1 of 4 ended, running 3, done 1\n4 of 4 ended, done 3, failed 1\n"
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}

func TestWatchEndsWithTheFirstError(t *testing.T) {
	gone := errors.New("gone")
	w := Watch{Fetch: func(context.Context) (wire.Batch, error) { return wire.Batch{}, gone }, Bar: &Bar{To: &bytes.Buffer{}}}
	if _, err := w.Run(t.Context()); !errors.Is(err, gone) {
		t.Errorf("got %v", err)
	}
	w.Fetch = func(context.Context) (wire.Batch, error) { return batch(0, 0, 4), nil }
	w.Wait = func(context.Context, time.Duration) error { return context.Canceled }
	if _, err := w.Run(t.Context()); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestBarOnATerminal(t *testing.T) {
	var out bytes.Buffer
	bar := &Bar{To: &out, Terminal: true}
	bar.Show(batch(0, 0, 4))
	bar.Show(batch(2, 0, 2))
	bar.Show(batch(2, 0, 2))
	bar.Show(batch(4, 0, 0))
	bar.End()
	lines := strings.Split(out.String(), "\r")
	want := []string{
		"",
		"[" + strings.Repeat(".", 30) + "] 0 of 4 ended, running 4\x1b[K",
		"[" + strings.Repeat("#", 15) + strings.Repeat(".", 15) + "] 2 of 4 ended, running 2, done 2\x1b[K",
		"[" + strings.Repeat("#", 30) + "] 4 of 4 ended, done 4\x1b[K\n",
	}
	if !slices.Equal(lines, want) {
		t.Errorf("got %q\nwant %q", lines, want)
	}
}

func TestByClock(t *testing.T) {
	if err := ByClock(t.Context(), 0); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := ByClock(ctx, time.Hour); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
