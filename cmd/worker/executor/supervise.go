//go:build linux

package executor

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// FilesEvery is the least time between two looks at the files of a run.
const FilesEvery = time.Second

const (
	memoryEvery  = 250 * time.Millisecond
	killPause    = 10 * time.Millisecond
	killPatience = 5 * time.Second // for what was killed to be dead
)

// Supervise is the supervising process: it reads a Spec from standard input, runs
// it, and writes the Outcome to standard output when no process of the run is
// left. It gives the process's exit status.
func Supervise() int {
	runtime.LockOSThread() // the program's death signal is bound to this thread
	// A manager that signals the whole group means the worker: it will tell us.
	signal.Notify(make(chan os.Signal, 1), unix.SIGTERM, unix.SIGINT, unix.SIGHUP)

	in := json.NewDecoder(os.Stdin)
	var spec Spec
	if err := in.Decode(&spec); err != nil {
		fmt.Fprintln(os.Stderr, "worker: reading the run:", err)
		return 1
	}
	gone := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // any end of it means the same
		close(gone)
	}()
	out, err := supervise(spec, gone)
	if err != nil {
		fmt.Fprintln(os.Stderr, "worker:", err)
		return 1
	}
	if err := json.NewEncoder(os.Stdout).Encode(out); err != nil {
		fmt.Fprintln(os.Stderr, "worker: answering:", err)
		return 1
	}
	return 0
}

func supervise(s Spec, gone <-chan struct{}) (Outcome, error) {
	if err := prepare(s.Limits); err != nil {
		return Outcome{}, err
	}
	stdout, err := Capture(s.Stdout)
	if err != nil {
		return Outcome{}, err
	}
	stderr, err := Capture(s.Stderr)
	if err != nil {
		return Outcome{}, err
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		return Outcome{}, fmt.Errorf("opening the empty input: %w", err)
	}
	before := OnDisk(s.Folder)
	pid, err := syscall.ForkExec(s.Path, append([]string{s.Path}, s.Args...), &syscall.ProcAttr{
		Dir: s.Dir, Env: append([]string{Marker + "=" + s.Mark}, s.Env...),
		Files: []uintptr{null.Fd(), stdout.In.Fd(), stderr.In.Fd()},
		Sys:   &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL},
	})
	if err != nil {
		return Outcome{Reason: cannotStart(s.Path, err)}, nil
	}
	family := reap(pid)
	out, err := watch(s, before, family, gone)
	if err != nil {
		return Outcome{}, err
	}
	if err := family.killAll(); err != nil {
		return Outcome{}, err
	}
	if err := errors.Join(stdout.End(), stderr.End()); err != nil {
		return Outcome{}, err
	}
	if out.Reason == "" && !out.Killed {
		out.Reason, _ = TooMuch(s, before) // the last look, at what is final
	}
	if out.Reason != "" {
		out.Words = stderr.Words()
	}
	return out, nil
}

// prepare makes this process the one that orphans of the run come to, and sets
// what the program inherits.
func prepare(l Limits) error {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("becoming the subreaper: %w", err)
	}
	// The worker itself may have been started with files that are not for the run.
	if err := unix.CloseRange(3, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC); err != nil {
		return fmt.Errorf("keeping files from the program: %w", err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return fmt.Errorf("forbidding core files: %w", err)
	}
	if l.Scratch > 0 {
		// Our own files are the two streams.
		most := uint64(max(l.Scratch, 2*MaxStream))
		if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: most, Max: most}); err != nil {
			return fmt.Errorf("limiting the size of files: %w", err)
		}
	}
	// When the machine is out of memory a run is to die before the worker. Some
	// containers forbid this; the run is none the worse.
	_ = os.WriteFile("/proc/self/oom_score_adj", []byte("500"), 0)
	return Conceal()
}

// watch waits for the end of the program or for the reason to end it. before is
// what the folder had on disk before, bytes.
func watch(s Spec, before int64, f *family, gone <-chan struct{}) (Outcome, error) {
	var wall <-chan time.Time
	if s.Limits.Wall > 0 {
		timer := time.NewTimer(s.Limits.Wall)
		defer timer.Stop()
		wall = timer.C
	}
	memoryTick := time.NewTicker(memoryEvery)
	defer memoryTick.Stop()
	files := time.NewTimer(FilesEvery)
	defer files.Stop()
	for {
		select {
		case status := <-f.ended:
			return Outcome{Reason: explain(status)}, nil
		case <-gone:
			return Outcome{Killed: true}, nil
		case <-wall:
			return Outcome{Reason: TooLong(s.Limits.Wall)}, nil
		case <-memoryTick.C:
			if s.Limits.Memory <= 0 {
				continue
			}
			tree, err := below(os.Getpid())
			if err != nil {
				return Outcome{}, err
			}
			if used := memory(tree, s.Limits.Memory); used > s.Limits.Memory {
				return Outcome{Reason: fmt.Sprintf("it used %d MiB of memory, %d are allowed", used>>20, s.Limits.Memory>>20)}, nil
			}
		case <-files.C:
			reason, took := TooMuch(s, before)
			if reason != "" {
				return Outcome{Reason: reason}, nil
			}
			files.Reset(max(FilesEvery, 20*took)) // looking costs a twentieth of the time at most
		}
	}
}

// family is the program and all that comes from it.
type family struct {
	ended chan syscall.WaitStatus // of the program itself
	died  chan struct{}           // a process was waited for
	none  chan struct{}           // closed when no process is left
}

// reap waits for every process that ends below this one.
func reap(program int) *family {
	f := &family{ended: make(chan syscall.WaitStatus, 1), died: make(chan struct{}, 1), none: make(chan struct{})}
	go func() {
		defer close(f.none)
		for {
			var status syscall.WaitStatus
			pid, err := syscall.Wait4(-1, &status, 0, nil)
			switch {
			case errors.Is(err, syscall.EINTR):
				continue
			case err != nil: // ECHILD: nobody is left
				return
			case pid == program:
				f.ended <- status
			}
			select {
			case f.died <- struct{}{}:
			default:
			}
		}
	}()
	return f
}

// killAll kills until nobody is left: killing a parent makes its children ours,
// and the next pass sees those it made meanwhile.
func (f *family) killAll() error {
	patience := time.NewTimer(killPatience)
	defer patience.Stop()
	for {
		tree, err := below(os.Getpid())
		if err != nil {
			return err
		}
		for _, p := range tree {
			if err := p.kill(); err != nil {
				return err
			}
		}
		pause := time.NewTimer(killPause)
		select {
		case <-f.none:
			pause.Stop()
			return nil
		case <-patience.C:
			return fmt.Errorf("the run's processes did not die within %v", killPatience)
		case <-f.died:
		case <-pause.C:
		}
	}
}
