package contracts

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"

	"workerpool/infra/local/chain"
	"workerpool/shared/chain/poco"
	"workerpool/shared/ethsig"
	"workerpool/shared/pool"
)

func deployed(t *testing.T) (*chain.Chain, Addresses) {
	t.Helper()
	on, err := chain.Start(chain.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := on.Close(); err != nil {
			t.Error(err)
		}
	})
	at, err := Deploy(t.Context(), on)
	if err != nil {
		t.Fatal(err)
	}
	return on, at
}

func view(t *testing.T, on *chain.Chain, contract pool.Address, data []byte) []byte {
	t.Helper()
	out, err := on.View(t.Context(), contract, data)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestFacets holds the hub's own list of its functions against the one that the
// package keeps of Arbitrum One.
func TestFacets(t *testing.T) {
	on, at := deployed(t)
	files, err := read(facets)
	if err != nil {
		t.Fatal(err)
	}
	loupe := files["DiamondLoupeFacet"].abi
	data, err := loupe.Pack("facets")
	if err != nil {
		t.Fatal(err)
	}
	var listed []struct {
		FacetAddress      common.Address `json:"facetAddress"`
		FunctionSelectors [][4]byte      `json:"functionSelectors"`
	}
	if err := loupe.UnpackIntoInterface(&listed, "facets", view(t, on, at.Hub, data)); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, one := range listed {
		for _, selector := range one.FunctionSelectors {
			got = append(got, called(t, files, selector))
		}
	}
	want := production(t)
	slices.Sort(got)
	if len(listed) != 14 || len(got) != 98 || !slices.Equal(got, want) {
		t.Errorf("the hub has %d facets and %d functions:\n%v\nArbitrum One's has:\n%v", len(listed), len(got), got, want)
	}
}

// called gives "function -> facet" of a selector, the facet being the first that
// has it.
func called(t *testing.T, files map[string]file, selector [4]byte) string {
	t.Helper()
	for _, facet := range facets {
		words := files[facet].abi
		switch {
		case selector == [4]byte{} && words.HasReceive():
			return "receive -> " + facet
		case selector == [4]byte{255, 255, 255, 255} && words.HasFallback():
			return "fallback -> " + facet
		}
		if method, err := words.MethodById(selector[:]); err == nil {
			return method.RawName + " -> " + facet
		}
	}
	t.Fatalf("no facet has %x", selector)
	return ""
}

func production(t *testing.T) []string {
	t.Helper()
	folder, err := Folder()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(folder, "deployments", "arbitrum", ".diamond.log"))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, line := range regexp.MustCompile(`(?m)^ +- (\w+ -> \w+)$`).FindAllStringSubmatch(string(text), -1) {
		out = append(out, line[1])
	}
	slices.Sort(out)
	return out
}

func TestConfigured(t *testing.T) {
	on, at := deployed(t)
	hub, token := poco.NewHub(), poco.NewRLC()
	for name, c := range map[string]struct {
		data []byte
		want pool.Address
	}{
		"token": {hub.PackToken(), at.RLC}, "apps": {hub.PackAppregistry(), at.AppRegistry},
		"datasets": {hub.PackDatasetregistry(), at.DatasetRegistry}, "workerpools": {hub.PackWorkerpoolregistry(), at.WorkerpoolRegistry},
	} {
		if got, err := hub.UnpackToken(view(t, on, at.Hub, c.data)); err != nil || pool.Address(got) != c.want {
			t.Errorf("%s: %s, want %s (%v)", name, got, c.want, err)
		}
	}
	for id, c := range categories {
		got, err := hub.UnpackViewCategory(view(t, on, at.Hub, hub.PackViewCategory(big.NewInt(int64(id)))))
		if err != nil || got.Name != c.name || got.WorkClockTimeRef.Int64() != c.t {
			t.Errorf("category %d: %+v, want %+v (%v)", id, got, c, err)
		}
	}
	supply, err := token.UnpackBalanceOf(view(t, on, at.RLC, token.PackBalanceOf(common.Address(on.Rich().Address()))))
	if err != nil || supply.Int64() != int64(Supply) {
		t.Errorf("the rich account has %v nRLC, want %v (%v)", supply, Supply, err)
	}
	separator, err := hub.UnpackEip712domainSeparator(view(t, on, at.Hub, hub.PackEip712domainSeparator()))
	if want := (ethsig.Domain{ChainID: on.ID(), Hub: at.Hub}).Separator(); err != nil || pool.Hash(separator) != want {
		t.Errorf("the hub's domain is %x, want %s (%v)", separator, want, err)
	}
	for _, timing := range []struct {
		data []byte
		want int64
	}{{hub.PackContributionDeadlineRatio(), pool.ContributeFor}, {hub.PackRevealDeadlineRatio(), pool.RevealFor}, {hub.PackFinalDeadlineRatio(), pool.FinalAfter}} {
		if got, err := hub.UnpackFinalDeadlineRatio(view(t, on, at.Hub, timing.data)); err != nil || got.Int64() != timing.want {
			t.Errorf("a deadline is %v T, want %d (%v)", got, timing.want, err)
		}
	}
	if head := on.Head(); head.Number > 12 {
		t.Errorf("the contracts took %d blocks, each of which takes the chain a second ahead", head.Number)
	}
}

