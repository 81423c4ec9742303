package chain_test

import (
	"math/big"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"

	"workerpool/shared/chain"
	"workerpool/shared/chain/chaintest"
	"workerpool/shared/chain/poco"
	"workerpool/shared/pool"
)

var (
	tokenAt    = pool.Address{0x70}
	registryAt = pool.Address{0x4e}
	ownerAt    = pool.Address{0x0e}
)

// other answers a view of another contract than the hub.
func (f *fake) other(t *testing.T, of abi.ABI, at pool.Address, method string, args []any, out ...any) {
	t.Helper()
	data, err := of.Pack(method, args...)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := of.Methods[method].Outputs.Pack(out...)
	if err != nil {
		t.Fatal(err)
	}
	f.set(func() { f.views[viewKey(at, data)] = answer })
}

// deployed is a chain on which all is as the parameters say.
func deployed(t *testing.T) (*fake, *chaintest.Node) {
	t.Helper()
	f, n := newFake(t)
	f.view(t, "domain", nil, domain("iExecODB", hubAt, 31337))
	f.view(t, "token", nil, common.Address(tokenAt))
	f.view(t, "workerpoolregistry", nil, common.Address(registryAt))
	f.view(t, "contribution_deadline_ratio", nil, big.NewInt(7))
	f.view(t, "reveal_deadline_ratio", nil, big.NewInt(2))
	f.view(t, "final_deadline_ratio", nil, big.NewInt(10))
	f.other(t, poco.NewWorkerpoolRegistry().GetABI(), registryAt, "isRegistered", []any{common.Address(poolAt)}, true)
	f.other(t, poco.NewWorkerpool().GetABI(), poolAt, "owner", nil, common.Address(ownerAt))
	return f, n
}

func domain(name string, at pool.Address, chain int64) poco.IexecLibOrdersV5EIP712Domain {
	return poco.IexecLibOrdersV5EIP712Domain{Name: name, Version: "5.0.0", ChainId: big.NewInt(chain), VerifyingContract: common.Address(at)}
}

// TestCheck names the parameter that is wrong, and what was found.
func TestCheck(t *testing.T) {
	good := chain.CheckConfig{ChainID: 31337, RLC: tokenAt, Wallet: ownerAt}
	f, n := deployed(t)
	if err := open(t, n).Check(ctx, good); err != nil {
		t.Error(err)
	}
	if got := count(open(t, n), func() error { return open(t, n).Check(ctx, chain.CheckConfig{Wallet: ownerAt}) }); !strings.HasSuffix(got, "<nil>") {
		t.Errorf("what is not given is not checked: %s", got)
	}
	for name, c := range map[string]struct {
		want   chain.CheckConfig
		config func(*chain.Config)
		change func(*fake)
		says   []string
	}{
		"another chain":    {chain.CheckConfig{ChainID: 1, RLC: tokenAt, Wallet: ownerAt}, nil, nil, []string{"ETHNODE", "on chain 31337, wanted is 1"}},
		"no hub given":     {good, func(c *chain.Config) { c.Hub = pool.Address{} }, nil, []string{"IEXECHUBCONTRACT is blank"}},
		"no contract":      {good, func(c *chain.Config) { c.Hub = pool.Address{1} }, nil, []string{"IEXECHUBCONTRACT", pool.Address{1}.String(), "no iExec hub on chain 31337", "domain: 0 bytes"}},
		"another contract": {good, nil, func(f *fake) { f.view(t, "domain", nil, domain("Other", hubAt, 31337)) }, []string{"IEXECHUBCONTRACT", `"Other"`}},
		"a copy of a hub":  {good, nil, func(f *fake) { f.view(t, "domain", nil, domain("iExecODB", pool.Address{2}, 31337)) }, []string{"IEXECHUBCONTRACT", pool.Address{2}.String()}},
		"of another chain": {good, nil, func(f *fake) { f.view(t, "domain", nil, domain("iExecODB", hubAt, 134)) }, []string{"IEXECHUBCONTRACT", "chain 134"}},
		"other deadlines":  {good, nil, func(f *fake) { f.view(t, "final_deadline_ratio", nil, big.NewInt(12)) }, []string{"IEXECHUBCONTRACT", "final_deadline_ratio of 12, this pool knows 10"}},
		"another token":    {chain.CheckConfig{RLC: pool.Address{3}, Wallet: ownerAt}, nil, nil, []string{"RLCCONTRACT is " + pool.Address{3}.String(), tokenAt.String()}},
		"no pool given":    {good, func(c *chain.Config) { c.Pool = pool.Address{} }, nil, []string{"WORKERPOOLADDRESS is blank"}},
		"no such pool": {good, nil, func(f *fake) {
			f.other(t, poco.NewWorkerpoolRegistry().GetABI(), registryAt, "isRegistered", []any{common.Address(poolAt)}, false)
		}, []string{"WORKERPOOLADDRESS", poolAt.String(), "not in the hub's registry"}},
		"somebody else's":    {chain.CheckConfig{RLC: tokenAt, Wallet: pool.Address{4}}, nil, nil, []string{"WALLETPATH", pool.Address{4}.String(), ownerAt.String()}},
		"two things at once": {chain.CheckConfig{RLC: pool.Address{3}, Wallet: pool.Address{4}}, nil, nil, []string{"RLCCONTRACT", "WALLETPATH"}},
	} {
		t.Run(name, func(t *testing.T) {
			f, n := deployed(t)
			if c.change != nil {
				c.change(f)
			}
			change := func(*chain.Config) {}
			if c.config != nil {
				change = c.config
			}
			err := open(t, n, change).Check(ctx, c.want)
			if err == nil || pool.KindOf(err) != "" {
				t.Fatalf("%v", err)
			}
			for _, words := range c.says {
				if !strings.Contains(err.Error(), words) {
					t.Errorf("%v, want %q", err, words)
				}
			}
		})
	}
	// A node that is away says nothing of the parameters.
	for _, method := range []string{"eth_chainId", "eth_getBlockByNumber", "eth_call"} {
		n.Disturb(chaintest.Refuse(method, chaintest.Error{Code: -32603, Message: "internal error"}))
		if err := open(t, n).Check(ctx, good); pool.KindOf(err) != pool.Unavailable || !strings.HasPrefix(err.Error(), "ETHNODE: ") {
			t.Errorf("%s: %v", method, err)
		}
	}
	n.Disturb(chaintest.Refuse("eth_call", chaintest.Error{Code: 3, Message: "execution reverted"}))
	if err := open(t, n).Check(ctx, good); err == nil || pool.KindOf(err) != "" || !strings.Contains(err.Error(), "IEXECHUBCONTRACT") {
		t.Errorf("a contract that refuses: %v", err)
	}
	f.set(func() { f.answers["eth_chainId"] = func() (any, error) { return "0x0", nil } })
	n.Disturb()
	if err := open(t, n).Check(ctx, good); err == nil || !strings.Contains(err.Error(), "the number 0") {
		t.Errorf("%v", err)
	}
}
