//go:build linux

package turns

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
	"unicode/utf8"

	"workerpool/cmd/worker/archive"
	"workerpool/cmd/worker/container"
	"workerpool/cmd/worker/executor"
	"workerpool/cmd/worker/ledger"
	"workerpool/shared/pool"
	"workerpool/shared/wire"
)

const (
	maxFiles  = 10_000  // files and folders in an output
	fullBelow = 1 << 20 // bytes free: a run that failed with less had no disk
	maxReason = 500     // bytes, as the pool takes it
)

// Folders of a run, below the assignment's. Its output of both streams is beside
// them.
var runFolders = []string{"in", "out", "tmp", "home"}

// compute brings an assignment from running to reported or failed.
func (k *Keeper) compute(t *turn) {
	result, err := k.result(t)
	if errors.Is(err, errStopped) || t.ctx.Err() != nil {
		return
	}
	var unable *unableError
	folder := k.Ledger.Folder(t.entry.Work, t.entry.Attempt)
	for _, name := range runFolders {
		// Best effort: the disk is wanted back now, and in any case at the end.
		_ = os.RemoveAll(filepath.Join(folder, name))
	}
	if errors.As(err, &unable) {
		k.mu.Lock()
		defer k.mu.Unlock()
		if t.ctx.Err() == nil { // not ended or closing meanwhile
			k.giveBack(t, err.Error())
		}
		return
	}
	k.finish(t, func(e *ledger.Entry) {
		if err != nil {
			e.State, e.Reason = ledger.Failed, short(err.Error())
			k.Log.Warn("run failed", "work", e.Work, "attempt", e.Attempt, "reason", e.Reason)
			return
		}
		e.State, e.SHA256, e.Size = ledger.Reported, result.SHA256, result.Size
		if e.Deal != nil {
			deal := *e.Deal
			deal.Digest, deal.Callback = result.digest, result.callback
			e.Deal = &deal
		}
		k.Log.Info("run ended", "work", e.Work, "attempt", e.Attempt, "sha256", e.SHA256, "bytes", e.Size)
	})
}

// unableError is a trouble of the worker's own that says nothing of the work.
type unableError struct{ error }

// made is the result of a run: its archive, and what is contributed of a deal's.
type made struct {
	archive.Packed
	digest   string
	callback string // what the result is called back with, as it is reported; "" = it is not
}

// result fetches, runs and packs. Its error is the reason of the failure.
func (k *Keeper) result(t *turn) (made, error) {
	ctx, e := t.ctx, t.entry
	var none made
	if reason := k.foreign(e.Run); reason != "" {
		return none, errors.New(reason)
	}
	if e.Deal != nil {
		// The worker may have come back with another wallet.
		if err := k.Chain.Authorised(promise(e.Run, *e.Deal)); err != nil {
			return none, err
		}
	}
	if name := k.forbidden(e.Run); name != "" {
		return none, fmt.Errorf("the variable %q that it sets is no longer allowed here", name)
	}
	until := e.Begun.Add(time.Duration(e.Run.RunLimitS) * time.Second)
	if !k.Now().Before(until) {
		return none, errors.New("its time was over when the worker came back")
	}
	folder := k.Ledger.Folder(e.Work, e.Attempt)
	if err := freshFolders(folder); err != nil {
		return none, err
	}
	if err := k.fetch(ctx, e.Run.Inputs, folder, until); err != nil {
		return none, err
	}
	if err := k.fetchOutside(t, folder, until); err != nil {
		return none, err
	}
	wall := until.Sub(k.Now())
	if wall <= 0 {
		return none, errors.New("its time was over when the inputs were there")
	}
	limit := min(k.MaxOutput, e.Run.MaxResult)
	scratch, err := k.Scratch()
	if err != nil {
		return none, fmt.Errorf("measuring the disk: %w", err)
	}
	execute := k.program
	if isImage(e.Run) {
		execute = k.container
	}
	out, err := execute(ctx, e, folder, executor.Limits{Wall: wall, Memory: k.memory(e.Run), Output: limit, Files: maxFiles, Scratch: scratch})
	switch {
	case err != nil:
		return none, err
	case out.Killed:
		return none, errStopped
	case out.Reason != "":
		if out.Words != "" {
			out.Reason += ": " + out.Words
		}
		if free, err := k.Free(); err == nil && free < fullBelow {
			return none, fmt.Errorf("%s; the worker's disk is full (%w)", out.Reason, syscall.ENOSPC)
		}
		return none, errors.New(out.Reason)
	}
	return pack(e, folder, limit)
}

