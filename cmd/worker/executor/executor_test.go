//go:build linux

package executor

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The test binary is also the supervising process and the programs that are run.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case Command:
			os.Exit(Supervise())
		case "eat":
			eat()
		case "leave":
			leave(os.Args[2])
		case "stay":
			stay(os.Args[2])
		case "headless":
			headless(os.Args[2])
		case "kill-supervisor":
			_ = syscall.Kill(os.Getppid(), syscall.SIGKILL)
			for {
				_ = syscall.Pause()
			}
		case "worker":
			work(os.Args[2])
		}
	}
	os.Exit(m.Run())
}

// eat takes memory without end.
func eat() {
	for held := [][]byte{}; ; {
		chunk := make([]byte, 1<<20)
		for i := 0; i < len(chunk); i += 4096 {
			chunk[i] = 1
		}
		held = append(held, chunk)
		if len(held) > 1<<12 {
			os.Exit(0) // nobody stopped us: the limit does not work
		}
	}
}

// leave starts a process that leaves the session and the parent, as daemons do,
// and ends when it is up.
func leave(pidFile string) {
	child := exec.Command("/proc/self/exe", "stay", pidFile)
	child.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := child.Start(); err != nil {
		os.Exit(9)
	}
	for {
		if _, err := os.Stat(pidFile); err == nil {
			os.Exit(0)
		}
		time.Sleep(time.Millisecond)
	}
}

// stay writes its number and stays for ever.
func stay(pidFile string) {
	if err := os.WriteFile(pidFile+".new", []byte(strconv.Itoa(os.Getpid())), 0o600); err != nil {
		os.Exit(9)
	}
	if err := os.Rename(pidFile+".new", pidFile); err != nil {
		os.Exit(9)
	}
	for {
		_ = syscall.Pause()
	}
}

// work is a worker that starts one run and waits to be killed.
func work(dir string) {
	s := Spec{
		Mark: filepath.Base(dir) + ".", Path: "/bin/sh", Dir: dir,
		Args:   []string{"-c", `"$SELF" leave left; exec "$SELF" stay direct`},
		Env:    []string{"SELF=" + os.Args[0]},
		Stdout: filepath.Join(dir, "stdout"), Stderr: filepath.Join(dir, "stderr"),
	}
	r, err := Start(s)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(9)
	}
	_, _ = r.Wait()
	os.Exit(0)
}

func shell(t *testing.T, script string) Spec {
	t.Helper()
	dir := t.TempDir()
	out := filepath.Join(dir, "out")
	if err := os.Mkdir(out, 0o700); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return Spec{
		Mark: filepath.Base(dir) + "." + t.Name() + ".", Path: "/bin/sh", Args: []string{"-c", script}, Dir: dir,
		Env:    []string{"PATH=/usr/bin:/bin", "SELF=" + self},
		Stdout: filepath.Join(dir, "stdout"), Stderr: filepath.Join(dir, "stderr"), Output: out,
	}
}

