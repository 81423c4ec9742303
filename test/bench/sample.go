package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// sample is what some stretches of work took together.
type sample struct {
	n      int           // works, calls or rows
	took   time.Duration // wall clock
	flow   time.Duration // CPU of this process: the flows, the store and the driver
	server time.Duration // CPU of the database server
}

func (s sample) plus(t sample) sample {
	return sample{s.n + t.n, s.took + t.took, s.flow + t.flow, s.server + t.server}
}

// rate is the number a second.
func (s sample) rate() float64 { return float64(s.n) / s.took.Seconds() }

// each gives milliseconds of a time for one work, call or row.
func (s sample) each(d time.Duration) float64 {
	return float64(d) / float64(time.Millisecond) / float64(s.n)
}

// measure runs f once and says what its n cost; server is the database's process.
func measure(server int, f func() (n int, err error)) (sample, error) {
	own, theirs, err := clocks(server)
	if err != nil {
		return sample{}, err
	}
	began := time.Now()
	n, err := f()
	took := time.Since(began)
	if err != nil {
		return sample{}, err
	}
	ownAfter, theirsAfter, err := clocks(server)
	return sample{n, took, ownAfter - own, theirsAfter - theirs}, err
}

func clocks(server int) (own, theirs time.Duration, err error) {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0, 0, fmt.Errorf("asking for the CPU time of this process: %w", err)
	}
	p, err := readProcess(server)
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()), p.cpu, err
}

// tick is the unit of /proc: USER_HZ is 100 on every Linux that Go runs on.
const tick = 10 * time.Millisecond

// proc is one process as /proc/PID/stat tells (proc(5)).
type proc struct {
	pid, parent int
	name        string        // the folder its program lies in: of a function, its name
	cpu         time.Duration // its own
	ended       time.Duration // of its children that have ended
}

func readProcess(pid int) (proc, error) {
	dir := filepath.Join("/proc", strconv.Itoa(pid))
	text, err := os.ReadFile(filepath.Join(dir, "stat"))
	if err != nil {
		return proc{}, fmt.Errorf("asking for the CPU time of a process: %w", err)
	}
	p, err := parseStat(string(text))
	if program, gone := os.Readlink(filepath.Join(dir, "exe")); gone == nil { // it may end at any time
		p.name = filepath.Base(filepath.Dir(program))
	}
	return p, err
}

// parseStat reads fields 1, 4 and 14 to 17 of a stat line. The second, the
// program in brackets, may hold anything.
func parseStat(line string) (proc, error) {
	end := strings.LastIndex(line, ") ")
	first, _, _ := strings.Cut(line, " ")
	if end < 0 {
		return proc{}, fmt.Errorf("a stat line of /proc reads %q", line)
	}
	fields := strings.Fields(line[end+2:]) // from field 3 on
	if len(fields) < 15 {
		return proc{}, fmt.Errorf("a stat line of /proc has %d fields behind the name", len(fields))
	}
	var numbers []int
	for _, field := range []string{first, fields[1], fields[11], fields[12], fields[13], fields[14]} {
		n, err := strconv.Atoi(field)
		if err != nil {
			return proc{}, fmt.Errorf("a stat line of /proc: %w", err)
		}
		numbers = append(numbers, n)
	}
	return proc{
		pid: numbers[0], parent: numbers[1],
		cpu: time.Duration(numbers[2]+numbers[3]) * tick, ended: time.Duration(numbers[4]+numbers[5]) * tick,
	}, nil
}

// children are the processes that a process started and that still run.
func children(parent int) ([]proc, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("listing processes: %w", err)
	}
	var out []proc
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		if p, err := readProcess(pid); err == nil && p.parent == parent { // others end as they like
			out = append(out, p)
		}
	}
	return out, nil
}

// parallel lets c callers call f one call after the other until d is over, and
// gives the number of calls. The first error ends it.
func parallel(ctx context.Context, c int, d time.Duration, f func(ctx context.Context, caller, call int) error) (int, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	end := time.Now().Add(d)
	var all sync.WaitGroup
	counts := make([]int, c)
	for caller := range c {
		all.Go(func() {
			for time.Now().Before(end) && ctx.Err() == nil {
				if err := f(ctx, caller, counts[caller]); err != nil {
					cancel(err)
					return
				}
				counts[caller]++
			}
		})
	}
	all.Wait()
	sum := 0
	for _, n := range counts {
		sum += n
	}
	return sum, context.Cause(ctx)
}

// together lets c callers call f once each and gives the first error.
func together(ctx context.Context, c int, f func(ctx context.Context, caller int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var all sync.WaitGroup
	for caller := range c {
		all.Go(func() {
			if err := f(ctx, caller); err != nil {
				cancel(err)
			}
		})
	}
	all.Wait()
	return context.Cause(ctx)
}

// median of some numbers; the lower of two in the middle.
func median(list []float64) float64 {
	sorted := slices.Sorted(slices.Values(list))
	return sorted[(len(sorted)-1)/2]
}
