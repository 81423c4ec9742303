package lambda

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

var functionDir string

// TestMain builds the function of the tests, a real bootstrap.
func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "function")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		functionDir = dir
		build := exec.Command("go", "build", "-tags", "lambda.norpc", "-o", filepath.Join(dir, "bootstrap"), "./testdata/function")
		build.Stderr = os.Stderr
		if err := build.Run(); err != nil {
			panic(err)
		}
		return m.Run()
	}())
}

type answer struct {
	PID, Count     int
	Environment    map[string]string
	RequestID, ARN string
	LeftMS         int64
	Text           string
}

type log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// start runs one function named "f"; change may alter it before.
func start(t *testing.T, change func(*Function)) (*Host, *log) {
	t.Helper()
	f := Function{
		Name: "f", Dir: functionDir, Handler: "bootstrap", MemoryMB: 256, Timeout: 30 * time.Second, Concurrency: -1,
		Environment: map[string]string{"DBHOST": "127.0.0.1:1"},
	}
	if change != nil {
		change(&f)
	}
	out := &log{}
	h := New(Config{Functions: []Function{f}, Environment: map[string]string{"AWS_REGION": "us-east-1"}, Output: out})
	t.Cleanup(h.Close)
	return h, out
}

func invoke(t *testing.T, h *Host, event string) Result {
	t.Helper()
	result, err := h.Invoke(t.Context(), "f", []byte(event))
	if err != nil {
		t.Fatalf("invoke %s: %v", event, err)
	}
	return result
}

func works(t *testing.T, h *Host) answer {
	t.Helper()
	result := invoke(t, h, `{}`)
	var a answer
	if err := json.Unmarshal(result.Payload, &a); err != nil || result.Failed {
		t.Fatalf("answer %s, failed %v: %v", result.Payload, result.Failed, err)
	}
	if a.RequestID != result.RequestID {
		t.Errorf("the function saw request id %q, the caller %q", a.RequestID, result.RequestID)
	}
	return a
}

func fails(t *testing.T, h *Host, event, kind, text string) {
	t.Helper()
	result := invoke(t, h, event)
	var e struct{ ErrorType, ErrorMessage string }
	if err := json.Unmarshal(result.Payload, &e); err != nil || !result.Failed {
		t.Fatalf("answer %s, failed %v: %v", result.Payload, result.Failed, err)
	}
	if e.ErrorType != kind || !strings.Contains(e.ErrorMessage, text) {
		t.Errorf("error %q %q, want %q with %q", e.ErrorType, e.ErrorMessage, kind, text)
	}
}

func TestSandboxIsReusedAndSeesOnlyItsEnvironment(t *testing.T) {
	t.Setenv("SECRET_OF_THE_DEVELOPER", "x")
	h, out := start(t, nil)
	first, second := works(t, h), works(t, h)
	if first.PID != second.PID || second.Count != 2 {
		t.Errorf("second call in process %d as call %d, want %d as 2", second.PID, second.Count, first.PID)
	}
	for name, want := range map[string]string{
		"DBHOST": "127.0.0.1:1", "AWS_REGION": "us-east-1", "_HANDLER": "bootstrap", "AWS_LAMBDA_FUNCTION_NAME": "f",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256", "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
		"AWS_LAMBDA_LOG_FORMAT": "JSON", "LAMBDA_TASK_ROOT": functionDir, "SECRET_OF_THE_DEVELOPER": "",
	} {
		if got := first.Environment[name]; got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	if first.LeftMS <= 20_000 || first.LeftMS > 30_000 {
		t.Errorf("the function had %d ms, want nearly its timeout of 30 s", first.LeftMS)
	}
	if want := "arn:aws:lambda:us-east-1:000000000000:function:f"; first.ARN != want {
		t.Errorf("ARN %q, want %q", first.ARN, want)
	}
	h.Close()
	if want := "f | call 1\nf | call 2\n"; !strings.Contains(out.String(), want) {
		t.Errorf("output %q, want %q in it", out.String(), want)
	}
}

func TestFailuresOfAFunction(t *testing.T) {
	h, out := start(t, nil)
	before := works(t, h)
	fails(t, h, `{"Do":"fail"}`, "errorString", "as told")
	if after := works(t, h); after.PID != before.PID {
		t.Error("an error that was returned cost the sandbox")
	}
	fails(t, h, `{"Do":"panic"}`, "string", "as told")
	after := works(t, h)
	if after.PID == before.PID || after.Count != 1 {
		t.Errorf("after a panic: process %d, call %d; want a new sandbox", after.PID, after.Count)
	}
	fails(t, h, `{"Do":"exit"}`, "Runtime.ExitError", "exit status 7")
	if again := works(t, h); again.PID == after.PID {
		t.Error("after a crash: the same process")
	}
	h.Close()
	if !strings.Contains(out.String(), "as told") {
		t.Errorf("the panic is not in the output: %q", out.String())
	}
}

func TestTimeoutKillsTheSandbox(t *testing.T) {
	h, out := start(t, func(f *Function) { f.Timeout = 300 * time.Millisecond })
	before := works(t, h)
	fails(t, h, `{"Do":"hang"}`, "Sandbox.Timedout", "timed out after 0.30 seconds")
	if after := works(t, h); after.PID == before.PID {
		t.Error("the process that timed out was used again")
	}
	if !strings.Contains(out.String(), "Task timed out") {
		t.Errorf("the timeout is not in the output: %q", out.String())
	}
}

func TestInitFailures(t *testing.T) {
	h, out := start(t, func(f *Function) { f.Environment["INIT"] = "exit" })
	fails(t, h, `{}`, "Runtime.ExitError", "exit status 3")
	if !strings.Contains(out.String(), "f | no database: giving up\n") {
		t.Errorf("what it said without an end of line is lost: %q", out.String())
	}
	told, _ := start(t, func(f *Function) { f.Environment["INIT"] = "error" })
	fails(t, told, `{}`, "Init", "DBHOST is not set")

	absent, _ := start(t, func(f *Function) { f.Dir = t.TempDir() })
	if _, err := absent.Invoke(t.Context(), "f", nil); err == nil || !strings.Contains(err.Error(), "starting a sandbox") {
		t.Errorf("without a bootstrap: %v", err)
	}
}

// meeting holds every caller until n of them are there.
func meeting(t *testing.T, n int) (url string, arrived <-chan struct{}, release func()) {
	t.Helper()
	in, out := make(chan struct{}, n), make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		in <- struct{}{}
		<-out
	}))
	t.Cleanup(s.Close)
	return s.URL, in, sync.OnceFunc(func() { close(out) })
}

