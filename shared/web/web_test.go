package web_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"workerpool/shared/pool"
	"workerpool/shared/telemetry"
	"workerpool/shared/web"
	"workerpool/shared/wire"
)

// serve answers a request of id "req-1" and gives the answer and the log.
func serve(t *testing.T, h http.Handler, r *http.Request) (*http.Response, []byte, string) {
	t.Helper()
	var log bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	t.Cleanup(func() { slog.SetDefault(before) })
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r.WithContext(telemetry.WithRequestID(r.Context(), "req-1")))
	return w.Result(), w.Body.Bytes(), log.String()
}

func problemOf(t *testing.T, answer *http.Response, body []byte) wire.Problem {
	t.Helper()
	if got := answer.Header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("content type %q", got)
	}
	if got := answer.Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("cache control %q", got)
	}
	var p wire.Problem
	if err := json.Unmarshal(body, &p); err != nil {
		t.Fatalf("%v\n%s", err, body)
	}
	if p.Status != answer.StatusCode || p.Title != http.StatusText(p.Status) || p.Type != "about:blank" || p.RequestID != "req-1" {
		t.Errorf("status %d: %+v", answer.StatusCode, p)
	}
	return p
}

func TestProblems(t *testing.T) {
	secret := errors.New("dial tcp 10.0.0.7: password hunter2")
	tests := []struct {
		err                       error
		status                    int
		code, detail, field, wait string
		level                     string
	}{
		{pool.Refuse(pool.Invalid, "template.trust", "must be 0 to 5"), 400, "invalid", "must be 0 to 5", "template.trust", "", "INFO"},
		{pool.Refuse(pool.Unauthenticated, "", "a token is needed"), 401, "unauthenticated", "a token is needed", "", "", "INFO"},
		{pool.Refuse(pool.Forbidden, "", "no"), 403, "forbidden", "no", "", "", "INFO"},
		{pool.Refuse(pool.NotFound, "", "no"), 404, "not_found", "no", "", "", "INFO"},
		{pool.Refuse(pool.Conflict, "", "no"), 409, "conflict", "no", "", "", "INFO"},
		{pool.Refuse(pool.TooLarge, "", "no"), 413, "too_large", "no", "", "", "INFO"},
		{pool.Refuse(pool.Unsupported, "", "no"), 415, "unsupported_type", "no", "", "", "INFO"},
		{&pool.Error{Kind: pool.TooMany, Message: "no", RetryAfter: 1200 * time.Millisecond}, 429, "too_many", "no", "", "2", "INFO"},
		{fmt.Errorf("storing: %w", pool.Down("the database", secret)), 503, "unavailable", "the database is not reachable just now, try again", "", "2", "WARN"},
		{fmt.Errorf("reading: %w", context.DeadlineExceeded), 503, "unavailable", "this took too long, try again", "", "1", "WARN"},
		{fmt.Errorf("reading: %w", context.Canceled), 503, "unavailable", "this took too long, try again", "", "1", "WARN"},
		{secret, 500, "internal", "something went wrong on the pool's side; quote the request id when asking why", "", "", "ERROR"},
		{&pool.Error{Kind: "new", Message: "hunter2"}, 500, "internal", "something went wrong on the pool's side; quote the request id when asking why", "", "", "ERROR"},
	}
	for _, test := range tests {
		h := web.Handler(func(http.ResponseWriter, *http.Request) error { return test.err })
		answer, body, log := serve(t, h, httptest.NewRequest(http.MethodGet, "/works", nil))
		got := problemOf(t, answer, body)
		want := wire.Problem{
			Type: "about:blank", Title: http.StatusText(test.status), Status: test.status,
			Code: test.code, Detail: test.detail, Field: test.field, RequestID: "req-1",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%v: %s", test.err, diff)
		}
		if wait := answer.Header.Get("Retry-After"); wait != test.wait {
			t.Errorf("%v: Retry-After %q, want %q", test.err, wait, test.wait)
		}
		if challenge := answer.Header.Get("WWW-Authenticate"); (challenge != "") != (test.status == 401) {
			t.Errorf("%v: WWW-Authenticate %q", test.err, challenge)
		}
		if !strings.Contains(log, "level="+test.level) || !strings.Contains(log, "path=/works") {
			t.Errorf("%v: logged %s", test.err, log)
		}
		if bytes.Contains(body, []byte("hunter2")) {
			t.Errorf("%v: the answer gives the cause away: %s", test.err, body)
		}
	}
}

