// Package database runs a private server in a folder, MariaDB or MySQL: for `make
// run`, and for every test that needs the real thing. It owns the server's settings,
// which are those the database has in AWS (infra/database.yaml) as far as the server
// has them; it must not know any table.
package database

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// ErrMissing is returned when the server's programs are not on this machine. It
// says in one line what to install.
var ErrMissing = errors.New("MariaDB server is missing: sudo apt-get install mariadb-server-core mariadb-client-core")

// Config says where and how the server runs.
type Config struct {
	Dir           string    // everything of the server; made when absent, kept after Stop
	Port          int       // on 127.0.0.1; 0 = the port used last in Dir if still free, else a free one
	AdminUser     string    // may do everything; "" = "admin"
	AdminPassword string    // set anew at every start; letters, digits, - and _; "" = a drawn one
	Database      string    // made at the start when absent, as RDS makes DBName; "" = none
	Fast          bool      // for tests: commits are not forced to disk, so a crash of the machine may lose them
	Log           io.Writer // the server's messages; nil = the file server.log in Dir only
	Arguments     []string  // of the server program, behind and so above those given here
}

// Choice names the environment variable that puts a MySQL server in the place of
// MariaDB: the path of mysqld, or the data source name of a server that runs,
// "user:password@tcp(host:port)/", for those tests that share one.
const Choice = "MYSQL_SERVER"

func choice() (program, dsn string) {
	text := os.Getenv(Choice)
	if strings.Contains(text, "@tcp(") {
		return "", text
	}
	return text, ""
}

// Given is the data source name of Choice; "" = none.
func Given() string {
	_, dsn := choice()
	return dsn
}

// programs are the executables of the server that are called here.
type programs struct {
	server  string
	install string // makes MariaDB's system tables; "" = MySQL, whose server makes its own
}

func (p programs) mysql() bool { return p.install == "" }

// find looks on the PATH and where distributions hide programs of the
// administrator from ordinary users. my_print_defaults is what the installing
// script calls. The Makefile looks for the same before it installs.
func find() (programs, error) {
	if program, _ := choice(); program != "" {
		if _, err := exec.LookPath(program); err != nil {
			return programs{}, fmt.Errorf("%s must be the path of MySQL's server program: %w", Choice, err)
		}
		return programs{server: program}, nil
	}
	server := look("mariadbd", "mysqld")
	install := look("mariadb-install-db", "mysql_install_db")
	if server == "" || install == "" || look("my_print_defaults") == "" {
		return programs{}, ErrMissing
	}
	return programs{server: server, install: install}, nil
}

// hidden are folders to search behind those of the PATH.
const hidden = "/usr/sbin:/usr/local/sbin:/usr/local/bin:/opt/homebrew/bin"

func look(names ...string) string {
	for _, name := range names {
		for _, dir := range append([]string{""}, strings.Split(hidden, ":")...) {
			if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
				return path
			}
		}
	}
	return ""
}

// Installed tells whether the server's programs are on this machine: nil, or
// ErrMissing.
func Installed() error {
	_, err := find()
	return err
}

// creation is the command that makes the system tables in a fresh folder.
func (p programs) creation(c Config, fresh string) *exec.Cmd {
	args := []string{"--no-defaults", "--datadir=" + fresh, "--tmpdir=" + filepath.Join(c.Dir, tmpDir)}
	if p.mysql() {
		return exec.Command(p.server, slices.Concat(args, asRoot(), []string{"--initialize-insecure"})...)
	}
	return exec.Command(p.install, slices.Concat(args, asRoot(), []string{"--skip-test-db", "--skip-name-resolve", "--innodb-log-file-size=32M"})...)
}

// data is the folder of the server's files; one kind cannot read the other's.
func (p programs) data(c Config) string {
	if p.mysql() {
		return filepath.Join(c.Dir, "data-mysql")
	}
	return filepath.Join(c.Dir, "data")
}

// arguments of the server. The SQL mode is MySQL 8's default, isolation and time
// zone are those of the parameter group.
func (p programs) arguments(c Config, port int) []string {
	flush, doublewrite := "1", "1"
	if c.Fast {
		flush, doublewrite = "0", "0"
	}
	both := []string{
		"--no-defaults",
		"--datadir=" + p.data(c),
		"--tmpdir=" + filepath.Join(c.Dir, tmpDir),
		"--bind-address=127.0.0.1",
		fmt.Sprintf("--port=%d", port),
		// A killed server's port may be held for a moment by what is left of it.
		"--port-open-timeout=10",
		// Relative to the data folder: the path of a socket may have 107 bytes only.
		"--socket=server.sock",
		"--pid-file=server.pid",
		"--init-file=" + filepath.Join(c.Dir, initFile),
		"--skip-name-resolve",
		"--sql-mode=ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION",
		"--transaction-isolation=READ-COMMITTED",
		"--default-time-zone=+00:00",
		"--character-set-server=utf8mb4",
		"--collation-server=utf8mb4_unicode_ci",
		"--max-connections=300",
		"--max-allowed-packet=64M", // MySQL's default: a batch of 5 MB may grow fourfold on its way
		"--innodb-buffer-pool-size=64M",
		"--innodb-autoinc-lock-mode=2", // MySQL's own; MariaDB's lets inserts of many rows wait for each other
		"--innodb-flush-log-at-trx-commit=" + flush,
		"--innodb-doublewrite=" + doublewrite,
		"--skip-log-bin",
	}
	if p.mysql() {
		return slices.Concat(both, asRoot(), []string{"--innodb-redo-log-capacity=32M", "--secure-file-priv=NULL", "--mysqlx=OFF"})
	}
	return slices.Concat(both, asRoot(), []string{"--innodb-log-file-size=32M"})
}

// initSQL is run by the server before it listens. It also sets the password, so
// that the caller's is the only one that counts.
func (p programs) initSQL(c Config) (string, error) {
	for what, value := range map[string]string{
		"name of the admin": c.AdminUser, "password of the admin": c.AdminPassword, "name of the database": c.Database,
	} {
		if strings.Trim(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != "" {
			return "", fmt.Errorf("the %s may only have letters, digits, - and _", what)
		}
	}
	admin := "'" + c.AdminUser + "'@'127.0.0.1'"
	statements := "CREATE USER IF NOT EXISTS " + admin + ";\n" +
		"ALTER USER " + admin + " IDENTIFIED BY '" + c.AdminPassword + "';\n" +
		"GRANT ALL PRIVILEGES ON *.* TO " + admin + " WITH GRANT OPTION;\n"
	if c.Database != "" {
		statements += "CREATE DATABASE IF NOT EXISTS `" + c.Database + "`;\n"
	}
	if p.mysql() {
		statements += "ALTER USER root@localhost ACCOUNT LOCK;\n" // it has no password
	}
	return statements, nil
}
