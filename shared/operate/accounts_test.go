package operate_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"workerpool/shared/auth"
	"workerpool/shared/pool"
	"workerpool/shared/pooltest"
	"workerpool/shared/wire"
)

const address = "0x098BfCb1E50ebcA0baA92C12eA0C3F045A1Ad9F0"

func (b bench) account(method, path string, body any) (out wire.Account) {
	b.Helper()
	b.Call(b.op.Token, method, "/accounts"+path, body).Into(b.World, &out)
	return out
}

// in tells whether a token is let in, once everybody knows what was revoked.
func (b bench) in(token string) bool {
	b.Helper()
	b.Advance(auth.Notice)
	answer := b.Call(token, "GET", "/works", nil)
	if answer.Status != 401 && answer.Status != 200 && answer.Status != 403 {
		b.Errorf("%d %s", answer.Status, answer.Body)
	}
	return answer.Status != 401
}

func (b bench) login(login, password string) pooltest.Answer {
	b.Helper()
	return b.Call("", "POST", "/session", wire.Login{Login: login, Password: password})
}

// An account that an operator makes can log in at once and do what its role may, and
// is found again by login and by uid.
func TestMakeAccounts(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, role := range pool.Roles {
		login, uid := "new-"+string(role), "uid-"+string(role)
		made := b.account("POST", "", wire.NewAccount{Login: login, Role: string(role), Password: pooltest.Password, UID: uid})
		if made.ID == 0 || made.Login != login || made.UID != uid || made.Role != string(role) || made.Wallet || made.Shared || made.Disabled || made.CreatedAt.IsZero() || made.RevokedAt != nil {
			t.Errorf("%+v", made)
		}
		for _, name := range []string{login, "uid:" + uid, "uid%3A" + uid} {
			if got := b.account("GET", "/"+name, nil); got != made {
				t.Errorf("%s: %+v, want %+v", name, got, made)
			}
		}
		var session wire.Session
		b.login(login, pooltest.Password).Into(b.World, &session)
		if session.Account != made.ID || session.Role != string(role) {
			t.Errorf("%+v", session)
		}
	}
	wallet := b.account("POST", "", wire.NewAccount{Login: address, Role: "requester"})
	if wallet.Login != strings.ToLower(address) || !wallet.Wallet {
		t.Errorf("%+v", wallet)
	}
	if answer := b.login(wallet.Login, pooltest.Password); answer.Status != 401 {
		t.Errorf("a wallet logs in by a password: %d", answer.Status)
	}
	for login, field := range map[string]string{address: "login", "other": "uid"} {
		a := wire.NewAccount{Login: login, Role: "requester", UID: "uid-worker"}
		if login == "other" {
			a.Password = pooltest.Password
		}
		if answer := b.Call(b.op.Token, "POST", "/accounts", a); answer.Status != 409 || answer.Problem.Field != field {
			t.Errorf("%s: %d %s", login, answer.Status, answer.Body)
		}
	}
	if answer := b.Call(b.op.Token, "PATCH", "/accounts/"+wallet.Login, wire.ChangeAccount{Password: pooltest.Password}); answer.Status != 409 || answer.Problem.Field != "password" {
		t.Errorf("a wallet gets a password: %d %s", answer.Status, answer.Body)
	}
	created := b.Call(b.op.Token, "POST", "/accounts", wire.NewAccount{Login: "last", Role: "worker", Password: pooltest.Password})
	if created.Status != 201 || strings.Contains(string(created.Body), "argon2") || strings.Contains(string(created.Body), "owls") {
		t.Errorf("%d %s", created.Status, created.Body)
	}
}

func TestListAccounts(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	var logins []string
	pages := 0
	for after := int64(0); pages == 0 || after != 0; pages++ {
		var page wire.Accounts
		answer := b.Call(b.op.Token, "GET", fmt.Sprintf("/accounts?limit=2&after=%d", after), nil)
		answer.Into(b.World, &page)
		if strings.Contains(string(answer.Body), "argon2") {
			t.Errorf("hashes are told: %s", answer.Body)
		}
		for _, a := range page.Accounts {
			logins = append(logins, a.Login)
			if a.Shared != (a.Login == "crowd") {
				t.Errorf("%+v", a)
			}
		}
		after = page.Next
	}
	if !slices.Equal(logins, []string{"op", "crowd", "bob"}) || pages != 2 {
		t.Errorf("%v on %d pages", logins, pages)
	}
	var none wire.Accounts
	b.Call(b.op.Token, "GET", "/accounts?after=9999", nil).Into(b.World, &none)
	if none.Accounts == nil || len(none.Accounts) != 0 || none.Next != 0 {
		t.Errorf("%+v", none)
	}
}

