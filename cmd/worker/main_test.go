//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"workerpool/cmd/worker/executor"
	"workerpool/shared/wire"
)

// The test binary is also the worker and its supervising processes.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == executor.Command || os.Getenv("WORKER_TEST") != "" {
		main()
	}
	os.Exit(m.Run())
}

// script is a pool of one work for each run in offers: it offers them, then asks
// for each result, then stops it.
type script struct {
	*httptest.Server
	mu      sync.Mutex
	offers  map[int64]wire.Run
	latest  map[int64]wire.Report
	uploads int
	keys    map[string]bool
	seen    chan struct{} // a heartbeat came
}

func newScript(t *testing.T, offers map[int64]wire.Run) *script {
	t.Helper()
	s := &script{offers: offers, latest: map[int64]wire.Report{}, keys: map[string]bool{}, seen: make(chan struct{}, 1)}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /session", func(w http.ResponseWriter, r *http.Request) {
		answer(t, w, wire.Session{Token: "account", ExpiresIn: 3600})
	})
	mux.HandleFunc("POST /workers", func(w http.ResponseWriter, r *http.Request) {
		var in wire.Registration
		read(t, r.Body, &in)
		if _, err := in.Parse(); err != nil {
			t.Error(err)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.keys[in.Key] = true
		answer(t, w, wire.Registered{Worker: 1, Token: "worker", ExpiresIn: 3600})
	})
	mux.HandleFunc("POST /workers/1/heartbeat", func(w http.ResponseWriter, r *http.Request) {
		var in wire.Heartbeat
		read(t, r.Body, &in)
		answer(t, w, s.beat(t, in))
		select {
		case s.seen <- struct{}{}:
		default:
		}
	})
	mux.HandleFunc("POST /upload", func(w http.ResponseWriter, r *http.Request) {
		if _, _, err := r.FormFile("file"); err != nil {
			t.Error(err)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.uploads++
		w.WriteHeader(http.StatusNoContent)
	})
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

func read(t *testing.T, from io.Reader, into any) {
	if err := json.NewDecoder(from).Decode(into); err != nil {
		t.Error(err)
	}
}

func answer(t *testing.T, w io.Writer, body any) {
	if err := json.NewEncoder(w).Encode(body); err != nil {
		t.Error(err)
	}
}

func (s *script) beat(t *testing.T, in wire.Heartbeat) wire.Beat {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, _, err := in.Parse(1 << 30); err != nil {
		t.Error(err)
	}
	out := wire.Beat{State: "active", NextHeartbeatS: 1, Instructions: []wire.Instruction{}}
	for _, r := range in.Reports {
		s.latest[r.Work] = r
	}
	for work, run := range s.offers {
		do := wire.Instruction{Work: work, Attempt: 1, Do: wire.DoContinue}
		switch s.latest[work].State {
		case "":
			do.Do, do.Run = wire.DoStart, &run
		case "reported", "uploading":
			do.Do, do.Upload = wire.DoUpload, &wire.Link{URL: s.URL + "/upload", Expires: time.Now().Add(time.Hour)}
		case "uploaded", "failed", "refused":
			do.Do = wire.DoStop
		}
		out.Instructions = append(out.Instructions, do)
	}
	return out
}

// until waits for the latest report of a work to have a state.
func (s *script) until(t *testing.T, work int64, state string) wire.Report {
	t.Helper()
	late := time.After(60 * time.Second)
	for {
		s.mu.Lock()
		r := s.latest[work]
		s.mu.Unlock()
		if r.State == state {
			return r
		}
		select {
		case <-s.seen:
		case <-late:
			t.Fatalf("work %d is not %s but %+v", work, state, r)
		}
	}
}

func worker(t *testing.T, s *script, dir string, arguments ...string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	return workerAt(t, s.URL, dir, arguments...)
}

func workerAt(t *testing.T, pool, dir string, arguments ...string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte("hush"), 0o600); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	c := exec.Command(os.Args[0], append([]string{
		"-pool", pool, "-login", "w", "-password-file", password, "-dir", dir, "-slots", "2", "-memory-mb", "512", "-apps", "sh=/bin/sh -c",
	}, arguments...)...)
	c.Env = append(os.Environ(), "WORKER_TEST=1")
	c.Stdout, c.Stderr = &log, &log
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Process.Kill()
		if t.Failed() {
			t.Logf("the worker said:\n%s", log.String())
		}
	})
	return c, &log
}

func shell(text string) wire.Run {
	return wire.Run{App: wire.App{Type: "process", Name: "sh"}, Args: []string{text}, RunLimitS: 300, MaxResult: 1 << 20}
}

func exists(t *testing.T, path string) {
	t.Helper()
	for late := time.Now().Add(30 * time.Second); ; time.Sleep(2 * time.Millisecond) {
		if _, err := os.Stat(path); err == nil {
			return
		}
		if time.Now().After(late) {
			t.Fatal("no " + path)
		}
	}
}

