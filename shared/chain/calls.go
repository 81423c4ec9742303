package chain

import (
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"

	"workerpool/shared/chain/node"
	"workerpool/shared/pool"
)

// Call is a call of a contract that changes something, without value.
type Call struct {
	To   pool.Address
	Data []byte
}

// callOf gives the call of actions of a kind; several only where the contracts
// take several. It happens as a whole or not at all.
func (c *Client) callOf(kind pool.ActionKind, actions []pool.Action) (Call, error) {
	for _, a := range actions {
		if a.Kind != kind {
			return Call{}, fmt.Errorf("action %d is to %s, the broadcast is to %s", a.ID, a.Kind, kind)
		}
	}
	deals, tasks, indices := make([][32]byte, len(actions)), make([][32]byte, len(actions)), make([]*big.Int, len(actions))
	for i, a := range actions {
		deals[i], tasks[i], indices[i] = a.Deal, a.Task, big.NewInt(int64(a.Index))
	}
	out := Call{To: c.config.Hub}
	one := len(actions) == 1
	switch {
	case len(actions) == 0:
		return Call{}, fmt.Errorf("nothing to %s", kind)
	case kind == pool.Initialize && one:
		out.Data = c.contract.PackInitialize(deals[0], indices[0])
	case kind == pool.Initialize:
		out.Data = c.contract.PackInitializeArray(deals, indices)
	case kind == pool.Claim && one:
		out.Data = c.contract.PackClaim(tasks[0])
	case kind == pool.Claim:
		out.Data = c.contract.PackClaimArray(tasks)
	case kind == pool.InitializeClaim:
		out.Data = c.contract.PackInitializeAndClaimArray(deals, indices)
	case kind == pool.Finalize && one:
		out.Data = c.contract.PackFinalize(tasks[0], actions[0].Results, actions[0].Callback)
	case kind == pool.Reopen && one:
		out.Data = c.contract.PackReopen(tasks[0])
	default:
		return Call{}, fmt.Errorf("%d actions to %s do not go into one broadcast", len(actions), kind)
	}
	return out, nil
}

// askCallbackGas asks what gas the hub gives the contracts that it calls back
// (callbackgas). Its owner may change it.
func (c *Client) askCallbackGas() *node.Request {
	call := map[string]any{"to": common.Address(c.config.Hub), "data": hexutil.Bytes(c.contract.PackCallbackgas())}
	return &node.Request{Method: "eth_call", Args: []any{call, "latest"}, Into: new(hexutil.Bytes)}
}

func (c *Client) readCallbackGas(asked *node.Request) (uint64, error) {
	if asked.Err != nil {
		return 0, asked.Err
	}
	gas, err := c.contract.UnpackCallbackgas(bytesOf(asked))
	if err != nil {
		return 0, malformed("callbackgas", bytesOf(asked), err)
	}
	return uint64(small(gas)), nil
}

// Contribute is a worker's word on a task: the hash and the seal of its result,
// under the pool's authorisation (65 bytes).
func (c *Client) Contribute(task, hash, seal pool.Hash, authorisation []byte) Call {
	return Call{To: c.config.Hub, Data: c.contract.PackContribute(task, hash, seal, [20]byte{}, nil, authorisation)}
}

// Reveal opens what the wallet contributed to a task that has a consensus.
func (c *Client) Reveal(task pool.Hash, digest pool.Digest) Call {
	return Call{To: c.config.Hub, Data: c.contract.PackReveal(task, digest)}
}
