package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"workerpool/infra/local/process"
	"workerpool/shared/client"
)

const (
	startLimit = 3 * time.Minute // the first start makes a database
	stopLimit  = 30 * time.Second
)

// reach makes sure that a pool answers: the one that ran before, or one started
// for the demonstration, with a worker that lies. The caller must call end.
func reach(ctx context.Context, o options, c *client.Client) (ran bool, end func() error, err error) {
	_, err = c.Health(ctx)
	switch {
	case err == nil:
		say(o.to, "using the pool that runs at %s", o.url)
		return true, func() error { return nil }, nil
	case ctx.Err() != nil || client.Status(err) != 0 || o.localpool == "":
		return false, nil, fmt.Errorf("asking %s for its health: %w", o.url, err)
	}
	say(o.to, "starting a pool at %s, one of its workers lies", o.url)
	end, err = start(ctx, o)
	return false, end, err
}

// start starts the local pool and waits for its word that it is ready.
func start(ctx context.Context, o options) (end func() error, err error) {
	cmd := exec.Command(o.localpool, "-liar", "-addr", o.addr, "-dir", o.dir, fmt.Sprintf("-chain=%t", o.chain))
	said, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", o.localpool, err)
	}
	cmd.Stderr = os.Stderr
	if err := process.Start(cmd); err != nil {
		return nil, fmt.Errorf("starting %s: %w", o.localpool, err)
	}
	ready, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		listen(said, ready)
		// Its end is wanted, or it is told below: how it ended adds nothing.
		_ = cmd.Wait()
	}()
	end = func() error {
		if err := process.Stop(cmd, ended, stopLimit); err != nil {
			return fmt.Errorf("ending the local pool: %w", err)
		}
		return nil
	}
	limit := time.NewTimer(startLimit)
	defer limit.Stop()
	select {
	case <-ready:
		return end, nil
	case <-ended:
		return nil, fmt.Errorf("%s ended before it was ready", o.localpool)
	case <-limit.C:
		err = fmt.Errorf("%s was not ready within %v", o.localpool, startLimit)
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	return nil, errors.Join(err, end())
}

// listen closes ready at the line that says so, and takes in the rest.
func listen(said io.Reader, ready chan<- struct{}) {
	lines := bufio.NewScanner(said)
	for told := false; lines.Scan(); {
		if !told && strings.HasPrefix(lines.Text(), "ready:") {
			told = true
			close(ready)
		}
	}
}
