package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"workerpool/shared/placement"
	"workerpool/shared/pool"
	"workerpool/shared/reconcile"
	"workerpool/shared/settlement/pocotest"
	"workerpool/shared/store/storetest"
	"workerpool/shared/telemetry"
)

const (
	term    = 5 * time.Minute // T
	block   = 2 * time.Second
	price   = 1_000
	deposit = 1_000_000
)

var (
	owner     = pool.Address{0x0a}
	requester = pool.Address{0x0b}
	right     = pool.Hash{1, 2, 3}
	wrong     = pool.Hash{9, 9, 9}
	file      = pool.Digest{4, 5, 6}
	pooltrace = pool.Trace{RequestID: "test"}
)

// served is a pool with a chain: real books, a scripted chain, and workers that do
// what the pool and the chain let them. Nothing happens by itself but blocks while
// reconcile waits.
type served struct {
	*testing.T
	*storetest.Books
	chain *scripted // nil on the real one
	wire  *storetest.Wire

	// What books and workers meet: the scripted chain, or the real one.
	node       reconcile.Chain
	sender     reconcile.Sender
	task       func(d pool.Deal, index int) pool.Hash
	pass       func(d time.Duration)
	contribute func(w turn, task pool.Hash, authorisation []byte) error
	reveal     func(w turn, task pool.Hash) error

	bells   atomic.Int64
	waits   int // times that reconcile may wait in a tick: passes after the first
	flow    *reconcile.Reconcile
	workers []turn
	data    map[pool.Hash]string // what results are called back with, by digest
	salt    uint64
}

type turn struct {
	id     pool.WorkerID
	wallet pool.Address
	digest pool.Hash
	apart  pool.Digest // its archive, when that is no other's
	liar   bool        // its archive is garbage, and it calls any other wrong
}

type bell struct{ rings *atomic.Int64 }

func (b bell) Ring(context.Context) error { b.rings.Add(1); return nil }

func serve(t *testing.T, workers int, options ...storetest.Option) *served {
	t.Helper()
	s := &served{T: t, wire: &storetest.Wire{}, chain: newScripted(owner), waits: 3}
	s.Books = storetest.New(t, append(options, storetest.Dial(s.wire.Dial))...)
	s.chain.Deposit(requester, deposit)
	s.node, s.sender, s.pass = s.chain, s.chain, s.chain.mine
	s.task = func(d pool.Deal, index int) pool.Hash { return pocotest.TaskID(d.ID, index) }
	s.contribute = func(w turn, task pool.Hash, _ []byte) error {
		return s.chain.Do(func() { s.chain.Contribute(w.wallet, task, w.digest) })
	}
	s.reveal = func(w turn, task pool.Hash) error {
		err := s.chain.Do(func() { s.chain.Reveal(w.wallet, task, w.digest) })
		if err == nil {
			s.chain.digests[task] = pool.Digest(w.digest)
		}
		return err
	}
	s.flow = s.reconciler()
	account := s.AddAccount(t, "workers", pool.RoleWorker, true)
	for range workers {
		id, wallet := s.AddWalletWorker(t, account, 100)
		s.chain.Deposit(wallet, deposit)
		s.workers = append(s.workers, turn{id: id, wallet: wallet, digest: right})
	}
	s.chain.mine(block)
	return s
}

// reconciler makes one of perhaps several.
func (s *served) reconciler(change ...func(*reconcile.Deals)) *reconcile.Reconcile {
	waits := 0
	seed := uint64(0)
	deals := &reconcile.Deals{
		Books: s.Books, Chain: s.node, Sender: s.sender, TaskID: func(id pool.Hash, index int) pool.Hash { return s.task(pool.Deal{ID: id}, index) }, Start: 1, Range: 100, Overlap: 16, Poll: block,
		Results: func(file pool.Digest) []byte {
			return []byte(`{"storage":"ipfs","location":"/ipfs/` + file.String() + `"}`)
		},
		Seed: func() uint64 { seed++; return seed },
		Wait: func(context.Context, time.Duration) error {
			s.pass(block)
			if waits++; waits > s.waits {
				waits = 0
				return errors.New("enough")
			}
			return nil
		},
	}
	for _, c := range change {
		c(deals)
	}
	meter := telemetry.NewMeter(telemetry.MeterConfig{Out: io.Discard, Pool: "demo", Function: "reconcile", Now: time.Now})
	return reconcile.New(reconcile.Config{
		Books: s.Books, Bell: bell{&s.bells}, Meter: meter, Now: time.Now, Chain: func(context.Context) (*reconcile.Deals, error) { return deals, nil },
	})
}

