//go:build linux

// Package outside fetches files from where strangers say that they lie: whoever
// makes a deal names them. It owns the ways there (http, https, gateways of IPFS),
// keeps out of the networks that the worker's machine is in, and bounds what comes.
// It must not decide what a file is for or when it is tried again.
package outside

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"workerpool/shared/cid"
)

const (
	maxRedirects    = 5
	maxHeader       = 64 << 10 // bytes of an answer's header
	defaultPatience = time.Minute
)

// Config says how files are fetched.
type Config struct {
	Gateways  []string      // URLs of IPFS gateways, in the order in which they are asked. The owner's choice, so they may lie anywhere
	Private   bool          // fetch from private addresses too, and through the proxy that the environment names
	UserAgent string        // as the worker calls itself
	Patience  time.Duration // without a byte until a host is given up; 0 = a minute
}

// Fetcher fetches files. It is safe for use by many goroutines.
type Fetcher struct {
	Config
	stranger *http.Client // to what a stranger named
	owner    *http.Client // to what the worker's owner named
}

// New makes a Fetcher. It fails when a gateway is no http or https URL.
func New(c Config) (*Fetcher, error) {
	if c.Patience <= 0 {
		c.Patience = defaultPatience
	}
	c.Gateways = slices.Clone(c.Gateways)
	for i, gateway := range c.Gateways {
		u, err := url.Parse(gateway)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.RawQuery != "" || u.Fragment != "" {
			return nil, fmt.Errorf("a gateway looks like https://ipfs.example.com, not %q", gateway)
		}
		c.Gateways[i] = strings.TrimRight(gateway, "/")
	}
	return &Fetcher{Config: c, stranger: caller(c.Private), owner: caller(true)}, nil
}

// caller makes the client for addresses of strangers, or for all.
func caller(private bool) *http.Client {
	dialer := net.Dialer{Timeout: 30 * time.Second, Control: publicOnly}
	way := &http.Transport{
		TLSHandshakeTimeout: 30 * time.Second, MaxResponseHeaderBytes: maxHeader,
		DisableKeepAlives: true, DisableCompression: true, // a file is the bytes as they are stored
	}
	if private {
		// A proxy would look names up where publicOnly does not see it.
		dialer.Control, way.Proxy = nil, http.ProxyFromEnvironment
	}
	way.DialContext = dialer.DialContext
	return &http.Client{Transport: way, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// File is what was fetched.
type File struct {
	SHA256 string // hexadecimal
	Size   int64  // bytes
}

// Fetch writes what lies at a URL, or at "/ipfs/" and a content id, to a file, which
// must be new or empty: at most so many bytes, of this SHA-256 (hexadecimal; "" =
// whatever comes). After an error, an *Error unless ctx ended or the file cannot be
// written, the file is the caller's to throw away.
func (f *Fetcher) Fetch(ctx context.Context, from, want string, most int64, into *os.File) (File, error) {
	if !strings.HasPrefix(from, "/ipfs/") {
		return f.attempt(ctx, from, "", want, most, into)
	}
	// A name made of the bytes' own digest; others say nothing of the bytes as a whole.
	if digest, err := cid.Parse(strings.TrimPrefix(from, "/ipfs/")); err == nil && want == "" {
		want = digest.String()
	}
	failed := &Error{Reason: "this worker asks no gateway of IPFS", Lasting: true}
	for _, gateway := range f.Gateways {
		got, err := f.attempt(ctx, gateway+from, gateway, want, most, into)
		var fault *Error
		if !errors.As(err, &fault) {
			return got, err
		}
		failed = &Error{
			Reason: "no gateway of IPFS has it; the last one: " + fault.Reason, Lasting: failed.Lasting && fault.Lasting,
			Cause: errors.Join(failed.Cause, fmt.Errorf("%s: %w", gateway, cause(fault))),
		}
		if err := errors.Join(into.Truncate(0), rewind(into)); err != nil {
			return File{}, unwritten(err)
		}
	}
	return File{}, failed
}

func rewind(file *os.File) error {
	_, err := file.Seek(0, io.SeekStart)
	return err
}

// attempt fetches from one place, one of a gateway's or "".
func (f *Fetcher) attempt(ctx context.Context, from, gateway, want string, most int64, into *os.File) (File, error) {
	timed, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watch := &watch{patience: f.Patience, timer: time.AfterFunc(f.Patience, func() { cancel(errSilent) })}
	defer watch.timer.Stop()
	answer, err := f.open(timed, from, gateway, watch)
	if err != nil {
		return File{}, f.fault(ctx, timed, err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return File{}, refused(answer.StatusCode)
	}
	if answer.ContentLength > most {
		return File{}, tooLarge(most)
	}
	digest, sink := sha256.New(), &sink{to: into}
	watch.from = answer.Body
	n, err := io.Copy(io.MultiWriter(sink, digest), io.LimitReader(watch, most+1))
	switch {
	case sink.err != nil:
		return File{}, unwritten(sink.err)
	case err != nil:
		return File{}, f.fault(ctx, timed, err)
	case n > most:
		return File{}, tooLarge(most)
	}
	got := File{SHA256: hex.EncodeToString(digest.Sum(nil)), Size: n}
	if want != "" && !strings.EqualFold(got.SHA256, want) {
		return File{}, &Error{Reason: "its SHA-256 is not the one announced", Lasting: true}
	}
	return got, nil
}

// open follows redirects to an answer that is none. What is the gateway's own is
// asked as the owner wants it, all else as a stranger's.
func (f *Fetcher) open(ctx context.Context, from, gateway string, watch *watch) (*http.Response, error) {
	home, err := url.Parse(gateway)
	if err != nil {
		return nil, err
	}
	to, err := url.Parse(from)
	if err != nil {
		return nil, &Error{Reason: "its address is none", Lasting: true, Cause: err}
	}
	for range maxRedirects + 1 {
		if to.Scheme != "http" && to.Scheme != "https" || to.Hostname() == "" || to.User != nil {
			return nil, &Error{Reason: "its address, or one that it leads on to, is none of http or https without a password", Lasting: true}
		}
		by := f.stranger
		if gateway != "" && to.Scheme == home.Scheme && to.Host == home.Host {
			by = f.owner
		}
		call, err := http.NewRequestWithContext(ctx, http.MethodGet, to.String(), nil)
		if err != nil {
			return nil, &Error{Reason: "its address is none", Lasting: true, Cause: err}
		}
		call.Header.Set("User-Agent", f.UserAgent)
		answer, err := by.Do(call)
		if err != nil {
			return nil, err
		}
		watch.heard()
		switch answer.StatusCode {
		case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		default:
			return answer, nil
		}
		_ = answer.Body.Close() // nothing of it is read
		if to, err = answer.Location(); err != nil {
			return nil, &Error{Reason: "it leads on to nowhere", Lasting: true, Cause: err}
		}
	}
	return nil, &Error{Reason: fmt.Sprintf("it leads on more than %d times", maxRedirects), Lasting: true}
}

// sink remembers that it was the disk that failed.
type sink struct {
	to  io.Writer
	err error
}

func (s *sink) Write(p []byte) (n int, err error) {
	n, s.err = s.to.Write(p)
	return n, s.err
}

// watch reads, and puts off the end of patience each time that something comes.
type watch struct {
	from     io.Reader
	patience time.Duration
	timer    *time.Timer
}

func (w *watch) heard() { w.timer.Reset(w.patience) }

func (w *watch) Read(p []byte) (int, error) {
	n, err := w.from.Read(p)
	if n > 0 {
		w.heard()
	}
	return n, err
}
