package market

import (
	"strings"
	"testing"
	"time"

	"workerpool/infra/local/chain"
	"workerpool/shared/ethsig"
	"workerpool/shared/pool"
)

const (
	price    pool.NRLC = 1000
	appPrice pool.NRLC = 70
	deposit  pool.NRLC = 1_000_000
	stake    pool.NRLC = 300 // of pool and worker
	t0                 = 300 * time.Second
)

// stall is a market with one pool, one app and four workers.
type stall struct {
	*testing.T
	*Market
	owner, maker, requester *chain.Account
	workers                 []*chain.Account
	pool, app               pool.Address
}

func open(t *testing.T) *stall {
	t.Helper()
	m, err := Start(t.Context(), chain.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Chain.Close(); err != nil {
			t.Error(err)
		}
	})
	s := &stall{T: t, Market: m}
	s.owner, s.maker, s.requester = s.join(deposit), s.join(0), s.join(deposit)
	for range 4 {
		s.workers = append(s.workers, s.join(deposit))
	}
	if s.app, err = m.CreateApp(t.Context(), s.maker, App{Name: "app", Kind: "DOCKER", Image: "docker.io/library/alpine:3"}); err != nil {
		t.Fatal(err)
	}
	if s.pool, err = m.CreatePool(t.Context(), s.owner, "pool", Policy{Stake: 30, Reward: 5}); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *stall) join(deposit pool.NRLC) *chain.Account {
	s.Helper()
	key, err := ethsig.GenerateKey()
	if err != nil {
		s.Fatal(err)
	}
	account, err := s.Join(s.Context(), key, deposit)
	if err != nil {
		s.Fatal(err)
	}
	return account
}

func (s *stall) terms(tasks, trust int) Terms {
	return Terms{
		App: s.app, AppOwner: s.maker, AppPrice: appPrice, Pool: s.pool, PoolOwner: s.owner, Price: price,
		Requester: s.requester, Tasks: tasks, Trust: trust, Params: `{"iexec_args":"x"}`,
	}
}

func (s *stall) match(tasks, trust int) pool.Deal {
	s.Helper()
	deal, err := s.Match(s.Context(), s.terms(tasks, trust))
	if err != nil {
		s.Fatal(err)
	}
	return deal
}

func (s *stall) do(by *chain.Account, call chain.Call) {
	s.Helper()
	if _, err := by.Do(s.Context(), call); err != nil {
		s.Fatal(err)
	}
}

// answer is what all honest workers find.
var answer = pool.Digest{42}

func (s *stall) contribution(worker *chain.Account, task pool.Hash, digest pool.Digest) chain.Call {
	s.Helper()
	word, err := ethsig.Word{Signer: s.owner}.Authorise(s.Context(), worker.Address(), task)
	if err != nil {
		s.Fatal(err)
	}
	return s.Contribute(worker.Address(), task, digest, word)
}

func (s *stall) contribute(worker int, task pool.Hash, digest pool.Digest) {
	s.Helper()
	s.do(s.workers[worker], s.contribution(s.workers[worker], task, digest))
}

func (s *stall) task(id pool.Hash, status pool.TaskStatus) pool.Task {
	s.Helper()
	task, err := s.Task(s.Context(), id)
	if err != nil || task.Status != status {
		s.Fatalf("the task is %+v, wanted status %d: %v", task, status, err)
	}
	return task
}

func (s *stall) pass(d time.Duration) {
	s.Helper()
	if err := s.Chain.AdjustTime(d); err != nil {
		s.Fatal(err)
	}
}

// sheet checks the money of deals, and that every account has what its line says.
func (s *stall) sheet(deals ...pool.Deal) Sheet {
	s.Helper()
	var ids []pool.Hash
	for _, deal := range deals {
		ids = append(ids, deal.ID)
	}
	sheet, err := s.Sheet(s.Context(), ids...)
	if err != nil {
		s.Fatal(err)
	}
	if err := sheet.Check(); err != nil {
		s.Error(err)
	}
	return sheet
}

// purses compares what the accounts have with what all deals brought them.
func (s *stall) purses(all Sheet) {
	s.Helper()
	held := pool.NRLC(0)
	for _, account := range append([]*chain.Account{s.owner, s.maker, s.requester}, s.workers...) {
		line, put := all.Lines[account.Address()], deposit
		if account == s.maker {
			put = 0
		}
		want := Purse{Stake: put - line.Locked + line.Refunded + line.Earned, Locked: line.Locked - line.Refunded - line.Lost}
		if got, err := s.Purse(s.Context(), account.Address()); err != nil || got != want {
			s.Errorf("%s has %+v, its line %+v makes it %+v: %v", account.Address(), got, line, want, err)
		}
		held += want.Locked
	}
	if held != all.Held {
		s.Errorf("accounts have %d nRLC locked, the tasks hold %d", held, all.Held)
	}
}