// TestBindings holds the ABI that the bindings are made of against the package's,
// which has none of the token: the market's tests try its calls.
func TestBindings(t *testing.T) {
	folder, err := Folder()
	if err != nil {
		t.Fatal(err)
	}
	for name, whole := range map[string]string{
		"hub": "IexecInterfaceToken", "rlc": "IexecInterfaceToken", "appregistry": "registries/apps/AppRegistry", "datasetregistry": "registries/datasets/DatasetRegistry",
		"workerpoolregistry": "registries/workerpools/WorkerpoolRegistry", "workerpool": "registries/workerpools/Workerpool",
	} {
		t.Run(name, func(t *testing.T) {
			have := entries(t, filepath.Join(folder, "abis", "contracts", whole+".json"))
			used := entries(t, filepath.Join("..", "..", "..", "..", "shared", "chain", "poco", name+".json"))
			for id, entry := range used {
				if have[id] != entry {
					t.Errorf("%s is\n%s\nin the package\n%s", id, entry, have[id])
				}
			}
			if len(used) == 0 {
				t.Error("nothing was compared")
			}
		})
	}
	hub, err := poco.HubMetaData.ParseABI()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := len(hub.Methods)+len(hub.Events), len(entries(t, "../../../../shared/chain/poco/hub.json")); got != want {
		t.Errorf("the hub's bindings have %d entries, its ABI %d: make generate", got, want)
	}
}

// entries gives an ABI's entries by their signatures, in one form of JSON.
func entries(t *testing.T, name string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var raw []map[string]any
	if err := json.Unmarshal(text, &raw); err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, entry := range raw {
		one, err := json.Marshal(entry)
		if err != nil {
			t.Fatal(err)
		}
		words, err := abi.JSON(strings.NewReader("[" + string(one) + "]"))
		if err != nil {
			t.Fatal(err)
		}
		id := fmt.Sprint(entry["type"])
		for _, method := range words.Methods {
			id = "function " + method.Sig
		}
		for _, event := range words.Events {
			id = "event " + event.Sig
		}
		out[id] = string(one)
	}
	return out
}

func TestMissing(t *testing.T) {
	t.Chdir(t.TempDir())
	if _, err := Folder(); !errors.Is(err, ErrMissing) {
		t.Errorf("without a module: %v", err)
	}
	if err := os.WriteFile("go.mod", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	on, err := chain.Start(chain.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer on.Close()
	if _, err := Deploy(context.Background(), on); !errors.Is(err, ErrMissing) || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "make contracts") {
		t.Errorf("without the package: %v", err)
	}
}

// TestLinked makes sure that nothing calls the library where Arbitrum has it.
func TestLinked(t *testing.T) {
	files, err := read(slices.Concat(facets, []string{library, "RLC", "DiamondInit", "Diamond", "AppRegistry", "DatasetRegistry", "WorkerpoolRegistry"}))
	if err != nil {
		t.Fatal(err)
	}
	d := &deployment{files: files, made: map[string]common.Address{}}
	if err := d.compose(); err != nil {
		t.Fatal(err)
	}
	called := map[string]int{}
	for name := range maps.Keys(files) {
		called[name] = strings.Count(string(files[name].code), string(linkedTo[:]))
	}
	maps.DeleteFunc(called, func(_ string, n int) bool { return n == 0 })
	want := map[string]int{"IexecPoco1Facet": 5, "IexecOrderManagementFacet": 8, "IexecConfigurationFacet": 2, "IexecPocoAccessorsFacet": 1}
	if !maps.Equal(called, want) {
		t.Errorf("the library is called %v times, want %v", called, want)
	}
	for _, call := range d.calls {
		if strings.Contains(string(call.Data), string(linkedTo[:])) {
			t.Error("a contract calls the library of another chain")
		}
	}
}
