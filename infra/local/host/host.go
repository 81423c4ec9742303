// Package host is the pool's AWS account on one machine: it reads template.yaml
// and puts the stand-ins together as the template says. It owns that wiring and
// the order of start and end; it must not know a route, a queue or a variable by
// name beyond what the template names.
package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"workerpool/infra/local/apigw"
	"workerpool/infra/local/esm"
	"workerpool/infra/local/faults"
	"workerpool/infra/local/lambda"
	"workerpool/infra/local/schedule"
	"workerpool/infra/local/template"
)

// FaultsPath is where the front lets the faults be set (see package faults); AWS
// has nothing like it.
const FaultsPath = "/_local/faults"

// SecretsFile in Dir holds all secrets by their logical ids, as text. It is read
// anew by every call of a function, so that a secret can be changed by hand.
const SecretsFile = "secrets.json"

// AdminSecret is the name of the secret that RDS would make: the database
// administrator's {"username","password"}.
const AdminSecret = "DatabaseAdminSecret"

// Config of a Host.
type Config struct {
	Template   string            // path of template.yaml
	Functions  string            // folder with <function>/bootstrap
	Dir        string            // what S3 keeps, in s3/, and SecretsFile; survives Close
	Front      net.Listener      // where the API is served, closed by Close; nil = a free port of 127.0.0.1
	Parameters map[string]string // overrides of the template's
	Secrets    map[string]string // contents by logical id of the template's secrets; AdminSecret follows from Database
	Database   Database
	TickEvery  time.Duration // of all schedules; 0 = the template's, < 0 = only by Tick
	Seed       uint64        // of the faults
	Output     io.Writer     // what functions print
	Log        *slog.Logger
}

// Database is where the functions find MySQL, as the template's nested stack
// Database would tell.
type Database struct {
	Addr          string // host:port
	AdminUser     string
	AdminPassword string
}

// Host runs until it is closed. Its methods are for concurrent use.
type Host struct {
	config    Config
	template  *template.Template
	faults    *faults.Board
	functions *lambda.Host
	names     map[string]bool // of the functions
	schedules []*schedule.Schedule
	url       string
	closers   []func() // run backwards by Close
}

// Start starts everything but the database. When it fails nothing is left running.
func Start(c Config) (h *Host, err error) {
	h = &Host{config: c, faults: faults.New(faults.Config{Seed: c.Seed}), names: map[string]bool{}}
	defer func() {
		if err != nil {
			h.Close()
			h = nil
		}
	}()
	if h.template, err = template.Read(c.Template, c.Parameters); err != nil {
		return h, err
	}
	services, err := h.startServices()
	if err != nil {
		return h, err
	}
	functions, err := h.template.Functions()
	if err != nil {
		return h, fmt.Errorf("reading the template: %w", err)
	}
	if err := h.startFunctions(functions, services); err != nil {
		return h, err
	}
	if err := h.startSources(functions, services); err != nil {
		return h, err
	}
	return h, h.startFront(functions)
}

// short is the one word a function has everywhere: SubmitFunction is submit.
func short(logicalID string) string {
	return strings.ToLower(strings.TrimSuffix(logicalID, "Function"))
}

func (h *Host) startFunctions(functions []template.Function, s *services) error {
	common := map[string]string{
		"AWS_REGION": template.Region, "AWS_DEFAULT_REGION": template.Region,
		"AWS_ACCESS_KEY_ID": s.accessKey, "AWS_SECRET_ACCESS_KEY": s.secretKey,
	}
	maps.Copy(common, s.endpoints)
	var all []lambda.Function
	for _, f := range functions {
		name := short(f.ID)
		dir := filepath.Join(h.config.Functions, name)
		if _, err := os.Stat(filepath.Join(dir, f.Handler)); err != nil {
			return fmt.Errorf("the function %s has not been built: make build-local: %w", name, err)
		}
		h.names[name] = true
		all = append(all, lambda.Function{
			Name: name, Dir: dir, Handler: f.Handler, MemoryMB: f.MemoryMB, Timeout: f.Timeout,
			Concurrency: f.Concurrency, Environment: f.Environment,
		})
	}
	h.functions = lambda.New(lambda.Config{Functions: all, Environment: common, Output: h.config.Output})
	h.atClose(h.functions.Close)
	return nil
}