// TestLife takes one of two tasks from its deal to its end.
func TestLife(t *testing.T) {
	t.Parallel()
	s := open(t)
	deal := s.match(2, 4)
	want := pool.Deal{
		ID: deal.ID, Start: s.Chain.Head().Time, Tasks: 2, T: t0, Trust: 4, App: s.app, Owner: s.owner.Address(), Requester: s.requester.Address(),
		Beneficiary: s.requester.Address(), Params: `{"iexec_args":"x"}`, Price: price, Stake: stake,
	}
	if deal != want {
		t.Errorf("the deal is %+v, wanted %+v", deal, want)
	}
	task := ethsig.TaskID(deal.ID, 1)
	s.task(task, pool.TaskUnset)
	// By the rules of forks to come it would be 768,000.
	if all, err := s.owner.Do(t.Context(), s.Initialize(deal.ID, 1)); err != nil || all[0].Gas < 100_000 || all[0].Gas > 300_000 {
		t.Errorf("initializing: %+v, %v", all, err)
	}
	s.contribute(0, task, answer)
	if got := s.task(task, pool.TaskActive); len(got.Contributions) != 1 || got.Contributions[0].Hash != ethsig.ResultHash(task, answer) || got.Contributions[0].Weight != 1 {
		t.Errorf("after one contribution: %+v", got)
	}
	s.contribute(1, task, answer)
	if got := s.task(task, pool.TaskRevealing); got.Consensus != ethsig.ResultHash(task, answer) || got.Winners != 2 || !got.RevealBy.Equal(s.Chain.Head().Time.Add(pool.RevealFor*t0)) {
		t.Errorf("at the consensus: %+v", got)
	}
	half := s.sheet(deal)
	if half.Locked != 2*(price+appPrice+stake)+2*stake || half.Held != half.Locked {
		t.Errorf("nothing has ended: %+v", half)
	}
	s.purses(half)
	for _, worker := range s.workers[:2] {
		s.do(worker, s.Reveal(task, answer))
	}
	s.do(s.owner, s.Finalize(task, []byte(`{"storage":"ipfs","location":"/ipfs/x"}`)))
	if got := s.task(task, pool.TaskCompleted); got.Digest != answer || got.Reveals != 2 {
		t.Errorf("at the end: %+v", got)
	}
	end := s.sheet(deal)
	if end.Paid != price+appPrice || end.Refunded != 3*stake || end.Seized != 0 || end.Held != price+appPrice+stake {
		t.Errorf("one of two tasks has ended: %+v", end)
	}
	for i, earned := range []pool.NRLC{475, 475} {
		if got := end.Lines[s.workers[i].Address()]; got != (Line{Locked: stake, Refunded: stake, Earned: earned}) {
			t.Errorf("worker %d: %+v", i, got)
		}
	}
	if got := end.Lines[s.owner.Address()]; got != (Line{Locked: 2 * stake, Refunded: stake, Earned: 50}) {
		t.Errorf("the pool: %+v", got)
	}
	s.purses(end)
}

// TestLiar has one contribute what nobody else finds.
func TestLiar(t *testing.T) {
	t.Parallel()
	s := open(t)
	deal := s.match(1, 3)
	task := ethsig.TaskID(deal.ID, 0)
	s.do(s.requester, s.Initialize(deal.ID, 0))
	s.contribute(0, task, pool.Digest{66})
	s.contribute(1, task, answer)
	s.contribute(2, task, answer)
	s.task(task, pool.TaskActive)
	s.contribute(3, task, answer)
	s.task(task, pool.TaskRevealing)
	if all, err := s.workers[0].Try(s.Context(), gas(s.Reveal(task, pool.Digest{66}))); err != nil || all[0].Good {
		t.Errorf("the liar revealed: %+v, %v", all, err)
	}
	for _, worker := range s.workers[1:] {
		s.do(worker, s.Reveal(task, answer))
	}
	s.do(s.owner, s.Finalize(task, nil))
	end := s.sheet(deal)
	if got := end.Lines[s.workers[0].Address()]; got != (Line{Locked: stake, Lost: stake}) {
		t.Errorf("the liar: %+v", got)
	}
	// The liar's stake is paid to the others, and is not seized by the kitty.
	if end.Paid != price+appPrice+stake || end.Seized != 0 || end.Held != 0 {
		t.Errorf("all has ended: %+v", end)
	}
	s.purses(end)
}

// gas has a call sent though it will fail.
func gas(call chain.Call) chain.Call {
	call.Gas = 500_000
	return call
}

