//go:build linux

package turns

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"workerpool/cmd/worker/executor"
	"workerpool/cmd/worker/ledger"
	"workerpool/shared/client"
	"workerpool/shared/wire"
)

// The test binary is also the supervising process.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == executor.Command {
		os.Exit(executor.Supervise())
	}
	os.Exit(m.Run())
}

// bucket serves inputs and takes results; each upload waits for its status.
type bucket struct {
	*httptest.Server
	statuses chan int
	arrived  chan string // links' paths, one an upload

	mu       sync.Mutex
	failures int // of downloads still to come, 503 each
	taken    []byte
	large    int // bytes of the input of that name
	fetched  int
}

func newBucket(t *testing.T) *bucket {
	t.Helper()
	b := &bucket{statuses: make(chan int, 10), arrived: make(chan string, 10)}
	b.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/stall/") {
			w.Header().Set("Content-Length", "8")
			w.WriteHeader(http.StatusOK)
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
			return
		}
		if r.Method == http.MethodGet {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.fetched++
			if strings.HasPrefix(r.URL.Path, "/none/") {
				w.WriteHeader(http.StatusNotFound)
				return
			}
			if b.failures > 0 {
				b.failures--
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			if r.URL.Path == "/large" {
				_, _ = w.Write(make([]byte, b.large))
				return
			}
			fmt.Fprint(w, r.URL.Path)
			return
		}
		file, _, err := r.FormFile("file")
		if err != nil {
			t.Error(err)
			return
		}
		body, err := io.ReadAll(file)
		if err != nil {
			t.Error(err)
		}
		b.arrived <- r.URL.Path
		status := <-b.statuses
		b.mu.Lock()
		defer b.mu.Unlock()
		if status < 300 {
			b.taken = body
		}
		w.WriteHeader(status)
	}))
	t.Cleanup(b.Close)
	return b
}

func (b *bucket) input(name string) wire.Download {
	return wire.Download{
		Name: name, URL: b.URL + "/" + name, Size: int64(len(name) + 1), SHA256: fmt.Sprintf("%x", sha256.Sum256([]byte("/"+name))),
	}
}

func (b *bucket) largeInput() wire.Download {
	return wire.Download{Name: "large", URL: b.URL + "/large", Size: int64(b.large), SHA256: fmt.Sprintf("%x", sha256.Sum256(make([]byte, b.large)))}
}

func config(t *testing.T, b *bucket, dir string) Config {
	t.Helper()
	books, err := ledger.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	identity, _, err := books.Identity("https://pool.example.com")
	if err != nil {
		t.Fatal(err)
	}
	files, err := client.New(client.Config{URL: b.URL, Attempts: 1})
	if err != nil {
		t.Fatal(err)
	}
	return Config{
		Ledger: books, Files: files, Mark: identity.Mark, Slots: 2, MaxRun: time.Hour,
		Programs: map[string]Program{"sh": {Path: "/bin/sh", Args: []string{"-ec"}}},
		EnvAllow: []string{"APP_*", "MODE"},
		Memory:   1 << 30, Scratch: func() (int64, error) { return 1 << 30, nil }, MaxOutput: 1 << 20, MinFree: 1 << 20,
		Now: time.Now, Pause: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
		Free: func() (int64, error) { return 1 << 40, nil }, Log: slog.New(slog.DiscardHandler),
	}
}

func keep(t *testing.T, change func(*Config)) (*Keeper, *bucket) {
	t.Helper()
	b := newBucket(t)
	c := config(t, b, t.TempDir())
	if change != nil {
		change(&c)
	}
	k := New(c)
	t.Cleanup(k.Close)
	return k, b
}

func start(work int64, attempt int, script string, inputs ...wire.Download) wire.Instruction {
	return wire.Instruction{Work: work, Attempt: attempt, Do: wire.DoStart, Run: &wire.Run{
		App: wire.App{Type: "process", Name: "sh"}, Args: []string{script}, Inputs: inputs,
		Batch: 3, Index: 4, RunLimitS: 600, MaxResult: 1 << 20,
	}}
}

