package reconcile

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"workerpool/shared/pool"
	"workerpool/shared/settlement"
	"workerpool/shared/telemetry"
)

// Numbers of a lane.
const (
	inFlight   = 16              // nonces that are not settled: what geth's pool keeps of one wallet however full it is
	stuckAfter = 3 * time.Minute // of the first of them: signed again at a higher fee
	mostVain   = 3               // times that what reverts alone is tried in one invocation
	buried     = 30              // blocks after which a nonce that was used without a receipt of ours was used by another
)

// settle compares books and chain and stores what is to be said.
func (p *pass) settle(ctx context.Context) error {
	works, err := p.Books.ToSettle(ctx, p.head.Block)
	if err != nil {
		return err
	}
	for part := range slices.Chunk(works, settle) {
		if p.r.late(ctx) {
			return nil
		}
		snapshot, err := p.Books.Settlement(ctx, p.head.Block, part, p.Results)
		if err != nil {
			return err
		}
		v := settlement.Decide(snapshot, settlement.Defaults)
		if len(v.Want)+len(v.Done)+len(v.Drop) == 0 {
			continue
		}
		if err := p.Books.Decided(ctx, p.lease, v, trace(ctx)); err != nil {
			return err
		}
	}
	return nil
}

// act brings the wallet's lane on: what was sent is settled or sent again, and what
// is wanted is signed, stored and sent, in this order. more tells that the next
// pass has something to do at once.
func (p *pass) act(ctx context.Context) (more bool, err error) {
	wallet := p.Sender.Wallet()
	lane, err := p.Books.Lane(ctx, wallet, inFlight*settlement.MostInBroadcast)
	if p.flying = err == nil && len(lane.Unsettled)+len(lane.Wanted) > 0; !p.flying {
		return false, err
	}
	mined, err := p.Sender.Nonce(ctx, p.head.Block)
	if err != nil {
		return false, err
	}
	first := lane.Next
	if len(lane.Unsettled) > 0 {
		first = lane.Unsettled[0].Nonce
	}
	if mined < first {
		// Something that was settled is mined no more, deeper than the books went back;
		// or the node is behind, and the next receipts say so.
		slog.WarnContext(ctx, "broadcasts are mined no more", telemetry.KeyNonce, mined)
		if p.recalled {
			return false, nil
		}
		p.recalled = true
		return false, p.Books.Recall(ctx, p.lease, wallet, mined)
	}
	if len(lane.Unsettled) > 0 {
		settled, err := p.receive(ctx, lane, mined)
		if err != nil || settled {
			return settled, err // what it was to bring about is looked at first
		}
		if err := p.again(ctx, lane, mined); err != nil {
			return false, err
		}
	}
	return p.send(ctx, lane, mined)
}

// receive settles the broadcasts that a block has, and those whose nonces others
// used. A receipt that is not known is waited for, never worked around.
func (p *pass) receive(ctx context.Context, lane pool.Lane, mined uint64) (settled bool, err error) {
	hashes := make([]pool.Hash, len(lane.Unsettled))
	for i, b := range lane.Unsettled {
		hashes[i] = b.Hash
	}
	receipts, err := p.Sender.Receipts(ctx, hashes)
	if err != nil {
		return false, err
	}
	found := map[pool.Hash]pool.Receipt{}
	for _, r := range receipts {
		if r.Found {
			found[r.Hash] = r
		}
	}
	deep := -1 // the wallet's next nonce some blocks ago; asked when needed
	for _, attempts := range byNonce(lane.Unsettled) {
		last := attempts[len(attempts)-1]
		which, state, receipt := last, pool.Replaced, pool.Receipt{Block: p.head.Number}
		for _, b := range attempts {
			r, ok := found[b.Hash]
			if !ok {
				continue
			}
			if which, receipt, state = b, r, pool.Mined; !r.Good {
				state = pool.Reverted
			}
		}
		if state == pool.Replaced {
			if last.Nonce >= mined {
				continue
			}
			if deep < 0 {
				if deep, err = p.minedBefore(ctx); err != nil {
					return settled, err
				}
			}
			if int(last.Nonce) >= deep {
				continue
			}
			slog.WarnContext(ctx, "another used the wallet", telemetry.KeyNonce, last.Nonce)
		}
		if err := p.Books.Settled(ctx, p.lease, which.ID, state, receipt, trace(ctx)); err != nil {
			return settled, err
		}
		if state != pool.Mined {
			slog.WarnContext(ctx, "a broadcast came to nothing", telemetry.KeyKind, string(which.Kind), telemetry.KeyNonce, which.Nonce, telemetry.KeyReason, string(state))
		}
		settled = true
	}
	return settled, nil
}

// minedBefore gives the wallet's next nonce as of some blocks ago.
func (p *pass) minedBefore(ctx context.Context) (int, error) {
	then, err := p.Chain.Block(ctx, p.head.Number-min(buried, p.head.Number))
	if err != nil || then.Hash.IsZero() {
		return 0, err
	}
	nonce, err := p.Sender.Nonce(ctx, then)
	return int(nonce), err
}

// byNonce gathers the attempts at each nonce, in their order.
func byNonce(sorted []pool.Broadcast) [][]pool.Broadcast {
	var groups [][]pool.Broadcast
	for i, b := range sorted {
		if i == 0 || b.Nonce != sorted[i-1].Nonce {
			groups = append(groups, nil)
		}
		groups[len(groups)-1] = append(groups[len(groups)-1], b)
	}
	return groups
}

