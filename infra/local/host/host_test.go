package host

import (
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"workerpool/infra/local/faults"
	"workerpool/infra/local/template"
)

var functionsDir string

// TestMain builds the one bootstrap behind all functions of the tests.
func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "functions")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		functionsDir = dir
		build := exec.Command("go", "build", "-tags", "lambda.norpc", "-o", filepath.Join(dir, "ask", "bootstrap"), "./testdata/function")
		build.Stderr = os.Stderr
		if err := build.Run(); err != nil {
			panic(err)
		}
		for _, name := range []string{"ring", "tick"} {
			if err := os.Symlink("ask", filepath.Join(dir, name)); err != nil {
				panic(err)
			}
		}
		return m.Run()
	}())
}

func config(t *testing.T) Config {
	return Config{
		Template: "testdata/template.yaml", Functions: functionsDir, Dir: t.TempDir(), TickEvery: -1,
		Parameters: map[string]string{"Greeting": "welcome"}, Secrets: map[string]string{"TokenSecret": "tokens"},
		Database: Database{Addr: "127.0.0.1:3306", AdminUser: "admin", AdminPassword: "p"},
		Output:   t.Output(), Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
}

func start(t *testing.T, c Config) *Host {
	t.Helper()
	h, err := Start(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	return h
}

func call(t *testing.T, method, url, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "text/plain")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// file waits until a ring has become a file.
func file(t *testing.T, h *Host, name string) string {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for {
		status, text := call(t, "GET", h.URL()+"/files/"+name, "")
		if status == 200 {
			return text
		}
		if time.Now().After(deadline) {
			t.Fatalf("no file %s after 10 s: %d %s", name, status, text)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func TestARingGoesThroughAllServices(t *testing.T) {
	c := config(t)
	h := start(t, c)
	if status, text := call(t, "POST", h.URL()+"/rings", "one"); status != 202 {
		t.Fatalf("ringing: %d %s", status, text)
	}
	want := `"127.0.0.1:3306 {\"password\":\"p\",\"username\":\"admin\"} tokens"`
	if got := file(t, h, "one"); got != want {
		t.Errorf("file %s, want %s", got, want)
	}
	if err := h.Tick(t.Context()); err != nil {
		t.Errorf("tick: %v", err)
	}
	file(t, h, "tick")

	h.Close()
	if info, err := os.Stat(filepath.Join(c.Dir, SecretsFile)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the secrets: %v, %v; want a file for its owner only", info, err)
	}
	again := start(t, c)
	if status, got := call(t, "GET", again.URL()+"/files/one", ""); status != 200 || got != want {
		t.Errorf("after a restart: %d %s, want the same file", status, got)
	}
}

// Whoever else runs on this machine must not reach the secrets, queues and files.
func TestServicesAnswerOnlyTheFunctions(t *testing.T) {
	c := config(t)
	h := &Host{config: c, faults: faults.New(faults.Config{})}
	defer h.Close()
	var err error
	if h.template, err = template.Read(c.Template, c.Parameters); err != nil {
		t.Fatal(err)
	}
	s, err := h.startServices()
	if err != nil {
		t.Fatal(err)
	}
	other, err := h.startServices()
	if err != nil || other.accessKey == s.accessKey || other.secretKey == s.secretKey || len(s.secretKey) < 40 {
		t.Errorf("two starts drew the keys %s and %s, %v", s.accessKey, other.accessKey, err)
	}
	for name, target := range map[string]string{"SQS": "AmazonSQS.ListQueues", "SECRETS_MANAGER": "secretsmanager.GetSecretValue", "S3": ""} {
		r, err := http.NewRequestWithContext(t.Context(), "POST", s.endpoints["AWS_ENDPOINT_URL_"+name]+"/", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		if r.Header.Set("X-Amz-Target", target); name == "S3" {
			r.Method, r.URL.Path = "GET", "/any/key"
		}
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(response.Body)
		if response.Body.Close(); err != nil || response.StatusCode != http.StatusForbidden {
			t.Errorf("%s answers a stranger %d %s, %v", name, response.StatusCode, text, err)
		}
	}
}

func TestInvokeAndKill(t *testing.T) {
	h := start(t, config(t))
	if killed, err := h.KillFunction("ask"); killed || err != nil {
		t.Errorf("killed %v, %v before there was a sandbox", killed, err)
	}
	before, err := h.Invoke(t.Context(), "ask", []byte(`{}`))
	if err != nil || !strings.HasPrefix(string(before), `"welcome from `) {
		t.Fatalf("invoke: %s, %v", before, err)
	}
	if killed, err := h.KillFunction("ask"); !killed || err != nil {
		t.Errorf("killed %v, %v", killed, err)
	}
	after, err := h.Invoke(t.Context(), "ask", []byte(`{}`))
	if err != nil || string(after) == string(before) {
		t.Errorf("after the kill: %s, %v; want another process", after, err)
	}
	if _, err := h.KillFunction("asks"); err == nil {
		t.Error("killing a function that is not there: no error")
	}
}

func TestFaultsReachTheFunctions(t *testing.T) {
	h := start(t, config(t))
	if err := h.Faults().Set(1, faults.Rule{Target: "sqs:SendMessage", Kind: faults.Fail, Count: 1}); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Invoke(t.Context(), "tick", []byte(`{"ring":"x"}`)); err == nil || !strings.Contains(err.Error(), "tick failed") {
		t.Errorf("ringing while the queue fails: %v", err)
	}
	if status, text := call(t, "GET", h.URL()+FaultsPath, ""); status != 200 || !strings.Contains(text, "sqs:SendMessage") {
		t.Errorf("the faults at %s: %d %s", FaultsPath, status, text)
	}
	status, text := call(t, "PUT", h.URL()+FaultsPath, `{"seed":1,"rules":[{"target":"sqs:SendMessage","kind":"fail","count":1}]}`)
	if status != 200 {
		t.Fatalf("setting faults: %d %s", status, text)
	}
	if status, text := call(t, "POST", h.URL()+"/rings", "x"); status != 500 || text != `{"message":"Internal Server Error"}` {
		t.Errorf("ringing while the queue fails: %d %s", status, text)
	}
}

func TestStartThatFailsNamesTheFaultAndLeavesNothing(t *testing.T) {
	for want, change := range map[string]func(*Config){
		"make build-local":     func(c *Config) { c.Functions = t.TempDir() },
		"no secret Other":      func(c *Config) { c.Secrets = map[string]string{"Other": "x"} },
		"no parameter Missing": func(c *Config) { c.Parameters = map[string]string{"Missing": "x"} },
		"reading the template": func(c *Config) { c.Template = "testdata/none.yaml" },
	} {
		c := config(t)
		change(&c)
		h, err := Start(c)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want an error with %q", err, want)
		}
		if h != nil {
			t.Errorf("%s: a host came with the error", want)
			h.Close()
		}
	}
}

// The template that is deployed must be one that this host can play.
func TestThePoolsTemplateCanBePlayed(t *testing.T) {
	c := config(t)
	c.Template = "../../../template.yaml"
	c.Parameters = map[string]string{"HeartbeatBusy": "1", "HeartbeatIdle": "1", "S3PathStyle": "true"}
	c.Secrets = map[string]string{"TokenSecret": "{}", "DatabaseUserSecret": "{}", "BootstrapSecret": "{}"}
	c.Functions = t.TempDir()
	for _, name := range []string{"submit", "heartbeat", "query", "session", "operate", "dispatch", "reconcile", "migrate", "check"} {
		if err := os.Symlink(filepath.Join(functionsDir, "ask"), filepath.Join(c.Functions, name)); err != nil {
			t.Fatal(err)
		}
	}
	h := start(t, c)
	if _, err := h.Invoke(t.Context(), "migrate", []byte(`{"action":"up"}`)); err != nil {
		t.Error(err)
	}
	if status, text := call(t, "GET", h.URL()+"/health", ""); status != 200 {
		t.Errorf("GET /health: %d %s", status, text)
	}
	if status, _ := call(t, "GET", h.URL()+"/healthy", ""); status != 404 {
		t.Errorf("GET /healthy: %d, want 404", status)
	}
	if err := h.Tick(t.Context()); err != nil {
		t.Error(err)
	}
}
