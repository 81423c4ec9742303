package buyer

import (
	"context"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"workerpool/infra/local/chain/market"
	"workerpool/shared/pool"
)

// Step is what happens to a task on the chain.
type Step string

// The steps of a task, in their order.
const (
	Initialized Step = "initialized"
	Contributed Step = "contributed"
	Agreed      Step = "agreed"
	Revealed    Step = "revealed"
	Finalized   Step = "finalized"
)

// Steps lists them.
var Steps = []Step{Initialized, Contributed, Agreed, Revealed, Finalized}

// events are the hub's that tell of steps; the task is the first topic after the
// event's own.
var events = map[pool.Hash]Step{
	topic("TaskInitialize(bytes32,address)"):         Initialized,
	topic("TaskContribute(bytes32,address,bytes32)"): Contributed,
	topic("TaskConsensus(bytes32,bytes32)"):          Agreed,
	topic("TaskReveal(bytes32,address,bytes32)"):     Revealed,
	topic("TaskFinalize(bytes32,bytes)"):             Finalized,
}

// Call is a kind of sending by which the steps came about, of one account. A
// consensus comes with a contribution.
type Call struct {
	Step  Step
	By    pool.Address
	Sent  int   // sendings
	Steps int   // that they brought about: several by one sending
	Gas   int64 // of all
}

// Moment is when a step happened to a task.
type Moment struct {
	Task  pool.Hash
	Step  Step
	Block uint64
	At    time.Time // of the block
}

// Account is what became of a deal.
type Account struct {
	Moments []Moment // in the order of blocks
	Calls   []Call   // by step, then account
	Sheet   market.Sheet
	Faulty  map[pool.Address]int // contributions that were not the agreed ones
}

// Account reads what became of a deal whose tasks have all ended.
func (b *Buyer) Account(ctx context.Context, d Deal) (Account, error) {
	concerned := map[pool.Hash]bool{d.ID: true}
	for _, id := range d.TaskIDs {
		concerned[id] = true
	}
	out := Account{Faulty: map[pool.Address]int{}}
	money, err := market.Topics()
	if err != nil {
		return out, err
	}
	logs, err := b.logs(ctx, d, money...)
	if err != nil {
		return out, err
	}
	if err := out.Sheet.Add(logs, func(subject pool.Hash) bool { return concerned[subject] }); err != nil {
		return out, err
	}
	faulty := topic("FaultyContribution(address,bytes32)")
	if logs, err = b.logs(ctx, d, faulty); err != nil {
		return out, err
	}
	for _, log := range logs {
		if event, err := b.hub.UnpackFaultyContributionEvent(&log); err == nil && concerned[event.Taskid] {
			out.Faulty[pool.Address(event.Worker)]++
		}
	}
	if logs, err = b.logs(ctx, d, slices.Collect(maps.Keys(events))...); err != nil {
		return out, err
	}
	logs = slices.DeleteFunc(logs, func(log types.Log) bool { return !concerned[pool.Hash(log.Topics[1])] })
	if out.Moments, err = b.moments(ctx, logs); err != nil {
		return out, err
	}
	out.Calls, err = b.calls(ctx, logs)
	return out, err
}

func (b *Buyer) moments(ctx context.Context, logs []types.Log) ([]Moment, error) {
	times := map[uint64]time.Time{}
	var out []Moment
	for _, log := range logs {
		if _, known := times[log.BlockNumber]; !known {
			block, err := b.door.Block(ctx, log.BlockNumber)
			if err != nil {
				return nil, err
			}
			times[log.BlockNumber] = block.Time
		}
		out = append(out, Moment{Task: pool.Hash(log.Topics[1]), Step: events[pool.Hash(log.Topics[0])], Block: log.BlockNumber, At: times[log.BlockNumber]})
	}
	return out, nil
}

// calls adds up the sendings by which the steps came about.
func (b *Buyer) calls(ctx context.Context, logs []types.Log) ([]Call, error) {
	type kind struct {
		step Step
		by   pool.Address
	}
	type sending struct {
		by  pool.Address
		gas int64
	}
	sendings := map[common.Hash]sending{}
	counted := map[common.Hash]bool{}
	sums := map[kind]*Call{}
	for _, log := range logs {
		step := events[pool.Hash(log.Topics[0])]
		if step == Agreed {
			continue
		}
		s, known := sendings[log.TxHash]
		if !known {
			tx, _, err := b.node.TransactionByHash(ctx, log.TxHash)
			if err != nil {
				return nil, fmt.Errorf("reading a sending: %w", err)
			}
			receipt, err := b.node.TransactionReceipt(ctx, log.TxHash)
			if err != nil {
				return nil, fmt.Errorf("reading a receipt: %w", err)
			}
			from, err := types.Sender(types.LatestSignerForChainID(tx.ChainId()), tx)
			if err != nil {
				return nil, fmt.Errorf("reading who sent: %w", err)
			}
			s = sending{pool.Address(from), int64(receipt.GasUsed)}
			sendings[log.TxHash] = s
		}
		k := kind{step, s.by}
		if sums[k] == nil {
			sums[k] = &Call{Step: step, By: s.by}
		}
		sums[k].Steps++
		if !counted[log.TxHash] {
			counted[log.TxHash] = true
			sums[k].Sent++
			sums[k].Gas += s.gas
		}
	}
	var out []Call
	for _, call := range sums {
		out = append(out, *call)
	}
	slices.SortFunc(out, func(a, b Call) int {
		if a.Step != b.Step {
			return slices.Index(Steps, a.Step) - slices.Index(Steps, b.Step)
		}
		return slices.Compare(a.By[:], b.By[:])
	})
	return out, nil
}

func query(hub pool.Address, from uint64, topics []pool.Hash) ethereum.FilterQuery {
	wanted := make([]common.Hash, len(topics))
	for i, t := range topics {
		wanted[i] = common.Hash(t)
	}
	return ethereum.FilterQuery{FromBlock: new(big.Int).SetUint64(from), Addresses: []common.Address{common.Address(hub)}, Topics: [][]common.Hash{wanted}}
}
