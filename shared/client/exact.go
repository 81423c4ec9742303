package client

import (
	"errors"
	"fmt"
	"io"
	"sync"
)

// exactReader passes on exactly left bytes and fails when there are fewer or
// more. The transport reads it on a goroutine of its own.
type exactReader struct {
	from io.Reader
	left int64

	mu  sync.Mutex
	err error
}

func (r *exactReader) Read(p []byte) (int, error) {
	if r.left == 0 {
		if more, _ := io.ReadFull(r.from, make([]byte, 1)); more > 0 {
			return 0, r.fail(fmt.Errorf("there is more to read than stated: %w", ErrContent))
		}
		return 0, io.EOF
	}
	n, err := r.from.Read(p[:min(int64(len(p)), r.left)])
	r.left -= int64(n)
	switch {
	case errors.Is(err, io.EOF) && r.left > 0:
		return n, r.fail(fmt.Errorf("%d bytes less to read than stated: %w", r.left, ErrContent))
	case err != nil && !errors.Is(err, io.EOF):
		return n, r.fail(fmt.Errorf("reading: %w", err))
	}
	return n, nil
}

func (r *exactReader) fail(err error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err = err
	return err
}

// failed gives what Read failed with, if it did.
func (r *exactReader) failed() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}
