//go:build linux

package turns

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"workerpool/cmd/worker/container"
	"workerpool/cmd/worker/executor"
	"workerpool/shared/wire"
)

// engine runs "images" that are functions.
type engine struct {
	refusal string
	run     func(ctx context.Context, s container.Spec) (executor.Outcome, error)
	sweeps  int
	fault   error
}

func (e *engine) Refusal(context.Context, string) string { return e.refusal }

func (e *engine) Run(ctx context.Context, s container.Spec) (executor.Outcome, error) {
	return e.run(ctx, s)
}

func (e *engine) Sweep(context.Context) (int, error) {
	e.sweeps++
	return 1, e.fault
}

func image(work int64, attempt int, args ...string) wire.Instruction {
	offer := start(work, attempt, "")
	offer.Run.App, offer.Run.Args = wire.App{Type: "docker", Name: "a/b:1"}, args
	return offer
}

func keepImages(t *testing.T, e *engine) (*Keeper, *bucket) {
	t.Helper()
	return keep(t, func(c *Config) { c.Containers, c.CPU, c.Slots = e, 3, 1 })
}

func TestImageGetsWhatAProgramGets(t *testing.T) {
	var got container.Spec
	e := &engine{run: func(_ context.Context, s container.Spec) (executor.Outcome, error) {
		got = s
		text, err := os.ReadFile(filepath.Join(s.In, "a"))
		return executor.Outcome{}, errors.Join(err, os.WriteFile(filepath.Join(s.Out, "r"), text, 0o600))
	}}
	k, b := keepImages(t, e)
	offer := image(1, 2, "x", "y")
	offer.Run.Inputs = []wire.Download{b.input("a")}
	offer.Run.Env = map[string]string{"BASH_ENV": "whatever"} // the owner's list is for the owner's programs
	offer.Run.MemoryMB = 7
	k.Obey([]wire.Instruction{offer})
	if r := until(t, k, 1, "reported"); r.Size == 0 {
		t.Errorf("%+v", r)
	}
	folder := k.Ledger.Folder(1, 2)
	if got.Image != "a/b:1" || got.Mark != "1.2" || !slices.Equal(got.Args, offer.Run.Args) || got.CPU != 3 || got.Folder != folder ||
		got.In != filepath.Join(folder, "in") || got.Out != filepath.Join(folder, "out") || got.Temp != filepath.Join(folder, "tmp") {
		t.Errorf("%+v", got)
	}
	if l := got.Limits; l.Memory != 7<<20 || l.Output != 1<<20 || l.Files != maxFiles || l.Scratch != 1<<30 || l.Wall <= 0 || l.Wall > 600*time.Second {
		t.Errorf("%+v", l)
	}
	for _, want := range []string{"IEXEC_IN=/iexec_in", "IEXEC_OUT=/iexec_out", "IEXEC_INPUT_FILES_FOLDER=/iexec_in", "IEXEC_INPUT_FILE_NAME_1=a", "IEXEC_TASK_ID=1", "HOME=/tmp", "TMPDIR=/tmp", "BASH_ENV=whatever"} {
		if !slices.Contains(got.Env, want) {
			t.Errorf("no %s in %q", want, got.Env)
		}
	}
	if slices.ContainsFunc(got.Env, func(v string) bool { return strings.HasPrefix(v, "PATH=") }) {
		t.Error("the image's search path is overruled")
	}
}

func TestImageFails(t *testing.T) {
	e := &engine{run: func(context.Context, container.Spec) (executor.Outcome, error) {
		return executor.Outcome{Reason: "exit status 3", Words: "no luck"}, nil
	}}
	k, _ := keepImages(t, e)
	k.Obey([]wire.Instruction{image(1, 1)})
	for k.Reports()[0].State != "failed" {
		<-k.Changed()
	}
	if r := k.Reports()[0]; r.Reason != "exit status 3: no luck" {
		t.Errorf("%+v", r)
	}
}

func TestImagesRefused(t *testing.T) {
	e := &engine{refusal: "not here"}
	k, _ := keepImages(t, e)
	k.Obey([]wire.Instruction{image(1, 1)})
	if r := until(t, k, 1, "refused"); r.Reason != "not here" {
		t.Errorf("%+v", r)
	}
	ours := image(2, 1)
	ours.Run.Env = map[string]string{"IEXEC_OUT": "/etc"}
	k.Obey([]wire.Instruction{ours})
	if r := until(t, k, 2, "refused"); !strings.Contains(r.Reason, `"IEXEC_OUT"`) {
		t.Errorf("%+v", r)
	}
}

// What the worker cannot do is not told as the work's failure, and takes no room.
func TestTroubleWithTheEngineGivesTheWorkBack(t *testing.T) {
	e := &engine{run: func(context.Context, container.Spec) (executor.Outcome, error) {
		return executor.Outcome{}, errors.New("the engine is away")
	}}
	k, _ := keepImages(t, e)
	k.Obey([]wire.Instruction{image(1, 1)})
	if r := until(t, k, 1, "refused"); r.Reason != "the engine is away" || r.Attempt != 1 {
		t.Errorf("%+v", r)
	}
	if _, err := os.Stat(k.Ledger.Folder(1, 1)); !os.IsNotExist(err) {
		t.Errorf("its folder is there: %v", err)
	}
	if entries, faults, err := k.Ledger.Entries(); len(entries)+len(faults) != 0 || err != nil {
		t.Errorf("%v, %v, %v", entries, faults, err)
	}
	k.Obey([]wire.Instruction{start(2, 1, "true")}) // the only slot is free
	until(t, k, 2, "reported")
	k.Obey([]wire.Instruction{{Work: 1, Attempt: 1, Do: wire.DoStop}})
	if r := k.Reports(); len(r) != 1 {
		t.Errorf("after stop %+v", r)
	}
}

func TestStopEndsAnImage(t *testing.T) {
	runs, ended := make(chan struct{}), make(chan struct{})
	e := &engine{run: func(ctx context.Context, _ container.Spec) (executor.Outcome, error) {
		close(runs)
		<-ctx.Done()
		close(ended)
		return executor.Outcome{Killed: true}, nil
	}}
	k, _ := keepImages(t, e)
	k.Obey([]wire.Instruction{image(1, 1)})
	<-runs
	k.Obey([]wire.Instruction{{Work: 1, Attempt: 1, Do: wire.DoStop}})
	<-ended
	if r := k.Reports(); len(r) != 0 {
		t.Errorf("%+v", r)
	}
}

func TestRecoverSweepsContainers(t *testing.T) {
	for _, fault := range []error{nil, errors.New("the engine is away")} {
		e := &engine{fault: fault}
		k, _ := keepImages(t, e)
		if err := k.Recover(); err != nil || e.sweeps != 1 {
			t.Errorf("%d sweeps, %v", e.sweeps, err)
		}
	}
}

// An image that was taken before the owner took the engine away is no run.
func TestImageWithoutEngineAfterARestart(t *testing.T) {
	dir := t.TempDir()
	b := newBucket(t)
	c := config(t, b, dir)
	runs := make(chan struct{})
	c.Containers = &engine{run: func(ctx context.Context, _ container.Spec) (executor.Outcome, error) {
		close(runs)
		<-ctx.Done()
		return executor.Outcome{Killed: true}, nil
	}}
	k := New(c)
	k.Obey([]wire.Instruction{image(1, 1)})
	<-runs
	next := reopened(t, k, b, dir, nil)
	for next.Reports()[0].State != "failed" {
		<-next.Changed()
	}
	if r := next.Reports()[0]; r.Reason != "this worker runs no docker applications" {
		t.Errorf("%+v", r)
	}
}
