package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"workerpool/infra/local/crew"
	"workerpool/infra/local/database"
	"workerpool/infra/local/host"
)

// parameters of the template that differ on one machine: heartbeats as quick as
// allowed, so that one sees something happen, a store without host names, and as
// many functions at once as an account with the quota for it runs.
func parameters(m *market) map[string]string {
	out := map[string]string{
		"ReserveConcurrency": "true",
		"HeartbeatBusy":      "1", "HeartbeatIdle": "1", "S3PathStyle": "true", "AdminLogin": operatorLogin, "WorkerLogin": workerLogin,
	}
	maps.Copy(out, m.parameters())
	return out
}

const (
	operatorLogin = "operator"
	workerLogin   = "worker"
	databaseName  = "workerpool" // as in template.yaml
	healthLimit   = 10 * time.Second
)

// run runs the pool until ctx ends, then ends all that it started, backwards.
func run(ctx context.Context, o options, out io.Writer) (err error) {
	if err := database.Installed(); err != nil {
		return err
	}
	if o.workers > 0 {
		if err := crew.Ready(o.bin()); err != nil {
			return err
		}
	}
	state, err := openState(o.dir)
	if err != nil {
		return err
	}
	defer state.close()
	if err := state.secrets.name(o.adminUID, o.workerUID); err != nil {
		return err
	}
	front, err := listen(o.addr, "ADDR")
	if err != nil {
		return err
	}
	defer front.Close()
	if err := o.chainAddrFree(); err != nil {
		return err
	}

	log, err := state.log("localpool")
	if err != nil {
		return err
	}
	defer log.Close()
	printed, err := state.log("functions")
	if err != nil {
		return err
	}
	defer printed.Close()

	adminPassword, err := state.secrets.field(host.AdminSecret, "password")
	if err != nil {
		return err
	}
	db, err := database.Start(database.Config{Dir: filepath.Join(o.dir, "mariadb"), AdminPassword: adminPassword, Database: databaseName})
	if err != nil {
		return err
	}
	defer func() {
		if stopped := db.Stop(); err == nil {
			err = stopped
		}
	}()
	deals, err := openMarket(ctx, o, state)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, deals.close()) }()
	h, err := host.Start(host.Config{
		Template: o.template, Functions: o.functions, Dir: o.dir, Front: front, Parameters: parameters(deals), Secrets: state.secrets,
		Database:  host.Database{Addr: db.Addr(), AdminUser: db.AdminUser(), AdminPassword: db.AdminPassword()},
		TickEvery: cmp.Or(o.tickEvery, deals.tickEvery()), Output: printed, Log: slog.New(slog.NewJSONHandler(log, nil)),
	})
	if err != nil {
		return err
	}
	defer h.Close()

	if err := prepare(ctx, h); err != nil {
		return fmt.Errorf("%w (see %s)", err, printed.Name())
	}
	workers, err := startWorkers(o, state, h.URL(), deals)
	if err != nil {
		return err
	}
	defer workers.stop()

	fmt.Fprintf(out, "ready: %s\n", h.URL())
	fmt.Fprintf(out, "log in as %s, the password is in %s:\n", operatorLogin, state.operatorPassword)
	fmt.Fprintf(out, "  %s\n", command(filepath.Join(o.bin(), "poolctl"), "login",
		"--pool", h.URL(), "--login", operatorLogin, "--password-file", state.operatorPassword))
	deals.tell(out)
	fmt.Fprintf(out, "%d workers; logs in %s; Ctrl-C ends everything\n", o.workers, state.logs())
	for {
		select {
		case <-ctx.Done():
			fmt.Fprintln(out, "ending")
			return nil
		case told := <-workers.ended:
			fmt.Fprintln(out, told)
		}
	}
}

// listen takes the address first of all, so that one in use costs nothing.
func listen(addr, setting string) (net.Listener, error) {
	listener, err := net.Listen("tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s is in use by another program; choose another address by %s=127.0.0.1:port", addr, setting)
	}
	if err != nil {
		return nil, fmt.Errorf("listening at %s: %w", setting, err)
	}
	return listener, nil
}

// command is a line for the shell.
func command(words ...string) string {
	for i, word := range words {
		if strings.Trim(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:") != "" {
			words[i] = "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
		}
	}
	return strings.Join(words, " ")
}

// prepare brings the schema and the first accounts up to date through the real
// function, looks whether the pool answers, and ticks once: rings are lost with a
// restart, and the tick rings for what still waits.
func prepare(ctx context.Context, h *host.Host) error {
	answer, err := h.Invoke(ctx, "migrate", []byte(`{"action":"up"}`))
	if err != nil {
		return fmt.Errorf("bringing the database up to date: %w", err)
	}
	var done struct{ Version int }
	if err := json.Unmarshal(answer, &done); err != nil || done.Version == 0 {
		return fmt.Errorf("bringing the database up to date: unexpected answer %s", answer)
	}
	if err := checked(ctx, h); err != nil {
		return err
	}
	if err := healthy(ctx, h.URL()); err != nil {
		return fmt.Errorf("asking the pool for its health: %w", err)
	}
	if err := h.Tick(ctx); err != nil {
		return fmt.Errorf("ticking for the first time: %w", err)
	}
	return nil
}

// checked asks the function that a deployment asks whether the chain is as the
// parameters say.
func checked(ctx context.Context, h *host.Host) error {
	answer, err := h.Invoke(ctx, "check", []byte("{}"))
	if err != nil {
		return fmt.Errorf("making the start checks: %w", err)
	}
	var says struct{ Fault string }
	if err := json.Unmarshal(answer, &says); err != nil {
		return fmt.Errorf("making the start checks: unexpected answer %s", answer)
	}
	if says.Fault != "" {
		return fmt.Errorf("the start checks: %s", says.Fault)
	}
	return nil
}

func healthy(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, healthLimit)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/health", nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(io.LimitReader(response.Body, 1<<10)) // the status says enough without it
		return fmt.Errorf("%s: %s", response.Status, body)
	}
	return nil
}
