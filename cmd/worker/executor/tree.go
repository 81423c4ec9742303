//go:build linux

package executor

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// process is one line of the machine's process table.
type process struct {
	pid      int
	parent   int
	state    byte   // Z = ended, not yet waited for
	started  uint64 // ticks since boot: with pid it names one process for ever
	resident int64  // bytes, pages shared with others included
}

// processes reads the process table.
func processes() ([]process, error) {
	names, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("reading the process table: %w", err)
	}
	var all []process
	for _, name := range names {
		pid, err := strconv.Atoi(name.Name())
		if err != nil {
			continue
		}
		if p, ok := look(pid); ok {
			all = append(all, p)
		}
	}
	return all, nil
}

// look reads one process; false = it is gone.
func look(pid int) (process, bool) {
	text, err := os.ReadFile(procFile(pid, "stat"))
	if err != nil {
		return process{}, false
	}
	// The second field is the program's name in parentheses: it may hold anything.
	_, rest, found := bytes.Cut(text[bytes.LastIndexByte(text, ')')+1:], []byte(" "))
	fields := bytes.Fields(rest)
	if !found || len(fields) < 22 {
		return process{}, false
	}
	number := func(i int) int64 {
		n, _ := strconv.ParseInt(string(fields[i]), 10, 64) // the kernel writes numbers
		return n
	}
	return process{
		pid: pid, state: fields[0][0], parent: int(number(1)),
		started: uint64(number(19)), resident: number(21) * int64(os.Getpagesize()),
	}, true
}

// below gives the descendants of a process that still run.
func below(root int, all []process) []process {
	children := map[int][]process{}
	for _, p := range all {
		children[p.parent] = append(children[p.parent], p)
	}
	var found []process
	for next := children[root]; len(next) > 0; {
		p := next[0]
		next = append(next[1:], children[p.pid]...)
		if p.state != 'Z' {
			found = append(found, p)
		}
	}
	return found
}

// kill kills exactly this process, not a later one with the same number.
func (p process) kill() error {
	handle, err := unix.PidfdOpen(p.pid, 0)
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("taking hold of process %d: %w", p.pid, err)
	}
	defer unix.Close(handle)
	if now, ok := look(p.pid); !ok || now.started != p.started {
		return nil
	}
	if err := unix.PidfdSendSignal(handle, unix.SIGKILL, nil, 0); err != nil && !errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("killing process %d: %w", p.pid, err)
	}
	return nil
}

// memory gives the bytes of memory that processes use together. Shared pages are
// counted once for all who share them when the quick sum is above enough.
func memory(tree []process, enough int64) int64 {
	var quick, exact int64
	for _, p := range tree {
		quick += p.resident
	}
	if quick <= enough {
		return quick
	}
	for _, p := range tree {
		share, ok := proportional(p.pid)
		if !ok {
			share = p.resident
		}
		exact += share
	}
	return exact
}

// proportional reads a process's fair share of memory and swap, in bytes.
func proportional(pid int) (total int64, ok bool) {
	text, err := os.ReadFile(procFile(pid, "smaps_rollup"))
	if err != nil {
		return 0, false
	}
	for line := range bytes.Lines(text) {
		fields := bytes.Fields(line)
		if len(fields) == 3 && (string(fields[0]) == "Pss:" || string(fields[0]) == "SwapPss:") {
			kib, _ := strconv.ParseInt(string(fields[1]), 10, 64) // the kernel writes numbers
			total += kib << 10
			ok = true
		}
	}
	return total, ok
}

// Sweep kills every process on the machine whose environment has Marker with a
// value that begins with prefix: what an earlier life of the worker left behind.
// It gives the number of processes killed, and fails when one will not go.
func Sweep(prefix string) (killed int, err error) {
	mark := []byte(Marker + "=" + prefix)
	until := time.Now().Add(killPatience)
	for {
		left, err := marked(mark)
		if err != nil || len(left) == 0 {
			return killed, err
		}
		for _, p := range left {
			if err := p.kill(); err != nil {
				return killed, err
			}
			killed++
		}
		if time.Now().After(until) {
			return killed, fmt.Errorf("%d processes of earlier runs cannot be killed, the first is %d", len(left), left[0].pid)
		}
		time.Sleep(killPause)
	}
}

func marked(mark []byte) ([]process, error) {
	all, err := processes()
	if err != nil {
		return nil, err
	}
	var found []process
	for _, p := range all {
		if p.pid == os.Getpid() || p.state == 'Z' {
			continue
		}
		environment, err := os.ReadFile(procFile(p.pid, "environ"))
		if err != nil {
			continue // gone, or another account's: not started by us
		}
		for entry := range bytes.SplitSeq(environment, []byte{0}) {
			if bytes.HasPrefix(entry, mark) {
				found = append(found, p)
				break
			}
		}
	}
	return found, nil
}

func procFile(pid int, name string) string {
	return filepath.Join("/proc", strconv.Itoa(pid), name)
}
