package meter

import (
	"io"
	"math"
	"os"
	"testing"
	"time"

	"workerpool/shared/client"
	"workerpool/shared/wire"
)

// TestMeter: percentiles of known values, counted from when calls were due, and
// seconds that are not whole left out of a peak.
func TestMeter(t *testing.T) {
	began := time.Unix(1000, 0)
	now := began
	m := New(func() time.Time { return now })
	m.Phase("p")
	for i := 1; i <= 1000; i++ {
		m.Took("act", now.Add(-time.Duration(i)*time.Millisecond), nil)
	}
	m.Took("act", now, &client.Error{Problem: wire.Problem{Status: 503}})
	m.Took("act", now, &client.Error{Cause: io.EOF})
	one := m.Rows()[0]
	if one.Count != 1002 || math.Abs(one.P50-500) > 5 || math.Abs(one.P99-990) > 5 || math.Abs(one.Max-1000) > 2 || one.Errors["503"] != 1 || one.Errors["no answer"] != 1 {
		t.Errorf("%+v", one)
	}
	for second, n := range []int{9, 1, 5, 0, 9} {
		now = began.Add(time.Duration(second) * time.Second)
		for range n {
			m.sent("heartbeat")
		}
	}
	if peak, mean := m.Peak("heartbeat", 500*time.Millisecond, 4500*time.Millisecond); peak != 5 || mean != 2 {
		t.Errorf("peak %d, mean %v", peak, mean)
	}
}

func TestParseStat(t *testing.T) {
	got := parseStat([]byte("12 (a (b) c) S 7 12 12 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 5 0 100 1000000 512 18446744073709551615"))
	if want := (processLine{parent: 7, cpu: 3, rss: 512 * float64(os.Getpagesize()) / (1 << 20)}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if own, ok := sample(os.Getpid()); !ok || own.RSS["host"] <= 0 {
		t.Errorf("%+v", own)
	}
}

// TestGrowth: the last quarter against the one before.
func TestGrowth(t *testing.T) {
	steps := []Sample{}
	for i := range 100 {
		steps = append(steps, Sample{At: float64(i), RSS: map[string]float64{"host": 100, "database": float64(max(0, i-74) / 25 * 10)}})
	}
	if got := Growth(steps, 0, 100*time.Second); math.Abs(got-0.4) > 1e-9 { // 10 MB in the last of 25 samples
		t.Errorf("growth %v", got)
	}
}
