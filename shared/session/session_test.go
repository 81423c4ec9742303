package session_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"workerpool/shared/auth"
	"workerpool/shared/pool"
	"workerpool/shared/session"
	"workerpool/shared/store/storetest"
	"workerpool/shared/telemetry"
	"workerpool/shared/wire"
)

const password = "seven owls in a garden"

// secrets are the token secrets; err is a store of secrets that is away.
type secrets struct{ err error }

func (s *secrets) Get(context.Context, string) (map[string]string, error) {
	return map[string]string{"current": "kG7u!x2Qm9Zr4Tw8Lp1Vb6Nc3Yd5Hs0Ej"}, s.err
}

func (s *secrets) Refresh(ctx context.Context, id string) (map[string]string, error) {
	return s.Get(ctx, id)
}

type noneRevoked struct{}

func (noneRevoked) Revoked(context.Context, time.Duration) (map[pool.AccountID]int, error) {
	return map[pool.AccountID]int{}, nil
}

func TestMain(m *testing.M) { storetest.Main(m) }

type bench struct {
	tokens  *auth.Tokens
	secrets *secrets
	handler http.Handler
	metrics *bytes.Buffer
	log     *bytes.Buffer
}

func newBench(t *testing.T, books session.Accounts) bench {
	t.Helper()
	b := bench{secrets: &secrets{}, metrics: &bytes.Buffer{}, log: &bytes.Buffer{}}
	var err error
	b.tokens, err = auth.NewTokens(t.Context(), auth.Config{Issuer: "i", Pool: "demo", Secrets: b.secrets, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	known := func(next http.Handler) http.Handler { // as far as these tests go, nobody's tokens are revoked
		return auth.Middleware(b.tokens, auth.NewRevoked(noneRevoked{}, time.Now), next)
	}
	meter := telemetry.NewMeter(telemetry.MeterConfig{Out: b.metrics, Pool: "demo", Function: "session", Now: time.Now})
	b.handler = session.New(session.Config{Accounts: books, Tokens: b.tokens, Meter: meter}).Handler(known)
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(b.log, nil)))
	t.Cleanup(func() { slog.SetDefault(before) })
	return b
}

func (b bench) post(body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/session", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	b.handler.ServeHTTP(w, r)
	return w
}

// books gives real ones with an account of every sort.
func books(t *testing.T) *storetest.Books {
	t.Helper()
	phc, err := auth.HashPassword(password)
	if err != nil {
		t.Fatal(err)
	}
	books := storetest.New(t)
	for _, a := range []pool.Account{
		{Login: "ada", Role: pool.RoleRequester, PasswordHash: phc},
		{Login: "off", Role: pool.RoleOperator, PasswordHash: phc, Disabled: true},
		{Login: "wallet", Role: pool.RoleWorker},
		{Login: "broken", Role: pool.RoleWorker, PasswordHash: "plain"},
	} {
		if err := books.PutAccount(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	return books
}

func login(login, password string) string {
	text, _ := json.Marshal(wire.Login{Login: login, Password: password}) // two strings can always be written
	return string(text)
}

func TestLoginGivesAToken(t *testing.T) {
	books := books(t)
	ada, err := books.AccountByLogin(t.Context(), "ada")
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, books)
	for range 2 { // handlers are run twice
		w := b.post(login("ada", password))
		var got wire.Session
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != http.StatusOK {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		if diff := cmp.Diff(wire.Session{Token: got.Token, ExpiresIn: 3600, Account: int64(ada.ID), Role: "requester"}, got); diff != "" {
			t.Error(diff)
		}
		caller, err := b.tokens.Verify(t.Context(), got.Token)
		if want := (pool.Caller{Account: ada.ID, Role: pool.RoleRequester, Login: "ada"}); err != nil || caller != want {
			t.Errorf("the token is of %+v, %v", caller, err)
		}
	}
	if n := strings.Count(b.metrics.String(), `"Logins":1`); n != 2 {
		t.Errorf("%d logins counted in %s", n, b.metrics)
	}
}

func TestLoginsRefused(t *testing.T) {
	b := newBench(t, books(t))
	unknown := b.post(login("nobody", password))
	for body, want := range map[string]int{
		login("nobody", password):        401,
		login("ada", "a wrong password"): 401,
		login("ADA", password):           401,
		login("wallet", password):        401,
		login("off", "a wrong password"): 401,
		login("off", password):           403,
		login("broken", password):        500,
	} {
		b.metrics.Reset()
		w := b.post(body)
		if w.Code != want {
			t.Errorf("%s: %d, want %d", body, w.Code, want)
		}
		if want == 401 && !bytes.Equal(w.Body.Bytes(), unknown.Body.Bytes()) {
			t.Errorf("%s: the answer tells it from an unknown login: %s", body, w.Body)
		}
		if counted := strings.Contains(b.metrics.String(), `"LoginsRefused":1`); counted != (want < 500) {
			t.Errorf("%s: counted %s", body, b.metrics)
		}
	}
	if strings.Contains(b.log.String(), password) || strings.Contains(b.log.String(), "a wrong password") {
		t.Errorf("a password was logged: %s", b.log)
	}
}

func TestBadRequests(t *testing.T) {
	b := newBench(t, books(t))
	for body, want := range map[string]struct {
		status int
		field  string
	}{
		``:                                       {400, ""},
		`{"login":"ada"}`:                        {400, "password"},
		`{"password":"x"}`:                       {400, "login"},
		`{"login":7,"password":"x"}`:             {400, "login"},
		`{"login":"ada","pass":"x"}`:             {400, "pass"},
		login(strings.Repeat("a", 255), "x"):     {400, "login"},
		login("ada", strings.Repeat("a", 4<<10)): {413, ""},
	} {
		w := b.post(body)
		var p wire.Problem
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Code != want.status || p.Field != want.field {
			t.Errorf("%.40s: %d %s", body, w.Code, w.Body)
		}
	}
	if b.metrics.Len() != 0 {
		t.Errorf("counted %s", b.metrics)
	}
	w := httptest.NewRecorder()
	b.handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/session", nil))
	if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "POST" {
		t.Errorf("GET: %d %v", w.Code, w.Header())
	}
}

func TestDependenciesAway(t *testing.T) {
	cut := &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("10.0.0.7 refused")}
	b := newBench(t, storetest.New(t, storetest.Dial(func(context.Context, string, string) (net.Conn, error) { return nil, cut })))
	if w := b.post(login("ada", password)); w.Code != 503 || w.Header().Get("Retry-After") == "" || strings.Contains(w.Body.String(), "10.0.0.7") {
		t.Errorf("database: %d %s", w.Code, w.Body)
	}
	b = newBench(t, books(t))
	b.secrets.err = pool.Down("the secret store", cut)
	if w := b.post(login("ada", password)); w.Code != 503 {
		t.Errorf("secrets: %d %s", w.Code, w.Body)
	}
	if !strings.Contains(b.metrics.String(), `"DependencyFailures":1`) {
		t.Errorf("counted %s", b.metrics)
	}
}
