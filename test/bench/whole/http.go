package whole

import (
	"bufio"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
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
	"workerpool/test/bench/measure"
)

// A worker that finds nothing to do comes back after five seconds: whatever is
// shorter may see nothing at all.
const (
	warming     = 15 * time.Second
	leastWindow = 5 * time.Second
)

// Options say where the pool is and how long it is measured.
type Options struct {
	Template  string        // path of template.yaml
	Functions string        // folder with <function>/bootstrap
	Largest   int           // works in the largest backlog
	Times     int           // windows on each
	Duration  time.Duration // a tenth of a window, if that is long enough to see something
}

const (
	program       = "app"
	operatorLogin = "operator"
	workerLogin   = "worker"
	databaseName  = "workerpool" // as in template.yaml
)

// web is a whole pool behind HTTP, and its simulated workers.
type web struct {
	client    *client.Client
	token     string // the operator's, who also submits
	server    *measure.Server
	host      int // process
	dir       string
	sql       *sql.DB
	workers   string       // token of their account
	submitted atomic.Int64 // works
	done      atomic.Int64 // works whose workers were told to be done with them
	backlog   atomic.Int64 // works that shall wait or run
	end       func() error
}

func startWeb(ctx context.Context, s *measure.Server, o Options, dir string) (_ *web, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making a folder: %w", err)
	}
	passwords := map[string]string{operatorLogin: rand.Text(), workerLogin: rand.Text()}
	c := serving{
		Template: o.Template, Functions: o.Functions, Dir: dir,
		Database: host.Database{Addr: s.Addr(), AdminUser: s.AdminUser(), AdminPassword: s.AdminPassword()},
		// As many heartbeats as the machine can bear; all else is the template's.
		Parameters: map[string]string{
			"HeartbeatBudget": "100000", "S3PathStyle": "true",
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
	if w.sql, err = s.Connect(databaseName, 2); err != nil {
		return nil, err
	}
	workers, err := w.client.Session(ctx, wire.Login{Login: workerLogin, Password: passwords[workerLogin]})
	if err != nil {
		return nil, err
	}
	w.workers = workers.Token
	return w, nil
}

// crew is some workers of one kind.
type crew struct{ workers, slots int }

// hire registers a crew.
func (w *web) hire(ctx context.Context, c crew) ([]*hand, error) {
	hands := make([]*hand, c.workers)
	return hands, measure.Together(ctx, 8, func(ctx context.Context, caller int) error {
		for i := caller; i < c.workers; i += 8 {
			name := fmt.Sprintf("simulated-%d-%d", c.slots, i)
			registered, err := w.client.Register(ctx, w.workers, wire.Registration{
				Name: name, Key: fmt.Sprintf("%x", digestOf(name)), Slots: c.slots, Capabilities: wire.Capabilities{Programs: []string{program}},
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

// keep submits whenever less than the backlog is open, until ctx ends.
func (w *web) keep(ctx context.Context) error {
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		if missing := w.backlog.Load() - w.submitted.Load() + w.done.Load(); missing > 0 {
			if err := w.submit(ctx, max(int(missing), 500)); err != nil {
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

// ended is nil when it is the end of ctx that err tells of.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// usage is the CPU time that each part has had until a moment, or since another.
type usage struct {
	at        time.Time
	done      int64
	functions map[string]time.Duration
	host      time.Duration
	database  time.Duration
	own       time.Duration
}

func (w *web) usage(ctx context.Context) (usage, error) {
	u := usage{functions: map[string]time.Duration{}, at: time.Now()}
	// One such reading lies in every window: a few percent to the disadvantage of what is measured.
	if err := w.sql.QueryRowContext(ctx, "SELECT COUNT(*) FROM work WHERE state = 'done'").Scan(&u.done); err != nil {
		return u, fmt.Errorf("counting works: %w", err)
	}
	var err error
	if u.own, u.database, err = measure.Clocks(w.server.PID); err != nil {
		return u, err
	}
	h, err := measure.ReadProcess(w.host)
	if err != nil {
		return u, err
	}
	u.host, u.functions["ended"] = h.CPU, h.Ended
	all, err := measure.Children(w.host)
	for _, p := range all {
		u.functions[p.Name] += p.CPU
	}
	return u, err
}

// add adds what passed between two looks.
func (u *usage) add(from, to usage) {
	u.done, u.host, u.database, u.own = u.done+to.done-from.done, u.host+to.host-from.host, u.database+to.database-from.database, u.own+to.own-from.own
	for name, d := range to.functions {
		u.functions[name] += d - from.functions[name]
	}
}

func (u usage) all() (sum time.Duration) {
	for _, d := range u.functions {
		sum += d
	}
	return sum
}

func wait(ctx context.Context, d time.Duration) error {
	over := time.NewTimer(d)
	defer over.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-over.C:
		return nil
	}
}

// Measure brings works through their whole life over HTTP, on growing backlogs.
func Measure(ctx context.Context, s *measure.Server, o Options, dir string, out io.Writer) (text string, err error) {
	w, err := startWeb(ctx, s, o, dir)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, w.end()) }()
	lines, err := w.work(ctx, o, crew{200, 1}, []int{1_000}, out)
	if err != nil {
		return "", err
	}
	var backlogs []int
	for _, works := range []int{1_000, 100_000, 1_000_000} {
		if works <= o.Largest {
			backlogs = append(backlogs, works)
		}
	}
	more, err := w.work(ctx, o, crew{200, 32}, backlogs, out)
	if err != nil {
		return "", err
	}
	const head = `| whole life over HTTP: workers x slots, backlog | works/s, median (least - most) | CPU ms a work: functions | database | stand-ins of AWS | together | simulated workers |
|---|---|---|---|---|---|---|
`
	return head + lines + more, w.check(ctx)
}

// work lets a crew work on some backlogs, and measures windows of time on each.
func (w *web) work(ctx context.Context, o Options, c crew, backlogs []int, out io.Writer) (string, error) {
	hands, err := w.hire(ctx, c)
	if err != nil {
		return "", err
	}
	running, cancel := context.WithCancelCause(ctx)
	var all sync.WaitGroup
	begin := func(f func(context.Context) error) {
		all.Go(func() {
			if err := f(running); err != nil {
				cancel(err)
			}
		})
	}
	w.backlog.Store(int64(backlogs[0] + c.workers*c.slots))
	begin(w.keep)
	for _, h := range hands {
		begin(h.run)
	}
	var lines strings.Builder
	for _, works := range backlogs {
		w.backlog.Store(int64(works + c.workers*c.slots))
		for err == nil && w.submitted.Load()-w.done.Load() < int64(works) {
			err = wait(running, 100*time.Millisecond)
		}
		if err == nil {
			err = wait(running, warming) // trust grows, caches fill
		}
		var line string
		if err == nil {
			line, err = w.windows(running, o, fmt.Sprintf("%d x %d, %d", c.workers, c.slots, works), out)
		}
		lines.WriteString(line)
	}
	cancel(err)
	all.Wait()
	if err == nil && !errors.Is(context.Cause(running), context.Canceled) {
		err = context.Cause(running)
	}
	return lines.String(), err
}

// windows measures some stretches of time while others work.
func (w *web) windows(ctx context.Context, o Options, name string, out io.Writer) (string, error) {
	var rates []float64
	sum := usage{functions: map[string]time.Duration{}}
	for range o.Times {
		before, err := w.usage(ctx)
		if err == nil {
			err = wait(ctx, max(10*o.Duration, leastWindow))
		}
		if err != nil {
			return "", err
		}
		after, err := w.usage(ctx)
		if err != nil {
			return "", err
		}
		sum.add(before, after)
		rates = append(rates, float64(after.done-before.done)/after.at.Sub(before.at).Seconds())
		fmt.Fprintf(out, "http: %-22s %6.0f works/s  load %s\n", name, rates[len(rates)-1], measure.Load())
	}
	if sum.done == 0 {
		return "", errors.New("no work was done")
	}
	each := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) / float64(sum.done) }
	for _, f := range slices.Sorted(maps.Keys(sum.functions)) {
		if each(sum.functions[f]) >= 0.001 {
			fmt.Fprintf(out, "http: %-22s function %s: %.3f ms CPU a work\n", name, f, each(sum.functions[f]))
		}
	}
	return fmt.Sprintf("| %s | %.0f (%.0f - %.0f) | %.2f | %.2f | %.2f | **%.2f** | %.2f |\n", name, measure.Median(rates), slices.Min(rates), slices.Max(rates),
		each(sum.all()), each(sum.database), each(sum.host), each(sum.all()+sum.database+sum.host), each(sum.own)), nil
}

// check holds the books: all that was accepted is there, nothing failed, and
// nothing else is wrong.
func (w *web) check(ctx context.Context) error {
	var works, failed int64
	err := w.sql.QueryRowContext(ctx, "SELECT COUNT(*), COALESCE(SUM(state IN ('failed', 'cancelled')), 0) FROM work").Scan(&works, &failed)
	if err != nil {
		return fmt.Errorf("counting works: %w", err)
	}
	if works != w.submitted.Load() || failed > 0 {
		return fmt.Errorf("%d works were accepted and %d are there; %d failed", w.submitted.Load(), works, failed)
	}
	const most = 300_000 // works that the audit keeps in memory
	if works > most {
		return nil
	}
	faults, err := storetest.NewAudit(w.sql).Look(ctx)
	if err == nil && len(faults) > 0 {
		err = fmt.Errorf("the books: %s", strings.Join(faults, "; "))
	}
	return err
}