// The worker is killed in the middle of a run, comes back, kills what is left and
// brings the work to its end under the same attempt and identity.
func TestKilledWorkerPicksUpItsRuns(t *testing.T) {
	dir, flags := t.TempDir(), t.TempDir()
	// The first life of the run leaves a child that is in a session of its own.
	run := shell(fmt.Sprintf(`cd %s; if [ -e pid ]; then echo result >"$IEXEC_OUT/r"; exit 0; fi
		setsid sleep 1000 & echo $! >pid.new; mv pid.new pid; wait`, flags))
	s := newScript(t, map[int64]wire.Run{5: run, 6: shell("echo quick")})
	first, log := worker(t, s, dir)
	exists(t, filepath.Join(flags, "pid"))
	s.until(t, 6, "uploaded")
	if err := first.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = first.Wait()
	if r := s.until(t, 5, "running"); r.Attempt != 1 {
		t.Errorf("%+v", r)
	}
	second, secondLog := worker(t, s, dir)
	r := s.until(t, 5, "uploaded")
	s.mu.Lock()
	if r.Attempt != 1 || s.uploads != 2 || len(s.keys) != 1 {
		t.Errorf("%+v, %d uploads, keys %v", r, s.uploads, s.keys)
	}
	s.mu.Unlock()
	text, err := os.ReadFile(filepath.Join(flags, "pid"))
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	if environment, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid)); err == nil && bytes.Contains(environment, []byte(executor.Marker)) {
		t.Error("a child of the killed run lives on")
	}
	if err := second.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := second.Wait(); err != nil {
		t.Errorf("the worker ended with %v", err)
	}
	for _, secret := range []string{"hush", "account", s.keyText()} {
		if strings.Contains(log.String()+secondLog.String(), secret) {
			t.Errorf("%q stands in the log", secret)
		}
	}
}

func (s *script) keyText() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key := range s.keys {
		return key
	}
	return ""
}

func TestTwoWorkersOnOneFolder(t *testing.T) {
	dir := t.TempDir()
	s := newScript(t, nil)
	first, _ := worker(t, s, dir)
	<-s.seen
	second, log := worker(t, s, dir)
	if err := second.Wait(); err == nil || !strings.Contains(log.String(), "another worker uses the directory") {
		t.Errorf("%v\n%s", err, log.String())
	}
	if err := first.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := first.Wait(); err != nil {
		t.Error(err)
	}
}

func TestSignalsEndTheWorker(t *testing.T) {
	// Two of a kind that are pending together would be one.
	one, two := []syscall.Signal{syscall.SIGTERM}, []syscall.Signal{syscall.SIGTERM, syscall.SIGINT}
	for name, c := range map[string]struct {
		grace   string
		signals []syscall.Signal
		text    string
		last    string
	}{
		"a run that ends within the grace": {"1h", one, `touch up; until [ -e go ]; do sleep 0.01; done`, "reported"},
		"no grace":                         {"0s", one, `touch up; exec sleep 1000`, "running"},
		"second signal":                    {"1h", two, `touch up; exec sleep 1000`, "running"},
	} {
		t.Run(name, func(t *testing.T) {
			dir, flags := t.TempDir(), t.TempDir()
			s := newScript(t, map[int64]wire.Run{5: shell("cd " + flags + "; " + c.text)})
			w, _ := worker(t, s, dir, "-grace", c.grace)
			s.until(t, 5, "running")
			exists(t, filepath.Join(flags, "up"))
			for _, number := range c.signals {
				if err := w.Process.Signal(number); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.WriteFile(filepath.Join(flags, "go"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := w.Wait(); err != nil {
				t.Error(err)
			}
			s.mu.Lock()
			got := s.latest[5].State
			s.mu.Unlock()
			if c.last == "running" && got != "running" || c.last == "reported" && got == "running" {
				t.Errorf("last report %q", got)
			}
			stored, err := os.ReadFile(filepath.Join(dir, "works", "5.1", "state.json"))
			if c.last == "running" && (err != nil || !bytes.Contains(stored, []byte(`"state":"running"`))) {
				t.Errorf("stored %s, %v", stored, err)
			}
		})
	}
}

// Root may read everything, so root becomes nobody for this.
func TestRunCannotReadTheWorkersEnvironment(t *testing.T) {
	base, err := os.MkdirTemp("", "worker")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(base) })
	words := filepath.Join(base, "words")
	s := newScript(t, map[int64]wire.Run{5: shell(fmt.Sprintf(
		`worker=$(cut -d " " -f 4 /proc/$PPID/stat); cat /proc/$PPID/environ /proc/$worker/environ >%s 2>&1; exit 7`, words))})
	self, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Chmod(base, 0o777), os.WriteFile(filepath.Join(base, "worker"), self, 0o755)); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	w := exec.Command(filepath.Join(base, "worker"), "-pool", s.URL, "-login", "w", "-dir", filepath.Join(base, "data"), "-apps", "sh=/bin/sh -c")
	w.Env = []string{"WORKER_TEST=1", "WORKER_PASSWORD=hush", "PATH=/usr/bin:/bin"}
	w.Stdout, w.Stderr = &log, &log
	if os.Getuid() == 0 {
		w.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Process.Kill() })
	if r := s.until(t, 5, "failed"); !strings.Contains(r.Reason, "exit status 7") {
		t.Errorf("%+v", r)
	}
	said, err := os.ReadFile(words)
	if err != nil || bytes.Contains(said, []byte("hush")) || bytes.Count(said, []byte("Permission denied")) != 2 {
		t.Errorf("the run read %q, %v", said, err)
	}
	if err := w.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := w.Wait(); err != nil {
		t.Errorf("%v\n%s", err, log.String())
	}
}

func TestSignalsEndAWorkerWhoseRunStoppedItsSupervisor(t *testing.T) {
	flags := t.TempDir()
	s := newScript(t, map[int64]wire.Run{5: shell("cd " + flags + "; kill -STOP $PPID; echo $$ >pid.new; mv pid.new pid; exec sleep 1000")})
	w, _ := worker(t, s, t.TempDir(), "-grace", "0s")
	exists(t, filepath.Join(flags, "pid"))
	if err := w.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := w.Wait(); err != nil {
		t.Error(err)
	}
	text, err := os.ReadFile(filepath.Join(flags, "pid"))
	if err != nil {
		t.Fatal(err)
	}
	if environment, err := os.ReadFile("/proc/" + strings.TrimSpace(string(text)) + "/environ"); err == nil && bytes.Contains(environment, []byte(executor.Marker)) {
		t.Error("the run lives on")
	}
}
