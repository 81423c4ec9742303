package reconcile_test

import (
	"bytes"
	"math/big"
	"strings"
	"testing"

	local "workerpool/infra/local/chain"
	"workerpool/infra/local/chain/contracts"
	"workerpool/shared/ethsig"
	"workerpool/shared/pool"
)

// receiver puts a contract that takes results on the chain, and lets the deals that
// are matched from now on be called back there.
func (r *real) receiver(name string) contracts.Receiver {
	r.Helper()
	out, err := contracts.NewReceiver(r.Context(), r.terms.Requester, name)
	if err != nil {
		r.Fatal(err)
	}
	r.terms.Callback = out.At
	return out
}

// ask views a contract.
func (r *real) ask(c contracts.Receiver, method string, args ...any) any {
	r.Helper()
	data, err := c.Pack(method, args...)
	if err != nil {
		r.Fatal(err)
	}
	answer, err := r.market.Chain.View(r.Context(), c.At, data)
	if err != nil {
		r.Fatal(err)
	}
	out, err := c.Unpack(method, answer)
	if err != nil {
		r.Fatal(err)
	}
	return out
}

// agree makes all workers find a result that is called back with data.
func (r *real) agree(data string) {
	digest := ethsig.Keccak([]byte(data))
	r.data = map[pool.Hash]string{digest: data}
	for i := range r.workers {
		r.workers[i].digest = digest
	}
}

// completed tells the deal's tasks that are not completed.
func (r *real) completed(d pool.Deal) {
	r.Helper()
	for i := range d.Tasks {
		if seen, err := r.market.Task(r.Context(), r.task(d, i)); err != nil || seen.Status != pool.TaskCompleted {
			r.Errorf("task %d: %+v, %v", i, seen, err)
		}
	}
}

// TestRealCallback: the contract that a deal names gets the task and the bytes that
// its workers agreed upon, once, and as much gas as the hub promises it.
func TestRealCallback(t *testing.T) {
	t.Parallel()
	r := serveReal(t, 4)
	client := r.receiver(contracts.Keeping)
	r.agree("\x00bytes that are no text\xff" + strings.Repeat("!", 200))
	r.workers[3].digest = wrong // lies, and has nothing to call back with
	// The hub's owner may give receivers more than the 100,000 of its beginning.
	const promised = 3_000_000
	selector := ethsig.Keccak([]byte("setCallbackGas(uint256)"))
	set := append(selector[:4:4], big.NewInt(promised).FillBytes(make([]byte, 32))...)
	if _, err := r.market.Chain.Rich().Do(t.Context(), local.To(r.market.At.Hub, set)); err != nil {
		t.Fatal(err)
	}
	deal := r.match(5, 3)
	r.finish()
	r.completed(deal)
	if n := r.states(pool.Done); n != 5 {
		t.Errorf("%d works are done", n)
	}
	for i := range deal.Tasks {
		task := r.task(deal, i)
		if got := r.ask(client, "store", task).([]byte); string(got) != r.data[r.workers[0].digest] {
			t.Errorf("task %d is called back with %q", i, got)
		}
		if left := r.ask(client, "gstore", task).(*big.Int); left.Int64() < promised-50_000 {
			t.Errorf("task %d is called back with %s gas, promised are %d", i, left, promised)
		}
	}
	// Without a callback nothing changes, on the same chain.
	r.terms.Callback = pool.Address{}
	plain := r.match(2, 1)
	r.finish()
	r.completed(plain)
	for i := range plain.Tasks {
		if got := r.ask(client, "store", r.task(plain, i)).([]byte); len(got) != 0 {
			t.Errorf("called back unasked with %q", got)
		}
	}
}

