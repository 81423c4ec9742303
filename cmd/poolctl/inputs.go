package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"time"

	"workerpool/shared/client"
	"workerpool/shared/wire"
)

const uploadTries = 3 // of all that is missing

// readInputs digests the files named, and gives them as inputs, by name, with the
// path of each digest.
func readInputs(named map[string]string) (inputs []wire.Input, paths map[string]string, err error) {
	paths = map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(named)) {
		in, err := digest(named[name])
		if err != nil {
			return nil, nil, fmt.Errorf("reading the input %s: %w", name, err)
		}
		in.Name = name
		inputs = append(inputs, in)
		paths[in.SHA256] = named[name]
	}
	return inputs, paths, nil
}

func digest(path string) (wire.Input, error) {
	file, err := os.Open(path)
	if err != nil {
		return wire.Input{}, err
	}
	defer file.Close()
	sum := sha256.New()
	n, err := io.Copy(sum, file)
	if err != nil {
		return wire.Input{}, err
	}
	return wire.Input{SHA256: hex.EncodeToString(sum.Sum(nil)), Size: n}, nil
}

// upload brings the inputs that a batch misses until it misses none.
func (p *poolctl) upload(ctx context.Context, batch int64, paths map[string]string) error {
	for try := 1; ; try++ {
		token, err := p.token(ctx)
		if err != nil {
			return err
		}
		missing, err := p.client.Inputs(ctx, token, batch)
		if err != nil {
			return fmt.Errorf("asking for the missing inputs of batch:%d: %w", batch, err)
		}
		if missing.Missing > 0 {
			err = p.uploadEach(ctx, missing.Inputs, paths)
		}
		if err == nil {
			var left wire.Uploads
			if left, err = p.client.CheckInputs(ctx, token, batch); err != nil {
				return fmt.Errorf("checking the inputs of batch:%d: %w", batch, err)
			}
			if left.Missing == 0 {
				return nil
			}
			err = fmt.Errorf("%d inputs are still missing after their upload", left.Missing)
		} else if !client.MayRetry(err) {
			return err
		}
		if try == uploadTries {
			return err
		}
		if err := p.world.wait(ctx, time.Second); err != nil {
			return fmt.Errorf("uploading: %w", err)
		}
	}
}

func (p *poolctl) uploadEach(ctx context.Context, missing []wire.UploadTarget, paths map[string]string) error {
	for _, m := range missing {
		path, known := paths[m.SHA256]
		if !known {
			return fmt.Errorf("the batch also misses the file with sha256 %s and %d bytes: name it by --input", m.SHA256, m.Size)
		}
		if m.Upload == nil {
			return fmt.Errorf("the pool gave no link to upload %s", path)
		}
		p.note("uploading %s (%s)", path, size(m.Size))
		if err := p.uploadFile(ctx, *m.Upload, path, m.Size); err != nil {
			return fmt.Errorf("uploading %s: %w", path, err)
		}
	}
	return nil
}

func (p *poolctl) uploadFile(ctx context.Context, link wire.Link, path string, size int64) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	return p.client.Upload(ctx, link, file, size)
}
