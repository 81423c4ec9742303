package chain_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"workerpool/shared/chain"
	"workerpool/shared/chain/fit"
	"workerpool/shared/ethsig"
	"workerpool/shared/pool"
)

// TestLife plays a deal on the real contracts, read and driven by this package.
func TestLife(t *testing.T) {
	s := newStage(t)
	if err := fit.Check(ctx, s.client, fit.Wanted{ChainID: 31337, Hub: s.at.Hub, RLC: s.at.RLC, Pool: s.pool, Wallet: s.owner.Address()}); err != nil {
		t.Fatal(err)
	}
	begun := s.head().Number + 1
	deal := s.match(4, 3)
	logs, err := s.client.Logs(ctx, begun, s.head().Number)
	if err != nil || !cmp.Equal(logs, pool.Logs{To: s.head().Number, Deals: []pool.Notice{{Deal: deal.ID, Block: deal.Block}}}) {
		t.Fatalf("%+v, %v", logs, err)
	}
	deals, err := s.client.Deals(ctx, s.head().Block, []pool.Hash{deal.ID, {1}})
	want := deal
	want.Block = 0
	if err != nil || !cmp.Equal(deals, []pool.Deal{want}) {
		t.Fatalf("%v, %s", err, cmp.Diff([]pool.Deal{want}, deals))
	}
	if got := s.tasks(deal, 0, 3); got[0].Status != pool.TaskUnset || got[1].Status != pool.TaskUnset {
		t.Fatalf("%+v", got)
	}
	s.act(pool.Initialize, actionsOf(deal, pool.Initialize, 0))
	s.refused(deal, pool.Initialize, []int{0, 1, 2}, "[1]")
	s.act(pool.Initialize, actionsOf(deal, pool.Initialize, 1, 2))

	task, digest := ethsig.TaskID(deal.ID, 0), pool.Digest{7}
	ann, ben, cleo := s.workers[0], s.workers[1], s.workers[2]
	if err := s.contribute(ann, task, digest, ben); pool.KindOf(err) != pool.Conflict || !errors.Is(err, chain.ErrReverts) {
		t.Errorf("authorised by another than the pool's owner: %v", err)
	}
	s.must(s.contribute(cleo, task, pool.Digest{8}, s.owner))
	s.must(s.contribute(ann, task, digest, s.owner))
	if got := s.tasks(deal, 0)[0]; got.Status != pool.TaskActive || len(got.Contributions) != 2 || got.Contributions[1] != (pool.Contribution{
		Wallet: ann.Address(), Status: pool.Contributed, Hash: ethsig.ResultHash(task, digest), Weight: 2,
	}) {
		t.Fatalf("%+v", got)
	}
	s.must(s.contribute(ben, task, digest, s.owner)) // 4*3 > 7*2 does not hold: one dissents
	if got := s.tasks(deal, 0)[0]; got.Status != pool.TaskActive {
		t.Fatalf("%+v", got)
	}
	s.refused(deal, pool.Finalize, []int{0}, "[1]")

	// Task 1 without a dissenter.
	one := ethsig.TaskID(deal.ID, 1)
	s.must(s.contribute(ann, one, digest, s.owner))
	s.must(s.contribute(ben, one, digest, s.owner))
	agreed := s.head().Time
	if got := s.tasks(deal, 1)[0]; got.Status != pool.TaskRevealing || got.Winners != 2 || got.Consensus != ethsig.ResultHash(one, digest) || !got.RevealBy.Equal(agreed.Add(pool.RevealFor*deal.T)) {
		t.Fatalf("%+v", got)
	}
	s.must(s.work(ann, s.client.Reveal(one, digest)))
	s.must(s.work(ben, s.client.Reveal(one, digest)))
	if got := s.tasks(deal, 1)[0]; got.Reveals != 2 || got.Digest != digest || got.Contributions[0].Status != pool.Proved {
		t.Fatalf("%+v", got)
	}
	s.act(pool.Finalize, actionsOf(deal, pool.Finalize, 1))
	if got := s.tasks(deal, 1)[0]; got.Status != pool.TaskCompleted {
		t.Fatalf("%+v", got)
	}

	// Task 2: agreed on, revealed by nobody, reopened.
	two := ethsig.TaskID(deal.ID, 2)
	s.must(s.contribute(ann, two, digest, s.owner))
	s.must(s.contribute(ben, two, digest, s.owner))
	s.must(s.chain.AdjustTime(pool.RevealFor*deal.T + time.Second))
	s.act(pool.Reopen, actionsOf(deal, pool.Reopen, 2))
	if got := s.tasks(deal, 2)[0]; got.Status != pool.TaskActive || got.Contributions[0].Status != pool.Rejected || !got.Consensus.IsZero() {
		t.Fatalf("%+v", got)
	}

	// What is left is claimed: 0 and 2 initialized, 3 not.
	s.must(s.chain.AdjustTime(pool.FinalAfter * deal.T))
	s.refused(deal, pool.Claim, []int{0, 1, 2}, "[2]")
	s.act(pool.Claim, actionsOf(deal, pool.Claim, 0, 2))
	s.act(pool.InitializeClaim, actionsOf(deal, pool.InitializeClaim, 3))
	for i, got := range s.tasks(deal, 0, 1, 2, 3) {
		if wanted := map[bool]pool.TaskStatus{true: pool.TaskCompleted, false: pool.TaskFailed}[i == 1]; got.Status != wanted {
			t.Errorf("task %d: %+v", i, got)
		}
	}
	logs, err = s.client.Logs(ctx, begun, s.head().Number)
	if err != nil || len(logs.Deals) != 1 || len(logs.Tasks) != 4 {
		t.Errorf("%+v, %v", logs, err)
	}
	// Three of four tasks were lost: 30 % of their price each. Of the fourth's the
	// pool has 1 %, by its policy, and the rest the two winners.
	purse, err := s.client.Purse(ctx, s.head().Block, s.owner.Address())
	if err != nil || purse.Locked != 0 || purse.Stake != 1e8-3*300+price/100 || purse.RLC != 9e8 || purse.Gas.Sign() <= 0 {
		t.Errorf("the owner has %+v, %v", purse, err)
	}
	purse, err = s.client.Purse(ctx, s.head().Block, s.requester.Address())
	if err != nil || purse.Stake != 1e8-price || purse.Locked != 0 {
		t.Errorf("the requester has %+v, %v", purse, err)
	}
	purse, err = s.client.Purse(ctx, s.head().Block, ann.Address())
	if err != nil || purse.Score != 1 || purse.Locked != 0 || purse.Stake != 1e8+price*99/100/2 {
		t.Errorf("ann has %+v, %v", purse, err)
	}
	if owner, err := s.client.Owner(ctx, s.head().Block); err != nil || owner != s.owner.Address() {
		t.Errorf("%s, %v", owner, err)
	}
}

