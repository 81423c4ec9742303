package main

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestStateIsTakenOnceAndKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	first, err := openState(dir)
	if err != nil {
		t.Fatal(err)
	}
	_, err = openState(dir)
	if err == nil || !strings.Contains(err.Error(), "running already") || !strings.Contains(err.Error(), strconv.Itoa(os.Getpid())) {
		t.Errorf("second start: %v, want that process %d has it", err, os.Getpid())
	}
	text, err := json.Marshal(first.secrets)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "secrets.json"), text, 0o600); err != nil { // as the host does
		t.Fatal(err)
	}
	first.close()
	second, err := openState(dir)
	if err != nil {
		t.Fatalf("start after the end of the first: %v", err)
	}
	defer second.close()
	if diff := cmp.Diff(first.secrets, second.secrets); diff != "" {
		t.Errorf("the secrets changed (-first +second):\n%s", diff)
	}
	for _, name := range []string{"operator-password", "worker-password"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Error(err)
			continue
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s may be read as %s, want -rw-------", name, info.Mode())
		}
	}
	want, err := first.secrets.field("BootstrapSecret", "admin_password")
	if err != nil {
		t.Fatal(err)
	}
	password, err := os.ReadFile(second.operatorPassword)
	if err != nil || strings.TrimSpace(string(password)) != want || len(password) < 20 {
		t.Errorf("the operator's password file: %q, %v", password, err)
	}
}

func TestSecretsHaveTheFormTheFunctionsRead(t *testing.T) {
	drawn, err := drawSecrets()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{
		"TokenSecret": {"current"}, "DatabaseUserSecret": {"password", "username"}, "DatabaseAdminSecret": {"password", "username"},
		"BootstrapSecret": {"admin_login", "admin_password", "worker_login", "worker_password"},
	}
	for id, names := range want {
		for _, name := range names {
			if _, err := drawn.field(id, name); err != nil {
				t.Error(err)
			}
		}
	}
	if key, _ := drawn.field("TokenSecret", "current"); len(key) < 32 {
		t.Errorf("the token key has %d bytes, 32 are the least", len(key))
	}
	if !strings.Contains(drawn["TokenSecret"], `"previous":""`) {
		t.Error("the token secret has no field for the previous key")
	}
	if len(drawn) != len(want) {
		t.Errorf("%d secrets, want %d", len(drawn), len(want))
	}
	if _, err := drawn.field("TokenSecret", "previous"); err == nil {
		t.Error("an empty field: no error")
	}
}

func TestDamagedSecretsAreNotReplaced(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "secrets.json")
	if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openState(dir); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("%v, want an error with %s", err, path)
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "{" {
		t.Errorf("the file is now %q, %v", text, err)
	}
}

// addr is an environment in which only ADDR is set.
func addr(value string) func(string) string {
	return func(name string) string { return map[string]string{"ADDR": value}[name] }
}

func TestCommandLine(t *testing.T) {
	got, err := parse([]string{"-workers", "3", "-liar", "-tick", "2s"}, addr("127.0.0.1:9999"), io.Discard)
	want := options{
		addr: "127.0.0.1:9999", dir: ".local", template: "template.yaml", functions: "build/local", workers: 3, liar: true, tickEvery: 2 * time.Second,
		chain: true, chainAddr: "127.0.0.1:8545",
	}
	if err != nil || got != want {
		t.Errorf("options %+v, %v; want %+v", got, err, want)
	}
	uids := map[string]string{"ADMINUID": "u-1", "WORKERUID": "u-2"}
	if got, err := parse([]string{"-worker-uid", "u-3"}, func(name string) string { return uids[name] }, io.Discard); err != nil || got.adminUID != "u-1" || got.workerUID != "u-3" {
		t.Errorf("uids: %+v, %v", got, err)
	}
	if got, err := parse([]string{"-addr", "127.0.0.1:1"}, addr("127.0.0.1:2"), io.Discard); err != nil || got.addr != "127.0.0.1:1" {
		t.Errorf("flag against ADDR: %s, %v", got.addr, err)
	}
	if got, err := parse(nil, addr(""), io.Discard); err != nil || got.addr != "127.0.0.1:8080" {
		t.Errorf("neither: %s, %v", got.addr, err)
	}
	for _, good := range []string{"[::1]:80", "localhost:80", "127.9.9.9:80"} {
		if _, err := parse(nil, addr(good), io.Discard); err != nil {
			t.Errorf("ADDR %s: %v", good, err)
		}
	}
	for _, bad := range []string{"0.0.0.0:80", ":80", "192.0.2.1:80", "pool.example.com:80", "[::]:80", "127.0.0.1", "8080"} {
		var said strings.Builder
		if _, err := parse(nil, addr(bad), &said); err == nil || strings.Count(said.String(), "\n") != 1 || !strings.HasPrefix(said.String(), "ADDR") {
			t.Errorf("ADDR %s: %v, said %q; want one line", bad, err, said.String())
		}
	}
	for _, args := range [][]string{{"start"}, {"-workers", "-1"}, {"-workers", "0", "-liar"}, {"-nothing"}} {
		if _, err := parse(args, addr(""), io.Discard); err == nil {
			t.Errorf("%v: no error", args)
		}
	}
}

func TestChainSwitch(t *testing.T) {
	for _, c := range []struct {
		value string
		args  []string
		want  bool
	}{{"", nil, true}, {"true", nil, true}, {"false", nil, false}, {"false", []string{"-chain"}, true}, {"true", []string{"-chain=false"}, false}} {
		env := map[string]string{"BLOCKCHAINETHENABLED": c.value, "CHAINADDR": "127.0.0.1:1234"}
		got, err := parse(c.args, func(name string) string { return env[name] }, io.Discard)
		if err != nil || got.chain != c.want || got.chainAddr != "127.0.0.1:1234" {
			t.Errorf("%+v: %+v, %v", c, got, err)
		}
	}
	for _, value := range []string{"0", "no", "TRUE", " true", "off"} {
		var said strings.Builder
		_, err := parse(nil, func(string) string { return value }, &said)
		if err == nil || !strings.HasPrefix(said.String(), "BLOCKCHAINETHENABLED is true or false") || strings.Count(said.String(), "\n") != 1 {
			t.Errorf("BLOCKCHAINETHENABLED=%q: %v, said %q", value, err, said.String())
		}
	}
}

func TestCrew(t *testing.T) {
	if diff := cmp.Diff([]string{"local-1", "local-2"}, options{workers: 2}.crew()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"local-1", "demo-liar"}, options{workers: 2, liar: true}.crew()); diff != "" {
		t.Error(diff)
	}
}
