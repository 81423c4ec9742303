//go:build linux

package turns

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"workerpool/cmd/worker/ledger"
	"workerpool/cmd/worker/outside"
	"workerpool/shared/client"
	"workerpool/shared/wire"
)

const (
	firstPause  = time.Second
	longPause   = 30 * time.Second
	uploadTries = 8 // about two minutes
)

// fetch brings the inputs into the folder "in", each whole and of the digest
// announced or not at all. It tries on until the run's time is over, and no longer
// even when a connection stalls.
func (k *Keeper) fetch(ctx context.Context, inputs []wire.Download, folder string, until time.Time) error {
	timed, cancel := context.WithTimeout(ctx, until.Sub(k.Now()))
	defer cancel()
	for _, in := range inputs {
		if !isFileName(in.Name) {
			return fmt.Errorf("input %q is no file name", in.Name)
		}
		path := filepath.Join(folder, "in", in.Name)
		if whole(path, in) {
			continue
		}
		err := k.persist(timed, fmt.Sprintf("input %q", in.Name), again, func() error {
			return place(filepath.Join(folder, "fetched"), path, func(file *os.File) error {
				return k.Files.Download(timed, in.URL, file, in.SHA256, in.Size)
			})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func isFileName(name string) bool {
	return name != "" && name == filepath.Base(name) && filepath.IsLocal(name) && name != "."
}

// persist does what brings a file, again and again while that may help and there is
// time.
func (k *Keeper) persist(timed context.Context, what string, again func(error) bool, bring func() error) error {
	for pause := firstPause; ; pause = min(2*pause, longPause) {
		err := bring()
		if err == nil {
			return nil
		}
		if timed.Err() != nil {
			return fmt.Errorf("%s: its time was over before it was there: %w", what, err)
		}
		if !again(err) {
			return fmt.Errorf("%s: %w", what, err)
		}
		k.Log.Info("a file is tried again", "file", what, "error", outside.Cause(err))
		if k.Pause(timed, max(pause, client.RetryAfter(err))) != nil {
			return fmt.Errorf("%s: its time was over before it was there: %w", what, err)
		}
	}
}

// place lets a file be written beside, and puts it in its place when it is whole.
func place(fresh, path string, write func(*os.File) error) error {
	file, err := os.OpenFile(fresh, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("making its file: %w", err)
	}
	err = write(file)
	if err = errors.Join(err, file.Close()); err != nil {
		return errors.Join(err, os.Remove(fresh))
	}
	if err := os.Rename(fresh, path); err != nil {
		return fmt.Errorf("putting it in place: %w", err)
	}
	return nil
}

// whole tells that an input is there from before a restart, unchanged.
func whole(path string, in wire.Download) bool {
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() != in.Size {
		return false
	}
	sum, err := sumOf(path)
	return err == nil && strings.EqualFold(sum, in.SHA256)
}

// sumOf gives the SHA-256 of a file, hexadecimal.
func sumOf(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	digest := sha256.New()
	if _, err := io.Copy(digest, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(digest.Sum(nil)), nil
}

// again tells that moving bytes may work at the next try.
func again(err error) bool {
	return client.MayRetry(err) || client.Status(err) >= http.StatusInternalServerError
}

// upload brings the result away, once at a time; a repeated instruction only
// brings a newer link. Keeper.mu is held.
func (k *Keeper) upload(t *turn, link wire.Link) {
	t.link = link
	if t.uploading || t.saying || t.checking {
		return
	}
	t.uploading = true
	k.notify()
	k.spawn(t, func(t *turn) {
		err := k.bring(t)
		k.finish(t, func(e *ledger.Entry) {
			if err != nil {
				e.State, e.Reason = ledger.Failed, short("uploading the result: "+err.Error())
				k.Log.Warn("upload failed", "work", e.Work, "attempt", e.Attempt, "reason", e.Reason)
				return
			}
			e.State = ledger.Uploaded
			k.Log.Info("result uploaded", "work", e.Work, "attempt", e.Attempt, "bytes", e.Size)
		})
	})
}

// bring uploads the result, with the newest link each time.
func (k *Keeper) bring(t *turn) error {
	pause := firstPause
	for try := 1; ; try++ {
		k.mu.Lock()
		link, size := t.link, t.entry.Size
		k.mu.Unlock()
		err := k.send(t.ctx, filepath.Join(k.Ledger.Folder(t.entry.Work, t.entry.Attempt), resultName(t.entry)), link, size)
		if err == nil || t.ctx.Err() != nil {
			return err
		}
		k.mu.Lock()
		newer := !t.link.Expires.Equal(link.Expires)
		k.mu.Unlock()
		// A link that ran out is answered 403, until the pool gives another.
		if try >= uploadTries || !(again(err) || newer) {
			return err
		}
		if err := k.Pause(t.ctx, max(pause, client.RetryAfter(err))); err != nil {
			return err
		}
		pause = min(2*pause, longPause)
	}
}

func (k *Keeper) send(ctx context.Context, path string, link wire.Link, size int64) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("opening the result: %w", err)
	}
	defer file.Close()
	return k.Files.Upload(ctx, link, file, size)
}

// intact tells that the archive of a reported result is there.
func (k *Keeper) intact(e ledger.Entry) bool {
	info, err := os.Stat(filepath.Join(k.Ledger.Folder(e.Work, e.Attempt), resultName(e)))
	return err == nil && info.Size() == e.Size
}
