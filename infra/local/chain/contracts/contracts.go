// Package contracts puts iExec's PoCo contracts (v6.1.0) on a local chain: the
// bytecode that runs on Arbitrum One, from the npm package @iexec/poco (Apache
// License 2.0), put together as there. It owns how they are made and linked; what
// is done with them is the business of others.
package contracts

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"workerpool/infra/local/chain"
	"workerpool/shared/pool"
)

// Addresses are those of the contracts of one chain.
type Addresses struct {
	Hub                pool.Address // deals, tasks, deposits: all calls of PoCo
	RLC                pool.Address // the token of all payments
	AppRegistry        pool.Address
	DatasetRegistry    pool.Address
	WorkerpoolRegistry pool.Address
}

// Supply is all RLC there is, which the chain's rich account has at first.
const Supply pool.NRLC = 87_000_000e9

// facets are the parts of the hub. Where two have a function of the same name, the
// first one's counts.
var facets = []string{
	"DiamondCutFacet", "DiamondLoupeFacet", "OwnershipFacet",
	"IexecAccessorsABILegacyFacet", "IexecCategoryManagerFacet", "IexecConfigurationExtraFacet", "IexecConfigurationFacet", "IexecERC20Facet", "IexecEscrowTokenFacet",
	"IexecOrderManagementFacet", "IexecPoco1Facet", "IexecPoco2Facet", "IexecPocoAccessorsFacet", "IexecRelayFacet",
}

// categories are those of iExec's deployments, by id.
var categories = []struct {
	name string
	t    int64 // seconds
}{{"XS", 300}, {"S", 1200}, {"M", 3600}, {"L", 10800}, {"XL", 36000}}

// library hashes orders.
const library = "IexecLibOrders_v5"

// linkedTo is where it lies on Arbitrum One: the facets' code in the package calls
// it there.
var linkedTo = common.HexToAddress("0x1Ecf986A719271846a04F095c426D90D564E4842")

// gas is more than any of the calls here takes; the making of the hub is one of 98
// entries.
const (
	gas    = 6_000_000
	hubGas = 12_000_000
)

// Deploy puts the contracts on the chain, in a few blocks. The chain's rich account
// owns them. The same chain gets the same addresses.
func Deploy(ctx context.Context, on *chain.Chain) (Addresses, error) {
	files, err := read(slices.Concat(facets, []string{"RLC", library, "DiamondInit", "Diamond", "AppRegistry", "DatasetRegistry", "WorkerpoolRegistry"}))
	if err != nil {
		return Addresses{}, err
	}
	d := &deployment{files: files, made: map[string]common.Address{}, by: common.Address(on.Rich().Address())}
	if err := d.compose(); err != nil {
		return Addresses{}, fmt.Errorf("putting the contracts together: %w", err)
	}
	if _, err := on.Rich().Do(ctx, d.calls...); err != nil {
		return Addresses{}, fmt.Errorf("deploying the contracts: %w", err)
	}
	at := func(name string) pool.Address { return pool.Address(d.made[name]) }
	return Addresses{
		Hub: at("Diamond"), RLC: at("RLC"),
		AppRegistry: at("AppRegistry"), DatasetRegistry: at("DatasetRegistry"), WorkerpoolRegistry: at("WorkerpoolRegistry"),
	}, nil
}

// deployment is the list of calls that make the contracts, by an account that has
// sent nothing before, so that all addresses are known beforehand.
type deployment struct {
	files map[string]file
	by    common.Address
	made  map[string]common.Address
	calls []chain.Call
}

func (d *deployment) compose() error {
	for _, name := range append([]string{"RLC", library, "DiamondInit"}, facets...) {
		if err := d.make(name, d.files[name].code, gas); err != nil {
			return err
		}
	}
	hub, err := d.hub()
	if err != nil {
		return err
	}
	if err := d.make("Diamond", hub, hubGas); err != nil {
		return err
	}
	for _, name := range []string{"AppRegistry", "DatasetRegistry", "WorkerpoolRegistry"} {
		if err := d.make(name, d.files[name].code, gas); err != nil {
			return err
		}
		if err := d.call(name, name, "initialize", common.Address{}); err != nil {
			return err
		}
	}
	if err := d.call("Diamond", "IexecConfigurationFacet", "configure", d.made["RLC"], "Staked RLC", "SRLC", uint8(9),
		d.made["AppRegistry"], d.made["DatasetRegistry"], d.made["WorkerpoolRegistry"], common.Address{}); err != nil {
		return err
	}
	for _, c := range categories {
		if err := d.call("Diamond", "IexecCategoryManagerFacet", "createCategory", c.name, "{}", big.NewInt(c.t)); err != nil {
			return err
		}
	}
	return nil
}

// make adds the making of a contract.
func (d *deployment) make(name string, code []byte, gas uint64) error {
	orders, ok := d.made[library]
	if bytes.Contains(code, linkedTo[:]) && !ok {
		return fmt.Errorf("%s calls a library that is not there yet", name)
	}
	d.made[name] = crypto.CreateAddress(d.by, uint64(len(d.calls)))
	d.calls = append(d.calls, chain.Call{Data: bytes.ReplaceAll(code, linkedTo[:], orders[:]), Gas: gas})
	return nil
}

// call adds the call of a contract by the words of a file's ABI.
func (d *deployment) call(contract, words, method string, args ...any) error {
	data, err := d.files[words].abi.Pack(method, args...)
	if err != nil {
		return fmt.Errorf("calling %s of %s: %w", method, contract, err)
	}
	to := chain.To(pool.Address(d.made[contract]), data)
	to.Gas = gas
	d.calls = append(d.calls, to)
	return nil
}

// cut is IDiamond.FacetCut; action 0 adds.
type cut struct {
	FacetAddress      common.Address
	Action            uint8
	FunctionSelectors [][4]byte
}

// start is DiamondArgs.
type start struct {
	Owner        common.Address
	Init         common.Address
	InitCalldata []byte
}

// hub gives the code that makes the hub with all its facets. On Arbitrum most of
// them came later, one by one, which leaves the same.
func (d *deployment) hub() ([]byte, error) {
	var cuts []cut
	linked := map[[4]byte]bool{}
	for _, name := range facets {
		part := cut{FacetAddress: d.made[name]}
		for _, selector := range selectors(d.files[name].abi) {
			if !linked[selector] {
				linked[selector] = true
				part.FunctionSelectors = append(part.FunctionSelectors, selector)
			}
		}
		cuts = append(cuts, part)
	}
	first, err := d.files["DiamondInit"].abi.Pack("init")
	if err != nil {
		return nil, fmt.Errorf("initializing the hub: %w", err)
	}
	args, err := d.files["Diamond"].abi.Constructor.Inputs.Pack(cuts, start{Owner: d.by, Init: d.made["DiamondInit"], InitCalldata: first})
	if err != nil {
		return nil, fmt.Errorf("making the hub: %w", err)
	}
	return slices.Concat(d.files["Diamond"].code, args), nil
}

// selectors are the functions of a facet that the hub has, in order of their names.
func selectors(words abi.ABI) [][4]byte {
	var out [][4]byte
	for _, name := range slices.Sorted(maps.Keys(words.Methods)) {
		// Constants of the old compiler are listed and not linked.
		if name == strings.ToUpper(name) {
			continue
		}
		out = append(out, [4]byte(words.Methods[name].ID))
	}
	if words.HasReceive() {
		out = append(out, [4]byte{})
	}
	if words.HasFallback() {
		out = append(out, [4]byte{0xff, 0xff, 0xff, 0xff})
	}
	return out
}
