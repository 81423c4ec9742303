// Package buyer buys work of a local pool as anybody on the chain could: with
// orders that were published, a wallet and a node. It owns what a buyer sends and
// reads; it knows of the pool only what the chain tells.
package buyer

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/ethclient"

	"workerpool/infra/local/mint"
	"workerpool/infra/local/orders"
	"workerpool/shared/chain"
	"workerpool/shared/chain/poco"
	"workerpool/shared/ethsig"
	"workerpool/shared/pool"
)

// Buyer buys with one wallet. It must be closed.
type Buyer struct {
	place mint.Place
	key   *ethsig.Key
	app   poco.IexecLibOrdersV5AppOrder
	offer poco.IexecLibOrdersV5WorkerpoolOrder
	door  *chain.Client
	lane  *chain.Sender
	node  *ethclient.Client
	hub   *poco.Hub
	wait  func(context.Context, time.Duration) error
}

// Open reads what is published and opens the requester's wallet of a folder. wait
// pauses between two looks at the chain.
func Open(f mint.Folder, wait func(context.Context, time.Duration) error) (*Buyer, error) {
	at, err := f.Place()
	if err != nil {
		return nil, err
	}
	b := &Buyer{place: at, hub: poco.NewHub(), wait: wait}
	if err := errors.Join(
		orders.Read(f.AppOrder(), at.ID, orders.App, &b.app),
		orders.Read(f.Order(), at.ID, orders.Workerpool, &b.offer)); err != nil {
		return nil, err
	}
	wallet, err := f.Wallet(mint.Requester)
	if err != nil {
		return nil, err
	}
	if b.key, err = wallet.Key(); err != nil {
		return nil, err
	}
	if b.door, err = chain.Open(chain.Config{URL: at.Node, Hub: at.Hub, Pool: at.Workerpool, Final: "latest"}); err != nil {
		return nil, err
	}
	b.lane = chain.NewSender(chain.SenderConfig{Chain: b.door, Signer: b.key})
	if b.node, err = ethclient.Dial(at.Node); err != nil {
		return nil, fmt.Errorf("opening the node: %w", err)
	}
	return b, nil
}

// Close ends the connection.
func (b *Buyer) Close() { b.node.Close() }

// Place says where it buys.
func (b *Buyer) Place() mint.Place { return b.place }

// Runs tells whether the chain answers.
func (b *Buyer) Runs(ctx context.Context) bool {
	id, err := b.door.ChainID(ctx)
	return err == nil && id == b.place.ID
}

// Address is the wallet's.
func (b *Buyer) Address() pool.Address { return b.key.Address() }

// pause between two looks for what was sent.
const pause = 200 * time.Millisecond

// Buy makes a deal of so many tasks by the published orders and waits until a block
// has it.
func (b *Buyer) Buy(ctx context.Context, tasks, trust int, params string) (Deal, error) {
	want := ethsig.RequestOrder{
		App: pool.Address(b.app.App), AppMaxPrice: nrlc(b.app.Appprice), Workerpool: pool.Address(b.offer.Workerpool), WorkerpoolMaxPrice: nrlc(b.offer.Workerpoolprice),
		Requester: b.key.Address(), Beneficiary: b.key.Address(), Volume: uint64(tasks), Category: b.offer.Category.Uint64(), Trust: uint64(trust), Params: params,
	}
	_, _ = rand.Read(want.Salt[:]) // never fails
	hash := ethsig.Domain{ChainID: b.place.ID, Hub: b.place.Hub}.Hash(want)
	signature, err := b.key.Sign(ctx, hash)
	if err != nil {
		return Deal{}, fmt.Errorf("signing the request: %w", err)
	}
	match := chain.Call{To: b.place.Hub, Data: b.hub.PackMatchOrders(b.app, orders.NoDataset(), b.offer, orders.OfRequest(want, signature))}
	receipt, err := b.send(ctx, match)
	if err != nil {
		return Deal{}, fmt.Errorf("matching the orders: %w", err)
	}
	id := ethsig.DealID(hash, 0)
	head, err := b.door.Head(ctx)
	if err != nil {
		return Deal{}, err
	}
	known, err := b.door.Deals(ctx, head.Block, []pool.Hash{id})
	if err != nil {
		return Deal{}, err
	}
	if len(known) == 0 {
		return Deal{}, fmt.Errorf("the hub does not know deal %s", id)
	}
	deal := Deal{Deal: known[0], Gas: receipt.Gas}
	deal.Block = receipt.Block
	for i := range deal.Tasks {
		deal.TaskIDs = append(deal.TaskIDs, ethsig.TaskID(deal.ID, deal.First+i))
	}
	return deal, nil
}

// Deal is what was bought.
type Deal struct {
	pool.Deal
	Gas     int64 // of the matching
	TaskIDs []pool.Hash
}

func nrlc(n *big.Int) pool.NRLC { return pool.NRLC(n.Int64()) }

// send sends a call and waits until it is in a block.
func (b *Buyer) send(ctx context.Context, call chain.Call) (pool.Receipt, error) {
	head, err := b.door.Head(ctx)
	if err != nil {
		return pool.Receipt{}, err
	}
	nonce, err := b.lane.Nonce(ctx, head.Block)
	if err != nil {
		return pool.Receipt{}, err
	}
	sent, err := b.lane.ComposeCall(ctx, pool.Broadcast{Nonce: nonce, Attempt: 1}, call)
	if err != nil {
		return pool.Receipt{}, err
	}
	for {
		// Again each time: a node may forget.
		if err := b.lane.Send(ctx, sent.Raw); err != nil {
			return pool.Receipt{}, err
		}
		got, err := b.lane.Receipts(ctx, []pool.Hash{sent.Hash})
		if err != nil {
			return pool.Receipt{}, err
		}
		if got[0].Found && !got[0].Good {
			return got[0], fmt.Errorf("%s is in block %d and reverted", sent.Hash, got[0].Block)
		}
		if got[0].Found {
			return got[0], nil
		}
		if err := b.wait(ctx, pause); err != nil {
			return pool.Receipt{}, err
		}
	}
}

// Look gives the deal's tasks as the newest block has them.
func (b *Buyer) Look(ctx context.Context, d Deal) ([]pool.Task, error) {
	head, err := b.door.Head(ctx)
	if err != nil {
		return nil, err
	}
	return b.door.Tasks(ctx, head.Block, d.TaskIDs)
}

// Results gives what finalize has told of where the results lie, by task.
func (b *Buyer) Results(ctx context.Context, d Deal) (map[pool.Hash][]byte, error) {
	logs, err := b.logs(ctx, d, topic("TaskFinalize(bytes32,bytes)"))
	if err != nil {
		return nil, err
	}
	out := map[pool.Hash][]byte{}
	for _, log := range logs {
		event, err := b.hub.UnpackTaskFinalizeEvent(&log)
		if err != nil {
			return nil, fmt.Errorf("reading how a task was finalized: %w", err)
		}
		out[event.Taskid] = event.Results
	}
	return out, nil
}

func topic(signature string) pool.Hash { return ethsig.Keccak([]byte(signature)) }

// logs are the hub's of the deal's block and later ones.
func (b *Buyer) logs(ctx context.Context, d Deal, topics ...pool.Hash) ([]types.Log, error) {
	logs, err := b.node.FilterLogs(ctx, query(b.place.Hub, d.Block, topics))
	if err != nil {
		return nil, fmt.Errorf("reading what the hub told: %w", err)
	}
	return logs, nil
}
