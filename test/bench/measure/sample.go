// Package measure tells what a stretch of work takes of this process, of other
// processes and of a database server that is durable as in production. It must not
// know what is measured.
package measure

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Sample is what some stretches of work took together.
type Sample struct {
	N      int           // works, calls or rows
	Took   time.Duration // wall clock
	Flow   time.Duration // CPU of this process: the flows, the store and the driver
	Server time.Duration // CPU of the database server
}

// Plus is both together.
func (s Sample) Plus(t Sample) Sample {
	return Sample{s.N + t.N, s.Took + t.Took, s.Flow + t.Flow, s.Server + t.Server}
}

// Rate is the number a second.
func (s Sample) Rate() float64 { return float64(s.N) / s.Took.Seconds() }

// Each gives milliseconds of a time for one work, call or row.
func (s Sample) Each(d time.Duration) float64 {
	return float64(d) / float64(time.Millisecond) / float64(s.N)
}

// Measure runs f once and says what its n cost; server is the database's process.
func Measure(server int, f func() (n int, err error)) (Sample, error) {
	own, theirs, err := Clocks(server)
	if err != nil {
		return Sample{}, err
	}
	began := time.Now()
	n, err := f()
	took := time.Since(began)
	if err != nil {
		return Sample{}, err
	}
	ownAfter, theirsAfter, err := Clocks(server)
	return Sample{n, took, ownAfter - own, theirsAfter - theirs}, err
}

// Clocks gives the CPU time that this process and another have had.
func Clocks(server int) (own, theirs time.Duration, err error) {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0, 0, fmt.Errorf("asking for the CPU time of this process: %w", err)
	}
	p, err := ReadProcess(server)
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()), p.CPU, err
}

// tick is the unit of /proc: USER_HZ is 100 on every Linux that Go runs on.
const tick = 10 * time.Millisecond

// Process is one process as /proc/PID/stat tells (proc(5)).
type Process struct {
	PID, Parent int
	Name        string        // the folder its program lies in: of a function, its name
	CPU         time.Duration // its own
	Ended       time.Duration // of its children that have ended
}

// ReadProcess looks at a process.
func ReadProcess(pid int) (Process, error) {
	dir := filepath.Join("/proc", strconv.Itoa(pid))
	text, err := os.ReadFile(filepath.Join(dir, "stat"))
	if err != nil {
		return Process{}, fmt.Errorf("asking for the CPU time of a process: %w", err)
	}
	p, err := parseStat(string(text))
	if program, gone := os.Readlink(filepath.Join(dir, "exe")); gone == nil { // it may end at any time
		p.Name = filepath.Base(filepath.Dir(program))
	}
	return p, err
}

// parseStat reads fields 1, 4 and 14 to 17 of a stat line. The second, the
// program in brackets, may hold anything.
func parseStat(line string) (Process, error) {
	end := strings.LastIndex(line, ") ")
	first, _, _ := strings.Cut(line, " ")
	if end < 0 {
		return Process{}, fmt.Errorf("a stat line of /proc reads %q", line)
	}
	fields := strings.Fields(line[end+2:]) // from field 3 on
	if len(fields) < 15 {
		return Process{}, fmt.Errorf("a stat line of /proc has %d fields behind the name", len(fields))
	}
	var numbers []int
	for _, field := range []string{first, fields[1], fields[11], fields[12], fields[13], fields[14]} {
		n, err := strconv.Atoi(field)
		if err != nil {
			return Process{}, fmt.Errorf("a stat line of /proc: %w", err)
		}
		numbers = append(numbers, n)
	}
	return Process{
		PID: numbers[0], Parent: numbers[1],
		CPU: time.Duration(numbers[2]+numbers[3]) * tick, Ended: time.Duration(numbers[4]+numbers[5]) * tick,
	}, nil
}

// Children are the processes that a process started and that still run.
func Children(parent int) ([]Process, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("listing processes: %w", err)
	}
	var out []Process
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		if p, err := ReadProcess(pid); err == nil && p.Parent == parent { // others end as they like
			out = append(out, p)
		}
	}
	return out, nil
}

// Parallel lets c callers call f one call after the other until d is over, and
// gives the number of calls. The first error ends it.
func Parallel(ctx context.Context, c int, d time.Duration, f func(ctx context.Context, caller, call int) error) (int, error) {
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

// Together lets c callers call f once each and gives the first error.
func Together(ctx context.Context, c int, f func(ctx context.Context, caller int) error) error {
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

// Median of some numbers; the lower of two in the middle.
func Median(list []float64) float64 {
	sorted := slices.Sorted(slices.Values(list))
	return sorted[(len(sorted)-1)/2]
}

// Load is the machine's load average of the last minute.
func Load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	first, _, _ := strings.Cut(string(text), " ")
	return first
}

// Processor is its name as the kernel has it.
func Processor() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	for line := range strings.Lines(string(text)) {
		if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}
