package store_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"workerpool/shared/pool"
	"workerpool/shared/store/storetest"
)

// make makes an account as an operator would.
func (p *party) make(t *testing.T, a pool.Account) pool.Account {
	t.Helper()
	return must(p.CreateAccount(background, a, trace))(t)
}

// change changes an account as somebody would.
func change(s *storetest.Books, name string, by pool.AccountID, c pool.AccountChange) (pool.Account, error) {
	return s.ChangeAccount(background, name, pool.Trace{Account: by, RequestID: "request-1"}, func(a pool.Account, operators int) (pool.Account, []string, error) {
		return a.Change(c, by, operators)
	})
}

// about picks the events about an account. Which of its fields comes first is the
// server's choice.
func about(a pool.Account) string {
	return fmt.Sprintf(` AND data LIKE '%%"account": %d%%' AND data LIKE '%%"login": "%s"%%'`, a.ID, a.Login)
}

func (p *party) noted(t *testing.T, kind string) int {
	t.Helper()
	return p.Count(t, "SELECT COUNT(*) FROM event WHERE kind = ? AND request_id = 'request-1'", kind)
}

func TestAccountIsFoundAgain(t *testing.T) {
	t.Parallel()
	p := newParty(t, 0, 0)
	ada := p.make(t, pool.Account{Login: "ada", UID: "u-1", Role: pool.RoleOperator, PasswordHash: "h"})
	bob := p.make(t, pool.Account{Login: "bob", Role: pool.RoleRequester, PasswordHash: "h"})
	if ada.ID == 0 || ada.Created.IsZero() || ada.Login != "ada" || ada.UID != "u-1" || ada.Role != pool.RoleOperator || ada.PasswordHash != "h" || ada.Disabled || ada.Generation != 0 || !ada.Revoked.IsZero() {
		t.Errorf("%+v", ada)
	}
	for name, want := range map[string]pool.Account{"ada": ada, "uid:u-1": ada, "bob": bob} {
		if got := must(p.Account(background, name))(t); got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
	for _, name := range []string{"", "Ada", "u-1", "uid:", "uid:U-1", "uid:ada", "uid:NULL"} {
		_, err := p.Account(background, name)
		wantKind(t, err, pool.NotFound)
	}
	_, err := p.AccountByLogin(background, "uid:u-1") // a login is a login
	wantKind(t, err, pool.NotFound)
	if err := p.SetShare(background, "uid:u-1", pool.Share{Weight: 9}, trace); err != nil {
		t.Fatal(err)
	}
	if share := must(p.Share(background, "ada"))(t); share.Weight != 9 {
		t.Errorf("%+v", share)
	}
	if share := must(p.Share(background, "uid:u-1"))(t); share.Weight != 9 {
		t.Errorf("%+v", share)
	}
	if n := p.Count(t, "SELECT COUNT(*) FROM event WHERE kind = 'requester.share' AND data = 'ada weight 9 max_running 0'"); n != 1 {
		t.Errorf("noted %d times", n)
	}
	var seen []string
	for after := pool.AccountID(0); ; {
		page := must(p.Accounts(background, after, 1))(t)
		if len(page) == 0 {
			break
		}
		seen, after = append(seen, page[0].Login), page[0].ID
	}
	if fmt.Sprint(seen) != "[requester workers ada bob]" {
		t.Errorf("listed %v", seen)
	}
	if n := p.noted(t, "account.created"); n != 2 {
		t.Errorf("noted %d times", n)
	}
	told := about(ada) + ` AND data LIKE '%"role": "operator"%'`
	if n := p.Count(t, "SELECT COUNT(*) FROM event WHERE kind = 'account.created' AND account_id = ?"+told, int64(trace.Account)); n != 1 {
		t.Errorf("%d events tell who made ada", n)
	}
}

// A hundred who want one login at once, each with a uid, make one account, and so do
// a hundred of one uid, each with a login.
func TestAccountsMadeAtOnce(t *testing.T) {
	t.Parallel()
	for field, each := range map[string]func(i int) pool.Account{
		"login": func(i int) pool.Account { return pool.Account{Login: "ada", UID: fmt.Sprint("u-", i)} },
		"uid":   func(i int) pool.Account { return pool.Account{Login: fmt.Sprint("ada-", i), UID: "u"} },
	} {
		p := newParty(t, 0, 0, storetest.Conns(20))
		var all sync.WaitGroup
		var lock sync.Mutex
		made := 0
		for i := range 100 {
			all.Go(func() {
				a := each(i)
				a.Role = pool.RoleRequester
				_, err := p.CreateAccount(background, a, trace)
				lock.Lock()
				defer lock.Unlock()
				if err == nil {
					made++
					return
				}
				if e, ok := err.(*pool.Error); !ok || e.Kind != pool.Conflict || e.Field != field {
					t.Errorf("%s: %v", field, err)
				}
			})
		}
		all.Wait()
		stored, noted := p.Count(t, "SELECT COUNT(*) FROM account WHERE login LIKE 'ada%'"), p.noted(t, "account.created")
		if made != 1 || stored != 1 || noted != 1 {
			t.Errorf("one %s: %d were told so, %d are stored, %d noted", field, made, stored, noted)
		}
	}
}

// Whoever makes an account and loses the answer is told that there is one.
func TestAccountMadeInDoubt(t *testing.T) {
	t.Parallel()
	for _, after := range []bool{false, true} {
		var wire storetest.Wire
		p := newParty(t, 0, 0, storetest.Dial(wire.Dial), storetest.Conns(1))
		a := pool.Account{Login: "ada", Role: pool.RoleWorker}
		cut := wire.CutBefore
		if after {
			cut = wire.CutAfter
		}
		cut(1)
		_, err := p.CreateAccount(background, a, trace)
		wantKind(t, err, pool.Unavailable)
		wire.Reset()
		if _, err = p.CreateAccount(background, a, trace); after {
			wantKind(t, err, pool.Conflict)
		} else if err != nil {
			t.Error(err)
		}
		if n := p.noted(t, "account.created"); n != 1 {
			t.Errorf("noted %d times", n)
		}
	}
}

// Operators disable each other all at once, again and again: one stays.
func TestTheLastOperatorStays(t *testing.T) {
	t.Parallel()
	p := newParty(t, 0, 0, storetest.Conns(12))
	const operators = 6
	var ids []pool.AccountID
	for i := range operators {
		ids = append(ids, p.make(t, pool.Account{Login: fmt.Sprint("op", i), Role: pool.RoleOperator}).ID)
	}
	for range 10 {
		var all sync.WaitGroup
		for i := range operators {
			all.Go(func() { // each the next
				if _, err := change(p.Books, fmt.Sprint("op", (i+1)%operators), ids[i], pool.AccountChange{Disabled: new(true)}); err != nil && pool.KindOf(err) != pool.Conflict {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if n := p.Count(t, "SELECT COUNT(*) FROM account WHERE role = 'operator' AND NOT disabled"); n != 1 {
			t.Fatalf("%d operators are left", n)
		}
		for i := range operators {
			if _, err := change(p.Books, fmt.Sprint("op", i), 0, pool.AccountChange{Disabled: new(false)}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if off, on := p.noted(t, pool.AccountDisabled), p.noted(t, pool.AccountEnabled); off != 10*(operators-1) || on != off {
		t.Errorf("noted: %d disabled, %d enabled", off, on)
	}
}

// What is raised is told for as long as it matters, and by whom and how it came is noted.
func TestGenerations(t *testing.T) {
	t.Parallel()
	p := newParty(t, 0, 0)
	ada, bob := p.make(t, pool.Account{Login: "ada", UID: "u-1", Role: pool.RoleRequester, PasswordHash: "h"}), p.make(t, pool.Account{Login: "bob", Role: pool.RoleOperator})
	told := func(within time.Duration, want map[pool.AccountID]int) {
		t.Helper()
		if got := must(p.Revoked(background, within))(t); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("within %s: %v, want %v", within, got, want)
		}
	}
	told(time.Hour, map[pool.AccountID]int{})
	for i, step := range []struct {
		change     pool.AccountChange
		generation int
		kind       string
	}{
		{pool.AccountChange{Revoke: true}, 1, pool.AccountRevoked},
		{pool.AccountChange{Disabled: new(true)}, 2, pool.AccountDisabled},
		{pool.AccountChange{Disabled: new(true)}, 2, ""},
		{pool.AccountChange{Disabled: new(false)}, 2, pool.AccountEnabled},
		{pool.AccountChange{PasswordHash: "other"}, 3, pool.AccountPassword},
	} {
		before := must(p.Account(background, "ada"))(t)
		events := p.Count(t, "SELECT COUNT(*) FROM event")
		after := must(change(p.Books, "uid:u-1", bob.ID, step.change))(t)
		if stored := must(p.Account(background, "ada"))(t); after != stored || after.Generation != step.generation {
			t.Errorf("step %d: %+v, stored %+v", i, after, stored)
		}
		if raised := after.Generation > before.Generation; raised != after.Revoked.After(before.Revoked) {
			t.Errorf("step %d: revoked at %s, before at %s", i, after.Revoked, before.Revoked)
		}
		told(time.Hour, map[pool.AccountID]int{ada.ID: step.generation})
		want := 0
		if step.kind != "" {
			want = 1
			const noted = "SELECT COUNT(*) FROM event WHERE kind = ? AND account_id = ? AND request_id = 'request-1' AND at > UTC_TIMESTAMP(6) - INTERVAL 1 HOUR"
			if n := p.Count(t, noted+about(ada), step.kind, int64(bob.ID)); n != 1 {
				t.Errorf("step %d: %d events", i, n)
			}
		}
		if n := p.Count(t, "SELECT COUNT(*) FROM event") - events; n != want {
			t.Errorf("step %d left %d events", i, n)
		}
	}
	p.Exec(t, "UPDATE account SET revoked_at = UTC_TIMESTAMP(6) - INTERVAL 65 MINUTE WHERE id = ?", int64(ada.ID))
	told(65*time.Minute, map[pool.AccountID]int{})
	told(66*time.Minute, map[pool.AccountID]int{ada.ID: 3})
	for _, name := range []string{"nobody", "uid:", "uid:u-2", ""} {
		_, err := change(p.Books, name, bob.ID, pool.AccountChange{Revoke: true})
		wantKind(t, err, pool.NotFound)
	}
}

// A hundred changes of one account at once: none is lost.
func TestGenerationsAtOnce(t *testing.T) {
	t.Parallel()
	p := newParty(t, 0, 0, storetest.Conns(20))
	ada := p.make(t, pool.Account{Login: "ada", Role: pool.RoleRequester})
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			if _, err := change(p.Books, "ada", 0, pool.AccountChange{Revoke: true}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got := must(p.Revoked(background, time.Hour))(t); got[ada.ID] != 100 || p.noted(t, pool.AccountRevoked) != 100 {
		t.Errorf("%v, %d noted", got, p.noted(t, pool.AccountRevoked))
	}
}

// What the bootstrap secret says is put in place of what was: another password or
// role ends the tokens of before, a uid goes from one to the other.
func TestPutAccount(t *testing.T) {
	t.Parallel()
	p := newParty(t, 0, 0)
	put := func(a pool.Account, generation int) {
		t.Helper()
		if err := p.PutAccount(background, a); err != nil {
			t.Fatal(err)
		}
		got := must(p.Account(background, a.Login))(t)
		if got.Generation != generation || (generation > 0) == got.Revoked.IsZero() {
			t.Errorf("%+v: generation %d of %s, want %d", a, got.Generation, got.Revoked, generation)
		}
		got.ID, got.Created, got.Revoked, got.Generation = 0, time.Time{}, time.Time{}, 0
		if got != a {
			t.Errorf("%+v is stored, want %+v", got, a)
		}
	}
	a := pool.Account{Login: "boss", UID: "u-1", Role: pool.RoleOperator, PasswordHash: "h", Bootstrap: "b"}
	put(a, 0)
	put(a, 0)
	a.Bootstrap = "c"
	put(a, 0)
	a.PasswordHash = "i"
	put(a, 1)
	a.Role, a.Shared = pool.RoleWorker, true
	put(a, 2)
	a.Disabled = true
	put(a, 3)
	a.Disabled = false
	put(a, 3)
	other := pool.Account{Login: "other", UID: "u-1", Role: pool.RoleOperator}
	put(other, 0)
	if got := must(p.Account(background, "boss"))(t); got.UID != "" {
		t.Errorf("two have the uid: %+v", got)
	}
	a.UID = ""
	put(a, 3)
}