func run(t *testing.T, s Spec) Outcome {
	t.Helper()
	r, err := Start(s)
	if err != nil {
		t.Fatal(err)
	}
	out, err := r.Wait()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestRunGetsOnlyItsOwnEnvironment(t *testing.T) {
	t.Setenv("WORKER_PASSWORD", "hush")
	s := shell(t, `env | sort; readlink /proc/self/fd/0; ls /proc/self/fd | wc -l; cat`)
	if out := run(t, s); out != (Outcome{}) {
		t.Fatalf("outcome %+v", out)
	}
	got := read(t, s.Stdout)
	want := Marker + "=" + s.Mark + "\nPATH=/usr/bin:/bin\nPWD=" + s.Dir
	for _, line := range strings.Split(want, "\n") {
		if !strings.Contains(got, line+"\n") {
			t.Errorf("no line %q in\n%s", line, got)
		}
	}
	if strings.Contains(got, "hush") {
		t.Errorf("the worker's own environment leaked:\n%s", got)
	}
	// Three streams and the folder that ls reads.
	if !strings.HasSuffix(got, "/dev/null\n4\n") {
		t.Errorf("want the empty input and no inherited file, got\n%s", got)
	}
}

func TestOutcomes(t *testing.T) {
	for name, c := range map[string]struct {
		script string
		change func(*Spec)
		want   string
	}{
		"status":       {script: "exit 3", want: "exit status 3"},
		"signal":       {script: "kill -SEGV $$", want: "killed by SIGSEGV"},
		"absent":       {change: func(s *Spec) { s.Path = "/nowhere/program" }, want: "/nowhere/program cannot be started: no such file or directory"},
		"wall clock":   {script: "exec sleep 1000", change: func(s *Spec) { s.Limits.Wall = time.Second }, want: "it ran longer than 1s"},
		"files":        {script: "touch out/a out/b out/c", change: func(s *Spec) { s.Limits.Files = 2 }, want: "its output has 3 files, 2 are allowed"},
		"output":       {script: "head -c 1001 /dev/zero >out/a", change: func(s *Spec) { s.Limits.Output = 1000 }, want: "its output has 1001 bytes, 1000 are allowed"},
		"just fitting": {script: "head -c 1000 /dev/zero >out/a", change: func(s *Spec) { s.Limits.Output, s.Limits.Files = 1000, 1 }},
		"while it runs": {
			script: "head -c 1001 /dev/zero >out/a; exec sleep 1000",
			change: func(s *Spec) { s.Limits.Output = 1000 }, want: "its output has 1001 bytes, 1000 are allowed",
		},
		"one large file": {
			script: "exec head -c 4m /dev/zero >out/a",
			change: func(s *Spec) { s.Limits.Scratch = 3 << 20 }, want: "it wrote a file larger than its disk space",
		},
		"many files": {
			script: "for i in 1 2 3; do head -c 1500k /dev/zero >$i; done; exec sleep 1000",
			change: func(s *Spec) { s.Limits.Scratch, s.Folder = 3<<20, s.Dir }, want: "it uses 4 MiB of disk, 3 are allowed",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := shell(t, c.script)
			if c.change != nil {
				c.change(&s)
			}
			if out := run(t, s); out.Reason != c.want || out.Killed {
				t.Errorf("outcome %+v, want reason %q", out, c.want)
			}
		})
	}
}

func TestMemoryOfTheWholeTreeIsLimited(t *testing.T) {
	s := shell(t, `"$SELF" eat & "$SELF" eat & wait`)
	s.Limits.Memory = 96 << 20
	if out := run(t, s); !strings.HasPrefix(out.Reason, "it used ") || !strings.HasSuffix(out.Reason, " 96 are allowed") {
		t.Errorf("outcome %+v", out)
	}
}

func TestStreamsAreCutAndNeverBlock(t *testing.T) {
	s := shell(t, `head -c 5m /dev/zero; head -c 3m /dev/zero >&2; echo done >out/end`)
	if out := run(t, s); out != (Outcome{}) {
		t.Fatalf("outcome %+v", out)
	}
	if n := len(read(t, s.Stdout)); n != MaxStream {
		t.Errorf("%d bytes of standard output kept", n)
	}
	if n := len(read(t, s.Stderr)); n != MaxStream {
		t.Errorf("%d bytes of standard error kept", n)
	}
	read(t, filepath.Join(s.Output, "end"))
}

func TestNothingOutlivesTheProgram(t *testing.T) {
	s := shell(t, `"$SELF" leave left; "$SELF" stay child & while [ ! -e child ]; do :; done`)
	if out := run(t, s); out != (Outcome{}) {
		t.Fatalf("outcome %+v", out)
	}
	wantDead(t, s.Dir, "left", "child")
}

