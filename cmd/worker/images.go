//go:build linux

package main

import (
	"context"
	"log/slog"
	"time"

	"workerpool/cmd/worker/container"
)

// images is the containers' engine and what was last heard of it. nil is none.
type images struct {
	*container.Engine
	log   *slog.Logger
	fault string // why no image is run; "" = they are
}

// readyTime is how long the engine may take to say that it is ready.
const readyTime = 10 * time.Second

// engine gives the engine that the owner named, under the mark of this worker.
func (c *config) engine(mark string, log *slog.Logger) (*images, error) {
	if c.images.Address == "" {
		return nil, nil
	}
	settings := c.images
	settings.Mark, settings.Pause = mark, pause
	engine, err := container.New(settings)
	if err != nil {
		return nil, err
	}
	return &images{Engine: engine, log: log}, nil
}

// ready tells whether images can be run now, and the owner when that changes.
func (i *images) ready() bool {
	if i == nil {
		return false
	}
	ctx, cancel := context.WithTimeout(context.Background(), readyTime)
	defer cancel()
	fault := ""
	if err := i.Ready(ctx); err != nil {
		fault = err.Error()
	}
	if fault != i.fault && fault != "" {
		i.log.Warn("no container images are run", "reason", fault)
	} else if fault != i.fault {
		i.log.Info("container images are run again")
	}
	i.fault = fault
	return fault == ""
}
