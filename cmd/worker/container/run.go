//go:build linux

package container

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/distribution/reference"
	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/events"
	"github.com/moby/moby/client"
	"golang.org/x/sys/unix"

	"workerpool/cmd/worker/executor"
)

const (
	wordsPatience = 2 * time.Second // for the last words of a container that is dead
	killed        = 128 + int64(unix.SIGKILL)
	oomPause      = 100 * time.Millisecond // the engine may hear of a death before it hears why
	oomLooks      = 5
)

// Run brings an image here, runs it and removes its container; all of that counts
// as time of the run. The Outcome is Killed when ctx ended. After an error nothing
// is known of the work; what may be left is for the next Sweep.
func (e *Engine) Run(ctx context.Context, s Spec) (executor.Outcome, error) {
	ref, err := named(s.Image)
	if err != nil {
		return executor.Outcome{Reason: err.Error()}, nil
	}
	if !permitted(e.Images, ref) {
		return executor.Outcome{Reason: fmt.Sprintf("image %q is no longer allowed here", s.Image)}, nil
	}
	timed, cancel := context.WithTimeout(ctx, s.Limits.Wall)
	defer cancel()
	out, err := e.run(timed, ref, s)
	switch {
	case ctx.Err() != nil:
		return executor.Outcome{Killed: true}, nil
	case timed.Err() != nil && out.Killed:
		return executor.Outcome{Reason: executor.TooLong(s.Limits.Wall), Words: out.Words}, nil
	case timed.Err() != nil && err != nil: // it tells what took the time
		return executor.Outcome{Reason: fmt.Sprintf("%s: %v", executor.TooLong(s.Limits.Wall), err)}, nil
	}
	return out, err
}

func (e *Engine) run(ctx context.Context, ref reference.Named, s Spec) (executor.Outcome, error) {
	found, reason, err := e.image(ctx, ref)
	if err != nil || reason != "" {
		return executor.Outcome{Reason: reason}, err
	}
	order, folders, err := options(s, found, e.Config)
	if err != nil {
		return executor.Outcome{Reason: err.Error()}, nil
	}
	if err := hand(s, folders); err != nil {
		return executor.Outcome{}, err
	}
	e.keep(order.Name)
	defer e.letGo(order.Name)
	if err := e.remove(ctx, order.Name); err != nil { // of an earlier life
		return executor.Outcome{}, err
	}
	made, err := e.api.ContainerCreate(ctx, order)
	if err != nil {
		// It may be there all the same, when only the answer was lost.
		return judge("making the container", err, e.remove(context.Background(), order.Name))
	}
	said, err := e.listen(ctx, made.ID, s)
	if err != nil {
		return executor.Outcome{}, errors.Join(err, e.remove(context.Background(), made.ID))
	}
	before := executor.OnDisk(s.Folder)
	out, err := e.watch(ctx, made.ID, s, before)
	// Not by ctx: it has to end even now. One that does not go is dead, or the engine
	// is not to be had: the next Sweep tries again.
	_ = e.remove(context.Background(), made.ID)
	err = errors.Join(err, said.end())
	if out.Reason == "" && !out.Killed {
		out.Reason, _ = executor.TooMuch(files(s), before) // the last look, at what is final
	}
	if out.Reason != "" || out.Killed {
		out.Words = said.stderr.Words()
	}
	return out, err
}

// judge makes a failure of the work, or an error, of what the engine answered.
func judge(doing string, err, also error) (executor.Outcome, error) {
	if also == nil && cerrdefs.IsInvalidArgument(err) {
		return executor.Outcome{Reason: fmt.Sprintf("%s: %v", doing, err)}, nil
	}
	return executor.Outcome{}, fmt.Errorf("%s: %w", doing, errors.Join(err, also))
}

// files is what of a run the executor's looks at files are about.
func files(s Spec) executor.Spec {
	return executor.Spec{Output: s.Out, Folder: s.Folder, Limits: s.Limits}
}

// watch starts a container and waits for its end or for the reason to end it.
func (e *Engine) watch(ctx context.Context, id string, s Spec, before int64) (executor.Outcome, error) {
	waiting, cancel := context.WithCancel(ctx)
	defer cancel()
	wait := e.api.ContainerWait(waiting, id, client.ContainerWaitOptions{Condition: container.WaitConditionNextExit})
	type ending struct {
		answer container.WaitResponse
		err    error
	}
	ended := make(chan ending, 1)
	go func() { // takes the one answer that there will be, wanted or not
		select {
		case answer := <-wait.Result:
			ended <- ending{answer: answer}
		case err := <-wait.Error:
			ended <- ending{err: err}
		}
	}()
	if _, err := e.api.ContainerStart(ctx, id, client.ContainerStartOptions{}); err != nil {
		return judge("starting the container", err, nil)
	}
	look := time.NewTimer(executor.FilesEvery)
	defer look.Stop()
	for {
		select {
		case end := <-ended:
			if ctx.Err() != nil {
				return executor.Outcome{Killed: true}, nil
			}
			if end.err != nil {
				return executor.Outcome{}, fmt.Errorf("waiting for the container: %w", end.err)
			}
			return e.explain(ctx, id, end.answer, s.Limits)
		case <-ctx.Done():
			return executor.Outcome{Killed: true}, nil
		case <-look.C:
			reason, took := executor.TooMuch(files(s), before)
			if reason != "" {
				return executor.Outcome{Reason: reason}, nil
			}
			look.Reset(max(executor.FilesEvery, 20*took))
		}
	}
}

