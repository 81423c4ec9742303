package main

import (
	"encoding/json"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"workerpool/infra/local/chain"
	"workerpool/infra/local/chain/contracts"
	"workerpool/shared/chain/poco"
	"workerpool/shared/ethsig"
	"workerpool/shared/pool"
)

const (
	nano    = 1_000_000_000
	phrase  = "a long password of the owner's"
	nowhere = "0x00000000000000000000000000000000000000ff"
	held    = pool.NRLC(1000 * nano) // by the owner at first
)

// court is a stage before a chain on which iExec's contracts run, with the wallet
// of somebody who is to own a pool.
type court struct {
	*stage
	on   *chain.Chain
	at   contracts.Addresses
	key  *ethsig.Key
	file string // the wallet
	hub  *poco.Hub
}

func newCourt(t *testing.T) *court {
	t.Helper()
	key, err := ethsig.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	on, err := chain.Start(chain.Config{Fund: []pool.Address{key.Address()}})
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
	c := &court{stage: newStage(t), on: on, at: at, key: key, hub: poco.NewHub()}
	c.do(at.RLC, poco.NewRLC().PackTransfer([20]byte(key.Address()), big.NewInt(int64(held))))
	sealed, err := key.Seal(phrase)
	if err != nil {
		t.Fatal(err)
	}
	c.file = c.stage.file("wallet.json", string(sealed))
	c.env["POOLCTL_WALLET_PASSWORD"] = phrase
	return c
}

// do lets the chain's rich account call contracts.
func (c *court) do(to pool.Address, data []byte) {
	c.t.Helper()
	if _, err := c.on.Rich().Do(c.t.Context(), chain.To(to, data)); err != nil {
		c.t.Fatal(err)
	}
}

func ask[T any](c *court, to pool.Address, data []byte, unpack func([]byte) (T, error)) T {
	c.t.Helper()
	answer, err := c.on.View(c.t.Context(), to, data)
	if err != nil {
		c.t.Fatal(err)
	}
	out, err := unpack(answer)
	if err != nil {
		c.t.Fatal(err)
	}
	return out
}

// account gives the owner's free and locked stake and what the wallet itself holds.
func (c *court) account() [3]pool.NRLC {
	c.t.Helper()
	who := [20]byte(c.key.Address())
	a := ask(c, c.at.Hub, c.hub.PackViewAccount(who), c.hub.UnpackViewAccount)
	rlc := ask(c, c.at.RLC, poco.NewRLC().PackBalanceOf(who), poco.NewRLC().UnpackBalanceOf)
	return [3]pool.NRLC{pool.NRLC(a.Stake.Int64()), pool.NRLC(a.Locked.Int64()), pool.NRLC(rlc.Int64())}
}

// chain runs "poolctl chain" with the flags that all of its commands want.
func (c *court) chain(code int, args ...string) {
	c.t.Helper()
	c.must(code, append([]string{"chain", "--node", c.on.URL(), "--hub", c.at.Hub.String(), "--wallet", c.file}, args...)...)
}

// tried does it without --yes, which must change nothing, and then with it.
func (c *court) tried(args ...string) {
	c.t.Helper()
	before := c.on.Head().Number
	c.chain(exitDone, args...)
	c.says("would", "nothing was sent")
	if now := c.on.Head().Number; now != before {
		c.t.Fatalf("%q makes block %d without --yes", args, now)
	}
	c.chain(exitDone, append(args, "--yes")...)
	c.says("done")
}

// registered gives the owner a pool with a free stake.
func (c *court) registered(stake string) pool.Address {
	c.t.Helper()
	c.chain(exitDone, "--json", "register", "ours", "--yes")
	var out struct{ Workerpool string }
	if err := json.Unmarshal(c.out.Bytes(), &out); err != nil {
		c.t.Fatal(err)
	}
	at, err := pool.ParseAddress(out.Workerpool)
	if err != nil {
		c.t.Fatal(err)
	}
	if stake != "" {
		c.chain(exitDone, "deposit", stake, "--yes")
	}
	return at
}