// deal lets orders be matched.
func (s *served) deal(tasks, trust int, change ...func(*pocotest.Terms, *pool.Deal)) pool.Deal {
	s.Helper()
	s.salt++
	terms := pocotest.Terms{
		Pool: pocotest.Resource{Owner: owner, Price: price}, Payer: requester, StakeRatio: 30, RewardRatio: 1, Trust: trust, T: term, Tasks: tasks, Salt: s.salt,
	}
	told := pool.Deal{AppType: "PROCESS", Image: storetest.Program, Params: `{"iexec_args":"-depth 3 'a b'"}`}
	for _, c := range change {
		c(&terms, &told)
	}
	s.chain.terms[terms.ID()], s.chain.orders[terms.ID()] = told, terms
	s.chain.mine(time.Second) // a block that was followed does not change
	deal, err := s.chain.Match(terms)
	if err != nil {
		s.Fatal(err)
	}
	return deal
}

func (s *served) tick() {
	s.Helper()
	if err := s.flow.Tick(s.Context()); err != nil {
		s.Fatalf("ticking: %v", err)
	}
}

// dispatch assigns what can be assigned and gives the pool's word where it is wanted.
func (s *served) dispatch() {
	s.Helper()
	s.assign()
	asked, err := s.Unauthorised(s.Context(), 500)
	if err == nil {
		_, err = s.Authorise(s.Context(), asked, pooltrace)
	}
	if err != nil {
		s.Fatal(err)
	}
}

func (s *served) assign() {
	s.Helper()
	for {
		pass, err := s.Dispatch(s.Context(), nil, 500, placement.Bookmark{}, 1, pooltrace, func(x placement.Snapshot) placement.Plan { return placement.Decide(x, 1, placement.Defaults) })
		if err != nil {
			s.Fatal(err)
		}
		if pass.Offers == 0 {
			return
		}
	}
}

// work lets each worker do the next thing about each of its turns, as the books
// stand and the chain lets it.
func (s *served) work() {
	s.Helper()
	for _, w := range s.workers {
		h, err := s.Hear(s.Context(), pool.AccountID(s.Count(s, "SELECT account_id FROM worker WHERE id = ?", int64(w.id))), w.id)
		if err != nil {
			s.Fatal(err)
		}
		for _, row := range h.Rows {
			s.step(w, row, h.Turns[row.Work])
		}
	}
}

func (s *served) step(w turn, row pool.Assignment, on pool.ChainTurn) {
	s.Helper()
	report := pool.Report{Work: row.Work, Attempt: row.Attempt, Digest: pool.Digest(w.digest), File: file, Size: 10}
	if !w.apart.IsZero() {
		report.File = w.apart
	}
	switch row.State {
	case pool.Offered:
		report.Says = pool.SaysRunning
	case pool.InRun:
		if on.Authorisation == nil {
			return
		}
		report.Says = pool.SaysReported
	case pool.Reported:
		if on.Contribution.Status == pool.NotContributed {
			_ = s.contribute(w, on.Task, on.Authorisation) // refused once there is a consensus
		}
		return
	case pool.HasContributed:
		_ = s.reveal(w, on.Task) // refused before there is one
		return
	case pool.Checking:
		report.Says, report.Checks = pool.SaysChecked, row.Checks
		if w.liar || slices.ContainsFunc(s.workers, func(by turn) bool { return by.liar && by.apart == row.Checks }) {
			report.Says = pool.SaysWrong
		}
	case pool.Uploading:
		report.Says, report.Callback = pool.SaysUploaded, s.data[w.digest]
	default:
		return
	}
	s.Report(s, w.id, report)
}

// round is what a few seconds bring.
func (s *served) round() {
	s.Helper()
	s.tick()
	s.dispatch()
	s.work()
	s.pass(block)
}

// until goes on until something holds.
func (s *served) until(what string, holds func() bool) {
	s.Helper()
	for range 60 {
		if holds() {
			return
		}
		s.round()
	}
	s.Fatalf("never %s: %s", what, s.open())
}

