package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"workerpool/infra/local/process"
)

// A worker may let its runs end for workerGrace after it was asked to end, and is
// killed after stopLimit.
const (
	workerGrace = 3 * time.Second
	stopLimit   = 5 * time.Second
)

// crew is the workers that run.
type crew struct {
	workers []*worker
	ended   chan string // tells of each worker that ended without being asked
}

type worker struct {
	cmd   *exec.Cmd
	log   *os.File
	ended chan struct{}
}

func startWorkers(o options, s *state, url string) (*crew, error) {
	c := &crew{ended: make(chan string, o.workers)}
	for n := range o.workers {
		name := "local-" + strconv.Itoa(n+1)
		w, err := startWorker(o, s, url, name, o.liar && n == o.workers-1)
		if err != nil {
			c.stop()
			return nil, fmt.Errorf("starting the worker %s: %w", name, err)
		}
		c.workers = append(c.workers, w)
		go func() {
			err := w.cmd.Wait()
			process.Kill(w.cmd) // what it left behind in its group
			_ = w.log.Close()   // it has written all it will
			close(w.ended)
			c.ended <- fmt.Sprintf("the worker %s has ended (%v); see %s", name, err, w.log.Name())
		}()
	}
	return c, nil
}

func startWorker(o options, s *state, url, name string, lies bool) (*worker, error) {
	bin, err := filepath.Abs(filepath.Join(o.functions, "bin"))
	if err != nil {
		return nil, err
	}
	app := filepath.Join(bin, "mandelbrot")
	for _, program := range []string{filepath.Join(bin, "worker"), app} {
		if _, err := os.Stat(program); err != nil {
			return nil, fmt.Errorf("a program has not been built: make build-local: %w", err)
		}
	}
	if lies {
		app += " -lie"
	}
	log, err := s.log(name)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(filepath.Join(bin, "worker"), "-pool", url, "-login", workerLogin, "-password-file", s.workerPassword,
		"-name", name, "-dir", filepath.Join(s.dir, "workers", name), "-apps", "mandelbrot="+app, "-slots", "1",
		"-grace", workerGrace.String())
	cmd.Stdout, cmd.Stderr = log, log
	if err := process.Start(cmd); err != nil {
		_ = log.Close() // the start's error counts
		return nil, err
	}
	return &worker{cmd: cmd, log: log, ended: make(chan struct{})}, nil
}

// stop ends all workers at once and waits for them.
func (c *crew) stop() {
	var all sync.WaitGroup
	for _, w := range c.workers {
		all.Go(func() {
			// One that had to be killed takes its work up again at the next start.
			_ = process.Stop(w.cmd, w.ended, stopLimit)
		})
	}
	all.Wait()
}
