package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"workerpool/shared/wire"
)

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// stage is a scripted pool and a person before a terminal.
type stage struct {
	t      *testing.T
	url    string
	dir    string
	routes map[string]http.HandlerFunc // "METHOD /path"
	seen   []string                    // "METHOD /path?query token"
	bodies map[string]string           // last body of each route
	env    map[string]string
	stdin  string
	typed  func() (string, error)
	now    time.Time
	waits  int
	onWait func()

	out, errs bytes.Buffer
}

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{t: t, dir: t.TempDir(), routes: map[string]http.HandlerFunc{}, bodies: map[string]string{}, env: map[string]string{}, now: noon}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		s.seen = append(s.seen, strings.TrimSpace(r.Method+" "+r.URL.RequestURI()+" "+token))
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		route := r.Method + " " + r.URL.Path
		s.bodies[route] = string(body)
		serve := s.routes[route]
		if serve == nil {
			refuse(http.StatusNotFound, "not_found")(w, r)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		serve(w, r)
	}))
	t.Cleanup(server.Close)
	s.url = server.URL
	for _, name := range []string{"POOLCTL_POOL", "POOLCTL_SESSION", "POOLCTL_LOGIN", "POOLCTL_PASSWORD_FILE", "ETHNODE", "IEXECHUBCONTRACT", "WORKERPOOLADDRESS", "WALLETPATH"} {
		t.Setenv(name, "") // kong reads them itself
		if err := os.Unsetenv(name); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// run runs the program anew and gives what it exits with.
func (s *stage) run(args ...string) int {
	s.out.Reset()
	s.errs.Reset()
	return run(s.t.Context(), args, world{
		in: strings.NewReader(s.stdin), out: &s.out, errs: &s.errs, readPassword: s.typed,
		env: func(name string) string { return s.env[name] }, configDir: func() (string, error) { return s.dir, nil },
		now: func() time.Time { return s.now },
		wait: func(ctx context.Context, _ time.Duration) error {
			if s.waits++; s.onWait != nil {
				s.onWait()
			}
			return ctx.Err()
		},
	})
}

// must runs the program and fails unless it exits as wanted.
func (s *stage) must(code int, args ...string) {
	s.t.Helper()
	if got := s.run(args...); got != code {
		s.t.Fatalf("%q exits with %d, want %d\n%s%s", args, got, code, s.out.String(), s.errs.String())
	}
}

// loggedIn gives the stage a session.
func (s *stage) loggedIn() *stage {
	s.t.Helper()
	s.routes["POST /session"] = answer(200, wire.Session{Token: "tok", ExpiresIn: 3600, Account: 7, Role: "requester"})
	s.env["POOLCTL_PASSWORD"] = "pw"
	s.must(exitDone, "login", "--pool", s.url, "--login", "ada")
	delete(s.env, "POOLCTL_PASSWORD")
	s.seen = nil
	return s
}

func (s *stage) says(text ...string) {
	s.t.Helper()
	for _, part := range text {
		if !strings.Contains(s.out.String()+s.errs.String(), part) {
			s.t.Errorf("nothing of %q in\n%s%s", part, s.out.String(), s.errs.String())
		}
	}
}

func (s *stage) file(name, content string) string {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return path
}

func answer(status int, body any) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(body) // a lost answer fails the test
	}
}

// then answers once with each, and with the last ever after.
func then(handlers ...http.HandlerFunc) http.HandlerFunc {
	n := 0
	return func(w http.ResponseWriter, r *http.Request) {
		handlers[min(n, len(handlers)-1)](w, r)
		n++
	}
}

func refuse(status int, code string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(wire.Problem{Title: http.StatusText(status), Status: status, Code: code, Detail: "said the pool"})
	}
}

func TestUsage(t *testing.T) {
	s := newStage(t)
	s.must(exitDone, "--help")
	s.says("Exit codes", "submit", "POOLCTL_POOL")
	s.must(exitDone, "cancel", "--help")
	for _, args := range [][]string{
		{}, {"fly"}, {"works", "--state", "lost"}, {"cancel"}, {"cancel", "49152"}, {"cancel", "work:0"}, {"cancel", "deal:1"}, {"drain"},
		{"drain", "x"}, {"login"}, {"login", "--pool", "nowhere", "--login", "ada"}, {"login", "--pool", s.url}, {"pool"}, {"wait", "work:1", "--every", "1ms"},
	} {
		s.must(exitUsage, args...)
		if s.errs.Len() == 0 {
			t.Errorf("%q: nothing is said", args)
		}
	}
	if len(s.seen) > 0 {
		t.Errorf("the pool was asked %v", s.seen)
	}
}

func TestLoginKeepsTheSessionForItsOwner(t *testing.T) {
	s := newStage(t).loggedIn()
	s.says("logged in", "ada", "requester", "2026-05-04T13:00:00Z")
	path := filepath.Join(s.dir, "poolctl", "session.json")
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("the session has mode %v", info.Mode())
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), `"tok"`) || strings.Contains(string(text), `"pw"`) {
		t.Errorf("the session is %s", text)
	}
	if strings.Contains(s.out.String(), "tok") {
		t.Error("the token is shown")
	}
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(left) != 1 {
		t.Errorf("beside the session there is %v (%v)", left, err)
	}
}

