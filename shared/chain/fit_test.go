package chain_test

import (
	"fmt"
	"math/big"
	"net/http"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"

	"workerpool/shared/chain"
	"workerpool/shared/chain/chaintest"
	"workerpool/shared/chain/fit"
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

// TestFit holds the words for hubs and nodes that the contracts of today do not
// show; package fit is tested on these.
func TestFit(t *testing.T) {
	good := fit.Wanted{ChainID: 31337, Hub: hubAt, RLC: tokenAt, Pool: poolAt, Wallet: ownerAt}
	f, n := deployed(t)
	if err := fit.Check(ctx, open(t, n), good); err != nil {
		t.Error(err)
	}
	if err := fit.Check(ctx, open(t, n), fit.Wanted{Hub: hubAt, Pool: poolAt}); err != nil {
		t.Errorf("what is not given is not asked for: %v", err)
	}
	hub := "IEXECHUBCONTRACT: found " + hubAt.String()
	ours := ", expected iExec's hub on chain 31337"
	for name, c := range map[string]struct {
		change func(*fake)
		says   string
	}{
		"another contract": {func(f *fake) { f.view(t, "domain", nil, domain("Other", hubAt, 31337)) }, hub + `, which says that it is "Other" at ` + hubAt.String() + " of chain 31337" + ours},
		"a copy of a hub":  {func(f *fake) { f.view(t, "domain", nil, domain("iExecODB", pool.Address{2}, 31337)) }, hub + `, which says that it is "iExecODB" at ` + pool.Address{2}.String() + " of chain 31337" + ours},
		"of another chain": {func(f *fake) { f.view(t, "domain", nil, domain("iExecODB", hubAt, 134)) }, hub + `, which says that it is "iExecODB" at ` + hubAt.String() + " of chain 134" + ours},
		"other deadlines":  {func(f *fake) { f.view(t, "final_deadline_ratio", nil, big.NewInt(12)) }, hub + " with a final_deadline_ratio of 12, and this pool knows 10 only" + ours},
	} {
		f, n := deployed(t)
		c.change(f)
		if err := fit.Check(ctx, open(t, n), good); err == nil || err.Error() != c.says || pool.KindOf(err) != "" {
			t.Errorf("%s: %v, want %s", name, err, c.says)
		}
	}
	// A node that is away says nothing of the parameters, but for what it said before.
	for _, method := range []string{"eth_chainId", "eth_getBlockByNumber", "eth_call"} {
		n.Disturb(chaintest.Refuse(method, chaintest.Error{Code: -32603, Message: "internal error"}))
		for _, chain := range []uint64{31337, 1} {
			want := good
			want.ChainID = chain
			err := fit.Check(ctx, open(t, n), want)
			certain := chain == 1 && method != "eth_chainId"
			if err == nil || !strings.HasPrefix(err.Error(), "ETHNODE: found unavailable: ") || !strings.Contains(err.Error(), fmt.Sprintf(", expected a node of chain %d", chain)) ||
				strings.Contains(err.Error(), "CHAINID: found a node (ETHNODE) of chain 31337, expected one of chain 1") != certain || (pool.KindOf(err) == pool.Unavailable) == certain {
				t.Errorf("%s, wanted chain %d: %v, kind %q", method, chain, err, pool.KindOf(err))
			}
		}
	}
	n.Disturb(chaintest.Refuse("eth_call", chaintest.Error{Code: 3, Message: "execution reverted"}))
	if err := fit.Check(ctx, open(t, n), good); err == nil || pool.KindOf(err) != "" || !strings.Contains(err.Error(), "a contract that does not answer domain (") {
		t.Errorf("a contract that refuses: %v", err)
	}
	f.set(func() { f.answers["eth_chainId"] = func() (any, error) { return "0x0", nil } })
	n.Disturb()
	if err := fit.Check(ctx, open(t, n), good); err == nil || pool.KindOf(err) != "" || !strings.Contains(err.Error(), "ETHNODE: found the node says that its chain has the number 0, expected a node of chain 31337") {
		t.Errorf("%v", err)
	}
}

// A provider's page may quote the path that was asked, and with it the key.
func TestFitTellsNoKey(t *testing.T) {
	_, n := deployed(t)
	n.Break(chaintest.Status(http.StatusNotFound, "Cannot POST /v2/s3cr3t-key?token=t0ken-t0ken for user-user:pass%20word"))
	node := strings.Replace(n.URL, "http://", "http://user-user:pass%20word@", 1) + "/v2/s3cr3t-key?token=t0ken-t0ken"
	client, err := chain.Open(chain.Config{URL: node, Hub: hubAt})
	if err != nil {
		t.Fatal(err)
	}
	err = fit.Check(ctx, client, fit.Wanted{Node: node, Hub: hubAt, Pool: poolAt})
	if err == nil || pool.KindOf(err) != "" || !strings.Contains(err.Error(), "404 Not Found") || !strings.Contains(err.Error(), "/v2/***?token=***") {
		t.Errorf("%v", err)
	}
	for _, secret := range []string{"s3cr3t", "t0ken", "user-user", "word"} {
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("%q is told: %v", secret, err)
		}
	}
}
