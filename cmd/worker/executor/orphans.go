//go:build linux

package executor

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// supervisors are the supervising processes of this process. Every other child of
// it is an orphan: it was below a supervising process that died before its time.
var supervisors = children{pids: map[int]bool{}}

type children struct {
	mu   sync.Mutex // held while a child is made, so that none is unknown
	pids map[int]bool
}

// start starts a supervising process, after making this process the one that its
// orphans come to.
func (c *children) start(command *exec.Cmd) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("becoming the subreaper: %w", err)
	}
	if err := command.Start(); err != nil {
		return err
	}
	c.pids[command.Process.Pid] = true
	return nil
}

// wait waits for a supervising process's end.
func (c *children) wait(command *exec.Cmd) error {
	err := command.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.pids, command.Process.Pid)
	return err
}

// clear kills orphans, and what is below them, until there are none.
func (c *children) clear() error {
	for until := time.Now().Add(killPatience); ; time.Sleep(killPause) {
		left, err := c.killOrphans()
		if err != nil || left == 0 {
			return err
		}
		if time.Now().After(until) {
			return fmt.Errorf("%d orphans of the run did not die within %v", left, killPatience)
		}
	}
}

// killOrphans gives how many orphans it found. Killing one makes its children
// orphans, for the next time.
func (c *children) killOrphans() (found int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	// The list of children that the kernel keeps is not whole when one ends while it
	// is read. This is rare enough to look at everything.
	all, err := processes()
	if err != nil {
		return 0, err
	}
	for _, p := range all {
		if p.parent != os.Getpid() || c.pids[p.pid] {
			continue
		}
		found++
		for _, one := range append(within(p.pid, all), p) {
			if err := one.kill(); err != nil {
				return found, err
			}
		}
		if p.ended {
			if _, err := syscall.Wait4(p.pid, nil, syscall.WNOHANG, nil); err != nil && !errors.Is(err, syscall.ECHILD) && !errors.Is(err, syscall.EINTR) {
				return found, fmt.Errorf("waiting for process %d: %w", p.pid, err)
			}
		}
	}
	return found, nil
}
