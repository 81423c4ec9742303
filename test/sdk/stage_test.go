//go:build sdk

package sdk

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"workerpool/infra/local/chain"
	"workerpool/infra/local/chain/contracts"
	"workerpool/infra/local/process"
	"workerpool/shared/chain/poco"
	"workerpool/shared/ethsig"
	"workerpool/shared/pool"
)

const (
	rlc        = pool.NRLC(1e9)
	phrase     = "a password of the test's wallets"
	patience   = 150 * time.Second // what takes longer is lost, on however busy a machine
	blockEvery = time.Second       // as quick as a chain's clock goes
	ratio      = 5                 // percent of the workers' reward that the pool keeps
	deposited  = 500 * rlc         // by everybody: it is what deals and contributions lock
)

// stage is a chain with iExec's contracts and a pool's owner, who has registered it.
type stage struct {
	t     *testing.T
	dir   string
	chain *chain.Chain
	at    contracts.Addresses
	owner *party
	pool  pool.Address
}

// party is somebody with a wallet.
type party struct {
	*ethsig.Key
	name   string
	wallet string // file
}

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{t: t, dir: t.TempDir()}
	var err error
	if s.chain, err = chain.Start(chain.Config{Period: blockEvery}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.chain.Close(); err != nil {
			t.Error(err)
		}
	})
	if s.at, err = contracts.Deploy(t.Context(), s.chain); err != nil {
		t.Fatal(err)
	}
	s.write("phrase", phrase+"\n")
	s.owner = s.party("owner", 1000*rlc)
	var registered struct{ Workerpool string }
	s.poolctl(&registered, s.owner, "register", "a pool of a test", "--pool-reward", fmt.Sprint(ratio), "--worker-stake", "30", "--yes")
	if s.pool, err = pool.ParseAddress(registered.Workerpool); err != nil {
		t.Fatal(err)
	}
	s.deposit(s.owner)
	return s
}

// file names a file of the stage.
func (s *stage) file(name string) string { return filepath.Join(s.dir, name) }

func (s *stage) write(name, text string) {
	s.t.Helper()
	if err := os.WriteFile(s.file(name), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// party makes somebody with money for gas and so many RLC.
func (s *stage) party(name string, has pool.NRLC) *party {
	s.t.Helper()
	key, err := ethsig.GenerateKey()
	if err != nil {
		s.t.Fatal(err)
	}
	sealed, err := key.Seal(phrase)
	if err != nil {
		s.t.Fatal(err)
	}
	p := &party{Key: key, name: name, wallet: s.file("wallet-of-" + name)}
	s.write("wallet-of-"+name, string(sealed))
	s.fund(key.Address(), has)
	return p
}

// fund gives an account money for gas, and RLC.
func (s *stage) fund(to pool.Address, amount pool.NRLC) {
	s.t.Helper()
	if err := s.chain.Give(s.t.Context(), to); err != nil {
		s.t.Fatal(err)
	}
	s.rich(s.at.RLC, poco.NewRLC().PackTransfer([20]byte(to), big.NewInt(int64(amount))))
}

// rich lets the chain's rich account call a contract.
func (s *stage) rich(to pool.Address, data []byte) {
	s.t.Helper()
	if _, err := s.chain.Rich().Do(s.t.Context(), chain.To(to, data)); err != nil {
		s.t.Fatal(err)
	}
}

// deposit lets somebody deposit by the pool's own program.
func (s *stage) deposit(p *party) {
	s.t.Helper()
	var told struct{ Done bool }
	s.poolctl(&told, p, "deposit", "500RLC", "--yes")
	if !told.Done {
		s.t.Fatalf("the deposit of %s: %+v", p.name, told)
	}
}

// order lets the owner offer tasks and gives the offer as iExec's client keeps it.
func (s *stage) order(trust, volume string) []byte {
	s.t.Helper()
	file := s.file("orders-at-trust-" + trust + ".json")
	var told struct{ Signed bool }
	s.poolctl(&told, s.owner, "--workerpool", s.pool.String(), "order", "--price", "10RLC", "--volume", volume, "--trust", trust, "--file", file, "--yes")
	if !told.Signed {
		s.t.Fatalf("the order at trust %s: %+v", trust, told)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		s.t.Fatal(err)
	}
	return text
}

// price is that of order.
const price = 10 * rlc

// poolctl lets the pool's own program act on the chain and reads its answer.
func (s *stage) poolctl(into any, by *party, args ...string) {
	s.t.Helper()
	cmd := exec.Command(filepath.Join(built, "bin", "poolctl"), append([]string{
		"--json", "chain", "--node", s.chain.URL(), "--hub", s.at.Hub.String(), "--wallet", by.wallet, "--wallet-password-file", s.file("phrase"),
	}, args...)...)
	s.answer(into, cmd)
}

// app registers an app that is a program of the workers; iExec's client, which can
// do all else, knows images only.
func (s *stage) app(owner pool.Address, program string) pool.Address {
	s.t.Helper()
	registry := poco.NewAppRegistry()
	data := registry.PackCreateApp([20]byte(owner), program, "PROCESS", []byte(program), [32]byte{1}, nil)
	made, err := s.chain.View(s.t.Context(), s.at.AppRegistry, data)
	if err != nil {
		s.t.Fatal(err)
	}
	s.rich(s.at.AppRegistry, data)
	app, err := registry.UnpackCreateApp(made)
	if err != nil {
		s.t.Fatal(err)
	}
	return pool.Address(app)
}

// answer runs a program within the test's patience and reads the JSON it answers.
func (s *stage) answer(into any, cmd *exec.Cmd) {
	s.t.Helper()
	var out, faults bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &faults
	if err := process.Start(cmd); err != nil {
		s.t.Fatalf("%q: %v", cmd.Args, err)
	}
	late := time.AfterFunc(patience, func() { process.Kill(cmd) })
	err := cmd.Wait()
	if !late.Stop() {
		s.t.Fatalf("%q did not end within %v:\n%s%s", cmd.Args, patience, &out, &faults)
	}
	if err != nil {
		s.t.Fatalf("%q: %v\n%s%s", cmd.Args, err, &out, &faults)
	}
	if err := json.Unmarshal(out.Bytes(), into); err != nil {
		s.t.Fatalf("%q: %v:\n%s%s", cmd.Args, err, &out, &faults)
	}
}

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

// tail gives the last n lines that tell something: metrics do not.
func (l *lines) tail(n int) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := slices.DeleteFunc(strings.SplitAfter(l.text.String(), "\n"), func(line string) bool { return strings.Contains(line, `"_aws":`) })
	return strings.Join(all[max(0, len(all)-n):], "")
}
