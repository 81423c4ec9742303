package chain

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"

	"workerpool/shared/chain/node"
	"workerpool/shared/ethsig"
	"workerpool/shared/pool"
)

// SenderConfig is what a Sender needs.
type SenderConfig struct {
	Chain       *Client
	Signer      ethsig.Signer
	MaxGasPrice *big.Int // wei for a unit of gas at most; nil = whatever it costs
}

// Sender is one wallet's lane of transactions. It keeps nothing: nonces and what
// was signed stand in its caller's books, before anything is sent.
type Sender struct {
	config SenderConfig
	chain  *Client
}

// NewSender makes a Sender.
func NewSender(c SenderConfig) *Sender { return &Sender{config: c, chain: c.Chain} }

// Wallet is whose lane it is.
func (s *Sender) Wallet() pool.Address { return s.config.Signer.Address() }

// Nonce gives the nonce of the wallet's next transaction after all that the block
// and those before it hold.
func (s *Sender) Nonce(ctx context.Context, at pool.Block) (uint64, error) {
	asked, err := s.chain.at(ctx, at, func(tag any) []*node.Request {
		return []*node.Request{{Method: "eth_getTransactionCount", Args: []any{common.Address(s.Wallet()), tag}, Into: new(hexutil.Uint64)}}
	})
	if err != nil {
		return 0, err
	}
	return uint64(*asked[0].Into.(*hexutil.Uint64)), asked[0].Err
}

// ErrReverts is the cause of an error of kind pool.Conflict: the contracts refuse
// the call in the present state.
var ErrReverts = errors.New("the contracts refuse")

// RevertError is ErrReverts with what is refused.
type RevertError struct {
	Actions []pool.Action // those that are refused alone; empty when none is, or none was given
	Reason  string        // PoCo gives none in most cases
}

func (e *RevertError) Error() string {
	var what []string
	for _, a := range e.Actions {
		what = append(what, fmt.Sprintf("action %d to %s task %s", a.ID, a.Kind, a.Task))
	}
	return strings.Join(append(what, e.Reason), "; ")
}

// Is implements errors.Is.
func (e *RevertError) Is(target error) bool { return target == ErrReverts }

// Refused gives the ids of the actions that are refused alone.
func (e *RevertError) Refused() []int64 {
	var out []int64
	for _, a := range e.Actions {
		out = append(out, a.ID)
	}
	return out
}

// Compose makes the transaction of a broadcast: it estimates its gas, prices and
// signs it, and gives the broadcast with Wallet, Hash and Raw. Kind, Nonce and
// Attempt are given; no kind is a transaction that does nothing but take its
// nonce. From the second attempt on the fees rise as nodes ask of a replacement:
// by an eighth above those in Raw, when the bytes of the attempt before are given
// there. The error is pool.Conflict with a RevertError when the call would fail,
// pool.Unavailable with ErrGasPrice when gas costs more than is allowed.
func (s *Sender) Compose(ctx context.Context, b pool.Broadcast, actions []pool.Action) (pool.Broadcast, error) {
	call := Call{To: s.Wallet()}
	if b.Kind != "" {
		var err error
		if call, err = s.chain.callOf(b.Kind, actions); err != nil {
			return pool.Broadcast{}, err
		}
	} else if len(actions) > 0 {
		return pool.Broadcast{}, fmt.Errorf("%d actions in a broadcast that is to do nothing", len(actions))
	}
	out, err := s.compose(ctx, b, call, slices.ContainsFunc(actions, func(a pool.Action) bool { return len(a.Callback) > 0 }))
	if revert := (*RevertError)(nil); errors.As(err, &revert) {
		if revert.Actions, err = s.blame(ctx, b.Kind, actions); err != nil {
			return pool.Broadcast{}, err
		}
		return pool.Broadcast{}, refused(revert)
	}
	return out, err
}

// ComposeCall is Compose for any call.
func (s *Sender) ComposeCall(ctx context.Context, b pool.Broadcast, call Call) (pool.Broadcast, error) {
	return s.compose(ctx, b, call, false)
}

// compose makes a transaction; in one that calls back the hub calls a contract of
// the requester's at its end.
func (s *Sender) compose(ctx context.Context, b pool.Broadcast, call Call, callsBack bool) (pool.Broadcast, error) {
	id, err := s.chain.ChainID(ctx)
	if err != nil {
		return pool.Broadcast{}, err
	}
	gas, onward := s.estimate(call), s.chain.askCallbackGas()
	market := newMarket()
	asked := append(market.requests(), gas)
	if callsBack {
		asked = append(asked, onward)
	}
	if err := s.chain.node.Batch(ctx, asked); err != nil {
		return pool.Broadcast{}, err
	}
	if err := s.judge(gas.Err); err != nil {
		return pool.Broadcast{}, err
	}
	price, err := market.price(b, s.config.MaxGasPrice)
	if err != nil {
		return pool.Broadcast{}, err
	}
	limit := uint64(*gas.Into.(*hexutil.Uint64))
	// Head room: a contribution that others in its block make the deciding one takes
	// up to 45 % more than it was estimated at, and prices of data and storage move.
	room := limit / 10 * 6
	if callsBack {
		// The estimate is the least with which the hub does not mind what becomes of
		// the contract that it calls: the contract may have been short of gas.
		onward, err := s.chain.readCallbackGas(onward)
		if err != nil {
			return pool.Broadcast{}, err
		}
		room += onward
	}
	limit = min(limit+room, max(limit, uint64(*market.newest.GasLimit)))
	return s.sign(ctx, b, id, price.transaction(id, b.Nonce, call, limit))
}

