// Package process starts the programs of the local stack so that none of them
// outlives it: each is the head of a process group of its own, and the kernel
// ends it when this program dies, even by kill -9. It owns that guarantee and
// nothing about what the programs do.
package process

import (
	"errors"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// starter runs every fork on one thread that lives as long as the program: the
// kernel's parent-death signal follows the thread that forked, not the process,
// so a child forked on a thread that Go later ends would be killed too early.
var starter = sync.OnceValue(func() chan<- func() {
	calls := make(chan func())
	go func() {
		runtime.LockOSThread()
		for call := range calls {
			call()
		}
	}()
	return calls
})

// Start starts cmd as the head of a new process group that dies with this
// program. The caller must Wait for it.
func Start(cmd *exec.Cmd) error {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
	dieWithParent(cmd.SysProcAttr)
	started := make(chan error, 1)
	starter() <- func() { started <- cmd.Start() }
	return <-started
}

// Kill ends cmd and everything it started in its process group, at once. It is
// harmless on a process that has ended, and must not be called before Start.
func Kill(cmd *exec.Cmd) {
	// The only error is "no such process", which is what was wanted.
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
}

// Stop asks cmd to end, waits until ended is closed, and kills its group when
// that takes longer than grace. The one who calls Wait must close ended.
func Stop(cmd *exec.Cmd, ended <-chan struct{}, grace time.Duration) error {
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		<-ended
		return nil
	}
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-ended:
		return nil
	case <-timer.C:
		Kill(cmd)
		<-ended
		return errors.New("did not end within " + grace.String() + " of being asked to, and was killed")
	}
}
