package database

import (
	"database/sql"
	"errors"
	"io/fs"
	"net"
	"os"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"
)

func open(t *testing.T, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open("mysql", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func run(t *testing.T, db *sql.DB, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if _, err := db.Exec(s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

func TestServerKeepsItsStateThroughStopAndKill(t *testing.T) {
	dir := t.TempDir()
	d, err := Start(Config{Dir: dir, Database: "pool", Log: t.Output()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Kill)
	run(t, open(t, d.DSN("pool")), "CREATE TABLE t (n INT)", "INSERT INTO t VALUES (1)")
	addr, password := d.Addr(), d.AdminPassword()

	d.Kill()
	if _, err := net.Dial("tcp", addr); err == nil {
		t.Fatal("a killed server still answers")
	}
	if err := d.Restart(); err != nil {
		t.Fatalf("restart after kill: %v", err)
	}
	if d.Addr() != addr || d.AdminPassword() != password {
		t.Errorf("after a restart: %s, before: %s; the credentials must stay too", d.Addr(), addr)
	}
	run(t, open(t, d.DSN("pool")), "INSERT INTO t VALUES (2)")
	if err := d.Restart(); err == nil {
		t.Error("restart of a running server: no error")
	}
	if err := d.Stop(); err != nil {
		t.Fatal(err)
	}

	again, err := Start(Config{Dir: dir, AdminPassword: "another-one", Log: t.Output()})
	if err != nil {
		t.Fatalf("start in the same folder: %v", err)
	}
	t.Cleanup(again.Kill)
	if again.Addr() != addr {
		t.Errorf("second start on %s, want the port of the first, %s", again.Addr(), addr)
	}
	var n int
	if err := open(t, again.DSN("pool")).QueryRow("SELECT SUM(n) FROM t").Scan(&n); err != nil || n != 3 {
		t.Errorf("sum after kill and stop = %d, %v; want 3", n, err)
	}
	old := open(t, strings.Replace(again.DSN(""), "another-one", password, 1))
	var refused *mysql.MySQLError
	if err := old.Ping(); !errors.As(err, &refused) || refused.Number != 1045 {
		t.Errorf("the replaced password: %v, want access denied (1045)", err)
	}
}

func TestServerHasTheSettingsOfTheDatabaseInAWS(t *testing.T) {
	d, err := Start(Config{Dir: t.TempDir(), Fast: true, Log: t.Output()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Kill)
	db := open(t, d.DSN(""))
	for variable, want := range map[string]string{
		"sql_mode":             "ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION",
		`t%\_isolation`:        "READ-COMMITTED", // tx_isolation, of MySQL transaction_isolation
		"time_zone":            "+00:00",
		"character_set_server": "utf8mb4",
		"max_connections":      "300",
		"log_bin":              "OFF",
	} {
		var got string
		if err := db.QueryRow("SHOW GLOBAL VARIABLES LIKE '"+variable+"'").Scan(new(string), &got); err != nil {
			t.Errorf("%s: %v", variable, err)
			continue
		}
		if got != want {
			t.Errorf("%s = %q, want %q", variable, got, want)
		}
	}
	for _, user := range []string{"root", "", "mysql"} {
		c, err := mysql.ParseDSN(d.DSN(""))
		if err != nil {
			t.Fatal(err)
		}
		c.User, c.Passwd = user, ""
		if err := open(t, c.FormatDSN()).Ping(); err == nil {
			t.Errorf("user %q came in without a password", user)
		}
	}
}

func TestStartSaysWhatIsWrong(t *testing.T) {
	t.Run("not installed", func(t *testing.T) {
		if err := Installed(); err != nil {
			t.Fatal(err)
		}
		if got := look("no-such-program"); got != "" {
			t.Errorf("found %q", got)
		}
	})
	t.Run("as the Makefile does", func(t *testing.T) {
		makefile, err := os.ReadFile("../../../Makefile")
		if err != nil {
			t.Fatal(err)
		}
		_, packages, _ := strings.Cut(ErrMissing.Error(), "install ")
		for _, want := range []string{
			"PATH=\"$$PATH:" + hidden + "\"", "MariaDB server," + packages + ")",
			"has mariadbd mysqld && has mariadb-install-db mysql_install_db && has my_print_defaults my_print_defaults",
		} {
			if !strings.Contains(string(makefile), want) {
				t.Errorf("the Makefile has no %s", want)
			}
		}
	})
	t.Run("password that would break the statement", func(t *testing.T) {
		if _, err := (programs{}).initSQL(Config{AdminUser: "admin", AdminPassword: "it's"}); err == nil {
			t.Error("no error")
		}
	})
	t.Run("path with a space", func(t *testing.T) {
		dir := t.TempDir() + "/my pool"
		if _, err := Start(Config{Dir: dir}); err == nil || !strings.Contains(err.Error(), "has a space") {
			t.Errorf("%v, want that the path has a space", err)
		}
		if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("something was begun: %v", err)
		}
	})
	t.Run("files without system tables", func(t *testing.T) {
		p, err := find()
		if err != nil {
			t.Fatal(err)
		}
		c := Config{Dir: t.TempDir(), Log: t.Output()}
		if err := os.Mkdir(p.data(c), 0o700); err != nil {
			t.Fatal(err)
		}
		_, err = Start(c)
		if err == nil || !strings.Contains(err.Error(), "ended while starting") || !strings.Contains(err.Error(), "[ERROR]") {
			t.Errorf("start without system tables: %v; want that it ended, with its last lines", err)
		}
	})
}
