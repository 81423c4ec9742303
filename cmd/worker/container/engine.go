//go:build linux

// Package container runs container images under limits by the Docker engine of
// this machine and lets nothing of them survive. It owns containers, what they may
// reach, and the coming of images. It must not know the pool, assignments or where
// files come from.
//
// The engine holds memory, processors, processes and the network; time, disk and
// what a run says are watched here, as package executor does for programs. Errors
// are troubles of the worker's own: what is the work's fault is an Outcome.
//
// A container outlives the death of the worker. It bears a name and a label by
// which the next life of the worker finds it.
package container

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/system"
	"github.com/moby/moby/client"
)

// Config is what an Engine needs.
type Config struct {
	Address string                                           // unix:///PATH: folders are given by their paths, so the engine must be this machine's
	Images  []string                                         // allowed: a reference, or the beginning of some and an asterisk
	Network string                                           // of the engine, for all runs; "none" = no network
	Mark    string                                           // names the worker: letters and digits
	Pause   func(ctx context.Context, d time.Duration) error // between tries of pulling
}

// endPatience is how long the engine may take to end a container.
const endPatience = 8 * time.Second

var networkForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$`)

// Check tells every fault of what the owner set.
func (c Config) Check() error {
	var faults []error
	socket, local := strings.CutPrefix(c.Address, "unix://")
	if !local || !filepath.IsAbs(socket) {
		faults = append(faults, fmt.Errorf("want the engine's socket as unix:///PATH, not %q", c.Address))
	}
	if len(c.Images) == 0 {
		faults = append(faults, errors.New("allow at least one image; * allows all"))
	}
	for _, rule := range c.Images {
		if err := checkRule(rule); err != nil {
			faults = append(faults, err)
		}
	}
	// A name with a colon is another container's network.
	if !networkForm.MatchString(c.Network) || c.Network == "host" {
		faults = append(faults, fmt.Errorf("want none or the name of a network that is not the machine's own, not %q", c.Network))
	}
	return errors.Join(faults...)
}

// Engine is the Docker engine as one worker uses it. It is safe for concurrent use.
type Engine struct {
	Config
	api *client.Client

	mu   sync.Mutex
	live map[string]bool // names of containers that a Run has
}

// New makes an Engine. It does not talk to it yet.
func New(c Config) (*Engine, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	api, err := client.New(client.WithHost(c.Address))
	if err != nil {
		return nil, fmt.Errorf("making the engine's client: %w", err)
	}
	return &Engine{Config: c, api: api, live: map[string]bool{}}, nil
}

// Close ends idle connections.
func (e *Engine) Close() error { return e.api.Close() }

// Ready fails when works cannot be run now. It also removes what earlier runs left
// behind while the engine was away.
func (e *Engine) Ready(ctx context.Context) error {
	answer, err := e.api.Info(ctx, client.InfoOptions{})
	if err != nil {
		return fmt.Errorf("asking the container engine: %w", err)
	}
	if fault := unfit(answer.Info); fault != "" {
		return errors.New(fault)
	}
	_, err = e.Sweep(ctx)
	return err
}

// unfit tells why an engine cannot hold runs to their limits; "" = it can.
func unfit(info system.Info) string {
	switch {
	case info.OSType != "linux":
		return fmt.Sprintf("the container engine runs images of %s, not of linux", info.OSType)
	case !info.MemoryLimit || !info.PidsLimit || !info.CPUCfsQuota:
		return "the container engine cannot limit memory, processes or processors here"
	}
	for _, option := range info.SecurityOptions {
		// Accounts are other ones within containers then: results could not be read.
		if name, _, _ := strings.Cut(strings.TrimPrefix(option, "name="), ","); name == "userns" || name == "rootless" {
			return fmt.Sprintf("the container engine is %s: it gives the worker's folders to other accounts", name)
		}
	}
	return ""
}

// Refusal gives why an image would not be run here now; "" = it would. What is no
// image reference is not refused: it fails wherever it is run.
func (e *Engine) Refusal(ctx context.Context, image string) string {
	if ref, err := named(image); err == nil && !permitted(e.Images, ref) {
		return fmt.Sprintf("image %q is not allowed here", image)
	}
	if _, err := e.api.Ping(ctx, client.PingOptions{NegotiateAPIVersion: true}); err != nil {
		return fmt.Sprintf("the container engine does not answer here: %v", err)
	}
	return ""
}

// Sweep ends and removes every container of this worker that no Run of this
// process has, and gives how many.
func (e *Engine) Sweep(ctx context.Context) (removed int, err error) {
	all, err := e.api.ContainerList(ctx, client.ContainerListOptions{
		All: true, Filters: client.Filters{}.Add("label", label+"="+e.Mark),
	})
	if err != nil {
		return 0, fmt.Errorf("listing the worker's containers: %w", err)
	}
	for _, one := range all.Items {
		if slices.ContainsFunc(one.Names, func(name string) bool { return e.lives(strings.TrimPrefix(name, "/")) }) {
			continue
		}
		if err := e.remove(ctx, one.ID); err != nil {
			return removed, err
		}
		removed++
	}
	return removed, nil
}

// remove ends a container and forgets it; none is as good.
func (e *Engine) remove(ctx context.Context, container string) error {
	ctx, cancel := context.WithTimeout(ctx, endPatience)
	defer cancel()
	_, err := e.api.ContainerRemove(ctx, container, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
	if err != nil && !cerrdefs.IsNotFound(err) {
		return fmt.Errorf("removing container %s: %w", container, err)
	}
	return nil
}

func (e *Engine) lives(name string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.live[name]
}

func (e *Engine) keep(name string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.live[name] = true
}

func (e *Engine) letGo(name string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.live, name)
}
