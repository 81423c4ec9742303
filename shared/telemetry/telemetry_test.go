package telemetry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"workerpool/shared/telemetry"
)

func TestLoggerWritesWhatLambdaReads(t *testing.T) {
	var out bytes.Buffer
	log, err := telemetry.NewLogger(&out, "WARN", "submit")
	if err != nil {
		t.Fatal(err)
	}
	ctx := telemetry.WithRequestID(context.Background(), "req-1")
	log.InfoContext(ctx, "below the level")
	log.With("worker", 7).WarnContext(ctx, "seen", telemetry.KeyCount, 3)

	var got map[string]any
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatalf("the log is not one JSON line: %v\n%s", err, out.String())
	}
	if _, err := time.Parse(time.RFC3339Nano, got["timestamp"].(string)); err != nil {
		t.Errorf("timestamp: %v", err)
	}
	delete(got, "timestamp")
	want := map[string]any{
		"level": "WARN", "message": "seen", "function": "submit", "request_id": "req-1", "worker": 7.0, "count": 3.0,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestSetupMakesTheDefault(t *testing.T) {
	before := slog.Default()
	defer slog.SetDefault(before)
	var out bytes.Buffer
	if err := telemetry.Setup(&out, "INFO", "query"); err != nil {
		t.Fatal(err)
	}
	slog.Info("hello")
	if got := decode(t, out.Bytes()); got["function"] != "query" || got["message"] != "hello" {
		t.Errorf("got %v", got)
	}
	if err := telemetry.Setup(&out, "", "query"); err == nil {
		t.Error("no level was taken for one")
	}
}

func TestLoggerRefusesUnknownLevel(t *testing.T) {
	if _, err := telemetry.NewLogger(&bytes.Buffer{}, "LOUD", "submit"); err == nil {
		t.Error("LOUD was taken for a level")
	}
}

func TestMeterWritesOneEmbeddedMetricLine(t *testing.T) {
	var out bytes.Buffer
	meter := telemetry.NewMeter(telemetry.MeterConfig{
		Out: &out, Pool: "demo", Function: "dispatch", Now: func() time.Time { return time.UnixMilli(1_700_000_000_123) },
	})
	if err := meter.Record(); err != nil || out.Len() != 0 {
		t.Fatalf("nothing measured wrote %q, %v", out.String(), err)
	}
	err := meter.Record(
		telemetry.N(telemetry.OffersMade, 4), telemetry.Took(telemetry.DispatchTime, 1500*time.Microsecond),
		telemetry.N(telemetry.OffersMade, 1),
	)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"Function":"dispatch","OffersMade":5,"DispatchTime":1.5,"Pool":"demo","_aws":{"CloudWatchMetrics":[` +
		`{"Namespace":"WorkerPool","Dimensions":[["Pool","Function"]],"Metrics":[` +
		`{"Name":"OffersMade","Unit":"Count"},{"Name":"DispatchTime","Unit":"Milliseconds"}]}],"Timestamp":1700000000123}}`
	if diff := cmp.Diff(decode(t, []byte(want)), decode(t, out.Bytes())); diff != "" {
		t.Error(diff)
	}
	if n := bytes.Count(out.Bytes(), []byte("\n")); n != 1 {
		t.Errorf("%d lines, want 1", n)
	}
}

type brokenPipe struct{}

var errPipe = errors.New("broken pipe")

func (brokenPipe) Write([]byte) (int, error) { return 0, errPipe }

func TestMeterTellsWhenItCannotWrite(t *testing.T) {
	meter := telemetry.NewMeter(telemetry.MeterConfig{Out: brokenPipe{}, Now: time.Now})
	if err := meter.Record(telemetry.N(telemetry.Logins, 1)); !errors.Is(err, errPipe) {
		t.Errorf("got %v", err)
	}
	notANumber := telemetry.Value{Metric: telemetry.Logins, Number: math.NaN()}
	if err := meter.Record(notANumber); err == nil {
		t.Error("NaN was written")
	}
}

func TestMetricNamesAreUnique(t *testing.T) {
	seen := map[string]bool{"Pool": true, "Function": true, "_aws": true}
	for _, m := range telemetry.Metrics {
		if seen[m.Name] {
			t.Errorf("%s is taken", m.Name)
		}
		seen[m.Name] = true
	}
}

func decode(t *testing.T, text []byte) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return v
}
