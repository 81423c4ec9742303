package reconcile_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"workerpool/shared/pool"
	"workerpool/shared/settlement/pocotest"
)

// A deal of sixteen tasks at trust 3, with one worker of five lying, goes from its
// match to its money. The chain's clock is months away from the database's.
func TestDealFromMatchToMoney(t *testing.T) {
	t.Parallel()
	s := serve(t, 5)
	s.workers[2].digest = wrong
	deal := s.deal(16, 3)
	s.until("ended", s.ended)
	if n := s.states(pool.Done); n != 16 {
		t.Errorf("%d works are done", n)
	}
	for i := range deal.Tasks {
		id := s.task(deal, i)
		if status := s.chain.Task(id).Status; status != pool.TaskCompleted {
			t.Errorf("task %d is %d", i, status)
		}
		if want := `{"storage":"ipfs","location":"/ipfs/` + file.String() + `"}`; string(s.chain.Results(id)) != want {
			t.Errorf("task %d tells %s of its result", i, s.chain.Results(id))
		}
	}
	liar, _ := s.chain.Account(s.workers[2].wallet)
	honest, locked := s.chain.Account(s.workers[0].wallet)
	if liar >= deposit || honest <= deposit || locked != 0 {
		t.Errorf("the liar has %d of %d, an honest worker %d, and %d are locked", liar, deposit, honest, locked)
	}
	if s.bells.Load() == 0 {
		t.Error("the dispatcher was not rung")
	}
	s.audit()
	// Nothing is left to do: another tick asks for the head only, and stores nothing.
	clear(s.chain.calls)
	before := fmt.Sprint(s.Dump(t, "task"), s.Dump(t, "action"), s.Dump(t, "broadcast"), s.Dump(t, "event"))
	s.tick()
	if s.chain.calls["Head"] != 1 || s.chain.calls["Tasks"]+s.chain.calls["Compose"]+s.chain.calls["Nonce"] != 0 {
		t.Errorf("an idle tick asks %v", s.chain.calls)
	}
	if after := fmt.Sprint(s.Dump(t, "task"), s.Dump(t, "action"), s.Dump(t, "broadcast"), s.Dump(t, "event")); after != before {
		t.Errorf("an idle tick stores something:\n%s\n%s", before, after)
	}
}

// A deal of ten thousand tasks is taken in by ticks that die in the middle, and
// each task becomes one work.
func TestLargeDeal(t *testing.T) {
	t.Parallel()
	s := serve(t, 0)
	deal := s.deal(10_000, 1, func(terms *pocotest.Terms, _ *pool.Deal) { terms.Pool.Price = 1 })
	for trip := 5; s.Count(t, "SELECT COALESCE(SUM(taken), 0) FROM deal") < 10_000; trip += 3 {
		if trip > 200 {
			t.Fatal("never taken in")
		}
		s.waits = 0
		s.wire.CutBefore(trip)
		if trip%2 == 0 {
			s.wire.CutAfter(trip)
		}
		_ = s.flow.Tick(t.Context()) // dies
		s.calm()
	}
	s.tick()
	for query, want := range map[string]int{
		"SELECT COUNT(*) FROM task":                              10_000,
		"SELECT COUNT(DISTINCT task_id) FROM task":               10_000,
		"SELECT COUNT(*) FROM work":                              10_000,
		"SELECT COUNT(*) FROM batch":                             10,
		"SELECT COUNT(*) FROM deal WHERE state = 'open'":         1,
		"SELECT COUNT(*) FROM task WHERE look_at = '2000-01-01'": 6_000, // a tick looks at so many: the next goes on
	} {
		if got := s.Count(t, query); got != want && (want != 6_000 || got > want) {
			t.Errorf("%s: %d, want %d", query, got, want)
		}
	}
	id := s.task(deal, 9_999)
	if s.Count(t, "SELECT COUNT(*) FROM task WHERE task_id = ? AND task_index = 9999", id[:]) != 1 {
		t.Error("the last task is another")
	}
}

// A deal that this pool cannot serve says why, and its requester gets the money
// back: a hundred tasks are claimed in four transactions.
func TestRefusedDeals(t *testing.T) {
	t.Parallel()
	for why, change := range map[string]func(*pocotest.Terms, *pool.Deal){
		"type":      func(_ *pocotest.Terms, d *pool.Deal) { d.AppType = "WASM" },
		"dataset":   func(_ *pocotest.Terms, d *pool.Deal) { d.Dataset, d.DatasetAt = pool.Address{1}, "nowhere" },
		"trust":     func(terms *pocotest.Terms, _ *pool.Deal) { terms.Trust = pool.MaxTrust + 1 },
		"encrypted": func(_ *pocotest.Terms, d *pool.Deal) { d.Params = `{"iexec_result_encryption":true}` },
	} {
		t.Run(why, func(t *testing.T) {
			t.Parallel()
			s := serve(t, 1)
			deal := s.deal(100, 1, change)
			s.tick()
			if n := s.Count(t, "SELECT COUNT(*) FROM work WHERE state = 'failed' AND reason LIKE ?", "%"+why+"%"); n != 100 {
				t.Fatalf("%d works say why: %s", n, s.open())
			}
			s.dispatch()
			s.chain.mine(10 * term)
			s.until("claimed", func() bool { return s.settled([]pool.Deal{deal}) })
			if free, locked := s.chain.Account(requester); free != deposit || locked != 0 {
				t.Errorf("the requester has %d back, and %d are locked", free, locked)
			}
			if n := s.Count(t, "SELECT COUNT(*) FROM broadcast WHERE state = 'mined' AND kind = 'init-claim'"); n != 4 || s.Count(t, "SELECT COUNT(*) FROM broadcast") != 4 {
				t.Errorf("%d transactions", n)
			}
			s.audit()
		})
	}
}

