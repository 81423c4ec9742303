package chain

import (
	"context"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"

	"workerpool/shared/chain/node"
	"workerpool/shared/chain/poco"
	"workerpool/shared/pool"
)

// into makes a reader of an unpacker.
func into[T any](to *T, unpack func([]byte) (T, error)) func([]byte) error {
	return func(answer []byte) error {
		got, err := unpack(answer)
		if err != nil {
			return fmt.Errorf("%d bytes, %w", len(answer), err)
		}
		*to = got
		return nil
	}
}

// Owner gives who owns the pool at a block. Deals keep the owner of their match.
func (c *Client) Owner(ctx context.Context, at pool.Block) (pool.Address, error) {
	contract := poco.NewWorkerpool()
	answer, err := c.View(ctx, at, Call{c.config.Pool, contract.PackOwner()})
	if err != nil {
		return pool.Address{}, err
	}
	owner, err := contract.UnpackOwner(answer)
	if err != nil {
		return pool.Address{}, malformed("owner of "+c.config.Pool.String(), answer, err)
	}
	return pool.Address(owner), nil
}

// Purse is what a wallet has.
type Purse struct {
	Stake  pool.NRLC // at the hub, free
	Locked pool.NRLC // at the hub, for works that have not ended
	RLC    pool.NRLC // in the wallet itself
	Gas    *big.Int  // wei of the chain's own coin
	Score  int64     // of its contributions
}

// Purse tells what a wallet has at a block.
func (c *Client) Purse(ctx context.Context, at pool.Block, wallet pool.Address) (Purse, error) {
	answer, err := c.View(ctx, at, Call{c.config.Hub, c.contract.PackToken()})
	if err != nil {
		return Purse{}, err
	}
	token, err := c.contract.UnpackToken(answer)
	if err != nil {
		return Purse{}, malformed("token", answer, err)
	}
	var account poco.IexecLibCoreV5Account
	var score, balance *big.Int
	rlc, who := poco.NewRLC(), common.Address(wallet)
	gas := new(hexutil.Big)
	asked, err := c.at(ctx, at, func(tag any) []*node.Request {
		view := func(to pool.Address, data []byte) *node.Request {
			return &node.Request{Method: "eth_call", Args: []any{map[string]any{"to": common.Address(to), "data": hexutil.Bytes(data)}, tag}, Into: new(hexutil.Bytes)}
		}
		return []*node.Request{
			view(c.config.Hub, c.contract.PackViewAccount(who)),
			view(c.config.Hub, c.contract.PackViewScore(who)),
			view(pool.Address(token), rlc.PackBalanceOf(who)),
			{Method: "eth_getBalance", Args: []any{who, tag}, Into: gas},
		}
	})
	if err == nil {
		err = firstFailure(asked)
	}
	if err != nil {
		return Purse{}, err
	}
	for i, read := range []func([]byte) error{into(&account, c.contract.UnpackViewAccount), into(&score, c.contract.UnpackViewScore), into(&balance, rlc.UnpackBalanceOf)} {
		if err := read(bytesOf(asked[i])); err != nil {
			return Purse{}, fmt.Errorf("the purse of %s: %w", wallet, err)
		}
	}
	return Purse{
		Stake: pool.NRLC(small(account.Stake)), Locked: pool.NRLC(small(account.Locked)), RLC: pool.NRLC(small(balance)),
		Gas: (*big.Int)(gas), Score: small(score),
	}, nil
}
