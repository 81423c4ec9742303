package fit_test

import (
	"fmt"
	"testing"

	"github.com/ethereum/go-ethereum/common"

	local "workerpool/infra/local/chain"
	"workerpool/infra/local/chain/contracts"
	"workerpool/shared/chain"
	"workerpool/shared/chain/fit"
	"workerpool/shared/chain/poco"
	"workerpool/shared/pool"
)

var (
	owner   = pool.Address{0x0e}
	nothing = pool.Address{0xee} // where nobody has put anything
)

// registered makes a pool of an owner and gives its address.
func registered(t *testing.T, on *local.Chain, at contracts.Addresses, owner pool.Address) pool.Address {
	t.Helper()
	entries := poco.NewWorkerpoolRegistry()
	answer, err := on.View(t.Context(), at.WorkerpoolRegistry, entries.PackPredictWorkerpool(common.Address(owner), "pool"))
	if err != nil {
		t.Fatal(err)
	}
	made, err := entries.UnpackPredictWorkerpool(answer)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := on.Rich().Do(t.Context(), local.To(at.WorkerpoolRegistry, entries.PackCreateWorkerpool(common.Address(owner), "pool"))); err != nil {
		t.Fatal(err)
	}
	return pool.Address(made)
}

// TestWords spoils one parameter after the other before iExec's contracts, and then
// all of them.
func TestWords(t *testing.T) {
	on, err := local.Start(local.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := on.Close(); err != nil {
			t.Error(err)
		}
	})
	at, err := contracts.Deploy(t.Context(), on)
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := registered(t, on, at, owner), registered(t, on, at, pool.Address{0x0f})
	in := ", expected a workerpool of the hub's registry " + at.WorkerpoolRegistry.String()
	hub := ", expected iExec's hub on chain 31337"
	for name, c := range map[string]struct {
		spoil func(*fit.Wanted)
		says  []string
	}{
		"nothing":                 {func(*fit.Wanted) {}, nil},
		"another chain":           {func(w *fit.Wanted) { w.ChainID = 42161 }, []string{"CHAINID: found a node (ETHNODE) of chain 31337, expected one of chain 42161"}},
		"no hub":                  {func(w *fit.Wanted) { w.Hub = nothing }, []string{"IEXECHUBCONTRACT: found " + nothing.String() + ", where nothing answers domain" + hub}},
		"a blank hub":             {func(w *fit.Wanted) { w.Hub = pool.Address{} }, []string{"IEXECHUBCONTRACT: found nothing" + hub}},
		"a hub that is the token": {func(w *fit.Wanted) { w.Hub = at.RLC }, []string{"IEXECHUBCONTRACT: found " + at.RLC.String() + ", a contract that does not answer domain (the node refuses eth_call: invalid opcode: INVALID (code -32000))" + hub}},
		"another token":           {func(w *fit.Wanted) { w.RLC = at.Hub }, []string{"RLCCONTRACT: found " + at.Hub.String() + ", expected the hub's token " + at.RLC.String()}},
		"a blank pool":            {func(w *fit.Wanted) { w.Pool = pool.Address{} }, []string{"WORKERPOOLADDRESS: found nothing, expected the address of a workerpool"}},
		"no pool":                 {func(w *fit.Wanted) { w.Pool = nothing }, []string{"WORKERPOOLADDRESS: found " + nothing.String() + ", where nothing answers owner" + in}},
		"a pool that is the hub":  {func(w *fit.Wanted) { w.Pool = at.Hub }, []string{"WORKERPOOLADDRESS: found " + at.Hub.String() + ", which is not in it" + in}},
		"another's pool":          {func(w *fit.Wanted) { w.Pool = theirs }, []string{"WORKERPOOLADDRESS: found " + theirs.String() + ", owned by " + pool.Address{0x0f}.String() + ", expected one owned by the pool's wallet " + owner.String()}},
		"all": {func(w *fit.Wanted) { w.ChainID, w.RLC, w.Pool = 1, nothing, theirs }, []string{
			"CHAINID: found a node (ETHNODE) of chain 31337, expected one of chain 1", "RLCCONTRACT: found " + nothing.String() + ", expected the hub's token " + at.RLC.String(),
			"WORKERPOOLADDRESS: found " + theirs.String() + ", owned by " + pool.Address{0x0f}.String() + ", expected one owned by the pool's wallet " + owner.String()}},
		"a hub that hides the pool": {func(w *fit.Wanted) { w.Hub, w.Pool = nothing, nothing }, []string{
			"IEXECHUBCONTRACT: found " + nothing.String() + ", where nothing answers domain" + hub, "WORKERPOOLADDRESS: found " + nothing.String() + ", where nothing answers owner, expected a workerpool"}},
	} {
		want := fit.Wanted{Node: on.URL(), ChainID: 31337, Hub: at.Hub, RLC: at.RLC, Pool: ours, Wallet: owner}
		c.spoil(&want)
		client, err := chain.Open(chain.Config{URL: on.URL(), Hub: want.Hub, Pool: want.Pool})
		if err != nil {
			t.Fatal(err)
		}
		var says []string
		if err := fit.Check(t.Context(), client, want); err != nil {
			if pool.KindOf(err) != "" {
				t.Errorf("%s: kind %q", name, pool.KindOf(err))
			}
			for _, fault := range err.(fit.Faults) {
				says = append(says, fault.String())
			}
		}
		if fmt.Sprintf("%q", says) != fmt.Sprintf("%q", c.says) {
			t.Errorf("%s:\n%q, want\n%q", name, says, c.says)
		}
	}
}

// What is certainly wrong is not excused by a node that said nothing more.
func TestKind(t *testing.T) {
	t.Parallel()
	wrong, away := fit.Fault{Parameter: "RLCCONTRACT"}, fit.Fault{Parameter: "ETHNODE", Away: pool.Down("the node", nil)}
	for want, all := range map[pool.Kind][]fit.Faults{pool.Unavailable: {{away}, {away, away}}, "": {{wrong}, {wrong, away}, {away, wrong}}} {
		for _, faults := range all {
			if got := pool.KindOf(faults.Err()); got != want {
				t.Errorf("%v is of kind %q, want %q", faults, got, want)
			}
		}
	}
	if err := (fit.Faults{}).Err(); err != nil {
		t.Error(err)
	}
}
