package telemetry

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"
)

// Namespace is where CloudWatch keeps the metrics.
const Namespace = "WorkerPool"

// Meter writes metrics as JSON lines that CloudWatch reads from the log. It may
// be used by several goroutines at once.
type Meter struct {
	pool, function string
	now            func() time.Time
	mu             sync.Mutex
	w              io.Writer
}

// MeterConfig is what a Meter needs.
type MeterConfig struct {
	Out      io.Writer        // where the log goes; a Lambda's standard output
	Pool     string           // dimension Pool
	Function string           // dimension Function
	Now      func() time.Time // wall clock
}

// NewMeter makes a Meter.
func NewMeter(c MeterConfig) *Meter {
	return &Meter{pool: c.Pool, function: c.Function, now: c.Now, w: c.Out}
}

// Value is one measured number.
type Value struct {
	Metric Metric
	Number float64
}

// N is a count of things.
func N(m Metric, count int) Value { return Value{Metric: m, Number: float64(count)} }

// Took is a duration.
func Took(m Metric, d time.Duration) Value {
	return Value{Metric: m, Number: float64(d.Microseconds()) / 1000}
}

// DependencyFailed counts one failure of something the function depends on.
func (m *Meter) DependencyFailed() {
	if err := m.Record(N(DependencyFailures, 1)); err != nil {
		slog.Warn("a failure was not counted", KeyError, err.Error())
	}
}

type emfMetric struct {
	Name string `json:"Name"`
	Unit Unit   `json:"Unit"`
}

type emfDirective struct {
	Namespace  string      `json:"Namespace"`
	Dimensions [][]string  `json:"Dimensions"`
	Metrics    []emfMetric `json:"Metrics"`
}

// Record writes the values as one line. Without values it writes nothing: a
// line costs money. A metric given twice in one call is added up.
func (m *Meter) Record(values ...Value) error {
	if len(values) == 0 {
		return nil
	}
	line := map[string]any{"Pool": m.pool, "Function": m.function}
	metrics := make([]emfMetric, 0, len(values))
	for _, v := range values {
		if sum, again := line[v.Metric.Name].(float64); again {
			line[v.Metric.Name] = sum + v.Number
			continue
		}
		line[v.Metric.Name] = v.Number
		metrics = append(metrics, emfMetric(v.Metric))
	}
	line["_aws"] = map[string]any{
		"Timestamp": m.now().UnixMilli(),
		"CloudWatchMetrics": []emfDirective{{
			Namespace: Namespace, Dimensions: [][]string{{"Pool", "Function"}}, Metrics: metrics,
		}},
	}
	text, err := json.Marshal(line)
	if err != nil {
		return fmt.Errorf("writing metrics: %w", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, err := m.w.Write(append(text, '\n')); err != nil {
		return fmt.Errorf("writing metrics: %w", err)
	}
	return nil
}