// explain gives how a container ended by itself.
func (e *Engine) explain(ctx context.Context, id string, answer container.WaitResponse, l executor.Limits) (executor.Outcome, error) {
	if answer.Error != nil {
		return executor.Outcome{}, fmt.Errorf("ending the container: %s", answer.Error.Message)
	}
	if err := e.untouched(ctx, id); err != nil {
		return executor.Outcome{}, err
	}
	if answer.StatusCode == 0 {
		return executor.Outcome{}, nil
	}
	for look := 1; ; look++ {
		is, err := e.api.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
		if err != nil {
			return executor.Outcome{}, fmt.Errorf("asking how the container ended: %w", err)
		}
		hog := is.Container.State != nil && is.Container.State.OOMKilled
		if hog || answer.StatusCode != killed || look == oomLooks {
			return executor.Outcome{Reason: reason(answer.StatusCode, hog, l.Memory)}, nil
		}
		if err := e.Pause(ctx, oomPause); err != nil {
			return executor.Outcome{}, err
		}
	}
}

// untouched fails when the container was ended through the engine, and not by us:
// by a person, or because the engine itself is being stopped. A program may answer
// that with status 0 and half a result.
func (e *Engine) untouched(ctx context.Context, id string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	told := e.api.Events(ctx, client.EventsListOptions{
		Since: "1", Until: time.Now().UTC().Format(time.RFC3339Nano), // all that it remembers
		Filters: client.Filters{}.Add("container", id).Add("event", string(events.ActionKill)),
	})
	select {
	case kill := <-told.Messages:
		return fmt.Errorf("somebody else ended the container, by signal %s", kill.Actor.Attributes["signal"])
	case err := <-told.Err:
		if errors.Is(err, io.EOF) {
			return nil
		}
		return fmt.Errorf("asking whether the container ended by itself: %w", err)
	}
}

// reason tells a status other than 0 in words. A status above 128 is that of a
// program killed by a signal, or its own.
func reason(status int64, hog bool, memory int64) string {
	switch signal := unix.SignalName(unix.Signal(status - 128)); {
	case hog:
		return fmt.Sprintf("exit status %d: it wanted more than the %d MiB of memory that are allowed", status, memory>>20)
	case status == 128+int64(unix.SIGXFSZ):
		return "it wrote a file larger than its disk space"
	case status > 128 && signal != "":
		return fmt.Sprintf("exit status %d (%s)", status, signal)
	}
	return fmt.Sprintf("exit status %d", status)
}

// words is what a container says, as it says it.
type words struct {
	stdout *executor.Stream
	stderr *executor.Stream
	heard  chan struct{} // closed when there are no more
	hangUp func()
}

// listen begins to keep what a container says. It is for before the start.
func (e *Engine) listen(ctx context.Context, id string, s Spec) (*words, error) {
	stdout, err := executor.Capture(filepath.Join(s.Folder, "stdout.txt"))
	if err != nil {
		return nil, err
	}
	stderr, err := executor.Capture(filepath.Join(s.Folder, "stderr.txt"))
	if err != nil {
		return nil, errors.Join(err, stdout.End())
	}
	line, err := e.api.ContainerAttach(ctx, id, client.ContainerAttachOptions{Stream: true, Stdout: true, Stderr: true})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("listening to the container: %w", err), stdout.End(), stderr.End())
	}
	w := &words{stdout: stdout, stderr: stderr, heard: make(chan struct{}), hangUp: line.Close}
	go func() {
		defer close(w.heard)
		// Words that are lost cost nothing but themselves; a run must not wait for us.
		_, _ = stdcopy.StdCopy(stdout.In, stderr.In, line.Reader)
		_, _ = io.Copy(io.Discard, line.Reader)
	}()
	return w, nil
}

// end waits for the last words, not for long: the container is dead, or the engine
// is not to be had.
func (w *words) end() error {
	select {
	case <-w.heard:
	case <-time.After(wordsPatience):
	}
	w.hangUp()
	<-w.heard
	return errors.Join(w.stdout.End(), w.stderr.End())
}
