package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"workerpool/infra/local/host"
	"workerpool/infra/local/process"
	"workerpool/shared/client"
	"workerpool/shared/store/storetest"
	"workerpool/shared/wire"
)

// serving is what the process that runs the stand-ins of AWS is told. It is one of
// its own, so that its CPU time and that of the functions, its children, can be
// told from that of the workers that are simulated here.
type serving struct {
	Template, Functions, Dir string
	Database                 host.Database
	Parameters, Secrets      map[string]string
}

// serve runs a pool until its input ends, and prints its URL when it is ready.
func serve(ctx context.Context, in io.Reader, out io.Writer) error {
	var c serving
	lines := bufio.NewReader(in)
	text, err := lines.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(text, &c)
	}
	if err != nil {
		return fmt.Errorf("reading what to serve: %w", err)
	}
	printed, err := os.Create(filepath.Join(c.Dir, "functions.log"))
	if err != nil {
		return fmt.Errorf("opening a log: %w", err)
	}
	defer printed.Close()
	h, err := host.Start(host.Config{
		Template: c.Template, Functions: c.Functions, Dir: c.Dir, Parameters: c.Parameters, Secrets: c.Secrets, Database: c.Database,
		Output: printed, Log: slog.New(slog.NewJSONHandler(printed, nil)),
	})
	if err != nil {
		return err
	}
	defer h.Close()
	if _, err := h.Invoke(ctx, "migrate", []byte(`{"action":"up"}`)); err != nil {
		return err
	}
	fmt.Fprintln(out, h.URL())
	_, err = io.Copy(io.Discard, lines)
	return err
}

const (
	operatorLogin = "operator"
	workerLogin   = "worker"
	databaseName  = "workerpool" // as in template.yaml
)

// web is a whole pool behind HTTP, and its simulated workers.
type web struct {
	client    *client.Client
	token     string // the operator's, who also submits
	server    *server
	host      int // process
	dir       string
	sql       *sql.DB
	hands     []*hand
	submitted atomic.Int64 // works
	done      atomic.Int64 // works that a worker was told to be done with
	end       func() error
}

func startWeb(ctx context.Context, s *server, o options, dir string) (_ *web, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making a folder: %w", err)
	}
	passwords := map[string]string{operatorLogin: rand.Text(), workerLogin: rand.Text()}
	c := serving{
		Template: o.template, Functions: o.functions, Dir: dir,
		Database: host.Database{Addr: s.Addr(), AdminUser: s.AdminUser(), AdminPassword: s.AdminPassword()},
		// As many functions at once as the template reserves, and so many heartbeats as
		// the machine can bear.
		Parameters: map[string]string{
			"ReserveConcurrency": "true", "HeartbeatBusy": "1", "HeartbeatIdle": "1", "HeartbeatBudget": "100000", "S3PathStyle": "true",
			"AdminLogin": operatorLogin, "WorkerLogin": workerLogin,
		},
		Secrets: map[string]string{},
	}
	for id, fields := range map[string]map[string]string{
		"TokenSecret":        {"current": rand.Text() + rand.Text(), "previous": ""},
		"DatabaseUserSecret": {"username": "pool", "password": rand.Text()},
		"BootstrapSecret": {
			"admin_login": operatorLogin, "admin_password": passwords[operatorLogin], "worker_login": workerLogin, "worker_password": passwords[workerLogin],
		},
	} {
		text, err := json.Marshal(fields)
		if err != nil {
			return nil, fmt.Errorf("encoding a secret: %w", err)
		}
		c.Secrets[id] = string(text)
	}
	told, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("encoding what to serve: %w", err)
	}
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("finding this program: %w", err)
	}
	cmd := exec.Command(self, "-serve")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("telling what to serve: %w", err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("hearing what is served: %w", err)
	}
	if err := process.Start(cmd); err != nil {
		return nil, fmt.Errorf("starting the pool: %w", err)
	}
	w := &web{server: s, host: cmd.Process.Pid, dir: dir}
	w.end = func() error { return errors.Join(in.Close(), cmd.Wait()) }
	defer func() {
		if err != nil {
			err = errors.Join(err, w.end())
		}
	}()
	if _, err := in.Write(append(told, '\n')); err != nil {
		return nil, fmt.Errorf("telling what to serve: %w", err)
	}
	url, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("hearing what is served: %w", err)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 1000 // workers keep their connections
	if w.client, err = client.New(client.Config{URL: strings.TrimSpace(url), HTTP: &http.Client{Transport: transport}}); err != nil {
		return nil, err
	}
	session, err := w.client.Session(ctx, wire.Login{Login: operatorLogin, Password: passwords[operatorLogin]})
	if err != nil {
		return nil, err
	}
	w.token = session.Token
	if w.sql, err = s.connect(databaseName, 2); err != nil {
		return nil, err
	}
	workers, err := w.client.Session(ctx, wire.Login{Login: workerLogin, Password: passwords[workerLogin]})
	if err != nil {
		return nil, err
	}
	w.hands, err = w.hire(ctx, workers.Token)
	return w, err
}

