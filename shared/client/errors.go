package client

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"workerpool/shared/wire"
)

// Error is a call that came to nothing: the pool (or the bucket) answered with
// an error status, or there was no answer at all.
type Error struct {
	Method     string
	Path       string       // of the call, without host and query: links are secrets
	Problem    wire.Problem // as answered; made from the status when the body is no problem; zero without an answer
	RetryAfter time.Duration
	Cause      error // why there was no answer; nil when there was one
}

func (e *Error) Error() string {
	if e.Cause != nil {
		return fmt.Sprintf("%s %s: no answer: %v", e.Method, e.Path, e.Cause)
	}
	text := fmt.Sprintf("%s %s: %d %s", e.Method, e.Path, e.Problem.Status, e.Problem.Title)
	if e.Problem.Detail != "" {
		text += ": " + e.Problem.Detail
	}
	if e.Problem.Field != "" {
		text += " (" + e.Problem.Field + ")"
	}
	if e.Problem.RequestID != "" {
		text += " [request " + e.Problem.RequestID + "]"
	}
	return text
}

// Unwrap gives the cause, for errors.Is and errors.As.
func (e *Error) Unwrap() error { return e.Cause }

// MayRetry tells that the same call may succeed later: there was no answer, or
// 429, 502, 503 or 504, or a 500 without a code: so the gateway answers for a
// function that did not start or died. Every other status will come again.
func (e *Error) MayRetry() bool {
	switch e.Problem.Status {
	case 0, http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	case http.StatusInternalServerError:
		return e.Problem.Code == ""
	}
	return false
}

// MayRetry tells that err is an *Error that may be retried. An ended context and
// an answer that makes no sense are not.
func MayRetry(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.MayRetry()
}

// Status gives the HTTP status that err was answered with; 0 = none.
func Status(err error) int {
	var e *Error
	if errors.As(err, &e) {
		return e.Problem.Status
	}
	return 0
}

// RetryAfter gives how long the pool asked to wait; 0 = it did not say.
func RetryAfter(err error) time.Duration {
	var e *Error
	if errors.As(err, &e) {
		return e.RetryAfter
	}
	return 0
}

// problemOf reads an error answer: a problem of the pool, a message of the
// gateway before it, or an error document of the bucket.
func problemOf(method, path string, resp *http.Response) *Error {
	out := &Error{Method: method, Path: path, RetryAfter: retryAfter(resp.Header.Get("Retry-After"))}
	// A body cut short is as good as none: the status says enough.
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxProblem))
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	var other struct {
		Message string `json:"message" xml:"Message"`
		Code    string `json:"-" xml:"Code"`
	}
	switch {
	case kind == "application/problem+json" && json.Unmarshal(body, &out.Problem) == nil:
	case kind == "application/json" && json.Unmarshal(body, &other) == nil:
		out.Problem.Detail = other.Message
	case strings.HasSuffix(kind, "/xml") && xml.Unmarshal(body, &other) == nil:
		out.Problem.Code, out.Problem.Detail = other.Code, other.Message
	}
	if resp.StatusCode >= 300 && resp.StatusCode < 400 {
		out.Problem.Detail = "the pool moved to " + strconv.Quote(resp.Header.Get("Location"))
	}
	out.Problem.Status = resp.StatusCode
	if out.Problem.Title == "" {
		out.Problem.Title = http.StatusText(resp.StatusCode)
	}
	return out
}

// retryAfter reads the header's two forms, seconds and a date; 0 = neither.
func retryAfter(text string) time.Duration {
	if seconds, err := strconv.ParseInt(text, 10, 32); err == nil {
		return max(0, time.Duration(seconds)*time.Second)
	}
	if date, err := http.ParseTime(text); err == nil {
		return max(0, time.Until(date))
	}
	return 0
}

// withoutURL takes the URL out of a transport's error: a presigned link lets its
// reader act.
func withoutURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}