func TestChainRegister(t *testing.T) {
	c := newCourt(t)
	c.chain(exitDone, "--workerpool", nowhere, "status")
	c.says("not registered", "1000 RLC, not deposited", "10000 ETH", c.key.Address().String(),
		"does not fit  WORKERPOOLADDRESS: found "+nowhere+", where nothing answers owner, expected a workerpool of the hub's registry "+c.at.WorkerpoolRegistry.String())
	c.chain(exitDone, "register", "ours", "--pool-reward", "5")
	c.says("would register", "and then would let deals")
	c.tried("register", "ours", "--pool-reward", "5")
	c.says(`register the pool "ours"`, "worker stake of 30 % and a reward for the pool of 5 %", "WORKERPOOLADDRESS")
	c.chain(exitDone, "register", "ours", "--pool-reward", "5")
	c.says("it is so already")
	at := c.registered("").String() // which leaves its policy
	c.tried("register", "ours", "--worker-stake", "35")
	c.chain(exitDone, "--workerpool", at, "status")
	c.says(at+` "ours", the wallet's`, "worker stake 35 %, reward for the pool 5 %", "31337", "what is named fits the chain")
	c.chain(exitDone, "--workerpool", at, "--json", "status", "--chain-id", "42161", "--rlc", nowhere)
	c.says(`"CHAINID: found a node (ETHNODE) of chain 31337, expected one of chain 42161"`, `"RLCCONTRACT: found `+nowhere+`, expected the hub's token `+c.at.RLC.String())
	c.chain(exitFailed, "--workerpool", nowhere, "register", "ours", "--yes")
	c.says("--workerpool: it is "+nowhere, at)
	c.must(exitDone, "chain", "--node", c.on.URL(), "--hub", c.at.Hub.String(), "--workerpool", at, "--json", "status")
	c.says(`"ours": true`, `"wallet": "`+c.key.Address().String())
}

func TestChainStake(t *testing.T) {
	c := newCourt(t)
	c.tried("deposit", "12.5RLC")
	if got := c.account(); got != [3]pool.NRLC{12.5 * nano, 0, held - 12.5*nano} {
		t.Errorf("after a deposit: %v", got)
	}
	c.tried("withdraw", "500000001nRLC")
	c.says("withdraw 0.500000001 RLC", "11.999999999 RLC")
	if got := c.account(); got != [3]pool.NRLC{11_999_999_999, 0, held - 11_999_999_999} {
		t.Errorf("after a withdrawal: %v", got)
	}
	before := c.on.Head().Number
	for _, refused := range []struct {
		code int
		args []string
		says string
	}{
		{exitFailed, []string{"deposit", "988.000000002RLC"}, "there is 988.000000001 RLC in the wallet"},
		{exitFailed, []string{"withdraw", "12RLC"}, "there is 11.999999999 RLC free in the account of"},
		{exitUsage, []string{"deposit", "0RLC"}, "the amount is 0"}, {exitUsage, []string{"deposit", "5"}, "say 5RLC or 5nRLC"},
		{exitUsage, []string{"withdraw", "1ETH"}, "RLC or nRLC"},
	} {
		c.chain(refused.code, append(refused.args, "--yes")...)
		c.says(refused.says)
	}
	if now := c.on.Head().Number; now != before {
		t.Errorf("what was refused made block %d", now)
	}
	c.chain(exitDone, "--json", "deposit", "1nRLC", "--yes")
	var out struct {
		Done                 bool
		Block                uint64
		Gas, NRLC            int64
		Transaction, MostFee string
		Free                 int64 `json:"free_nrlc"`
	}
	if err := json.Unmarshal(c.out.Bytes(), &out); err != nil || !out.Done || out.Block != before+1 || out.Gas < 40_000 || out.Free != 12*nano {
		t.Errorf("%+v, %v", out, err)
	}
}

