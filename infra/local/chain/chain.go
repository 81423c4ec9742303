// Package chain runs a chain of its own in this process, for tests, `make run` and
// `make demo`: a real Ethereum node, in memory or on disk, asked by HTTP and WebSocket
// like any other. It owns the blocks: when they are made, at what time, and which are made
// again otherwise. What runs on the chain is the business of the packages below.
//
// Its money is play money. What it does unlike a public chain: a block is at least
// a second younger than the one before it, so many quick blocks run ahead of the
// wall clock; the newest block that can no longer change is the last one whose
// number 32 divides; a sending pays a tip of at least 1 wei, or is refused.
package chain

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/rawdb"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/eth"
	"github.com/ethereum/go-ethereum/eth/catalyst"
	"github.com/ethereum/go-ethereum/eth/ethconfig"
	"github.com/ethereum/go-ethereum/eth/filters"
	"github.com/ethereum/go-ethereum/node"
	"github.com/ethereum/go-ethereum/p2p"
	"github.com/ethereum/go-ethereum/params"
	"github.com/ethereum/go-ethereum/rpc"

	"workerpool/shared/ethsig"
	"workerpool/shared/pool"
)

// Defaults of Config.
const (
	DefaultID  = 31337
	blockRoom  = 32_000_000 // gas, as on public chains
	leastTip   = 1          // wei
	finalEvery = 32         // blocks; fixed in the node
	diskCache  = 32         // MiB
)

// Config says what the chain is.
type Config struct {
	ID     uint64         // the chain's number; 0 = DefaultID
	Addr   string         // where HTTP and WebSocket are served, on 127.0.0.1; "" = a free port
	Period time.Duration  // a block each time it passes, as on public chains; 0 = one as soon as there is something to put into it
	Quiet  time.Duration  // with Period: how long no block is made while there is nothing to put into one; 0 = none is left out
	Fund   []pool.Address // have money for gas from the first block
	Ahead  time.Duration  // of the wall clock is the chain's, or behind it when negative
	Dir    string         // keeps the chain, which goes on from there, each block as soon as it is made; "" = in memory
}

// Chain is a chain that runs.
type Chain struct {
	id    uint64
	addr  string
	stack *node.Node
	eth   *eth.Ethereum
	rpc   *rpc.Client
	rich  *Account
	stop  chan struct{}
	ended sync.WaitGroup

	mu      sync.Mutex // whoever makes or unmakes blocks
	beacon  *catalyst.SimulatedBeacon
	paused  bool
	mined   chan struct{} // closed at the next block
	arrived chan struct{} // there may be something to put into a block
	signer  types.Signer
	ahead   time.Duration
	latest  uint64 // second that commit gave to a block
}

// wealth is what an account has of the chain's own money at the start: 10,000.
var wealth = new(big.Int).Mul(big.NewInt(10_000), big.NewInt(params.Ether))

