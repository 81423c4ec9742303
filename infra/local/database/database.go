package database

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"

	"workerpool/infra/local/process"
)

const (
	initFile   = "init.sql"
	portFile   = "port"
	logFile    = "server.log"
	tmpDir     = "tmp"           // of its own: servers that share one remove each other's temporary tables
	readyLimit = 2 * time.Minute // crash recovery on a busy laptop included
	stopLimit  = time.Minute
)

// Database is one server. Its methods are not for concurrent use.
type Database struct {
	config   Config
	programs programs
	port     int
	cmd      *exec.Cmd
	ended    chan struct{} // closed when the present process has ended
	log      *os.File
}

// Start makes the server's files when they are absent, starts it and waits until
// it answers. What a kill -9 left behind is recovered. ErrMissing when the
// programs are not installed.
func Start(c Config) (*Database, error) {
	found, err := find()
	if err != nil {
		return nil, err
	}
	if c.AdminUser == "" {
		c.AdminUser = "admin"
	}
	if c.AdminPassword == "" {
		c.AdminPassword = rand.Text()
	}
	if c.Dir, err = filepath.Abs(c.Dir); err != nil {
		return nil, fmt.Errorf("finding the database's folder: %w", err)
	}
	if strings.ContainsAny(c.Dir, " \t\n") {
		return nil, fmt.Errorf("the path of the database's folder %q has a space, which the database server cannot handle; choose a folder elsewhere", c.Dir)
	}
	if err := os.MkdirAll(filepath.Join(c.Dir, tmpDir), 0o700); err != nil {
		return nil, fmt.Errorf("making the database's folder: %w", err)
	}
	d := &Database{config: c, programs: found}
	if err := d.install(); err != nil {
		return nil, err
	}
	if d.port, err = choosePort(c); err != nil {
		return nil, err
	}
	if err := d.start(); err != nil {
		return nil, err
	}
	return d, nil
}

// install makes the system tables beside their final place, so that an
// interrupted first start leaves nothing that looks finished.
func (d *Database) install() error {
	data := d.programs.data(d.config)
	if _, err := os.Stat(data); err == nil {
		return nil
	}
	fresh := data + ".new"
	if err := os.RemoveAll(fresh); err != nil {
		return fmt.Errorf("removing a half-made database: %w", err)
	}
	cmd := d.programs.creation(d.config, fresh)
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := process.Start(cmd); err != nil {
		return fmt.Errorf("starting %s: %w", cmd.Path, err)
	}
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("making a new database: %w: %s", err, lastLines(output.String()))
	}
	if err := os.Rename(fresh, data); err != nil {
		return fmt.Errorf("putting the new database in place: %w", err)
	}
	return nil
}

// choosePort keeps the port of the last start while it is free, so that an
// address noted down stays true.
func choosePort(c Config) (int, error) {
	if c.Port != 0 {
		return c.Port, nil
	}
	path := filepath.Join(c.Dir, portFile)
	candidates := []string{"0"}
	if saved, err := os.ReadFile(path); err == nil {
		candidates = []string{strings.TrimSpace(string(saved)), "0"}
	}
	for _, candidate := range candidates {
		listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", candidate))
		if err != nil {
			continue
		}
		port := listener.Addr().(*net.TCPAddr).Port
		if err := listener.Close(); err != nil {
			return 0, fmt.Errorf("giving the database's port free: %w", err)
		}
		if err := os.WriteFile(path, []byte(strconv.Itoa(port)+"\n"), 0o600); err != nil {
			return 0, fmt.Errorf("noting the database's port: %w", err)
		}
		return port, nil
	}
	return 0, fmt.Errorf("no free port on 127.0.0.1 for the database")
}

func (d *Database) start() error {
	statements, err := d.programs.initSQL(d.config)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(d.config.Dir, initFile), []byte(statements), 0o600); err != nil {
		return fmt.Errorf("writing the database's first statements: %w", err)
	}
	d.log, err = os.OpenFile(filepath.Join(d.config.Dir, logFile), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("opening the database's log: %w", err)
	}
	var out io.Writer = d.log
	if d.config.Log != nil {
		out = io.MultiWriter(d.log, d.config.Log)
	}
	d.cmd = exec.Command(d.programs.server, slices.Concat(d.programs.arguments(d.config, d.port), d.config.Arguments)...)
	d.cmd.Stdout, d.cmd.Stderr = out, out
	if err := process.Start(d.cmd); err != nil {
		return fmt.Errorf("starting %s: %w", d.programs.server, err)
	}
	ended, cmd, log := make(chan struct{}), d.cmd, d.log
	d.ended = ended
	go func() {
		_ = cmd.Wait() // how it ended is told by its log
		_ = log.Close()
		close(ended)
	}()
	if err := d.waitReady(); err != nil {
		d.Kill()
		text, _ := os.ReadFile(filepath.Join(d.config.Dir, logFile)) // the start's error counts, not this one
		return fmt.Errorf("%w: %s", err, lastLines(string(text)))
	}
	return nil
}

func (d *Database) waitReady() error {
	db, err := sql.Open("mysql", d.DSN(""))
	if err != nil {
		return fmt.Errorf("opening the database: %w", err)
	}
	defer db.Close()
	ctx, cancel := context.WithTimeout(context.Background(), readyLimit)
	defer cancel()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		err := db.PingContext(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-d.ended:
			return fmt.Errorf("the database server ended while starting")
		case <-ctx.Done():
			return fmt.Errorf("the database server did not answer within %s: %w", readyLimit, err)
		case <-again.C:
		}
	}
}

// Addr is the server's host:port.
func (d *Database) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(d.port)) }

// AdminUser is the name of the user that may do everything.
func (d *Database) AdminUser() string { return d.config.AdminUser }

// AdminPassword is that user's password.
func (d *Database) AdminPassword() string { return d.config.AdminPassword }

// DSN is the admin's data source name for go-sql-driver, for one database of the
// server ("" = none). It parses times as UTC.
func (d *Database) DSN(name string) string {
	c := mysql.NewConfig()
	c.User, c.Passwd = d.config.AdminUser, d.config.AdminPassword
	c.Net, c.Addr, c.DBName = "tcp", d.Addr(), name
	c.ParseTime, c.ClientFoundRows, c.InterpolateParams = true, true, true
	// A server that is starting refuses connections: no news for the driver's log.
	c.Logger = &mysql.NopLogger{}
	return c.FormatDSN()
}

// Stop ends the server in order; its files stay.
func (d *Database) Stop() error {
	if err := process.Stop(d.cmd, d.ended, stopLimit); err != nil {
		return fmt.Errorf("stopping the database: %w", err)
	}
	return nil
}

// Kill ends the server at once, as a power cut would; its files stay.
func (d *Database) Kill() {
	process.Kill(d.cmd)
	<-d.ended
}

// Restart starts a server that was stopped or killed on the same port, with the
// same credentials.
func (d *Database) Restart() error {
	select {
	case <-d.ended:
		return d.start()
	default:
		return fmt.Errorf("restarting the database: it has not been stopped")
	}
}

// asRoot keeps the server as root when this program is: it refuses that unless
// told, and a change of user would make the kernel forget the parent-death signal.
func asRoot() []string {
	if os.Getuid() == 0 {
		return []string{"--user=root"}
	}
	return nil
}

func lastLines(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	from := max(0, len(lines)-8)
	var kept []string
	for i, line := range lines {
		if i >= from || strings.Contains(line, "ERROR") { // the help that follows hides the reason
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "\n")
}