func TestPasswords(t *testing.T) {
	tests := []struct {
		name string
		set  func(*stage) []string
		code int
		sent string
	}{
		{"file", func(s *stage) []string { return []string{"--password-file", s.file("p", " with space \nmore\n")} }, exitDone, " with space "},
		{"file without end of line", func(s *stage) []string { return []string{"--password-file", s.file("p", "pw")} }, exitDone, "pw"},
		{"file of Windows", func(s *stage) []string { return []string{"--password-file", s.file("p", "pw\r\n")} }, exitDone, "pw"},
		{"empty file", func(s *stage) []string { return []string{"--password-file", s.file("p", "\n")} }, exitLogin, ""},
		{"absent file", func(s *stage) []string { return []string{"--password-file", s.dir + "/absent"} }, exitLogin, ""},
		{"environment", func(s *stage) []string { s.env["POOLCTL_PASSWORD"] = "e"; return nil }, exitDone, "e"},
		{"typed", func(s *stage) []string {
			s.typed = func() (string, error) { return "t", nil }
			return nil
		}, exitDone, "t"},
		{"not typed", func(s *stage) []string {
			s.typed = func() (string, error) { return "", errors.New("gone") }
			return nil
		}, exitFailed, ""},
		{"no terminal", func(*stage) []string { return nil }, exitUsage, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newStage(t)
			s.routes["POST /session"] = answer(200, wire.Session{Token: "tok", ExpiresIn: 3600})
			s.must(test.code, append([]string{"login", "--pool", s.url, "--login", "ada"}, test.set(s)...)...)
			var sent wire.Login
			if body := s.bodies["POST /session"]; body != "" {
				if err := json.Unmarshal([]byte(body), &sent); err != nil {
					t.Fatal(err)
				}
			}
			if sent.Password != test.sent {
				t.Errorf("sent %q, want %q", sent.Password, test.sent)
			}
		})
	}
}

func TestLogInAgain(t *testing.T) {
	s := newStage(t)
	s.must(exitLogin, "works", "--pool", s.url)
	s.says("log in again")
	s.loggedIn()
	s.routes["GET /works"] = answer(200, wire.Works{Works: []wire.Work{}})
	s.must(exitDone, "works")
	s.now = noon.Add(time.Hour - spare)
	s.must(exitLogin, "works")
	s.says("expired", "log in again")
	s.now = noon
	s.routes["GET /works"] = refuse(401, "unauthenticated")
	s.must(exitLogin, "works")
	s.says("log in again")
	s.routes["POST /session"] = refuse(401, "unauthenticated")
	s.env["POOLCTL_PASSWORD"] = "wrong"
	s.must(exitLogin, "login")
}

func TestSessionIsRenewedWithoutAsking(t *testing.T) {
	s := newStage(t)
	s.routes["POST /session"] = then(answer(200, wire.Session{Token: "one", ExpiresIn: 3600}), answer(200, wire.Session{Token: "two", ExpiresIn: 3600}))
	s.routes["GET /works"] = answer(200, wire.Works{Works: []wire.Work{}})
	s.must(exitDone, "login", "--pool", s.url, "--login", "ada", "--password-file", s.file("p", "pw"))
	s.now = noon.Add(2 * time.Hour)
	s.must(exitDone, "works")
	s.must(exitDone, "works")
	want := "POST /session,POST /session,GET /works?limit=100 two,GET /works?limit=100 two"
	if got := strings.Join(s.seen, ","); got != want {
		t.Errorf("asked %s, want %s", got, want)
	}
}

func TestATokenGoesToItsPoolOnly(t *testing.T) {
	s := newStage(t).loggedIn()
	other := newStage(t)
	if code := s.run("works", "--pool", other.url); code != exitLogin {
		t.Errorf("another pool: exits with %d", code)
	}
	if code := s.run("works", "--login", "eve"); code != exitLogin {
		t.Errorf("another login: exits with %d", code)
	}
	if len(other.seen)+len(s.seen) > 0 {
		t.Errorf("asked %v %v", other.seen, s.seen)
	}
}

func TestFailuresHaveTheirCodes(t *testing.T) {
	tests := []struct {
		serve http.HandlerFunc
		code  int
	}{
		{refuse(403, "forbidden"), exitFailed}, {refuse(404, "not_found"), exitFailed}, {refuse(500, "internal"), exitFailed},
		{refuse(503, "unavailable"), exitAgain}, {refuse(429, "too_many"), exitAgain},
	}
	for _, test := range tests {
		s := newStage(t).loggedIn()
		s.routes["GET /works/9"] = test.serve
		s.must(test.code, "show", "work:9")
		s.says("work:9", "said the pool")
	}
	s := newStage(t)
	s.must(exitAgain, "pool", "--pool", "http://127.0.0.1:1")
	s.says("no answer")
}

func TestWarnsWhenThePasswordIsInTheClear(t *testing.T) {
	for pool, want := range map[string]bool{
		"http://pool.example.com": true, "http://192.0.2.1:80": true, "https://pool.example.com": false,
		"http://127.0.0.1:8080": false, "http://localhost:8080": false, "http://[::1]:8080": false,
	} {
		if inTheClear(pool) != want {
			t.Errorf("%s: got %v", pool, !want)
		}
	}
}
