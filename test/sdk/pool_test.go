//go:build sdk

package sdk

import (
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"fmt"
	"log/slog"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"workerpool/infra/local/database"
	"workerpool/infra/local/host"
	"workerpool/infra/local/process"
	"workerpool/shared/store/storetest"
)

const (
	operatorLogin = "operator"
	workerLogin   = "worker"
)

// bench is a stage with the registered pool at work.
type bench struct {
	*stage
	t       *testing.T
	url     string
	books   *sql.DB
	workers []*party
}

// open lets the pool of a stage serve it, with so many workers of as many owners.
// They are given more settings.
func (s *stage) open(t *testing.T, workers int, settings ...string) *bench {
	t.Helper()
	b := &bench{stage: s, t: t}
	db, err := database.Start(database.Config{Dir: s.file("db"), Fast: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Stop() })
	printed := &lines{}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the functions printed:\n%s", printed.tail(400))
		}
	})
	workerPassword := rand.Text()
	functions, err := host.Start(host.Config{
		Template: "../../template.yaml", Functions: built, Dir: s.dir, Secrets: s.secrets(workerPassword), TickEvery: time.Second, Output: printed,
		Parameters: map[string]string{
			"ReserveConcurrency": "true", "HeartbeatBusy": "1", "HeartbeatIdle": "1", "S3PathStyle": "true", "AdminLogin": operatorLogin, "WorkerLogin": workerLogin,
			"BlockchainEthEnabled": "true", "WorkerpoolAddress": s.pool.String(), "EthNode": s.chain.URL(), "WayOut": "nat",
			"ChainId": fmt.Sprint(s.chain.ID()), "IexecHubContract": s.at.Hub.String(), "RlcContract": s.at.RLC.String(), "ChainPoll": "1", "ChainFinality": "safe",
		},
		Database: host.Database{Addr: db.Addr(), AdminUser: db.AdminUser(), AdminPassword: db.AdminPassword()},
		Log:      slog.New(slog.NewTextHandler(printed, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(functions.Close)
	if _, err := functions.Invoke(t.Context(), "migrate", []byte(`{"action":"up"}`)); err != nil {
		t.Fatal(err)
	}
	b.url = functions.URL()
	b.look(db)
	s.write("password", workerPassword+"\n")
	for n := range workers {
		b.worker(fmt.Sprintf("worker-%d", n), settings)
	}
	return b
}

func (s *stage) secrets(workerPassword string) map[string]string {
	s.t.Helper()
	sealed, err := s.owner.Seal(phrase)
	if err != nil {
		s.t.Fatal(err)
	}
	secrets := map[string]string{}
	for id, fields := range map[string]map[string]string{
		"TokenSecret":        {"current": rand.Text() + rand.Text(), "previous": ""},
		"DatabaseUserSecret": {"username": "pool", "password": rand.Text()},
		"BootstrapSecret":    {"admin_login": operatorLogin, "admin_password": rand.Text(), "worker_login": workerLogin, "worker_password": workerPassword},
		"WalletSecret":       {"keystore": string(sealed), "password": phrase},
	} {
		text, err := json.Marshal(fields)
		if err != nil {
			s.t.Fatal(err)
		}
		secrets[id] = string(text)
	}
	return secrets
}

// look opens the books.
func (b *bench) look(db *database.Database) {
	b.t.Helper()
	options := mysql.NewConfig()
	options.Net, options.Addr, options.User, options.Passwd, options.DBName = "tcp", db.Addr(), db.AdminUser(), db.AdminPassword(), "workerpool"
	options.ParseTime, options.Collation = true, "utf8mb4_bin"
	connector, err := mysql.NewConnector(options)
	if err != nil {
		b.t.Fatal(err)
	}
	b.books = sql.OpenDB(connector)
	b.t.Cleanup(func() { _ = b.books.Close() })
}

// worker starts a worker process of an owner of its own, who has stake at the hub.
func (b *bench) worker(name string, settings []string) {
	b.t.Helper()
	owner := b.party(name, 1000*rlc)
	b.deposit(owner)
	b.workers = append(b.workers, owner)
	log := &lines{}
	cmd := exec.Command(filepath.Join(built, "bin", "worker"), append([]string{
		"-pool", b.url, "-login", workerLogin, "-password-file", b.file("password"), "-name", name, "-dir", b.file(name), "-slots", "2",
		"-wallet", owner.wallet, "-wallet-password-file", b.file("phrase"), "-node", b.chain.URL(), "-hub", b.at.Hub.String(), "-pool-address", b.pool.String(),
	}, settings...)...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := process.Start(cmd); err != nil {
		b.t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	b.t.Cleanup(func() {
		_ = process.Stop(cmd, ended, 10*time.Second)
		process.Kill(cmd) // what it left behind in its group
		if b.t.Failed() {
			b.t.Logf("%s printed:\n%s", name, log.tail(100))
		}
	})
}

// check holds the books to the pool's promises once all works have ended as the
// chain says.
func (b *bench) check(works int) {
	b.t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for done := 0; done != works; {
		if err := b.books.QueryRowContext(b.t.Context(), "SELECT COUNT(*) FROM work WHERE state = 'done'").Scan(&done); err != nil {
			b.t.Fatal(err)
		}
		select {
		case <-deadline.C:
			b.t.Fatalf("%d of %d works are done in the books", done, works)
		case <-again.C:
		}
	}
	faults, err := storetest.NewAudit(b.books).Look(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	for _, fault := range faults {
		b.t.Error(fault)
	}
}
