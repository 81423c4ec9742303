package wire_test

import (
	"encoding/json"
	"errors"
	"testing"

	"workerpool/shared/pool"
	"workerpool/shared/wire"
)

// refusal: whatever the body, what goes wrong is the caller's and has a field.
func refusal(t *testing.T, err error) {
	t.Helper()
	var e *pool.Error
	if !errors.As(err, &e) || e.Kind != pool.Invalid || e.Field == "" {
		t.Fatalf("not a refusal with a field: %v", err)
	}
}

func FuzzSubmission(f *testing.F) {
	for _, body := range []string{
		`{}`, `{"template":{"app":{"type":"process","name":"sum"}},"items":[{}]}`,
		`{"template":{"app":{"type":"docker","name":"alpine:3"},"args":["a"],"env":{"A":"b"},"inputs":[{"name":"f","sha256":"` + sha(1) + `","size":3}],
			"demands":{"cpu":1,"tags":["b","a","b"],"not_tags":["z"],"tee":"sgx","os":"linux","min_version":"1.2.3"},
			"category":"M","trust":3,"priority":"high","deadline_s":60},"items":[{"args":["x"],"env":{"A":"c"}},{"inputs":[{"name":"g","sha256":"` + sha(2) + `","size":0}]}]}`,
		`{"template":{"app":{"type":"process","name":"sum"},"trust":-1,"deadline_s":9223372036854775807},"items":[{"args":["\u0000"]}]}`,
		`{"template":{"env":{"":"\ud800"}},"items":[null]}`, `{"items":null}`, `null`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var s wire.Submission
		if json.Unmarshal(body, &s) != nil {
			return
		}
		n, err := s.Parse(maxFile)
		if err != nil {
			refusal(t, err)
			return
		}
		if len(n.Items) != len(s.Items) || n.Deadline <= 0 || n.Trust < 0 || n.Demands.RunLimit <= 0 {
			t.Fatalf("accepted: %+v", n)
		}
		for _, item := range n.Items {
			if _, err := wire.Spec(n.Template, item); err != nil {
				t.Fatalf("accepted and stored, but cannot be given to a worker: %v", err)
			}
		}
		text, err := wire.EncodeDemands(n.Demands)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := wire.DecodeDemands(text); err != nil {
			t.Fatal(err)
		}
	})
}

func FuzzHeartbeat(f *testing.F) {
	for _, body := range []string{
		`{}`, `{"slots":3,"capabilities":{"cpu":2,"tags":["b","a"],"programs":["sum"],"max_run_s":60,"version":"1.2.3"}}`,
		`{"reports":[{"work":1,"attempt":1,"state":"running"},{"work":2,"attempt":1,"state":"reported","sha256":"` + sha(1) + `","size":3},{"work":3,"attempt":2,"state":"failed","reason":"r"}]}`,
		`{"slots":-1}`, `{"reports":[{}]}`, `{"reports":[{"work":9007199254740993,"attempt":1,"state":"uploaded","sha256":"00"}]}`, `null`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var h wire.Heartbeat
		if json.Unmarshal(body, &h) != nil {
			return
		}
		reports, abilities, err := h.Parse(maxFile)
		if err != nil {
			refusal(t, err)
			return
		}
		works := map[pool.WorkID]bool{}
		for _, r := range reports {
			if r.Work <= 0 || r.Attempt < 1 || works[r.Work] || r.Size < 0 || r.Size > maxFile {
				t.Fatalf("accepted: %+v", r)
			}
			works[r.Work] = true
		}
		if abilities == nil {
			return
		}
		text, err := wire.EncodeCapabilities(*abilities)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := wire.DecodeCapabilities(text); err != nil {
			t.Fatalf("accepted and stored, but cannot be read: %v", err)
		}
	})
}
