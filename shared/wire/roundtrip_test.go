package wire_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"workerpool/shared/pool"
	"workerpool/shared/wire"
)

// Cases here cost microseconds; -rapid.checks on the command line still wins.
func init() { _ = flag.Set("rapid.checks", "1000") }

var tags = rapid.SliceOfN(rapid.SampledFrom([]string{"eu", "fast", "test", "a:b", "x.y-z_1"}), 0, 5)

// wireDemands draws demands as a requester may write them: tags in any order,
// some twice.
func wireDemands(t *rapid.T) wire.Demands {
	word := rapid.SampledFrom([]string{"", "linux", "sgx"})
	return wire.Demands{
		CPU: rapid.IntRange(0, 4096).Draw(t, "cpu"), MemoryMB: rapid.Int64Range(0, 1<<30).Draw(t, "memory"),
		DiskMB: rapid.Int64Range(0, 1<<40).Draw(t, "disk"), GPU: rapid.IntRange(0, 1024).Draw(t, "gpu"),
		TEE: word.Draw(t, "tee"), OS: word.Draw(t, "os"), Arch: word.Draw(t, "arch"),
		Tags: tags.Draw(t, "tags"), NotTags: tags.Draw(t, "not tags"),
		MinVersion: rapid.SampledFrom([]string{"", "0.0.1", "999999.0.12"}).Draw(t, "version"),
	}
}

func parseDemands(t *rapid.T, app wire.App, category string, d wire.Demands) pool.Demands {
	n, err := wire.Submission{
		Template: wire.Template{App: app, Category: category, Demands: d}, Items: []wire.Item{{}},
	}.Parse(0)
	if err != nil {
		t.Fatal(err)
	}
	return n.Demands
}

func TestDemandsAreCanonical(t *testing.T) {
	t.Parallel()
	apps := rapid.SampledFrom([]wire.App{{Type: "process", Name: "sum"}, {Type: "process", Name: "blender"}, {Type: "docker", Name: "alpine:3"}, {Type: "docker", Name: "busybox"}})
	categories := rapid.SampledFrom([]string{"XS", "S", "M", "L", "XL"})
	encode := func(t *rapid.T, d pool.Demands) []byte {
		text, err := wire.EncodeDemands(d)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	rapid.Check(t, func(t *rapid.T) {
		app, category, d := apps.Draw(t, "app"), categories.Draw(t, "category"), wireDemands(t)
		demands := parseDemands(t, app, category, d)
		text := encode(t, demands)
		back, err := wire.DecodeDemands(text)
		if err != nil || !reflect.DeepEqual(back, demands) {
			t.Fatalf("%s reads back as %+v, %v; it was %+v", text, back, err, demands)
		}
		same := d
		same.Tags = shuffledTwice(t, d.Tags)
		same.NotTags = shuffledTwice(t, d.NotTags)
		if again := encode(t, parseDemands(t, app, category, same)); !bytes.Equal(again, text) {
			t.Fatalf("equal demands:\n%s\n%s", text, again)
		}
		otherApp, otherCategory, other := apps.Draw(t, "other app"), categories.Draw(t, "other category"), d
		if rapid.Bool().Draw(t, "other demands") {
			other = wireDemands(t)
		}
		otherDemands := parseDemands(t, otherApp, otherCategory, other)
		if equal := reflect.DeepEqual(otherDemands, demands); equal != bytes.Equal(encode(t, otherDemands), text) {
			t.Fatalf("%+v and %+v: equal %v, and yet\n%s\n%s", demands, otherDemands, equal, text, encode(t, otherDemands))
		}
	})
}

// shuffledTwice gives the same words in another order, some of them again.
func shuffledTwice(t *rapid.T, list []string) []string {
	if len(list) == 0 {
		return rapid.SampledFrom([][]string{nil, {}}).Draw(t, "none")
	}
	return rapid.Permutation(append(slices.Clone(list), list[0])).Draw(t, "order")
}

func TestCapabilitiesReadBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := wireDemands(t)
		given := wire.Capabilities{
			OS: d.OS, Arch: d.Arch, CPU: d.CPU, MemoryMB: d.MemoryMB, DiskMB: d.DiskMB, GPU: d.GPU, TEE: d.NotTags, Tags: d.Tags, Version: d.MinVersion,
			Programs: tags.Filter(func(l []string) bool { return !slices.Contains(l, "a:b") }).Draw(t, "programs"),
			Docker:   rapid.Bool().Draw(t, "docker"), MaxRunS: rapid.Int64Range(0, 1<<31).Draw(t, "max run"),
			Apps:       wire.Rules{Allow: tags.Draw(t, "apps"), Deny: tags.Draw(t, "no apps")},
			Requesters: wire.Rules{Allow: tags.Draw(t, "requesters"), Deny: tags.Draw(t, "no requesters")},
		}
		c, err := given.Parse("at")
		if err != nil {
			t.Fatal(err)
		}
		text, err := wire.EncodeCapabilities(c)
		if err != nil {
			t.Fatal(err)
		}
		back, err := wire.DecodeCapabilities(text)
		if err != nil || !reflect.DeepEqual(back, c) {
			t.Fatalf("%s reads back as %+v, %v; it was %+v", text, back, err, c)
		}
		told := wire.FromCapabilities(c)
		if told.CPU != given.CPU || told.MemoryMB != given.MemoryMB || told.DiskMB != given.DiskMB || told.GPU != given.GPU ||
			told.OS != given.OS || told.Arch != given.Arch || told.Docker != given.Docker || told.MaxRunS != given.MaxRunS || told.Version != given.Version ||
			!sameSet(told.Tags, given.Tags) || !sameSet(told.TEE, given.TEE) || !sameSet(told.Programs, given.Programs) ||
			!sameSet(told.Apps.Allow, given.Apps.Allow) || !sameSet(told.Apps.Deny, given.Apps.Deny) ||
			!sameSet(told.Requesters.Allow, given.Requesters.Allow) || !sameSet(told.Requesters.Deny, given.Requesters.Deny) {
			t.Fatalf("%+v became %+v", given, told)
		}
	})
}