func (s *stage) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// refused tries what the contracts refuse, in part: nothing is sent.
func (s *stage) refused(d pool.Deal, kind pool.ActionKind, indices []int, want string) {
	s.t.Helper()
	_, err := s.lane.Compose(ctx, pool.Broadcast{Kind: kind, Attempt: 1}, actionsOf(d, kind, indices...))
	var revert *chain.RevertError
	if pool.KindOf(err) != pool.Conflict || !errors.As(err, &revert) || fmt.Sprint(revert.Refused()) != want {
		s.t.Errorf("to %s %v: %v, want %s refused", kind, indices, err, want)
	}
}

// TestLane replaces a transaction that is stuck by one that does nothing.
func TestLane(t *testing.T) {
	s := newStage(t)
	deal := s.match(3, 1)
	nonce, err := s.lane.Nonce(ctx, s.head().Block)
	s.must(err)
	compose := func(b pool.Broadcast, actions ...pool.Action) pool.Broadcast {
		t.Helper()
		out, err := s.lane.Compose(ctx, b, actions)
		s.must(err)
		return out
	}
	s.chain.Pause()
	stuck := compose(pool.Broadcast{Kind: pool.Initialize, Nonce: nonce, Attempt: 1}, actionsOf(deal, pool.Initialize, 0)...)
	s.must(s.lane.Send(ctx, stuck.Raw))
	same := compose(pool.Broadcast{Kind: pool.Initialize, Nonce: nonce, Attempt: 1}, actionsOf(deal, pool.Initialize, 1)...)
	if err := s.lane.Send(ctx, same.Raw); pool.KindOf(err) != pool.Conflict {
		t.Errorf("another at the same fee: %v", err)
	}
	instead := compose(pool.Broadcast{Nonce: nonce, Attempt: 2, Raw: stuck.Raw})
	s.must(s.lane.Send(ctx, instead.Raw))
	again := compose(pool.Broadcast{Kind: pool.Initialize, Nonce: nonce, Attempt: 3, Raw: instead.Raw}, actionsOf(deal, pool.Initialize, 2)...)
	s.must(s.lane.Send(ctx, again.Raw))
	if got, err := s.lane.Receipts(ctx, []pool.Hash{stuck.Hash, instead.Hash, again.Hash}); err != nil || got[0].Found || got[1].Found || got[2].Found {
		t.Errorf("%+v, %v", got, err)
	}
	s.chain.Resume()
	if _, err := s.chain.Done(t.Context(), again.Hash); err != nil {
		t.Fatal(err)
	}
	if got, err := s.lane.Receipts(ctx, []pool.Hash{stuck.Hash, instead.Hash, again.Hash}); err != nil || got[0].Found || got[1].Found || !got[2].Good {
		t.Errorf("%+v, %v", got, err)
	}
	for _, raw := range [][]byte{stuck.Raw, instead.Raw} {
		if err := s.lane.Send(ctx, raw); err != nil {
			t.Errorf("its nonce was used: %v", err)
		}
	}
	if next, err := s.lane.Nonce(ctx, s.head().Block); err != nil || next != nonce+1 {
		t.Errorf("next nonce %d, %v; want %d", next, err, nonce+1)
	}
	if got := s.tasks(deal, 0, 1, 2); got[0].Status != pool.TaskUnset || got[1].Status != pool.TaskUnset || got[2].Status != pool.TaskActive {
		t.Errorf("%+v", got)
	}
}

