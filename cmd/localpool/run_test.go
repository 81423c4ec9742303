package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"workerpool/infra/local/mint"
	"workerpool/shared/chain"
	"workerpool/shared/chain/fit"
)

// built is where TestMain puts the real functions and programs, as make build-local
// does.
var built string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "localpool")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		if err := build(dir); err != nil {
			panic(err)
		}
		built = dir
		return m.Run()
	}())
}

func build(dir string) error {
	for to, from := range map[string]string{"bare": "../../functions/...", "bin": "../../cmd/..."} {
		cmd := exec.Command("go", "build", "-tags", "lambda.norpc", "-o", filepath.Join(dir, to)+"/", from)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("building %s: %w: %s", from, err, out)
		}
	}
	functions, err := os.ReadDir(filepath.Join(dir, "bare"))
	if err != nil {
		return err
	}
	for _, f := range functions {
		if err := os.Mkdir(filepath.Join(dir, f.Name()), 0o700); err != nil {
			return err
		}
		if err := os.Rename(filepath.Join(dir, "bare", f.Name()), filepath.Join(dir, f.Name(), "bootstrap")); err != nil {
			return err
		}
	}
	return nil
}

// running is a pool that this test started.
type running struct {
	url  string
	said string // up to the line that tells how to end it
	end  func() (rest string, err error)
}

func begin(t *testing.T, o options) running {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	read, write := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := run(ctx, o, write)
		_ = write.CloseWithError(io.EOF) // always nil
		ended <- err
	}()
	lines := bufio.NewReader(read)
	first, err := lines.ReadString('\n')
	url, found := strings.CutPrefix(strings.TrimSpace(first), "ready: ")
	if err != nil || !found {
		cancel()
		t.Fatalf("the pool began with %q, %v: %v", first, err, <-ended)
	}
	said := first
	for !strings.Contains(said, "Ctrl-C") {
		line, err := lines.ReadString('\n')
		if err != nil {
			cancel()
			t.Fatalf("the pool said %q, %v: %v", said, err, <-ended)
		}
		said += line
	}
	rest := make(chan string, 1)
	go func() {
		text, _ := io.ReadAll(lines) // ends with the pipe
		rest <- string(text)
	}()
	return running{url: url, said: said, end: func() (string, error) {
		cancel()
		return <-rest, <-ended
	}}
}

// logIn runs the line that the pool printed in a shell, as one would, and then
// asks for what needs a session.
func logIn(t *testing.T, said string) {
	t.Helper()
	t.Setenv("HOME", t.TempDir())
	t.Setenv("XDG_CONFIG_HOME", "")
	line := regexp.MustCompile(`(?m)^  (.* login .*)$`).FindStringSubmatch(said)
	if line == nil {
		t.Fatalf("no line to log in by in\n%s", said)
	}
	for _, line := range []string{line[1], filepath.Join(built, "bin", "poolctl") + " workers"} {
		if out, err := exec.CommandContext(t.Context(), "sh", "-c", line).CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %s", line, err, out)
		}
	}
}