func sameSet(a, b []string) bool {
	set := func(l []string) map[string]bool {
		out := map[string]bool{}
		for _, w := range l {
			out[w] = true
		}
		return out
	}
	return maps.Equal(set(a), set(b))
}

func TestStoredTextThatIsNone(t *testing.T) {
	t.Parallel()
	if _, err := wire.DecodeDemands([]byte("{")); err == nil {
		t.Error("broken demands are read")
	}
	if _, err := wire.DecodeCapabilities([]byte("{")); err == nil {
		t.Error("broken capabilities are read")
	}
	if _, err := wire.DecodeCapabilities([]byte(`{"cpu":-1}`)); err == nil {
		t.Error("impossible capabilities are read")
	}
	if _, err := wire.Spec([]byte("["), nil); err == nil {
		t.Error("a broken template is read")
	}
	if _, err := wire.Spec([]byte("{}"), []byte("[")); err == nil {
		t.Error("a broken item is read")
	}
}

// What a worker is given is the template with the work's own beside and over it,
// by way of the documents that are stored.
func TestSpecMerges(t *testing.T) {
	t.Parallel()
	names := rapid.SampledFrom([]string{"A", "B", "C", "D"})
	texts := rapid.SliceOfN(rapid.SampledFrom([]string{"", "x", "é <&>", "--n=1", "\u2028"}), 0, 3)
	files := func(t *rapid.T, label string, base int) []wire.Input {
		return many(rapid.IntRange(0, 3).Draw(t, label), func(i int) wire.Input {
			return wire.Input{Name: fmt.Sprint("f", base+i), SHA256: sha(base + i), Size: int64(i)}
		})
	}
	rapid.Check(t, func(t *rapid.T) {
		s := wire.Submission{Template: wire.Template{
			App: wire.App{Type: "docker", Name: "alpine:3"}, Args: texts.Draw(t, "args"),
			Env: rapid.MapOfN(names, rapid.SampledFrom([]string{"1", ""}), 0, 4).Draw(t, "env"), Inputs: files(t, "files", 0),
		}}
		for i := range rapid.IntRange(1, 3).Draw(t, "items") {
			s.Items = append(s.Items, wire.Item{
				Args: texts.Draw(t, "own args"), Env: rapid.MapOfN(names, rapid.SampledFrom([]string{"2", ""}), 0, 4).Draw(t, "own env"),
				Inputs: files(t, "own files", 10*(i+1)),
			})
		}
		n, err := s.Parse(maxFile)
		if err != nil {
			t.Fatal(err)
		}
		for i, item := range s.Items {
			spec, err := wire.Spec(n.Template, n.Items[i])
			if err != nil {
				t.Fatal(err)
			}
			if spec.App != (pool.App{Type: pool.DockerApp, Name: "alpine:3"}) {
				t.Fatalf("app %+v", spec.App)
			}
			if want := slices.Concat(s.Template.Args, item.Args); !slices.Equal(spec.Args, want) {
				t.Fatalf("args %q, want %q", spec.Args, want)
			}
			wantEnv := maps.Clone(s.Template.Env)
			maps.Copy(wantEnv, item.Env)
			if !maps.Equal(spec.Env, wantEnv) || spec.Env == nil {
				t.Fatalf("env %v, want %v", spec.Env, wantEnv)
			}
			want := slices.Concat(s.Template.Inputs, item.Inputs)
			if len(spec.Inputs) != len(want) {
				t.Fatalf("%d inputs, want %d", len(spec.Inputs), len(want))
			}
			for k, in := range spec.Inputs {
				if in.Name != want[k].Name || in.Digest.String() != want[k].SHA256 || in.Size != want[k].Size {
					t.Fatalf("input %+v, want %+v", in, want[k])
				}
			}
		}
	})
}

