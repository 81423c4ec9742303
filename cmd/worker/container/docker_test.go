//go:build linux && docker

package container

import (
	"archive/tar"
	"bytes"
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/moby/moby/client"

	"workerpool/cmd/worker/executor"
)

// These tests need an engine (DOCKER_HOST) and no registry: the test binary itself,
// linked without a loader, is the one file of the images.
func TestMain(m *testing.M) {
	if os.Args[0] == inside {
		act(os.Args[1], os.Args[2:])
		return
	}
	os.Exit(m.Run())
}

const inside = "/app"

// docker is the real engine.
func docker(t *testing.T) *Engine {
	t.Helper()
	host := os.Getenv("DOCKER_HOST")
	if host == "" {
		t.Fatal("no DOCKER_HOST: make test-docker")
	}
	e := engine(t, host)
	e.Pause = func(ctx context.Context, d time.Duration) error {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(d):
			return nil
		}
	}
	t.Cleanup(func() {
		if left := containers(t, e); len(left) != 0 {
			t.Errorf("containers are left: %v", left)
		}
	})
	return e
}

// layer is a tar of the test binary.
func layer(t *testing.T) []byte {
	t.Helper()
	self, err := elf.Open(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	defer self.Close()
	if slices.ContainsFunc(self.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP }) {
		t.Fatal("the test needs CGO_ENABLED=0, to be a program without libraries")
	}
	text, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	err = errors.Join(
		w.WriteHeader(&tar.Header{Name: strings.TrimPrefix(inside, "/"), Mode: 0o755, Size: int64(len(text))}),
		func() error { _, err := w.Write(text); return err }(),
		w.Close(),
	)
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// built makes an image FROM scratch; changes are lines of a Dockerfile.
func built(t *testing.T, e *Engine, changes ...string) string {
	t.Helper()
	name := strings.ToLower("workerpool.test/" + e.Mark + "/" + strings.ReplaceAll(t.Name(), "/", "-") + ":1")
	answer, err := e.api.ImageImport(t.Context(), client.ImageImportSource{Source: bytes.NewReader(layer(t)), SourceName: "-"}, name, client.ImageImportOptions{Changes: changes})
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Close()
	if text, err := io.ReadAll(answer); err != nil || bytes.Contains(text, []byte("errorDetail")) {
		t.Fatalf("%s, %v", text, err)
	}
	t.Cleanup(func() { unmade(t, e, name) })
	return name
}

func unmade(t *testing.T, e *Engine, image string) {
	if _, err := e.api.ImageRemove(context.Background(), image, client.ImageRemoveOptions{Force: true}); err != nil {
		t.Error(err)
	}
}

const entry = `ENTRYPOINT ["` + inside + `"]`

// containers are those of the engine's worker.
func containers(t *testing.T, e *Engine) (ids []string) {
	t.Helper()
	all, err := e.api.ContainerList(context.Background(), client.ContainerListOptions{All: true, Filters: client.Filters{}.Add("label", label+"="+e.Mark)})
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range all.Items {
		ids = append(ids, one.ID)
	}
	return ids
}

func content(t *testing.T, path ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestDockerIsReady(t *testing.T) {
	e := docker(t)
	if err := e.Ready(t.Context()); err != nil {
		t.Error(err)
	}
}

// What a run gets, and that it gets no more.
func TestDockerRun(t *testing.T) {
	e := docker(t)
	s, dir := spec(t, built(t, e, entry, "USER 0", "ENV OWN=1 IEXEC_OUT=/elsewhere", "HEALTHCHECK --interval=1ms CMD [\""+inside+"\", \"touch\", \"/iexec_out/health\"]"), "look", "a b")
	s.Env = []string{"IEXEC_IN=/iexec_in", "IEXEC_OUT=/iexec_out", "APP=x"}
	if err := os.WriteFile(filepath.Join(s.In, "input"), []byte("of the work"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := e.Run(t.Context(), s)
	if err != nil || out != (executor.Outcome{}) {
		t.Fatalf("%+v, %v\n%s", out, err, content(t, dir, "stderr.txt"))
	}
	user, group := account()
	want := fmt.Sprintf(`args ["a b"]
input of the work
OWN=1 APP=x IEXEC_OUT=/iexec_out
account %d %d
interfaces [lo]
host run
CapEff: 0000000000000000
NoNewPrivs: 1
Seccomp: 2
/iexec_in/x: false
/x: false
/iexec_out/x: true
/tmp/x: true
init true
`, user, group)
	if got := content(t, s.Out, "seen"); got != want {
		t.Errorf("the run saw\n%s\nwant\n%s", got, want)
	}
	if said := content(t, dir, "stdout.txt") + content(t, dir, "stderr.txt"); said != "to stdout\nto stderr\n" {
		t.Errorf("it said %q", said)
	}
	if _, err := os.Stat(filepath.Join(s.Out, "health")); err == nil {
		t.Error("the image's health check ran")
	}
}

func TestDockerFailures(t *testing.T) {
	e := docker(t)
	for name, c := range map[string]struct {
		changes []string
		args    []string
		change  func(*Spec)
		want    string
		words   string
		trouble string // of the engine: the work may be none the worse
	}{
		"status":     {args: []string{"exit", "3"}, want: "exit status 3", words: "ends with 3"},
		"signal":     {args: []string{"crash"}, want: "exit status 137 (SIGKILL)"},
		"time":       {args: []string{"wait"}, change: func(s *Spec) { s.Limits.Wall = 2 * time.Second }, want: "it ran longer than 2s", words: "waits"},
		"memory":     {args: []string{"hog"}, want: "exit status 137: it wanted more than the 64 MiB of memory that are allowed"},
		"disk":       {args: []string{"fill", Temp, "100000", "1000"}, want: "MiB of disk, 16 are allowed"},
		"volume":     {args: []string{"fill", "/data", "100000", "1000"}, changes: []string{"VOLUME /data"}, want: "MiB of disk, 16 are allowed"},
		"one file":   {args: []string{"fill", Temp, "1000000000", "1"}, want: "exit status 1", words: "file too large"},
		"output":     {args: []string{"fill", Out, "1000000", "2"}, want: "its output has 2000000 bytes, 1048576 are allowed"},
		"files":      {args: []string{"fill", Out, "1", "101"}, want: "its output has 101 files, 100 are allowed"},
		"elsewhere":  {args: []string{"fill", "/", "1", "1"}, want: "exit status 1", words: "read-only file system"},
		"no program": {changes: []string{`ENTRYPOINT ["/nowhere"]`}, want: "exit status 127", words: "/nowhere"},
		"no command": {changes: []string{"ENV A=1"}, change: func(s *Spec) { s.Args = nil }, want: "making the container: "},
		"trouble":    {changes: []string{entry, "WORKDIR /app/x"}, args: []string{"exit", "0"}, trouble: "making the container: "},
	} {
		t.Run(name, func(t *testing.T) {
			if c.changes == nil || strings.HasPrefix(c.changes[0], "VOLUME") {
				c.changes = append(c.changes, entry)
			}
			s, dir := spec(t, built(t, e, c.changes...), c.args...)
			if c.change != nil {
				c.change(&s)
			}
			out, err := e.Run(t.Context(), s)
			if c.trouble != "" {
				if err == nil || !strings.HasPrefix(err.Error(), c.trouble) || out.Reason != "" {
					t.Errorf("%+v, %v, want the trouble %q", out, err, c.trouble)
				}
				return
			}
			if err != nil || out.Killed || !strings.Contains(out.Reason, c.want) || !strings.Contains(out.Words, c.words) {
				t.Errorf("%+v, %v, want %q, %q in %s", out, err, c.want, c.words, dir)
			}
		})
	}
}

// The limit of processes holds a fork bomb, and nothing of it is left.
func TestDockerForkBomb(t *testing.T) {
	e := docker(t)
	s, dir := spec(t, built(t, e, entry), "bomb")
	s.Limits.Memory = 2 << 30 // it is not what stops it
	out, err := e.Run(t.Context(), s)
	if err != nil || out.Reason != "" {
		t.Fatalf("%+v, %v\n%s", out, err, content(t, dir, "stderr.txt"))
	}
	var made int
	if _, err := fmt.Sscan(content(t, s.Out, "made"), &made); err != nil || made < 10 || made > maxPIDs {
		t.Errorf("it made %d processes, %v", made, err)
	}
}

func TestDockerWordsAreCapped(t *testing.T) {
	e := docker(t)
	s, dir := spec(t, built(t, e, entry), "shout", fmt.Sprint(3*executor.MaxStream))
	out, err := e.Run(t.Context(), s)
	if err != nil || out.Reason != "exit status 4" || len(out.Words) != 200 || !strings.HasSuffix(out.Words, "x the last words") {
		t.Errorf("%+v, %v", out, err)
	}
	for _, name := range []string{"stdout.txt", "stderr.txt"} {
		if n := len(content(t, dir, name)); n != executor.MaxStream {
			t.Errorf("%s has %d bytes", name, n)
		}
	}
}

// running waits for a run to say that it waits, by a file.
func running(t *testing.T, s Spec) {
	t.Helper()
	for late := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if _, err := os.Stat(filepath.Join(s.Out, "waits")); err == nil {
			return
		}
		if time.Now().After(late) {
			t.Fatal("it does not run")
		}
	}
}

func TestDockerRunIsKilled(t *testing.T) {
	e := docker(t)
	s, _ := spec(t, built(t, e, entry), "wait")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan executor.Outcome, 1)
	go func() {
		out, err := e.Run(ctx, s)
		if err != nil {
			t.Error(err)
		}
		done <- out
	}()
	running(t, s)
	if _, err := e.Sweep(t.Context()); err != nil || len(containers(t, e)) != 1 {
		t.Errorf("a sweep took the container of a run that goes on: %v", err)
	}
	cancel()
	if out := <-done; !out.Killed {
		t.Errorf("%+v", out)
	}
}

// An engine that is stopped, and a person who stops a container, ask the program to
// end. What it then leaves is no result, however well it ends.
func TestDockerEndedBySomebodyElse(t *testing.T) {
	e := docker(t)
	image := built(t, e, entry)
	for args, stop := range map[string]func(id string) error{
		"obey": func(id string) error {
			_, err := e.api.ContainerStop(t.Context(), id, client.ContainerStopOptions{})
			return err
		},
		"wait": func(id string) error {
			_, err := e.api.ContainerKill(t.Context(), id, client.ContainerKillOptions{Signal: "KILL"})
			return err
		},
	} {
		s, _ := spec(t, image, args)
		done := make(chan error, 1)
		go func() {
			out, err := e.Run(t.Context(), s)
			if out.Reason != "" {
				t.Errorf("%s: %+v", args, out)
			}
			done <- err
		}()
		running(t, s)
		if err := stop(name(e.Mark, s.Mark)); err != nil {
			t.Error(err)
		}
		if err := <-done; err == nil || !strings.HasPrefix(err.Error(), "somebody else ended the container") {
			t.Errorf("%s: %v", args, err)
		}
	}
}

// The container of a worker that was killed is in the way of nothing: a sweep takes
// it, and so does the run that begins again.
func TestDockerLeftovers(t *testing.T) {
	first, second, other := docker(t), docker(t), docker(t)
	other.Mark += "other"
	image := built(t, first, entry)
	again := func(take func(s Spec)) {
		t.Helper()
		s, _ := spec(t, image, "wait")
		done := make(chan struct{})
		go func() {
			defer close(done)
			_, _ = first.Run(t.Context(), s) // of a life that is over: nobody hears
		}()
		running(t, s)
		take(s)
		<-done
	}
	again(func(Spec) {
		if n, err := other.Sweep(t.Context()); n != 0 || err != nil {
			t.Errorf("another worker removed %d, %v", n, err)
		}
		if n, err := second.Sweep(t.Context()); n != 1 || err != nil {
			t.Errorf("removed %d, %v", n, err)
		}
	})
	again(func(Spec) {
		s, _ := spec(t, image, "exit", "0")
		if out, err := second.Run(t.Context(), s); err != nil || out.Reason != "" {
			t.Errorf("%+v, %v", out, err)
		}
	})
}

// A worker that is not root runs images as itself.
func TestDockerOfAnotherAccount(t *testing.T) {
	if os.Geteuid() != 0 {
		TestDockerRun(t) // this is one
		return
	}
	base, err := os.MkdirTemp("", "worker")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(base) })
	self, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(base, "test")
	if err := errors.Join(os.Chmod(base, 0o777), os.WriteFile(program, self, 0o755)); err != nil {
		t.Fatal(err)
	}
	socket, err := os.Stat(strings.TrimPrefix(os.Getenv("DOCKER_HOST"), "unix://"))
	if err != nil {
		t.Fatal(err)
	}
	for folder := filepath.Dir(strings.TrimPrefix(os.Getenv("DOCKER_HOST"), "unix://")); folder != "/"; folder = filepath.Dir(folder) {
		if info, err := os.Stat(folder); err == nil && info.Mode()&0o001 == 0 {
			if err := os.Chmod(folder, info.Mode()|0o011); err != nil { // the folder of an engine started for this
				t.Fatal(err)
			}
		}
	}
	c := exec.Command(program, "-test.v", "-test.run", "^(TestDockerRun|TestDockerFailures)$")
	c.Env = append(os.Environ(), "TMPDIR="+base)
	c.Dir = base
	c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 12345, Gid: socket.Sys().(*syscall.Stat_t).Gid}}
	if text, err := c.CombinedOutput(); err != nil || bytes.Count(text, []byte("\n--- PASS: TestDocker")) != 2 {
		t.Errorf("%v\n%s", err, text)
	}
}
