package reconcile_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"workerpool/shared/pool"
	"workerpool/shared/reconcile"
	"workerpool/shared/telemetry"
)

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
	for _, name := range []string{"ChainTasks", "ChainBehind", "DealsUnsure", "ActionsWanted", "BroadcastsUnsettled", "HeadAge", "StakeAtRisk\":900"} {
		if !strings.Contains(log.String(), `"`+name) {
			t.Errorf("%s is not counted", name)
		}
	}
}

// A deal whose notice no pass was told of is found by comparing as well.
func TestMissedNotice(t *testing.T) {
	t.Parallel()
	s := serve(t, 1)
	first := s.deal(1, 1)
	s.tick()
	for n := range uint64(3) {
		s.chain.hidden[s.chain.Chain.Head().Number+n] = true
	}
	second := s.deal(2, 1)
	s.blocks(40) // more than is read twice
	s.tick()
	known := func(d pool.Deal) int { return s.Count(t, "SELECT COUNT(*) FROM deal WHERE deal_id = ?", d.ID[:]) }
	if known(first) != 1 || known(second) != 0 {
		t.Fatal("the notice was not missed")
	}
	clear(s.chain.hidden)
	s.tick()
	if known(second) != 1 {
		t.Fatal("nobody looked for it")
	}
	s.until("ended", func() bool { return s.settled([]pool.Deal{first, second}) })
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
	if s.chain.calls["Head"] != 0 || s.bells.Load() != 1 {
		t.Errorf("two reconcile: %v, or none rings: %d", s.chain.calls, s.bells.Load())
	}
	s.Exec(t, "UPDATE lease SET until = UTC_TIMESTAMP(6)")
	s.Exec(t, "INSERT INTO broadcast (wallet, nonce, attempt, kind, hash, raw, state, signed_at) VALUES (?, 0, 1, '', REPEAT('h', 32), '{}', 'signed', UTC_TIMESTAMP(6))", owner[:]) // it would be busy
	s.chain.before = func() { s.Exec(t, "UPDATE lease SET fence = fence + 1 WHERE name = 'reconcile'") }
	s.tick()
	if n := s.Count(t, "SELECT COUNT(*) FROM deal"); n != 0 || s.chain.calls["Head"] != 1 {
		t.Errorf("one that was overtaken went on: %d deals, %v", n, s.chain.calls)
	}
	s.Exec(t, "UPDATE lease SET until = UTC_TIMESTAMP(6)")
	s.Exec(t, "DELETE FROM broadcast")
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
	if few["Head"] > passes || few["Logs"] > passes+1 || few["Tasks"] > 2 || few["Nonce"] > 0 {
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
