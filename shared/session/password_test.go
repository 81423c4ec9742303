package session_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"workerpool/shared/pool"
	"workerpool/shared/session"
	"workerpool/shared/store/storetest"
	"workerpool/shared/wire"
)

// meanwhile are books in which something happens just before a change is stored.
type meanwhile struct {
	*storetest.Books
	happens func()
}

func (m meanwhile) ChangeAccount(ctx context.Context, login string, t pool.Trace, decide func(pool.Account, int) (pool.Account, []string, error)) (pool.Account, error) {
	if m.happens != nil {
		m.happens()
	}
	return m.Books.ChangeAccount(ctx, login, t, decide)
}

const next = "eight owls in a garden"

func (b bench) change(t *testing.T, caller pool.Caller, present string) *httptest.ResponseRecorder {
	t.Helper()
	token, err := b.tokens.Issue(t.Context(), caller)
	if err != nil {
		t.Fatal(err)
	}
	text, _ := json.Marshal(wire.ChangePassword{Password: present, New: next}) // two strings can always be written
	r := httptest.NewRequest(http.MethodPost, "/session/password", strings.NewReader(string(text)))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+token)
	w := httptest.NewRecorder()
	b.handler.ServeHTTP(w, r)
	return w
}

func TestChangePassword(t *testing.T) {
	real := books(t)
	ada, err := real.AccountByLogin(t.Context(), "ada")
	if err != nil {
		t.Fatal(err)
	}
	caller := pool.Caller{Account: ada.ID, Role: ada.Role, Login: "ada"}
	b := newBench(t, real)
	w := b.change(t, caller, password)
	var got wire.Session
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != http.StatusOK || got.ExpiresIn != 3600 || got.Account != int64(ada.ID) || got.Role != "requester" {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	caller.Generation = 1
	if said, err := b.tokens.Verify(t.Context(), got.Token); err != nil || said != caller {
		t.Errorf("the token is of %+v, %v", said, err)
	}
	if old, now := b.post(login("ada", password)), b.post(login("ada", next)); old.Code != 401 || now.Code != 200 {
		t.Errorf("the old password: %d, the new one: %d", old.Code, now.Code)
	}
	if strings.Contains(b.log.String(), "owls") {
		t.Errorf("a password was logged: %s", b.log)
	}
}

// An account that is changed while the new password is hashed keeps that change.
func TestChangePasswordMeanwhile(t *testing.T) {
	for name, change := range map[string]pool.AccountChange{
		"disabled": {Disabled: new(true)}, "revoked": {Revoke: true}, "given another password": {PasswordHash: "$other"},
	} {
		real := books(t)
		ada, err := real.AccountByLogin(t.Context(), "ada")
		if err != nil {
			t.Fatal(err)
		}
		var meant pool.Account
		var accounts session.Accounts = meanwhile{Books: real, happens: func() {
			meant, err = real.ChangeAccount(t.Context(), "ada", pool.Trace{}, func(a pool.Account, operators int) (pool.Account, []string, error) {
				return a.Change(change, 0, operators)
			})
			if err != nil {
				t.Error(err)
			}
		}}
		w := newBench(t, accounts).change(t, pool.Caller{Account: ada.ID, Role: ada.Role, Login: "ada"}, password)
		if w.Code != http.StatusUnauthorized {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
		if got, err := real.AccountByLogin(t.Context(), "ada"); err != nil || got != meant {
			t.Errorf("%s: %+v, then %+v, %v", name, meant, got, err)
		}
	}
}

func TestChangePasswordRefused(t *testing.T) {
	real := books(t)
	crowd := pool.Account{Login: "crowd", Role: pool.RoleWorker, Shared: true, PasswordHash: "$"}
	if err := real.PutAccount(t.Context(), crowd); err != nil {
		t.Fatal(err)
	}
	b := newBench(t, real)
	for login, want := range map[string]int{"crowd": 403, "wallet": 409, "broken": 500, "ada": 403} {
		a, err := real.AccountByLogin(t.Context(), login)
		if err != nil {
			t.Fatal(err)
		}
		w := b.change(t, pool.Caller{Account: a.ID, Role: a.Role, Login: login}, "a wrong password")
		if w.Code != want {
			t.Errorf("%s: %d %s", login, w.Code, w.Body)
		}
		if after, err := real.AccountByLogin(t.Context(), login); err != nil || after != a {
			t.Errorf("%s: %+v, then %+v, %v", login, a, after, err)
		}
	}
	a, err := real.AccountByLogin(t.Context(), "wallet")
	if err != nil {
		t.Fatal(err)
	}
	if w := b.change(t, pool.Caller{Account: a.ID, Role: pool.RoleWorker, Login: "wallet", Worker: 3}, password); w.Code != 403 || !strings.Contains(w.Body.String(), "heartbeats") {
		t.Errorf("a worker's token: %d %s", w.Code, w.Body)
	}
}