func TestPoolRunsEndsAndRunsAgain(t *testing.T) {
	o := options{addr: "127.0.0.1:0", dir: filepath.Join(t.TempDir(), "it's-a-folder"), template: "../../template.yaml", functions: built, chain: true, chainAddr: "127.0.0.1:0"}
	first := begin(t, o)
	if err := run(t.Context(), o, io.Discard); err == nil || !strings.Contains(err.Error(), "running already") {
		t.Errorf("a second pool in the same folder: %v", err)
	}
	other := o
	other.dir, other.addr = t.TempDir(), strings.TrimPrefix(first.url, "http://")
	if err := run(t.Context(), other, io.Discard); err == nil || !strings.Contains(err.Error(), other.addr+" is in use") {
		t.Errorf("a second pool at the same address: %v", err)
	}
	if _, err := os.Stat(filepath.Join(other.dir, "mariadb")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the second pool made a database first: %v", err)
	}
	taken := other
	taken.addr, taken.chainAddr = "127.0.0.1:0", strings.TrimPrefix(first.url, "http://")
	if err := run(t.Context(), taken, io.Discard); err == nil || !strings.Contains(err.Error(), "CHAINADDR") {
		t.Errorf("a second chain at the address of a pool: %v", err)
	}
	logIn(t, first.said)
	place := onChain(t, o, first.said)
	rest, err := first.end()
	if err != nil {
		t.Errorf("the end: %v", err)
	}
	if !strings.HasSuffix(rest, "ending\n") {
		t.Errorf("it said %q; want at last that it is ending", rest)
	}
	if _, err := http.Get(first.url + "/health"); err == nil {
		t.Error("the API outlived its pool")
	}

	again := begin(t, o)
	logIn(t, again.said)
	now := onChain(t, o, again.said)
	if now.Node = place.Node; now != place {
		t.Errorf("the chain is at %+v, was at %+v", now, place)
	}
	if _, err := again.end(); err != nil {
		t.Errorf("the second end: %v", err)
	}
	wallets := filepath.Join(o.dir, "chain", "wallets")
	theirs, err := os.ReadFile(filepath.Join(wallets, mint.Requester+".json"))
	if err == nil {
		err = os.WriteFile(filepath.Join(wallets, mint.PoolOwner+".json"), theirs, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	want := "the start checks: WORKERPOOLADDRESS: found " + place.Workerpool.String() + ", owned by 0x"
	if err := run(t.Context(), o, &said); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), ", expected one owned by the pool's wallet 0x") || said.Len() > 0 {
		t.Errorf("a pool by another's wallet: %v, and it said %s", err, said.String())
	}
	if err := os.RemoveAll(filepath.Join(o.dir, "chain")); err != nil {
		t.Fatal(err)
	}
	if err := run(t.Context(), o, io.Discard); err == nil || !strings.Contains(err.Error(), "make clean-local") {
		t.Errorf("a pool whose chain is gone: %v", err)
	}
}

func TestProgramsThatCannotRunAreNamedFirst(t *testing.T) {
	for want, bin := range map[string]string{"make build-local": t.TempDir(), "a space or a comma": filepath.Join(t.TempDir(), "my pool")} {
		o := options{addr: "127.0.0.1:0", dir: filepath.Join(t.TempDir(), "state"), functions: bin, workers: 1}
		if err := run(t.Context(), o, io.Discard); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want an error with %q", err, want)
		}
		if _, err := os.Stat(o.dir); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("something was begun before: %v", err)
		}
	}
}

// onChain asks the pool whether it serves deals, and the chain that it printed
// whether it is there.
func onChain(t *testing.T, o options, said string) mint.Place {
	t.Helper()
	folder := mint.Folder(filepath.Join(o.dir, "chain"))
	at, err := folder.Place()
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{at.Node, at.Hub.String(), at.Workerpool.String(), at.App.String(), folder.Order(), "31337"} {
		if !strings.Contains(said, part) {
			t.Errorf("no %s in\n%s", part, said)
		}
	}
	door, err := chain.Open(chain.Config{URL: at.Node, Hub: at.Hub, Pool: at.Workerpool})
	if err != nil {
		t.Fatal(err)
	}
	owner, err := folder.Wallet(mint.PoolOwner)
	if err != nil {
		t.Fatal(err)
	}
	if err := fit.Check(t.Context(), door, fit.Wanted{ChainID: at.ID, Hub: at.Hub, RLC: at.RLC, Pool: at.Workerpool, Wallet: owner.Address}); err != nil {
		t.Error(err)
	}
	return at
}

func TestPoolWithoutChain(t *testing.T) {
	o := options{addr: "127.0.0.1:0", dir: t.TempDir(), template: "../../template.yaml", functions: built}
	p := begin(t, o)
	if !strings.Contains(p.said, "no chain") {
		t.Errorf("it said %s", p.said)
	}
	if _, err := os.Stat(filepath.Join(o.dir, "chain")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a chain was made: %v", err)
	}
	if _, err := p.end(); err != nil {
		t.Error(err)
	}
	// The first accounts are found by the ids that the environment gives them, now too.
	o.adminUID, o.workerUID = "53c2a0f5-9d1a-4f3c-8f0e-6a1f5b7d2c11", "u-2"
	p = begin(t, o)
	logIn(t, p.said)
	for uid, login := range map[string]string{o.adminUID: operatorLogin, o.workerUID: workerLogin} {
		shown, err := exec.CommandContext(t.Context(), filepath.Join(built, "bin", "poolctl"), "account", "show", "uid:"+uid, "--json").CombinedOutput()
		if err != nil || !strings.Contains(string(shown), `"login": "`+login+`"`) {
			t.Errorf("uid %s: %v: %s", uid, err, shown)
		}
	}
	if _, err := p.end(); err != nil {
		t.Error(err)
	}
}
