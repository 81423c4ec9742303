//go:build linux

package turns

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"workerpool/cmd/worker/archive"
	"workerpool/cmd/worker/ledger"
	"workerpool/shared/client"
	"workerpool/shared/pool"
	"workerpool/shared/wire"
)

// checkPatience is how long another's archive is looked for.
const checkPatience = 30 * time.Minute

// check looks whether another worker's archive holds the result that was agreed
// upon, once at a time; a repeated instruction only brings a newer link, and what
// was found is not looked for again. Keeper.mu is held.
func (k *Keeper) check(t *turn, what wire.Download) {
	if t.entry.Deal == nil || t.entry.Deal.Digest == "" || !t.entry.State.Brings() || t.uploading {
		return
	}
	deal := *t.entry.Deal
	if t.checking {
		if deal.Checks == what.SHA256 {
			t.checked = what
		}
		return
	}
	if deal.Checks == what.SHA256 && deal.Found != "" {
		return
	}
	deal.Checks, deal.Found = what.SHA256, ""
	t.entry.Deal, t.checking, t.checked = &deal, true, what
	k.save(t)
	k.notify()
	k.spawn(t, func(t *turn) {
		found, err := k.look(t, deal)
		k.finish(t, func(e *ledger.Entry) {
			if e.Deal.Checks != deal.Checks {
				return // the chain went another way meanwhile
			}
			if err != nil {
				e.State, e.Reason = ledger.Failed, short("checking another's result: "+err.Error())
				k.Log.Warn("check failed", "work", e.Work, "attempt", e.Attempt, "reason", e.Reason)
				return
			}
			now := *e.Deal
			now.Found = string(found)
			e.Deal = &now
		})
	})
}

// look fetches the archive and tells what it holds. Its error says nothing of the
// archive.
func (k *Keeper) look(t *turn, deal ledger.Deal) (pool.ReportState, error) {
	ctx, cancel := context.WithTimeout(t.ctx, checkPatience)
	defer cancel()
	path := filepath.Join(k.Ledger.Folder(t.entry.Work, t.entry.Attempt), "checked"+pool.OriginDeal.ResultSuffix())
	defer func() { _ = os.Remove(path) }() // it goes with the folder at the latest
	if err := k.fetchChecked(ctx, t, path); err != nil {
		return "", err
	}
	digest, err := pool.ParseHash(deal.Digest)
	if err != nil {
		return "", fmt.Errorf("reading the digest of its own result: %w", err)
	}
	task := t.entry.Run.Task
	switch err := archive.Holds(path, pool.Digest(digest), task != nil && task.CallsBack, maxFiles); {
	case err == nil:
		k.Log.Info("another's archive holds the agreed result", "work", t.entry.Work, "attempt", t.entry.Attempt, "sha256", deal.Checks)
		return pool.SaysChecked, nil
	case errors.Is(err, archive.ErrWrong):
		k.Log.Warn("another's archive is wrong", "work", t.entry.Work, "attempt", t.entry.Attempt, "sha256", deal.Checks, "error", err)
		return pool.SaysWrong, nil
	default:
		return "", err
	}
}

// fetchChecked brings the archive, with the newest link each time.
func (k *Keeper) fetchChecked(ctx context.Context, t *turn, path string) error {
	for pause := firstPause; ; pause = min(2*pause, longPause) {
		k.mu.Lock()
		what := t.checked
		k.mu.Unlock()
		free, err := k.Free()
		if err != nil {
			return err
		}
		if free < k.MinFree+what.Size {
			return fmt.Errorf("too little disk: %d MiB are free, %d are needed", free>>20, (k.MinFree+what.Size)>>20)
		}
		err = download(ctx, k.Files, what, path)
		if err == nil {
			return nil
		}
		k.mu.Lock()
		newer := t.checked.URL != what.URL
		k.mu.Unlock()
		// A link that ran out is answered 403, until the pool gives another.
		if !again(err) && !newer {
			return err
		}
		if pausing := k.Pause(ctx, max(pause, client.RetryAfter(err))); pausing != nil {
			return fmt.Errorf("its time was over before it was there: %w", err)
		}
	}
}

func download(ctx context.Context, files Files, what wire.Download, path string) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("making its file: %w", err)
	}
	return errors.Join(files.Download(ctx, what.URL, file, strings.ToLower(what.SHA256), what.Size), file.Close())
}