// hire registers the workers.
func (w *web) hire(ctx context.Context, token string) ([]*hand, error) {
	const workers, slots = 40, 64
	hands := make([]*hand, workers)
	return hands, together(ctx, 8, func(ctx context.Context, caller int) error {
		for i := caller; i < workers; i += 8 {
			name := fmt.Sprint("simulated-", i)
			registered, err := w.client.Register(ctx, token, wire.Registration{
				Name: name, Key: fmt.Sprintf("%x", digestOf(name)), Slots: slots, Capabilities: wire.Capabilities{Programs: []string{program}},
			})
			if err != nil {
				return err
			}
			hands[i] = &hand{web: w, id: registered.Worker, token: registered.Token, held: map[int64]*wire.Report{}}
		}
		return nil
	})
}

// submit brings works to the end of the queue.
func (w *web) submit(ctx context.Context, works int) error {
	for works > 0 {
		n := min(works, 10_000)
		s := wire.Submission{Template: wire.Template{App: wire.App{Type: "process", Name: program}, Trust: 1}}
		for i := range n {
			s.Items = append(s.Items, wire.Item{Args: []string{"--part", fmt.Sprint(i)}})
		}
		if _, err := w.client.Submit(ctx, w.token, rand.Text(), s); err != nil {
			return err
		}
		w.submitted.Add(int64(n))
		works -= n
	}
	return nil
}

// keep submits whenever less than the backlog waits, until ctx ends.
func (w *web) keep(ctx context.Context, backlog int) error {
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		for missing := backlog + room(w.hands) - int(w.submitted.Load()-w.done.Load()); missing > 0; missing = 0 {
			if err := w.submit(ctx, max(missing, 500)); err != nil {
				return ended(ctx, err)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-again.C:
		}
	}
}

// room is how many works the workers hold when all slots are taken.
func room(hands []*hand) int { return len(hands) * 64 }

// ended is nil when it is the end of ctx that err tells of.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// usage is the CPU time that each part has had.
type usage struct {
	done      int64
	at        time.Time
	functions map[string]time.Duration
	host      time.Duration
	database  time.Duration
	own       time.Duration
}

func (w *web) usage() (usage, error) {
	u := usage{functions: map[string]time.Duration{}, at: time.Now(), done: w.done.Load()}
	var err error
	if u.own, u.database, err = clocks(w.server.pid); err != nil {
		return u, err
	}
	h, err := readProcess(w.host)
	if err != nil {
		return u, err
	}
	u.host, u.functions["ended"] = h.cpu, h.ended
	all, err := children(w.host)
	for _, p := range all {
		u.functions[p.name] += p.cpu
	}
	return u, err
}

// between is what passed from one look to another.
func between(from, to usage) usage {
	out := usage{done: to.done - from.done, host: to.host - from.host, database: to.database - from.database, own: to.own - from.own, functions: map[string]time.Duration{}}
	for name, d := range to.functions {
		out.functions[name] = d - from.functions[name]
	}
	return out
}

func (u usage) all() (sum time.Duration) {
	for _, d := range u.functions {
		sum += d
	}
	return sum
}

// window lets workers and requester go on for a while and looks before and after.
func (w *web) window(ctx context.Context, d time.Duration) (usage, float64, error) {
	before, err := w.usage()
	if err != nil {
		return usage{}, 0, err
	}
	over := time.NewTimer(d)
	defer over.Stop()
	select {
	case <-ctx.Done():
		return usage{}, 0, context.Cause(ctx)
	case <-over.C:
	}
	after, err := w.usage()
	return between(before, after), float64(after.done-before.done) / after.at.Sub(before.at).Seconds(), err
}

// What XWHEP's server took for the same life on another day, same kind of machine.
const (
	peerRate = 29.0 // works a second, the most that was measured
	peerCPU  = 35.0 // ms of server and database for one work
)

