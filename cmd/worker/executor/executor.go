//go:build linux

// Package executor runs one program under limits and lets nothing of it survive.
// It owns the supervising process, the process tree below it, the limits and the
// capture of what the program says. It must not know the pool, assignments or
// where files come from.
//
// Start runs the worker's own executable again with the argument Command; that
// process is the subreaper of the program, so that a child which leaves its
// session or loses its parent stays below it. The supervising process kills the
// whole tree when the program ends, breaks a limit, or when the pipe from the
// worker closes: by Kill, or by the worker's death.
package executor

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Command is the first argument of the supervising process: main must call
// Supervise when it sees it.
const Command = "supervise"

// Marker is the environment variable that every process of a run inherits. Sweep
// finds leftovers by it.
const Marker = "IEXEC_WORKER_RUN"

// Spec is one run.
type Spec struct {
	Mark   string   // value of Marker; unique to this run and no beginning of another's
	Path   string   // the program
	Args   []string // without the program's own name
	Env    []string // the whole environment, without Marker
	Dir    string   // where it begins
	Stdout string   // file that gets the first MaxStream bytes; the rest is dropped
	Stderr string
	Output string   // folder that Limits.Output and Limits.Files are about
	Others []string // further folders it may fill; with Output they are bound by Limits.Scratch
	Limits Limits
}

// Limits of a run. Zero is no limit.
type Limits struct {
	Wall    time.Duration
	Memory  int64 // bytes of all its processes together
	Output  int64 // bytes of the files below Output, holes included
	Files   int   // files and folders below Output
	Scratch int64 // bytes on disk below Output and Others; also the size of any one file
}

// MaxStream is how much of standard output and of standard error is kept, bytes.
const MaxStream = 1 << 20

// Outcome is how a run ended.
type Outcome struct {
	Reason string `json:"reason"` // why it failed; "" = the program ended by itself with status 0
	Killed bool   `json:"killed"` // it was ended by Kill or by the end of the worker
}

// Run is a program being run.
type Run struct {
	mark    string
	process *exec.Cmd
	hold    io.Closer // the program lives while it is open
	once    sync.Once
	answer  io.Reader
}

// Start starts a program. An error means that nothing runs; a program that cannot
// be executed is an Outcome.
func Start(s Spec) (*Run, error) {
	order, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("encoding the run: %w", err)
	}
	// The executable's file may have been replaced since the worker started.
	c := exec.Command("/proc/self/exe", Command)
	c.Args[0] = "worker"
	c.Env = []string{Marker + "=" + s.Mark}
	c.Stderr = os.Stderr
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // a terminal's Ctrl-C is for the worker alone
	hold, err := c.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("making the supervising process's input: %w", err)
	}
	answer, err := c.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("making the supervising process's output: %w", err)
	}
	if err := c.Start(); err != nil {
		return nil, fmt.Errorf("starting the supervising process: %w", err)
	}
	r := &Run{mark: s.Mark, process: c, hold: hold, answer: answer}
	if _, err := hold.Write(append(order, '\n')); err != nil {
		r.Kill()
		_ = c.Wait() // the error to tell is the one above it
		return nil, fmt.Errorf("telling the supervising process what to run: %w", err)
	}
	return r, nil
}

// Kill ends the run. It returns at once; Wait tells when everything is dead. It
// may be called at any time, by anyone, more than once.
func (r *Run) Kill() { r.once.Do(func() { _ = r.hold.Close() }) }

// Wait waits for the end of the run, when no process of it is left. It is called
// once. An error means that leftovers could not be killed.
func (r *Run) Wait() (Outcome, error) {
	var out Outcome
	decodeErr := json.NewDecoder(r.answer).Decode(&out)
	r.Kill()
	waitErr := r.process.Wait()
	if decodeErr == nil && waitErr == nil {
		return out, nil
	}
	// The program may have killed the process above it: what it left has our mark.
	if _, err := Sweep(r.mark); err != nil {
		return Outcome{}, err
	}
	if waitErr == nil {
		waitErr = decodeErr
	}
	return Outcome{Reason: "the supervising process ended early: " + waitErr.Error()}, nil
}

// explain gives the reason in the words of Outcome; "" = status 0.
func explain(status syscall.WaitStatus) string {
	switch {
	case status.Signaled() && status.Signal() == syscall.SIGXFSZ:
		return "it wrote a file larger than its disk space"
	case status.Signaled():
		return "killed by " + unix.SignalName(status.Signal())
	case status.ExitStatus() != 0:
		return fmt.Sprintf("exit status %d", status.ExitStatus())
	}
	return ""
}

// cannotStart gives the reason of a program that was not executed.
func cannotStart(path string, err error) string {
	if errors.Is(err, syscall.ENOEXEC) {
		return path + " is no program of this machine"
	}
	return fmt.Sprintf("%s cannot be started: %v", path, err)
}
