package onchain

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"

	"workerpool/cmd/poolctl/page"
	"workerpool/shared/chain/owner"
	"workerpool/shared/ethsig"
	"workerpool/shared/pool"
)

type orderCommand struct {
	Price     amount  `help:"Of one task, with its unit: 1.5RLC or 20nRLC." required:"" placeholder:"AMOUNT"`
	Volume    uint64  `help:"How many tasks may be dealt by it." required:"" placeholder:"TASKS"`
	Category  uint64  `help:"Time class of the tasks, by its number at the hub; 0 (XS) if left out." default:"0" placeholder:"N"`
	Trust     uint64  `help:"Highest trust that a deal may want; 1 if left out." default:"1" placeholder:"N"`
	Tag       tag     `help:"What the pool has beyond the ordinary: gpu." placeholder:"TAG"`
	App       address `help:"Only for this app." placeholder:"0x..."`
	Dataset   address `help:"Only for this dataset." placeholder:"0x..."`
	Requester address `help:"Only for this requester." placeholder:"0x..."`
	File      string  `help:"Where it goes, orders.json if left out. The orders of others that are there stay." default:"orders.json" placeholder:"FILE" type:"path"`
	yes
}

// ordered is what order answers.
type ordered struct {
	Signed   bool        `json:"signed"`
	Order    signedOrder `json:"order"`
	Hash     string      `json:"hash,omitempty"`
	Chain    uint64      `json:"chain"`
	File     string      `json:"file"`
	Category string      `json:"category"`
	Stake    int64       `json:"stake_nrlc"` // locked when all of it is dealt
	Free     int64       `json:"free_nrlc"`
}

// Run signs an order and keeps it. The chain is not told: whoever has the file may
// make deals by it, each of which locks stake.
func (c orderCommand) Run(ctx context.Context, all *Commands, t Console) error {
	door, err := all.open(ctx, t)
	if err != nil {
		return err
	}
	by, err := all.wallet(ctx, t)
	if err != nil {
		return err
	}
	seen, err := all.ours(ctx, door, by.Address)
	if err != nil {
		return err
	}
	category, err := door.Category(ctx, c.Category)
	if err != nil {
		return fmt.Errorf("--category: %w", err)
	}
	order, stake, err := c.order(door, seen.Address)
	if err != nil {
		return err
	}
	purse, _, err := door.Account(ctx, by.Address)
	if err != nil {
		return err
	}
	if err := free(ctx, c.File, door); err != nil {
		return fmt.Errorf("--file: %w", err)
	}
	out := ordered{
		Order: toSigned(order, nil), Chain: door.Domain().ChainID, File: c.File, Category: fmt.Sprintf("%s, T = %s", category.Name, category.T),
		Stake: int64(stake), Free: int64(purse.Stake),
	}
	if c.Yes {
		if _, err := rand.Read(order.Salt[:]); err != nil {
			return fmt.Errorf("drawing the order's salt: %w", err)
		}
		key, err := by.sign()
		if err != nil {
			return err
		}
		hash := door.Domain().Hash(order)
		signature, err := key.Sign(ctx, hash)
		if err != nil {
			return fmt.Errorf("signing the order: %w", err)
		}
		out.Order, out.Hash, out.Signed = toSigned(order, signature[:]), hash.String(), true
		if err := put(c.File, out.Chain, out.Order); err != nil {
			return fmt.Errorf("--file: %w", err)
		}
	}
	return t.Print(out, func(p *page.Table) {
		p.Row("workerpool", order.Workerpool)
		p.Row("price of a task", rlc(order.Price))
		p.Row("tasks", order.Volume)
		p.Row("category", fmt.Sprintf("%d: %s", c.Category, out.Category))
		p.Row("trust", order.Trust)
		p.Row("locked when all are dealt", fmt.Sprintf("%s; free are %s", rlc(stake), rlc(purse.Stake)))
		if stake > purse.Stake {
			p.Line("the free stake is short: deals beyond %s of price will not come about", rlc(door.Covers(purse.Stake)))
		}
		if !out.Signed {
			p.Line("nothing was signed: --yes signs it into %s", c.File)
			return
		}
		p.Row("hash", out.Hash)
		p.Line("signed into %s, for chain %d; whoever has it may make deals until it is used up or \"poolctl chain cancel-order\" calls it off", c.File, out.Chain)
	})
}

