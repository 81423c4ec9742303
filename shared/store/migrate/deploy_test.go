package migrate_test

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"

	"workerpool/shared/pool"
	"workerpool/shared/store"
	"workerpool/shared/store/migrate"
	"workerpool/shared/store/storetest"
)

// deployment is a database that is deployed to again and again with other secrets.
type deployment struct {
	*testing.T
	books  *store.Store
	deploy func(secret map[string]string) error
}

func newDeployment(t *testing.T) deployment {
	t.Helper()
	c := storetest.Empty(t)
	books, err := store.Open(store.Config{Host: c.Host, Name: c.Name, Credentials: storetest.As(c.User, c.Password)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = books.Close() })
	return deployment{T: t, books: books, deploy: func(secret map[string]string) error {
		_, err := migrate.Deploy(background, migrate.Deployment{
			Host: c.Host, Name: c.Name, Admin: storetest.As(c.User, c.Password), User: storetest.As("deployed", "seven owls"), Accounts: books,
			Bootstrap: func(context.Context) (map[string]string, error) { return secret, nil },
			// Plain to look at; what argon2 makes is auth's.
			Hash: func(password string) (string, error) {
				if password == "" {
					return "", errors.New("no password")
				}
				return "hash of " + password, nil
			},
			Check: func(hash, password string) (bool, error) { return hash == "hash of "+password, nil },
		})
		return err
	}}
}

func (d deployment) account(name string) pool.Account {
	d.Helper()
	a, err := d.books.Account(background, name)
	if err != nil {
		d.Fatalf("%s: %v", name, err)
	}
	return a
}

func (d deployment) change(name string, by pool.AccountID, c pool.AccountChange) {
	d.Helper()
	_, err := d.books.ChangeAccount(background, name, pool.Trace{Account: by}, func(a pool.Account, operators int) (pool.Account, []string, error) {
		return a.Change(c, by, operators)
	})
	if err != nil {
		d.Fatal(err)
	}
}

func first() map[string]string {
	return map[string]string{
		"admin_login": "boss", "admin_password": "one", "admin_uid": "u-1", "worker_login": "crowd", "worker_password": "two", "worker_uid": "u-2",
	}
}

// What a deployment finds in the bootstrap secret it takes over once: the same secret
// again changes nothing, whatever was changed in the pool meanwhile, and a new
// password or uid there is taken over.
func TestDeployedAccounts(t *testing.T) {
	t.Parallel()
	d := newDeployment(t)
	secret := first()
	must := func() {
		t.Helper()
		if err := d.deploy(secret); err != nil {
			t.Fatal(err)
		}
	}
	must()
	boss, crowd := d.account("boss"), d.account("uid:u-2")
	if boss.Role != pool.RoleOperator || boss.Shared || boss.UID != "u-1" || boss.PasswordHash != "hash of one" || boss.Generation != 0 {
		t.Errorf("%+v", boss)
	}
	if crowd.Login != "crowd" || crowd.Role != pool.RoleWorker || !crowd.Shared || crowd.PasswordHash != "hash of two" {
		t.Errorf("%+v", crowd)
	}
	must()
	if again := d.account("boss"); again != boss {
		t.Errorf("%+v, then %+v", boss, again)
	}
	d.change("boss", boss.ID, pool.AccountChange{PasswordHash: "hash of his own"})
	d.change("crowd", boss.ID, pool.AccountChange{Disabled: new(true)})
	must()
	if got := d.account("boss"); got.PasswordHash != "hash of his own" || got.Generation != 1 {
		t.Errorf("a deployment has put the first password back: %+v", got)
	}
	if !d.account("crowd").Disabled {
		t.Error("a deployment has enabled an account")
	}
	secret["admin_uid"], secret["worker_uid"] = "u-2", "u-1"
	must()
	if boss, crowd := d.account("uid:u-2"), d.account("uid:u-1"); boss.Login != "boss" || crowd.Login != "crowd" || boss.PasswordHash != "hash of his own" || !crowd.Disabled || boss.Generation != 1 {
		t.Errorf("%+v, %+v", boss, crowd)
	}
	secret["admin_uid"], secret["admin_password"], secret["worker_password"] = "", "three", "four"
	must()
	if boss := d.account("boss"); boss.UID != "" || boss.PasswordHash != "hash of three" || boss.Generation != 2 || boss.Revoked.IsZero() {
		t.Errorf("%+v", boss)
	}
	if crowd := d.account("crowd"); crowd.PasswordHash != "hash of four" || crowd.Disabled || crowd.Generation != 2 {
		t.Errorf("%+v", crowd)
	}
	now := d.account("boss")
	must()
	if again := d.account("boss"); again != now {
		t.Errorf("%+v, then %+v", now, again)
	}
}

// Accounts of before there was a note of what was taken over keep their password.
func TestDeployedOverAnOlderRelease(t *testing.T) {
	t.Parallel()
	d := newDeployment(t)
	if err := d.deploy(first()); err != nil {
		t.Fatal(err)
	}
	boss := d.account("boss")
	boss.Bootstrap = ""
	if err := d.books.PutAccount(background, boss); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := d.deploy(first()); err != nil {
			t.Fatal(err)
		}
		if got := d.account("boss"); got.Bootstrap != "hash of one" || got.PasswordHash != "hash of one" || got.Generation != 0 {
			t.Errorf("%+v", got)
		}
	}
}

func TestDeployedSecretsRefused(t *testing.T) {
	t.Parallel()
	d := newDeployment(t)
	address := "0x" + strings.Repeat("ab", 20)
	for name, change := range map[string]map[string]string{
		"admin_login":    {"admin_login": ""},
		"worker_login":   {"worker_login": address},
		"admin_uid":      {"admin_uid": "a b"},
		"worker_uid":     {"worker_uid": "uid:1"},
		"admin_password": {"admin_password": ""},
		"one login":      {"worker_login": "boss"},
		"or one uid":     {"worker_uid": "u-1"},
	} {
		secret := first()
		maps.Copy(secret, change)
		if err := d.deploy(secret); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
