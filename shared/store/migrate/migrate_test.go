package migrate_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/go-sql-driver/mysql"

	"workerpool/shared/pool"
	"workerpool/shared/store"
	"workerpool/shared/store/migrate"
	"workerpool/shared/store/migrations"
	"workerpool/shared/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

var background = context.Background()

func up(t *testing.T, c migrate.Config) migrate.Result {
	t.Helper()
	r, err := migrate.Up(background, c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// steps are the names of the steps' files.
func steps(t *testing.T) []string {
	t.Helper()
	names, err := fs.Glob(migrations.Files, "*.sql")
	if err != nil || len(names) == 0 {
		t.Fatalf("%d steps, %v", len(names), err)
	}
	return names
}

func TestUpFromNothingAndAgain(t *testing.T) {
	t.Parallel()
	c, n := storetest.Empty(t), len(steps(t))
	if r := up(t, c); r.Version != int64(n) || r.Applied != n {
		t.Errorf("first %+v, want %d steps", r, n)
	}
	if r := up(t, c); r.Version != int64(n) || r.Applied != 0 {
		t.Errorf("again %+v", r)
	}
}

func TestUpAtOnce(t *testing.T) {
	t.Parallel()
	n := len(steps(t))
	for range 4 {
		c := storetest.Empty(t)
		var all sync.WaitGroup
		var mu sync.Mutex
		applied := 0
		for range 8 {
			all.Go(func() {
				r, err := migrate.Up(background, c)
				mu.Lock()
				defer mu.Unlock()
				applied += r.Applied
				if err != nil || r.Version != int64(n) {
					t.Errorf("%+v, %v", r, err)
				}
			})
		}
		all.Wait()
		if applied != n {
			t.Errorf("%d steps were applied, there are %d", applied, n)
		}
	}
}

// TestStepsAreSingleStatements: MySQL commits each definition by itself, so a
// step of two could be left half done.
func TestStepsAreSingleStatements(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^(\d{5})_[a-z_]+\.sql$`)
	for i, name := range steps(t) {
		parts := form.FindStringSubmatch(name)
		if parts == nil || parts[1] != fmt.Sprintf("%05d", i+1) {
			t.Errorf("step %d is named %s", i+1, name)
		}
		text, err := fs.ReadFile(migrations.Files, name)
		if err != nil {
			t.Fatal(err)
		}
		body, ok := strings.CutPrefix(string(text), "-- +goose Up\n")
		if !ok || strings.Contains(body, "+goose") || strings.Count(body, ";") != 1 || !strings.HasSuffix(strings.TrimSpace(body), ";") {
			t.Errorf("%s is not one statement under -- +goose Up", name)
		}
		if strings.Contains(body, "CREATE TABLE") && !strings.Contains(body, ") CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;") {
			t.Errorf("%s leaves the character set to the server", name)
		}
	}
}

// TestStepByStep stops after each step, with rows in all tables there are, and
// goes on: no step may need an empty pool.
func TestStepByStep(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	account := s.AddAccount(t, "a", pool.RoleRequester, false)
	s.AddWorker(t, account, 1)
	n := storetest.NewBatch(account, 2, 1)
	n.Inputs = []pool.Input{{Digest: pool.Digest{1}, Size: 1}}
	s.AddBatch(t, n)
	c := storetest.Empty(t)
	names := steps(t)
	for version := 1; version <= len(names); version++ {
		r, err := migrate.UpTo(background, c, migrations.Files, int64(version))
		if err != nil || r.Version != int64(version) || r.Applied != 1 {
			t.Fatalf("step %d: %+v, %v", version, r, err)
		}
		table := strings.TrimSuffix(names[version-1][6:], ".sql")
		made := s.Count(t, "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = ? AND table_name = ?", c.Name, table) == 1
		if !made || table == "lease" || table == "pool_state" {
			continue // what changes a table meets the rows put into it before; these two get theirs from a step
		}
		var columns string
		if err := s.SQL.QueryRow(`SELECT GROUP_CONCAT(CONCAT('`+"`', column_name, '`"+`')) FROM information_schema.columns
			WHERE table_schema = ? AND table_name = ?`, c.Name, table).Scan(&columns); err != nil {
			t.Fatal(err)
		}
		s.Exec(t, fmt.Sprintf("INSERT INTO `%s`.`%s` (%s) SELECT %s FROM `%s`", c.Name, table, columns, columns, table))
	}
	if r := up(t, c); r.Applied != 0 {
		t.Errorf("%+v", r)
	}
	for _, table := range []string{"account", "batch", "work", "worker", "event", "lease", "pool_state", "requester"} {
		if here, there := s.Count(t, "SELECT COUNT(*) FROM "+table), s.Count(t, fmt.Sprintf("SELECT COUNT(*) FROM `%s`.`%s`", c.Name, table)); here != there || here == 0 {
			t.Errorf("%s: %d rows of %d", table, there, here)
		}
	}
}

func TestUserMayReadAndWriteOnly(t *testing.T) {
	t.Parallel()
	s, _ := storetest.Own(t)
	refused := func(as *store.Store, number uint16) {
		t.Helper()
		var e *mysql.MySQLError
		if err := as.Ping(background); !errors.As(err, &e) || e.Number != number {
			t.Errorf("%v, want error %d", err, number)
		}
	}
	connect := func(password, name string) *store.Store {
		t.Helper()
		as, err := store.Open(store.Config{Host: s.Config.Host, Name: name, Credentials: storetest.As("pool_user", password)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = as.Close() })
		return as
	}
	for _, password := range []string{"first", `sec'on"d\;--`, `sec'on"d\;--`} {
		if err := migrate.User(background, s.Config, "pool_user", password); err != nil {
			t.Fatal(err)
		}
		as := connect(password, s.Config.Name)
		b := &storetest.Books{Store: as, SQL: s.SQL}
		account := b.AddAccount(t, "x", pool.RoleRequester, false)
		b.AddBatch(t, storetest.NewBatch(account, 2, 1))
	}
	refused(connect("first", s.Config.Name), 1045)
	refused(connect(`sec'on"d\;--`, "mysql"), 1044)
	var grants []string
	rows, err := s.SQL.Query("SHOW GRANTS FOR pool_user@'%'")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		grants = append(grants, line)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	want := "GRANT SELECT, INSERT, UPDATE, DELETE ON `" + s.Config.Name + "`.* TO `pool_user`@`%`"
	if len(grants) != 2 || !strings.HasPrefix(grants[0], "GRANT USAGE ON *.* ") || grants[1] != want {
		t.Errorf("granted %q, want only %q", grants, want)
	}
	for _, name := range []string{"", "a b", "x'; DROP", "1a", strings.Repeat("a", 33)} {
		if err := migrate.User(background, s.Config, name, "p"); err == nil {
			t.Errorf("user %q was made", name)
		}
		c := s.Config
		c.Name = name
		if _, err := migrate.Up(background, c); err == nil || !strings.Contains(err.Error(), "DBNAME") {
			t.Errorf("database %q: %v", name, err)
		}
	}
}

// TestServerSetUpWrongly: a server whose settings break the store's promises is
// refused by the setting's name, before anything is made there.
func TestServerSetUpWrongly(t *testing.T) {
	t.Parallel()
	s, server := storetest.Own(t)
	c := s.Config
	c.Name = "untouched"
	for _, setting := range []struct{ set, bad, good, says string }{
		{"TRANSACTION ISOLATION LEVEL ", "REPEATABLE READ", "READ COMMITTED", "isolation is REPEATABLE-READ"},
		{"sql_mode = ", "'ONLY_FULL_GROUP_BY'", "'STRICT_TRANS_TABLES'", "STRICT_TRANS_TABLES"},
	} {
		s.Exec(t, "SET GLOBAL "+setting.set+setting.bad)
		if _, err := migrate.Up(background, c); err == nil || !strings.Contains(err.Error(), setting.says) {
			t.Errorf("%s%s: %v", setting.set, setting.bad, err)
		}
		s.Exec(t, "SET GLOBAL "+setting.set+setting.good)
	}
	if s.Count(t, "SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name = 'untouched'") != 0 {
		t.Error("a database was made on a server that was refused")
	}
	up(t, c)
	server.Kill()
	if _, err := migrate.Up(background, c); pool.KindOf(err) != pool.Unavailable {
		t.Errorf("without a server: %v", err)
	}
	c.Password = "wrong"
	if err := server.Restart(); err != nil {
		t.Fatal(err)
	}
	if _, err := migrate.Up(background, c); err == nil || !strings.Contains(err.Error(), "denied") {
		t.Errorf("with a wrong password: %v", err)
	}
}