// TestClaim lets a deal fail, and the next one have a part of what its pool lost.
func TestClaim(t *testing.T) {
	t.Parallel()
	s := open(t)
	deal := s.match(2, 1)
	task := ethsig.TaskID(deal.ID, 0)
	s.do(s.owner, s.Initialize(deal.ID, 0))
	s.contribute(0, task, answer)
	if all, err := s.requester.Try(t.Context(), gas(s.Claim(task))); err != nil || all[0].Good {
		t.Errorf("claimed before the last deadline: %+v, %v", all, err)
	}
	s.pass(pool.FinalAfter * t0)
	s.do(s.requester, s.Claim(task))
	s.do(s.requester, s.InitializeClaim(deal.ID, 1))
	s.task(task, pool.TaskFailed)
	s.task(ethsig.TaskID(deal.ID, 1), pool.TaskFailed)
	failed := s.sheet(deal)
	if failed.Paid != 0 || failed.Seized != 2*stake || failed.Refunded != 2*(price+appPrice)+stake || failed.Held != 0 {
		t.Errorf("all was claimed: %+v", failed)
	}
	s.purses(failed)

	next := s.match(1, 1)
	task = ethsig.TaskID(next.ID, 0)
	s.do(s.owner, s.Initialize(next.ID, 0))
	s.contribute(0, task, answer)
	s.do(s.workers[0], s.Reveal(task, answer))
	s.do(s.owner, s.Finalize(task, nil))
	good := s.sheet(next)
	if good.Seized != -2*stake || good.Paid != price+appPrice+2*stake || good.Held != 0 {
		t.Errorf("the next deal: %+v", good)
	}
	s.purses(s.sheet(deal, next))
}

// TestReopen has those who agreed say nothing more.
func TestReopen(t *testing.T) {
	t.Parallel()
	s := open(t)
	deal := s.match(1, 1)
	task := ethsig.TaskID(deal.ID, 0)
	s.do(s.owner, s.Initialize(deal.ID, 0))
	s.contribute(0, task, pool.Digest{66})
	s.pass(pool.RevealFor * t0)
	s.do(s.owner, s.Reopen(task))
	if got := s.task(task, pool.TaskActive); got.Contributions[0].Status != pool.Rejected {
		t.Errorf("reopened: %+v", got)
	}
	s.contribute(1, task, answer)
	s.do(s.workers[1], s.Reveal(task, answer))
	s.do(s.owner, s.Finalize(task, nil))
	end := s.sheet(deal)
	if got := end.Lines[s.workers[0].Address()]; got != (Line{Locked: stake, Lost: stake}) {
		t.Errorf("who never revealed: %+v", got)
	}
	s.purses(end)
}

// TestMoved has a reorganisation take the deal along, or away.
func TestMoved(t *testing.T) {
	t.Parallel()
	s := open(t)
	deal := s.match(1, 1)
	if err := s.Chain.Reorganise(1, true); err != nil {
		t.Fatal(err)
	}
	moved, err := s.Deal(t.Context(), deal.ID)
	if err != nil || !moved.Start.After(deal.Start) {
		t.Errorf("the deal started at %s and starts at %s: %v", deal.Start, moved.Start, err)
	}
	if err := s.Chain.Reorganise(2, false); err != nil {
		t.Fatal(err)
	}
	if gone, err := s.Deal(t.Context(), deal.ID); err == nil {
		t.Errorf("the deal is still there: %+v", gone)
	}
	s.purses(s.sheet())
}

// TestLate has a contribution wait until the chain takes it no more.
func TestLate(t *testing.T) {
	t.Parallel()
	s := open(t)
	deal := s.match(1, 1)
	task := ethsig.TaskID(deal.ID, 0)
	s.do(s.owner, s.Initialize(deal.ID, 0))
	s.Chain.Pause()
	sent, err := s.workers[0].Send(t.Context(), s.contribution(s.workers[0], task, answer))
	if err != nil {
		t.Fatal(err)
	}
	s.pass(pool.ContributeFor * t0)
	s.Chain.Resume()
	if done, err := s.Chain.Done(t.Context(), sent[0]); err != nil || done.Good {
		t.Errorf("contributed after the deadline: %+v, %v", done, err)
	}
	if got := s.task(task, pool.TaskActive); len(got.Contributions) != 0 {
		t.Errorf("contributed after the deadline: %+v", got)
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	s := open(t)
	poor := s.terms(int(deposit/stake)+1, 1)
	poor.AppPrice, poor.Requester = 0, s.join(10*deposit)
	if _, err := s.Match(t.Context(), poor); err == nil || !strings.Contains(err.Error(), "Transfer amount exceeds balance") {
		t.Errorf("a pool that cannot stake so much got a deal: %v", err)
	}
	unsigned := s.terms(1, 1)
	unsigned.PoolOwner = s.requester
	if _, err := s.Match(t.Context(), unsigned); err == nil || !strings.Contains(err.Error(), "iExecV5-matchOrders-0x41") {
		t.Errorf("a deal without the pool's word: %v", err)
	}
	deal := s.match(1, 1)
	s.do(s.owner, s.Initialize(deal.ID, 0))
	task := ethsig.TaskID(deal.ID, 0)
	word, err := ethsig.Word{Signer: s.requester}.Authorise(t.Context(), s.workers[0].Address(), task)
	if err != nil {
		t.Fatal(err)
	}
	if all, err := s.workers[0].Try(t.Context(), gas(s.Contribute(s.workers[0].Address(), task, answer, word))); err != nil || all[0].Good {
		t.Errorf("contributed without the pool's word: %+v, %v", all, err)
	}
}