// until waits for the work's report to have a state, and gives it.
func until(t *testing.T, k *Keeper, work int64, state string) wire.Report {
	t.Helper()
	late := time.After(30 * time.Second)
	for {
		for _, r := range k.Reports() {
			if r.Work == work && r.State == state {
				return r
			}
			if r.Work == work && r.State == "failed" {
				t.Fatalf("failed: %s", r.Reason)
			}
		}
		select {
		case <-k.Changed():
		case <-late:
			t.Fatalf("work %d is not %s: %+v", work, state, k.Reports())
		}
	}
}

func TestLifeOfAnAssignment(t *testing.T) {
	k, b := keep(t, nil)
	b.failures = 2
	script := `cat "$IEXEC_IN/a" "$IEXEC_INPUT_FILES_FOLDER/$IEXEC_INPUT_FILE_NAME_2" >"$IEXEC_OUT/both"
		env | sort >"$IEXEC_OUT/env"; echo words; pwd >"$HOME/x"; echo y >"$TMPDIR/y"`
	offer := start(1, 1, script, b.input("a"), b.input("b"))
	offer.Run.Env = map[string]string{"MODE": "fast", "APP_LEVEL": "3"}
	k.Obey([]wire.Instruction{offer})
	if r := until(t, k, 1, "running"); r.SHA256 != "" || r.Attempt != 1 {
		t.Errorf("running reported as %+v", r)
	}
	k.Obey([]wire.Instruction{offer, {Work: 1, Attempt: 1, Do: wire.DoContinue}})
	reported := until(t, k, 1, "reported")
	if b.fetched != 4 {
		t.Errorf("%d downloads, want 2 failed and 2 good", b.fetched)
	}
	folder := k.Ledger.Folder(1, 1)
	if words, err := os.ReadFile(filepath.Join(folder, "stdout.txt")); string(words) != "words\n" {
		t.Errorf("standard output %q, %v", words, err)
	}
	for _, name := range runFolders {
		if _, err := os.Stat(filepath.Join(folder, name)); err == nil {
			t.Errorf("folder %q takes up disk still", name)
		}
	}
	k.Obey([]wire.Instruction{{Work: 1, Attempt: 1, Do: wire.DoHold}, offer})
	until(t, k, 1, "reported")

	upload := wire.Instruction{Work: 1, Attempt: 1, Do: wire.DoUpload, Upload: &wire.Link{
		URL: b.URL + "/up", Fields: map[string]string{"key": "k"}, Expires: time.Now().Add(time.Hour),
	}}
	k.Obey([]wire.Instruction{upload})
	if r := until(t, k, 1, "uploading"); r.SHA256 != reported.SHA256 || r.Size != reported.Size {
		t.Errorf("uploading reported as %+v", r)
	}
	k.Obey([]wire.Instruction{upload, upload})
	b.statuses <- 503
	b.statuses <- 500
	b.statuses <- 204
	if r := until(t, k, 1, "uploaded"); r.SHA256 != reported.SHA256 {
		t.Errorf("uploaded reported as %+v", r)
	}
	if got := fmt.Sprintf("%x", sha256.Sum256(b.taken)); got != reported.SHA256 || int64(len(b.taken)) != reported.Size {
		t.Errorf("the bucket has %s, reported was %s", got, reported.SHA256)
	}
	for _, want := range []string{
		"/a/b", "IEXEC_TASK_ID=1\n", "IEXEC_BATCH=3\n", "IEXEC_TASK_INDEX=4\n", "IEXEC_BOT_TASK_INDEX=4\n",
		"IEXEC_INPUT_FILES_NUMBER=2\n", "IEXEC_INPUT_FILE_NAME_1=a\n", "MODE=fast\n", "APP_LEVEL=3\n", "PATH=" + searchPath + "\n",
	} {
		if !bytes.Contains(b.taken, []byte(want)) {
			t.Errorf("no %q in the result", want)
		}
	}
	k.Obey([]wire.Instruction{upload, {Work: 1, Attempt: 2, Do: wire.DoStop}})
	until(t, k, 1, "uploaded")
	k.Obey([]wire.Instruction{{Work: 1, Attempt: 1, Do: wire.DoStop}})
	if r := k.Reports(); len(r) != 0 {
		t.Errorf("after stop %+v", r)
	}
	<-k.Refuse()
	if _, err := os.Stat(folder); !os.IsNotExist(err) {
		t.Errorf("the folder is still there: %v", err)
	}
}

func TestRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Config)
		offer  func(*wire.Run)
		want   string
	}{
		"program": {offer: func(r *wire.Run) { r.App.Name = "rm" }, want: `program "rm" is not allowed here`},
		"type":    {offer: func(r *wire.Run) { r.App.Type = "docker" }, want: "this worker runs no docker applications"},
		"variable": {
			offer: func(r *wire.Run) { r.Env = map[string]string{"APP_A": "1", "BASH_ENV": "/evil", "MODE": "x"} },
			want:  `the work sets the variable "BASH_ENV", which is not allowed here`,
		},
		"beginning": {offer: func(r *wire.Run) { r.Env = map[string]string{"MODES": "1"} }, want: `sets the variable "MODES"`},
		"path":      {change: allowAll, offer: func(r *wire.Run) { r.Env = map[string]string{"PATH": "/evil"} }, want: `sets the variable "PATH"`},
		"home":      {change: allowAll, offer: func(r *wire.Run) { r.Env = map[string]string{"HOME": "/evil"} }, want: `sets the variable "HOME"`},
		"iexec":     {change: allowAll, offer: func(r *wire.Run) { r.Env = map[string]string{"IEXEC_OUT": "/evil"} }, want: `sets the variable "IEXEC_OUT"`},
		"slots":     {change: func(c *Config) { c.Slots = 0 }, want: "all 0 slots are taken"},
		"time":      {offer: func(r *wire.Run) { r.RunLimitS = 3601 }, want: "a run of 1h0m1s is not allowed here, at most 1h0m0s"},
		"memory":    {offer: func(r *wire.Run) { r.MemoryMB = 1025 }, want: "it wants 1025 MiB of memory, a run may use 1024 here"},
		"disk":      {change: func(c *Config) { c.Free = func() (int64, error) { return 1<<20 - 1, nil } }, want: "too little disk: 0 MiB are free, 1 are needed"},
		"inputs": {
			change: func(c *Config) { c.Free = func() (int64, error) { return 2 << 20, nil } },
			offer:  func(r *wire.Run) { r.Inputs = []wire.Download{{Size: 1<<20 + 1}} }, want: "too little disk: 2 MiB are free, 2 are needed",
		},
		"full": {change: func(c *Config) { fullDisk(c.Ledger) }, want: "no space left on device"},
	} {
		t.Run(name, func(t *testing.T) {
			k, _ := keep(t, c.change)
			offer := start(1, 1, "true")
			if c.offer != nil {
				c.offer(offer.Run)
			}
			k.Obey([]wire.Instruction{offer})
			if r := until(t, k, 1, "refused"); !strings.Contains(r.Reason, c.want) || r.Attempt != 1 {
				t.Errorf("%+v, want %q", r, c.want)
			}
			k.Obey([]wire.Instruction{{Work: 1, Attempt: 1, Do: wire.DoStop}})
			if r := k.Reports(); len(r) != 0 {
				t.Errorf("after stop %+v", r)
			}
		})
	}
}

// allowAll allows by name what is never allowed.
func allowAll(c *Config) { c.EnvAllow = []string{"PATH", "HOME", "TMPDIR", "IEXEC_*"} }

// fullDisk makes the first assignment's state land on a device that is full.
func fullDisk(l *ledger.Ledger) {
	folder := l.Folder(1, 1)
	_ = os.MkdirAll(folder, 0o700)
	_ = os.Symlink("/dev/full", filepath.Join(folder, "state.json.new"))
}

