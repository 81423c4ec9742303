package chain

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"

	"workerpool/shared/chain/node"
	"workerpool/shared/ethsig"
	"workerpool/shared/pool"
)

// Events of the hub that are followed, by topic 0.
var (
	schedulerNotice = ethsig.Keccak([]byte("SchedulerNotice(address,bytes32)"))
	taskEvents      = []pool.Hash{ // each has the task as its first topic after the event's
		ethsig.Keccak([]byte("TaskInitialize(bytes32,address)")),
		ethsig.Keccak([]byte("TaskContribute(bytes32,address,bytes32)")),
		ethsig.Keccak([]byte("TaskConsensus(bytes32,bytes32)")),
		ethsig.Keccak([]byte("TaskReveal(bytes32,address,bytes32)")),
		ethsig.Keccak([]byte("TaskReopen(bytes32)")),
		ethsig.Keccak([]byte("TaskFinalize(bytes32,bytes)")),
		ethsig.Keccak([]byte("TaskClaimed(bytes32)")),
	}
)

// span is how many blocks the provider lets one call look through, as learned. A
// refusal halves it. It may have come of many logs in few blocks, or of a bad
// moment, so after some full answers twice as much is tried again; each time in
// vain doubles how many.
type span struct {
	mu       sync.Mutex
	width    uint64
	most     uint64
	good     int // full answers since the width changed
	patience int // of them before more is tried
	trying   bool
}

const (
	leastPatience = 4
	mostPatience  = 256
)

func (s *span) get() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.width
}

// refused halves what was asked for; false when there is nothing to halve.
func (s *span) refused(asked uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.trying {
		s.patience = min(2*s.patience, mostPatience)
	}
	s.width, s.good, s.trying = min(s.width, max(1, asked/2)), 0, false
	return asked > 1
}

func (s *span) answered(asked uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if asked < s.width {
		return // less than was allowed shows nothing
	}
	if s.trying {
		s.trying, s.patience = false, leastPatience
	}
	if s.good++; s.good >= s.patience && s.width < s.most {
		s.width, s.good, s.trying = min(2*s.width, s.most), 0, true
	}
}

// Logs looks through blocks beginning with from, up to to or as far as one call
// may. Events appear once, in the order of blocks, whatever the node does. A node
// that does not know the last of the blocks could leave events out; that is an
// error of kind pool.Unavailable.
func (c *Client) Logs(ctx context.Context, from, to uint64) (pool.Logs, error) {
	if to < from {
		return pool.Logs{}, fmt.Errorf("looking for events from block %d to %d", from, to)
	}
	for {
		end := from + min(to-from, c.span.get()-1)
		logs, err := c.logs(ctx, from, end)
		if err == nil {
			c.span.answered(end - from + 1)
			return logs, nil
		}
		var wide *wideError
		if !errors.As(err, &wide) {
			return pool.Logs{}, err
		}
		if !c.span.refused(end - from + 1) {
			return pool.Logs{}, pool.Down("the node", fmt.Errorf("looking for events of one block: %w", wide.error))
		}
	}
}

// wideError is a refusal of a range.
type wideError struct{ error }

func (w *wideError) Unwrap() error { return w.error }

// entry is what is read of a log.
type entry struct {
	Address common.Address  `json:"address"`
	Topics  []common.Hash   `json:"topics"`
	Data    hexutil.Bytes   `json:"data"`
	Number  *hexutil.Uint64 `json:"blockNumber"`
	Index   hexutil.Uint64  `json:"logIndex"`
	Removed bool            `json:"removed"`
}

func (c *Client) logs(ctx context.Context, from, to uint64) (pool.Logs, error) {
	events := []common.Hash{common.Hash(schedulerNotice)}
	for _, topic := range taskEvents {
		events = append(events, common.Hash(topic))
	}
	found := node.Request{Method: "eth_getLogs", Into: new([]entry), Args: []any{map[string]any{
		"address": common.Address(c.config.Hub), "topics": []any{events},
		"fromBlock": hexutil.Uint64(from), "toBlock": hexutil.Uint64(to),
	}}}
	last := node.Request{Method: "eth_getBlockByNumber", Args: []any{hexutil.Uint64(to), false}, Into: new(*header)}
	err := c.node.Batch(ctx, []*node.Request{&found, &last})
	switch {
	case errors.Is(err, node.ErrTooLarge), pool.KindOf(err) == "" && node.Says(err, node.TooWide):
		return pool.Logs{}, &wideError{err}
	case err != nil:
		return pool.Logs{}, err
	case node.Says(found.Err, node.TooWide) && !node.Says(found.Err, node.BeyondHead):
		return pool.Logs{}, &wideError{found.Err}
	case found.Err != nil:
		return pool.Logs{}, found.Err
	}
	block, err := blockOf(last, to)
	if err != nil {
		return pool.Logs{}, err
	}
	if block.Hash.IsZero() {
		return pool.Logs{}, pool.Down("the node", fmt.Errorf("it was asked for the events up to block %d and does not know that block", to))
	}
	return c.read(*found.Into.(*[]entry), from, to)
}

func (c *Client) read(entries []entry, from, to uint64) (pool.Logs, error) {
	for i, e := range entries {
		if e.Number == nil || uint64(*e.Number) < from || uint64(*e.Number) > to || e.Address != common.Address(c.config.Hub) || len(e.Topics) < 2 {
			return pool.Logs{}, fmt.Errorf("the node was asked for the hub's events from block %d to %d, its answer %d is none", from, to, i)
		}
	}
	slices.SortStableFunc(entries, func(a, b entry) int {
		return cmp.Or(cmp.Compare(*a.Number, *b.Number), cmp.Compare(a.Index, b.Index))
	})
	out := pool.Logs{To: to}
	deals, tasks := map[pool.Hash]bool{}, map[pool.Hash]bool{}
	for _, e := range entries {
		event, first := pool.Hash(e.Topics[0]), pool.Hash(e.Topics[1])
		switch {
		case e.Removed:
		case event == schedulerNotice:
			if len(e.Data) != 32 {
				return pool.Logs{}, fmt.Errorf("the node gave a SchedulerNotice with %d bytes of data", len(e.Data))
			}
			of, deal := pool.Address(first[12:]), pool.Hash(e.Data)
			if (c.config.Pool.IsZero() || of == c.config.Pool) && !deals[deal] {
				deals[deal] = true
				out.Deals = append(out.Deals, pool.Notice{Deal: deal, Block: uint64(*e.Number)})
			}
		case slices.Contains(taskEvents, event):
			if !tasks[first] {
				tasks[first] = true
				out.Tasks = append(out.Tasks, first)
			}
		default:
			return pool.Logs{}, fmt.Errorf("the node was asked for events of tasks and gave event %s", event)
		}
	}
	return out, nil
}
