// Package chain is the door to the chain: it reads PoCo's deals and tasks from a
// node, and composes and sends one wallet's transactions. It owns the node's
// ways: batches, ranges, refusals, fees. It must not decide what is done, keep
// what it read, or judge whether a head is too old.
//
// Errors of kind pool.Unavailable say: the same call may succeed later.
package chain

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"

	"workerpool/shared/chain/node"
	"workerpool/shared/chain/poco"
	"workerpool/shared/pool"
)

// Defaults of Config.
const (
	DefaultLogRange = 1000
	DefaultFinal    = "finalized"
	DefaultTimeout  = 10 * time.Second
)

// Config is what a Client needs.
type Config struct {
	URL       string            // of the node, http or https; it may hold a key, and no error repeats it
	Hub       pool.Address      // the contract of deals and tasks
	Pool      pool.Address      // whose deals are read; zero = all pools'
	LogRange  uint64            // blocks looked through by one call at most; 0 = DefaultLogRange
	Final     string            // the node's word for blocks that can no longer change: finalized, safe or latest; "" = DefaultFinal
	Timeout   time.Duration     // of one request; 0 = DefaultTimeout
	Transport http.RoundTripper // nil = http.DefaultTransport
	Now       func() time.Time  // nil = time.Now; paces calls only, nothing of the chain is judged by it
}

// Client reads the chain. It may be used by several goroutines at once.
type Client struct {
	config   Config
	node     *node.Node
	contract *poco.Hub
	span     span
	pin      pinning
	chainID  atomic.Uint64 // 0 = not yet asked

	mu         sync.Mutex
	apps       map[pool.Address]app // what never changes is asked once
	datasets   map[pool.Address]dataset
	categories map[string]time.Duration // their T
}

// Open makes a Client. Nothing is asked of the node yet.
func Open(c Config) (*Client, error) {
	if c.LogRange == 0 {
		c.LogRange = DefaultLogRange
	}
	if c.Timeout == 0 {
		c.Timeout = DefaultTimeout
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	switch c.Final {
	case "":
		c.Final = DefaultFinal
	case "finalized", "safe", "latest":
	default:
		return nil, fmt.Errorf("blocks that can no longer change are finalized, safe or latest, not %q", c.Final)
	}
	if c.Transport == nil {
		c.Transport = http.DefaultTransport
	}
	to, err := node.Open(node.Config{URL: c.URL, Timeout: c.Timeout, Transport: c.Transport, Now: c.Now})
	if err != nil {
		return nil, err
	}
	return &Client{
		config: c, node: to, contract: poco.NewHub(), span: span{width: c.LogRange, most: c.LogRange, patience: leastPatience},
		apps: map[pool.Address]app{}, datasets: map[pool.Address]dataset{}, categories: map[string]time.Duration{},
	}, nil
}

// Calls counts what went to the node: HTTP requests, and the calls in them.
type Calls struct{ Requests, Calls int64 }

// Calls tells what has been sent so far.
func (c *Client) Calls() Calls {
	requests, calls := c.node.Sent()
	return Calls{Requests: requests, Calls: calls}
}

// ChainID gives the number of the node's chain, which never changes.
func (c *Client) ChainID(ctx context.Context) (uint64, error) {
	if id := c.chainID.Load(); id != 0 {
		return id, nil
	}
	var id hexutil.Uint64
	if err := c.node.Call(ctx, &id, "eth_chainId"); err != nil {
		return 0, err
	}
	if id == 0 {
		return 0, errors.New("the node says that its chain has the number 0")
	}
	c.chainID.Store(uint64(id))
	return uint64(id), nil
}

// Head gives the newest block and the number of the newest that can no longer
// change; 0 while there is none.
func (c *Client) Head(ctx context.Context) (pool.Head, error) {
	latest := node.Request{Method: "eth_getBlockByNumber", Args: []any{"latest", false}, Into: new(*header)}
	final := node.Request{Method: "eth_getBlockByNumber", Args: []any{c.config.Final, false}, Into: new(*header)}
	batch := []*node.Request{&latest, &final}
	if c.config.Final == "latest" {
		batch = batch[:1]
	}
	if err := c.node.Batch(ctx, batch); err != nil {
		return pool.Head{}, err
	}
	newest, err := readHeader(latest)
	if err != nil {
		return pool.Head{}, err
	}
	if newest == nil {
		return pool.Head{}, errors.New("the node has no newest block")
	}
	head := pool.Head{Block: newest.block()}
	if c.config.Final == "latest" {
		head.Finalized = head.Number
		return head, nil
	}
	// A chain that has finalized nothing says so by null or by an error.
	settled, err := readHeader(final)
	if err != nil && !node.Says(final.Err, node.NoBlock) {
		return pool.Head{}, err
	}
	if settled != nil {
		head.Finalized = uint64(*settled.Number)
	}
	if head.Finalized > head.Number {
		return pool.Head{}, pool.Down("the node", fmt.Errorf("it says that block %d can no longer change and that the newest is %d", head.Finalized, head.Number))
	}
	return head, nil
}

// Block gives a block by its number; its Hash is zero when there is none.
func (c *Client) Block(ctx context.Context, number uint64) (pool.Block, error) {
	asked := node.Request{Method: "eth_getBlockByNumber", Args: []any{hexutil.Uint64(number), false}, Into: new(*header)}
	if err := c.node.Batch(ctx, []*node.Request{&asked}); err != nil {
		return pool.Block{}, err
	}
	return blockOf(asked, number)
}

func blockOf(asked node.Request, number uint64) (pool.Block, error) {
	found, err := readHeader(asked)
	if node.Says(asked.Err, node.NoBlock) || (err == nil && found == nil) {
		return pool.Block{Number: number}, nil
	}
	if err != nil {
		return pool.Block{}, err
	}
	if uint64(*found.Number) != number {
		return pool.Block{}, fmt.Errorf("the node was asked for block %d and gave block %d", number, uint64(*found.Number))
	}
	return found.block(), nil
}

// header is what is read of a block.
type header struct {
	Number   *hexutil.Uint64 `json:"number"`
	Hash     *common.Hash    `json:"hash"`
	Time     *hexutil.Uint64 `json:"timestamp"`
	GasLimit *hexutil.Uint64 `json:"gasLimit"`
	BaseFee  *hexutil.Big    `json:"baseFeePerGas"` // nil on chains without EIP-1559
}

func (h *header) block() pool.Block {
	return pool.Block{Number: uint64(*h.Number), Hash: pool.Hash(*h.Hash), Time: time.Unix(int64(*h.Time), 0).UTC()}
}

func readHeader(asked node.Request) (*header, error) {
	if asked.Err != nil {
		return nil, asked.Err
	}
	h := *asked.Into.(**header)
	if h == nil {
		return nil, nil
	}
	if h.Number == nil || h.Hash == nil || *h.Hash == (common.Hash{}) || h.Time == nil || h.GasLimit == nil || *h.Time > 1<<40 {
		return nil, errors.New("the node gave a block without number, hash, gas limit or a sensible time")
	}
	return h, nil
}