// What is wrong with the flags is said by their names, and nothing is sent.
func TestChainRefused(t *testing.T) {
	c := newCourt(t)
	at := c.registered("1RLC").String()
	stranger := c.stage.file("stranger.json", string(sealed(t)))
	node, hub, wallet := []string{"--node", c.on.URL()}, []string{"--hub", c.at.Hub.String()}, []string{"--wallet", c.file}
	join := func(parts ...[]string) (out []string) {
		for _, p := range parts {
			out = append(out, p...)
		}
		return out
	}
	order := []string{"order", "--price", "1RLC", "--volume", "1"}
	for name, r := range map[string]struct {
		code int
		args []string
		says string
	}{
		"no node":           {exitUsage, join(hub, wallet, []string{"deposit", "1RLC"}), "--node URL or ETHNODE"},
		"no hub":            {exitUsage, join(node, wallet, []string{"deposit", "1RLC"}), "--hub 0x... or IEXECHUBCONTRACT"},
		"no wallet":         {exitUsage, join(node, hub, []string{"deposit", "1RLC"}), "--wallet FILE, WALLETPATH or --kms KEY"},
		"no pool":           {exitUsage, join(node, hub, wallet, order), "--workerpool 0x... or WORKERPOOLADDRESS"},
		"a node away":       {exitAgain, join([]string{"--node", "http://127.0.0.1:1/secret-key"}, hub, wallet, []string{"status"}), "the node is not reachable"},
		"a node of no kind": {exitFailed, join([]string{"--node", "ws://127.0.0.1:1"}, hub, wallet, []string{"status"}), "--node"},
		"no contract":       {exitFailed, join(node, []string{"--hub", nowhere}, wallet, []string{"status"}), "there is no iExec hub at " + nowhere + " of chain 31337"},
		"another contract":  {exitFailed, join(node, []string{"--hub", c.at.RLC.String()}, wallet, []string{"status"}), "there is no iExec hub at " + c.at.RLC.String()},
		"a short address":   {exitUsage, join(node, []string{"--hub", "0x12"}, wallet, []string{"status"}), "0x and 40 hexadecimal characters"},
		"no such wallet":    {exitFailed, join(node, hub, []string{"--wallet", c.file + "x", "status"}), "--wallet: open"},
		"a broken wallet":   {exitFailed, join(node, hub, []string{"--wallet", c.stage.file("broken", "{"), "status"}), "is no wallet file"},
		"two wallets":       {exitUsage, join(node, hub, wallet, []string{"--kms", "k", "status"}), "--kms"},
		"another's pool":    {exitFailed, join(node, hub, []string{"--wallet", stranger, "--workerpool", at}, order), at + " belongs to " + c.key.Address().String()},
		"no such pool":      {exitFailed, join(node, hub, wallet, []string{"--workerpool", nowhere}, order), "no pool is registered at " + nowhere},
		"no gas":            {exitFailed, join(node, hub, []string{"--wallet", stranger, "register", "theirs"}), "has 0 wei, and the fee may be"},
		"no percentage":     {exitUsage, join(node, hub, wallet, []string{"register", "x", "--worker-stake", "101"}), "--worker-stake is 101"},
	} {
		before := c.on.Head().Number
		c.must(r.code, append([]string{"chain"}, append(r.args, yesOf(r.args)...)...)...)
		if !strings.Contains(c.errs.String(), r.says) || strings.Contains(c.errs.String(), "secret-key") {
			t.Errorf("%s: no %q in %s", name, r.says, c.errs.String())
		}
		if now := c.on.Head().Number; now != before {
			t.Errorf("%s: block %d was made", name, now)
		}
	}
	// The key is opened only when it signs: a wrong password shows then.
	c.env["POOLCTL_WALLET_PASSWORD"] = "wrong"
	c.chain(exitDone, "deposit", "1RLC")
	c.chain(exitFailed, "deposit", "1RLC", "--yes")
	c.says("the password does not open the keystore")
	delete(c.env, "POOLCTL_WALLET_PASSWORD")
	c.chain(exitUsage, "deposit", "1RLC", "--yes")
	c.says("--wallet-password-file", "POOLCTL_WALLET_PASSWORD")
	c.typed = func() (string, error) { return phrase, nil }
	c.chain(exitDone, "deposit", "1RLC", "--yes")
	c.chain(exitFailed, "--wallet-password-file", c.stage.file("empty", "\n"), "deposit", "1RLC", "--yes")
	c.says("the first line of")
}

// yesOf gives --yes to the commands that know it.
func yesOf(args []string) []string {
	if args[len(args)-1] == "status" {
		return nil
	}
	return []string{"--yes"}
}

func sealed(t *testing.T) []byte {
	t.Helper()
	key, err := ethsig.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	file, err := key.Seal(phrase)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func TestChainKeystoreLight(t *testing.T) {
	s := newStage(t)
	// A wallet of geth's standard parameters would take half a gigabyte; what is
	// compared is the account, not the parameters.
	old := s.file("wallet.json", string(sealed(t)))
	s.env["POOLCTL_WALLET_PASSWORD"] = phrase
	s.must(exitDone, "chain", "keystore-light", old)
	s.says(old + ".light")
	text, err := os.ReadFile(old + ".light")
	if err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(old)
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := ethsig.OpenKeystore(text, phrase)
	if err != nil {
		t.Fatal(err)
	}
	if was, err := ethsig.OpenKeystore(before, phrase); err != nil || was.Address() != fresh.Address() {
		t.Errorf("%v, %v", was, err)
	}
	if info, err := os.Stat(old + ".light"); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	s.must(exitFailed, "chain", "keystore-light", old)
	s.says("is there already")
	s.env["POOLCTL_WALLET_PASSWORD"] = "wrong"
	s.must(exitFailed, "chain", "keystore-light", old, "--out", filepath.Join(s.dir, "other"))
	s.says("the password does not open the keystore")
	if _, err := os.Stat(filepath.Join(s.dir, "other")); err == nil {
		t.Error("a file was made")
	}
}