// Whatever ends an account's tokens ends all of them, also its workers', and nobody
// else's; what is made later is good.
func TestTokensEnd(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(b bench){
		"revoked":      func(b bench) { b.account("POST", "/bob/revoke", nil) },
		"new password": func(b bench) { b.account("PATCH", "/bob", wire.ChangeAccount{Password: pooltest.Password}) },
		"disabled": func(b bench) {
			b.account("PATCH", "/bob", wire.ChangeAccount{Disabled: new(true)})
			if answer := b.login("bob", pooltest.Password); answer.Status != 403 {
				b.Errorf("logs in while disabled: %d", answer.Status)
			}
			b.account("PATCH", "/bob", wire.ChangeAccount{Disabled: new(false)})
		},
		"his own new password": func(b bench) {
			var session wire.Session
			b.Call(b.bob.Token, "POST", "/session/password", wire.ChangePassword{Password: pooltest.Password, New: "eight owls in a garden"}).Into(b.World, &session)
			if !b.in(session.Token) {
				b.Error("the token that came with the new password is not good")
			}
			if old := b.login("bob", pooltest.Password); old.Status != 401 {
				b.Errorf("the old password: %d", old.Status)
			}
			b.login("bob", "eight owls in a garden").Into(b.World, &session)
			b.Call(session.Token, "POST", "/session/password", wire.ChangePassword{Password: "eight owls in a garden", New: pooltest.Password}).Into(b.World, &session)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.T = t
			worker := b.Worker(b.bob, "his", 1)
			second := b.Login("bob")
			for _, token := range []string{b.bob.Token, second, worker.Token, b.crowd.Token, b.op.Token} {
				if !b.in(token) {
					t.Fatal("not in at first")
				}
			}
			end(b)
			for _, token := range []string{b.bob.Token, second, worker.Token} {
				if b.in(token) {
					t.Error("a token of before is still good")
				}
			}
			answer := b.Call(worker.Token, "POST", fmt.Sprintf("/workers/%d/heartbeat", worker.ID), wire.Heartbeat{})
			if answer.Status != 401 || !strings.Contains(answer.Header.Get("WWW-Authenticate"), "invalid_token") {
				t.Errorf("a heartbeat: %d %v", answer.Status, answer.Header)
			}
			for _, token := range []string{b.crowd.Token, b.op.Token, b.Login("bob")} {
				if !b.in(token) {
					t.Error("a token that was not revoked is refused")
				}
			}
			b.bob.Token = b.Login("bob")
			if again := b.Worker(b.bob, "his", 1); again.ID != worker.ID || b.Beat(again).State != "active" {
				t.Errorf("%+v, then %+v", worker, again)
			}
		})
	}
}

// Who changes what of whom is noted, with the request, and a repetition of what is so
// already is not.
func TestAccountEvents(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.account("POST", "", wire.NewAccount{Login: "ada", Role: "requester", Password: pooltest.Password})
	for range 2 {
		b.account("PATCH", "/ada", wire.ChangeAccount{Disabled: new(true)})
	}
	for range 2 {
		b.account("PATCH", "/ada", wire.ChangeAccount{Disabled: new(false)})
	}
	b.account("PATCH", "/ada", wire.ChangeAccount{Password: "eight owls in a garden"})
	b.account("POST", "/ada/revoke", nil)
	for kind, want := range map[string]int{
		"account.created": 1, pool.AccountDisabled: 1, pool.AccountEnabled: 1, pool.AccountPassword: 1, pool.AccountRevoked: 1,
	} {
		got := b.Books.Count(t, `SELECT COUNT(*) FROM event WHERE kind = ? AND account_id = ? AND request_id LIKE 'request-%' AND data LIKE '%"login": "ada"%'`, kind, int64(b.op.ID))
		if got != want {
			t.Errorf("%s is noted %d times", kind, got)
		}
	}
	var session wire.Session
	b.login("ada", "eight owls in a garden").Into(b.World, &session)
	b.Call(session.Token, "POST", "/session/password", wire.ChangePassword{Password: "eight owls in a garden", New: pooltest.Password}).Into(b.World, &session)
	if got := b.Books.Count(t, "SELECT COUNT(*) FROM event WHERE kind = 'account.password' AND account_id = ?", session.Account); got != 1 {
		t.Errorf("her own change is noted %d times", got)
	}
	if n := b.Books.Count(t, "SELECT COUNT(*) FROM event WHERE data LIKE '%owls%' OR data LIKE '%argon2%'"); n != 0 {
		t.Errorf("%d events tell a password", n)
	}
}

// Two operators disable each other: one of them stays, and can undo it.
func TestOperatorsDisableEachOther(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	other := b.Account(pool.RoleOperator, "op2")
	disable := func(who pooltest.Someone, login string) int {
		return b.Call(who.Token, "PATCH", "/accounts/"+login, wire.ChangeAccount{Disabled: new(true)}).Status
	}
	if first, second := disable(b.op, "op2"), disable(other, "op"); first != 200 || (second != 409 && second != 401) { // known within five seconds
		t.Fatalf("%d, %d", first, second)
	}
	if got := disable(b.op, "op"); got != 409 {
		t.Errorf("himself: %d", got)
	}
	if b.in(other.Token) || !b.in(b.op.Token) {
		t.Error("who is in?")
	}
	if back := b.account("PATCH", "/op2", wire.ChangeAccount{Disabled: new(false)}); back.Disabled {
		t.Errorf("%+v", back)
	}
}
