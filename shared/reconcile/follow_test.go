package reconcile_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"workerpool/shared/pool"
	"workerpool/shared/reconcile"
	"workerpool/shared/store/storetest"
	"workerpool/shared/telemetry"
)

func (s *served) cursor() uint64 {
	s.Helper()
	return uint64(s.Count(s, "SELECT COALESCE(MAX(block), 0) FROM chain_cursor"))
}

func (s *served) blocks(n int) {
	for range n {
		s.chain.mine(block)
	}
}

// After a long absence the chain is followed range by range, also where the node
// gives less than is asked for, and no deal is missed.
func TestCatchingUp(t *testing.T) {
	t.Parallel()
	for _, narrow := range []uint64{0, 7, 1} {
		t.Run(fmt.Sprint(narrow), func(t *testing.T) {
			t.Parallel()
			s := serve(t, 0)
			s.chain.narrow = narrow
			for range 5 {
				s.blocks(70)
				s.deal(1, 1)
			}
			s.waits = 0
			for range 20 {
				s.tick()
			}
			if n := s.Count(t, "SELECT COUNT(*) FROM deal"); n != 5 && narrow != 1 || s.cursor() < 300 && narrow != 1 {
				t.Errorf("%d deals, up to block %d of %d", n, s.cursor(), s.chain.Chain.Head().Number)
			}
			if s.cursor() < 20 {
				t.Errorf("up to block %d only", s.cursor())
			}
		})
	}
}

// Without a block to begin at it begins at the newest, and what came before stays
// somebody else's.
func TestBeginsAtTheNewest(t *testing.T) {
	t.Parallel()
	s := serve(t, 0)
	s.flow = s.reconciler(func(d *reconcile.Deals) { d.Start = 0 })
	s.deal(1, 1)
	s.blocks(50)
	s.tick()
	late := s.deal(2, 1)
	s.chain.mine(block)
	s.tick()
	if s.Count(t, "SELECT COUNT(*) FROM deal WHERE deal_id = ?", late.ID[:]) != 1 || s.Count(t, "SELECT COUNT(*) FROM deal") != 1 {
		t.Errorf("%v", s.Dump(t, "deal"))
	}
}

// What a node that lagged left out is found when the last blocks are read again.
func TestLogsMissed(t *testing.T) {
	t.Parallel()
	s := serve(t, 0)
	s.tick()
	deal := s.deal(1, 1)
	s.chain.hidden[s.chain.Chain.Head().Number] = true
	s.blocks(2)
	s.tick()
	if s.Count(t, "SELECT COUNT(*) FROM deal") != 0 {
		t.Fatal("the node told of it")
	}
	clear(s.chain.hidden)
	s.blocks(16)
	s.tick()
	if s.Count(t, "SELECT COUNT(*) FROM deal WHERE deal_id = ?", deal.ID[:]) != 1 {
		t.Error("never found")
	}
}

// A node that tells of a deal and does not show it is asked again: the deal is not
// passed by, and the others need not wait.
func TestDealNotShown(t *testing.T) {
	t.Parallel()
	s := serve(t, 2)
	known := s.deal(2, 1)
	s.round()
	veiled := s.deal(1, 1)
	s.chain.veiled = veiled.ID
	s.chain.mine(block)
	at := s.cursor()
	s.until("ended", func() bool { return s.settledHere(known) })
	if s.cursor() != at || s.Count(t, "SELECT COUNT(*) FROM deal") != 1 {
		t.Errorf("it was passed by: %d, now %d", at, s.cursor())
	}
	s.chain.veiled = pool.Hash{}
	s.until("all ended", func() bool { return s.settled([]pool.Deal{known, veiled}) })
	s.audit()
}

// A node with an old head is not believed, and costs nothing but time.
func TestOldHead(t *testing.T) {
	t.Parallel()
	s := serve(t, 2)
	s.blocks(20)
	s.deal(3, 1)
	s.round()
	at := s.cursor()
	before := fmt.Sprint(s.Dump(t, "task"), s.Dump(t, "action"), s.Dump(t, "chain_cursor"))
	s.chain.height = at - 9
	s.tick()
	if after := fmt.Sprint(s.Dump(t, "task"), s.Dump(t, "action"), s.Dump(t, "chain_cursor")); after != before {
		t.Errorf("an old head was believed:\n%s\n%s", before, after)
	}
	s.chain.height = 0
	s.until("ended", s.ended)
	s.audit()
}

