package wire_test

import (
	"strings"
	"testing"

	"workerpool/shared/pool"
	"workerpool/shared/wire"
)

func TestNewAccounts(t *testing.T) {
	t.Parallel()
	const address, password = "0x098BfCb1E50ebcA0baA92C12eA0C3F045A1Ad9F0", "seven owls in a garden"
	for _, c := range []struct {
		in    wire.NewAccount
		want  pool.Account
		field string // that is refused
	}{
		{wire.NewAccount{Login: "Ada", Role: "requester", Password: password}, pool.Account{Login: "Ada", Role: pool.RoleRequester}, ""},
		{wire.NewAccount{Login: "ada", Role: "operator", Password: password, UID: "u-1"}, pool.Account{Login: "ada", Role: pool.RoleOperator, UID: "u-1"}, ""},
		{wire.NewAccount{Login: address, Role: "worker"}, pool.Account{Login: strings.ToLower(address), Role: pool.RoleWorker}, ""},
		{wire.NewAccount{Login: strings.ToLower(address), Role: "worker"}, pool.Account{Login: strings.ToLower(address), Role: pool.RoleWorker}, ""},
		{wire.NewAccount{Login: address, Role: "worker", Password: password}, pool.Account{}, "password"},
		{wire.NewAccount{Login: "ada", Role: "worker"}, pool.Account{}, "password"},
		{wire.NewAccount{Login: address[:41], Role: "worker"}, pool.Account{}, "password"},
		{wire.NewAccount{Login: "a:b", Role: "worker", Password: password}, pool.Account{}, "login"},
		{wire.NewAccount{Role: "worker"}, pool.Account{}, "login"},
		{wire.NewAccount{Login: "ada", Role: "root", Password: password}, pool.Account{}, "role"},
		{wire.NewAccount{Login: "ada", Password: password}, pool.Account{}, "role"},
		{wire.NewAccount{Login: "ada", Role: "worker", Password: password, UID: "uid:1"}, pool.Account{}, "uid"},
	} {
		got, err := c.in.Parse()
		field := ""
		if e, ok := err.(*pool.Error); ok {
			field = e.Field
		}
		if got != c.want || field != c.field || (err == nil) != (c.field == "") {
			t.Errorf("%+v: %+v, %v", c.in, got, err)
		}
	}
}
