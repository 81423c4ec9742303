//go:build linux

package chainside

import (
	"context"
	"errors"
	"fmt"
	"time"

	"workerpool/shared/ethsig"
	"workerpool/shared/pool"
)

// The kinds of sendings.
const (
	contribution = "contribute"
	reveal       = "reveal"
)

// Contribute brings the contribution of a result into a block. It may be called
// again, after a restart or when a reorganisation took the contribution back, but
// not twice at once for a task. A *HopelessError means that it was not and will not
// be made; any other error, that it may be in a block now or after another call.
func (a *Account) Contribute(ctx context.Context, p Promise) error {
	what, digest, err := a.result(p)
	if err != nil {
		return hopeless("%v", err)
	}
	if sent := a.lane.find(contribution, what.task); sent != nil {
		return sent.wait(ctx)
	}
	v, err := a.view(ctx, what.deal, what.task)
	if err != nil {
		return err
	}
	hash := ethsig.ResultHash(what.task, digest)
	switch {
	case !v.known:
		return errors.New("the chain does not know the deal just now")
	case v.own.Status != pool.NotContributed && v.own.Hash == hash:
		return nil
	case v.own.Status != pool.NotContributed:
		return hopeless("the wallet has contributed another result before: %s, not %s", v.own.Hash, hash)
	case !v.head.Time.Before(v.deal.ContributeBy()):
		return hopeless("too late: contributions were taken until %s, it is %s by the chain's clock", at(v.deal.ContributeBy()), at(v.head.Time))
	case v.task.Status != pool.TaskActive:
		return fmt.Errorf("the task takes no contributions just now: its status is %d", v.task.Status)
	}
	offer, err := a.offer(ctx, v)
	if err != nil {
		return err
	}
	if lacks := offer.Lacks(Promised{}); lacks != "" {
		return hopeless("%s", lacks)
	}
	call := a.Hub.Contribute(what.task, hash, ethsig.ResultSeal(a.Wallet, what.task, digest), what.authorisation)
	sent, err := a.lane.send(ctx, contribution, what.task, call)
	if err != nil {
		return err
	}
	return sent.wait(ctx)
}

// Reveal brings the reveal of a contribution into a block. It may be called again,
// as Contribute.
func (a *Account) Reveal(ctx context.Context, p Promise) error {
	what, digest, err := a.result(p)
	if err != nil {
		return err
	}
	if sent := a.lane.find(reveal, what.task); sent != nil {
		return sent.wait(ctx)
	}
	v, err := a.view(ctx, what.deal, what.task)
	if err != nil {
		return err
	}
	switch {
	case !v.known:
		return errors.New("the chain does not know the deal just now")
	case v.own.Status == pool.Proved:
		return nil
	case v.own.Status != pool.Contributed:
		return fmt.Errorf("the chain shows no contribution to reveal: its status is %d", v.own.Status)
	case v.task.Status != pool.TaskRevealing:
		return fmt.Errorf("the task takes no reveals just now: its status is %d", v.task.Status)
	case v.own.Hash != v.task.Consensus || v.own.Hash != ethsig.ResultHash(what.task, digest):
		return fmt.Errorf("another result was agreed upon: %s, not %s", v.task.Consensus, ethsig.ResultHash(what.task, digest))
	case !v.head.Time.Before(v.task.RevealBy):
		return fmt.Errorf("too late: reveals were taken until %s, it is %s by the chain's clock", at(v.task.RevealBy), at(v.head.Time))
	}
	sent, err := a.lane.send(ctx, reveal, what.task, a.Hub.Reveal(what.task, digest))
	if err != nil {
		return err
	}
	return sent.wait(ctx)
}

// result reads a promise that has a result.
func (a *Account) result(p Promise) (promise, pool.Digest, error) {
	what, err := a.read(p)
	if err != nil {
		return what, pool.Digest{}, fmt.Errorf("the pool's authorisation is not good: %w", err)
	}
	digest, err := pool.ParseHash(p.Digest)
	if err != nil {
		return what, pool.Digest{}, fmt.Errorf("the result's digest: %w", err)
	}
	return what, pool.Digest(digest), nil
}

func at(t time.Time) string { return t.UTC().Format(time.RFC3339) }
