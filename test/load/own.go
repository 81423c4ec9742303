package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	_ "github.com/go-sql-driver/mysql" // by its name, for the audit

	"workerpool/infra/local/database"
	"workerpool/infra/local/host"
	"workerpool/infra/local/process"
	"workerpool/shared/store/storetest"
	"workerpool/test/load/plan"
)

// serveVariable makes this program serve a pool instead of loading one: the pool
// has a process of its own, so that its memory can be told from this program's.
const serveVariable = "WORKERPOOL_LOAD_SERVE"

const (
	operatorLogin = "operator"
	workerLogin   = "worker"
	databaseName  = "workerpool" // as in template.yaml
)

// order is what the serving process is told, in one line on its standard input.
type order struct {
	Own       plan.Own
	Template  string
	Functions string
	Dir       string
}

// served is what it answers, in one line on its standard output.
type served struct {
	URL      string
	DSN      string // the books, for the audit
	Operator string // password
	Worker   string // password
}

// ownPool is a pool of this machine that nobody else uses.
type ownPool struct {
	served
	cmd   *exec.Cmd
	input io.Closer
	ended chan struct{}
}

// startOwnPool starts a pool in a process of its own.
func startOwnPool(o order) (*ownPool, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), serveVariable+"=1")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := process.Start(cmd); err != nil {
		return nil, fmt.Errorf("starting a pool: %w", err)
	}
	p := &ownPool{cmd: cmd, input: in, ended: make(chan struct{})}
	told := json.NewEncoder(in).Encode(o)
	if told == nil {
		told = json.NewDecoder(out).Decode(&p.served)
	}
	go func() {
		_ = cmd.Wait() // what went wrong it has said
		close(p.ended)
	}()
	if told != nil {
		p.Stop()
		return nil, fmt.Errorf("the pool did not start, its reason stands above: %w", told)
	}
	return p, nil
}

// Stop ends the pool.
func (p *ownPool) Stop() {
	_ = p.input.Close() // this is the sign
	select {
	case <-p.ended:
	case <-time.After(time.Minute):
		process.Kill(p.cmd)
		<-p.ended
	}
}

// Audit holds the books to the pool's promises and gives what is wrong.
func (p *ownPool) Audit(ctx context.Context) ([]string, error) {
	db, err := sql.Open("mysql", p.DSN)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	return storetest.NewAudit(db).Look(ctx)
}

// serve runs a pool until standard input ends.
func serve(in io.Reader, out io.Writer) (err error) {
	var o order
	if err := json.NewDecoder(in).Decode(&o); err != nil {
		return fmt.Errorf("reading what to serve: %w", err)
	}
	db, err := database.Start(database.Config{Dir: filepath.Join(o.Dir, "db"), Database: databaseName, Fast: !o.Own.Durable})
	if err != nil {
		return err
	}
	defer func() { _ = db.Stop() }() // its files are thrown away
	printed, err := os.Create(filepath.Join(o.Dir, "functions.log"))
	if err != nil {
		return err
	}
	defer printed.Close()
	told := served{DSN: db.DSN(databaseName), Operator: rand.Text(), Worker: rand.Text()}
	secrets := map[string]string{}
	for id, fields := range map[string]map[string]string{
		"TokenSecret":        {"current": rand.Text() + rand.Text(), "previous": ""},
		"DatabaseUserSecret": {"username": "pool", "password": rand.Text()},
		"BootstrapSecret": {
			"admin_login": operatorLogin, "admin_password": told.Operator, "worker_login": workerLogin, "worker_password": told.Worker,
		},
	} {
		text, err := json.Marshal(fields)
		if err != nil {
			return err
		}
		secrets[id] = string(text)
	}
	parameters := map[string]string{"S3PathStyle": "true", "AdminLogin": operatorLogin, "WorkerLogin": workerLogin}
	for name, value := range o.Own.Parameters {
		parameters[name] = value
	}
	h, err := host.Start(host.Config{
		Template: o.Template, Functions: o.Functions, Dir: o.Dir, Parameters: parameters, Secrets: secrets,
		Database:  host.Database{Addr: db.Addr(), AdminUser: db.AdminUser(), AdminPassword: db.AdminPassword()},
		TickEvery: time.Duration(o.Own.TickS * float64(time.Second)), Output: printed, Log: slog.New(slog.NewTextHandler(printed, nil)),
	})
	if err != nil {
		return err
	}
	defer h.Close()
	if _, err := h.Invoke(context.Background(), "migrate", []byte(`{"action":"up"}`)); err != nil {
		return fmt.Errorf("bringing the database up to date: %w", err)
	}
	told.URL = h.URL()
	if err := json.NewEncoder(out).Encode(told); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, in) // until the one who started it closes it, or is gone
	return err
}