// Start starts a chain with the first block made now, or goes on with the one in Dir.
func Start(c Config) (*Chain, error) {
	if c.ID == 0 {
		c.ID = DefaultID
	}
	if c.Addr == "" {
		c.Addr = "127.0.0.1:0"
	}
	host, port, err := net.SplitHostPort(c.Addr)
	if err != nil {
		return nil, fmt.Errorf("the chain's address: %w", err)
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil || host != "127.0.0.1" {
		return nil, fmt.Errorf("the chain is served on 127.0.0.1:<port>, not on %q", c.Addr)
	}
	// The same account on every chain, so that the same contracts get the same addresses.
	seed := ethsig.Keccak([]byte("a rich account of a chain of play money"))
	key, err := ethsig.NewKey(seed[:])
	if err != nil {
		return nil, fmt.Errorf("making the rich account: %w", err)
	}
	stack, err := node.New(&node.Config{
		Name: "chain", DataDir: c.Dir, P2P: p2p.Config{NoDiscovery: true, NoDial: true},
		// HTTP and WebSocket of the same port are one server.
		HTTPHost: host, HTTPPort: int(number), HTTPModules: []string{"eth", "net", "web3"},
		WSHost: host, WSPort: int(number), WSModules: []string{"eth", "net", "web3"}, WSOrigins: []string{"*"},
		HTTPTimeouts: rpc.DefaultHTTPTimeouts, BatchRequestLimit: node.DefaultConfig.BatchRequestLimit, BatchResponseMaxSize: node.DefaultConfig.BatchResponseMaxSize,
	})
	if err != nil {
		return nil, fmt.Errorf("making the node: %w", err)
	}
	chain := &Chain{
		id: c.ID, stack: stack, stop: make(chan struct{}), mined: make(chan struct{}), arrived: make(chan struct{}, 1),
		signer: types.LatestSignerForChainID(new(big.Int).SetUint64(c.ID)), ahead: c.Ahead,
	}
	chain.rich = chain.Account(key)
	if err := chain.start(c.Dir, slices.Concat(c.Fund, []pool.Address{key.Address()})); err != nil {
		return nil, errors.Join(err, stack.Close())
	}
	chain.addr = stack.HTTPEndpoint()
	arrivals := make(chan core.NewTxsEvent, 64)
	subscription := chain.eth.TxPool().SubscribeTransactions(arrivals, true)
	chain.ended.Go(func() {
		defer subscription.Unsubscribe()
		chain.listen(arrivals)
	})
	chain.ended.Go(func() { chain.mine(c.Period, c.Quiet) })
	return chain, nil
}

func (c *Chain) start(dir string, funded []pool.Address) error {
	alloc := core.SystemContractAllocs()
	for _, to := range funded {
		alloc[common.Address(to)] = types.Account{Balance: wealth}
	}
	// The rules of today: those of forks to come price the making of state anew,
	// and an initialize then costs more than three times as much.
	rules := *params.AllDevChainProtocolChanges
	rules.ChainID = new(big.Int).SetUint64(c.id)
	rules.BogotaTime, rules.AmsterdamTime, rules.UBTTime = nil, nil, nil
	config := ethconfig.Defaults
	config.SyncMode = ethconfig.FullSync
	config.LogNoHistory = true // else logs are looked up in an index that lags behind
	config.Genesis = &core.Genesis{Config: &rules, GasLimit: blockRoom, Timestamp: uint64(time.Now().Add(c.ahead).Unix()), Alloc: alloc}
	config.Miner.GasCeil = blockRoom
	config.Miner.GasPrice = big.NewInt(leastTip)
	config.TxPool.PriceLimit = leastTip
	config.TxPool.NoLocals = true
	if dir != "" {
		// All states on disk at once, so that none is lost however the program ends.
		config.StateScheme, config.NoPruning, config.SnapshotCache, config.TrieDirtyCache, config.DatabaseCache = rawdb.HashScheme, true, 0, 0, diskCache
		if _, err := os.Stat(c.stack.ResolvePath("chaindata")); err == nil {
			config.Genesis = nil // as it is there
		}
	}
	backend, err := eth.New(c.stack, &config)
	if err != nil {
		return fmt.Errorf("making the chain: %w", err)
	}
	c.eth = backend
	c.stack.RegisterAPIs([]rpc.API{{Namespace: "eth", Service: filters.NewFilterAPI(filters.NewFilterSystem(backend.APIBackend, filters.Config{}))}})
	if err := c.stack.Start(); err != nil {
		return fmt.Errorf("starting the node: %w", err)
	}
	if c.beacon, err = catalyst.NewSimulatedBeacon(0, common.Address{}, backend); err != nil {
		return fmt.Errorf("starting to make blocks: %w", err)
	}
	c.rpc = c.stack.Attach()
	return nil
}

// Close ends the chain; without Dir nothing of it is kept.
func (c *Chain) Close() error {
	close(c.stop)
	c.ended.Wait()
	c.rpc.Close()
	return c.stack.Close()
}

// ID gives the chain's number.
func (c *Chain) ID() uint64 { return c.id }

// URL is where the chain is asked by HTTP.
func (c *Chain) URL() string { return c.addr }

// WSURL is where it is asked by WebSocket.
func (c *Chain) WSURL() string { return c.stack.WSEndpoint() }

// Rich is an account with more money than anybody spends. Its key is no secret.
func (c *Chain) Rich() *Account { return c.rich }

// Head gives the newest block, and the newest that can no longer change.
func (c *Chain) Head() pool.Head {
	head := pool.Head{Block: block(c.eth.BlockChain().CurrentBlock())}
	if final := c.eth.BlockChain().CurrentFinalBlock(); final != nil {
		head.Finalized = final.Number.Uint64()
	}
	return head
}

// Block gives a block by its number; its Hash is zero when there is none.
func (c *Chain) Block(number uint64) pool.Block {
	header := c.eth.BlockChain().GetHeaderByNumber(number)
	if header == nil {
		return pool.Block{Number: number}
	}
	return block(header)
}

func block(header *types.Header) pool.Block {
	return pool.Block{Number: header.Number.Uint64(), Hash: pool.Hash(header.Hash()), Time: time.Unix(int64(header.Time), 0).UTC()}
}

// Wait waits until a block after the given number is there.
func (c *Chain) Wait(ctx context.Context, number uint64) error {
	for {
		c.mu.Lock()
		mined := c.mined
		c.mu.Unlock()
		if c.Head().Number > number {
			return nil
		}
		select {
		case <-mined:
		case <-ctx.Done():
			return fmt.Errorf("waiting for a block after %d: %w", number, context.Cause(ctx))
		}
	}
}
