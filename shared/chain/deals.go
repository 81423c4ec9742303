package chain

import (
	"context"
	"fmt"
	"math"
	"math/big"
	"strings"
	"time"

	"workerpool/shared/chain/poco"
	"workerpool/shared/cid"
	"workerpool/shared/pool"
)

// app is what an app's owner declared; it never changes.
type app struct{ kind, image string }

// dataset is what a dataset's owner declared; it never changes.
type dataset struct {
	at  string
	sum pool.Digest
}

// Deals gives the deals of this pool that the block knows, in the order of ids;
// the others are left out. Block of a deal stays 0: only its notice tells it.
func (c *Client) Deals(ctx context.Context, at pool.Block, ids []pool.Hash) ([]pool.Deal, error) {
	answers, err := c.views(ctx, at, c.ask(ids, func(id pool.Hash) []byte { return c.contract.PackViewDeal(id) }))
	if err != nil {
		return nil, err
	}
	var deals []pool.Deal
	var raw []poco.IexecLibCoreV5Deal
	for i, answer := range answers {
		deal, err := c.contract.UnpackViewDeal(answer)
		if err != nil {
			return nil, malformed("viewDeal of "+ids[i].String(), answer, err)
		}
		ours := c.config.Pool.IsZero() || pool.Address(deal.Workerpool.Pointer) == c.config.Pool
		if deal.StartTime.Sign() > 0 && ours {
			raw = append(raw, deal)
			deals = append(deals, readDeal(ids[i], deal))
		}
	}
	if err := c.learn(ctx, at, raw); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range deals {
		deals[i].T = c.categories[raw[i].Category.String()]
		deals[i].AppType, deals[i].Image = c.apps[deals[i].App].kind, c.apps[deals[i].App].image
		deals[i].DatasetAt, deals[i].DatasetSum = c.datasets[deals[i].Dataset].at, c.datasets[deals[i].Dataset].sum
	}
	return deals, nil
}

func (c *Client) ask(ids []pool.Hash, pack func(pool.Hash) []byte) []question {
	out := make([]question, len(ids))
	for i, id := range ids {
		out[i] = question{to: c.config.Hub, data: pack(id)}
	}
	return out
}

func readDeal(id pool.Hash, d poco.IexecLibCoreV5Deal) pool.Deal {
	return pool.Deal{
		ID: id, Start: moment(d.StartTime), First: int(small(d.BotFirst)), Tasks: int(small(d.BotSize)),
		Trust: int(min(small(d.Trust), pool.MaxTrust+1)), Tag: d.Tag,
		App: pool.Address(d.App.Pointer), Dataset: pool.Address(d.Dataset.Pointer), Owner: pool.Address(d.Workerpool.Owner),
		Requester: pool.Address(d.Requester), Beneficiary: pool.Address(d.Beneficiary), Callback: pool.Address(d.Callback),
		Params: text(d.Params), Price: pool.NRLC(small(d.Workerpool.Price)), Stake: pool.NRLC(small(d.WorkerStake)),
	}
}

// learn asks for the apps, datasets and categories of deals that were not asked for
// before, all at once.
func (c *Client) learn(ctx context.Context, at pool.Block, deals []poco.IexecLibCoreV5Deal) error {
	var questions []question
	var keep []func(answer []byte) error
	asked := map[string]bool{}
	c.mu.Lock()
	for _, d := range deals {
		address, category := pool.Address(d.App.Pointer), d.Category.String()
		if _, known := c.apps[address]; !known && !asked[address.String()] {
			asked[address.String()] = true
			questions = append(questions, question{c.config.Hub, c.contract.PackViewApp(d.App.Pointer)})
			keep = append(keep, func(answer []byte) error { return c.keepApp(address, answer) })
		}
		set := pool.Address(d.Dataset.Pointer)
		if _, known := c.datasets[set]; !known && !set.IsZero() && !asked[set.String()] {
			asked[set.String()] = true
			questions = append(questions, question{c.config.Hub, c.contract.PackViewDataset(d.Dataset.Pointer)})
			keep = append(keep, func(answer []byte) error { return c.keepDataset(set, answer) })
		}
		if _, known := c.categories[category]; !known && !asked[category] {
			asked[category] = true
			questions = append(questions, question{c.config.Hub, c.contract.PackViewCategory(d.Category)})
			keep = append(keep, func(answer []byte) error { return c.keepCategory(category, answer) })
		}
	}
	c.mu.Unlock()
	answers, err := c.views(ctx, at, questions)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, answer := range answers {
		if err := keep[i](answer); err != nil {
			return err
		}
	}
	return nil
}