func (s *Sender) sign(ctx context.Context, b pool.Broadcast, chain uint64, tx *types.Transaction) (pool.Broadcast, error) {
	rules := types.LatestSignerForChainID(new(big.Int).SetUint64(chain))
	signature, err := s.config.Signer.Sign(ctx, rules.Hash(tx))
	if err != nil {
		return pool.Broadcast{}, fmt.Errorf("signing a transaction: %w", err)
	}
	signature[64] -= 27
	if tx, err = tx.WithSignature(rules, signature[:]); err != nil {
		return pool.Broadcast{}, fmt.Errorf("signing a transaction: %w", err)
	}
	raw, err := tx.MarshalBinary()
	if err != nil {
		return pool.Broadcast{}, fmt.Errorf("encoding a transaction: %w", err)
	}
	b.Wallet, b.Hash, b.Raw = s.Wallet(), pool.Hash(tx.Hash()), raw
	return b, nil
}

func (s *Sender) estimate(call Call) *node.Request {
	return &node.Request{Method: "eth_estimateGas", Into: new(hexutil.Uint64), Args: []any{map[string]any{
		"from": common.Address(s.Wallet()), "to": common.Address(call.To), "data": hexutil.Bytes(call.Data),
	}}}
}

// judge tells a call that the contracts refuse from one that could not be tried.
func (s *Sender) judge(err error) error {
	switch {
	case err == nil:
		return nil
	case node.Code(err) == node.Reverted, node.Says(err, node.Reverts):
		return refused(&RevertError{Reason: node.Told(err)})
	case node.Says(err, node.Poor):
		return s.poor(err)
	}
	return err
}

func refused(e *RevertError) error {
	return &pool.Error{Kind: pool.Conflict, Message: "the contracts refuse the call in the present state", Cause: e}
}

func (s *Sender) poor(err error) error {
	return &pool.Error{Kind: pool.Unavailable, Message: "the wallet " + s.Wallet().String() + " cannot pay for its gas", Cause: err}
}

// blame finds the actions that are refused alone.
func (s *Sender) blame(ctx context.Context, kind pool.ActionKind, actions []pool.Action) ([]pool.Action, error) {
	if len(actions) < 2 {
		return actions, nil
	}
	asked := make([]*node.Request, len(actions))
	for i := range actions {
		call, err := s.chain.callOf(kind, actions[i:i+1])
		if err != nil {
			return nil, err
		}
		asked[i] = s.estimate(call)
	}
	if err := s.chain.node.Batch(ctx, asked); err != nil {
		return nil, err
	}
	var out []pool.Action
	for i, r := range asked {
		err := s.judge(r.Err)
		if err != nil && !errors.Is(err, ErrReverts) {
			return nil, err
		}
		if err != nil {
			out = append(out, actions[i])
		}
	}
	return out, nil
}

// Send gives a signed transaction to the node. Bytes that the node has or had,
// and bytes whose nonce was used meanwhile, are no error: the receipt tells what
// became of them. The error is pool.Unavailable when the same bytes may be sent
// again: the node is away, those before are missing, or the wallet cannot pay;
// pool.Conflict when they will not be taken: the fee has become too low.
func (s *Sender) Send(ctx context.Context, raw []byte) error {
	tx := new(types.Transaction)
	if err := tx.UnmarshalBinary(raw); err != nil {
		return fmt.Errorf("sending what is no transaction: %w", err)
	}
	var hash common.Hash
	err := s.chain.node.Call(ctx, &hash, "eth_sendRawTransaction", hexutil.Bytes(raw))
	switch {
	case err == nil && hash != tx.Hash():
		return fmt.Errorf("the node was sent transaction %s and says that it is %s", tx.Hash(), hash)
	case err == nil, node.Says(err, node.Known):
		return nil
	case node.Says(err, node.Poor):
		return s.poor(err)
	case node.Says(err, node.Early):
		return &pool.Error{Kind: pool.Unavailable, Message: "the node wants the transactions with lower nonces first", Cause: err}
	case node.Says(err, node.Unfit):
		return &pool.Error{Kind: pool.Conflict, Message: "the node does not take the transaction as it is", Cause: err}
	}
	return err
}

// Receipts tells what became of transactions, in the order of hashes.
func (s *Sender) Receipts(ctx context.Context, hashes []pool.Hash) ([]pool.Receipt, error) {
	asked := make([]*node.Request, len(hashes))
	for i, h := range hashes {
		asked[i] = &node.Request{Method: "eth_getTransactionReceipt", Args: []any{common.Hash(h)}, Into: new(*receipt)}
	}
	if err := s.chain.node.Batch(ctx, asked); err != nil {
		return nil, err
	}
	out := make([]pool.Receipt, len(hashes))
	for i, r := range asked {
		if r.Err != nil {
			return nil, r.Err
		}
		out[i] = pool.Receipt{Hash: hashes[i]}
		got := *r.Into.(**receipt)
		if got == nil || got.Number == nil {
			continue // pending, or never seen
		}
		if got.Status == nil || got.Gas == nil || got.Hash != common.Hash(hashes[i]) {
			return nil, fmt.Errorf("the node gave no receipt of transaction %s", hashes[i])
		}
		out[i].Found, out[i].Block, out[i].Good, out[i].Gas = true, uint64(*got.Number), *got.Status == 1, int64(*got.Gas)
	}
	return out, nil
}

// receipt is what is read of one.
type receipt struct {
	Hash   common.Hash     `json:"transactionHash"`
	Number *hexutil.Uint64 `json:"blockNumber"`
	Status *hexutil.Uint64 `json:"status"`
	Gas    *hexutil.Uint64 `json:"gasUsed"`
}