// A node that is down makes a tick fail and nothing else: what has nothing to do
// with the chain is done, and the next ticks go on.
func TestNodeDown(t *testing.T) {
	t.Parallel()
	s := serve(t, 2)
	s.deal(3, 1)
	s.round()
	s.bells = 0
	for range 10 { // minutes
		s.chain.faults["Head"] = 1_000
		if err := s.flow.Tick(t.Context()); pool.KindOf(err) != pool.Unavailable {
			t.Fatalf("%v", err)
		}
		s.blocks(30)
	}
	if s.bells != 10 {
		t.Errorf("%d rings", s.bells)
	}
	clear(s.chain.faults)
	s.until("ended", s.ended)
	s.audit()
}

// A reorganisation of each depth at each step of a deal's life, with the matched
// deal moved to another time, or what was sent mined again or lost.
func TestReorganised(t *testing.T) {
	t.Parallel()
	for _, depth := range []uint64{1, 2, 5, 12, 20} {
		for _, lost := range []bool{false, true} {
			t.Run(fmt.Sprint(depth, " lost ", lost), func(t *testing.T) {
				t.Parallel()
				s := serve(t, 3)
				s.chain.lag = 30
				s.waits = 0
				s.blocks(25)
				deal := s.deal(4, 3)
				for range 10 {
					s.round()
					s.chain.fork(max(s.cursor(), depth+2)-depth, lost)
					s.chain.mine(3 * time.Second)
					if s.chain.Deal(deal.ID).Start.IsZero() {
						s.chain.rematch(deal.ID)
					}
					s.blocks(int(depth) + 1)
				}
				s.until("ended", func() bool { return s.settled([]pool.Deal{deal}) && s.ended() })
				if n := s.Count(t, "SELECT COUNT(*) FROM event WHERE kind = 'chain.reorganised'"); n == 0 {
					t.Error("no reorganisation was seen")
				}
				if now := s.chain.Deal(deal.ID); s.Count(t, "SELECT COUNT(*) FROM deal WHERE start_at = ? AND final_at = ?", now.Start, now.FinalBy()) != 1 {
					t.Error("the deal's times are not the chain's")
				}
				if n := s.states(pool.Done); n != 4 {
					t.Errorf("%d works are done", n)
				}
				s.audit()
			})
		}
	}
}

// A deal that is gone for good is given up only when that is certain: its works end
// with the reason, and its workers stop.
func TestDealGone(t *testing.T) {
	t.Parallel()
	s := serve(t, 3)
	s.chain.lag = 40
	s.blocks(45)
	at := s.chain.Chain.Head().Number
	s.chain.mine(block)
	deal := s.deal(3, 1)
	s.waits = 0
	s.round()
	s.round()
	s.chain.fork(at, true)
	s.blocks(10)
	s.round()
	if s.Count(t, "SELECT COUNT(*) FROM deal WHERE NOT on_chain AND state = 'open'") != 1 || s.ended() {
		t.Fatalf("given up too early, or not noticed: %s", s.open())
	}
	sent := s.broadcasts("TRUE")
	s.blocks(20)
	s.round()
	if s.ended() || s.broadcasts("TRUE") != sent {
		t.Error("given up, or acted upon, before it was certain")
	}
	s.blocks(15)
	s.round()
	if n := s.Count(t, "SELECT COUNT(*) FROM work WHERE state = 'cancelled' AND reason LIKE '%reorganisation%'"); n != 3 {
		t.Errorf("%d works were cancelled: %s", n, s.open())
	}
	storetest.Check(t, s.Books)
	// The same orders matched much later are the same deal, and new works.
	s.chain.rematch(deal.ID)
	s.chain.mine(block)
	s.until("ended", func() bool { return s.settled([]pool.Deal{deal}) })
	if n := s.states(pool.Done); n != 3 {
		t.Errorf("%d works are done", n)
	}
	s.audit()
}