// startSources starts what calls functions by itself.
func (h *Host) startSources(functions []template.Function, s *services) error {
	for _, f := range functions {
		for _, source := range f.Sources {
			queue, ok := s.queues[source.QueueARN]
			if !ok {
				return fmt.Errorf("%s is fed by %q, which is no queue of the template", f.ID, source.QueueARN)
			}
			poller, err := esm.Start(esm.Config{
				Queue: s.sqs, QueueURL: queue.url, QueueARN: source.QueueARN, Region: template.Region, Visibility: queue.visibility,
				Function: short(f.ID), Timeout: f.Timeout, BatchSize: source.BatchSize, Window: source.Window,
				MaxConcurrency: source.MaxConcurrency, ReportFailures: source.ReportFailures,
				Invoke: h.functions.Invoke, Log: h.config.Log,
			})
			if err != nil {
				return err
			}
			h.atClose(poller.Close)
		}
		for _, event := range f.Schedules {
			interval := event.Interval
			if h.config.TickEvery != 0 {
				interval = h.config.TickEvery
			}
			ticker := schedule.Start(schedule.Config{
				Name: f.ID + event.Event, Function: short(f.ID), Interval: interval, Input: event.Input,
				Invoke: h.functions.Invoke, Log: h.config.Log,
			})
			h.schedules = append(h.schedules, ticker)
			h.atClose(ticker.Close)
		}
	}
	return nil
}

func (h *Host) startFront(functions []template.Function) error {
	var routes []apigw.Route
	for _, f := range functions {
		for _, r := range f.Routes {
			routes = append(routes, apigw.Route{Method: r.Method, Path: r.Path, Function: short(f.ID)})
		}
	}
	front, err := apigw.New(apigw.Config{Routes: routes, Invoke: h.functions.Invoke, Log: h.config.Log})
	if err != nil {
		return err
	}
	// No ServeMux: it would tidy paths with a redirect, which API Gateway does not.
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == FaultsPath {
			h.faults.ServeHTTP(w, r)
			return
		}
		front.ServeHTTP(w, r)
	})
	if h.config.Front == nil {
		h.url, err = h.serveHere(handler)
		return err
	}
	h.url = h.serve(h.config.Front, handler)
	return nil
}

// serveHere serves a handler on a free port of this machine.
func (h *Host) serveHere(handler http.Handler) (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("listening on a free port: %w", err)
	}
	return h.serve(listener, handler), nil
}

// serve serves a handler until Close and gives its URL.
func (h *Host) serve(listener net.Listener, handler http.Handler) string {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(h.config.Log.Handler(), slog.LevelWarn)}
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			h.config.Log.Error("serving", "addr", listener.Addr(), "error", err)
		}
	}()
	h.atClose(func() {
		// A moment for answers under way; long polls do not end by themselves.
		ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
		defer cancel()
		if server.Shutdown(ctx) != nil {
			_ = server.Close() // only the listener could fail to close, and it has
		}
	})
	return "http://" + listener.Addr().String()
}

func (h *Host) atClose(f func()) { h.closers = append(h.closers, f) }

// URL is the address of the API.
func (h *Host) URL() string { return h.url }

// Invoke calls a function directly, as an operator of the account may, and gives
// its answer. A function that fails is an error.
func (h *Host) Invoke(ctx context.Context, function string, event []byte) ([]byte, error) {
	result, err := h.functions.Invoke(ctx, function, event)
	if err != nil {
		return nil, err
	}
	if result.Failed {
		var e struct{ ErrorMessage string }
		if json.Unmarshal(result.Payload, &e) != nil || e.ErrorMessage == "" {
			e.ErrorMessage = string(result.Payload)
		}
		return nil, fmt.Errorf("%s failed: %s", function, e.ErrorMessage)
	}
	return result.Payload, nil
}

// KillFunction ends a random living sandbox of a function by kill -9, at work or
// idle; false when there is none.
func (h *Host) KillFunction(name string) (bool, error) {
	if !h.names[name] {
		return false, fmt.Errorf("killing %s: %w", name, lambda.ErrUnknown)
	}
	return h.functions.Kill(name), nil
}

// Tick lets every schedule call its function now and waits for all.
func (h *Host) Tick(ctx context.Context) error {
	var all []error
	for _, s := range h.schedules {
		all = append(all, s.Tick(ctx))
	}
	return errors.Join(all...)
}

// Faults is the board on which tests break the stand-ins.
func (h *Host) Faults() *faults.Board { return h.faults }

// Close ends everything in the reverse order of the start and waits for it. It may
// be called more than once, not at once.
func (h *Host) Close() {
	for len(h.closers) > 0 {
		last := len(h.closers) - 1
		h.closers[last]()
		h.closers = h.closers[:last]
	}
}
