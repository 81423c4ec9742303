package entry

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/google/go-cmp/cmp"

	"workerpool/shared/pool"
	"workerpool/shared/telemetry"
)

func recorded(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// invoke hands an event to a function the way Lambda does, as bytes, and gives
// the answer's bytes and the log.
func invoke(t *testing.T, function any, event []byte) (answer []byte, log string, err error) {
	t.Helper()
	var records bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&records, nil)))
	defer slog.SetDefault(before)
	ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{AwsRequestID: "lambda-1"})
	answer, err = lambda.NewHandler(function).Invoke(ctx, event)
	return answer, records.String(), err
}

func TestDeadlineKeepsAMargin(t *testing.T) {
	now := time.Now()
	ctx, cancel := context.WithDeadline(t.Context(), now.Add(time.Minute))
	defer cancel()
	ctx, end := begin(ctx, "r-1")
	defer end()
	if got, ok := ctx.Deadline(); !ok || !got.Equal(now.Add(time.Minute-500*time.Millisecond)) {
		t.Errorf("deadline %v, %v", got, ok)
	}
	free, end := begin(t.Context(), "r-2")
	defer end()
	if _, ok := free.Deadline(); ok || telemetry.RequestID(free) != "r-2" {
		t.Errorf("a deadline out of nothing, or id %q", telemetry.RequestID(free))
	}
}

func TestDirect(t *testing.T) {
	type input struct {
		Action string `json:"action"`
	}
	type output struct {
		Version int `json:"version"`
	}
	function := directly(func(ctx context.Context, in input) (output, error) {
		switch in.Action {
		case "up":
			if telemetry.RequestID(ctx) != "lambda-1" {
				t.Errorf("request id %q", telemetry.RequestID(ctx))
			}
			return output{Version: 7}, nil
		case "panic":
			panic("hunter2")
		case "refuse":
			return output{}, &pool.Error{Kind: pool.Invalid, Message: "no such action", Cause: errors.New("hunter2")}
		}
		return output{}, errors.New("password hunter2")
	})
	tests := []struct{ event, answer, fails, logged string }{
		{`{"action":"up"}`, `{"version":7}`, "", ""},
		{`{"action":"refuse"}`, "", "no such action", "hunter2"},
		{`{"action":"fail"}`, "", "something went wrong; the log of request lambda-1 says what", "hunter2"},
		{`{"action":"panic"}`, "", "something went wrong; the log of request lambda-1 says what", "entry_test.go"},
		{`{"actoin":"up"}`, "", `the input is not understood: json: unknown field "actoin"`, "actoin"},
		{`[]`, "", "the input is not understood: json: cannot unmarshal array into Go value of type entry.input", "array"},
	}
	for _, test := range tests {
		answer, log, err := invoke(t, function, []byte(test.event))
		if strings.TrimSpace(string(answer)) != test.answer || (err == nil) != (test.fails == "") || !strings.Contains(log, test.logged) {
			t.Errorf("%s: %s, %v, logged %s", test.event, answer, err, log)
		}
		if err != nil && err.Error() != test.fails {
			t.Errorf("%s: got error %q, want %q", test.event, err, test.fails)
		}
	}
}

// ticks counts, and fails at the third.
type ticks struct{ real, dry int }

func (t *ticks) Tick(context.Context) error {
	if t.real++; t.real == 3 {
		return errors.New("no database")
	}
	return nil
}

func (t *ticks) DryRun(context.Context) ([]string, error) {
	t.dry++
	return []string{"ring"}, nil
}

func TestSchedule(t *testing.T) {
	seen := &ticks{}
	function := scheduled(seen)
	for i, event := range []string{`{}`, `{"version":"0","detail-type":"Scheduled Event","detail":{},"dry_run":"yes"}`, `null`} {
		_, _, err := invoke(t, function, []byte(event))
		if (err != nil) != (i == 2) || seen.real != i+1 || seen.dry != 0 {
			t.Errorf("event %s: %v, %+v", event, err, seen)
		}
	}
	answer, _, err := invoke(t, function, []byte(`{"dry_run":true}`))
	if err != nil || seen.real != 3 || seen.dry != 1 || string(answer) != `{"would":["ring"]}` {
		t.Errorf("%s, %v, %+v", answer, err, seen)
	}
}

func TestQueue(t *testing.T) {
	var got []Message
	function := receive(func(ctx context.Context, messages []Message) []Failed {
		if telemetry.RequestID(ctx) != "lambda-1" {
			t.Errorf("request id %q", telemetry.RequestID(ctx))
		}
		got = messages
		return []Failed{{ID: messages[1].ID, Err: errors.New("it is not a ring")}}
	})
	answer, log, err := invoke(t, function, recorded(t, "rings.json"))
	if err != nil {
		t.Fatal(err)
	}
	want := []Message{
		{ID: "059f36b4-87a3-44ab-83d2-661975830a7d", Body: `{"ring":1}`, Receives: 1},
		{ID: "2e1424d4-f796-459a-8184-9c92662be6da", Body: "not a ring", Receives: 4},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	const failed = `{"batchItemFailures":[{"itemIdentifier":"2e1424d4-f796-459a-8184-9c92662be6da"}]}`
	if strings.TrimSpace(string(answer)) != failed {
		t.Errorf("answer %s", answer)
	}
	if !strings.Contains(log, "it is not a ring") || !strings.Contains(log, "attempt=4") {
		t.Errorf("logged %s", log)
	}

	answer, _, err = invoke(t, receive(func(context.Context, []Message) []Failed { return nil }), recorded(t, "rings.json"))
	if err != nil || strings.TrimSpace(string(answer)) != `{"batchItemFailures":[]}` {
		t.Errorf("all well: %s, %v", answer, err)
	}
	answer, log, err = invoke(t, receive(func(context.Context, []Message) []Failed { panic("boom") }), recorded(t, "rings.json"))
	if err != nil || strings.Count(string(answer), "itemIdentifier") != 2 || !strings.Contains(log, "boom") {
		t.Errorf("panic: %s, %v, logged %s", answer, err, log)
	}
}

func TestRings(t *testing.T) {
	looks := 0
	var fails error
	take := together(func(body string) error {
		if body != "ring" {
			return errors.New("not a ring")
		}
		return nil
	}, func(context.Context) error {
		looks++
		return fails
	})
	ids := func(failed []Failed) (out []string) {
		for _, f := range failed {
			out = append(out, f.ID)
		}
		return out
	}
	ring, noise := Message{ID: "a", Body: "ring"}, Message{ID: "b", Body: "noise"}
	if got := ids(take(t.Context(), []Message{ring, noise, ring})); !slices.Equal(got, []string{"b"}) || looks != 1 {
		t.Errorf("%q again after %d looks", got, looks)
	}
	if got := ids(take(t.Context(), []Message{noise})); !slices.Equal(got, []string{"b"}) || looks != 1 {
		t.Errorf("noise alone: %q again after %d looks", got, looks)
	}
	fails = errors.New("away")
	if got := ids(take(t.Context(), []Message{ring, noise})); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("a failed look: %q again", got)
	}
}

func decode[T any](t *testing.T, text []byte) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return v
}
