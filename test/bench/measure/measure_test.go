package measure

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestStatOfAnyProgramName(t *testing.T) {
	line := "4711 (a) b) R 12 4711 4711 0 -1 4194304 1 2 3 4 250 50 7 3 20 0 9 0 100 1 1"
	got, err := parseStat(line)
	want := Process{PID: 4711, Parent: 12, CPU: 3 * time.Second, Ended: 100 * time.Millisecond}
	if err != nil || got != want {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
	for _, bad := range []string{"", "4711 (a) R 12", strings.Replace(line, "250", "x", 1)} {
		if got, err := parseStat(bad); err == nil {
			t.Errorf("%q gave %+v", bad, got)
		}
	}
}

func TestTheFirstErrorEndsAllCallers(t *testing.T) {
	broken := errors.New("broken")
	var calls atomic.Int64
	_, err := Parallel(t.Context(), 4, time.Hour, func(context.Context, int, int) error {
		if calls.Add(1) == 10 {
			return broken
		}
		return nil
	})
	if !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	if err := Together(t.Context(), 3, func(_ context.Context, caller int) error {
		if caller == 2 {
			return broken
		}
		return nil
	}); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}