// What the logs never told is found by comparing, counted, and put right.
func TestDifferenceFound(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	s := serve(t, 2)
	meter := telemetry.NewMeter(telemetry.MeterConfig{Out: &log, Pool: "demo", Function: "reconcile", Now: time.Now})
	s.flow = s.reconciler(func(d *reconcile.Deals) { d.Overlap = 0 })
	s.flow.Meter = meter
	deal := s.deal(3, 1)
	s.tick()
	if err := s.chain.Do(func() { s.chain.Initialize(deal.ID, 2) }); err != nil {
		t.Fatal(err)
	}
	for n := range uint64(20) {
		s.chain.hidden[s.chain.Chain.Head().Number+n] = true
	}
	s.blocks(3)
	s.waits = 0
	metric := func() string {
		_, rest, _ := strings.Cut(log.String(), `"ChainDifference":`)
		value, _, _ := strings.Cut(rest, ",")
		return strings.Trim(value, "}")
	}
	log.Reset()
	s.tick()
	if metric() != "1" {
		t.Errorf("%s differences: %s", metric(), log.String())
	}
	log.Reset()
	s.tick()
	if metric() != "0" {
		t.Errorf("%s differences after they were put right", metric())
	}
	for _, name := range []string{"ChainTasks", "ChainBehind", "DealsUnsure", "ActionsWanted", "BroadcastsUnsettled", "HeadAge"} {
		if !strings.Contains(log.String(), `"`+name+`":`) {
			t.Errorf("%s is not counted", name)
		}
	}
}

