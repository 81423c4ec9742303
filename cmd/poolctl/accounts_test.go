package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"workerpool/shared/wire"
)

var bob = wire.Account{ID: 9, Login: "bob", UID: "u-9", Role: "worker", Disabled: true, CreatedAt: noon, RevokedAt: &noon}

// types answers what is asked on the terminal, in order.
func (s *stage) types(passwords ...string) {
	s.typed = func() (string, error) {
		next := passwords[0]
		passwords = passwords[1:]
		return next, nil
	}
}

func TestAccountCommands(t *testing.T) {
	const wallet = "0x098BfCb1E50ebcA0baA92C12eA0C3F045A1Ad9F0"
	s := newStage(t).loggedIn()
	file := s.file("new", "seven owls\nmore\n")
	for _, c := range []struct {
		args  []string
		asked string // route
		body  string
	}{
		{[]string{"create", "bob", "--role", "worker", "--uid", "u-9", "--new-password-file", file}, "POST /accounts", `{"login":"bob","role":"worker","password":"seven owls","uid":"u-9"}`},
		{[]string{"create", "bob", "--role", "worker"}, "POST /accounts", `{"login":"bob","role":"worker","password":"typed"}`},
		{[]string{"create", wallet, "--role", "requester"}, "POST /accounts", `{"login":"` + wallet + `","role":"requester"}`},
		{[]string{"show", "uid:u-9"}, "GET /accounts/uid:u-9", ""},
		{[]string{"disable", "bob"}, "PATCH /accounts/bob", `{"disabled":true}`},
		{[]string{"enable", "bob"}, "PATCH /accounts/bob", `{"disabled":false}`},
		{[]string{"password", "bob", "--new-password-file", file}, "PATCH /accounts/bob", `{"password":"seven owls"}`},
		{[]string{"password", "bob"}, "PATCH /accounts/bob", `{"password":"typed"}`},
		{[]string{"revoke", "bob"}, "POST /accounts/bob/revoke", ""},
	} {
		s.seen = nil
		s.types("typed", "typed")
		s.routes[c.asked] = answer(200, bob)
		s.must(exitDone, append([]string{"account"}, c.args...)...)
		if want := []string{c.asked + " tok"}; !slices.Equal(s.seen, want) || s.bodies[c.asked] != c.body {
			t.Errorf("%v: asked %v with %s", c.args, s.seen, s.bodies[c.asked])
		}
		s.says("bob", "u-9", "disabled", "2026-05-04 12:00:00", "worker")
		if told := s.out.String() + s.errs.String(); strings.Contains(told, "seven owls") || strings.Contains(told, "typed") {
			t.Errorf("%v shows the password: %s", c.args, told)
		}
	}
	s.routes["GET /accounts"] = then(answer(200, wire.Accounts{Accounts: []wire.Account{bob}, Next: 9}), answer(200, wire.Accounts{Accounts: []wire.Account{{ID: 10, Login: strings.ToLower(wallet), Wallet: true}}}))
	s.seen = nil
	s.must(exitDone, "account", "list")
	s.says("bob", "u-9", strings.ToLower(wallet), "wallet", "enabled")
	if len(s.seen) != 2 || s.seen[1] != "GET /accounts?after=9 tok" {
		t.Errorf("asked %v", s.seen)
	}
}

func TestAccountCommandsRefused(t *testing.T) {
	s := newStage(t).loggedIn()
	for _, args := range [][]string{
		{}, {"create"}, {"create", "bob"}, {"create", "bob", "--role", "root"}, {"show"}, {"disable"}, {"revoke"},
		{"create", "bob", "--role", "worker"}, {"password", "bob"}, {"password"}, // there is no terminal
		{"create", "bob", "--role", "worker", "--new-password-file", s.dir + "/absent"},
		{"create", "bob", "--role", "worker", "seven owls in a garden"}, {"password", "bob", "--password", "seven owls in a garden"},
	} {
		s.must(exitUsage, append([]string{"account"}, args...)...)
	}
	s.types("one", "another")
	s.must(exitUsage, "account", "create", "bob", "--role", "worker")
	s.says("differ")
	if len(s.seen) > 0 {
		t.Errorf("the pool was asked %v", s.seen)
	}
	s.must(exitFailed, "account", "show", "bob")
	s.says("bob", "said the pool")
	s.routes["PATCH /accounts/ada"] = refuse(409, "conflict")
	s.must(exitFailed, "account", "disable", "ada")
	// Made or not: it is not tried again, for then there would be one.
	s.routes["POST /accounts"] = refuse(503, "unavailable")
	s.seen = nil
	s.must(exitAgain, "account", "create", "bob", "--role", "worker", "--new-password-file", s.file("new", "seven owls"))
	if len(s.seen) != 1 {
		t.Errorf("asked %v", s.seen)
	}
}

// Whoever changes his own password goes on in a new session, and the file that it is
// renewed from is the new one's.
func TestOwnPassword(t *testing.T) {
	for name, file := range map[string]bool{"from a file": true, "typed": false} {
		s := newStage(t)
		s.routes["POST /session"] = answer(200, wire.Session{Token: "one", ExpiresIn: 3600})
		s.routes["POST /session/password"] = answer(200, wire.Session{Token: "two", ExpiresIn: 3600, Account: 7, Role: "requester"})
		s.routes["GET /works"] = answer(200, wire.Works{Works: []wire.Work{}})
		s.must(exitDone, "login", "--pool", s.url, "--login", "ada", "--password-file", s.file("old", "old owls"))
		s.seen = nil
		next := s.file("next", "new owls")
		if file {
			s.must(exitDone, "account", "password", "--new-password-file", next)
		} else {
			s.types("new owls", "new owls")
			s.must(exitDone, "account", "password")
		}
		s.says("logged in", "ada", "requester")
		if body := s.bodies["POST /session/password"]; body != `{"password":"old owls","new":"new owls"}` {
			t.Errorf("%s: sent %s", name, body)
		}
		s.must(exitDone, "works")
		if want := []string{"POST /session/password one", "GET /works?limit=100 two"}; !slices.Equal(s.seen, want) {
			t.Errorf("%s: asked %v", name, s.seen)
		}
		text, err := os.ReadFile(filepath.Join(s.dir, "poolctl", "session.json"))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "/old") || strings.Contains(string(text), next) != file || strings.Contains(string(text), "owls") {
			t.Errorf("%s: the session is %s", name, text)
		}
	}
	s := newStage(t).loggedIn()
	s.routes["POST /session/password"] = refuse(403, "forbidden")
	s.types("wrong", "new owls", "new owls")
	s.must(exitFailed, "account", "password")
	s.routes["GET /works"] = answer(200, wire.Works{Works: []wire.Work{}})
	s.must(exitDone, "works") // in the session as before
}
