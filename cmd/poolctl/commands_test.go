package main

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"workerpool/shared/wire"
)

var accepted = wire.Accepted{Batch: 3, FirstWork: 49152, LastWork: 49153, Works: 2, State: "waiting", Created: noon}

func states(done, failed, running int) wire.Batch {
	return wire.Batch{ID: 3, FirstWork: 49152, LastWork: 49153, Works: 2, Created: noon, States: map[string]int{"done": done, "failed": failed, "running": running}}
}

func TestSubmitByFlags(t *testing.T) {
	s := newStage(t).loggedIn()
	var key string
	s.routes["POST /works"] = func(w http.ResponseWriter, r *http.Request) {
		key = r.Header.Get("Idempotency-Key")
		answer(201, accepted)(w, r)
	}
	s.must(exitDone, "submit", "--app", "docker:repo/image:1", "--arg=-n", "--arg", "8,9", "--env", "A=1;B=2", "--count", "2", "--trust", "3",
		"--category", "S", "--priority", "low", "--deadline", "1h", "--cpu", "2", "--memory-mb", "64", "--tag", "eu")
	var got wire.Submission
	if err := json.Unmarshal([]byte(s.bodies["POST /works"]), &got); err != nil {
		t.Fatal(err)
	}
	want := wire.Submission{
		Template: wire.Template{
			App: wire.App{Type: "docker", Name: "repo/image:1"}, Args: []string{"-n", "8,9"}, Env: map[string]string{"A": "1;B=2"}, Trust: 3, Category: "S",
			Priority: "low", DeadlineS: 3600, Demands: wire.Demands{CPU: 2, MemoryMB: 64, Tags: []string{"eu"}},
		},
		Items: []wire.Item{{}, {}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if len(key) < 20 {
		t.Errorf("the key is %q", key)
	}
	s.says(key, "batch:3", "work:49152 to work:49153")
	first := key
	s.must(exitDone, "submit", "--app", "process:p", "--count", "1")
	if key == first {
		t.Error("two submissions have one key")
	}
	s.must(exitDone, "submit", "--app", "process:p", "--count", "1", "--key", "mine")
	if key != "mine" {
		t.Errorf("the key is %q", key)
	}
}

func TestSubmitByFile(t *testing.T) {
	s := newStage(t).loggedIn()
	s.routes["POST /works"] = answer(201, accepted)
	body := `{"template":{"app":{"type":"process","name":"p"},"trust":3},"items":[{"args":["1"]},{}]}`
	s.must(exitDone, "submit", s.file("batch.json", body))
	if s.bodies["POST /works"] != body {
		t.Errorf("sent %s", s.bodies["POST /works"])
	}
	s.must(exitDone, "submit", "--app", "process:p", "--items", s.file("items.json", `[{"args":["1"]},{}]`))
	if want := `{"template":{"app":{"type":"process","name":"p"}},"items":[{"args":["1"]},{}]}`; s.bodies["POST /works"] != want {
		t.Errorf("sent %s", s.bodies["POST /works"])
	}
	s.seen = nil
	for _, args := range [][]string{
		{s.file("typo.json", `{"templat":{}}`)}, {s.file("more.json", body+"{}")}, {s.file("none.json", "")}, {s.file("batch.json", body), "--trust", "3"},
		{"--app", "process:p"}, {"--app", "p", "--count", "1"}, {"--app", "process:p", "--count", "1", "--items", s.file("i.json", "[{}]")}, {s.dir + "/absent.json"}, {},
	} {
		s.must(exitUsage, append([]string{"submit"}, args...)...)
	}
	if len(s.seen) > 0 {
		t.Errorf("the pool was asked %v", s.seen)
	}
}

func TestSubmitUploadsInputs(t *testing.T) {
	s := newStage(t).loggedIn()
	path := s.file("data.bin", "content")
	sum := sha256.Sum256([]byte("content"))
	digest := hex.EncodeToString(sum[:])
	s.routes["POST /works"] = answer(201, accepted)
	link := &wire.Link{URL: s.url + "/bucket", Fields: map[string]string{"key": "inputs/1"}, Expires: noon}
	s.routes["GET /batches/3/inputs"] = answer(200, wire.Uploads{Missing: 1, Inputs: []wire.UploadTarget{{SHA256: digest, Size: 7, Upload: link}}})
	s.routes["POST /bucket"] = then(refuse(503, ""), func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseMultipartForm(1 << 20); err != nil {
			t.Error(err)
			return
		}
		file, _, err := r.FormFile("file")
		if err != nil {
			t.Error(err)
			return
		}
		var got bytes.Buffer
		if _, err := got.ReadFrom(file); err != nil || got.String() != "content" || r.FormValue("key") != "inputs/1" {
			t.Errorf("uploaded %q, key %q (%v)", got.String(), r.FormValue("key"), err)
		}
		w.WriteHeader(http.StatusNoContent)
	})
	s.routes["POST /batches/3/inputs"] = answer(200, wire.Uploads{Inputs: []wire.UploadTarget{}})
	s.must(exitDone, "submit", "--app", "process:p", "--count", "2", "--input", "data="+path)
	if want := `"inputs":[{"name":"data","sha256":"` + digest + `","size":7}]`; !strings.Contains(s.bodies["POST /works"], want) {
		t.Errorf("sent %s", s.bodies["POST /works"])
	}
	want := []string{"POST /works tok", "GET /batches/3/inputs tok", "POST /bucket", "GET /batches/3/inputs tok", "POST /bucket", "POST /batches/3/inputs tok"}
	if diff := cmp.Diff(want, s.seen); diff != "" {
		t.Error(diff)
	}
	s.routes["GET /batches/3/inputs"] = answer(200, wire.Uploads{Missing: 1, Inputs: []wire.UploadTarget{{SHA256: strings.Repeat("a", 64), Size: 1, Upload: link}}})
	s.must(exitFailed, "submit", "--app", "process:p", "--count", "2", "--input", "data="+path)
	s.says("also misses")
	s.must(exitFailed, "submit", "--app", "process:p", "--count", "2", "--input", "data=/absent")
}

func TestWait(t *testing.T) {
	s := newStage(t).loggedIn()
	s.routes["GET /batches/3"] = then(answer(200, states(0, 0, 2)), answer(200, states(1, 0, 1)), answer(200, states(2, 0, 0)))
	s.must(exitDone, "wait", "batch:3")
	s.says("0 of 2 ended, running 2\n1 of 2 ended, running 1, done 1\n2 of 2 ended, done 2\n")
	if s.waits != 2 {
		t.Errorf("waited %d times", s.waits)
	}
	s.routes["GET /batches/3"] = answer(200, states(1, 1, 0))
	s.must(exitNoResult, "wait", "batch:3")
	s.routes["GET /works/49152"] = then(answer(200, wire.Work{ID: 49152, State: "running"}), answer(200, wire.Work{ID: 49152, State: "failed", Reason: "exit 1"}))
	s.must(exitNoResult, "wait", "work:49152")
	s.says("reason: exit 1")
	s.routes["POST /works"] = answer(201, accepted)
	s.must(exitNoResult, "submit", "--json", "--app", "process:p", "--count", "2", "--wait")
	var got submitted
	if err := json.Unmarshal(s.out.Bytes(), &got); err != nil || got.Accepted.Batch != 3 || got.Batch == nil || got.Batch.States["failed"] != 1 || got.Key == "" {
		t.Errorf("got %s (%v)", s.out.String(), err)
	}
}

func TestWorks(t *testing.T) {
	s := newStage(t).loggedIn()
	ended := noon
	page := wire.Works{Works: []wire.Work{{ID: 1, State: "done", Ended: &ended, Size: 2048, SHA256: strings.Repeat("ab", 32)}, {ID: 2, State: "failed", Reason: "bad \x1b[2J\nend"}}, Next: 2}
	s.routes["GET /works"] = then(answer(200, page), answer(200, wire.Works{Works: []wire.Work{{ID: 3, State: "done"}}}))
	s.must(exitDone, "works", "--batch", "3", "--state", "done", "--all")
	want := []string{"GET /works?batch=3&limit=1000&state=done tok", "GET /works?after=2&batch=3&limit=1000&state=done tok"}
	if !slices.Equal(s.seen, want) {
		t.Errorf("asked %v", s.seen)
	}
	s.says("abababababab", "2.0K", "2026-05-04 12:00:00", "\uFFFD[2J\uFFFDend")
	if strings.Contains(s.out.String(), "\x1b") {
		t.Error("a reason reaches the terminal as it is")
	}
	s.routes["GET /works"] = answer(200, page)
	s.must(exitDone, "works", "--limit", "1", "--after", "0", "--json")
	var got wire.Works
	if err := json.Unmarshal(s.out.Bytes(), &got); err != nil || len(got.Works) != 1 || got.Next != 1 {
		t.Errorf("got %s (%v)", s.out.String(), err)
	}
}

func TestShow(t *testing.T) {
	s := newStage(t).loggedIn()
	s.routes["GET /works/5"] = answer(200, wire.Work{
		ID: 5, Batch: 3, State: "done", SHA256: "ff", Size: 1, Unstable: true,
		Assignments: []wire.Assignment{{Worker: 8, Attempt: 2, State: "closed", SHA256: "ff"}},
	})
	s.routes["GET /batches/3"] = answer(200, states(1, 0, 1))
	s.must(exitDone, "show", "work:5", "batch:3")
	s.says("work:5: done", "8       2        closed", "the same bytes", "batch:3: works 49152 to 49153")
}

func TestCancelNamesWhatItEnds(t *testing.T) {
	s := newStage(t).loggedIn()
	s.routes["GET /works"] = answer(200, wire.Works{Works: []wire.Work{{ID: 1, State: "done"}, {ID: 2, State: "running"}, {ID: 3, State: "waiting"}}})
	s.routes["DELETE /works/2"] = refuse(409, "conflict")
	s.routes["DELETE /works/3"] = answer(200, wire.Cancelled{Work: 3, Before: "waiting", State: "cancelled"})
	s.routes["DELETE /works/9"] = answer(200, wire.Cancelled{Work: 9, Before: "done", State: "done"})
	s.routes["GET /batches/7"] = answer(200, states(1, 0, 1))
	s.must(exitFailed, "cancel", "batch:7", "work:9")
	want := []string{"GET /batches/7 tok", "GET /works?batch=7&limit=1000 tok", "DELETE /works/2 tok", "DELETE /works/3 tok", "DELETE /works/9 tok"}
	if !slices.Equal(s.seen, want) {
		t.Errorf("asked %v", s.seen)
	}
	s.says("cancelling work:2", "3     waiting  cancelled", "9     done     done")
	s.must(exitFailed, "cancel", "batch:8")
	s.says("batch:8", "Not Found")
}

func TestWorkersAndSteering(t *testing.T) {
	s := newStage(t).loggedIn()
	attic := wire.Worker{ID: 4, Name: "attic", State: "active", Live: true, Slots: 8, Open: 3, Agreed: 12, Disagreed: 5,
		Capabilities: wire.Capabilities{OS: "linux", Arch: "arm64", CPU: 4, MemoryMB: 512, GPU: 1, Docker: true, Programs: []string{"mandelbrot"}}}
	s.routes["GET /workers"] = then(answer(200, wire.Workers{Workers: []wire.Worker{attic}, Next: 4}), answer(200, wire.Workers{Workers: []wire.Worker{{ID: 5, Name: "barn"}}}))
	s.must(exitDone, "workers")
	s.says("attic", "barn", "3/8", "linux/arm64, 4 cpu, 512 MB, 1 gpu, docker, mandelbrot")
	draining := attic
	draining.State = "draining"
	s.routes["POST /workers/4/drain"], s.routes["POST /workers/4/activate"] = answer(200, draining), answer(200, attic)
	s.must(exitFailed, "drain", "3", "4")
	s.says("draining worker 3", "draining")
	s.must(exitDone, "activate", "4", "--json")
	var got wire.Workers
	if err := json.Unmarshal(s.out.Bytes(), &got); err != nil || len(got.Workers) != 1 || got.Workers[0].State != "active" {
		t.Errorf("got %s (%v)", s.out.String(), err)
	}
}

func TestDeactivate(t *testing.T) {
	s := newStage(t).loggedIn()
	s.routes["POST /workers/4/deactivate"] = answer(200, wire.Worker{ID: 4, Name: "attic", State: "inactive", Slots: 8, Quota: 2})
	s.must(exitDone, "deactivate", "4")
	s.says("attic", "inactive", "0/8", "2")
	s.must(exitFailed, "deactivate", "5")
	s.says("deactivating worker 5")
}

func TestPoolStates(t *testing.T) {
	s := newStage(t).loggedIn()
	for what, state := range map[string]string{"drain": "draining", "deactivate": "inactive", "activate": "active"} {
		s.seen = nil
		s.routes["POST /pool/"+what] = answer(200, wire.Steered{Before: "active", State: state})
		s.must(exitDone, "pool", what)
		s.says("the pool was active and is " + state)
		if !slices.Equal(s.seen, []string{"POST /pool/" + what + " tok"}) {
			t.Errorf("asked %v", s.seen)
		}
	}
	s.routes["POST /pool/drain"] = refuse(403, "forbidden")
	s.must(exitFailed, "pool", "drain")
	s.says("draining the pool")
}

func TestShare(t *testing.T) {
	s := newStage(t).loggedIn()
	now := wire.Share{Weight: 2, MaxRunning: 30}
	s.routes["GET /requesters/ada/share"] = answer(200, now)
	s.routes["PUT /requesters/ada/share"] = func(w http.ResponseWriter, r *http.Request) {
		var share wire.Share
		if err := json.NewDecoder(r.Body).Decode(&share); err != nil {
			t.Error(err)
		}
		answer(200, share)(w, r)
	}
	s.must(exitDone, "share", "ada")
	s.says("ada", "weight", "2", "30")
	if !slices.Equal(s.seen, []string{"GET /requesters/ada/share tok"}) {
		t.Errorf("showing asked %v", s.seen)
	}
	for body, args := range map[string][]string{
		`{"weight":5,"max_running":30}`: {"--weight", "5"}, `{"weight":2,"max_running":7}`: {"--max-running", "7"}, `{"weight":2}`: {"--max-running", "0"},
		`{"weight":9,"max_running":1}`: {"--weight", "9", "--max-running", "1"},
	} {
		s.must(exitDone, append([]string{"share", "ada"}, args...)...)
		if got := s.bodies["PUT /requesters/ada/share"]; got != body {
			t.Errorf("%q sent %s, want %s", args, got, body)
		}
	}
	s.must(exitDone, "share", "ada", "--max-running", "0")
	s.says("no limit")
	s.must(exitFailed, "share", "eve", "--weight", "5")
	s.says("share of eve")
	s.must(exitUsage, "share")
	s.must(exitUsage, "share", "ada", "--weight", "much")
}

func TestPoolNeedsNoSession(t *testing.T) {
	s := newStage(t)
	s.routes["GET /pool"] = answer(200, wire.Pool{Name: "demo", Chain: "off", State: "draining", Works: map[string]int{"waiting": 12}, Workers: 5, Slots: 20, Open: 2, MaxFile: 500 << 20})
	s.must(exitDone, "pool", "--pool", s.url)
	s.says("demo", "draining", "works waiting", "12", "20, 2 assignments open", "500.0M")
	if !slices.Equal(s.seen, []string{"GET /pool"}) {
		t.Errorf("asked %v", s.seen)
	}
}

func tarOf(t *testing.T, name, content string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	if err := w.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(content))}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestResults(t *testing.T) {
	s := newStage(t).loggedIn()
	serve := func(work string, content []byte, digest string) {
		s.routes["GET /works/"+work+"/result"] = answer(200, wire.Result{URL: s.url + "/bucket/" + work, SHA256: digest, Size: int64(len(content)), Expires: noon})
		s.routes["GET /bucket/"+work] = then(refuse(503, ""), func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(content) })
	}
	good := tarOf(t, "out.txt", "forty-two")
	sum := sha256.Sum256(good)
	serve("49152", good, hex.EncodeToString(sum[:]))
	s.routes["GET /works"] = answer(200, wire.Works{Works: []wire.Work{{ID: 49152, State: "done"}, {ID: 49153, State: "running"}}})
	out := filepath.Join(s.dir, "out")
	s.must(exitFailed, "results", "batch:3", "-o", out)
	s.says("batch:3", "Not Found")
	s.routes["GET /batches/3"] = answer(200, states(1, 0, 1))
	s.must(exitNoResult, "results", "batch:3", "-o", out)
	got, err := os.ReadFile(filepath.Join(out, "49152", "out.txt"))
	if err != nil || string(got) != "forty-two" {
		t.Errorf("got %q, %v", got, err)
	}
	s.seen = nil
	s.must(exitDone, "results", "work:49152", "-o", out, "--json")
	if len(s.seen) > 0 || !strings.Contains(s.out.String(), `"was_there": true`) {
		t.Errorf("asked %v, said %s", s.seen, s.out.String())
	}

	evil := tarOf(t, "../escaped", "evil")
	sum = sha256.Sum256(evil)
	serve("49154", evil, hex.EncodeToString(sum[:]))
	serve("49155", good, strings.Repeat("0", 64))
	for _, work := range []string{"49154", "49155", "49156"} {
		s.must(exitFailed, "results", "work:"+work, "-o", out)
	}
	entries, err := os.ReadDir(out)
	if err != nil || len(entries) != 1 {
		t.Errorf("the folder holds %v (%v)", entries, err)
	}
	if _, err := os.Lstat(filepath.Join(s.dir, "escaped")); err == nil {
		t.Error("a file got out")
	}
}