// resultName is the file of the result, in the assignment's folder.
func resultName(e ledger.Entry) string {
	if e.Deal != nil {
		return "result.zip"
	}
	return "result.tar"
}

// pack makes the result of the run's output.
func pack(e ledger.Entry, folder string, limit int64) (made, error) {
	output, to := filepath.Join(folder, "out"), filepath.Join(folder, resultName(e))
	if e.Deal == nil {
		packed, err := archive.Pack(output, to, limit)
		return made{Packed: packed}, err
	}
	packed, err := archive.PackZip(output, to, limit)
	if err != nil {
		return made{}, err
	}
	digest, callback, err := archive.Digest(output, e.Run.Task.CallsBack)
	out := made{Packed: packed, digest: pool.Hash(digest).String()}
	if callback != nil {
		out.callback = "0x" + hex.EncodeToString(callback)
	}
	return out, err
}

// program runs one of the owner's programs.
func (k *Keeper) program(ctx context.Context, e ledger.Entry, folder string, limits executor.Limits) (executor.Outcome, error) {
	program := k.Programs[e.Run.App.Name]
	run, err := executor.Start(executor.Spec{
		Mark: fmt.Sprintf("%s.%d.%d.", k.Mark, e.Work, e.Attempt),
		Path: program.Path, Args: append(append([]string{}, program.Args...), e.Run.Args...),
		Env: programEnvironment(e, folder), Dir: filepath.Join(folder, "home"),
		Stdout: filepath.Join(folder, "stdout.txt"), Stderr: filepath.Join(folder, "stderr.txt"),
		Output: filepath.Join(folder, "out"), Folder: folder, Limits: limits,
	})
	if err != nil {
		return executor.Outcome{}, fmt.Errorf("starting the program: %w", err)
	}
	release := context.AfterFunc(ctx, run.Kill)
	defer release()
	out, err := run.Wait()
	if err != nil {
		return executor.Outcome{}, fmt.Errorf("ending the program: %w", err)
	}
	return out, nil
}

// container runs an image.
func (k *Keeper) container(ctx context.Context, e ledger.Entry, folder string, limits executor.Limits) (executor.Outcome, error) {
	out, err := k.Containers.Run(ctx, container.Spec{
		Mark: fmt.Sprintf("%d.%d", e.Work, e.Attempt), Image: e.Run.App.Name, Args: e.Run.Args,
		Env: environment(e, container.Temp, container.Temp, container.In, container.Out), CPU: k.CPU,
		In: filepath.Join(folder, "in"), Out: filepath.Join(folder, "out"), Temp: filepath.Join(folder, "tmp"), Folder: folder, Limits: limits,
	})
	if err != nil {
		return out, &unableError{err}
	}
	return out, nil
}

func (k *Keeper) memory(r wire.Run) int64 {
	if r.MemoryMB > 0 {
		return r.MemoryMB << 20
	}
	return k.Memory
}

// freshFolders makes the folders of a run; what a run before wrote is deleted,
// the inputs are kept to be checked again.
func freshFolders(folder string) error {
	for _, name := range runFolders {
		path := filepath.Join(folder, name)
		if name != "in" {
			if err := os.RemoveAll(path); err != nil {
				return fmt.Errorf("clearing the folder of the run: %w", err)
			}
		}
		if err := os.MkdirAll(path, 0o700); err != nil {
			return fmt.Errorf("making the folders of the run: %w", err)
		}
	}
	return nil
}

// short makes a reason that the pool takes: not empty, not too long, whole
// characters.
func short(reason string) string {
	reason = strings.ToValidUTF8(reason, "?")
	for len(reason) > maxReason {
		_, size := utf8.DecodeLastRuneInString(reason)
		reason = reason[:len(reason)-size]
	}
	return reason
}
