package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"workerpool/infra/local/buyer"
	"workerpool/infra/local/crew"
	"workerpool/infra/local/mint"
	"workerpool/shared/pool"
)

// errUnpaid is what the demonstration fails with when a task was not computed, or
// the money does not add up.
var errUnpaid = errors.New("the deal went wrong")

// shop is the chain on which the local pool sells; nil = it sells nothing there.
type shop struct {
	folder mint.Folder
	buyer  *buyer.Buyer
}

// openShop finds the chain of the local pool, which runs if the pool serves deals.
func (s show) openShop(ctx context.Context) (*shop, error) {
	if !s.chain {
		return nil, nil
	}
	folder := mint.Folder(filepath.Join(s.dir, "chain"))
	b, err := buyer.Open(folder, s.wait)
	if err == nil && !b.Runs(ctx) {
		b.Close()
		err = mint.ErrNone
	}
	if errors.Is(err, mint.ErrNone) {
		say(s.to, "the pool runs without a chain: works are submitted to it")
		return nil, nil
	}
	return &shop{folder: folder, buyer: b}, err
}

// wallet is what a worker needs to serve deals; nil = it serves none.
func (s *shop) wallet(name string) (*crew.Wallet, error) {
	if s == nil {
		return nil, nil
	}
	w, err := s.folder.Wallet(name)
	at := s.buyer.Place()
	return &crew.Wallet{File: w.File, PasswordFile: w.PasswordFile, Node: at.Node, Hub: at.Hub, Pool: at.Workerpool}, err
}

// buy makes a deal of one task for each tile, waits until the chain shows all as
// ended, and tells what became of it. All that it reads of the deal is public, but
// the times that only the workers' logs have.
func (s show) buy(ctx context.Context, shop *shop) error {
	b := shop.buyer
	say(s.to, "buying on chain %d at %s as %s", b.Place().ID, b.Place().Node, b.Address())
	deal, err := b.Buy(ctx, s.poster.Count(), s.trust, s.params())
	if err != nil {
		return err
	}
	say(s.to, "deal %s in block %d: %d tasks at trust %d", deal.ID, deal.Block, deal.Tasks, deal.Trust)
	tasks, err := s.follow(ctx, b, deal)
	if err != nil {
		return err
	}
	account, err := b.Account(ctx, deal)
	if err != nil {
		return err
	}
	names, err := shop.folder.Names()
	if err != nil {
		return err
	}
	sale := sale{deal: deal, tasks: tasks, account: account, names: names, requester: b.Address(), out: s.out}
	if sale.worked, err = readLogs(filepath.Join(s.dir, "log")); err != nil {
		return err
	}
	if sale.accepted, err = s.accepted(ctx, sale); err != nil {
		return err
	}
	if fault := sale.check(); fault != nil {
		say(s.to, "%s", sale)
		return fault
	}
	if sale.wrong, err = s.tiles(ctx, b, deal); err != nil {
		return err
	}
	say(s.to, "%s", sale)
	if len(sale.wrong) > 0 {
		return fmt.Errorf("%w: tiles %v are not as rendered here", errWrong, sale.wrong)
	}
	return nil
}

// params are those of the deal, as iExec's clients write them.
func (s show) params() string {
	text, err := json.Marshal(map[string]string{
		"iexec_args":                    fmt.Sprintf("-size %d -n %d", s.poster.Size, s.poster.Tiles),
		"iexec_result_storage_provider": "ipfs",
	})
	if err != nil { // texts can always be written
		panic(err)
	}
	return string(text)
}

// tellEvery is after how many looks it is said how far the tasks are.
const tellEvery = 5

// follow waits until all tasks have ended, and says how far they are.
func (s show) follow(ctx context.Context, b *buyer.Buyer, deal buyer.Deal) ([]pool.Task, error) {
	for look := 0; ; look++ {
		tasks, err := b.Look(ctx, deal)
		if err != nil {
			return nil, err
		}
		ended := !slices.ContainsFunc(tasks, func(t pool.Task) bool { return !t.Status.Ended() })
		if ended || look%tellEvery == 0 {
			say(s.to, "%s", standing(tasks))
		}
		if ended {
			return tasks, nil
		}
		if err := s.wait(ctx, s.every); err != nil {
			return nil, err
		}
	}
}

// standing counts tasks by how far they are.
func standing(tasks []pool.Task) string {
	words := []string{"waiting", "active", "revealing", "completed", "failed"} // by pool.TaskStatus
	counts := make([]int, len(words))
	contributions := 0
	for _, t := range tasks {
		counts[t.Status]++
		contributions += len(t.Contributions)
	}
	out := strconv.Itoa(contributions) + " contributions;"
	for i, n := range counts {
		if n > 0 {
			out += fmt.Sprintf(" %d %s", n, words[i])
		}
	}
	return out
}

// accepted is when the pool made a work of each task.
func (s show) accepted(ctx context.Context, sale sale) (map[pool.Hash]time.Time, error) {
	out := map[pool.Hash]time.Time{}
	for _, id := range sale.deal.TaskIDs {
		number, known := sale.worked.works[id]
		if !known {
			continue
		}
		work, err := s.client.Work(ctx, s.token, number)
		if err != nil {
			return nil, fmt.Errorf("asking about work %d: %w", number, err)
		}
		out[id] = work.Created
	}
	return out, nil
}