func (c *Client) keepApp(address pool.Address, answer []byte) error {
	info, err := c.contract.UnpackViewApp(answer)
	if err != nil {
		return malformed("viewApp of "+address.String(), answer, err)
	}
	c.apps[address] = app{kind: text(info.MAppType), image: text(string(info.MAppMultiaddr))}
	return nil
}

func (c *Client) keepDataset(address pool.Address, answer []byte) error {
	info, err := c.contract.UnpackViewDataset(answer)
	if err != nil {
		return malformed("viewDataset of "+address.String(), answer, err)
	}
	c.datasets[address] = dataset{at: text(cid.Location(info.MDatasetMultiaddr)), sum: info.MDatasetChecksum}
	return nil
}

func (c *Client) keepCategory(id string, answer []byte) error {
	info, err := c.contract.UnpackViewCategory(answer)
	if err != nil {
		return malformed("viewCategory of "+id, answer, err)
	}
	seconds := min(small(info.WorkClockTimeRef), int64(math.MaxInt64/time.Second/pool.FinalAfter))
	c.categories[id] = time.Duration(seconds) * time.Second
	return nil
}

// Tasks gives tasks with their contributions as the block shows them, in the
// order of ids; one that is not initialized has the status pool.TaskUnset. The
// chain keeps a contribution's weight as its binary logarithm, rounded down; so
// the weight given may be too small, never too large.
func (c *Client) Tasks(ctx context.Context, at pool.Block, ids []pool.Hash) ([]pool.Task, error) {
	answers, err := c.views(ctx, at, c.ask(ids, func(id pool.Hash) []byte { return c.contract.PackViewTask(id) }))
	if err != nil {
		return nil, err
	}
	tasks := make([]pool.Task, len(ids))
	var questions []question
	for i, answer := range answers {
		task, err := c.contract.UnpackViewTask(answer)
		if err != nil {
			return nil, malformed("viewTask of "+ids[i].String(), answer, err)
		}
		if task.Status > uint8(pool.TaskFailed) {
			return nil, fmt.Errorf("task %s has the status %d, which there is not", ids[i], task.Status)
		}
		tasks[i] = pool.Task{
			ID: ids[i], Block: at.Number, Status: pool.TaskStatus(task.Status), RevealBy: moment(task.RevealDeadline),
			Consensus: task.ConsensusValue, Digest: task.ResultDigest,
			Reveals: int(small(task.RevealCounter)), Winners: int(small(task.WinnerCounter)),
		}
		for _, wallet := range task.Contributors {
			questions = append(questions, question{c.config.Hub, c.contract.PackViewContribution(ids[i], wallet)})
			tasks[i].Contributions = append(tasks[i].Contributions, pool.Contribution{Wallet: pool.Address(wallet)})
		}
	}
	answers, err = c.views(ctx, at, questions)
	if err != nil {
		return nil, err
	}
	for i := range tasks {
		for j := range tasks[i].Contributions {
			if err := c.readContribution(&tasks[i].Contributions[j], answers[0]); err != nil {
				return nil, fmt.Errorf("task %s: %w", ids[i], err)
			}
			answers = answers[1:]
		}
	}
	return tasks, nil
}

func (c *Client) readContribution(into *pool.Contribution, answer []byte) error {
	view, err := c.contract.UnpackViewContribution(answer)
	if err != nil {
		return malformed("viewContribution of "+into.Wallet.String(), answer, err)
	}
	if view.Status > uint8(pool.Rejected) {
		return fmt.Errorf("the contribution of %s has the status %d, which there is not", into.Wallet, view.Status)
	}
	into.Status, into.Hash = pool.ContributionStatus(view.Status), view.ResultHash
	into.Weight = 1 << min(small(view.Weight), 62)
	return nil
}

// malformed names an answer that is not what the contract gives. No bytes at all
// are the answer where there is no contract.
func malformed(what string, answer []byte, err error) error {
	return fmt.Errorf("the answer to %s, %d bytes, is malformed: %w", what, len(answer), err)
}

// small gives a number of the contracts. What is larger than an int64 is only
// found in the terms of somebody who wants to do harm; it becomes the largest.
func small(n *big.Int) int64 {
	if !n.IsInt64() {
		return math.MaxInt64
	}
	return n.Int64()
}

// moment gives a time of the contracts; 0 is the zero time.
func moment(seconds *big.Int) time.Time {
	if seconds.Sign() == 0 {
		return time.Time{}
	}
	return time.Unix(min(small(seconds), 1<<40), 0).UTC()
}

// text gives a text of the contracts, where nobody checks that it is one.
func text(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }
