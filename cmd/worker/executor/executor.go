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
//
// A run has the account of the supervising process and can stop or kill it. So the
// worker is a subreaper too: it kills a supervising process that is late, and then
// all that falls to it. A process that calls Start must start no other children:
// they would be taken for such leftovers.
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
	Output string // folder that Limits.Output and Limits.Files are about
	Folder string // what Limits.Scratch is about; Output is below it. What it has at the start does not count
	Limits Limits
}

// Limits of a run. Zero is no limit.
type Limits struct {
	Wall    time.Duration
	Memory  int64 // bytes of all its processes together
	Output  int64 // bytes of the files below Output, holes included
	Files   int   // files and folders below Output
	Scratch int64 // bytes on disk below Folder; also the size of any one file
}

// MaxStream is how much of standard output and of standard error is kept, bytes.
const MaxStream = 1 << 20

// Outcome is how a run ended.
type Outcome struct {
	Reason string `json:"reason"` // why it failed; "" = the program ended by itself with status 0
	Words  string `json:"words"`  // the end of its standard error, 200 bytes at most; "" when Reason is
	Killed bool   `json:"killed"` // it was ended by Kill or by the end of the worker
}

// answerPatience is how long after the end of its time, or after Kill, a
// supervising process may take to answer before it is killed itself.
const answerPatience = killPatience + 2*time.Second

// Run is a program being run.
type Run struct {
	process *exec.Cmd
	wall    time.Duration
	begun   time.Time
	hold    io.Closer // the program lives while it is open
	once    sync.Once
	killed  chan struct{} // closed by Kill
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
	c.Args[0] = Marker + "=" + s.Mark // Sweep finds it by this: its environment is shut
	c.Env = []string{}
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
	if err := supervisors.start(c); err != nil {
		return nil, fmt.Errorf("starting the supervising process: %w", err)
	}
	r := &Run{process: c, wall: s.Limits.Wall, begun: time.Now(), hold: hold, killed: make(chan struct{}), answer: answer}
	if _, err := hold.Write(append(order, '\n')); err != nil {
		r.Kill()
		_ = r.end(answerPatience) // the error to tell is the one above it
		return nil, fmt.Errorf("telling the supervising process what to run: %w", err)
	}
	return r, nil
}

// Kill ends the run. It returns at once; Wait tells when everything is dead. It
// may be called at any time, by anyone, more than once.
func (r *Run) Kill() {
	r.once.Do(func() {
		close(r.killed)
		_ = r.hold.Close()
	})
}

// Wait waits for the end of the run, when no process of it is left, and for some
// seconds more than its time at most, whatever the run does to the supervising
// process. It is called once. An error means that leftovers could not be killed.
func (r *Run) Wait() (Outcome, error) {
	out, err := r.hear()
	killed := false
	select {
	case <-r.killed:
		killed = true
	default:
	}
	r.Kill()
	patience := answerPatience
	if errors.Is(err, errLate) {
		patience = 0
	}
	endErr := r.end(patience)
	if err == nil && endErr == nil && (killed || !out.Killed) {
		return out, nil
	}
	// The program may have stopped or killed the process above it: what it left is
	// now ours.
	if err := errors.Join(supervisors.clear(), unended(endErr)); err != nil {
		return Outcome{}, err
	}
	switch {
	case killed:
		return Outcome{Killed: true}, nil
	case errors.Is(err, errLate):
		return Outcome{Reason: TooLong(r.wall)}, nil
	case endErr != nil:
		err = endErr
	}
	return Outcome{Reason: fmt.Sprintf("the supervising process ended early: %v", err)}, nil
}

var (
	errLate    = errors.New("no answer in time")
	errUndying = errors.New("the supervising process does not die")
)

// unended keeps of an end's errors the one that means that there was none.
func unended(err error) error {
	if errors.Is(err, errUndying) {
		return err
	}
	return nil
}

// hear waits for the supervising process's answer, not longer than it may take.
func (r *Run) hear() (Outcome, error) {
	type answer struct {
		out Outcome
		err error
	}
	heard := make(chan answer, 1)
	go func() {
		var a answer
		a.err = json.NewDecoder(r.answer).Decode(&a.out)
		heard <- a
	}()
	var late <-chan time.Time
	if r.wall > 0 {
		late = time.After(time.Until(r.begun.Add(r.wall + answerPatience)))
	}
	select {
	case a := <-heard:
		return a.out, a.err
	case <-late:
		return Outcome{}, errLate
	case <-r.killed:
	}
	select {
	case a := <-heard:
		return a.out, a.err
	case <-time.After(answerPatience):
		return Outcome{}, errLate
	}
}

// end waits for the supervising process's own end and brings it about after
// patience.
func (r *Run) end(patience time.Duration) error {
	ended := make(chan error, 1)
	go func() { ended <- supervisors.wait(r.process) }()
	select {
	case err := <-ended:
		return err
	case <-time.After(patience):
	}
	_ = r.process.Process.Kill() // it fails when there is nobody to kill
	select {
	case err := <-ended:
		return err
	case <-time.After(killPatience):
		return fmt.Errorf("process %d: %w within %v", r.process.Process.Pid, errUndying, killPatience)
	}
}

// TooLong gives the reason of a run whose time is over.
func TooLong(wall time.Duration) string {
	return fmt.Sprintf("it ran longer than %v", wall.Round(time.Second))
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
