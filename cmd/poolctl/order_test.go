package main

import (
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"workerpool/infra/local/orders"
	"workerpool/shared/chain/poco"
	"workerpool/shared/ethsig"
	"workerpool/shared/pool"
)

// sold is the pool's order in a file, as the local pool reads such files.
func (c *court) sold(file string) (offer poco.IexecLibOrdersV5WorkerpoolOrder) {
	c.t.Helper()
	if err := orders.Read(file, c.on.ID(), orders.Workerpool, &offer); err != nil {
		c.t.Fatal(err)
	}
	return offer
}

// buy lets the chain's rich account make a deal of n tasks by an order of the
// pool, and gives whether the hub takes it.
func (c *court) buy(n uint64, offer poco.IexecLibOrdersV5WorkerpoolOrder) bool {
	c.t.Helper()
	ctx, rich, domain := c.t.Context(), c.on.Rich(), ethsig.Domain{ChainID: c.on.ID(), Hub: c.at.Hub}
	apps, me := poco.NewAppRegistry(), [20]byte(rich.Address())
	name := fmt.Sprint("app of block ", c.on.Head().Number)
	app := ask(c, c.at.AppRegistry, apps.PackPredictApp(me, name, "DOCKER", []byte("image"), [32]byte{}, nil), apps.UnpackPredictApp)
	c.do(c.at.AppRegistry, apps.PackCreateApp(me, name, "DOCKER", []byte("image"), [32]byte{}, nil))
	c.do(c.at.RLC, poco.NewRLC().PackApproveAndCall([20]byte(c.at.Hub), big.NewInt(100*nano), nil))
	sign := func(order ethsig.Order) [65]byte {
		signature, err := rich.Sign(ctx, domain.Hash(order))
		if err != nil {
			c.t.Fatal(err)
		}
		return signature
	}
	salt := c.on.Head().Hash
	a := ethsig.AppOrder{App: pool.Address(app), Volume: n, Salt: salt}
	r := ethsig.RequestOrder{
		App: a.App, WorkerpoolMaxPrice: pool.NRLC(offer.Workerpoolprice.Int64()), Requester: rich.Address(), Volume: n,
		Category: offer.Category.Uint64(), Trust: offer.Trust.Uint64(), Beneficiary: rich.Address(), Salt: salt,
	}
	call := c.hub.PackMatchOrders(orders.OfApp(a, sign(a)), orders.NoDataset(), offer, orders.OfRequest(r, sign(r)))
	_, err := c.on.View(ctx, c.at.Hub, call)
	if err == nil {
		c.do(c.at.Hub, call)
	}
	return err == nil
}

// An order that was signed makes deals, which lock stake, until it is called off.
func TestChainOrder(t *testing.T) {
	c := newCourt(t)
	at := c.registered("30RLC").String()
	file := filepath.Join(c.dir, "orders.json")
	order := []string{"--workerpool", at, "order", "--price", "2.000000001RLC", "--volume", "50", "--category", "2", "--trust", "3", "--file", file}
	c.chain(exitDone, order...)
	c.says("2.000000001 RLC", "2: M, T = 1h0m0s", "locked when all are dealt  30 RLC; free are 30 RLC", "nothing was signed")
	if _, err := os.Stat(file); err == nil {
		t.Fatal("a file was made without --yes")
	}
	before := c.on.Head().Number
	c.chain(exitDone, append(order, "--yes")...)
	if now := c.on.Head().Number; now != before {
		t.Errorf("signing made block %d", now)
	}
	offer := c.sold(file)
	hash := ethsig.Domain{ChainID: c.on.ID(), Hub: c.at.Hub}.Hash(ethsig.WorkerpoolOrder{
		Workerpool: pool.Address(offer.Workerpool), Price: 2*nano + 1, Volume: 50, Category: 2, Trust: 3, Salt: offer.Salt,
	})
	c.says("hash", hash.String())
	if !ask(c, c.at.Hub, c.hub.PackVerifyPresignatureOrSignature([20]byte(c.key.Address()), hash, offer.Sign), c.hub.UnpackVerifyPresignatureOrSignature) {
		t.Error("the hub does not take the signature")
	}
	c.chain(exitFailed, append(order, "--yes")...)
	c.says("--file: ", "of which 50 of 50 tasks are left")

	if !c.buy(7, offer) {
		t.Fatal("the hub does not match the order")
	}
	const locked = 7 * 600_000_000 // 30 % of each task's price, rounded down
	if got := c.account(); got[0] != 30*nano-locked || got[1] != locked {
		t.Errorf("free and locked are %v", got)
	}
	c.chain(exitDone, "--workerpool", at, "status")
	c.says("25.8 RLC, enough for deals of 86 RLC", "4.2 RLC, lost if no open task is finalized; about 14 RLC of price is open")
	c.chain(exitFailed, "withdraw", "25.800000001RLC")
	c.says("there is 25.8 RLC free")

	c.tried("cancel-order", file)
	c.says("of which 43 of 50 tasks are left")
	if c.buy(1, offer) {
		t.Error("the hub matches an order that was called off")
	}
	c.chain(exitFailed, "cancel-order", file, "--yes")
	c.says("is used up or called off already: 50 of its 50 tasks are gone")
	c.chain(exitDone, append(order, "--yes")...) // now there is room for another
	if again := c.sold(file); again.Salt == offer.Salt || !c.buy(1, again) {
		t.Error("the next order is the same, or makes no deal")
	}
}

