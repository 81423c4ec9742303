//go:build linux

package executor

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// process is one line of the machine's process table.
type process struct {
	pid      int
	parent   int
	ended    bool   // and not yet waited for
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
		// A process whose first thread has ended looks so too, while others go on.
		pid: pid, ended: fields[0][0] == 'Z' && number(17) <= 1, parent: int(number(1)),
		started: uint64(number(19)), resident: number(21) * int64(os.Getpagesize()),
	}, true
}

// below gives the descendants of a process that still run. It asks for children
// of children, for the table of a machine may be long. It may miss some when
// others end meanwhile.
func below(root int) ([]process, error) {
	if !childrenListed() {
		all, err := processes()
		return within(root, all), err
	}
	var found []process
	for next := listed(root); len(next) > 0; {
		pid := next[0]
		next = append(next[1:], listed(pid)...)
		if p, ok := look(pid); ok && !p.ended {
			found = append(found, p)
		}
	}
	return found, nil
}

// childrenListed tells that this kernel lists the children of each process.
var childrenListed = sync.OnceValue(func() bool {
	_, err := os.Stat("/proc/thread-self/children")
	return err == nil
})

// listed gives the children of a process, those of all its threads.
func listed(pid int) []int {
	threads, err := os.ReadDir(procFile(pid, "task"))
	if err != nil {
		return nil // it is gone
	}
	var all []int
	for _, thread := range threads {
		text, err := os.ReadFile(filepath.Join(procFile(pid, "task"), thread.Name(), "children"))
		if err != nil {
			continue // it is gone
		}
		for field := range bytes.FieldsSeq(text) {
			child, _ := strconv.Atoi(string(field)) // the kernel writes numbers
			all = append(all, child)
		}
	}
	return all
}

// within gives the descendants of a process that still run, out of all processes.
func within(root int, all []process) []process {
	children := map[int][]process{}
	for _, p := range all {
		children[p.parent] = append(children[p.parent], p)
	}
	var found []process
	for next := children[root]; len(next) > 0; {
		p := next[0]
		next = append(next[1:], children[p.pid]...)
		if !p.ended {
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
// value that begins with prefix, and all below it: what an earlier life of the
// worker left behind. It gives the number of processes killed, and fails when one
// will not go.
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

// marked gives the processes with the mark, each after what is below it.
func marked(mark []byte) ([]process, error) {
	all, err := processes()
	if err != nil {
		return nil, err
	}
	var found []process
	for _, p := range all {
		if p.pid == os.Getpid() || p.ended || !bears(p.pid, mark) {
			continue
		}
		found = append(append(found, within(p.pid, all)...), p)
	}
	return found, nil
}

// bears tells that a process has the mark: in its environment or, as supervising
// processes do, on its command line. One that is not ours to kill bears none.
func bears(pid int, mark []byte) bool {
	environment, _ := os.ReadFile(procFile(pid, "environ")) // gone, shut, or another account's
	command, _ := os.ReadFile(procFile(pid, "cmdline"))
	for _, text := range [][]byte{environment, command} {
		for entry := range bytes.SplitSeq(text, []byte{0}) {
			if bytes.HasPrefix(entry, mark) {
				return !errors.Is(unix.Kill(pid, 0), unix.EPERM)
			}
		}
	}
	return false
}

func procFile(pid int, name string) string {
	return filepath.Join("/proc", strconv.Itoa(pid), name)
}
