package placement_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"workerpool/shared/placement"
	"workerpool/shared/pool"
)

func TestEligibleAsInTheModel(t *testing.T) {
	t.Parallel()
	met, cases := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		cases++
		c, d := capabilities(t), demands(t)
		if got, why := placement.Meets(c, d), meets(c, d); got != (why == "") {
			t.Fatalf("%+v meets %+v: %v, the model says %q", c, d, got, why)
		} else if got {
			met++
		}
	})
	if met*20 < cases && !t.Failed() {
		t.Errorf("only %d of %d met the demands", met, cases)
	}
}

// able meets every demand of all, each just so.
func able() (pool.Worker, pool.Demands) {
	w := worker(1, "account:1", 2)
	w.Open = 1
	w.Until = now.Add(1)
	w.Capabilities = pool.Capabilities{
		OS: "linux", Arch: "amd64", CPU: 4, MemoryMB: 100, DiskMB: 200, GPU: 1, TEE: []string{"sgx"}, Tags: []string{"eu", "fast"},
		Programs: []string{"sum"}, MaxRun: time.Hour, Version: "1.2.3", Wallet: true,
	}
	return w, pool.Demands{
		App: pool.App{Type: pool.ProcessApp, Name: "sum"}, OS: "linux", Arch: "amd64", CPU: 4, MemoryMB: 100, DiskMB: 200, GPU: 1,
		TEE: "sgx", Tags: []string{"eu", "fast"}, NotTags: []string{"test"}, RunLimit: time.Hour, MinVersion: "1.2.3", Wallet: true,
	}
}

// Each demand alone, at its edge.
func TestEachDemandCounts(t *testing.T) {
	t.Parallel()
	if w, d := able(); !placement.Eligible(now, w, d) {
		t.Fatal("not able to begin with")
	}
	for name, spoil := range map[string]func(*pool.Worker, *pool.Demands){
		"lease":           func(w *pool.Worker, _ *pool.Demands) { w.Until = now },
		"draining":        func(w *pool.Worker, _ *pool.Demands) { w.State = pool.Draining },
		"no state":        func(w *pool.Worker, _ *pool.Demands) { w.State = "" },
		"slots":           func(w *pool.Worker, _ *pool.Demands) { w.Open = 2 },
		"program":         func(w *pool.Worker, _ *pool.Demands) { w.Capabilities.Programs = []string{"sums"} },
		"docker":          func(_ *pool.Worker, d *pool.Demands) { d.App = pool.App{Type: pool.DockerApp} },
		"unknown app":     func(_ *pool.Worker, d *pool.Demands) { d.App.Type = "wasm" },
		"no app":          func(_ *pool.Worker, d *pool.Demands) { d.App = pool.App{} },
		"cpu":             func(_ *pool.Worker, d *pool.Demands) { d.CPU++ },
		"memory":          func(_ *pool.Worker, d *pool.Demands) { d.MemoryMB++ },
		"disk":            func(_ *pool.Worker, d *pool.Demands) { d.DiskMB++ },
		"gpu":             func(_ *pool.Worker, d *pool.Demands) { d.GPU++ },
		"unstated cpu":    func(w *pool.Worker, d *pool.Demands) { w.Capabilities.CPU, d.CPU = 0, 1 },
		"tee":             func(_ *pool.Worker, d *pool.Demands) { d.TEE = "tdx" },
		"unstated tee":    func(w *pool.Worker, _ *pool.Demands) { w.Capabilities.TEE = nil },
		"os":              func(_ *pool.Worker, d *pool.Demands) { d.OS = "windows" },
		"unstated os":     func(w *pool.Worker, _ *pool.Demands) { w.Capabilities.OS = "" },
		"arch":            func(_ *pool.Worker, d *pool.Demands) { d.Arch = "arm64" },
		"one tag missing": func(w *pool.Worker, _ *pool.Demands) { w.Capabilities.Tags = []string{"eu"} },
		"forbidden tag":   func(w *pool.Worker, _ *pool.Demands) { w.Capabilities.Tags = append(w.Capabilities.Tags, "test") },
		"version":         func(w *pool.Worker, _ *pool.Demands) { w.Capabilities.Version = "1.2.2" },
		"no version":      func(w *pool.Worker, _ *pool.Demands) { w.Capabilities.Version = "" },
		"no wallet":       func(w *pool.Worker, _ *pool.Demands) { w.Capabilities.Wallet = false },
		"run limit":       func(_ *pool.Worker, d *pool.Demands) { d.RunLimit++ },
	} {
		w, d := able()
		spoil(&w, &d)
		if placement.Eligible(now, w, d) {
			t.Errorf("%s does not count", name)
		}
	}
	w, d := able()
	w.Capabilities.MaxRun, d.RunLimit = 0, 1_000*time.Hour
	if !placement.Eligible(now, w, d) {
		t.Error("a worker without a limit refuses a long run")
	}
	w.Capabilities = pool.Capabilities{Docker: true}
	if !placement.Eligible(now, w, pool.Demands{App: pool.App{Type: pool.DockerApp, Name: "any/image:1"}}) {
		t.Error("the image's name matters")
	}
}

