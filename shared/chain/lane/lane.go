// Package lane opens a pool's side of the chain of its parameters: the client that
// reads, and the sender of its wallet, after the start checks. It owns that order
// only; what is read and sent is shared/chain's.
package lane

import (
	"context"
	"fmt"
	"math/big"
	"strings"
	"time"

	"workerpool/shared/chain"
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
	_, err := c.parse()
	return err
}

func (c Config) parse() (contracts, error) {
	var out contracts
	var faults []string
	for _, p := range []struct {
		name, text string
		into       *pool.Address
	}{{"IEXECHUBCONTRACT", c.Hub, &out.Hub}, {"RLCCONTRACT", c.RLC, &out.RLC}, {"WORKERPOOLADDRESS", c.Pool, &out.Pool}} {
		address, err := pool.ParseAddress(p.text)
		if err == nil && address.IsZero() {
			err = fmt.Errorf("the address of nobody")
		}
		if err != nil {
			faults = append(faults, fmt.Sprintf("%s is no address: %v", p.name, err))
		}
		*p.into = address
	}
	if !strings.HasPrefix(c.Node, "https://") && !strings.HasPrefix(c.Node, "http://") {
		faults = append(faults, "ETHNODE is no URL that begins with https:// or http://")
	}
	if faults != nil {
		return out, fmt.Errorf("the chain's parameters have %d faults: %s", len(faults), strings.Join(faults, "; "))
	}
	return out, nil
}

// Open gives client and sender when the chain fits the parameters. The error names
// the parameter that does not; it is pool.Unavailable when somebody could not be
// reached.
func Open(ctx context.Context, c Config, secrets kms.Secrets) (*chain.Client, *chain.Sender, error) {
	at, err := c.parse()
	if err != nil {
		return nil, nil, err
	}
	wallet, err := kms.Wallet(ctx, c.KmsKey, secrets, c.Secret)
	if err != nil {
		return nil, nil, fmt.Errorf("opening the pool's wallet (WALLETSECRET, WALLETKMSKEY): %w", err)
	}
	client, err := chain.Open(chain.Config{URL: c.Node, Hub: at.Hub, Pool: at.Pool, LogRange: uint64(c.LogRange), Final: c.Final})
	if err != nil {
		return nil, nil, fmt.Errorf("ETHNODE: %w", err)
	}
	if err := client.Check(ctx, chain.CheckConfig{RLC: at.RLC, Wallet: wallet.Address()}); err != nil {
		return nil, nil, err
	}
	most := new(big.Int).Mul(big.NewInt(int64(c.MaxGasPrice)), big.NewInt(1e9))
	return client, chain.NewSender(chain.SenderConfig{Chain: client, Signer: ethsig.Signer(wallet), MaxGasPrice: most}), nil
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
