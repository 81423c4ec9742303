//go:build linux

package main

import (
	"bytes"
	"io"
	"math/big"
	"slices"
	"strings"
	"testing"

	"workerpool/shared/ethsig"
)

// keystore is a key that is anybody's, in a file that opens at once.
func keystore(t *testing.T, password string) (*ethsig.Key, string) {
	t.Helper()
	key, err := ethsig.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := key.Seal(password)
	if err != nil {
		t.Fatal(err)
	}
	return key, file(t, "wallet.json", string(sealed))
}

const (
	someHub  = "0x3eca1B216A7DF1C7689aEb259fFB83ADFB894E7f"
	somePool = "0x0000000000000000000000000000000000000007"
)

func TestWalletIsGivenWhole(t *testing.T) {
	key, path := keystore(t, "open sesame")
	secret := from(map[string]string{"WORKER_PASSWORD": "hush"})
	base := []string{"-pool", "https://pool.example.com", "-login", "me", "-apps", "sh=/bin/sh"}
	whole := map[string]string{
		"wallet": path, "wallet-password-file": file(t, "password", "open sesame\n"), "node": "https://node.example.com/v2/hidden", "hub": someHub, "pool-address": somePool,
	}
	with := func(change map[string]string) []string {
		arguments := slices.Clone(base)
		for name, value := range whole {
			if other, changed := change[name]; changed {
				value = other
			}
			arguments = append(arguments, "-"+name, value)
		}
		for name, value := range change {
			if _, known := whole[name]; !known {
				arguments = append(arguments, "-"+name, value)
			}
		}
		return arguments
	}
	for name, c := range map[string]struct {
		change map[string]string
		want   []string
	}{
		"no wallet":         {map[string]string{"wallet": ""}, []string{"-wallet: must be set as -wallet-password-file is"}},
		"no password":       {map[string]string{"wallet-password-file": ""}, []string{"-wallet-password-file: must be set as -wallet is"}},
		"no node":           {map[string]string{"node": ""}, []string{"-node: must be set as -wallet is"}},
		"no hub":            {map[string]string{"hub": ""}, []string{"-hub: must be set as -wallet is"}},
		"neither":           {map[string]string{"hub": "", "pool-address": ""}, []string{"-hub: must be set", "-pool-address: must be set"}},
		"zero":              {map[string]string{"hub": "0x" + strings.Repeat("0", 40)}, []string{"-hub: must be set"}},
		"missing file":      {map[string]string{"wallet": "/nowhere/w"}, []string{"-wallet: open /nowhere/w: no such file"}},
		"missing password":  {map[string]string{"wallet-password-file": "/nowhere/p"}, []string{"-wallet-password-file: open /nowhere/p: no such file"}},
		"wrong password":    {map[string]string{"wallet-password-file": file(t, "password", "open barley")}, []string{"-wallet-password-file: the password does not open the keystore in " + path}},
		"no keystore":       {map[string]string{"wallet": file(t, "w", "{}")}, []string{"-wallet: ", "the keystore is broken"}},
		"no URL":            {map[string]string{"node": "node.example.com"}, []string{"-node: the node's URL is none of http or https"}},
		"no address":        {map[string]string{"hub": "0x12", "pool-address": "7"}, []string{"-hub: 0x and 40", "-pool-address: 0x and 40"}},
		"no price":          {map[string]string{"max-gas-price": "-1"}, []string{"-max-gas-price: want a number of gwei"}},
		"price below a wei": {map[string]string{"max-gas-price": "0.0000000001"}, []string{"-max-gas-price: want a number of gwei"}},
		"price in words":    {map[string]string{"max-gas-price": "1e3"}, []string{"-max-gas-price: want a number of gwei"}},
		"price no number":   {map[string]string{"max-gas-price": "cheap"}, []string{"-max-gas-price: want a number of gwei"}},
		"amounts":           {map[string]string{"min-price": "1.5", "max-stake": "-1"}, []string{"-min-price: want a number of nRLC", "-max-stake: want a number of nRLC"}},
	} {
		_, err := configure(with(c.change), secret, io.Discard)
		for _, want := range c.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %q", name, err, want)
			}
		}
		if err != nil && strings.Contains(err.Error(), "sesame") {
			t.Errorf("%s: the password is told: %v", name, err)
		}
	}

	c, err := configure(with(map[string]string{"max-gas-price": "0.05", "min-price": "10", "max-stake": "9"}), secret, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	w := c.wallet
	if w.key.Address() != key.Address() || w.hub.String() != strings.ToLower(someHub) || w.gasPrice.Cmp(big.NewInt(50_000_000)) != 0 || w.minPrice != 10 || w.maxStake != 9 {
		t.Errorf("%+v", w)
	}
	var shown bytes.Buffer
	c.show(&shown)
	if strings.Contains(shown.String(), "hidden") || !strings.Contains(shown.String(), "# node = https://node.example.com/***") || !strings.Contains(shown.String(), "max-gas-price = 0.05\n") {
		t.Errorf("the node's key is shown, or nothing of the node:\n%s", shown.String())
	}
	// What is shown can be read again, where the node's URL tells nothing.
	plain, err := configure(with(map[string]string{"node": "http://127.0.0.1:8545", "max-gas-price": "100"}), secret, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	shown.Reset()
	plain.show(&shown)
	again, err := configure([]string{"-config", file(t, "shown.conf", shown.String())}, secret, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if again.wallet.node != "http://127.0.0.1:8545" || again.wallet.gasPrice.Cmp(plain.wallet.gasPrice) != 0 || again.wallet.key.Address() != key.Address() {
		t.Errorf("%+v", again.wallet)
	}
	if none, err := configure(base, secret, io.Discard); err != nil || none.wallet.key != nil {
		t.Errorf("without a wallet: %v", err)
	}
}
