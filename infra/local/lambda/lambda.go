// Package lambda runs functions as AWS Lambda does: the real bootstrap binaries
// of provided.al2023, one process per sandbox, fed through the Lambda Runtime API.
// It owns sandboxes, their environment, timeouts and limits; it must not know what
// calls a function or what the function does.
package lambda

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"time"
)

const (
	// MaxPayload bounds what a function is given and what it answers, in bytes.
	MaxPayload = 6 << 20
	// initLimit is how long a sandbox may take before it asks for work.
	initLimit = 10 * time.Second
	// unreserved is how many sandboxes a function without reserved concurrency may
	// have. AWS would allow a thousand; here callers wait for a free one instead.
	unreserved = 16
)

// Reasons for which a function was not run at all.
var (
	ErrThrottled = errors.New("all of the function's reserved concurrency is in use")
	ErrTooLarge  = errors.New("the payload is larger than 6 MB")
	ErrUnknown   = errors.New("there is no such function")
	ErrClosed    = errors.New("the functions are being shut down")
)

// Function is one function to run.
type Function struct {
	Name        string // by which it is invoked, and which marks its output
	Dir         string // folder with its `bootstrap`
	Handler     string
	MemoryMB    int // told to the function, not enforced
	Timeout     time.Duration
	Concurrency int // reserved: further calls are throttled; < 0 = not reserved: they wait
	Environment map[string]string
}

// Config of a Host.
type Config struct {
	Functions   []Function
	Environment map[string]string // for all: endpoints, credentials, region
	Output      io.Writer         // what functions print, each line marked with the function's name
}

// Result is the outcome of a call that was run.
type Result struct {
	RequestID string
	Payload   []byte // the answer; when Failed, the error as JSON {"errorType","errorMessage"}
	Failed    bool   // X-Amz-Function-Error: returned an error, crashed or timed out
}

// Host runs functions until it is closed. Its methods are for concurrent use.
type Host struct {
	config    Config
	functions map[string]*pool
	output    *output
}

// pool is the sandboxes of one function.
type pool struct {
	host     *Host
	function Function
	slots    chan struct{} // one token per allowed sandbox at work

	mu     sync.Mutex
	idle   []*sandbox            // ready for a call; the last used first
	alive  map[*sandbox]struct{} // idle or at work
	closed bool
}

// New makes a host. Nothing runs before the first Invoke.
func New(c Config) *Host {
	h := &Host{config: c, functions: map[string]*pool{}, output: &output{to: c.Output}}
	for _, f := range c.Functions {
		n := f.Concurrency
		if n < 0 {
			n = unreserved
		}
		h.functions[f.Name] = &pool{host: h, function: f, slots: make(chan struct{}, n), alive: map[*sandbox]struct{}{}}
	}
	return h
}

// Invoke runs a function on an event and waits for its answer. An error says that
// it was not run (ErrThrottled, ErrTooLarge, ErrUnknown, ErrClosed) or that ctx
// ended first; then the function runs on to its own end, as in AWS.
func (h *Host) Invoke(ctx context.Context, name string, event []byte) (Result, error) {
	p, ok := h.functions[name]
	if !ok {
		return Result{}, fmt.Errorf("invoking %s: %w", name, ErrUnknown)
	}
	if len(event) > MaxPayload {
		return Result{}, fmt.Errorf("invoking %s: %w", name, ErrTooLarge)
	}
	if err := p.acquire(ctx); err != nil {
		return Result{}, fmt.Errorf("invoking %s: %w", name, err)
	}
	type outcome struct {
		result Result
		err    error
	}
	done := make(chan outcome, 1)
	go func() {
		defer func() { <-p.slots }()
		result, err := p.run(event)
		done <- outcome{result, err}
	}()
	select {
	case o := <-done:
		if o.err != nil {
			return Result{}, fmt.Errorf("invoking %s: %w", name, o.err)
		}
		return o.result, nil
	case <-ctx.Done():
		return Result{}, fmt.Errorf("invoking %s: %w", name, ctx.Err())
	}
}

func (p *pool) acquire(ctx context.Context) error {
	if p.function.Concurrency >= 0 {
		select {
		case p.slots <- struct{}{}:
			return nil
		default:
			return ErrThrottled
		}
	}
	select {
	case p.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// run takes an idle sandbox or starts one. A sandbox that died while idle never
// got the event, so another one is asked.
func (p *pool) run(event []byte) (Result, error) {
	call := newInvocation(event, p.function.Timeout)
	for {
		s, err := p.take()
		if err != nil {
			return Result{}, err
		}
		result, delivered := s.serve(call)
		if delivered || s.fresh {
			p.giveBack(s)
			return result, nil
		}
	}
}

func (p *pool) take() (*sandbox, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, ErrClosed
	}
	for len(p.idle) > 0 {
		s := p.idle[len(p.idle)-1]
		p.idle = p.idle[:len(p.idle)-1]
		if !s.over() {
			s.fresh = false
			return s, nil
		}
	}
	s, err := startSandbox(p)
	if err != nil {
		return nil, err
	}
	p.alive[s] = struct{}{}
	go func() {
		<-s.ended
		p.mu.Lock()
		delete(p.alive, s)
		p.mu.Unlock()
	}()
	return s, nil
}

func (p *pool) giveBack(s *sandbox) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed && !s.over() {
		p.idle = append(p.idle, s)
	}
}

// Kill ends a random living sandbox of a function at once, at work or idle, and
// tells whether there was one.
func (h *Host) Kill(name string) bool {
	p, ok := h.functions[name]
	if !ok {
		return false
	}
	p.mu.Lock()
	var living []*sandbox
	for s := range p.alive {
		living = append(living, s)
	}
	p.mu.Unlock()
	if len(living) == 0 {
		return false
	}
	s := living[rand.IntN(len(living))]
	s.kill()
	<-s.ended
	return true
}

// Close ends all sandboxes and waits until they are gone. Calls under way fail.
func (h *Host) Close() {
	var all []*sandbox
	for _, p := range h.functions {
		p.mu.Lock()
		p.closed = true
		for s := range p.alive {
			all = append(all, s)
		}
		p.mu.Unlock()
	}
	for _, s := range all {
		s.kill()
	}
	for _, s := range all {
		<-s.ended
	}
}
