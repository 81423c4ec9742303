package e2e

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"workerpool/infra/local/database"
	"workerpool/infra/local/host"
	"workerpool/infra/local/process"
	"workerpool/shared/client"
	"workerpool/shared/store/storetest"
	"workerpool/shared/wire"
	"workerpool/test/contract"
)

// bench is a pool of its own for one test.
type bench struct {
	t        *testing.T
	dir      string
	db       *database.Database
	host     *host.Host
	client   *client.Client // every answer is held against the contract
	links    *client.Client // for what leads to the bucket
	operator string         // token
	workers  string         // URL for workers: the pool behind the same contract
	printed  *lines
	audit    *storetest.Audit
	login    map[string]string // password by login
}

const (
	operatorLogin = "operator"
	workerLogin   = "worker"
)

// lines is a writer for several goroutines.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) count(what string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Count(l.text.Bytes(), []byte(what))
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// start starts a pool whose heartbeats come every second and that nobody ticks
// but the test.
func start(t *testing.T) *bench {
	t.Helper()
	return startOn(t, database.Config{Fast: true})
}

// startOn is start on a database that may be durable: killed, one that is Fast
// forgets the last commits.
func startOn(t *testing.T, config database.Config, change ...func(*host.Config)) *bench {
	t.Helper()
	b := &bench{t: t, dir: t.TempDir(), printed: &lines{}, login: map[string]string{operatorLogin: rand.Text(), workerLogin: rand.Text()}}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the functions printed:\n%s", tail(b.printed.String(), 600_000))
		}
	})
	var err error
	config.Dir = filepath.Join(b.dir, "db")
	if b.db, err = database.Start(config); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.db.Stop() })
	parameters := map[string]string{"HeartbeatBusy": "1", "HeartbeatIdle": "1", "S3PathStyle": "true", "AdminLogin": operatorLogin, "WorkerLogin": workerLogin}
	settings := host.Config{
		Template: "../../template.yaml", Functions: built, Dir: b.dir, Parameters: parameters, Secrets: b.secrets(), TickEvery: -1, Output: b.printed,
		Database: host.Database{Addr: b.db.Addr(), AdminUser: b.db.AdminUser(), AdminPassword: b.db.AdminPassword()},
		Log:      slog.New(slog.NewTextHandler(b.printed, nil)),
	}
	for _, c := range change {
		c(&settings)
	}
	if b.host, err = host.Start(settings); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.host.Close)
	for range 2 { // a deployment may be repeated
		if _, err := b.host.Invoke(t.Context(), "migrate", []byte(`{"action":"up"}`)); err != nil {
			t.Fatal(err)
		}
	}
	validator := contract.New(t)
	if b.client, err = client.New(client.Config{URL: b.host.URL(), HTTP: validator.Client(nil)}); err != nil {
		t.Fatal(err)
	}
	b.workers = b.front(validator)
	if b.links, err = client.New(client.Config{URL: b.host.URL()}); err != nil {
		t.Fatal(err)
	}
	b.operator = b.token(operatorLogin)
	b.audit = storetest.NewAudit(b.books())
	return b
}

// front stands before the pool, so that what worker processes send and get is
// held against the contract as well.
func (b *bench) front(v *contract.Validator) string {
	b.t.Helper()
	pool, err := url.Parse(b.host.URL())
	if err != nil {
		b.t.Fatal(err)
	}
	server := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(pool) },
		Transport: v.Transport(nil),
		ErrorLog:  log.New(io.Discard, "", 0), // callers that are killed leave half a request
	})
	b.t.Cleanup(server.Close)
	return server.URL
}

func (b *bench) secrets() map[string]string {
	secrets := map[string]string{}
	for id, fields := range map[string]map[string]string{
		"TokenSecret":        {"current": rand.Text() + rand.Text(), "previous": ""},
		"DatabaseUserSecret": {"username": "pool", "password": rand.Text()},
		"BootstrapSecret": {
			"admin_login": operatorLogin, "admin_password": b.login[operatorLogin], "worker_login": workerLogin, "worker_password": b.login[workerLogin],
		},
	} {
		text, err := json.Marshal(fields)
		if err != nil {
			b.t.Fatal(err)
		}
		secrets[id] = string(text)
	}
	return secrets
}

func (b *bench) token(login string) string {
	b.t.Helper()
	session, err := b.client.Session(b.t.Context(), wire.Login{Login: login, Password: b.login[login]})
	if err != nil {
		b.t.Fatal(err)
	}
	return session.Token
}

