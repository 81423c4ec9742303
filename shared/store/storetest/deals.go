package storetest

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"testing"
	"time"

	"workerpool/shared/life"
	"workerpool/shared/pool"
)

// TaskID stands for the id that the chain gives a task.
func TaskID(deal pool.Hash, index int) pool.Hash {
	return sha256.Sum256(binary.BigEndian.AppendUint64(deal[:], uint64(index)))
}

// AddDeal follows the chain to a block with a deal of that many tasks and takes
// it in; T is five minutes and the chain's clock is now. It gives the works.
func (b *Books) AddDeal(t testing.TB, tasks, trust int) []pool.WorkID {
	t.Helper()
	now := time.Now().UTC().Truncate(time.Second)
	n := uint64(serial.Add(1))
	from, err := b.Cursor(background)
	if err != nil {
		t.Fatal(err)
	}
	block := pool.Block{Number: from.Number + 1, Hash: pool.Hash{byte(n), byte(n >> 8), 0xb1}, Time: now}
	deal := pool.Deal{
		ID: pool.Hash{byte(n), byte(n >> 8), 0xdd}, Block: block.Number, Start: now, Tasks: tasks, T: 5 * time.Minute, Trust: trust,
		Owner: pool.Address{0x0a}, Requester: pool.Address{byte(n), 0x0b}, Price: 1_000, Stake: 300, AppType: "PROCESS", Image: Program,
	}
	lease := b.reconciling(t)
	if err := b.Followed(background, lease, pool.Followed{From: from, To: block, Clock: now, Deals: []pool.Deal{deal}}); err != nil {
		t.Fatal(err)
	}
	for {
		taken, err := b.TakeIn(background, lease, 1_000, pool.Trace{RequestID: "build"}, func(part pool.DealPart) (pool.Intake, error) {
			batch := NewBatch(0, part.Tasks, part.Deal.Trust)
			batch.Demands.RunLimit, batch.Demands.Wallet = part.Deal.T, true
			in := pool.Intake{Batch: batch, Wanted: Wanted(part.Deal.Trust)}
			for i := range part.Tasks {
				in.Tasks = append(in.Tasks, TaskID(part.Deal.ID, part.First+i))
			}
			return in, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if taken == 0 {
			break
		}
	}
	if _, err := b.ReleaseLease(background, lease); err != nil {
		t.Fatal(err)
	}
	var works []pool.WorkID
	for i := range tasks {
		task := TaskID(deal.ID, i)
		works = append(works, pool.WorkID(b.Count(t, "SELECT work_id FROM task WHERE task_id = ?", task[:])))
	}
	return works
}

// See stores what the chain shows of tasks, at one block after the last, which can
// no longer change if one of them says so.
func (b *Books) See(t testing.TB, tasks ...pool.Task) []life.Life {
	t.Helper()
	from, err := b.Cursor(background)
	if err != nil {
		t.Fatal(err)
	}
	head := pool.Head{Block: pool.Block{Number: from.Number + 1, Hash: pool.Hash{0xee, byte(from.Number)}, Time: time.Now().UTC()}}
	for i := range tasks {
		tasks[i].Block = head.Number
		if tasks[i].Final {
			head.Finalized = head.Number
		}
	}
	lease := b.reconciling(t)
	if err := b.Followed(background, lease, pool.Followed{From: from, To: head.Block, Clock: head.Time}); err != nil {
		t.Fatal(err)
	}
	lives, err := b.SettleTasks(background, lease, tasks, head, pool.Trace{RequestID: "see"}, func(now time.Time, lives []life.Life) {
		for i := range lives {
			lives[i].Look(now, 1, life.Defaults)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.ReleaseLease(background, lease); err != nil {
		t.Fatal(err)
	}
	return lives
}

func (b *Books) reconciling(t testing.TB) *pool.Lease {
	t.Helper()
	lease, err := b.TakeReconcileLease(background)
	if err != nil || lease == nil {
		t.Fatalf("the lease of reconcile: %v, %v", lease, err)
	}
	return lease
}

// AddWalletWorker is AddWorker with a wallet.
func (b *Books) AddWalletWorker(t testing.TB, account pool.AccountID, slots int) (pool.WorkerID, pool.Address) {
	t.Helper()
	worker := b.AddWorker(t, account, slots)
	wallet := pool.Address{byte(worker), byte(worker >> 8), 0xaa}
	b.Exec(t, "UPDATE worker SET wallet = ? WHERE id = ?", wallet[:], int64(worker))
	return worker, wallet
}

var background = context.Background()
