// Package meter measures calls and processes of a pool under load. It owns what is
// counted and how; it must not know what calls are for.
package meter

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"workerpool/shared/client"
)

// Meter measures. Latencies are counted from when a call was due, not from when it
// could be sent: what waits for a busy pool, or for this program, is not omitted.
// It is safe for concurrent use.
type Meter struct {
	began time.Time
	now   func() time.Time

	mu     sync.Mutex
	phase  string
	order  []string // of phases
	series map[seriesKey]*series
	calls  map[string][]int // sent in each second from the beginning, by kind of call
	starts map[string]time.Duration
	faults []string
	more   int // faults beyond mostFaults
}

type seriesKey struct{ phase, action string }

// series is the measure of one action in one phase.
type series struct {
	latency *hdrhistogram.Histogram // microseconds, of all calls, also failed ones
	errors  map[string]int
}

const mostFaults = 50 // that are told

// New makes a Meter whose time begins now.
func New(now func() time.Time) *Meter {
	return &Meter{began: now(), now: now, series: map[seriesKey]*series{}, calls: map[string][]int{}, starts: map[string]time.Duration{}}
}

// Phase begins a phase.
func (m *Meter) Phase(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.phase = name
	m.order = append(m.order, name)
	m.starts[name] = m.now().Sub(m.began)
}

// Took notes a call that was due at a time and has come to its end.
func (m *Meter) Took(action string, due time.Time, err error) {
	took := m.now().Sub(due)
	m.mu.Lock()
	defer m.mu.Unlock()
	key := seriesKey{m.phase, action}
	s := m.series[key]
	if s == nil {
		s = &series{latency: hdrhistogram.New(1, time.Hour.Microseconds(), 3), errors: map[string]int{}}
		m.series[key] = s
	}
	_ = s.latency.RecordValue(min(max(took.Microseconds(), 1), time.Hour.Microseconds())) // within its bounds
	if err != nil {
		s.errors[kindOf(err)]++
	}
}

// kindOf gives an error in one word, to count it by.
func kindOf(err error) string {
	var e *client.Error
	switch {
	case errors.As(err, &e) && e.Problem.Status != 0:
		return strconv.Itoa(e.Problem.Status)
	case errors.As(err, &e):
		return "no answer"
	case errors.Is(err, context.DeadlineExceeded):
		return "given up"
	}
	return "other"
}

// Fault notes what must never be: a broken promise of the pool.
func (m *Meter) Fault(format string, args ...any) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.faults) == mostFaults {
		m.more++
		return
	}
	m.faults = append(m.faults, fmt.Sprintf(format, args...))
}

// Transport counts the calls that are sent, by kind.
func (m *Meter) Transport(through http.RoundTripper) http.RoundTripper {
	return roundTrip(func(r *http.Request) (*http.Response, error) {
		m.sent(kindOfCall(r))
		return through.RoundTrip(r)
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func kindOfCall(r *http.Request) string {
	switch path := r.URL.Path; {
	case strings.HasSuffix(path, "/heartbeat"):
		return "heartbeat"
	case path == "/session":
		return "session"
	case path == "/workers" && r.Method == http.MethodPost:
		return "register"
	case path == "/works" && r.Method == http.MethodPost:
		return "submit"
	case r.Method == http.MethodGet:
		return "read"
	}
	return "other"
}

func (m *Meter) sent(kind string) {
	second := int(m.now().Sub(m.began) / time.Second)
	m.mu.Lock()
	defer m.mu.Unlock()
	counts := m.calls[kind]
	for len(counts) <= second {
		counts = append(counts, 0)
	}
	counts[second]++
	m.calls[kind] = counts
}

// Row is what became of one action in one phase.
type Row struct {
	Phase  string         `json:"phase"`
	Action string         `json:"action"`
	Count  int64          `json:"count"`
	Errors map[string]int `json:"errors,omitempty"` // by status, "no answer", "given up" or "other"
	P50    float64        `json:"p50_ms"`
	P90    float64        `json:"p90_ms"`
	P99    float64        `json:"p99_ms"`
	P999   float64        `json:"p99_9_ms"`
	Max    float64        `json:"max_ms"`
	Curve  [][2]float64   `json:"-"` // percent, milliseconds
}

// Rows gives all, in order of phase and name.
func (m *Meter) Rows() []Row {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []Row
	for key, s := range m.series {
		at := func(percent float64) float64 { return float64(s.latency.ValueAtQuantile(percent)) / 1e3 }
		one := Row{
			Phase: key.phase, Action: key.action, Count: s.latency.TotalCount(), Errors: s.errors,
			P50: at(50), P90: at(90), P99: at(99), P999: at(99.9), Max: float64(s.latency.Max()) / 1e3,
		}
		for _, percent := range []float64{10, 25, 50, 75, 90, 95, 97.5, 99, 99.5, 99.75, 99.9, 99.95, 99.99} {
			if float64(one.Count)*(100-percent)/100 >= 1 { // else it is the maximum by another name
				one.Curve = append(one.Curve, [2]float64{percent, at(percent)})
			}
		}
		out = append(out, one)
	}
	slices.SortFunc(out, func(a, b Row) int {
		if a.Phase != b.Phase {
			return slices.Index(m.order, a.Phase) - slices.Index(m.order, b.Phase)
		}
		return strings.Compare(a.Action, b.Action)
	})
	return out
}

// Peak gives the most calls of a kind in one second, and their mean, between two
// times from the beginning. Seconds that are not whole are left out.
func (m *Meter) Peak(kind string, from, to time.Duration) (peak int, mean float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	first, last := int((from+time.Second-1)/time.Second), int(to/time.Second)
	sum := 0
	for second := first; second < last; second++ {
		n := 0
		if second < len(m.calls[kind]) {
			n = m.calls[kind][second]
		}
		peak, sum = max(peak, n), sum+n
	}
	if last > first {
		mean = float64(sum) / float64(last-first)
	}
	return peak, mean
}

// Faults gives the broken promises.
func (m *Meter) Faults() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := append([]string{}, m.faults...)
	if m.more > 0 {
		out = append(out, fmt.Sprintf("and %d more", m.more))
	}
	return out
}

// Calls gives how many calls of each kind were sent in each second.
func (m *Meter) Calls() map[string][]int {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := map[string][]int{}
	for kind, counts := range m.calls {
		out[kind] = slices.Clone(counts)
	}
	return out
}

// Since gives the time from the beginning.
func (m *Meter) Since() time.Duration { return m.now().Sub(m.began) }