// books looks at what is stored.
func (b *bench) books() *sql.DB {
	b.t.Helper()
	options := mysql.NewConfig()
	options.Net, options.Addr, options.User, options.Passwd, options.DBName = "tcp", b.db.Addr(), b.db.AdminUser(), b.db.AdminPassword(), "workerpool"
	options.ParseTime, options.MultiStatements, options.Collation = true, true, "utf8mb4_bin"
	connector, err := mysql.NewConnector(options)
	if err != nil {
		b.t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	b.t.Cleanup(func() { _ = db.Close() })
	return db
}

// hand is one worker process.
type hand struct {
	b     *bench
	name  string
	app   string
	slots int
	flags []string // more of the program's
	log   *lines
	cmd   *exec.Cmd
	ended chan struct{}
}

// worker starts a worker process that runs the test's app with these arguments
// before the works' own.
func (b *bench) worker(name string, arguments ...string) *hand {
	b.t.Helper()
	return b.employ(name, nil, arguments...)
}

// employ is worker with more of the program's flags.
func (b *bench) employ(name string, flags []string, arguments ...string) *hand {
	b.t.Helper()
	w := &hand{b: b, name: name, app: strings.Join(append([]string{filepath.Join(built, "bin", "app")}, arguments...), " "), slots: 2, flags: flags, log: &lines{}}
	w.start()
	b.t.Cleanup(func() {
		w.signal(syscall.SIGCONT)
		_ = process.Stop(w.cmd, w.ended, 10*time.Second)
		if b.t.Failed() {
			b.t.Logf("worker %s printed:\n%s", name, tail(w.log.String(), 3_000))
		}
	})
	return w
}

func (w *hand) start() {
	w.b.t.Helper()
	secret := filepath.Join(w.b.dir, "password-of-"+w.name) // its own: written anew, it is empty for a moment
	if err := os.WriteFile(secret, []byte(w.b.login[workerLogin]+"\n"), 0o600); err != nil {
		w.b.t.Fatal(err)
	}
	w.cmd = exec.Command(filepath.Join(built, "bin", "worker"), append([]string{
		"-pool", w.b.workers, "-login", workerLogin, "-password-file", secret,
		"-name", w.name, "-dir", filepath.Join(w.b.dir, "workers", w.name), "-apps", "app=" + w.app, "-slots", fmt.Sprint(w.slots),
	}, w.flags...)...)
	w.cmd.Stdout, w.cmd.Stderr = w.log, w.log
	if err := process.Start(w.cmd); err != nil {
		w.b.t.Fatal(err)
	}
	ended := make(chan struct{})
	cmd := w.cmd
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	w.ended = ended
}

func (w *hand) signal(s syscall.Signal) { _ = w.cmd.Process.Signal(s) }

// kill ends the worker by kill -9 and starts it again.
func (w *hand) kill() {
	w.signal(syscall.SIGKILL)
	<-w.ended
	w.start()
}

// id finds the worker in the pool.
func (w *hand) id() int64 {
	w.b.t.Helper()
	var id int64
	w.b.eventually("worker "+w.name+" is registered", func() (bool, string) {
		for worker, err := range w.b.client.AllWorkers(w.b.t.Context(), w.b.operator) {
			if err == nil && worker.Name == w.name {
				id = worker.ID
			}
		}
		return id != 0, ""
	})
	return id
}

// patience bounds every wait for other processes: what takes longer is lost, on
// however busy a machine.
const patience = 120 * time.Second

// eventually waits until something other processes do has come true.
func (b *bench) eventually(what string, holds func() (bool, string)) {
	b.t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	last := ""
	for {
		ok, seen := holds()
		if ok {
			return
		}
		last = seen
		select {
		case <-deadline.C:
			b.t.Fatalf("not within %v: %s; last seen: %s", patience, what, last)
		case <-again.C:
		}
	}
}

// submit submits works of the test's app, one for each item.
func (b *bench) submit(trust int, items ...wire.Item) wire.Accepted {
	b.t.Helper()
	accepted, err := b.client.Submit(b.t.Context(), b.operator, rand.Text(), wire.Submission{
		Template: wire.Template{App: wire.App{Type: "process", Name: "app"}, Trust: trust}, Items: items,
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return accepted
}

// wait waits until all works of a batch have ended, ticking now and then as the
// schedule would.
func (b *bench) wait(batch wire.Accepted) wire.Batch {
	b.t.Helper()
	var seen wire.Batch
	calls := 0
	b.eventually(fmt.Sprintf("batch %d ends", batch.Batch), func() (bool, string) {
		if calls++; calls%40 == 0 {
			_ = b.host.Tick(b.t.Context()) // under faults a tick may fail; there will be another
		}
		now, err := b.client.Batch(b.t.Context(), b.operator, batch.Batch)
		if err != nil {
			return false, err.Error()
		}
		seen = now
		return now.States["done"]+now.States["failed"]+now.States["cancelled"] == now.Works, fmt.Sprint(now.States)
	})
	return seen
}

// result downloads a work's result and gives result.txt in it.
func (b *bench) result(work int64) string {
	b.t.Helper()
	result, err := b.client.Result(b.t.Context(), b.operator, work)
	if err != nil {
		b.t.Fatal(err)
	}
	var archive bytes.Buffer
	if err := b.links.Download(context.Background(), result.URL, &archive, result.SHA256, result.Size); err != nil {
		b.t.Fatal(err)
	}
	return fileIn(b.t, archive.Bytes(), "result.txt")
}

// check holds the books to the pool's promises.
func (b *bench) check() {
	b.t.Helper()
	faults, err := b.audit.Look(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	for _, fault := range faults {
		b.t.Error(fault)
	}
}

func (b *bench) work(id int64) wire.Work {
	b.t.Helper()
	work, err := b.client.Work(b.t.Context(), b.operator, id)
	if err != nil {
		b.t.Fatal(err)
	}
	return work
}

func input(name, content string) wire.Input {
	sum := sha256.Sum256([]byte(content))
	return wire.Input{Name: name, SHA256: hex.EncodeToString(sum[:]), Size: int64(len(content))}
}

// fileIn gives a file of a result archive.
func fileIn(t *testing.T, archive []byte, name string) string {
	t.Helper()
	files := tar.NewReader(bytes.NewReader(archive))
	for {
		header, err := files.Next()
		if err != nil {
			t.Fatalf("no %s in the archive: %v", name, err)
		}
		if filepath.Base(header.Name) == name {
			content, err := io.ReadAll(files)
			if err != nil {
				t.Fatal(err)
			}
			return string(content)
		}
	}
}

func tail(text string, n int) string {
	if len(text) > n {
		return "..." + text[len(text)-n:]
	}
	return text
}