func TestVersions(t *testing.T) {
	t.Parallel()
	atLeast := func(has, wanted string) bool {
		c := pool.Capabilities{Programs: []string{"sum"}, Version: has}
		return placement.Meets(c, pool.Demands{App: pool.App{Type: pool.ProcessApp, Name: "sum"}, MinVersion: wanted})
	}
	for _, c := range []struct {
		has, wanted string
		ok          bool
	}{
		{"1.2.3", "1.2.3", true}, {"1.2.4", "1.2.3", true}, {"1.2.2", "1.2.3", false},
		{"1.10.0", "1.9.9", true}, {"1.9.9", "1.10.0", false}, {"10.0.0", "9.9.9", true}, {"2.0.0", "10.0.0", false},
		{"2.0.0", "1.9.9", true}, {"1.9.9", "2.0.0", false}, {"1.3.0", "1.2.9", true}, {"1.2.9", "1.3.0", false},
		{"01.2.3", "1.2.3", true}, {"999999.0.0", "999998.999999.999999", true},
		{"", "0.0.0", false}, {"1.2", "1.2.0", false}, {"1.2.3.4", "1.2.3", false}, {"1.2.x", "1.2.0", false}, {"x.2.3", "0.0.0", false},
		{"", "", true}, {"rubbish", "", true},
	} {
		if got := atLeast(c.has, c.wanted); got != c.ok {
			t.Errorf("%q is at least %q: %v", c.has, c.wanted, got)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		part := rapid.IntRange(0, 12)
		a := [3]int{part.Draw(t, "a"), part.Draw(t, "b"), part.Draw(t, "c")}
		b := [3]int{part.Draw(t, "d"), part.Draw(t, "e"), part.Draw(t, "f")}
		value := func(v [3]int) int { return v[0]*10_000 + v[1]*100 + v[2] }
		text := func(v [3]int) string { return fmt.Sprintf("%d.%d.%d", v[0], v[1], v[2]) }
		if got := atLeast(text(a), text(b)); got != (value(a) >= value(b)) {
			t.Fatalf("%s is at least %s: %v", text(a), text(b), got)
		}
	})
}

// An unreadable version is below every wanted one, wherever its fault lies.
func TestUnreadableVersions(t *testing.T) {
	t.Parallel()
	for _, has := range []string{"2.x.0", "2.0.x", "2..", "2.0.", "2.0.-1", "2.0.+1", "2.0.0-rc1", "2. 0.0"} {
		c := pool.Capabilities{Programs: []string{"sum"}, Version: has}
		for _, wanted := range []string{"0.0.0", "1.0.0"} {
			if placement.Meets(c, pool.Demands{App: pool.App{Type: pool.ProcessApp, Name: "sum"}, MinVersion: wanted}) {
				t.Errorf("%q is at least %q", has, wanted)
			}
		}
	}
}