func TestWorkAsItsRequesterSeesIt(t *testing.T) {
	t.Parallel()
	id := pool.BatchID(5).Work(17)
	at := time.Date(2030, 5, 1, 0, 0, 0, 0, time.UTC)
	digest := func(n byte) pool.Digest { return pool.Digest{n} }
	row := func(worker int64, d byte) pool.Assignment {
		return pool.Assignment{Worker: pool.WorkerID(worker), Attempt: 2, State: pool.Reported, Digest: digest(d), Reason: "r"}
	}
	work := pool.Work{
		ID: id, Origin: pool.OriginAPI, Trust: 3, RunLimit: 5 * time.Minute, Digest: digest(1), Size: 9,
		Created: at, Deadline: at.Add(time.Hour), Reason: "why",
	}
	for _, state := range pool.WorkStates {
		work.State = state
		if work.Ended = (time.Time{}); state.Ended() {
			work.Ended = at.Add(time.Minute)
		}
		out := wire.FromWork(work, []pool.Assignment{row(1, 1), row(2, 0), row(3, 2)})
		if out.ID != int64(id) || out.Batch != 5 || out.Index != 17 || out.Origin != "api" || out.State != string(state) || out.Trust != 3 ||
			out.RunLimitS != 300 || !out.Created.Equal(at) || !out.Deadline.Equal(work.Deadline) || out.Reason != "why" || len(out.Assignments) != 3 {
			t.Errorf("%s: %+v", state, out)
		}
		if (out.SHA256 != "") != (state == pool.Done) || (out.Size != 0) != (state == pool.Done) {
			t.Errorf("%s: tells the result %q of %d bytes", state, out.SHA256, out.Size)
		}
		if (out.Ended != nil) != state.Ended() || out.Ended != nil && !out.Ended.Equal(work.Ended) {
			t.Errorf("%s: ended %v", state, out.Ended)
		}
		for i, a := range out.Assignments {
			if told := a.SHA256 != ""; told != (state.Ended() && i != 1) {
				t.Errorf("%s: worker %d's digest told: %v", state, a.Worker, told)
			}
			if a.Attempt != 2 || a.State != "reported" || a.Reason != "r" {
				t.Errorf("%+v", a)
			}
		}
		if out.Unstable {
			t.Errorf("%s: nondeterministic with two digests", state)
		}
	}
	three := []pool.Assignment{row(1, 1), row(2, 2), row(3, 3), row(4, 0)}
	if work.Trust = 2; !wire.FromWork(work, three).Unstable {
		t.Error("three digests at trust 2 and not nondeterministic")
	}
	if work.Trust = 1; wire.FromWork(work, three).Unstable {
		t.Error("nondeterministic at trust 1, where nothing is compared")
	}
}

func TestBatchAndWorkerAsTheirOwnersSeeThem(t *testing.T) {
	t.Parallel()
	b := wire.FromBatch(pool.Batch{ID: 3, Works: 10, Counts: map[pool.WorkState]int{pool.Waiting: 4, pool.Done: 6}, Missing: 2})
	if b.ID != 3 || b.Works != 10 || b.FirstWork != int64(pool.BatchID(3).Work(0)) || b.LastWork != b.FirstWork+9 || b.MissingInputs != 2 ||
		!maps.Equal(b.States, map[string]int{"waiting": 4, "done": 6}) {
		t.Errorf("%+v", b)
	}
	if empty := wire.FromBatch(pool.Batch{ID: 3, Works: 1}); empty.States == nil {
		t.Error("no states is null, not {}")
	}
	at := time.Date(2030, 5, 1, 0, 0, 0, 0, time.UTC)
	w := pool.Worker{ID: 4, State: pool.Draining, Slots: 8, Open: 3, Until: at, Interval: 30 * time.Second, Capabilities: pool.Capabilities{CPU: 2}}
	if out := wire.FromWorker(w, at.Add(-1)); out.ID != 4 || out.State != "draining" || !out.Live || out.Slots != 8 || out.Open != 3 || out.HeartbeatS != 30 || out.Capabilities.CPU != 2 || !out.LiveUntil.Equal(at) {
		t.Errorf("%+v", out)
	}
	if out := wire.FromWorker(w, at); out.Live {
		t.Error("live after its lease")
	}
}

// Instructions' words are placement's, and reports' words are pool's.
func TestJSONNames(t *testing.T) {
	t.Parallel()
	text, err := json.Marshal(wire.Heartbeat{Reports: []wire.Report{{Work: 1, Attempt: 2, State: "failed", Reason: "r"}}})
	if err != nil || string(text) != `{"reports":[{"work":1,"attempt":2,"state":"failed","reason":"r"}]}` {
		t.Errorf("%s %v", text, err)
	}
	text, err = json.Marshal(submission())
	if err != nil || string(text) != `{"template":{"app":{"type":"process","name":"sum"}},"items":[{}]}` {
		t.Errorf("%s %v", text, err)
	}
	got := fmt.Sprint(wire.DoStart, wire.DoContinue, wire.DoHold, wire.DoUpload, wire.DoStop)
	if got != "startcontinueholduploadstop" {
		t.Errorf("%s", got)
	}
}
