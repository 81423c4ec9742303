package s3

import (
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"

	"workerpool/infra/local/faults"
	"workerpool/infra/local/sigv4"
)

// maxObject is the largest object of one call, in bytes.
const maxObject = 5 << 30

// upload is an object on its way in: header holds its checksums and the headers
// to keep, trailer is asked after the body was read.
type upload struct {
	key      string
	body     io.Reader
	header   http.Header
	trailer  func() http.Header
	min, max int64
}

// store receives an upload whole, checks it, and only then makes it the object.
func (c call) store(u upload) (about, error) {
	if _, err := fileOf(u.key); err != nil {
		return about{}, err
	}
	sums, err := newDigests(u.header)
	if err != nil {
		return about{}, err
	}
	received, size, err := c.disk.receive(&bounded{u.body, u.max}, sums)
	if err != nil {
		return about{}, err
	}
	defer os.Remove(received) // there only if it did not become the object
	if size < u.min {
		return about{}, refuse(http.StatusBadRequest, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
	}
	if n := u.header.Get("X-Amz-Decoded-Content-Length"); n != "" && n != strconv.FormatInt(size, 10) {
		return about{}, fmt.Errorf("%d bytes instead of %s: %w", size, n, io.ErrUnexpectedEOF)
	}
	checks, err := sums.verify(u.header, u.trailer())
	if err != nil {
		return about{}, err
	}
	a := about{ETag: hex.EncodeToString(sums.md5.Sum(nil)), Headers: kept(u.header), Checksums: checks}
	if c.fault.Kind == faults.Lose {
		return a, nil
	}
	return a, c.disk.commit(received, u.key, a)
}

// kept are the headers that come back with the object.
func kept(header http.Header) map[string]string {
	out := map[string]string{}
	for name, values := range header {
		switch name {
		case "Content-Type", "Content-Disposition", "Content-Encoding", "Content-Language", "Cache-Control", "Expires":
		default:
			if !strings.HasPrefix(name, "X-Amz-Meta-") {
				continue
			}
		}
		value := strings.Join(values, ",")
		if name == "Content-Encoding" { // the coding of the call is not the object's
			value = strings.Trim(strings.Replace(value, "aws-chunked", "", 1), ", ")
		}
		if value != "" {
			out[name] = value
		}
	}
	return out
}

func (b *Buckets) putObject(c call) error {
	u := upload{key: c.key, body: c.r.Body, header: c.r.Header, max: maxObject,
		trailer: func() http.Header { return nil }}
	payload := c.r.Header.Get(sigv4.PayloadHeader)
	switch {
	case payload == "STREAMING-UNSIGNED-PAYLOAD-TRAILER":
		body := newChunked(c.r.Body)
		u.body, u.trailer = body, func() http.Header { return body.trailer }
	case strings.HasPrefix(payload, "STREAMING-"):
		return refuse(http.StatusNotImplemented, "NotImplemented", "Bodies in %s are not known here.", payload)
	case c.r.ContentLength < 0:
		return refuse(http.StatusLengthRequired, "MissingContentLength", "You must provide the Content-Length HTTP header.")
	}
	a, err := c.store(u)
	if err != nil {
		return err
	}
	c.w.Header().Set("ETag", `"`+a.ETag+`"`)
	tellChecksums(c.w.Header(), a)
	c.w.WriteHeader(http.StatusOK)
	return nil
}

func tellChecksums(header http.Header, a about) {
	for name, value := range a.Checksums {
		header.Set(name, value)
		header.Set("X-Amz-Checksum-Type", "FULL_OBJECT")
	}
}

// overrides are the parameters of a signed read that replace headers.
var overrides = map[string]string{
	"response-cache-control":       "Cache-Control",
	"response-content-disposition": "Content-Disposition",
	"response-content-encoding":    "Content-Encoding",
	"response-content-language":    "Content-Language",
	"response-content-type":        "Content-Type",
	"response-expires":             "Expires",
}

// getObject answers GET and HEAD; ranges and conditions are http.ServeContent's.
func (b *Buckets) getObject(c call) error {
	f, a, err := c.disk.open(c.key)
	if err != nil {
		return err
	}
	defer f.Close()
	ranged := c.r.Header.Get("Range")
	if unsatisfiable(ranged, a.Size) {
		return refuse(http.StatusRequestedRangeNotSatisfiable, "InvalidRange", "The requested range is not satisfiable")
	}
	header := c.w.Header()
	header.Set("Content-Type", "binary/octet-stream")
	for name, value := range a.Headers {
		header.Set(name, value)
	}
	for parameter, name := range overrides {
		if value := c.r.URL.Query().Get(parameter); value != "" {
			header.Set(name, value)
		}
	}
	header.Set("ETag", `"`+a.ETag+`"`)
	if strings.EqualFold(c.r.Header.Get("X-Amz-Checksum-Mode"), "ENABLED") && ranged == "" {
		tellChecksums(header, a)
	}
	if a.Headers["Content-Encoding"] != "" && ranged == "" && c.r.Header.Get("If-Match") == "" {
		// ServeContent leaves the length out beside a coding.
		header.Set("Content-Length", strconv.FormatInt(a.Size, 10))
	}
	http.ServeContent(c.w, c.r, "", a.ModTime, f)
	return nil
}

// unsatisfiable tells whether a range begins behind the last byte.
func unsatisfiable(ranged string, size int64) bool {
	first, last, ok := strings.Cut(strings.TrimPrefix(ranged, "bytes="), "-")
	if !ok {
		return false
	}
	if first == "" {
		return last == "0"
	}
	n, err := strconv.ParseInt(first, 10, 64)
	return err == nil && n >= size
}

func (b *Buckets) deleteObject(c call) error {
	if c.fault.Kind != faults.Lose {
		if err := c.disk.remove(c.key); err != nil {
			return err
		}
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}
