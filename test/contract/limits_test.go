package contract

import (
	"encoding/json"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"workerpool/shared/pool"
	"workerpool/shared/wire"
)

// Documents at and beyond their limits: the schema and wire's Parse judge alike.
func TestLimitsAreThoseOfWire(t *testing.T) {
	doc := document(t)
	const maxFile = 1 << 40
	digest := strings.Repeat("a", 64)
	app := wire.App{Type: "process", Name: "p"}
	long := func(n int) string { return strings.Repeat("x", n) }
	submission := func(change func(*wire.Submission)) wire.Submission {
		s := wire.Submission{Template: wire.Template{App: app}, Items: []wire.Item{{}}}
		change(&s)
		return s
	}
	template := func(change func(*wire.Template)) any {
		return submission(func(s *wire.Submission) { change(&s.Template) })
	}
	demands := func(d wire.Demands) any { return template(func(t *wire.Template) { t.Demands = d }) }
	report := func(change func(*wire.Report)) any {
		r := wire.Report{Work: 1, Attempt: 1, State: "running"}
		change(&r)
		return wire.Heartbeat{Reports: []wire.Report{r}}
	}
	registration := func(change func(*wire.Registration)) any {
		r := wire.Registration{Name: "w", Key: digest, Slots: 1}
		change(&r)
		return r
	}
	var env = func(n int) map[string]string {
		out := map[string]string{}
		for i := range n {
			out["A"+strings.Repeat("B", i)] = ""
		}
		return out
	}
	tests := []struct {
		name string
		body any
		good bool
	}{
		{"no items", submission(func(s *wire.Submission) { s.Items = []wire.Item{} }), false},
		{"10000 items", submission(func(s *wire.Submission) { s.Items = make([]wire.Item, 10_000) }), true},
		{"10001 items", submission(func(s *wire.Submission) { s.Items = make([]wire.Item, 10_001) }), false},
		{"app type", template(func(t *wire.Template) { t.App.Type = "shell" }), false},
		{"app name", template(func(t *wire.Template) { t.App.Name = "../p" }), false},
		{"image", template(func(t *wire.Template) { t.App = wire.App{Type: "docker", Name: "docker.io/a/b:1"} }), true},
		{"256 args", template(func(t *wire.Template) { t.Args = make([]string, 256) }), true},
		{"257 args", template(func(t *wire.Template) { t.Args = make([]string, 257) }), false},
		{"8192 in an arg", template(func(t *wire.Template) { t.Args = []string{long(8192)} }), true},
		{"8193 in an arg", template(func(t *wire.Template) { t.Args = []string{long(8193)} }), false},
		{"64 env", template(func(t *wire.Template) { t.Env = env(64) }), true},
		{"65 env", template(func(t *wire.Template) { t.Env = env(65) }), false},
		{"trust most", template(func(t *wire.Template) { t.Trust = pool.MaxTrust }), true},
		{"trust more", template(func(t *wire.Template) { t.Trust = pool.MaxTrust + 1 }), false},
		{"trust less", template(func(t *wire.Template) { t.Trust = -1 }), false},
		{"category", template(func(t *wire.Template) { t.Category = "XXL" }), false},
		{"priority", template(func(t *wire.Template) { t.Priority = "urgent" }), false},
		{"deadline most", template(func(t *wire.Template) { t.DeadlineS = int64(pool.MaxDeadline / time.Second) }), true},
		{"deadline more", template(func(t *wire.Template) { t.DeadlineS = int64(pool.MaxDeadline/time.Second) + 1 }), false},
		{"max running most", template(func(t *wire.Template) { t.MaxRunning = pool.MaxBatch }), true},
		{"max running more", template(func(t *wire.Template) { t.MaxRunning = pool.MaxBatch + 1 }), false},
		{"max running less", template(func(t *wire.Template) { t.MaxRunning = -1 }), false},
		{"input", template(func(t *wire.Template) { t.Inputs = []wire.Input{{Name: "a", SHA256: digest, Size: 0}} }), true},
		{"input name", template(func(t *wire.Template) { t.Inputs = []wire.Input{{Name: "a/b", SHA256: digest}} }), false},
		{"input digest", template(func(t *wire.Template) { t.Inputs = []wire.Input{{Name: "a", SHA256: strings.ToUpper(digest)}} }), false},
		{"input size", template(func(t *wire.Template) { t.Inputs = []wire.Input{{Name: "a", SHA256: digest, Size: -1}} }), false},
		{"cpu most", demands(wire.Demands{CPU: 4096}), true},
		{"cpu more", demands(wire.Demands{CPU: 4097}), false},
		{"memory most", demands(wire.Demands{MemoryMB: 1 << 30}), true},
		{"memory more", demands(wire.Demands{MemoryMB: 1<<30 + 1}), false},
		{"disk most", demands(wire.Demands{DiskMB: 1 << 40}), true},
		{"disk more", demands(wire.Demands{DiskMB: 1<<40 + 1}), false},
		{"gpu more", demands(wire.Demands{GPU: 1025}), false},
		{"tag", demands(wire.Demands{Tags: []string{"EU"}}), false},
		{"32 tags", demands(wire.Demands{Tags: slices.Repeat([]string{"eu"}, 32)}), true},
		{"33 tags", demands(wire.Demands{Tags: slices.Repeat([]string{"eu"}, 33)}), false},
		{"version", demands(wire.Demands{MinVersion: "1.2"}), false},
		{"slots most", registration(func(r *wire.Registration) { r.Slots = pool.MaxSlots }), true},
		{"slots more", registration(func(r *wire.Registration) { r.Slots = pool.MaxSlots + 1 }), false},
		{"slots none", registration(func(r *wire.Registration) { r.Slots = 0 }), false},
		{"worker name 64", registration(func(r *wire.Registration) { r.Name = long(64) }), true},
		{"worker name 65", registration(func(r *wire.Registration) { r.Name = long(65) }), false},
		{"worker key", registration(func(r *wire.Registration) { r.Key = digest[1:] }), false},
		{"256 programs", registration(func(r *wire.Registration) { r.Capabilities.Programs = slices.Repeat([]string{"p"}, 256) }), true},
		{"257 programs", registration(func(r *wire.Registration) { r.Capabilities.Programs = slices.Repeat([]string{"p"}, 257) }), false},
		{"64 apps", registration(func(r *wire.Registration) { r.Capabilities.Apps.Allow = slices.Repeat([]string{"p"}, 64) }), true},
		{"65 apps", registration(func(r *wire.Registration) { r.Capabilities.Apps.Deny = slices.Repeat([]string{"p"}, 65) }), false},
		{"rule of 255", registration(func(r *wire.Registration) { r.Capabilities.Apps.Deny = []string{long(254) + "*"} }), true},
		{"rule of 256", registration(func(r *wire.Registration) { r.Capabilities.Requesters.Allow = []string{long(256)} }), false},
		{"rule for all", registration(func(r *wire.Registration) { r.Capabilities.Requesters.Deny = []string{"*"} }), true},
		{"rule with * inside", registration(func(r *wire.Registration) { r.Capabilities.Requesters.Deny = []string{"a*b"} }), false},
		{"rule with **", registration(func(r *wire.Registration) { r.Capabilities.Requesters.Deny = []string{"a**"} }), false},
		{"rule of nothing", registration(func(r *wire.Registration) { r.Capabilities.Apps.Allow = []string{""} }), false},
		{"rule with space", registration(func(r *wire.Registration) { r.Capabilities.Apps.Allow = []string{"a b"} }), false},
		{"weight most", wire.Share{Weight: pool.MaxWeight}, true},
		{"weight more", wire.Share{Weight: pool.MaxWeight + 1}, false},
		{"weight none", wire.Share{}, false},
		{"share of most", wire.Share{Weight: 1, MaxRunning: math.MaxInt32}, true},
		{"share of more", wire.Share{Weight: 1, MaxRunning: math.MaxInt32 + 1}, false},
		{"share of less", wire.Share{Weight: 1, MaxRunning: -1}, false},
		{"max run most", registration(func(r *wire.Registration) { r.Capabilities.MaxRunS = 1 << 31 }), true},
		{"max run more", registration(func(r *wire.Registration) { r.Capabilities.MaxRunS = 1<<31 + 1 }), false},
		{"report", report(func(r *wire.Report) {}), true},
		{"report of nothing", report(func(r *wire.Report) { r.Work = 0 }), false},
		{"report of attempt 0", report(func(r *wire.Report) { r.Attempt = 0 }), false},
		{"report state", report(func(r *wire.Report) { r.State = "closed" }), false},
		{"reason 500", report(func(r *wire.Report) { r.Reason = long(500) }), true},
		{"reason 501", report(func(r *wire.Report) { r.Reason = long(501) }), false},
		{"reported", report(func(r *wire.Report) { r.State, r.SHA256, r.Size = "reported", strings.ToUpper(digest), 1 }), true},
		{"reported digest", report(func(r *wire.Report) { r.State, r.SHA256 = "reported", "abc" }), false},
		{"reported size", report(func(r *wire.Report) { r.State, r.SHA256, r.Size = "reported", digest, -1 }), false},
	}
	for _, test := range tests {
		var err error
		switch b := test.body.(type) {
		case wire.Submission:
			_, err = b.Parse(maxFile)
		case wire.Heartbeat:
			_, _, err = b.Parse(maxFile)
		case wire.Registration:
			_, err = b.Parse()
		case wire.Share:
			_, err = b.Parse()
		}
		if (err == nil) != test.good {
			t.Errorf("%s: wire says %v", test.name, err)
		}
		text, err := json.Marshal(test.body)
		if err != nil {
			t.Fatal(err)
		}
		var value any
		if err := json.Unmarshal(text, &value); err != nil {
			t.Fatal(err)
		}
		schema := doc.Components.Schemas[reflect.TypeOf(test.body).Name()].Value
		if err := schema.VisitJSON(value); (err == nil) != test.good {
			t.Errorf("%s: the schema says %v", test.name, err)
		}
	}
}