func TestKillEndsTheWholeTree(t *testing.T) {
	s := shell(t, `trap "" TERM HUP INT; "$SELF" leave left; exec "$SELF" stay direct`)
	r, err := Start(s)
	if err != nil {
		t.Fatal(err)
	}
	await(t, filepath.Join(s.Dir, "direct"))
	r.Kill()
	r.Kill()
	out, err := r.Wait()
	if err != nil || !out.Killed {
		t.Fatalf("outcome %+v, %v", out, err)
	}
	wantDead(t, s.Dir, "left", "direct")
}

func TestProgramThatKillsItsSupervisorGainsNothing(t *testing.T) {
	s := shell(t, `"$SELF" leave left; exec "$SELF" kill-supervisor`)
	if out := run(t, s); !strings.HasPrefix(out.Reason, "the supervising process ended early") {
		t.Fatalf("outcome %+v", out)
	}
	wantDead(t, s.Dir, "left")
}

func TestNothingOutlivesTheWorker(t *testing.T) {
	dir := t.TempDir()
	worker := exec.Command(os.Args[0], "worker", dir)
	worker.Stderr = os.Stderr
	if err := worker.Start(); err != nil {
		t.Fatal(err)
	}
	await(t, filepath.Join(dir, "direct"))
	if err := worker.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = worker.Wait()
	for _, name := range []string{"left", "direct"} {
		gone(t, pid(t, filepath.Join(dir, name)))
	}
}

func TestSweepFindsByMarkAlone(t *testing.T) {
	dir := t.TempDir()
	mark := filepath.Base(dir) + ".1."
	start := func(name, mark string) *exec.Cmd {
		c := exec.Command(os.Args[0], "stay", filepath.Join(dir, name))
		c.Env = []string{"A=b", Marker + "=" + mark}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		await(t, filepath.Join(dir, name))
		return c
	}
	ours, other := start("ours", mark+"7."), start("other", "x"+mark)
	done := make(chan error, 1)
	go func() { done <- ours.Wait() }()
	if n, err := Sweep(mark); n == 0 || err != nil {
		t.Fatalf("killed %d, %v", n, err)
	}
	<-done
	if err := other.Process.Signal(syscall.Signal(0)); err != nil {
		t.Errorf("a process with another mark died: %v", err)
	}
	_ = other.Process.Kill()
	_ = other.Wait()
	if n, err := Sweep(mark); n != 0 || err != nil {
		t.Errorf("second sweep killed %d, %v", n, err)
	}
}

func TestLookReadsHostileNames(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "a) Z 1 (b")
	self, err := os.ReadFile("/bin/sleep")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, self, 0o700); err != nil {
		t.Fatal(err)
	}
	c := exec.Command(name, "1000")
	c.Args[0] = "sleep" // for machines where it is one program with many names
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	p, ok := look(c.Process.Pid)
	if !ok || p.parent != os.Getpid() || p.ended || p.started == 0 {
		t.Errorf("read %+v, %v", p, ok)
	}
	if err := p.kill(); err != nil {
		t.Fatal(err)
	}
	_ = c.Wait()
	p.started++
	if err := p.kill(); err != nil {
		t.Errorf("a process that is gone: %v", err)
	}
}

// await waits for a file that another process makes.
func await(t *testing.T, path string) {
	t.Helper()
	eventually(t, "no "+path, func() bool {
		_, err := os.Stat(path)
		return err == nil
	})
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for until := time.Now().Add(20 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal(what)
		}
	}
}

func pid(t *testing.T, path string) int {
	t.Helper()
	n, err := strconv.Atoi(string(bytes.TrimSpace([]byte(read(t, path)))))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func wantDead(t *testing.T, dir string, names ...string) {
	t.Helper()
	for _, name := range names {
		if p, ok := look(pid(t, filepath.Join(dir, name))); ok && !p.ended {
			t.Errorf("%s lives on: %+v", name, p)
		}
	}
}

func gone(t *testing.T, pid int) {
	t.Helper()
	eventually(t, fmt.Sprintf("process %d lives on", pid), func() bool {
		p, ok := look(pid)
		return !ok || p.ended
	})
}
