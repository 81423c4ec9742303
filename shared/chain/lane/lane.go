// Package lane opens a pool's side of the chain of its parameters: the client that
// reads, and the sender of its wallet, after the start checks. It owns that order
// only; what is read and sent is shared/chain's.
package lane

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"

	"workerpool/shared/chain"
	"workerpool/shared/chain/fit"
	"workerpool/shared/chain/kms"
	"workerpool/shared/ethsig"
	"workerpool/shared/pool"
)

// Config is the parameters as they are written; each is named as in the
// environment by the error that refuses it.
type Config struct {
	Node        string // ETHNODE
	Hub         string // IEXECHUBCONTRACT
	Pool        string // WORKERPOOLADDRESS
	RLC         string // RLCCONTRACT
	ChainID     int    // CHAINID
	LogRange    int    // CHAINLOGRANGE: blocks
	Final       string // CHAINFINALITY
	MaxGasPrice int    // MAXGASPRICE: gwei
	KmsKey      string // WALLETKMSKEY
	Secret      string // WALLETSECRET
}

type contracts struct{ Hub, Pool, RLC pool.Address }

// Faults tells what is wrong with the forms of all addresses and of the node's URL,
// unless there is no chain; nothing is asked of anybody.
func (c Config) Faults(on bool) error {
	if !on {
		return nil
	}
	_, faults := c.parse()
	return faults.Err()
}

func (c Config) parse() (out contracts, faults fit.Faults) {
	if !strings.HasPrefix(c.Node, "https://") && !strings.HasPrefix(c.Node, "http://") {
		faults = append(faults, fit.Fault{Parameter: "ETHNODE", Found: "no URL that begins with https:// or http://", Expected: "that of a JSON-RPC node"})
	}
	for _, p := range []struct {
		name, text, of string
		into           *pool.Address
	}{
		{"IEXECHUBCONTRACT", c.Hub, "iExec's hub", &out.Hub}, {"RLCCONTRACT", c.RLC, "the hub's token", &out.RLC},
		{"WORKERPOOLADDRESS", c.Pool, "the pool on the chain", &out.Pool},
	} {
		address, err := pool.ParseAddress(p.text)
		found := fmt.Sprintf("%q", p.text)
		switch {
		case p.text == "":
			found = "nothing"
		case err == nil && address.IsZero():
			found = "the address of nobody"
		case err == nil:
			*p.into = address
			continue
		}
		faults = append(faults, fit.Fault{Parameter: p.name, Found: found, Expected: "the address of " + p.of + ", 0x and 40 hexadecimal characters"})
	}
	return out, faults
}

// Open gives client and sender when the chain fits the parameters. The error is
// fit.Faults with all that do not; it is pool.Unavailable when there is no other
// than that somebody could not be reached.
func Open(ctx context.Context, c Config, secrets kms.Secrets) (*chain.Client, *chain.Sender, error) {
	client, wallet, err := c.open(ctx, secrets)
	if err != nil {
		return nil, nil, err
	}
	most := new(big.Int).Mul(big.NewInt(int64(c.MaxGasPrice)), big.NewInt(1e9))
	return client, chain.NewSender(chain.SenderConfig{Chain: client, Signer: wallet, MaxGasPrice: most}), nil
}

// Check makes the start checks and nothing else: it reads the chain and the wallet,
// and sends and stores nothing. Its error is that of Open.
func Check(ctx context.Context, c Config, secrets kms.Secrets) error {
	_, _, err := c.open(ctx, secrets)
	return err
}

// open looks at everything that can be looked at, whatever is wrong before.
func (c Config) open(ctx context.Context, secrets kms.Secrets) (*chain.Client, ethsig.Signer, error) {
	at, faults := c.parse()
	want := fit.Wanted{Node: c.Node, ChainID: uint64(c.ChainID), Hub: at.Hub, RLC: at.RLC, Pool: at.Pool}
	wallet, err := kms.Wallet(ctx, c.KmsKey, secrets, c.Secret)
	if err != nil {
		faults = append(faults, c.locked(err))
	} else {
		want.Wallet = wallet.Address()
	}
	if faults.Names("ETHNODE") {
		return nil, nil, faults
	}
	client, err := chain.Open(chain.Config{URL: c.Node, Hub: at.Hub, Pool: at.Pool, LogRange: uint64(c.LogRange), Final: c.Final})
	if err != nil {
		return nil, nil, append(faults, fit.Fault{Parameter: "ETHNODE", Found: err.Error(), Expected: "the URL of a JSON-RPC node"})
	}
	var seen fit.Faults
	if err := fit.Check(ctx, client, want); err != nil && !errors.As(err, &seen) {
		return nil, nil, err
	}
	for _, fault := range seen {
		if !faults.Names(fault.Parameter) { // a blank address is named once
			faults = append(faults, fault)
		}
	}
	return client, wallet, faults.Err()
}

// locked is the fault of a wallet that does not open.
func (c Config) locked(err error) fit.Fault {
	out := fit.Fault{Parameter: "WALLETSECRET", Found: err.Error(), Expected: "a keystore and the password that opens it"}
	if c.KmsKey != "" {
		out.Parameter, out.Expected = "WALLETKMSKEY", "a key of KMS that the pool may sign by"
	}
	if pool.KindOf(err) == pool.Unavailable {
		out.Away = err
	}
	return out
}

// Overlap is how many blocks are read again now and then, and gone back by in a
// reorganisation: more than any chain of today takes back.
const Overlap = 128

// Wait waits between two looks at the chain, unless ctx ends before.
func Wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
