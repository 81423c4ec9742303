package auth_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"workerpool/shared/auth"
	"workerpool/shared/pool"
	"workerpool/shared/web"
)

func TestMiddleware(t *testing.T) {
	now := start
	v := with(keyA, "")
	made := tokens(t, v, &now)
	token := issue(t, made)
	var seen pool.Caller
	books := &generations{}
	h := auth.Middleware(made, auth.NewRevoked(books, func() time.Time { return now }), web.Handler(func(w http.ResponseWriter, r *http.Request) error {
		caller, err := web.CallerOf(r.Context())
		seen = caller
		if err != nil {
			return err
		}
		return web.WriteJSON(w, http.StatusOK, "in")
	}))
	call := func(headers ...string) *httptest.ResponseRecorder {
		seen = pool.Caller{}
		r := httptest.NewRequest(http.MethodGet, "/works", nil)
		for _, value := range headers {
			r.Header.Add("Authorization", value)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}

	for _, header := range []string{"Bearer " + token, "bearer " + token} {
		if w := call(header); w.Code != http.StatusOK || seen != alice {
			t.Errorf("%.10s: %d, %+v", header, w.Code, seen)
		}
	}
	refused := []struct {
		name      string
		headers   []string
		challenge string
	}{
		{"nothing", nil, `Bearer realm="pool"`},
		{"basic", []string{"Basic YTpi"}, `Bearer realm="pool", error="invalid_request"`},
		{"bare token", []string{token}, `Bearer realm="pool", error="invalid_request"`},
		{"two headers", []string{"Bearer " + token, "Bearer " + token}, `Bearer realm="pool", error="invalid_request"`},
		{"no token", []string{"Bearer"}, `Bearer realm="pool", error="invalid_token"`},
		{"two tokens", []string{"Bearer " + token + ",Bearer " + token}, `Bearer realm="pool", error="invalid_token"`},
		{"two spaces", []string{"Bearer  " + token}, `Bearer realm="pool", error="invalid_token"`},
		{"bad token", []string{"Bearer x.y.z"}, `Bearer realm="pool", error="invalid_token"`},
	}
	for _, test := range refused {
		w := call(test.headers...)
		if w.Code != http.StatusUnauthorized || seen != (pool.Caller{}) {
			t.Errorf("%s: %d, %+v", test.name, w.Code, seen)
		}
		if got := w.Header().Get("WWW-Authenticate"); got != test.challenge {
			t.Errorf("%s: challenge %s", test.name, got)
		}
		if got := w.Header().Get("Content-Type"); got != "application/problem+json" {
			t.Errorf("%s: content type %s", test.name, got)
		}
	}
	books.raised = map[pool.AccountID]int{alice.Account: alice.Generation + 1}
	now = now.Add(auth.Notice)
	if w := call("Bearer " + token); w.Code != http.StatusUnauthorized || w.Header().Get("WWW-Authenticate") != `Bearer realm="pool", error="invalid_token"` || seen != (pool.Caller{}) {
		t.Errorf("revoked: %d %v, %+v", w.Code, w.Header(), seen)
	}
	v.err = pool.Down("the secrets", errors.New("timeout"))
	if w := call("Bearer " + token); w.Code != http.StatusServiceUnavailable || w.Header().Get("WWW-Authenticate") != "" {
		t.Errorf("secrets out of reach: %d %v", w.Code, w.Header())
	}
}