// TestRealCallbackFails: what becomes of the contract that is called is no matter of
// the task's, whose workers are paid.
func TestRealCallbackFails(t *testing.T) {
	t.Parallel()
	for name, receiver := range map[string]func(r *real) (at pool.Address, check func()){
		"burns all gas": func(r *real) (pool.Address, func()) {
			waster := r.receiver(contracts.Wasting)
			return waster.At, func() {
				if n := r.ask(waster, "counter").(*big.Int); n.Sign() != 0 {
					r.Errorf("it came to its end: %s", n)
				}
			}
		},
		"reverts": func(r *real) (pool.Address, func()) {
			at := r.market.At.AppRegistry // it knows no receiveResult
			r.refuses(at, r.receiver(contracts.Keeping))
			return at, func() {}
		},
		"is no contract": func(r *real) (pool.Address, func()) { return pool.Address{0xee, 19: 1}, func() {} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := serveReal(t, 2)
			at, check := receiver(r)
			r.terms.Callback = at
			r.agree("data")
			deal := r.match(3, 3)
			r.finish()
			r.completed(deal)
			check()
			for _, w := range r.workers {
				if purse, err := r.market.Purse(t.Context(), w.wallet); err != nil || purse.Stake <= deposit || purse.Locked != 0 {
					t.Errorf("a worker has %+v, %v", purse, err)
				}
			}
			if n := r.Count(t, "SELECT COUNT(*) FROM broadcast WHERE state = 'reverted'"); n != 0 {
				t.Errorf("%d transactions reverted", n)
			}
		})
	}
}

// refuses tells that a contract reverts when it is called back.
func (r *real) refuses(at pool.Address, words contracts.Receiver) {
	r.Helper()
	data, err := words.Pack("receiveResult", [32]byte{1}, []byte("data"))
	if err != nil {
		r.Fatal(err)
	}
	if _, err := r.market.Chain.View(r.Context(), at, data); err == nil {
		r.Error("it does not revert")
	}
}

// TestRealCallbackLargest: the most that a result is called back with goes into one
// transaction that costs less than the pool's dearest.
func TestRealCallbackLargest(t *testing.T) {
	t.Parallel()
	r := serveReal(t, 1)
	client := r.receiver(contracts.Keeping)
	r.agree(string(bytes.Repeat([]byte{0xff}, pool.MaxCallback)))
	deal := r.match(1, 1)
	r.finish()
	r.completed(deal)
	gas := r.Count(t, "SELECT gas FROM broadcast WHERE state = 'mined' AND kind = 'finalize'")
	if gas > 4_300_000 {
		t.Errorf("calling back with %d bytes took %d gas", pool.MaxCallback, gas)
	}
	t.Logf("%d bytes: %d gas", pool.MaxCallback, gas)
	// 100,000 gas do not suffice to store it: the receiver's matter.
	if got := r.ask(client, "store", r.task(deal, 0)).([]byte); len(got) != 0 {
		t.Errorf("%d bytes are stored", len(got))
	}
}

// TestRealCallbackReorganised: a reorganisation takes the finalization back, and the
// contract is called again where the chain goes on.
func TestRealCallbackReorganised(t *testing.T) {
	t.Parallel()
	r := serveReal(t, 2)
	client := r.receiver(contracts.Keeping)
	r.agree("data")
	deal := r.match(2, 3)
	task := r.task(deal, 0)
	for n := 0; len(r.ask(client, "store", task).([]byte)) == 0; n++ {
		if n > 40 {
			t.Fatalf("never called back: %s", r.open())
		}
		r.round()
	}
	head := r.market.Chain.Head()
	if err := r.market.Chain.Reorganise(min(12, int(head.Number-max(head.Finalized, r.floor))), false); err != nil {
		t.Fatal(err)
	}
	if got := r.ask(client, "store", task).([]byte); len(got) != 0 {
		t.Fatal("the reorganisation left it")
	}
	r.finish()
	r.completed(deal)
	for i := range deal.Tasks {
		if got := r.ask(client, "store", r.task(deal, i)).([]byte); string(got) != "data" {
			t.Errorf("task %d is called back with %q", i, got)
		}
	}
}
