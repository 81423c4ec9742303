package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	local "workerpool/infra/local/chain"
	"workerpool/infra/local/chain/market"
	"workerpool/shared/chain"
	"workerpool/shared/chain/chaintest"
	"workerpool/shared/ethsig"
	"workerpool/shared/pool"
	"workerpool/shared/store/storetest"
)

// real is a pool on a chain with iExec's contracts, behind a node that a test may
// disturb.
type real struct {
	*served
	market *market.Market
	terms  market.Terms
	node   *chaintest.Node
	keys   map[pool.Address]*local.Account
	deals  []pool.Deal
	floor  uint64       // the newest deal's block: what is below stays
	ahead  atomic.Int64 // of the door's clock, by which it keeps the pauses that a node asks for
}

func realKey(t *testing.T, name string) *ethsig.Key {
	t.Helper()
	raw := ethsig.Keccak([]byte(name))
	key, err := ethsig.NewKey(raw[:])
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// word signs authorisations for the pool.
func (r *real) word(by *ethsig.Key, wallet pool.Address, task pool.Hash) [65]byte {
	r.Helper()
	out, err := ethsig.Word{Signer: by}.Authorise(r.Context(), wallet, task)
	if err != nil {
		r.Fatal(err)
	}
	return out
}

func serveReal(t *testing.T, workers int) *real {
	t.Helper()
	r := &real{served: &served{T: t, wire: &storetest.Wire{}, waits: 3}, keys: map[pool.Address]*local.Account{}}
	var err error
	if r.market, err = market.Start(t.Context(), local.Config{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.market.Chain.Close(); err != nil {
			t.Error(err)
		}
	})
	join := func(name string) *local.Account {
		account, err := r.market.Join(t.Context(), realKey(t, name), deposit)
		if err != nil {
			t.Fatal(err)
		}
		return account
	}
	boss, client := join("owner"), join("requester")
	app, err := r.market.CreateApp(t.Context(), boss, market.App{Name: "app", Kind: "PROCESS", Image: storetest.Program})
	if err != nil {
		t.Fatal(err)
	}
	at, err := r.market.CreatePool(t.Context(), boss, "pool", market.Policy{Stake: 30, Reward: 1})
	if err != nil {
		t.Fatal(err)
	}
	r.terms = market.Terms{App: app, AppOwner: realKey(t, "owner"), Pool: at, PoolOwner: realKey(t, "owner"), Price: price, Requester: client, Params: `{"iexec_args":"-n 1"}`}
	r.node = chaintest.Start(t, chaintest.Forward(t, r.market.Chain.URL()))
	door, err := chain.Open(chain.Config{URL: r.node.URL, Hub: r.market.At.Hub, Pool: at, Timeout: 5 * time.Second, Now: func() time.Time { return time.Now().Add(time.Duration(r.ahead.Load())) }})
	if err != nil {
		t.Fatal(err)
	}
	r.served.node, r.sender = door, chain.NewSender(chain.SenderConfig{Chain: door, Signer: realKey(t, "owner")})
	r.task = func(d pool.Deal, index int) pool.Hash { return ethsig.TaskID(d.ID, index) }
	r.pass = func(time.Duration) { r.market.Chain.Mine(1) }
	r.contribute = func(w turn, task pool.Hash, authorisation []byte) error {
		return r.say(w, r.market.Contribute(w.wallet, task, pool.Digest(w.digest), [65]byte(authorisation)))
	}
	r.reveal = func(w turn, task pool.Hash) error { return r.say(w, r.market.Reveal(task, pool.Digest(w.digest))) }
	r.Books = storetest.New(t, storetest.Dial(r.wire.Dial))
	r.flow = r.reconciler()
	account := r.AddAccount(t, "workers", pool.RoleWorker, true)
	for i := range workers {
		id, _ := r.AddWalletWorker(t, account, 100)
		who := join(fmt.Sprint("worker ", i))
		wallet := who.Address()
		r.keys[wallet] = who
		r.Exec(t, "UPDATE worker SET wallet = ? WHERE id = ?", wallet[:], int64(id))
		r.workers = append(r.workers, turn{id: id, wallet: wallet, digest: right})
	}
	return r
}

// say lets a worker call the hub, perhaps in vain.
func (r *real) say(w turn, call local.Call) error {
	done, err := r.keys[w.wallet].Try(r.Context(), call)
	if err == nil && !done[0].Good {
		err = errors.New("reverted")
	}
	return err
}

// dispatch is served's, with the pool's own signatures.
func (r *real) dispatch() {
	r.Helper()
	r.served.assign()
	asked, err := r.Unauthorised(r.Context(), 500)
	if err != nil {
		r.Fatal(err)
	}
	for i, a := range asked {
		asked[i].Signature = r.word(realKey(r.T, "owner"), a.Wallet, a.Task)
	}
	if _, err := r.Authorise(r.Context(), asked, pooltrace); err != nil {
		r.Fatal(err)
	}
}

func (r *real) match(tasks, trust int) pool.Deal {
	r.Helper()
	terms := r.terms
	terms.Tasks, terms.Trust = tasks, trust
	deal, err := r.market.Match(r.Context(), terms)
	if err != nil {
		r.Fatal(err)
	}
	r.deals, r.floor = append(r.deals, deal), r.market.Chain.Head().Number
	return deal
}

func (r *real) round() {
	r.Helper()
	r.tick()
	r.dispatch()
	r.work()
	r.market.Chain.Mine(1)
}

// finished tells that chain and books agree that all deals have ended.
func (r *real) finished() bool {
	r.Helper()
	for _, d := range r.deals {
		for i := range d.Tasks {
			seen, err := r.market.Task(r.Context(), r.task(d, i))
			if err != nil {
				r.Fatal(err)
			}
			if !seen.Status.Ended() {
				return false
			}
		}
	}
	return r.Count(r, "SELECT COUNT(*) FROM deal WHERE state = 'settled'") == len(r.deals) && r.Count(r, "SELECT COUNT(*) FROM broadcast WHERE state = 'signed'") == 0 &&
		r.Count(r, "SELECT COUNT(*) FROM action WHERE state IN ('wanted', 'sent')") == 0
}

// finish goes on until all has ended, and holds the money to the promises.
func (r *real) finish() {
	r.Helper()
	for range 80 {
		if r.finished() {
			r.audit()
			var ids []pool.Hash
			for _, d := range r.deals {
				ids = append(ids, d.ID)
			}
			sheet, err := r.market.Sheet(r.Context(), ids...)
			if err == nil {
				err = sheet.Check()
			}
			if err != nil || sheet.Held != 0 {
				r.Errorf("%+v, %v", sheet, err)
			}
			return
		}
		r.round()
		r.market.Chain.Mine(8) // what has ended is final sooner
	}
	r.Fatalf("never ended: %s", r.open())
}

// TestRealDeal: on iExec's contracts, behind a real node: sixteen tasks at trust 3,
// one worker of five lying.
func TestRealDeal(t *testing.T) {
	t.Parallel()
	r := serveReal(t, 5)
	r.workers[2].digest = wrong
	deal := r.match(16, 3)
	r.finish()
	if n := r.states(pool.Done); n != 16 {
		t.Errorf("%d works are done", n)
	}
	for i := range deal.Tasks {
		if seen, err := r.market.Task(t.Context(), r.task(deal, i)); err != nil || seen.Status != pool.TaskCompleted {
			t.Errorf("%+v, %v", seen, err)
		}
	}
	purse, err := r.market.Purse(t.Context(), r.workers[2].wallet)
	if err != nil || purse.Stake+purse.Locked >= deposit {
		t.Errorf("the liar has %+v, %v", purse, err)
	}
}

// TestRealClaims: nobody runs it, and the requester has its money back.
func TestRealClaims(t *testing.T) {
	t.Parallel()
	r := serveReal(t, 1)
	r.terms.Params = `{"iexec_result_encryption":true}`
	r.match(30, 1)
	r.tick()
	if err := r.market.Chain.AdjustTime(10 * term); err != nil {
		t.Fatal(err)
	}
	r.finish()
	if n := r.Count(t, "SELECT COUNT(*) FROM broadcast WHERE state = 'mined' AND kind = 'init-claim'"); n != 2 {
		t.Errorf("claimed by %d transactions", n)
	}
	purse, err := r.market.Purse(t.Context(), r.terms.Requester.Address())
	if err != nil || purse.Stake != deposit || purse.Locked != 0 {
		t.Errorf("%+v, %v", purse, err)
	}
}

// TestRealStorms: the real node reorganises, is away, refuses, lags, tells logs twice
// or not at all, forgets what was sent, and reconcilers die.
func TestRealStorms(t *testing.T) {
	t.Parallel()
	for n := range 2 {
		seed := rand.Uint64()
		if given, err := strconv.ParseUint(os.Getenv("STORM_SEED"), 10, 64); err == nil {
			seed = given
		}
		t.Run(fmt.Sprintf("%d seed %d", n, seed), func(t *testing.T) {
			t.Parallel()
			draw := rand.New(rand.NewPCG(seed, 1))
			r := serveReal(t, 4)
			r.waits = 2
			if n == 0 {
				r.apart(draw.IntN(4))
			}
			r.match(6+draw.IntN(20), []int{1, 3}[draw.IntN(2)])
			for range 20 {
				r.weather(draw)
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				_ = r.flow.Tick(ctx)
				cancel()
				r.calm()
				r.dispatch()
				r.work()
				r.market.Chain.Mine(1 + draw.IntN(6))
			}
			r.finish()
			if r.states(pool.Done) == 0 {
				t.Error("no work was done")
			}
		})
	}
}

func (r *real) weather(draw *rand.Rand) {
	r.Helper()
	head := r.market.Chain.Head()
	switch draw.IntN(9) {
	case 0, 1:
		// A deal that is taken back is not matched again here: as deep as it may go.
		depth := min(1+draw.IntN(20), int(head.Number-max(head.Finalized, r.floor)))
		if depth > 0 {
			if err := r.market.Chain.Reorganise(depth, draw.IntN(2) == 0); err != nil {
				r.Fatal(err)
			}
		}
	case 2:
		r.node.Break([]chaintest.Break{chaintest.Away, chaintest.Cut, chaintest.Status(503, "busy"), chaintest.TooOften(0)}[draw.IntN(4)])
	case 3:
		r.node.Disturb(chaintest.OldHead(head.Number - min(head.Number, uint64(draw.IntN(6)))))
	case 4:
		r.node.Disturb(chaintest.Missing(draw, 0.5))
	case 5:
		r.node.Disturb(chaintest.Doubled(draw), chaintest.RangeLimit(uint64(1+draw.IntN(8)), chaintest.Error{Code: -32005, Message: "query returned more than 10000 results"}))
	case 6:
		r.market.Chain.Pause()
	case 7, 8:
		if trip := 1 + draw.IntN(60); draw.IntN(2) == 0 {
			r.wire.CutBefore(trip)
		} else {
			r.wire.CutAfter(trip)
		}
	}
}

func (r *real) calm() {
	r.Helper()
	r.wire.Reset()
	r.Exec(r, "UPDATE lease SET until = UTC_TIMESTAMP(6)")
	r.node.Break(nil)
	r.node.Disturb()
	r.ahead.Add(int64(time.Minute))
	r.market.Chain.Resume()
}