// order makes the order, not yet salted, and says what stake it takes in all.
func (c orderCommand) order(door *owner.Owner, workerpool pool.Address) (ethsig.WorkerpoolOrder, pool.NRLC, error) {
	price := pool.NRLC(c.Price)
	switch {
	case c.Volume == 0:
		return ethsig.WorkerpoolOrder{}, 0, fmt.Errorf("%w: --volume is 0 tasks", ErrUsage)
	case price > 0 && c.Volume > uint64(allRLC/price):
		return ethsig.WorkerpoolOrder{}, 0, fmt.Errorf("%w: --price times --volume is more than all there is, 87,000,000 RLC", ErrUsage)
	case c.Trust > pool.MaxTrust:
		return ethsig.WorkerpoolOrder{}, 0, fmt.Errorf("%w: --trust is %d, this pool serves %d at most", ErrUsage, c.Trust, pool.MaxTrust)
	}
	return ethsig.WorkerpoolOrder{
		Workerpool: workerpool, Price: price, Volume: c.Volume, Tag: pool.Hash(c.Tag), Category: c.Category, Trust: c.Trust,
		AppRestrict: pool.Address(c.App), DatasetRestrict: pool.Address(c.Dataset), RequesterRestrict: pool.Address(c.Requester),
	}, door.Stake(price) * pool.NRLC(c.Volume), nil
}

// free says why a file has no room for an order: one is there that may still make
// deals, and without its file it could not be called off.
func free(ctx context.Context, file string, door *owner.Owner) error {
	old, found, err := take(file, door.Domain().ChainID)
	if err != nil || !found {
		return err
	}
	consumed, err := door.Consumed(ctx, old.WorkerpoolOrder)
	if err != nil {
		return err
	}
	if consumed < old.Volume {
		return fmt.Errorf("%s has an order for chain %d of which %d of %d tasks are left: call it off, or name another file", file, door.Domain().ChainID, old.Volume-consumed, old.Volume)
	}
	return nil
}

type cancelCommand struct {
	File string `arg:"" help:"File with the order, as \"poolctl chain order\" and iexec write it." type:"path"`
	yes
}

// cancelled is what cancel-order answers.
type cancelled struct {
	deed
	Hash  string `json:"hash"`
	Tasks uint64 `json:"tasks"` // that can no longer be dealt
}

// Run calls an order off. Deals made by it go on.
func (c cancelCommand) Run(ctx context.Context, all *Commands, t Console) error {
	door, err := all.open(ctx, t)
	if err != nil {
		return err
	}
	by, err := all.wallet(ctx, t)
	if err != nil {
		return err
	}
	order, found, err := take(c.File, door.Domain().ChainID)
	if err != nil {
		return err
	}
	if !found {
		return fmt.Errorf("%s has no workerpool order for chain %d", c.File, door.Domain().ChainID)
	}
	where := all.Where
	where.Workerpool = address(order.Workerpool)
	if _, err := where.ours(ctx, door, by.Address); err != nil {
		return fmt.Errorf("the order of %s: %w", c.File, err)
	}
	hash := door.Domain().Hash(order.WorkerpoolOrder)
	consumed, err := door.Consumed(ctx, order.WorkerpoolOrder)
	if err != nil {
		return err
	}
	if consumed >= order.Volume {
		return fmt.Errorf("the order %s is used up or called off already: %d of its %d tasks are gone", hash, consumed, order.Volume)
	}
	does := fmt.Sprintf("call off the order %s, of which %d of %d tasks are left", hash, order.Volume-consumed, order.Volume)
	step, err := door.CallOff(ctx, by.Address, order.WorkerpoolOrder)
	if err != nil {
		return fmt.Errorf("%s: %w", does, err)
	}
	out := cancelled{Hash: hash.String(), Tasks: order.Volume - consumed}
	if out.deed, err = c.carry(ctx, door, by, does, step); err != nil {
		return err
	}
	return t.Print(out, out.show)
}

func hexOf(b []byte) string { return "0x" + hex.EncodeToString(b) }
