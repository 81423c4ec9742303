package node

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// statusError is an answer that is no JSON-RPC.
type statusError struct {
	code  int
	after time.Duration // stated by the node; 0 = unstated
	page  string
}

// refused tells that another try would not help.
func (e *statusError) refused() bool {
	return e.code != http.StatusOK && e.code < http.StatusInternalServerError && e.code != http.StatusRequestTimeout
}

func (e *statusError) Error() string {
	return fmt.Sprintf("HTTP status %d %s %q", e.code, http.StatusText(e.code), e.page)
}

// answerError is what a node said to a whole batch.
type answerError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

func (e *answerError) Error() string  { return e.Message }
func (e *answerError) ErrorCode() int { return e.Code }

// ErrTooLarge is the cause when an answer holds more than can be read.
var ErrTooLarge = fmt.Errorf("it is larger than %d bytes", mostBytes)

// strict makes an error of every answer that go-ethereum's client would take for
// less or more than it is: another status than 200, an object in place of a
// batch's array, more bytes than can be held.
type strict struct{ next http.RoundTripper }

func (s strict) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := s.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body := &limited{ReadCloser: answer.Body, left: mostBytes}
	answer.Body = body
	first, err := body.peek()
	if answer.StatusCode == http.StatusOK && (err != nil || first == '[') {
		return answer, nil // an error of reading shows again when it is read
	}
	defer func() { _ = body.Close() }()
	page, err := io.ReadAll(io.LimitReader(body, mostPage))
	if err != nil {
		return nil, err
	}
	var said struct{ Error *answerError }
	if answer.StatusCode < http.StatusInternalServerError && answer.StatusCode != http.StatusTooManyRequests &&
		json.Unmarshal(page, &said) == nil && said.Error != nil {
		return nil, said.Error
	}
	return nil, &statusError{code: answer.StatusCode, after: retryAfter(answer.Header), page: string(page[:min(quoteBytes, len(page))])}
}

func retryAfter(h http.Header) time.Duration {
	text := h.Get("Retry-After")
	if seconds, err := strconv.ParseFloat(text, 64); err == nil && seconds > 0 && seconds < 1e6 {
		return time.Duration(seconds * float64(time.Second))
	}
	at, err := http.ParseTime(text)
	sent, errSent := http.ParseTime(h.Get("Date"))
	if err != nil || errSent != nil { // both by the node's clock
		return 0
	}
	return at.Sub(sent)
}

// limited reads no more than it may, and says so.
type limited struct {
	io.ReadCloser
	ahead []byte
	left  int64
}

// peek gives the first byte that is no white space.
func (l *limited) peek() (byte, error) {
	var one [512]byte
	for {
		n, err := l.ReadCloser.Read(one[:])
		l.ahead = append(l.ahead, one[:n]...)
		if rest := bytes.TrimLeft(l.ahead, " \t\r\n"); len(rest) > 0 {
			return rest[0], nil
		}
		if err != nil || len(l.ahead) > mostPage {
			return 0, errors.Join(err, io.ErrUnexpectedEOF)
		}
	}
}

func (l *limited) Read(into []byte) (int, error) {
	if len(l.ahead) > 0 {
		n := copy(into, l.ahead)
		l.ahead = l.ahead[n:]
		return n, nil
	}
	if l.left <= 0 {
		return 0, ErrTooLarge
	}
	n, err := l.ReadCloser.Read(into[:min(int64(len(into)), l.left)])
	l.left -= int64(n)
	return n, err
}