func TestChainOrderRefused(t *testing.T) {
	c := newCourt(t)
	at := c.registered("1RLC").String()
	base := []string{"--workerpool", at, "order", "--file", filepath.Join(c.dir, "orders.json"), "--yes"}
	for name, r := range map[string]struct {
		code int
		args []string
		says string
	}{
		"no price":         {exitUsage, []string{"--volume", "1"}, "--price"},
		"no volume":        {exitUsage, []string{"--price", "1RLC", "--volume", "0"}, "--volume is 0"},
		"a bare price":     {exitUsage, []string{"--price", "1", "--volume", "1"}, "say 1RLC or 1nRLC"},
		"too much":         {exitUsage, []string{"--price", "87000000RLC", "--volume", "2"}, "more than all there is"},
		"a large volume":   {exitUsage, []string{"--price", "1RLC", "--volume", "18446744073709551615"}, "more than all there is"},
		"no such category": {exitFailed, []string{"--price", "1RLC", "--volume", "1", "--category", "5"}, "--category: there is no category 5: the hub has 5, from 0 on"},
		"much trust":       {exitUsage, []string{"--price", "1RLC", "--volume", "1", "--trust", "1000001"}, "--trust is 1000001"},
		"enclaves":         {exitUsage, []string{"--price", "1RLC", "--volume", "1", "--tag", "0x" + strings.Repeat("0", 63) + "9"}, "enclaves"},
		"for a name":       {exitUsage, []string{"--price", "1RLC", "--volume", "1", "--app", "app.eth"}, "0x and 40"},
	} {
		c.chain(r.code, append(base, r.args...)...)
		if !strings.Contains(c.errs.String(), r.says) {
			t.Errorf("%s: no %q in %s", name, r.says, c.errs.String())
		}
		if _, err := os.Stat(filepath.Join(c.dir, "orders.json")); err == nil {
			t.Fatalf("%s: it was signed", name)
		}
	}
	// More than the stake suffices for is said, and is the owner's to decide.
	c.chain(exitDone, append(base, "--price", "1RLC", "--volume", "100", "--tag", "gpu", "--app", nowhere)...)
	c.says("the free stake is short: deals beyond 3.333333333 RLC of price will not come about")
	if got := c.sold(filepath.Join(c.dir, "orders.json")); got.Tag != [32]byte{30: 1} || got.Apprestrict != [20]byte{19: 0xff} {
		t.Errorf("%+v", got)
	}
	stranger := c.stage.file("stranger.json", string(sealed(t)))
	c.chain(exitFailed, "--wallet", stranger, "cancel-order", filepath.Join(c.dir, "orders.json"))
	c.says(at + " belongs to " + c.key.Address().String())
	c.chain(exitFailed, "cancel-order", filepath.Join(c.dir, "none.json"))
	c.says("has no workerpool order for chain 31337")
}