func measureHTTP(ctx context.Context, s *server, o options, dir string, out io.Writer) (text string, err error) {
	w, err := startWeb(ctx, s, o, dir)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, w.end()) }()
	var b strings.Builder
	b.WriteString("| whole life over HTTP, backlog | works/s, median (least - most) | CPU ms a work: functions | database | stand-ins of AWS | together | simulated workers |\n|---|---|---|---|---|---|---|\n")
	names := map[int]string{1_000: "10^3", 100_000: "10^5", 1_000_000: "10^6"}
	for _, backlog := range slices.Sorted(maps.Keys(names)) {
		if backlog > o.largest {
			break
		}
		began := time.Now()
		if err := w.submit(ctx, backlog+room(w.hands)-int(w.submitted.Load()-w.done.Load())); err != nil {
			return "", err
		}
		fmt.Fprintf(out, "http: backlog %s submitted in %.1f s\n", names[backlog], time.Since(began).Seconds())
		line, err := w.live(ctx, o, backlog, names[backlog], out)
		if err != nil {
			return "", fmt.Errorf("backlog %s: %w", names[backlog], err)
		}
		b.WriteString(line)
	}
	return b.String(), w.check(ctx)
}

// live runs workers on a backlog and measures some windows once they are trusted
// with all their slots.
func (w *web) live(ctx context.Context, o options, backlog int, name string, out io.Writer) (string, error) {
	running, cancel := context.WithCancelCause(ctx)
	var all sync.WaitGroup
	go1 := func(f func(context.Context) error) {
		all.Go(func() {
			if err := f(running); err != nil {
				cancel(err)
			}
		})
	}
	go1(func(ctx context.Context) error { return w.keep(ctx, backlog) })
	for _, h := range w.hands {
		go1(h.run)
	}
	var rates []float64
	var sum usage
	sum.functions = map[string]time.Duration{}
	_, _, err := w.window(running, 5*o.duration) // quotas grow, caches fill
	for range o.times {
		if err != nil {
			break
		}
		var u usage
		var rate float64
		if u, rate, err = w.window(running, 5*o.duration); err != nil {
			break
		}
		fmt.Fprintf(out, "http: backlog %s  %6.0f works/s  load %s\n", name, rate, load())
		rates = append(rates, rate)
		sum.done, sum.host, sum.database, sum.own = sum.done+u.done, sum.host+u.host, sum.database+u.database, sum.own+u.own
		for f, d := range u.functions {
			sum.functions[f] += d
		}
	}
	cancel(nil)
	all.Wait()
	if err = errors.Join(err, unless(context.Cause(running), context.Canceled)); err != nil {
		return "", err
	}
	if sum.done == 0 {
		return "", errors.New("no work was done")
	}
	each := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) / float64(sum.done) }
	for _, f := range slices.Sorted(maps.Keys(sum.functions)) {
		fmt.Fprintf(out, "http: backlog %s  %s: %.3f ms a work\n", name, f, each(sum.functions[f]))
	}
	return fmt.Sprintf("| %s | %.0f (%.0f - %.0f) | %.2f | %.2f | %.2f | **%.2f** | %.2f |\n", name, median(rates), slices.Min(rates), slices.Max(rates),
		each(sum.all()), each(sum.database), each(sum.host), each(sum.all()+sum.database+sum.host), each(sum.own)), nil
}

func unless(err, harmless error) error {
	if errors.Is(err, harmless) {
		return nil
	}
	return err
}

// check holds the books: all that was submitted is there, all that workers were
// told to be done with is done, and nothing else is wrong with them.
func (w *web) check(ctx context.Context) error {
	var works, finished, failed int64
	err := w.sql.QueryRowContext(ctx, "SELECT COUNT(*), COALESCE(SUM(state = 'done'), 0), COALESCE(SUM(state IN ('failed', 'cancelled')), 0) FROM work").
		Scan(&works, &finished, &failed)
	if err != nil {
		return fmt.Errorf("counting works: %w", err)
	}
	if works != w.submitted.Load() || finished < w.done.Load() || failed > 0 {
		return fmt.Errorf("%d works were accepted and %d are there; workers saw the end of %d and %d are done; %d failed",
			w.submitted.Load(), works, w.done.Load(), finished, failed)
	}
	const most = 200_000 // works that the audit keeps in memory
	if works > most {
		return nil
	}
	faults, err := storetest.NewAudit(w.sql).Look(ctx)
	if err == nil && len(faults) > 0 {
		err = fmt.Errorf("the books: %s", strings.Join(faults, "; "))
	}
	return err
}
