package lane_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"workerpool/shared/chain/lane"
	"workerpool/shared/ethsig"
	"workerpool/shared/pool"
)

func good() lane.Config {
	return lane.Config{
		Node: "http://127.0.0.1:1", Hub: "0x" + strings.Repeat("1a", 20), Pool: "0x" + strings.Repeat("2b", 20), RLC: "0x" + strings.Repeat("3c", 20),
		ChainID: 31337, LogRange: 1_000, Final: "finalized", Secret: "wallet",
	}
}

type vault map[string]map[string]string

func (v vault) Get(_ context.Context, id string) (map[string]string, error) {
	if values, ok := v[id]; ok {
		return values, nil
	}
	return nil, pool.Down("the secret store", errors.New("no such secret"))
}

const form = ", 0x and 40 hexadecimal characters"

func TestFaults(t *testing.T) {
	t.Parallel()
	if err := good().Faults(true); err != nil {
		t.Error(err)
	}
	for name, test := range map[string]struct {
		spoil func(*lane.Config)
		says  []string
	}{
		"blank pool": {func(c *lane.Config) { c.Pool = "" }, []string{"WORKERPOOLADDRESS: found nothing, expected the address of the pool on the chain" + form}},
		"zero pool":  {func(c *lane.Config) { c.Pool = pool.Address{}.String() }, []string{"WORKERPOOLADDRESS: found the address of nobody, expected the address of the pool on the chain" + form}},
		"no address": {func(c *lane.Config) { c.Hub = "hub" }, []string{`IEXECHUBCONTRACT: found "hub", expected the address of iExec's hub` + form}},
		"no URL":     {func(c *lane.Config) { c.Node = "mainnet" }, []string{"ETHNODE: found no URL that begins with https:// or http://, expected that of a JSON-RPC node"}},
		"all": {func(c *lane.Config) { *c = lane.Config{Secret: c.Secret} }, []string{"ETHNODE: found no URL", "IEXECHUBCONTRACT: found nothing",
			"RLCCONTRACT: found nothing, expected the address of the hub's token" + form, "WORKERPOOLADDRESS: found nothing"}},
	} {
		c := good()
		test.spoil(&c)
		err := c.Faults(true)
		checked := lane.Check(t.Context(), c, vault{"wallet": {"key": strings.Repeat("5d", 32)}})
		for _, words := range test.says {
			if err == nil || !strings.Contains(err.Error(), words) || checked == nil || strings.Count(checked.Error(), words) != 1 {
				t.Errorf("%s: %v, and %v, want %q", name, err, checked, words)
			}
		}
		if err != nil && pool.KindOf(err) != "" || checked != nil && pool.KindOf(checked) != "" {
			t.Errorf("%s: of kind %q and %q", name, pool.KindOf(err), pool.KindOf(checked))
		}
		if err := c.Faults(false); err != nil {
			t.Errorf("%s without a chain: %v", name, err)
		}
	}
}

func TestOpen(t *testing.T) {
	t.Parallel()
	sealed := func(password string) vault {
		key, err := ethsig.GenerateKey()
		if err != nil {
			t.Fatal(err)
		}
		file, err := key.Seal("sesame-open")
		if err != nil {
			t.Fatal(err)
		}
		return vault{"wallet": {"keystore": string(file), "password": password}}
	}
	const away = "ETHNODE: found unavailable: the node is not reachable just now, try again: dial tcp 127.0.0.1:1: connect: connection refused, expected a node of chain 31337"
	const opens = ", expected a keystore and the password that opens it; "
	for name, c := range map[string]struct {
		secrets vault
		says    string
		kind    pool.Kind
	}{
		"the node alone":    {sealed("sesame-open"), away, pool.Unavailable},
		"a wrong password":  {sealed("sesame-shut"), "WALLETSECRET: found the password does not open the keystore" + opens + away, ""},
		"no wallet yet":     {vault{"wallet": {"keystore": "", "password": ""}}, `WALLETSECRET: found the wallet's secret has neither "keystore" (with "password") nor "key"` + opens + away, ""},
		"the secrets alone": {vault{}, "WALLETSECRET: found unavailable: the secret store is not reachable just now, try again: no such secret" + opens + away, pool.Unavailable},
	} {
		_, _, err := lane.Open(t.Context(), good(), c.secrets)
		if err == nil || err.Error() != c.says || pool.KindOf(err) != c.kind {
			t.Errorf("%s: %v, of kind %q; want %s, %q", name, err, pool.KindOf(err), c.says, c.kind)
		}
	}
}

func TestWait(t *testing.T) {
	t.Parallel()
	if err := lane.Wait(t.Context(), time.Microsecond); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := lane.Wait(ctx, time.Hour); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