func TestWriteJSON(t *testing.T) {
	h := web.Handler(func(w http.ResponseWriter, _ *http.Request) error {
		return web.WriteJSON(w, http.StatusCreated, map[string]int{"n": 1})
	})
	answer, body, _ := serve(t, h, httptest.NewRequest(http.MethodGet, "/", nil))
	if answer.StatusCode != 201 || string(body) != `{"n":1}` || answer.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%d %s %v", answer.StatusCode, body, answer.Header)
	}
	unwritable := web.Handler(func(w http.ResponseWriter, _ *http.Request) error {
		return web.WriteJSON(w, http.StatusOK, math.NaN())
	})
	answer, body, _ = serve(t, unwritable, httptest.NewRequest(http.MethodGet, "/", nil))
	if p := problemOf(t, answer, body); p.Status != 500 {
		t.Errorf("NaN: %+v", p)
	}
}

func TestRoutes(t *testing.T) {
	mux := http.NewServeMux()
	mux.Handle("GET /works/{id}", web.Handler(func(w http.ResponseWriter, r *http.Request) error {
		id, err := web.PathID(r, "id")
		if err != nil {
			return err
		}
		return web.WriteJSON(w, http.StatusOK, id)
	}))
	h := web.Routes(mux)

	answer, body, _ := serve(t, h, httptest.NewRequest(http.MethodGet, "/works/9007199254740991", nil))
	if answer.StatusCode != 200 || string(body) != "9007199254740991" {
		t.Errorf("%d %s", answer.StatusCode, body)
	}
	for _, id := range []string{"0", "-1", "+1", "01", "1e3", "x", "9007199254740992", "99999999999999999999"} {
		answer, body, _ := serve(t, h, httptest.NewRequest(http.MethodGet, "/works/"+id, nil))
		if p := problemOf(t, answer, body); p.Code != "not_found" {
			t.Errorf("%s: %+v", id, p)
		}
	}
	answer, body, _ = serve(t, h, httptest.NewRequest(http.MethodGet, "/elsewhere", nil))
	if p := problemOf(t, answer, body); p.Status != 404 || p.Code != "not_found" {
		t.Errorf("%+v", p)
	}
	answer, body, _ = serve(t, h, httptest.NewRequest(http.MethodDelete, "/works/1", nil))
	if p := problemOf(t, answer, body); p.Status != 405 || p.Code != "method_not_allowed" || p.Detail != "this path takes GET, HEAD only" {
		t.Errorf("%+v", p)
	}
	if allow := answer.Header.Get("Allow"); allow != "GET, HEAD" {
		t.Errorf("Allow %q", allow)
	}
}

func TestCaller(t *testing.T) {
	ctx := context.Background()
	if _, err := web.CallerOf(ctx); pool.KindOf(err) != pool.Unauthenticated {
		t.Errorf("nobody: %v", err)
	}
	if _, err := web.CallerAs(ctx, pool.RoleOperator); pool.KindOf(err) != pool.Unauthenticated {
		t.Errorf("nobody as operator: %v", err)
	}
	want := pool.Caller{Account: 7, Role: pool.RoleWorker, Login: "w", Worker: 3}
	ctx = web.WithCaller(ctx, want)
	if got, err := web.CallerAs(ctx, pool.RoleOperator, pool.RoleWorker); err != nil || got != want {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := web.CallerAs(ctx, pool.RoleOperator); pool.KindOf(err) != pool.Forbidden {
		t.Errorf("worker as operator: %v", err)
	}
}
