package main

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"workerpool/infra/local/host"
)

// state is the folder that outlives the program.
type state struct {
	dir              string
	lock             *os.File
	secrets          secrets
	operatorPassword string // path of the file with it
	workerPassword   string // as well
}

// secrets are the texts of all secrets by their logical ids in the template, as
// host.SecretsFile keeps them.
type secrets map[string]string

// drawSecrets makes those of a new pool.
func drawSecrets() (secrets, error) {
	all := secrets{}
	for id, fields := range map[string]map[string]string{
		"TokenSecret":        {"current": rand.Text() + rand.Text(), "previous": ""},
		"DatabaseUserSecret": {"username": "pool", "password": rand.Text()},
		host.AdminSecret:     {"username": "admin", "password": rand.Text()},
		"BootstrapSecret": {
			"admin_login": operatorLogin, "admin_password": rand.Text(),
			"worker_login": workerLogin, "worker_password": rand.Text(),
		},
	} {
		text, err := json.Marshal(fields)
		if err != nil {
			return nil, fmt.Errorf("encoding the secret %s: %w", id, err)
		}
		all[id] = string(text)
	}
	return all, nil
}

// field gives one field of a secret, which must not be empty.
func (s secrets) field(id, name string) (string, error) {
	var fields map[string]string
	if err := json.Unmarshal([]byte(s[id]), &fields); err != nil {
		return "", fmt.Errorf("reading the secret %s: %w", id, err)
	}
	if fields[name] == "" {
		return "", fmt.Errorf("reading the secret %s: it has no %s", id, name)
	}
	return fields[name], nil
}

// name puts the uids of the two first accounts into the bootstrap secret, from where
// they are taken over at the start, as a deployment's parameters are.
func (s secrets) name(adminUID, workerUID string) error {
	const id = "BootstrapSecret"
	fields := map[string]string{}
	if err := json.Unmarshal([]byte(s[id]), &fields); err != nil {
		return fmt.Errorf("reading the secret %s: %w", id, err)
	}
	fields["admin_uid"], fields["worker_uid"] = adminUID, workerUID
	text, err := json.Marshal(fields)
	if err != nil {
		return fmt.Errorf("encoding the secret %s: %w", id, err)
	}
	s[id] = string(text)
	return nil
}

// openState makes the folder on first use and takes it for this program alone.
// The kernel gives the lock free when the program ends, however it ends.
func openState(dir string) (*state, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the state folder: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the lock: %w", err)
	}
	s := &state{
		dir: dir, lock: lock, operatorPassword: filepath.Join(dir, "operator-password"), workerPassword: filepath.Join(dir, "worker-password"),
	}
	if err := s.take(); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return s, nil
}

func (s *state) take() error {
	if err := syscall.Flock(int(s.lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		holder, _ := os.ReadFile(s.lock.Name()) // without its pid the message still says what is wrong
		return fmt.Errorf("a local pool is running already in %s (process %s)", s.dir, strings.TrimSpace(string(holder)))
	}
	if err := s.lock.Truncate(0); err != nil {
		return fmt.Errorf("noting the process in the lock: %w", err)
	}
	if _, err := fmt.Fprintln(s.lock, os.Getpid()); err != nil {
		return fmt.Errorf("noting the process in the lock: %w", err)
	}
	if err := s.readSecrets(); err != nil {
		return err
	}
	for path, field := range map[string]string{s.operatorPassword: "admin_password", s.workerPassword: "worker_password"} {
		password, err := s.secrets.field("BootstrapSecret", field)
		if err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(password+"\n"), 0o600); err != nil {
			return fmt.Errorf("writing a password file: %w", err)
		}
	}
	return nil
}

// readSecrets draws them when there are none yet; the host writes the file before
// anything is made that depends on it.
func (s *state) readSecrets() error {
	path := filepath.Join(s.dir, host.SecretsFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		s.secrets, err = drawSecrets()
		return err
	}
	if err != nil {
		return fmt.Errorf("reading the secrets: %w", err)
	}
	if err := json.Unmarshal(text, &s.secrets); err != nil {
		return fmt.Errorf("reading %s: %w", path, err)
	}
	return nil
}

func (s *state) close() { _ = s.lock.Close() } // gives the lock free; there is nothing in it to lose

func (s *state) logs() string { return filepath.Join(s.dir, "log") }

// log opens a log anew; that of the last run stays beside it as <name>.old.
func (s *state) log(name string) (*os.File, error) {
	path := filepath.Join(s.logs(), name+".log")
	if err := os.MkdirAll(s.logs(), 0o700); err != nil {
		return nil, fmt.Errorf("making the folder of logs: %w", err)
	}
	if err := os.Rename(path, path+".old"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("putting an old log aside: %w", err)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening a log: %w", err)
	}
	return file, nil
}