// A contributor without the pool's word is told, and so is a deal nobody knows.
func TestDiff(t *testing.T) {
	t.Parallel()
	s := serve(t, 2)
	deal := s.deal(2, 3)
	s.round()
	s.round()
	stranger := pool.Address{0x66}
	s.chain.Deposit(stranger, deposit)
	if err := s.chain.Do(func() { s.chain.Contribute(stranger, s.task(deal, 0), right) }); err != nil {
		t.Fatal(err)
	}
	s.chain.mine(block)
	s.tick()
	unknown := s.deal(1, 1)
	s.chain.hidden[s.chain.Chain.Head().Number] = true
	s.chain.mine(block)
	s.waits = 0
	s.tick()
	clear(s.chain.hidden)
	if _, err := s.AskErrand(t.Context(), pool.ErrandDiff, 0, pooltrace); err != nil {
		t.Fatal(err)
	}
	s.tick()
	e, err := s.Errand(t.Context(), pool.ErrandDiff)
	if err != nil || e.Pending() || e.Answer.Count != 2 || e.Answer.Block.Number == 0 {
		t.Fatalf("%+v, %v", e, err)
	}
	for i, want := range []pool.Difference{
		{Deal: deal.ID, Task: s.task(deal, 0), What: "contributor without the pool's word", Books: "none", Chain: stranger.String()},
		{Deal: unknown.ID, What: "deal", Books: "unknown", Chain: "known"},
	} {
		if got := e.Answer.Differences[i]; got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
}

// A dry run tells what a pass would do, stores nothing and sends nothing.
func TestDryRun(t *testing.T) {
	t.Parallel()
	s, _ := running(t, 3)
	tables := []string{"deal", "task", "action", "broadcast", "chain_cursor", "work", "assignment", "event"}
	dump := func() (all string) {
		for _, table := range tables {
			all += fmt.Sprint(s.Dump(t, table))
		}
		return all
	}
	s.deal(1, 1)
	s.chain.mine(block)
	before := dump()
	lines, err := s.flow.DryRun(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	said := strings.Join(lines, "\n")
	for _, want := range []string{"follow from block", "note deal 0x", "want to initialize task 0x"} {
		if !strings.Contains(said, want) {
			t.Errorf("nothing of %q in\n%s", want, said)
		}
	}
	if dump() != before || len(s.chain.waiting) != 0 {
		t.Error("something was stored or sent")
	}
	if _, err := s.AskErrand(t.Context(), pool.ErrandDryRun, 0, pooltrace); err != nil {
		t.Fatal(err)
	}
	s.tick()
	if e, err := s.Errand(t.Context(), pool.ErrandDryRun); err != nil || e.Answer.Fault != "" || len(e.Answer.Lines) < 3 {
		t.Errorf("%+v, %v", e, err)
	}
}

// An errand that comes to nothing says why.
func TestNothingToRebuild(t *testing.T) {
	t.Parallel()
	s := serve(t, 0)
	s.deal(1, 1)
	s.tick()
	if _, err := s.AskErrand(t.Context(), pool.ErrandRebuild, 1<<40, pooltrace); err != nil {
		t.Fatal(err)
	}
	s.tick()
	if e, err := s.Errand(t.Context(), pool.ErrandRebuild); err != nil || e.Pending() || !strings.Contains(e.Answer.Fault, "nothing to rebuild") {
		t.Errorf("%+v, %v", e, err)
	}
}

// While one reconciles another leaves; one that is overtaken in the middle of a pass
// stops quietly.
func TestLeaseOfReconcile(t *testing.T) {
	t.Parallel()
	s := serve(t, 1)
	s.deal(2, 1)
	lease, err := s.TakeReconcileLease(t.Context())
	if err != nil || lease == nil {
		t.Fatal(err)
	}
	s.tick()
	if s.chain.calls["Head"] != 0 || s.bells != 1 {
		t.Errorf("two reconcile: %v, or none rings: %d", s.chain.calls, s.bells)
	}
	s.Exec(t, "UPDATE lease SET until = UTC_TIMESTAMP(6)")
	s.chain.before = func() { s.Exec(t, "UPDATE lease SET fence = fence + 1 WHERE name = 'reconcile'") }
	s.tick()
	if n := s.Count(t, "SELECT COUNT(*) FROM deal"); n != 0 {
		t.Error("one that was overtaken stored something")
	}
	s.Exec(t, "UPDATE lease SET until = UTC_TIMESTAMP(6)")
	s.tick()
	if n := s.Count(t, "SELECT COUNT(*) FROM task"); n != 2 {
		t.Errorf("%d tasks", n)
	}
}

// What a pass asks of the node and of the database does not grow with the tasks
// that run or wait, and that of a task is bounded.
func TestCallsDoNotGrow(t *testing.T) {
	t.Parallel()
	cost := func(tasks int) (calls map[string]int, trips int) {
		s := serve(t, 5)
		s.deal(tasks, 1)
		for range 6 {
			s.tick()
			s.dispatch()
		}
		for _, w := range s.workers { // they begin to run, and go on
			s.Exec(t, "UPDATE assignment SET state = 'running', started = TRUE, start_by = NULL WHERE worker_id = ?", int64(w.id))
		}
		for range 12 {
			s.tick()
		}
		s.waits = 5
		clear(s.chain.calls)
		s.wire.Reset()
		s.tick()
		return s.chain.calls, s.wire.Trips()
	}
	few, fewTrips := cost(10)
	many, manyTrips := cost(450)
	t.Logf("a minute with 10 tasks that run: %v, %d round trips; with 450: %v, %d", few, fewTrips, many, manyTrips)
	for what, n := range many {
		if n > few[what] {
			t.Errorf("%s: %d calls with 450 tasks, %d with 10", what, n, few[what])
		}
	}
	if manyTrips > fewTrips+2 {
		t.Errorf("%d round trips with 450 tasks, %d with 10", manyTrips, fewTrips)
	}
	passes := 6
	if few["Head"] > passes || few["Logs"] > passes || few["Tasks"] > 2 || few["Nonce"] > 0 {
		t.Errorf("%d passes with nothing to do ask %v", passes, few)
	}
	s := serve(t, 5)
	deal := s.deal(100, 1)
	s.waits = 1
	s.until("ended", func() bool { return s.settled([]pool.Deal{deal}) })
	sum := 0
	for _, n := range s.chain.calls {
		sum += n
	}
	t.Logf("a deal of 100 tasks takes %v", s.chain.calls)
	if sum > 8*100 {
		t.Errorf("%d calls for 100 tasks", sum)
	}
}