// TestReorganised: what was read at a block that is no longer part of the chain
// is an error, not a mixture.
func TestReorganised(t *testing.T) {
	s := newStage(t)
	deal := s.match(1, 1)
	at := s.head()
	ids := []pool.Hash{ethsig.TaskID(deal.ID, 0)}
	if _, err := s.client.Tasks(ctx, at.Block, ids); err != nil {
		t.Fatal(err)
	}
	s.must(s.chain.Reorganise(2, false))
	if got, err := s.client.Deals(ctx, at.Block, []pool.Hash{deal.ID}); pool.KindOf(err) != pool.Unavailable {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := s.lane.Nonce(ctx, at.Block); pool.KindOf(err) != pool.Unavailable {
		t.Errorf("%v", err)
	}
	if now, err := s.client.Block(ctx, at.Number); err != nil || now.Hash == at.Hash {
		t.Errorf("%v, %v", now, err)
	}
	if got, err := s.client.Deals(ctx, s.head().Block, []pool.Hash{deal.ID}); err != nil || len(got) != 0 {
		t.Errorf("of a deal that is gone: %v, %v", got, err)
	}
}

// TestCalls counts what a pass costs: it goes with what is looked at, not with
// what is running.
func TestCalls(t *testing.T) {
	s := newStage(t)
	deal := s.match(60, 1)
	var indices []int
	for i := range 60 {
		indices = append(indices, i)
	}
	for len(indices) > 0 {
		s.act(pool.Initialize, actionsOf(deal, pool.Initialize, indices[:20]...))
		indices = indices[20:]
	}
	s.must(s.contribute(s.workers[0], ethsig.TaskID(deal.ID, 7), pool.Digest{1}, s.owner))
	head := s.head()
	pass := func() error {
		head, err := s.client.Head(ctx)
		s.must(err)
		logs, err := s.client.Logs(ctx, head.Number, head.Number)
		s.must(err)
		_, err = s.client.Tasks(ctx, head.Block, logs.Tasks)
		return err
	}
	if got := count(s.client, pass); got != "4 requests, 6 calls, <nil>" {
		t.Errorf("a pass in which one of 60 tasks moved: %s", got)
	}
	if got := count(s.client, func() error { s.tasks(deal, 0, 1, 2); return nil }); got != "2 requests, 5 calls, <nil>" {
		t.Errorf("three tasks: %s", got)
	}
	if logs, err := s.client.Logs(ctx, 0, head.Number); err != nil || len(logs.Tasks) != 60 {
		t.Errorf("%d tasks, %v", len(logs.Tasks), err)
	}
}
