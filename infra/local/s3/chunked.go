package s3

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"
)

// chunked reads a body in aws-chunked coding: chunks of "<hex length>\r\n<bytes>
// \r\n", an empty one, then a trailer of headers. It yields the bytes only; the
// trailer is there after io.EOF.
type chunked struct {
	r       *bufio.Reader
	left    int64 // of the chunk being read
	started bool
	trailer http.Header
}

func newChunked(r io.Reader) *chunked { return &chunked{r: bufio.NewReader(r)} }

func (c *chunked) Read(p []byte) (int, error) {
	if c.trailer != nil {
		return 0, io.EOF
	}
	if c.left == 0 {
		if err := c.next(); err != nil {
			return 0, err
		}
		if c.trailer != nil {
			return 0, io.EOF
		}
	}
	n, err := c.r.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// next reads up to the bytes of the next chunk, or the trailer.
func (c *chunked) next() error {
	if c.started {
		if line, err := c.line(); err != nil || line != "" {
			return malformed(err)
		}
	}
	c.started = true
	line, err := c.line()
	if err != nil {
		return malformed(err)
	}
	if c.left, err = strconv.ParseInt(line, 16, 64); err != nil || c.left < 0 {
		return malformed(nil)
	}
	if c.left > 0 {
		return nil
	}
	fields, err := textproto.NewReader(c.r).ReadMIMEHeader()
	if err != nil {
		return malformed(err)
	}
	c.trailer = http.Header(fields)
	return nil
}

func (c *chunked) line() (string, error) {
	line, err := c.r.ReadSlice('\n')
	return strings.TrimSuffix(string(line), "\r\n"), err
}

func malformed(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return io.ErrUnexpectedEOF
	}
	return refuse(http.StatusBadRequest, "InvalidRequest", "The body is not in aws-chunked coding.")
}
