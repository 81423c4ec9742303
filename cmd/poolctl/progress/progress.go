// Package progress waits for works to end and shows how far they are. It owns the
// bar, the lines that stand for it where there is no terminal, and the rhythm of
// asking; it must not know how the pool is asked.
package progress

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"workerpool/shared/pool"
	"workerpool/shared/wire"
)

const cells = 30 // of the bar

// Bar shows a batch: one line drawn over and over on a terminal, else a line for
// each change.
type Bar struct {
	To       io.Writer
	Terminal bool

	last string
}

// Show shows a batch as it is now.
func (b *Bar) Show(now wire.Batch) {
	text := Line(now)
	if text == b.last {
		return
	}
	b.last = text
	if b.Terminal {
		ended := Ended(now) * cells / max(1, now.Works)
		text = fmt.Sprintf("\r[%s%s] %s\x1b[K", strings.Repeat("#", ended), strings.Repeat(".", cells-ended), text)
	} else {
		text += "\n"
	}
	// Nobody can be told that what tells them does not work.
	_, _ = io.WriteString(b.To, text)
}

// End leaves the line that Show drew over.
func (b *Bar) End() {
	if b.Terminal && b.last != "" {
		_, _ = io.WriteString(b.To, "\n") // as in Show
	}
	b.last = ""
}

// Line says in one line how far a batch is.
func Line(b wire.Batch) string {
	parts := []string{fmt.Sprintf("%d of %d ended", Ended(b), b.Works)}
	for _, state := range pool.WorkStates {
		if n := b.States[string(state)]; n > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", state, n))
		}
	}
	if b.MissingInputs > 0 {
		parts = append(parts, fmt.Sprintf("%d inputs missing", b.MissingInputs))
	}
	return strings.Join(parts, ", ")
}

// Ended counts the works of a batch that will never change again.
func Ended(b wire.Batch) int {
	n := 0
	for state, count := range b.States {
		if pool.WorkState(state).Ended() {
			n += count
		}
	}
	return n
}

// Watch is how a batch is waited for.
type Watch struct {
	Fetch func(context.Context) (wire.Batch, error) // asks how it is
	Wait  func(context.Context, time.Duration) error
	Every time.Duration
	Bar   *Bar
}

// Run asks until every work has ended, and gives the batch as it was then. It
// ends early with the first error.
func (w Watch) Run(ctx context.Context) (wire.Batch, error) {
	defer w.Bar.End()
	for {
		now, err := w.Fetch(ctx)
		if err != nil {
			return now, err
		}
		w.Bar.Show(now)
		if Ended(now) >= now.Works {
			return now, nil
		}
		if err := w.Wait(ctx, w.Every); err != nil {
			return now, fmt.Errorf("waiting for the batch %d: %w", now.ID, err)
		}
	}
}

// ByClock waits by the wall clock.
func ByClock(ctx context.Context, pause time.Duration) error {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
