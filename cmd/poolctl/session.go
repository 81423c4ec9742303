package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"workerpool/cmd/poolctl/page"
	"workerpool/shared/client"
	"workerpool/shared/pool"
	"workerpool/shared/wire"
)

// spare is how long a token must still be good to be used.
const spare = 30 * time.Second

// errLogin marks what only logging in can mend.
var errLogin = errors.New("no session that is good")

// session is the file that is kept. It holds no password.
type session struct {
	Pool         string    `json:"pool"`
	Login        string    `json:"login"`
	Token        string    `json:"token"`
	Expires      time.Time `json:"expires"`
	Account      int64     `json:"account"`
	Role         string    `json:"role"`
	PasswordFile string    `json:"password_file,omitempty"` // to renew it without asking
}

// poolctl is one run of the program.
type poolctl struct {
	line  commandLine
	world world

	session session // as last read or made
	client  *client.Client
}

// exitCode gives what to exit with for an error.
func exitCode(err error) int {
	switch {
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	case errors.Is(err, errUsage):
		return exitUsage
	case errors.Is(err, errLogin), client.Status(err) == http.StatusUnauthorized:
		return exitLogin
	case errors.Is(err, errNoResult):
		return exitNoResult
	case client.MayRetry(err), pool.KindOf(err) == pool.Unavailable:
		return exitAgain
	}
	return exitFailed
}

// open reads the session, if there is one, and finds the pool to call.
func (p *poolctl) open() error {
	if p.client != nil {
		return nil
	}
	path, err := p.sessionPath()
	if err != nil {
		return err
	}
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return fmt.Errorf("reading the session: %w", err)
	default:
		if err := json.Unmarshal(text, &p.session); err != nil {
			return fmt.Errorf("reading the session %s: %w", path, err)
		}
	}
	l := p.line
	if (l.Pool != "" && l.Pool != p.session.Pool) || (l.LoginName != "" && l.LoginName != p.session.Login) {
		kept := p.session
		p.session = session{Pool: l.Pool, Login: l.LoginName}
		if l.Pool == "" {
			p.session.Pool = kept.Pool
		}
	}
	if p.session.Pool == "" {
		return fmt.Errorf("%w: name the pool by --pool URL or POOLCTL_POOL", errUsage)
	}
	p.client, err = client.New(client.Config{URL: p.session.Pool, UserAgent: "poolctl", Wait: p.world.wait})
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	return nil
}

// token gives one that is good for a while, and logs in when that can be done
// without asking anybody.
func (p *poolctl) token(ctx context.Context) (string, error) {
	if err := p.open(); err != nil {
		return "", err
	}
	s := p.session
	if s.Token != "" && p.world.now().Add(spare).Before(s.Expires) {
		return s.Token, nil
	}
	password, err := p.knownPassword()
	if err != nil {
		return "", err
	}
	if s.Login == "" || password == "" {
		if s.Token != "" {
			return "", fmt.Errorf("%w: the session of %s at %s has expired", errLogin, s.Login, s.Pool)
		}
		return "", fmt.Errorf("%w: there is none for %s", errLogin, s.Pool)
	}
	return p.logIn(ctx, password)
}

// logIn makes a session and keeps it.
func (p *poolctl) logIn(ctx context.Context, password string) (string, error) {
	got, err := p.client.Session(ctx, wire.Login{Login: p.session.Login, Password: password})
	if err != nil {
		return "", fmt.Errorf("logging in as %s: %w", p.session.Login, err)
	}
	if p.line.PasswordFile != "" {
		p.session.PasswordFile = p.line.PasswordFile
	}
	return got.Token, p.enter(got)
}

// enter makes what the pool gave the session, and keeps it.
func (p *poolctl) enter(got wire.Session) error {
	p.session.Token, p.session.Account, p.session.Role = got.Token, got.Account, got.Role
	p.session.Expires = p.world.now().Add(time.Duration(got.ExpiresIn) * time.Second).UTC().Truncate(time.Second)
	return p.keep()
}

// keep writes the session, whole or not at all, for its owner's eyes only.
func (p *poolctl) keep() error {
	path, err := p.sessionPath()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("making the folder of the session: %w", err)
	}
	text, err := json.MarshalIndent(p.session, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding the session: %w", err)
	}
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new-") // its mode is 0600
	if err != nil {
		return fmt.Errorf("writing the session: %w", err)
	}
	defer os.Remove(file.Name())
	if _, err := file.Write(append(text, '\n')); err != nil {
		return errors.Join(fmt.Errorf("writing the session: %w", err), file.Close())
	}
	if err := file.Close(); err != nil {
		return fmt.Errorf("writing the session: %w", err)
	}
	if err := os.Rename(file.Name(), path); err != nil {
		return fmt.Errorf("writing the session: %w", err)
	}
	return nil
}

func (p *poolctl) sessionPath() (string, error) {
	if p.line.SessionFile != "" {
		return p.line.SessionFile, nil
	}
	dir, err := p.world.configDir()
	if err != nil {
		return "", fmt.Errorf("finding your configuration folder (--session FILE does without): %w", err)
	}
	return filepath.Join(dir, "poolctl", "session.json"), nil
}

// knownPassword gives the password that needs no asking; "" = none.
func (p *poolctl) knownPassword() (string, error) {
	path := p.line.PasswordFile
	if path == "" {
		if password := p.world.env("POOLCTL_PASSWORD"); password != "" {
			return password, nil
		}
		path = p.session.PasswordFile
	}
	if path == "" {
		return "", nil
	}
	password, err := firstLine(path)
	if err != nil {
		return "", fmt.Errorf("%w: %w", errLogin, err)
	}
	return password, nil
}

// firstLine gives the first line of a password file.
func firstLine(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("opening the password file: %w", err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Scan()
	if err := lines.Err(); err != nil {
		return "", fmt.Errorf("reading the password file: %w", err)
	}
	if password := strings.TrimSuffix(lines.Text(), "\r"); password != "" {
		return password, nil
	}
	return "", fmt.Errorf("the first line of %s is empty", path)
}

type loginCommand struct{}

// Run logs in anew, whatever session there is.
func (loginCommand) Run(ctx context.Context, p *poolctl) error {
	if err := p.open(); err != nil {
		return err
	}
	if p.session.Login == "" {
		return fmt.Errorf("%w: name who logs in by --login NAME", errUsage)
	}
	password, err := p.password()
	if err != nil {
		return err
	}
	p.warnInTheClear()
	if _, err := p.logIn(ctx, password); err != nil {
		return err
	}
	return p.printSession()
}

func (p *poolctl) printSession() error {
	s := p.session
	return p.print(wire.Session{ExpiresIn: int64(s.Expires.Sub(p.world.now()) / time.Second), Account: s.Account, Role: s.Role}, func(t *page.Table) {
		t.Line("logged in at %s as %s (account %d, %s) until %s", s.Pool, s.Login, s.Account, s.Role, s.Expires.Format(time.RFC3339))
	})
}

// warnInTheClear is for before a password is sent.
func (p *poolctl) warnInTheClear() {
	if inTheClear(p.session.Pool) {
		p.note("warning: %s is not encrypted: others may read the password", p.session.Pool)
	}
}

// inTheClear tells that what is sent can be read on the way.
func inTheClear(pool string) bool {
	u, err := url.Parse(pool)
	if err != nil || u.Scheme != "http" || u.Hostname() == "localhost" {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return ip == nil || !ip.IsLoopback()
}
