package market

import (
	"context"
	"fmt"
	"math/big"
	"time"

	"workerpool/infra/local/chain"
	"workerpool/shared/ethsig"
	"workerpool/shared/pool"
)

// The calls of PoCo by which tasks live, for whoever is to make them.

// Initialize lets a task take contributions; anyone may.
func (m *Market) Initialize(deal pool.Hash, index int) chain.Call {
	return chain.To(m.At.Hub, m.hub.PackInitialize(deal, big.NewInt(int64(index))))
}

// Contribute is a worker's, with the pool's authorisation.
func (m *Market) Contribute(worker pool.Address, task pool.Hash, digest pool.Digest, authorisation [65]byte) chain.Call {
	return chain.To(m.At.Hub, m.hub.PackContribute(task, ethsig.ResultHash(task, digest), ethsig.ResultSeal(worker, task, digest), [20]byte{}, nil, authorisation[:]))
}

// Reveal is a worker's whose contribution won.
func (m *Market) Reveal(task pool.Hash, digest pool.Digest) chain.Call {
	return chain.To(m.At.Hub, m.hub.PackReveal(task, digest))
}

// Finalize is the pool's.
func (m *Market) Finalize(task pool.Hash, results []byte) chain.Call {
	return chain.To(m.At.Hub, m.hub.PackFinalize(task, results, nil))
}

// Reopen is the pool's, when nobody has revealed.
func (m *Market) Reopen(task pool.Hash) chain.Call {
	return chain.To(m.At.Hub, m.hub.PackReopen(task))
}

// Claim gives the requester its money back after the last deadline; anyone may.
func (m *Market) Claim(task pool.Hash) chain.Call {
	return chain.To(m.At.Hub, m.hub.PackClaim(task))
}

// InitializeClaim is Claim of a task that nobody has initialized.
func (m *Market) InitializeClaim(deal pool.Hash, index int) chain.Call {
	return chain.To(m.At.Hub, m.hub.PackInitializeAndClaimArray([][32]byte{deal}, []*big.Int{big.NewInt(int64(index))}))
}

// Task asks the hub for a task with its contributions; the weight of a contribution
// is what the hub keeps of it, its logarithm of base 2.
func (m *Market) Task(ctx context.Context, id pool.Hash) (pool.Task, error) {
	at := m.Chain.Head()
	out, err := m.Chain.View(ctx, m.At.Hub, m.hub.PackViewTask(id))
	if err != nil {
		return pool.Task{}, err
	}
	seen, err := m.hub.UnpackViewTask(out)
	if err != nil {
		return pool.Task{}, fmt.Errorf("reading a task: %w", err)
	}
	t := pool.Task{
		ID: id, Block: at.Number, Status: pool.TaskStatus(seen.Status), Consensus: seen.ConsensusValue, Digest: seen.ResultDigest,
		Reveals: int(seen.RevealCounter.Int64()), Winners: int(seen.WinnerCounter.Int64()),
	}
	if seen.RevealDeadline.Sign() > 0 {
		t.RevealBy = time.Unix(seen.RevealDeadline.Int64(), 0).UTC()
	}
	for _, worker := range seen.Contributors {
		if out, err = m.Chain.View(ctx, m.At.Hub, m.hub.PackViewContribution(id, worker)); err != nil {
			return pool.Task{}, err
		}
		c, err := m.hub.UnpackViewContribution(out)
		if err != nil {
			return pool.Task{}, fmt.Errorf("reading a contribution: %w", err)
		}
		t.Contributions = append(t.Contributions, pool.Contribution{
			Wallet: pool.Address(worker), Status: pool.ContributionStatus(c.Status), Hash: c.ResultHash, Weight: c.Weight.Int64(),
		})
	}
	return t, nil
}
