//go:build linux

// Package machine finds out what the machine offers. It measures and never
// decides what of it the pool is told.
package machine

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
)

// Version is the worker program's, as works may demand a minimum of.
const Version = "1.0.0"

// CPU gives the processors this process may use, a container's limit included.
func CPU() int { return runtime.GOMAXPROCS(0) }

// Memory gives the bytes of memory this process may use: the machine's, or its
// control group's when that is less.
func Memory() (int64, error) {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0, fmt.Errorf("reading the machine's memory: %w", err)
	}
	total, err := memTotal(text)
	if err != nil {
		return 0, err
	}
	// A container sees its own group here; elsewhere the file does not exist or
	// says "max".
	if text, err := os.ReadFile("/sys/fs/cgroup/memory.max"); err == nil {
		if most, err := strconv.ParseInt(string(bytes.TrimSpace(text)), 10, 64); err == nil {
			total = min(total, most)
		}
	}
	return total, nil
}

func memTotal(meminfo []byte) (int64, error) {
	for line := range bytes.Lines(meminfo) {
		if fields := bytes.Fields(line); len(fields) == 3 && string(fields[0]) == "MemTotal:" {
			kib, err := strconv.ParseInt(string(fields[1]), 10, 64)
			if err != nil {
				return 0, fmt.Errorf("reading the machine's memory: %w", err)
			}
			return kib << 10, nil
		}
	}
	return 0, fmt.Errorf("reading the machine's memory: no MemTotal")
}

var (
	nvidia = regexp.MustCompile(`^nvidia[0-9]+$`)
	render = regexp.MustCompile(`^renderD[0-9]+$`)
)

// GPU counts graphics devices by their files below dev, "/dev" but in tests. A
// card may show up as both kinds, so it is the larger count.
func GPU(dev string) int {
	return max(count(dev, nvidia), count(filepath.Join(dev, "dri"), render))
}

func count(folder string, name *regexp.Regexp) int {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return 0 // no such folder: no such device
	}
	n := 0
	for _, e := range entries {
		if name.MatchString(e.Name()) {
			n++
		}
	}
	return n
}