// What is seen when the time for contributions is over is claimed, not run.
func TestLateDeal(t *testing.T) {
	t.Parallel()
	s := serve(t, 3)
	deal := s.deal(2, 1)
	s.chain.mine(7 * term)
	s.round()
	if n := s.Count(t, "SELECT COUNT(*) FROM work WHERE state = 'failed' AND reason LIKE '%contributions%'"); n != 2 {
		t.Errorf("%d works say that it was too late", n)
	}
	s.chain.mine(3 * term)
	s.until("claimed", func() bool { return s.settled([]pool.Deal{deal}) })
	s.audit()
}

// Nobody comes to run it: the tasks wait until they can be claimed, and the works end
// by the chain's clock alone.
func TestNobodyRunsIt(t *testing.T) {
	t.Parallel()
	s := serve(t, 0)
	deal := s.deal(3, 3)
	s.round()
	s.Exec(t, "UPDATE work SET open_until = open_until - INTERVAL 30 DAY")
	s.dispatch()
	if n := s.states(pool.Waiting); n != 3 {
		t.Errorf("%d works wait", n)
	}
	s.chain.mine(deal.FinalBy().Sub(s.chain.Chain.Head().Time) - time.Second)
	s.waits = 0
	s.tick()
	if n := s.Count(t, "SELECT COUNT(*) FROM action"); n != 0 {
		t.Error("claimed before the final deadline")
	}
	s.until("claimed", func() bool { return s.settled([]pool.Deal{deal}) && s.ended() })
	if n := s.Count(t, "SELECT COUNT(*) FROM work WHERE state = 'failed' AND reason LIKE 'claimed%'"); n != 3 {
		t.Errorf("%d works failed with a reason", n)
	}
	s.audit()
}

// Two ticks see the same twice, and the second has nothing to add.
func TestTickTwice(t *testing.T) {
	t.Parallel()
	s := serve(t, 3)
	s.deal(5, 3)
	s.waits = 0
	for range 8 {
		for range 2 {
			s.tick()
		}
		s.dispatch()
		s.work()
		s.chain.mine(block)
	}
	s.until("ended", s.ended)
	if n := s.Count(t, "SELECT COUNT(*) FROM action WHERE kind = 'initialize'"); n != 5 {
		t.Errorf("%d tasks were initialized", n)
	}
	s.audit()
}

// The environment of a run has what iExec's scheduler puts there.
func TestParamsOfADeal(t *testing.T) {
	t.Parallel()
	s := serve(t, 1)
	s.deal(2, 1, func(_ *pocotest.Terms, d *pool.Deal) {
		d.Params = `{"iexec_args":"-n 3 'a b' \"c\\\"d\" e\\ f","iexec_input_files":["https://example.com/1","https://example.com/2"],"iexec_secrets":{"1":"x"}}`
		d.Dataset, d.DatasetAt, d.DatasetSum = pool.Address{1}, "/ipfs/QmUbh7ugQ9WVprTVYjzrCS4d9cCy73zUz4MMchsrqzzu1w", pool.Digest{2}
	})
	set := pool.Address{1}.String()
	s.tick()
	s.dispatch()
	h, err := s.Hear(t.Context(), pool.AccountID(s.Count(t, "SELECT account_id FROM worker")), s.workers[0].id)
	if err != nil || len(h.Specs) == 0 {
		t.Fatalf("%+v, %v", h, err)
	}
	for _, offer := range h.Specs {
		if got := strings.Join(offer.Spec.Args, "|"); got != `-n|3|a b|c"d|e f` {
			t.Errorf("arguments %s", got)
		}
		for name, want := range map[string]string{
			"IEXEC_INPUT_FILES_NUMBER": "2", "IEXEC_INPUT_FILE_NAME_1": "1", "IEXEC_INPUT_FILE_NAME_2": "2",
			"IEXEC_DATASET_ADDRESS": set, "IEXEC_DATASET_FILENAME": set,
			"IEXEC_BOT_SIZE": "2", "IEXEC_BOT_FIRST_INDEX": "0",
		} {
			if got := offer.Spec.Env[name]; got != want {
				t.Errorf("%s is %q", name, got)
			}
		}
		if want := []pool.Fetch{
			{Name: set, URL: "/ipfs/QmUbh7ugQ9WVprTVYjzrCS4d9cCy73zUz4MMchsrqzzu1w", Digest: pool.Digest{2}},
			{Name: "1", URL: "https://example.com/1"}, {Name: "2", URL: "https://example.com/2"},
		}; !slices.Equal(offer.Spec.Fetches, want) {
			t.Errorf("fetches %+v", offer.Spec.Fetches)
		}
		if offer.RunLimit != term || offer.Login != requester.String() {
			t.Errorf("%+v", offer)
		}
	}
}
