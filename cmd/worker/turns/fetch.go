//go:build linux

package turns

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"time"

	"workerpool/cmd/worker/outside"
	"workerpool/shared/wire"
)

// Outside fetches what deals name; *outside.Fetcher does.
type Outside interface {
	Fetch(ctx context.Context, from, sha256 string, most int64, into *os.File) (outside.File, error)
}

// fetchOutside brings the files that the deal names into the folder "in", as fetch
// does the inputs. What they may take together is the disk of one run. A file that
// nobody announced the digest of is known again after a restart by that of what came.
func (k *Keeper) fetchOutside(t *turn, folder string, until time.Time) error {
	e := t.entry
	if len(e.Run.Fetch) == 0 {
		return nil
	}
	timed, cancel := context.WithTimeout(t.ctx, until.Sub(k.Now()))
	defer cancel()
	left, err := k.Scratch()
	if err != nil {
		return fmt.Errorf("measuring the disk: %w", err)
	}
	for _, f := range e.Run.Fetch {
		if !isFileName(f.Name) {
			return fmt.Errorf("%q is no file name", f.Name)
		}
		path := filepath.Join(folder, "in", f.Name)
		if size, there := fetched(path, e.Fetched[f.Name]); there {
			left -= size
			continue
		}
		var got outside.File
		err := k.persist(timed, title(e.Run, f), mayCome, func() error {
			return place(filepath.Join(folder, "fetched"), path, func(file *os.File) (err error) {
				got, err = k.Outside.Fetch(timed, f.URL, f.SHA256, left, file)
				return err
			})
		})
		if err != nil {
			k.Log.Warn("a file of the deal is not there", "work", e.Work, "attempt", e.Attempt, "file", title(e.Run, f), "error", outside.Cause(err))
			return err
		}
		left -= got.Size
		k.remember(t, f.Name, got.SHA256)
	}
	return nil
}

// title is how a requester is told of a file: by its number in iexec_input_files.
func title(r wire.Run, f wire.Fetch) string {
	for i := 1; i <= len(r.Fetch); i++ {
		if r.Env[fmt.Sprintf("%s%d", inputName, i)] == f.Name {
			return fmt.Sprintf("input file %d", i)
		}
	}
	return "the dataset"
}

// mayCome tells that fetching may work at the next try.
func mayCome(err error) bool {
	var fault *outside.Error
	return errors.As(err, &fault) && !fault.Lasting
}

// fetched tells that a file is there from before a restart, unchanged, and its bytes.
func fetched(path, sha256 string) (int64, bool) {
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() || sha256 == "" {
		return 0, false
	}
	sum, err := sumOf(path)
	return info.Size(), err == nil && strings.EqualFold(sum, sha256)
}

// remember stores what came for a file.
func (k *Keeper) remember(t *turn, name, sha256 string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if t.ctx.Err() != nil {
		return // ended or closing meanwhile
	}
	known := maps.Clone(t.entry.Fetched)
	if known == nil {
		known = map[string]string{}
	}
	known[name] = sha256
	t.entry.Fetched = known
	k.save(t)
}
