package pool_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"workerpool/shared/pool"
)

const wallet = "0x098bfcb1e50ebcab0baa92c12ea0c3f045a1ad9f"

func TestLogins(t *testing.T) {
	t.Parallel()
	for login, good := range map[string]bool{
		"a": true, "Ada": true, "ada@example.org": true, "a+b": true, "0": true, "0x12": true, "a._-": true, strings.Repeat("a", 64): true, wallet[:41]: true,
		wallet + "0": true, "": false, strings.Repeat("a", 65): false, "-a": false, ".a": false, "a b": false, "a/b": false, "uid:a": false, "a:b": false,
		"é": false, "a\n": false, "a\x00": false, "a*": false, wallet: false, strings.ToUpper(wallet): false, "0x" + strings.ToUpper(wallet[2:]): false,
	} {
		if err := pool.CheckLogin(login); (err == nil) != good || !good && pool.KindOf(err) != pool.Invalid {
			t.Errorf("%q: %v", login, err)
		}
	}
	for uid, good := range map[string]bool{
		"53c2a0f5-9d1a-4f3c-8f0e-6a1f5b7d2c11": true, "1": true, "A.b_c": true, strings.Repeat("u", 64): true,
		"": false, "uid:1": false, "a b": false, "a@b": false, "-1": false, strings.Repeat("u", 65): false, "1\n": false,
	} {
		if err := pool.CheckUID(uid); (err == nil) != good || !good && pool.KindOf(err) != pool.Invalid {
			t.Errorf("uid %q: %v", uid, err)
		}
	}
	for login, is := range map[string]bool{
		wallet: true, strings.ToUpper(wallet): false, "0x" + strings.ToUpper(wallet[2:]): false, wallet[:41]: false, wallet + "0": false, wallet[2:]: false, "": false,
	} {
		if pool.IsWallet(login) != is {
			t.Errorf("%q is a wallet's: %v", login, !is)
		}
	}
}

// Operators change accounts at will. There always is one who can log in, nobody locks
// himself out, tokens end with what they were given for, and a change that does
// nothing leaves nothing.
func TestAccountChanges(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var all []pool.Account
		for i := range rapid.IntRange(1, 5).Draw(t, "accounts") {
			a := pool.Account{ID: pool.AccountID(i + 1), Login: fmt.Sprint("a", i), Role: pool.RoleOperator, PasswordHash: "h", Generation: i}
			if i > 0 {
				a.Role = rapid.SampledFrom(pool.Roles).Draw(t, "role")
			}
			if rapid.Bool().Draw(t, "wallet") {
				a.Login, a.PasswordHash = fmt.Sprintf("0x%040x", i), ""
			}
			all = append(all, a)
		}
		enabled := func() (n int) {
			for _, a := range all {
				if a.Role == pool.RoleOperator && !a.Disabled {
					n++
				}
			}
			return n
		}
		for range rapid.IntRange(1, 30).Draw(t, "changes") {
			by := rapid.SampledFrom(all).Draw(t, "by")
			if by.Role != pool.RoleOperator {
				continue // one who was disabled a moment ago may still be let in
			}
			i := rapid.IntRange(0, len(all)-1).Draw(t, "account")
			c := pool.AccountChange{
				Disabled: rapid.SampledFrom([]*bool{nil, new(true), new(false)}).Draw(t, "disabled"), PasswordHash: rapid.SampledFrom([]string{"", "new"}).Draw(t, "hash"),
				Revoke: rapid.Bool().Draw(t, "revoke"),
			}
			before := all[i]
			after, done, err := before.Change(c, by.ID, enabled())
			off := c.Disabled != nil && *c.Disabled && !before.Disabled
			wrong := off && (before.ID == by.ID || before.Role == pool.RoleOperator && enabled() == 1) || c.PasswordHash != "" && pool.IsWallet(before.Login)
			if wrong {
				if pool.KindOf(err) != pool.Conflict || after != before || done != nil {
					t.Fatalf("%+v by %d of %+v: %+v %v %v", c, by.ID, before, after, done, err)
				}
				continue
			}
			if err != nil {
				t.Fatalf("%+v by %d of %+v: %v", c, by.ID, before, err)
			}
			want := before
			var told []string
			note := func(really bool, what string) {
				if really {
					told = append(told, what)
				}
			}
			note(c.Revoke, pool.AccountRevoked)
			note(c.PasswordHash != "", pool.AccountPassword)
			note(off, pool.AccountDisabled)
			note(c.Disabled != nil && !*c.Disabled && before.Disabled, pool.AccountEnabled)
			if c.PasswordHash != "" {
				want.PasswordHash = c.PasswordHash
			}
			if c.Disabled != nil {
				want.Disabled = *c.Disabled
			}
			if c.Revoke || off || c.PasswordHash != "" {
				want.Generation++
			}
			if after != want || !slices.Equal(done, told) {
				t.Fatalf("%+v by %d of %+v: %+v, want %+v; noted %v, want %v", c, by.ID, before, after, want, done, told)
			}
			all[i] = after
			if enabled() == 0 {
				t.Fatalf("%+v by %d locks everybody out", c, by.ID)
			}
		}
	})
}
