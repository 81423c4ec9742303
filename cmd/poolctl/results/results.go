// Package results brings results of works to this machine: it downloads the
// archive, checks it and unpacks it. It owns what lies below the folder of
// results; it trusts neither the names nor the kinds of what is in an archive.
package results

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"workerpool/shared/client"
	"workerpool/shared/wire"
)

const (
	tries = 3 // of a download, each with a fresh link
	pause = time.Second
)

// Fetcher fetches results into one folder.
type Fetcher struct {
	Client *client.Client
	Token  func(context.Context) (string, error) // good at the time of the call
	Dir    string                                // made when absent
	Wait   func(context.Context, time.Duration) error
}

// Fetched is a result on this machine.
type Fetched struct {
	Work   int64  `json:"work"`
	Folder string `json:"folder"`
	SHA256 string `json:"sha256,omitempty"` // of the archive
	Size   int64  `json:"size,omitempty"`   // bytes of the archive
	There  bool   `json:"was_there,omitempty"`
}

// Fetch brings the result of a done work into Dir/<work>. The folder appears
// whole or not at all; one that is there already is left as it is.
func (f Fetcher) Fetch(ctx context.Context, work int64) (Fetched, error) {
	name := strconv.FormatInt(work, 10)
	out := Fetched{Work: work, Folder: filepath.Join(f.Dir, name)}
	if _, err := os.Lstat(out.Folder); err == nil {
		out.There = true
		return out, nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return out, fmt.Errorf("looking for the result of work %d: %w", work, err)
	}
	if err := os.MkdirAll(f.Dir, 0o755); err != nil {
		return out, fmt.Errorf("making the folder of results: %w", err)
	}
	part, err := os.MkdirTemp(f.Dir, "."+name+".part-")
	if err != nil {
		return out, fmt.Errorf("making a folder for work %d: %w", work, err)
	}
	defer os.RemoveAll(part)
	result, err := f.download(ctx, work, filepath.Join(part, "archive"))
	if err != nil {
		return out, err
	}
	out.SHA256, out.Size = result.SHA256, result.Size
	if err := unpackFile(filepath.Join(part, "archive"), filepath.Join(part, "files"), result.Size); err != nil {
		return out, fmt.Errorf("unpacking the result of work %d: %w", work, err)
	}
	if err := os.Rename(filepath.Join(part, "files"), out.Folder); err != nil {
		return out, fmt.Errorf("placing the result of work %d: %w", work, err)
	}
	return out, nil
}

// download brings the archive of a work, with a fresh link each time it tries.
func (f Fetcher) download(ctx context.Context, work int64, path string) (wire.Result, error) {
	for try := 1; ; try++ {
		token, err := f.Token(ctx)
		if err != nil {
			return wire.Result{}, err
		}
		result, err := f.Client.Result(ctx, token, work)
		if err != nil {
			return result, fmt.Errorf("asking for the result of work %d: %w", work, err)
		}
		err = f.save(ctx, result, path)
		if err == nil {
			return result, nil
		}
		if try == tries || !client.MayRetry(err) {
			return result, fmt.Errorf("bringing the result of work %d: %w", work, err)
		}
		if err := f.Wait(ctx, pause); err != nil {
			return result, fmt.Errorf("bringing the result of work %d: %w", work, err)
		}
	}
}

func (f Fetcher) save(ctx context.Context, result wire.Result, path string) error {
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("making the archive: %w", err)
	}
	if err := f.Client.Download(ctx, result.URL, file, result.SHA256, result.Size); err != nil {
		return errors.Join(err, file.Close())
	}
	if err := file.Close(); err != nil {
		return fmt.Errorf("writing the archive: %w", err)
	}
	return nil
}

func unpackFile(archive, dir string, size int64) error {
	file, err := os.Open(archive)
	if err != nil {
		return fmt.Errorf("opening the archive: %w", err)
	}
	defer file.Close()
	if err := os.Mkdir(dir, 0o755); err != nil {
		return fmt.Errorf("making the folder: %w", err)
	}
	return Unpack(file, size, dir, size)
}
