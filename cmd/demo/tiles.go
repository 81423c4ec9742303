package main

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"workerpool/infra/local/buyer"
	"workerpool/shared/cid"
	"workerpool/shared/pool"
)

// tiles fetches the results from where finalize has said that they lie, puts them
// together and lists the wrong ones.
func (s show) tiles(ctx context.Context, b *buyer.Buyer, deal buyer.Deal) (wrong []int, err error) {
	said, err := b.Results(ctx, deal)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "workerpool-demo-")
	if err != nil {
		return nil, fmt.Errorf("making a folder for the tiles: %w", err)
	}
	defer os.RemoveAll(dir)
	paths := make([]string, len(deal.TaskIDs))
	for i, id := range deal.TaskIDs {
		archive, err := s.fetch(ctx, said[id])
		if err != nil {
			return nil, fmt.Errorf("fetching the result of task %s: %w", id, err)
		}
		paths[i] = filepath.Join(dir, strconv.Itoa(i)+".png")
		if err := unpack(archive, paths[i]); err != nil {
			return nil, fmt.Errorf("the result of task %s: %w", id, err)
		}
	}
	return s.show(paths)
}

// mostResult is far more than a tile takes.
const mostResult = 64 << 20

// fetch brings what a task's results tell of. The pool serves it as a gateway of
// IPFS would; who serves it need not be trusted, as its name is its digest.
func (s show) fetch(ctx context.Context, said []byte) ([]byte, error) {
	var at struct{ Storage, Location string }
	if err := json.Unmarshal(said, &at); err != nil {
		return nil, fmt.Errorf("reading %q: %w", said, err)
	}
	name, found := strings.CutPrefix(at.Location, "/ipfs/")
	if at.Storage != "ipfs" || !found {
		return nil, fmt.Errorf("it lies at %q in %q", at.Location, at.Storage)
	}
	digest, err := cid.Parse(name)
	if err != nil {
		return nil, err
	}
	archive, err := s.get(ctx, s.url+at.Location)
	if err != nil {
		return nil, err
	}
	if pool.Digest(sha256.Sum256(archive)) != digest {
		return nil, fmt.Errorf("what lies at %s is something else", at.Location)
	}
	return archive, nil
}

// unpack takes the tile out of a result. One that has none is as wrong as one with
// another picture: no file is written.
func unpack(archive []byte, to string) error {
	files, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		return fmt.Errorf("reading the archive: %w", err)
	}
	tile, err := files.Open("tile.png")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the archive: %w", err)
	}
	defer tile.Close()
	picture, err := io.ReadAll(io.LimitReader(tile, mostResult))
	if err != nil {
		return fmt.Errorf("reading the archive: %w", err)
	}
	return os.WriteFile(to, picture, 0o600)
}

// get fetches what anybody may have.
func (s show) get(ctx context.Context, url string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, fmt.Errorf("asking for %s: %w", url, err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("asking for %s: %w", url, err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("asking for %s: %s", url, answer.Status)
	}
	text, err := io.ReadAll(io.LimitReader(answer.Body, mostResult))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", url, err)
	}
	return text, nil
}
