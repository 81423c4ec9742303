package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"workerpool/shared/pool"
)

// worked is what workers' logs tell of works of deals: when the pool's word let the
// first of them begin, and when the result was uploaded.
type worked struct {
	works    map[pool.Hash]int64
	begun    map[int64]time.Time
	uploaded map[int64]time.Time
}

// readLogs reads the logs of all local workers.
func readLogs(dir string) (worked, error) {
	out := worked{works: map[pool.Hash]int64{}, begun: map[int64]time.Time{}, uploaded: map[int64]time.Time{}}
	var files []string
	for _, pattern := range []string{"local-*.log", liar + ".log"} {
		found, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return out, fmt.Errorf("looking for logs: %w", err)
		}
		files = append(files, found...)
	}
	for _, name := range files {
		if err := out.read(name); err != nil {
			return out, fmt.Errorf("reading the log of a worker: %w", err)
		}
	}
	return out, nil
}

func (w worked) read(name string) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		switch line := lines.Text(); {
		case strings.Contains(line, ` msg="run begins" `) && strings.Contains(line, " task="):
			at, work, task := parts(line)
			w.works[task] = work
			earliest(w.begun, work, at)
		case strings.Contains(line, ` msg="result uploaded" `):
			at, work, _ := parts(line)
			earliest(w.uploaded, work, at)
		}
	}
	return lines.Err()
}

// parts gives what is read of a line: what it does not say is zero.
func parts(line string) (at time.Time, work int64, task pool.Hash) {
	for field := range strings.FieldsSeq(line) {
		name, value, _ := strings.Cut(field, "=")
		switch name {
		case "time":
			at, _ = time.Parse(time.RFC3339Nano, value)
		case "work":
			work, _ = strconv.ParseInt(value, 10, 64)
		case "task":
			task, _ = pool.ParseHash(value)
		}
	}
	return at, work, task
}

func earliest(all map[int64]time.Time, work int64, at time.Time) {
	if was, known := all[work]; !known || at.Before(was) {
		all[work] = at
	}
}