func TestFailures(t *testing.T) {
	for name, c := range map[string]struct {
		script string
		change func(*Config)
		offer  func(*wire.Run, *bucket)
		want   string
	}{
		"status": {script: "exit 4", want: "exit status 4"},
		"words": {
			script: `head -c 2m /dev/zero >&2; printf 'first\nTraceback:\t\033[31m\303\251\377 no such file\n' >&2; exit 4`,
			want:   "exit status 4: first Traceback: [31mé? no such file",
		},
		"disk full":       {script: "exit 4", change: func(c *Config) { freeThen(c, 1<<40, 1000) }, want: "exit status 4; the worker's disk is full (no space left on device)"},
		"time":            {script: "exec sleep 1000", offer: func(r *wire.Run, _ *bucket) { r.RunLimitS = 1 }, want: "it ran longer than 1s"},
		"memory":          {script: `x=$(head -c 64m /dev/zero | tr "\0" x); sleep 1000; echo "$x"`, offer: func(r *wire.Run, _ *bucket) { r.MemoryMB = 32 }, want: "MiB of memory, 32 are allowed"},
		"output":          {script: `head -c 4000 /dev/zero >"$IEXEC_OUT/f"`, offer: func(r *wire.Run, _ *bucket) { r.MaxResult = 3999 }, want: "its output has 4000 bytes, 3999 are allowed"},
		"archive":         {script: `head -c 4000 /dev/zero >"$IEXEC_OUT/f"`, offer: func(r *wire.Run, _ *bucket) { r.MaxResult = 4000 }, want: "the result is too large"},
		"link for output": {script: `rmdir "$IEXEC_OUT"; ln -s "$IEXEC_IN" "$IEXEC_OUT"`, want: "the output folder is a symbolic link"},
		"file for output": {script: `rmdir "$IEXEC_OUT"; echo >"$IEXEC_OUT"`, want: "the output folder is no folder"},
		"disk in inputs": {
			script: `for i in 1 2 3; do head -c 800k /dev/zero >"$IEXEC_IN/$i"; done; exec sleep 1000`,
			change: func(c *Config) { c.Scratch = func() (int64, error) { return 2 << 20, nil } }, want: "it uses 2 MiB of disk, 2 are allowed",
		},
		"disk in its folder": {
			script: `for i in 1 2 3; do head -c 800k /dev/zero >"$IEXEC_IN/../$i"; done`,
			change: func(c *Config) { c.Scratch = func() (int64, error) { return 2 << 20, nil } }, want: "it uses 2 MiB of disk, 2 are allowed",
		},
		"link":     {script: `ln -s / "$IEXEC_OUT/l"`, want: "symbolic link"},
		"computed": {script: `echo '{"deterministic-output-path":"/iexec_out/x"}' >"$IEXEC_OUT/computed.json"`, want: "does not exist"},
		"digest":   {offer: func(r *wire.Run, b *bucket) { r.Inputs[0].SHA256 = strings.Repeat("0", 64) }, want: `input "a": downloading: the digest is`},
		"missing":  {offer: func(r *wire.Run, b *bucket) { r.Inputs[0].URL = b.URL + "/none/a" }, want: `input "a": GET /none/a: 404`},
		"bad name": {offer: func(r *wire.Run, b *bucket) { r.Inputs[0].Name = "../a" }, want: `input "../a" is no file name`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k, b := keep(t, c.change)
			offer := start(1, 1, c.script, b.input("a"))
			if c.offer != nil {
				c.offer(offer.Run, b)
			}
			k.Obey([]wire.Instruction{offer})
			for {
				r := k.Reports()[0]
				if r.State == "failed" {
					if !strings.Contains(r.Reason, c.want) {
						t.Errorf("reason %q, want %q", r.Reason, c.want)
					}
					if _, err := r.Parse("", 1<<20); err != nil {
						t.Errorf("the pool would not take the report: %v", err)
					}
					return
				}
				if r.State != "running" {
					t.Fatalf("%+v, want failed", r)
				}
				<-k.Changed()
			}
		})
	}
}

// freeThen makes the free space one thing at the offer and another later.
func freeThen(c *Config, first, later int64) {
	var once sync.Once
	c.Free = func() (int64, error) {
		free := later
		once.Do(func() { free = first })
		return free, nil
	}
}
