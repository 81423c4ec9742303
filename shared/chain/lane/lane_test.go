package lane_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"workerpool/shared/chain/lane"
	"workerpool/shared/pool"
)

func good() lane.Config {
	return lane.Config{
		Node: "http://127.0.0.1:1", Hub: "0x" + strings.Repeat("1a", 20), Pool: "0x" + strings.Repeat("2b", 20), RLC: "0x" + strings.Repeat("3c", 20),
		LogRange: 1_000, Final: "finalized", Secret: "wallet",
	}
}

type vault map[string]map[string]string

func (v vault) Get(_ context.Context, id string) (map[string]string, error) {
	if values, ok := v[id]; ok {
		return values, nil
	}
	return nil, errors.New("no such secret")
}

func TestFaults(t *testing.T) {
	t.Parallel()
	if err := good().Faults(true); err != nil {
		t.Error(err)
	}
	for name, test := range map[string]struct {
		spoil func(*lane.Config)
		says  []string
	}{
		"blank pool": {func(c *lane.Config) { c.Pool = "" }, []string{"WORKERPOOLADDRESS is no address"}},
		"zero pool":  {func(c *lane.Config) { c.Pool = pool.Address{}.String() }, []string{"WORKERPOOLADDRESS is no address: the address of nobody"}},
		"no URL":     {func(c *lane.Config) { c.Node = "mainnet" }, []string{"ETHNODE is no URL"}},
		"all":        {func(c *lane.Config) { *c = lane.Config{} }, []string{"4 faults", "ETHNODE is", "IEXECHUBCONTRACT is", "RLCCONTRACT is", "WORKERPOOLADDRESS is"}},
	} {
		c := good()
		test.spoil(&c)
		err := c.Faults(true)
		for _, words := range test.says {
			if err == nil || !strings.Contains(err.Error(), words) {
				t.Errorf("%s: %v, want %q", name, err, words)
			}
		}
		if _, _, opened := lane.Open(t.Context(), c, vault{}); opened == nil || opened.Error() != err.Error() {
			t.Errorf("%s: opening gives %v", name, opened)
		}
		if err := c.Faults(false); err != nil {
			t.Errorf("%s without a chain: %v", name, err)
		}
	}
}

func TestOpen(t *testing.T) {
	t.Parallel()
	if _, _, err := lane.Open(t.Context(), good(), vault{}); err == nil || !strings.Contains(err.Error(), "WALLETSECRET") {
		t.Errorf("without the secret: %v", err)
	}
	wallet := vault{"wallet": {"key": strings.Repeat("5d", 32)}}
	if _, _, err := lane.Open(t.Context(), good(), wallet); pool.KindOf(err) != pool.Unavailable || !strings.Contains(err.Error(), "ETHNODE") {
		t.Errorf("without the node: %v", err)
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