func TestConcurrencyOneProcessPerCall(t *testing.T) {
	url, arrived, release := meeting(t, 3)
	defer release()
	h, _ := start(t, func(f *Function) { f.Concurrency = 3; f.Environment["MEETING"] = url })
	pids := make(chan int, 3)
	for range 3 {
		go func() {
			result, err := h.Invoke(context.WithoutCancel(t.Context()), "f", []byte(`{"Do":"meet"}`))
			var a answer
			if err == nil {
				err = json.Unmarshal(result.Payload, &a)
			}
			if err != nil {
				t.Error(err)
			}
			pids <- a.PID
		}()
	}
	for range 3 {
		<-arrived
	}
	if _, err := h.Invoke(t.Context(), "f", []byte(`{}`)); !errors.Is(err, ErrThrottled) {
		t.Errorf("a fourth call: %v, want it throttled", err)
	}
	release()
	different := map[int]bool{}
	for range 3 {
		different[<-pids] = true
	}
	if len(different) != 3 {
		t.Errorf("3 calls at once ran in %d processes", len(different))
	}
	works(t, h)
}

func TestCallsBeyondTheUnreservedLimitWait(t *testing.T) {
	url, arrived, release := meeting(t, unreserved)
	defer release()
	h, _ := start(t, func(f *Function) { f.Environment["MEETING"] = url })
	var wait sync.WaitGroup
	for range unreserved {
		wait.Go(func() { invoke(t, h, `{"Do":"meet"}`) })
	}
	for range unreserved {
		<-arrived
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := h.Invoke(ctx, "f", []byte(`{}`)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("one call too many: %v, want it to wait until its caller gives up", err)
	}
	release()
	works(t, h)
	wait.Wait()
}

func TestPayloadLimits(t *testing.T) {
	h, _ := start(t, nil)
	if _, err := h.Invoke(t.Context(), "f", make([]byte, MaxPayload+1)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("an event of 6 MB and a byte: %v", err)
	}
	fails(t, h, `{"Do":"big","Size":6291456}`, "Function.ResponseSizeTooLarge", "exceeded")
	works(t, h)
	if _, err := h.Invoke(t.Context(), "g", nil); !errors.Is(err, ErrUnknown) {
		t.Errorf("an unknown function: %v", err)
	}
}

func TestKillAndClose(t *testing.T) {
	h, _ := start(t, nil)
	if h.Kill("f") {
		t.Error("killed a sandbox before there was one")
	}
	before := works(t, h)
	if !h.Kill("f") {
		t.Error("found no sandbox to kill")
	}
	after := works(t, h)
	if after.PID == before.PID {
		t.Error("the killed process answered")
	}
	h.Close()
	if err := syscall.Kill(-after.PID, 0); err == nil {
		t.Error("the process outlived Close")
	}
	if _, err := h.Invoke(t.Context(), "f", nil); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}
