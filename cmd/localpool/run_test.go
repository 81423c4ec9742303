package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// build makes the real functions in a folder as make build-local does.
func build(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	bare := t.TempDir()
	cmd := exec.Command("go", "build", "-tags", "lambda.norpc", "-o", bare+"/", "../../functions/...")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building the functions: %v\n%s", err, out)
	}
	built, err := os.ReadDir(bare)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range built {
		if err := os.Mkdir(filepath.Join(dir, f.Name()), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(filepath.Join(bare, f.Name()), filepath.Join(dir, f.Name(), "bootstrap")); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// running is a pool that this test started.
type running struct {
	url string
	end func() (rest string, err error)
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
	rest := make(chan string, 1)
	go func() {
		text, _ := io.ReadAll(lines) // ends with the pipe
		rest <- string(text)
	}()
	return running{url: url, end: func() (string, error) {
		cancel()
		return <-rest, <-ended
	}}
}

func login(t *testing.T, r running, o options) int {
	t.Helper()
	password, err := os.ReadFile(filepath.Join(o.dir, "operator-password"))
	if err != nil {
		t.Fatal(err)
	}
	body := fmt.Sprintf(`{"login":%q,"password":%q}`, operatorLogin, strings.TrimSpace(string(password)))
	response, err := http.Post(r.url+"/session", "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	return response.StatusCode
}

func TestPoolRunsEndsAndRunsAgain(t *testing.T) {
	o := options{addr: "127.0.0.1:0", dir: t.TempDir(), template: "../../template.yaml", functions: build(t)}
	first := begin(t, o)
	if status := login(t, first, o); status != http.StatusOK {
		t.Errorf("logging in as told: %d", status)
	}
	if err := run(t.Context(), o, io.Discard); err == nil || !strings.Contains(err.Error(), "running already") {
		t.Errorf("a second pool in the same folder: %v", err)
	}
	rest, err := first.end()
	if err != nil {
		t.Errorf("the end: %v", err)
	}
	if !strings.Contains(rest, filepath.Join(o.dir, "operator-password")) || !strings.HasSuffix(rest, "ending\n") {
		t.Errorf("it said %q; want where the password is, and at last that it is ending", rest)
	}
	if _, err := http.Get(first.url + "/health"); err == nil {
		t.Error("the API outlived its pool")
	}

	again := begin(t, o)
	if status := login(t, again, o); status != http.StatusOK {
		t.Errorf("logging in after a restart: %d", status)
	}
	if _, err := again.end(); err != nil {
		t.Errorf("the second end: %v", err)
	}
}

func TestMissingProgramIsNamed(t *testing.T) {
	o := options{dir: t.TempDir(), functions: t.TempDir(), workers: 1}
	s, err := openState(o.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	if _, err := startWorkers(o, s, "http://127.0.0.1:1"); err == nil || !strings.Contains(err.Error(), "make build-local") {
		t.Errorf("%v, want what to make", err)
	}
}
