package reconcile

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"workerpool/shared/pool"
	"workerpool/shared/telemetry"
)

var (
	// errShifting tells that the chain moved under a pass: the next one sees where to.
	errShifting = errors.New("the chain moved meanwhile")
	// errUnshown tells of a notice of a deal that the node does not show. The deal must
	// not be passed by, because it would never be told of again.
	errUnshown = errors.New("the node tells of a deal that it does not show")
)

// follow brings the books up to the head, as far as one pass goes. It is not good
// when the node cannot be believed just now: it is behind what was followed
// already, or the chain moves under it.
func (p *pass) follow(ctx context.Context) (good bool, err error) {
	for range mostRounds {
		cursor, err := p.Books.Cursor(ctx)
		if err != nil {
			return false, err
		}
		good, err = p.stands(ctx, cursor)
		if err != nil || !good {
			return false, err
		}
		next := cursor.Number + 1
		if cursor.Hash.IsZero() {
			if next = p.Start; next == 0 {
				next = p.head.Number
			}
		}
		if p.head.Number < next {
			p.behind = 0
			return true, nil
		}
		to, err := p.read(ctx, cursor, next)
		switch {
		case errors.Is(err, errShifting):
			return false, nil
		case errors.Is(err, errUnshown): // the rest of the pass need not wait for it
			slog.WarnContext(ctx, err.Error(), telemetry.KeyBlock, next)
			p.behind = 0
			return true, nil
		}
		if err != nil {
			return false, fmt.Errorf("following from block %d: %w", next, err)
		}
		if p.behind = p.head.Number - to; p.behind == 0 || p.dry || p.r.late(ctx) {
			break
		}
	}
	return true, nil
}

// stands tells that the node knows what was followed. Where it has another block
// at the cursor, the books go back.
func (p *pass) stands(ctx context.Context, cursor pool.Block) (bool, error) {
	if cursor.Hash.IsZero() || cursor.Hash == p.head.Hash {
		return true, nil
	}
	if p.head.Number < cursor.Number {
		slog.WarnContext(ctx, "the node is behind what was followed", telemetry.KeyBlock, p.head.Number)
		return false, nil
	}
	now := p.head.Block
	if p.head.Number > cursor.Number {
		var err error
		if now, err = p.Chain.Block(ctx, cursor.Number); err != nil {
			return false, err
		}
	}
	if now.Hash.IsZero() || now.Hash == cursor.Hash {
		return !now.Hash.IsZero(), nil
	}
	// Not only as far as to what can no longer change: that may have moved on since,
	// on the side that was not followed.
	back := cursor.Number - min(p.Overlap, cursor.Number)
	to, err := p.Chain.Block(ctx, back)
	if err != nil || to.Hash.IsZero() {
		return false, err
	}
	slog.WarnContext(ctx, "the chain was reorganised", telemetry.KeyBlock, back)
	return false, p.Books.Unwind(ctx, p.lease, cursor, to)
}

// read follows from the cursor on and gives how far. Each Overlap blocks the last
// ones are read once more: what a node that lagged did not tell then, it tells
// now.
func (p *pass) read(ctx context.Context, cursor pool.Block, next uint64) (uint64, error) {
	to := p.head.Block
	if p.head.Number-next >= p.Range {
		var err error
		if to, err = p.Chain.Block(ctx, next+p.Range-1); err != nil {
			return 0, err
		}
		if to.Hash.IsZero() {
			return 0, errShifting
		}
	}
	from := next
	if !cursor.Hash.IsZero() && p.Overlap > 0 && to.Number/p.Overlap > cursor.Number/p.Overlap {
		from = max(p.Start, next-min(p.Overlap, next))
	}
	logs, err := p.Chain.Logs(ctx, from, to.Number)
	if err == nil && logs.To < next {
		logs, err = p.Chain.Logs(ctx, next, to.Number)
	}
	if err != nil {
		return 0, err
	}
	if logs.To < to.Number {
		// The block was not read before its logs, so the chain may have moved between.
		if to, err = p.Chain.Block(ctx, logs.To); err != nil {
			return 0, err
		}
		still, err := p.Chain.Block(ctx, p.head.Number)
		if err != nil {
			return 0, err
		}
		if to.Hash.IsZero() || still.Hash != p.head.Hash {
			return 0, errShifting
		}
	}
	deals, err := p.noticed(ctx, logs.Deals)
	if err != nil {
		return 0, err
	}
	return to.Number, p.Books.Followed(ctx, p.lease, pool.Followed{From: cursor, To: to, Clock: p.head.Time, Deals: deals, Touched: logs.Tasks})
}

// noticed gives the deals that notices tell of.
func (p *pass) noticed(ctx context.Context, notices []pool.Notice) ([]pool.Deal, error) {
	var ids []pool.Hash
	seen := map[pool.Hash]bool{}
	for _, n := range notices {
		if !seen[n.Deal] {
			seen[n.Deal] = true
			ids = append(ids, n.Deal)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	deals, err := p.Chain.Deals(ctx, p.head.Block, ids)
	if err != nil {
		return nil, err
	}
	if len(deals) != len(ids) {
		return nil, errUnshown
	}
	for i := range deals {
		for _, n := range notices {
			if n.Deal == deals[i].ID {
				deals[i].Block = n.Block
			}
		}
	}
	return deals, nil
}

// recover looks for the deals that a reorganisation took away. Those that the
// chain shows again go on; those that it does not, when blocks after theirs can no
// longer change, are gone.
func (p *pass) recover(ctx context.Context) (int, error) {
	lost, err := p.Books.Unsure(ctx, unsure)
	if err != nil || len(lost) == 0 || p.behind > 0 {
		return 0, err
	}
	ids := make([]pool.Hash, len(lost))
	for i, d := range lost {
		ids[i] = d.ID
	}
	found, err := p.Chain.Deals(ctx, p.head.Block, ids)
	if err != nil {
		return 0, err
	}
	there := map[pool.Hash]bool{}
	for i := range found {
		there[found[i].ID] = true
		found[i].Block = p.head.Number // or before: nobody said
	}
	if len(found) > 0 {
		cursor, err := p.Books.Cursor(ctx)
		if err != nil {
			return 0, err
		}
		if err := p.Books.Followed(ctx, p.lease, pool.Followed{From: cursor, To: cursor, Clock: p.head.Time, Deals: found}); err != nil {
			return 0, err
		}
	}
	var gone []pool.Hash
	for _, d := range lost {
		if !there[d.ID] && d.Block <= p.head.Finalized {
			gone = append(gone, d.ID)
		}
	}
	if len(gone) == 0 {
		return len(found), nil
	}
	return len(found) + len(gone), p.Books.Gone(ctx, p.lease, gone)
}
