package market

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"workerpool/shared/chain/poco"
	"workerpool/shared/ethsig"
	"workerpool/shared/pool"
)

// kitty is the account of stakes that pools have lost.
var kitty = pool.Address(common.HexToAddress("0x99c2268479b93fDe36232351229815DF80837e23"))

// Line is what an account has put into deals and got out of them.
type Line struct {
	Locked   pool.NRLC // the price, or a stake
	Refunded pool.NRLC // unlocked again
	Lost     pool.NRLC // seized: the price that was paid, or a stake
	Earned   pool.NRLC
}

// Sheet is what became of the money of deals. What was locked, by requesters, the
// pool and workers, was paid, refunded or seized, or is held.
type Sheet struct {
	Locked   pool.NRLC
	Paid     pool.NRLC // to apps' owners, pools and workers
	Refunded pool.NRLC
	Seized   pool.NRLC // by the kitty; negative when deals were paid of what it had
	Held     pool.NRLC // by what has not ended, reckoned from the tasks' states and the deals' terms
	Lines    map[pool.Address]Line
}

// Check tells whether what happened to the money, as the hub told it, agrees with
// the state of the tasks.
func (s Sheet) Check() error {
	var sum Line
	for _, line := range s.Lines {
		sum.Locked, sum.Refunded, sum.Lost, sum.Earned = sum.Locked+line.Locked, sum.Refunded+line.Refunded, sum.Lost+line.Lost, sum.Earned+line.Earned
	}
	if s.Locked != s.Paid+s.Refunded+s.Seized+s.Held {
		return fmt.Errorf("%d nRLC were locked; %d paid, %d refunded, %d seized, %d held", s.Locked, s.Paid, s.Refunded, s.Seized, s.Held)
	}
	if sum.Lost != s.Paid+s.Seized {
		return fmt.Errorf("%d nRLC were lost; %d paid, %d seized", sum.Lost, s.Paid, s.Seized)
	}
	return nil
}

// Sheet adds up what the hub has told of the deals' money, from the first block on.
func (m *Market) Sheet(ctx context.Context, deals ...pool.Hash) (Sheet, error) {
	s := Sheet{Lines: map[pool.Address]Line{}}
	concerned := map[pool.Hash]bool{}
	for _, id := range deals {
		concerned[id] = true
		deal, err := m.Deal(ctx, id)
		if err != nil {
			return s, err
		}
		for i := range deal.Tasks {
			task := ethsig.TaskID(id, deal.First+i)
			concerned[task] = true
			held, err := m.held(ctx, id, task)
			if err != nil {
				return s, err
			}
			s.Held += held
		}
	}
	topics, err := Topics()
	if err != nil {
		return s, err
	}
	logs, err := m.Chain.Logs(ctx, m.At.Hub, 0, topics...)
	if err != nil {
		return s, err
	}
	return s, s.Add(logs, func(subject pool.Hash) bool { return concerned[subject] })
}

// Topics are those of the events that Add reads.
func Topics() ([]pool.Hash, error) {
	moves, closings, err := topics()
	if err != nil {
		return nil, err
	}
	return slices.AppendSeq(slices.Collect(maps.Keys(moves)), maps.Keys(closings)), nil
}

// Add adds what the hub has told, in the order of blocks, of the money of the deals
// and tasks that are concerned.
func (s *Sheet) Add(logs []types.Log, concerned func(subject pool.Hash) bool) error {
	moves, closings, err := topics()
	if err != nil {
		return err
	}
	if s.Lines == nil {
		s.Lines = map[pool.Address]Line{}
	}
	// The hub tells first what money moved, then for which deal or task.
	var open []move
	for _, log := range logs {
		topic := pool.Hash(log.Topics[0])
		if event, ok := moves[topic]; ok {
			one, err := read(event, log)
			if err != nil {
				return err
			}
			open = append(open, one)
			continue
		}
		subject := pool.Hash{}
		if closings[topic] {
			subject = pool.Hash(log.Topics[1])
		} else if len(log.Data) >= 32 {
			subject = pool.Hash(log.Data[:32])
		}
		if concerned(subject) {
			for _, one := range open {
				s.add(one)
			}
		}
		open = nil
	}
	if len(open) > 0 {
		return errors.New("the hub moved money for no deal or task")
	}
	return nil
}

// held is what a task has locked: the price, the pool's stake and those of workers.
func (m *Market) held(ctx context.Context, deal, task pool.Hash) (pool.NRLC, error) {
	seen, err := m.Task(ctx, task)
	if err != nil || seen.Status.Ended() {
		return 0, err
	}
	out, err := m.Chain.View(ctx, m.At.Hub, m.hub.PackViewDeal(deal))
	if err != nil {
		return 0, err
	}
	d, err := m.hub.UnpackViewDeal(out)
	if err != nil {
		return 0, fmt.Errorf("reading a deal: %w", err)
	}
	price := d.Workerpool.Price.Int64()
	return pool.NRLC(d.App.Price.Int64() + d.Dataset.Price.Int64() + price + price*30/100 + int64(len(seen.Contributions))*d.WorkerStake.Int64()), nil
}

// topics gives the events that tell of money, and those that tell for what; the
// value says whether that is a topic of its own.
func topics() (moves map[pool.Hash]abi.Event, closings map[pool.Hash]bool, err error) {
	words, err := poco.HubMetaData.ParseABI()
	if err != nil {
		return nil, nil, fmt.Errorf("reading the hub's ABI: %w", err)
	}
	moves, closings = map[pool.Hash]abi.Event{}, map[pool.Hash]bool{}
	for _, name := range []string{"Lock", "Unlock", "Reward", "Seize"} {
		moves[pool.Hash(words.Events[name].ID)] = words.Events[name]
	}
	for name, indexed := range map[string]bool{"OrdersMatched": false, "TaskContribute": true, "TaskFinalize": true, "TaskClaimed": true} {
		closings[pool.Hash(words.Events[name].ID)] = indexed
	}
	return moves, closings, nil
}

// move is money that moved.
type move struct {
	event  string
	owner  pool.Address
	amount pool.NRLC
}

func read(event abi.Event, log types.Log) (move, error) {
	values, err := event.Inputs.Unpack(log.Data)
	if err != nil || len(values) < 2 {
		return move{}, fmt.Errorf("reading %s: %w", event.Name, err)
	}
	owner, ok := values[0].(common.Address)
	amount, also := values[1].(*big.Int)
	if !ok || !also {
		return move{}, fmt.Errorf("reading %s: it is about %v", event.Name, values)
	}
	return move{event.Name, pool.Address(owner), pool.NRLC(amount.Int64())}, nil
}

func (s *Sheet) add(m move) {
	if m.owner == kitty {
		// What it locks or seizes is what it was given or gives.
		switch m.event {
		case "Reward":
			s.Seized += m.amount
		case "Seize":
			s.Seized -= m.amount
		}
		return
	}
	line := s.Lines[m.owner]
	switch m.event {
	case "Lock":
		line.Locked, s.Locked = line.Locked+m.amount, s.Locked+m.amount
	case "Unlock":
		line.Refunded, s.Refunded = line.Refunded+m.amount, s.Refunded+m.amount
	case "Reward":
		line.Earned, s.Paid = line.Earned+m.amount, s.Paid+m.amount
	case "Seize":
		line.Lost += m.amount
	}
	s.Lines[m.owner] = line
}