// again sends what is not settled once more, in order: who sent it may have died
// before, and a node may have dropped it. The first is signed anew at a higher fee
// when it has been waiting for long.
func (p *pass) again(ctx context.Context, lane pool.Lane, mined uint64) error {
	for _, attempts := range byNonce(lane.Unsettled) {
		last := attempts[len(attempts)-1]
		if last.Nonce < mined {
			continue // its receipt is to come
		}
		if last.Nonce == mined && lane.Now.Sub(last.At) >= stuckAfter {
			if err := p.raise(ctx, last, lane.Sent[last.ID]); err != nil {
				return err
			}
			continue
		}
		err := p.Sender.Send(ctx, last.Raw)
		if pool.KindOf(err) == pool.Conflict { // not for this fee
			err = p.raise(ctx, last, lane.Sent[last.ID])
		}
		if err != nil {
			return fmt.Errorf("sending nonce %d again: %w", last.Nonce, err)
		}
	}
	return nil
}

// raise signs a broadcast under the same nonce at a higher fee; one that would
// revert by now makes room with nothing but its nonce.
func (p *pass) raise(ctx context.Context, stuck pool.Broadcast, actions []pool.Action) error {
	slog.WarnContext(ctx, "a broadcast is stuck", telemetry.KeyNonce, stuck.Nonce, telemetry.KeyAttempt, stuck.Attempt)
	next := pool.Broadcast{Wallet: stuck.Wallet, Nonce: stuck.Nonce, Attempt: stuck.Attempt + 1, Kind: stuck.Kind, Raw: stuck.Raw}
	if len(actions) == 0 {
		next.Kind = ""
	}
	signed, err := p.Sender.Compose(ctx, next, actions)
	if pool.KindOf(err) == pool.Conflict && len(actions) > 0 {
		next.Kind, actions = "", nil
		signed, err = p.Sender.Compose(ctx, next, nil)
	}
	if err != nil {
		return err
	}
	return p.broadcast(ctx, signed, actions)
}

// broadcast stores a signed broadcast and then sends it.
func (p *pass) broadcast(ctx context.Context, signed pool.Broadcast, actions []pool.Action) error {
	ids := make([]int64, len(actions))
	for i, a := range actions {
		ids[i] = a.ID
	}
	if err := p.Books.Sign(ctx, p.lease, signed, ids, trace(ctx)); err != nil {
		return err
	}
	err := p.Sender.Send(ctx, signed.Raw)
	if pool.KindOf(err) == pool.Conflict {
		return nil // not for this fee: the next pass signs it anew
	}
	return err
}

// send signs and sends what is wanted, the most urgent first, as far as there is
// room in the lane.
func (p *pass) send(ctx context.Context, lane pool.Lane, mined uint64) (more bool, err error) {
	next, room := lane.Next, inFlight-len(byNonce(lane.Unsettled))
	if len(lane.Unsettled) == 0 {
		next = max(next, mined) // somebody else may have used the wallet
	}
	var together, alone []pool.Action
	for _, a := range lane.Wanted {
		switch {
		case p.vain[a.ID] >= mostVain:
		case p.vain[a.ID] > 0:
			alone = append(alone, a)
		default:
			together = append(together, a)
		}
	}
	groups := slices.Concat(settlement.Group(together, settlement.MostInBroadcast), settlement.Group(alone, 1))
	for _, group := range groups {
		if room == 0 || p.r.late(ctx) {
			return false, nil
		}
		signed, err := p.Sender.Compose(ctx, pool.Broadcast{Wallet: p.Sender.Wallet(), Nonce: next, Attempt: 1, Kind: group[0].Kind}, group)
		if pool.KindOf(err) == pool.Conflict {
			if err := p.doubt(ctx, group, err); err != nil {
				return false, err
			}
			more = more || len(group) > 1
			continue
		}
		if err != nil {
			return false, fmt.Errorf("composing %s: %w", group[0].Kind, err)
		}
		if err := p.broadcast(ctx, signed, group); err != nil {
			return false, err
		}
		next, room = next+1, room-1
	}
	return more, nil
}

// refusing is an error that knows which actions would revert alone.
type refusing interface{ Refused() []int64 }

// doubt answers that a group would revert: the chain is not as the books think, or
// the node not as the chain. Its tasks are looked at again. What is still wanted then
// is tried without those that revert alone, and these, or all where none does, one
// by one a few times.
func (p *pass) doubt(ctx context.Context, group []pool.Action, why error) error {
	slog.InfoContext(ctx, "would revert", telemetry.KeyKind, string(group[0].Kind), telemetry.KeyCount, len(group), telemetry.KeyError, why.Error())
	var refused []int64
	if which := refusing(nil); errors.As(why, &which) {
		refused = which.Refused()
	}
	ids := make([]pool.Hash, len(group))
	for i, a := range group {
		ids[i] = a.Task
		if len(refused) == 0 || slices.Contains(refused, a.ID) {
			p.vain[a.ID]++
		}
	}
	head, err := p.Chain.Head(ctx)
	if err != nil {
		return err
	}
	if head.Number > p.head.Number { // the node that refused may have been ahead
		p.head = head
	}
	return p.look(ctx, ids)
}