// open tells what has not come to its end.
func (s *served) open() string {
	s.Helper()
	var told strings.Builder
	for _, query := range []string{
		"SELECT CONCAT_WS(' ', 'deal', id, HEX(deal_id), state, on_chain, block, taken, tasks) FROM deal WHERE state <> 'settled'",
		"SELECT CONCAT_WS(' ', 'task', k.work_id, k.deal, k.status, k.seen_block, k.touched, COALESCE(k.look_at, '-'), w.state) FROM task k JOIN work w ON w.id = k.work_id WHERE NOT k.final LIMIT 20",
		"SELECT CONCAT_WS(' ', 'work', id, state) FROM work w WHERE ended_at IS NULL LIMIT 20",
		"SELECT CONCAT_WS(' ', 'action', id, work_id, kind, round, state, COALESCE(broadcast, '-')) FROM action WHERE state IN ('wanted', 'sent') LIMIT 20",
		"SELECT CONCAT_WS(' ', 'broadcast', id, nonce, attempt, kind, state) FROM broadcast WHERE state = 'signed'",
		"SELECT CONCAT_WS(' ', 'cursor', block) FROM chain_cursor",
		"SELECT CONCAT_WS(' ', 'turn', a.work_id, a.worker_id, a.state, a.started, a.attempt) FROM assignment a JOIN work w ON w.id = a.work_id WHERE w.ended_at IS NULL LIMIT 20",
	} {
		rows, err := s.SQL.Query(query)
		if err != nil {
			s.Fatal(err)
		}
		for rows.Next() {
			var line string
			if err := rows.Scan(&line); err != nil {
				s.Fatal(err)
			}
			told.WriteString("\n" + line)
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			s.Fatal(err)
		}
	}
	if s.chain == nil {
		return told.String()
	}
	fmt.Fprintf(&told, "\nchain at %d, next nonce %d, %d wait", s.chain.Chain.Head().Number, s.chain.nonce(s.chain.Chain.Head().Number), len(s.chain.waiting))
	return told.String()
}

func (s *served) ended() bool {
	return s.Count(s, "SELECT COUNT(*) FROM work WHERE ended_at IS NULL") == 0 && s.Count(s, "SELECT COUNT(*) FROM work") > 0
}

// states counts the works in a state.
func (s *served) states(state pool.WorkState) int {
	return s.Count(s, "SELECT COUNT(*) FROM work WHERE state = ?", string(state))
}

// audit holds books and chain against the promises.
func (s *served) audit() {
	s.Helper()
	if s.chain != nil {
		s.spoken()
	}
	if _, err := s.AskErrand(s.Context(), pool.ErrandDiff, 0, pooltrace); err != nil {
		s.Fatal(err)
	}
	s.tick()
	if e, err := s.Errand(s.Context(), pool.ErrandDiff); err != nil || e.Pending() || e.Answer.Fault != "" || e.Answer.Count != 0 {
		s.Errorf("books and chain differ: %+v, %v", e, err)
	}
	if n := s.Count(s, "SELECT COUNT(*) - COUNT(DISTINCT nonce) FROM broadcast WHERE state = 'mined'"); n != 0 {
		s.Errorf("%d nonces were mined twice", n)
	}
	if gap := s.Count(s, "SELECT COALESCE(MAX(nonce) - MIN(nonce) + 1, 0) - COUNT(DISTINCT nonce) FROM broadcast"); gap != 0 {
		s.Errorf("%d nonces are missing", gap)
	}
	// P6: no contribution without the pool's word.
	if n := s.Count(s, "SELECT COUNT(*) FROM contribution c LEFT JOIN authorisation u ON u.work_id = c.work_id AND u.wallet = c.wallet WHERE u.work_id IS NULL"); n != 0 {
		s.Errorf("%d contributions without the pool's word", n)
	}
	storetest.Check(s, s.Books)
}

// settledHere tells that the books have settled a deal.
func (s *served) settledHere(d pool.Deal) bool {
	return s.Count(s, "SELECT COUNT(*) FROM deal WHERE state = 'settled' AND deal_id = ?", d.ID[:]) == 1
}

// spoken holds what was said to the scripted chain against the promises.
func (s *served) spoken() {
	s.Helper()
	if err := s.chain.Audit(); err != nil {
		s.Error(err)
	}
	// P4: at most one successful transaction for each action.
	said := map[string]int{}
	for _, m := range s.chain.mined {
		for _, a := range m.Actions {
			if name := fmt.Sprint(a.Task, a.Kind, a.Round); m.good {
				if said[name]++; said[name] > 1 {
					s.Errorf("%s was done %d times", name, said[name])
				}
			}
		}
	}
}
