package chain

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"

	"workerpool/shared/chain/node"
	"workerpool/shared/pool"
)

// pinning is what is known of how the node takes a block's hash in the place of a
// block's number (EIP-1898).
type pinning struct{ state atomic.Int32 }

const (
	pinUnknown int32 = iota // a call about a block that cannot be shows whether the node looks at hashes at all
	pinByHash
	pinByNumber
)

// nowhere is the hash of no block.
var nowhere = common.Hash{0: 0xff, 31: 0xff}

// at makes calls about one block and no other; what the node said to each stands
// in it. Each build gets how to name the block. By number the block is looked at
// again afterwards: a reorganisation in between is an error of kind
// pool.Unavailable, as by hash.
func (c *Client) at(ctx context.Context, block pool.Block, build func(tag any) []*node.Request) ([]*node.Request, error) {
	if block.Hash.IsZero() {
		return nil, fmt.Errorf("reading at block %d, of which no hash is given", block.Number)
	}
	state := c.pin.state.Load()
	if state != pinByNumber {
		asked := build(byHash(common.Hash(block.Hash)))
		probe := node.Request{Method: "eth_getBalance", Args: []any{common.Address(c.config.Hub), byHash(nowhere)}, Into: new(hexutil.Big)}
		batch := asked
		if state == pinUnknown {
			batch = append([]*node.Request{&probe}, asked...)
		}
		if err := c.node.Batch(ctx, batch); err != nil {
			return nil, err
		}
		if state == pinByHash || !ignoresHash(&probe, asked) {
			c.pin.state.Store(pinByHash)
			return asked, nil
		}
	}
	asked := build(hexutil.Uint64(block.Number))
	if err := c.node.Batch(ctx, asked); err != nil {
		return nil, err
	}
	now, err := c.Block(ctx, block.Number)
	if err != nil {
		return nil, err
	}
	if now.Hash != block.Hash {
		return nil, pool.Down("the node", fmt.Errorf("block %d was %s and is %s: the chain was reorganised", block.Number, block.Hash, now.Hash))
	}
	if firstFailure(asked) == nil {
		c.pin.state.Store(pinByNumber)
	}
	return asked, nil
}

func byHash(h common.Hash) any {
	return map[string]any{"blockHash": h, "requireCanonical": true}
}

// ignoresHash tells that the node does not take hashes, or takes any.
func ignoresHash(probe *node.Request, asked []*node.Request) bool {
	if probe.Err == nil || node.Says(probe.Err, node.NoHash) {
		return true
	}
	for _, r := range asked {
		if node.Says(r.Err, node.NoHash) && !node.Says(r.Err, node.Reverts) {
			return true
		}
	}
	return false
}

func firstFailure(asked []*node.Request) error {
	for _, r := range asked {
		if r.Err != nil {
			return r.Err
		}
	}
	return nil
}

// question is a view of a contract.
type question struct {
	to   pool.Address
	data []byte
}

// views asks contracts at a block and gives their bytes.
func (c *Client) views(ctx context.Context, block pool.Block, questions []question) ([][]byte, error) {
	asked, err := c.tryViews(ctx, block, questions)
	if err == nil {
		err = firstFailure(asked)
	}
	if err != nil {
		return nil, err
	}
	out := make([][]byte, len(asked))
	for i, r := range asked {
		out[i] = bytesOf(r)
	}
	return out, nil
}

// tryViews is views where some may be refused.
func (c *Client) tryViews(ctx context.Context, block pool.Block, questions []question) ([]*node.Request, error) {
	if len(questions) == 0 {
		return nil, nil
	}
	return c.at(ctx, block, func(tag any) []*node.Request {
		out := make([]*node.Request, len(questions))
		for i, q := range questions {
			call := map[string]any{"to": common.Address(q.to), "data": hexutil.Bytes(q.data)}
			out[i] = &node.Request{Method: "eth_call", Args: []any{call, tag}, Into: new(hexutil.Bytes)}
		}
		return out
	})
}

func bytesOf(r *node.Request) []byte { return *r.Into.(*hexutil.Bytes) }

// View asks a contract at a block.
func (c *Client) View(ctx context.Context, block pool.Block, call Call) ([]byte, error) {
	out, err := c.views(ctx, block, []question{{call.To, call.Data}})
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// Answer is what a contract answered, or why it did not.
type Answer struct {
	Data []byte
	Err  error
}

// Ask is View of several contracts at once, of which each may refuse.
func (c *Client) Ask(ctx context.Context, block pool.Block, calls []Call) ([]Answer, error) {
	questions := make([]question, len(calls))
	for i, call := range calls {
		questions[i] = question{call.To, call.Data}
	}
	asked, err := c.tryViews(ctx, block, questions)
	if err != nil {
		return nil, err
	}
	out := make([]Answer, len(asked))
	for i, r := range asked {
		out[i] = Answer{Data: bytesOf(r), Err: r.Err}
	}
	return out, nil
}
