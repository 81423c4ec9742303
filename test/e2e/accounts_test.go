package e2e

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"workerpool/shared/client"
	"workerpool/shared/wire"
)

// account makes an account as an operator does, and remembers its password.
func (b *bench) account(login, role string) wire.Account {
	b.t.Helper()
	b.login[login] = rand.Text()
	made, err := b.client.CreateAccount(b.t.Context(), b.operator, wire.NewAccount{Login: login, Role: role, Password: b.login[login], UID: "uid-of-" + login})
	if err != nil {
		b.t.Fatal(err)
	}
	return made
}

// refused waits until a token is refused everywhere it was asked for, and sees that it
// stays so.
func (b *bench) refused(what string, call func() error) {
	b.t.Helper()
	b.eventually(what+" is refused", func() (bool, string) {
		err := call()
		return client.Status(err) == 401, fmt.Sprint(err)
	})
	if err := call(); client.Status(err) != 401 {
		b.t.Errorf("%s is let in again: %v", what, err)
	}
}

// TestDisabledWorkersAreReplaced: when its owner's account is disabled a worker is
// heard no more, others get its work, and it works again when the account is enabled.
func TestDisabledWorkersAreReplaced(t *testing.T) {
	t.Parallel()
	b := start(t)
	b.account("bob", "worker")
	file := filepath.Join(b.dir, "password-of-bob")
	if err := os.WriteFile(file, []byte(b.login["bob"]+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	gate := filepath.Join(b.dir, "gate")
	his := b.employ("his", []string{"-login", "bob", "-password-file", file}, "-until", gate)
	accepted := b.submit(1, wire.Item{Args: []string{"x"}})
	b.running(accepted.FirstWork, his.id())
	registered, err := b.client.Register(t.Context(), b.token("bob"), wire.Registration{Name: "idle", Key: strings.Repeat("ab", 32), Slots: 1, Capabilities: wire.Capabilities{OS: "linux"}})
	if err != nil {
		t.Fatal(err)
	}
	beat := func() error {
		_, err := b.client.Heartbeat(t.Context(), registered.Token, registered.Worker, wire.Heartbeat{})
		return err
	}
	if err := beat(); err != nil {
		t.Fatal(err)
	}
	if off, err := b.client.ChangeAccount(t.Context(), b.operator, "uid:uid-of-bob", wire.ChangeAccount{Disabled: new(true)}); err != nil || !off.Disabled || off.Login != "bob" {
		t.Fatalf("%+v, %v", off, err)
	}
	b.refused("the heartbeat of a disabled account's worker", beat)
	b.worker("steady")
	if batch := b.wait(accepted); batch.States["done"] != 1 {
		t.Fatalf("%+v", batch)
	}
	if work := b.work(accepted.FirstWork); len(work.Assignments) != 2 || work.Assignments[0].Worker != his.id() || work.Assignments[0].State != "expired" {
		t.Errorf("%+v", work.Assignments)
	}
	b.eventually("the worker is told why", func() (bool, string) {
		return strings.Contains(his.log.String(), "this account is disabled"), tail(his.log.String(), 500)
	})
	if _, err := b.client.Session(t.Context(), wire.Login{Login: "bob", Password: b.login["bob"]}); client.Status(err) != 403 {
		t.Errorf("a disabled account logs in: %v", err)
	}

	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := b.client.ChangeAccount(t.Context(), b.operator, "bob", wire.ChangeAccount{Disabled: new(false)}); err != nil {
		t.Fatal(err)
	}
	again := b.submit(3, wire.Item{Args: []string{"y"}}) // wants more than steady alone
	b.eventually("the worker works again", func() (bool, string) {
		_ = b.host.Tick(t.Context())
		work := b.work(again.FirstWork)
		for _, a := range work.Assignments {
			if a.Worker == his.id() {
				return true, ""
			}
		}
		return false, fmt.Sprintf("%+v", work)
	})
	if client.Status(beat()) != 401 {
		t.Error("a token of before is good again")
	}
	b.check()
}

// TestRevokedTokens: a requester's token ends by an operator's word and by a new
// password, at every function, and other accounts' go on.
func TestRevokedTokens(t *testing.T) {
	t.Parallel()
	b := start(t)
	ada := b.account("ada", "requester")
	ctx := t.Context()
	functions := map[string]func(token string) error{
		"query": func(token string) error {
			_, err := b.client.Works(ctx, token, client.WorksFilter{})
			return err
		},
		"submit": func(token string) error {
			_, err := b.client.Submit(ctx, token, rand.Text(), wire.Submission{Template: wire.Template{App: wire.App{Type: "process", Name: "app"}}, Items: items(1)})
			return err
		},
		"operate": func(token string) error { // not hers; but she is known
			if _, err := b.client.Accounts(ctx, token, 0, 1); client.Status(err) != 403 {
				return err
			}
			return nil
		},
		"session": func(token string) error {
			if _, err := b.client.ChangePassword(ctx, token, wire.ChangePassword{Password: "wrong", New: "seven owls in a garden"}); client.Status(err) != 403 {
				return err
			}
			return nil
		},
		"heartbeat": func(token string) error {
			if _, err := b.client.Register(ctx, token, wire.Registration{Name: "w", Key: strings.Repeat("ab", 32), Slots: 1}); client.Status(err) != 403 {
				return err
			}
			return nil
		},
	}
	good := func(token string) {
		t.Helper()
		for name, call := range functions {
			if err := call(token); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	ended := func(how, token string) {
		t.Helper()
		for name, call := range functions {
			b.refused("a token "+how+", by "+name+",", func() error { return call(token) })
		}
		if err := functions["query"](b.operator); err != nil {
			t.Errorf("another's: %v", err)
		}
	}
	first := b.token("ada")
	good(first)
	if got, err := b.client.RevokeAccount(ctx, b.operator, "ada"); err != nil || got.RevokedAt == nil || got.ID != ada.ID {
		t.Fatalf("%+v, %v", got, err)
	}
	ended("that was revoked", first)

	second := b.token("ada")
	good(second)
	next := rand.Text()
	session, err := b.client.ChangePassword(ctx, second, wire.ChangePassword{Password: b.login["ada"], New: next})
	if err != nil {
		t.Fatal(err)
	}
	ended("of before her new password", second)
	good(session.Token)
	if _, err := b.client.Session(ctx, wire.Login{Login: "ada", Password: b.login["ada"]}); client.Status(err) != 401 {
		t.Errorf("the old password: %v", err)
	}
	b.login["ada"] = rand.Text()
	if _, err := b.client.ChangeAccount(ctx, b.operator, "ada", wire.ChangeAccount{Password: b.login["ada"]}); err != nil {
		t.Fatal(err)
	}
	ended("of before the operator's", session.Token)
	good(b.token("ada"))

	// A deployment puts no password back, and the last operator stays.
	if _, err := b.host.Invoke(ctx, "migrate", []byte(`{"action":"up"}`)); err != nil {
		t.Fatal(err)
	}
	good(b.token("ada"))
	if _, err := b.client.ChangeAccount(ctx, b.operator, operatorLogin, wire.ChangeAccount{Disabled: new(true)}); client.Status(err) != 409 {
		t.Errorf("the last operator: %v", err)
	}
	for login, password := range b.login {
		if strings.Contains(b.printed.String(), password) {
			t.Errorf("the functions print the password of %s", login)
		}
	}
}
