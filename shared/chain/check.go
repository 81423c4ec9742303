package chain

import (
	"context"
	"errors"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"

	"workerpool/shared/chain/node"
	"workerpool/shared/chain/poco"
	"workerpool/shared/pool"
)

// CheckConfig is what the chain is held against, beside the Client's own Config.
type CheckConfig struct {
	ChainID uint64       // 0 = any
	RLC     pool.Address // of the token; zero = any
	Wallet  pool.Address // that is to own the pool
}

// Check tells whether the parameters fit the chain. The error names each
// parameter that does not, and what was found; it is pool.Unavailable when the
// node could not say.
func (c *Client) Check(ctx context.Context, want CheckConfig) error {
	id, err := c.ChainID(ctx)
	if err != nil {
		return fmt.Errorf("ETHNODE: %w", err)
	}
	if want.ChainID != 0 && id != want.ChainID {
		return fmt.Errorf("ETHNODE: the node is on chain %d, wanted is %d", id, want.ChainID)
	}
	head, err := c.Head(ctx)
	if err != nil {
		return fmt.Errorf("ETHNODE: %w", err)
	}
	hub, err := c.checkHub(ctx, head.Block, id)
	if err != nil {
		return err
	}
	var faults []error
	if !want.RLC.IsZero() && want.RLC != hub.token {
		faults = append(faults, fmt.Errorf("RLCCONTRACT is %s, the hub's token is %s", want.RLC, hub.token))
	}
	if err := c.checkPool(ctx, head.Block, hub.registry, want.Wallet); err != nil {
		faults = append(faults, err)
	}
	return errors.Join(faults...)
}

type hubFacts struct{ token, registry pool.Address }

// checkHub asks the contract whether it is the hub that this package speaks to.
func (c *Client) checkHub(ctx context.Context, at pool.Block, chain uint64) (hubFacts, error) {
	if c.config.Hub.IsZero() {
		return hubFacts{}, errors.New("IEXECHUBCONTRACT is blank")
	}
	var domain poco.IexecLibOrdersV5EIP712Domain
	var token, registry common.Address
	ratios := make([]*big.Int, 3)
	hub := c.contract
	parts := []struct {
		name, data string
		read       func(answer []byte) error
	}{
		{"domain", string(hub.PackDomain()), into(&domain, hub.UnpackDomain)},
		{"token", string(hub.PackToken()), into(&token, hub.UnpackToken)},
		{"workerpoolregistry", string(hub.PackWorkerpoolregistry()), into(&registry, hub.UnpackWorkerpoolregistry)},
		{"contribution_deadline_ratio", string(hub.PackContributionDeadlineRatio()), into(&ratios[0], hub.UnpackContributionDeadlineRatio)},
		{"reveal_deadline_ratio", string(hub.PackRevealDeadlineRatio()), into(&ratios[1], hub.UnpackRevealDeadlineRatio)},
		{"final_deadline_ratio", string(hub.PackFinalDeadlineRatio()), into(&ratios[2], hub.UnpackFinalDeadlineRatio)},
	}
	var questions []question
	for _, p := range parts {
		questions = append(questions, question{c.config.Hub, []byte(p.data)})
	}
	asked, err := c.tryViews(ctx, at, questions)
	if err != nil {
		return hubFacts{}, fmt.Errorf("ETHNODE: %w", err)
	}
	for i, p := range parts {
		err := asked[i].Err
		if pool.KindOf(err) == pool.Unavailable {
			return hubFacts{}, fmt.Errorf("ETHNODE: %w", err)
		}
		if err == nil {
			err = p.read(bytesOf(asked[i]))
		}
		if err != nil {
			return hubFacts{}, fmt.Errorf("IEXECHUBCONTRACT: %s is no iExec hub on chain %d, it does not answer %s: %w", c.config.Hub, chain, p.name, err)
		}
	}
	if domain.Name != "iExecODB" || pool.Address(domain.VerifyingContract) != c.config.Hub || !domain.ChainId.IsUint64() || domain.ChainId.Uint64() != chain {
		return hubFacts{}, fmt.Errorf("IEXECHUBCONTRACT: %s says it is %q at %s of chain %s, wanted is \"iExecODB\" at that address of chain %d",
			c.config.Hub, domain.Name, pool.Address(domain.VerifyingContract), domain.ChainId, chain)
	}
	for i, ratio := range []int64{pool.ContributeFor, pool.RevealFor, pool.FinalAfter} {
		if small(ratios[i]) != ratio {
			return hubFacts{}, fmt.Errorf("IEXECHUBCONTRACT: %s has a %s of %s, this pool knows %d", c.config.Hub, parts[3+i].name, ratios[i], ratio)
		}
	}
	return hubFacts{token: pool.Address(token), registry: pool.Address(registry)}, nil
}

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

func (c *Client) checkPool(ctx context.Context, at pool.Block, registry, wallet pool.Address) error {
	if c.config.Pool.IsZero() {
		return errors.New("WORKERPOOLADDRESS is blank")
	}
	entries := poco.NewWorkerpoolRegistry()
	answer, err := c.View(ctx, at, Call{registry, entries.PackIsRegistered(common.Address(c.config.Pool))})
	if err != nil {
		return fmt.Errorf("ETHNODE: %w", err)
	}
	registered, err := entries.UnpackIsRegistered(answer)
	if err != nil {
		return fmt.Errorf("IEXECHUBCONTRACT: its registry of workerpools: %w", malformed("isRegistered", answer, err))
	}
	if !registered {
		return fmt.Errorf("WORKERPOOLADDRESS: %s is not in the hub's registry of workerpools", c.config.Pool)
	}
	owner, err := c.Owner(ctx, at)
	if err != nil {
		return fmt.Errorf("WORKERPOOLADDRESS: %w", err)
	}
	if owner != wallet {
		return fmt.Errorf("WALLETPATH: the wallet is %s, the pool %s of WORKERPOOLADDRESS is owned by %s", wallet, c.config.Pool, owner)
	}
	return nil
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
