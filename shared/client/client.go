// Package client is the typed HTTP client of the pool: one method for each of
// its routes, in and out the types of package wire, and the two ways of moving
// bytes (Upload, Download). It owns retries, timeouts and the reading of problem
// answers. It must not decide what a worker or a requester does next, keep a
// token, or import more than the standard library and package wire.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Defaults of Config, and the bounds that no caller has needed to change.
const (
	defaultAttempts = 4
	defaultTimeout  = 35 * time.Second // the pool's front gives up after 30
	firstPause      = 250 * time.Millisecond
	longestPause    = 8 * time.Second
	longestAsked    = time.Minute // a longer Retry-After is the caller's to wait for
	maxAnswer       = 16 << 20    // bytes of a JSON answer; the pool's front allows 10 MB
	maxProblem      = 64 << 10    // bytes of an error answer that are read
)

// Config says which pool to call and how.
type Config struct {
	URL       string        // of the pool, such as "https://pool.example.com"; a path is kept as a prefix
	HTTP      *http.Client  // nil = a client of its own over http.DefaultTransport
	UserAgent string        // "" = "workerpool"
	Attempts  int           // tries of a call that may be repeated; 0 = 4, 1 = never repeat
	Timeout   time.Duration // of one try of a JSON call; 0 = 35 s. Upload and Download have none but their context's

	// Wait pauses between tries, and returns early with ctx's error. nil = by the
	// wall clock.
	Wait func(ctx context.Context, pause time.Duration) error
}

// Client calls one pool. It is safe for use by many goroutines.
type Client struct {
	base     *url.URL
	json     *http.Client // never follows a redirect: a body or a token would go astray
	bytes    *http.Client
	agent    string
	attempts int
	timeout  time.Duration
	wait     func(context.Context, time.Duration) error
}

// New makes a Client. It fails when c.URL is not an absolute http or https URL.
func New(c Config) (*Client, error) {
	base, err := url.Parse(c.URL)
	if err != nil {
		return nil, fmt.Errorf("reading the pool's URL: %w", err)
	}
	if (base.Scheme != "http" && base.Scheme != "https") || base.Host == "" || base.RawQuery != "" || base.Fragment != "" {
		return nil, fmt.Errorf("the pool's URL must look like https://pool.example.com, not %q", c.URL)
	}
	if c.HTTP == nil {
		c.HTTP = &http.Client{}
	}
	if c.UserAgent == "" {
		c.UserAgent = "workerpool"
	}
	if c.Attempts <= 0 {
		c.Attempts = defaultAttempts
	}
	if c.Timeout <= 0 {
		c.Timeout = defaultTimeout
	}
	if c.Wait == nil {
		c.Wait = waitByClock
	}
	fixed := *c.HTTP
	fixed.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Client{
		base: base, json: &fixed, bytes: c.HTTP, agent: c.UserAgent,
		attempts: c.Attempts, timeout: c.Timeout, wait: c.Wait,
	}, nil
}

func waitByClock(ctx context.Context, pause time.Duration) error {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// call is one JSON call.
type call struct {
	method string
	path   string
	query  url.Values
	token  string // "" = none sent
	key    string // Idempotency-Key; "" = none sent
	in     any    // body; nil = none
	out    any    // decoded into; nil = the answer's body is ignored
	repeat bool   // the pool gives a repetition the same effect as one call
}

// link is what an answer leads to; as out of a call it takes the place of a body.
type link string

// do makes the call, again and again when that may help and may be done.
func (c *Client) do(ctx context.Context, k call) error {
	var body []byte
	if k.in != nil {
		var err error
		if body, err = json.Marshal(k.in); err != nil {
			return fmt.Errorf("encoding the body of %s %s: %w", k.method, k.path, err)
		}
	}
	for attempt := 1; ; attempt++ {
		err := c.try(ctx, k, body)
		if err == nil || !k.repeat || attempt >= c.attempts || !MayRetry(err) {
			return err
		}
		asked := RetryAfter(err)
		if asked > longestAsked {
			return err
		}
		if waitErr := c.wait(ctx, pause(attempt, asked)); waitErr != nil {
			return fmt.Errorf("waiting to repeat %s %s after %w: %w", k.method, k.path, err, waitErr)
		}
	}
}

// pause gives the time before the next try: what the pool asked for, plus a draw
// from a doubling range so that callers who failed together do not return
// together.
func pause(attempt int, asked time.Duration) time.Duration {
	span := min(firstPause<<(attempt-1), longestPause)
	return asked + span/2 + rand.N(span/2)
}

func (c *Client) try(ctx context.Context, k call, body []byte) error {
	limited, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	target := *c.base
	target.Path = strings.TrimSuffix(target.Path, "/") + k.path
	target.RawQuery = k.query.Encode()
	var content io.Reader
	if body != nil {
		content = bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(limited, k.method, target.String(), content)
	if err != nil {
		return fmt.Errorf("making the request %s %s: %w", k.method, k.path, err)
	}
	req.Header.Set("User-Agent", c.agent)
	req.Header.Set("Accept", "application/json, application/problem+json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if k.token != "" {
		req.Header.Set("Authorization", "Bearer "+k.token)
	}
	if k.key != "" {
		req.Header.Set("Idempotency-Key", k.key)
	}
	resp, err := c.json.Do(req)
	if err != nil {
		return c.lost(ctx, k.method, k.path, err)
	}
	defer drop(resp)
	if to, ok := k.out.(*link); ok && resp.StatusCode == http.StatusFound {
		*to = link(resp.Header.Get("Location"))
		return nil
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return problemOf(k.method, k.path, resp)
	}
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return c.lost(ctx, k.method, k.path, err)
	}
	if len(answer) > maxAnswer {
		return fmt.Errorf("%s %s: the answer is longer than %d bytes", k.method, k.path, maxAnswer)
	}
	switch out := k.out.(type) {
	case nil:
		return nil
	case *[]byte:
		*out = answer
		return nil
	}
	if err := json.Unmarshal(answer, k.out); err != nil {
		return fmt.Errorf("reading the answer to %s %s: %w", k.method, k.path, err)
	}
	return nil
}

// lost makes the error for a call without an answer: an *Error that may be
// retried, unless it is the caller who gave up.
func (c *Client) lost(ctx context.Context, method, path string, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%s %s: %w", method, path, context.Cause(ctx))
	}
	return &Error{Method: method, Path: path, Cause: withoutURL(err)}
}

// drop reads a little of what is left, so that the connection can be used again,
// and closes the body.
func drop(resp *http.Response) {
	// Nothing depends on either: the answer was used before.
	_, _ = io.CopyN(io.Discard, resp.Body, maxProblem)
	_ = resp.Body.Close()
}
