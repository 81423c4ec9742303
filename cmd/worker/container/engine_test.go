//go:build linux

package container

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"workerpool/cmd/worker/executor"
)

// spec makes the folders of a run.
func spec(t *testing.T, image string, args ...string) (Spec, string) {
	t.Helper()
	dir := t.TempDir()
	s := Spec{
		Mark: "1.1", Image: image, Args: args, CPU: 1, In: filepath.Join(dir, "in"), Out: filepath.Join(dir, "out"), Temp: filepath.Join(dir, "tmp"), Folder: dir,
		Limits: executor.Limits{Wall: time.Minute, Memory: 64 << 20, Output: 1 << 20, Files: 100, Scratch: 16 << 20},
	}
	for _, folder := range []string{s.In, s.Out, s.Temp} {
		if err := os.Mkdir(folder, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return s, dir
}

// fake is an engine that has no images but those that a pull brings. It is for the
// answers that a real one gives of registries and in trouble.
type fake struct {
	mu    sync.Mutex
	calls []string
	pull  func(w http.ResponseWriter, n int) // the nth, from 1
	here  bool
}

func (f *fake) engine(t *testing.T) *Engine {
	t.Helper()
	dir, err := os.MkdirTemp("", "engine") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	listener, err := net.Listen("unix", filepath.Join(dir, "sock"))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(f.answer))
	server.Listener.Close()
	server.Listener = listener
	server.Start()
	t.Cleanup(server.Close)
	return engine(t, "unix://"+filepath.Join(dir, "sock"))
}

func engine(t *testing.T, address string) *Engine {
	t.Helper()
	e, err := New(Config{
		Address: address, Images: []string{"*"}, Network: "none", Mark: fmt.Sprintf("test%d", os.Getpid()),
		Pause: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

func (f *fake) answer(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	w.Header().Set("Api-Version", "1.41")
	w.Header().Set("Content-Type", "application/json")
	path := strings.TrimPrefix(r.URL.Path, "/v1.41")
	switch {
	case path == "/_ping":
	case path == "/images/create":
		f.calls = append(f.calls, r.URL.Query().Get("fromImage")+" "+r.URL.Query().Get("tag"))
		f.pull(w, len(f.calls))
	case strings.HasPrefix(path, "/images/") && f.here:
		fmt.Fprint(w, `{"Id":"sha256:1"}`)
	default:
		told(w, http.StatusNotFound, "No such thing")
	}
}

func told(w http.ResponseWriter, status int, message string) {
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"message": message})
}

func TestPulling(t *testing.T) {
	unreachable := func(w http.ResponseWriter, _ int) { told(w, http.StatusInternalServerError, "dial tcp: no route") }
	for name, c := range map[string]struct {
		pull   func(f *fake) func(w http.ResponseWriter, n int)
		image  string
		tries  []string
		reason string // of the work's failure
		err    string // of the worker's
	}{
		"no such image": {
			pull: func(*fake) func(http.ResponseWriter, int) {
				return func(w http.ResponseWriter, _ int) { told(w, 404, "manifest unknown") }
			},
			image: "a/b:1", tries: []string{"docker.io/a/b 1"}, reason: "image docker.io/a/b:1 cannot be had: ",
		},
		"registry away": {
			pull:  func(*fake) func(http.ResponseWriter, int) { return unreachable },
			image: "a", tries: slices.Repeat([]string{"docker.io/library/a latest"}, pullTries), err: "pulling image docker.io/library/a:latest: ",
		},
		"broken off once": {
			pull: func(f *fake) func(http.ResponseWriter, int) {
				return func(w http.ResponseWriter, n int) {
					if n == 1 {
						fmt.Fprintln(w, `{"status":"Pulling"}`)
						fmt.Fprintln(w, `{"errorDetail":{"message":"unexpected EOF"},"error":"unexpected EOF"}`)
						return
					}
					f.here = true
				}
			},
			image: "a" + digest, tries: slices.Repeat([]string{"docker.io/library/a " + digest[1:]}, 2),
		},
		"comes to nothing": {
			pull:  func(*fake) func(http.ResponseWriter, int) { return func(http.ResponseWriter, int) {} },
			image: "a", tries: slices.Repeat([]string{"docker.io/library/a latest"}, pullTries), err: "image docker.io/library/a:latest was pulled and is not there",
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := &fake{}
			f.pull = c.pull(f)
			e := f.engine(t)
			ref, err := named(c.image)
			if err != nil {
				t.Fatal(err)
			}
			found, reason, err := e.image(t.Context(), ref)
			if (c.reason == "") != (reason == "") || !strings.HasPrefix(reason, c.reason) || (c.err == "") != (err == nil) || err != nil && !strings.HasPrefix(err.Error(), c.err) {
				t.Errorf("reason %q, error %v", reason, err)
			}
			if c.reason+c.err == "" && found.ID != "sha256:1" {
				t.Errorf("%+v", found)
			}
			if !slices.Equal(f.calls, c.tries) {
				t.Errorf("pulls %q, want %q", f.calls, c.tries)
			}
		})
	}
}

func TestPullEndsWithTheRunsTime(t *testing.T) {
	f := &fake{pull: func(w http.ResponseWriter, _ int) { told(w, http.StatusInternalServerError, "busy") }}
	e := f.engine(t)
	e.Pause = func(ctx context.Context, _ time.Duration) error {
		<-ctx.Done()
		return ctx.Err()
	}
	s, _ := spec(t, "a")
	s.Limits.Wall = time.Second
	if out, err := e.Run(t.Context(), s); err != nil || !strings.HasPrefix(out.Reason, "it ran longer than 1s: pulling image docker.io/library/a:latest: ") {
		t.Errorf("%+v, %v", out, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if out, err := e.Run(ctx, s); err != nil || !out.Killed {
		t.Errorf("%+v, %v", out, err)
	}
}

func TestAwayEngineIsNoFaultOfTheWork(t *testing.T) {
	e := engine(t, "unix:///nowhere/docker.sock")
	s, _ := spec(t, "a")
	if out, err := e.Run(t.Context(), s); err == nil || out.Reason != "" {
		t.Errorf("%+v, %v", out, err)
	}
	if err := e.Ready(t.Context()); err == nil {
		t.Error("ready without an engine")
	}
	if reason := e.Refusal(t.Context(), "a"); !strings.HasPrefix(reason, "the container engine does not answer here: ") {
		t.Error(reason)
	}
}

func TestRefusals(t *testing.T) {
	e := (&fake{}).engine(t)
	e.Images = []string{"a/*"}
	for image, want := range map[string]string{
		"a/b": "", "b": `image "b" is not allowed here`, "NOT": "", // that one fails: it would everywhere
	} {
		if got := e.Refusal(t.Context(), image); got != want {
			t.Errorf("%s: %q, want %q", image, got, want)
		}
	}
	s, _ := spec(t, "b")
	if out, err := e.Run(t.Context(), s); err != nil || out.Reason != `image "b" is no longer allowed here` {
		t.Errorf("%+v, %v", out, err)
	}
	s.Image = "NOT"
	if out, err := e.Run(t.Context(), s); err != nil || !strings.HasPrefix(out.Reason, `"NOT" is no image reference`) {
		t.Errorf("%+v, %v", out, err)
	}
}

func TestJudge(t *testing.T) {
	f := &fake{pull: func(w http.ResponseWriter, _ int) { told(w, http.StatusBadRequest, "No command specified") }}
	e := f.engine(t)
	ref, err := named("a")
	if err != nil {
		t.Fatal(err)
	}
	bad := e.pull(t.Context(), ref)
	if out, err := judge("making", bad, nil); err != nil || !strings.HasPrefix(out.Reason, "making: ") {
		t.Errorf("%+v, %v", out, err)
	}
	left := errors.New("still there")
	if out, err := judge("making", bad, left); !errors.Is(err, left) || out.Reason != "" {
		t.Errorf("%+v, %v", out, err)
	}
	if out, err := judge("making", left, nil); !errors.Is(err, left) || out.Reason != "" {
		t.Errorf("%+v, %v", out, err)
	}
}
