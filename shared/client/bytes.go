package client

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"workerpool/shared/wire"
)

// ErrContent is wrapped by the errors of bytes that are not the bytes announced:
// another size or another digest.
var ErrContent = errors.New("not the bytes announced")

// Upload streams size bytes of content to a presigned link. It is tried once:
// when MayRetry says so the caller may open the content again and repeat it.
// content that is shorter or longer than size fails with ErrContent.
func (c *Client) Upload(ctx context.Context, link wire.Link, content io.Reader, size int64) error {
	const what = "uploading"
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	for _, name := range slices.Sorted(maps.Keys(link.Fields)) {
		if err := w.WriteField(name, link.Fields[name]); err != nil {
			return fmt.Errorf("%s: writing field %s: %w", what, name, err)
		}
	}
	// The bucket takes every field after "file" for none: it comes last.
	if _, err := w.CreateFormFile("file", "file"); err != nil {
		return fmt.Errorf("%s: writing the form: %w", what, err)
	}
	head := form.Len()
	if err := w.Close(); err != nil {
		return fmt.Errorf("%s: writing the form: %w", what, err)
	}
	exact := &exactReader{from: content, left: size}
	body := io.MultiReader(bytes.NewReader(form.Bytes()[:head]), exact, bytes.NewReader(form.Bytes()[head:]))
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, link.URL, body)
	if err != nil {
		return fmt.Errorf("%s: %w", what, withoutURL(err))
	}
	req.ContentLength = int64(form.Len()) + size
	req.Header.Set("Content-Type", w.FormDataContentType())
	req.Header.Set("User-Agent", c.agent)
	resp, err := c.bytes.Do(req)
	if failed := exact.failed(); failed != nil {
		if err == nil {
			drop(resp)
		}
		return fmt.Errorf("%s: %w", what, failed)
	}
	if err != nil {
		return c.lost(ctx, http.MethodPost, req.URL.Path, err)
	}
	defer drop(resp)
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return problemOf(http.MethodPost, req.URL.Path, resp)
	}
	return nil
}

// Download writes the bytes behind a presigned link to dst, at most wantSize of
// them, and fails with ErrContent unless they have the size and the SHA-256
// (hexadecimal) wanted. What was written before an error is the caller's to
// throw away.
func (c *Client) Download(ctx context.Context, link string, dst io.Writer, wantSHA256 string, wantSize int64) error {
	const what = "downloading"
	target, err := url.Parse(link)
	if err != nil {
		return fmt.Errorf("%s: %w", what, withoutURL(err))
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, link, nil)
	if err != nil {
		return fmt.Errorf("%s: %w", what, withoutURL(err))
	}
	req.Header.Set("User-Agent", c.agent)
	req.Header.Set("Accept-Encoding", "identity") // the digest is of the bytes as stored
	resp, err := c.bytes.Do(req)
	if err != nil {
		return c.lost(ctx, http.MethodGet, target.Path, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return problemOf(http.MethodGet, target.Path, resp)
	}
	if resp.ContentLength >= 0 && resp.ContentLength != wantSize {
		return fmt.Errorf("%s: %d bytes come, %d were announced: %w", what, resp.ContentLength, wantSize, ErrContent)
	}
	digest := sha256.New()
	sink := &sink{to: io.MultiWriter(dst, digest)}
	n, err := io.Copy(sink, io.LimitReader(resp.Body, wantSize))
	if sink.err != nil {
		return fmt.Errorf("%s: writing: %w", what, sink.err)
	}
	if err != nil {
		return c.lost(ctx, http.MethodGet, target.Path, err)
	}
	if more, _ := io.ReadFull(resp.Body, make([]byte, 1)); more > 0 {
		return fmt.Errorf("%s: more than the %d bytes announced: %w", what, wantSize, ErrContent)
	}
	if n != wantSize {
		return fmt.Errorf("%s: %d bytes came, %d were announced: %w", what, n, wantSize, ErrContent)
	}
	if got := hex.EncodeToString(digest.Sum(nil)); !strings.EqualFold(got, wantSHA256) {
		return fmt.Errorf("%s: the digest is %s, %s was announced: %w", what, got, wantSHA256, ErrContent)
	}
	return nil
}

// sink remembers that it was the writer who failed, not the network.
type sink struct {
	to  io.Writer
	err error
}

func (s *sink) Write(p []byte) (int, error) {
	n, err := s.to.Write(p)
	s.err = err
	return n, err
}
