package meter

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Sample is what the pool's processes take at one moment.
type Sample struct {
	At    float64            `json:"at_s"`   // from the beginning
	RSS   map[string]float64 `json:"rss_mb"` // by part: host, database, and each function's sandboxes together
	CPU   map[string]float64 `json:"cpu_s"`  // used so far by processes that live
	Count map[string]int     `json:"processes"`
}

// Sum is the memory of all parts, in MB.
func (s Sample) Sum() float64 {
	sum := 0.0
	for _, mb := range s.RSS {
		sum += mb
	}
	return sum
}

// ticksPerSecond is the kernel's unit in /proc/PID/stat, the same on every Linux.
const ticksPerSecond = 100

// Watch samples a process and all below it once a second until ctx ends. Where there
// is no /proc there are no samples.
func (m *Meter) Watch(ctx context.Context, pid int) func() []Sample {
	var mu sync.Mutex
	var samples []Sample
	go func() {
		again := time.NewTicker(time.Second)
		defer again.Stop()
		for {
			if s, ok := sample(pid); ok {
				s.At = m.Since().Seconds()
				mu.Lock()
				samples = append(samples, s)
				mu.Unlock()
			}
			select {
			case <-ctx.Done():
				return
			case <-again.C:
			}
		}
	}()
	return func() []Sample {
		mu.Lock()
		defer mu.Unlock()
		return append([]Sample(nil), samples...)
	}
}

// processLine is what is read of one process.
type processLine struct {
	parent int
	cpu    float64 // seconds
	rss    float64 // MB
}

func sample(root int) (Sample, bool) {
	out := Sample{RSS: map[string]float64{}, CPU: map[string]float64{}, Count: map[string]int{}}
	all := map[int]processLine{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat") // the pattern is well formed
	for _, path := range stats {
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		text, gone := os.ReadFile(path)
		if err == nil && gone == nil {
			all[pid] = parseStat(text)
		}
	}
	below := func(pid int) bool {
		for ; pid > 1; pid = all[pid].parent {
			if pid == root {
				return true
			}
		}
		return false
	}
	for pid, line := range all {
		if !below(pid) {
			continue
		}
		part := "host"
		if pid != root {
			part = partOf(pid)
		}
		out.RSS[part] += line.rss
		out.CPU[part] += line.cpu
		out.Count[part]++
	}
	return out, len(out.RSS) > 0
}

// partOf names a process: a function is called like the folder of its bootstrap.
func partOf(pid int) string {
	program, err := os.Readlink(filepath.Join("/proc", strconv.Itoa(pid), "exe"))
	switch {
	case err != nil:
		return "other"
	case filepath.Base(program) == "bootstrap":
		return filepath.Base(filepath.Dir(program))
	case strings.Contains(filepath.Base(program), "maria"), strings.Contains(filepath.Base(program), "mysql"):
		return "database"
	}
	return "other"
}

// parseStat reads /proc/PID/stat; the name in it may have spaces and brackets.
func parseStat(text []byte) processLine {
	_, rest, _ := strings.Cut(string(text[max(0, bytes.LastIndexByte(text, ')')):]), " ")
	fields := strings.Fields(rest)
	number := func(i int) float64 {
		if i >= len(fields) {
			return 0
		}
		n, _ := strconv.ParseFloat(fields[i], 64) // 0 for what is no number
		return n
	}
	return processLine{
		parent: int(number(1)), cpu: (number(11) + number(12)) / ticksPerSecond,
		rss: number(21) * float64(os.Getpagesize()) / (1 << 20),
	}
}

// Growth gives by how many percent the memory grew in the second half of a time: the
// mean of its last quarter over that of the quarter before.
func Growth(samples []Sample, from, to time.Duration) float64 {
	mean := func(from, to float64) float64 {
		sum, n := 0.0, 0
		for _, s := range samples {
			if s.At >= from && s.At < to {
				sum += s.Sum()
				n++
			}
		}
		if n == 0 {
			return 0
		}
		return sum / float64(n)
	}
	quarter := (to - from).Seconds() / 4
	end := to.Seconds()
	before := mean(end-2*quarter, end-quarter)
	if before == 0 {
		return 0
	}
	return (mean(end-quarter, end)/before - 1) * 100
}
