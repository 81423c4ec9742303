package store_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"workerpool/shared/pool"
	"workerpool/shared/settlement"
	"workerpool/shared/store/storetest"
)

// want is a verdict that wants an action on each of works.
func want(kind pool.ActionKind, round int, works ...pool.WorkID) settlement.Verdict {
	var v settlement.Verdict
	for i, w := range works {
		v.Want = append(v.Want, pool.Action{Work: w, Kind: kind, Round: round, Before: genesis.Add(time.Duration(i) * time.Hour)})
	}
	return v
}

func decideOn(t *testing.T, s *storetest.Books, v settlement.Verdict) {
	t.Helper()
	if err := s.Decided(background, nil, v, trace); err != nil {
		t.Fatal(err)
	}
}

// actionsOf gives the states of actions, by id.
func actionsOf(t *testing.T, s *storetest.Books) (states []string) {
	t.Helper()
	for _, row := range show(t, s.SQL, "SELECT CONCAT(kind, ' ', state, ' ', COALESCE(broadcast, 0)) AS a FROM action ORDER BY id") {
		states = append(states, row["a"])
	}
	return states
}

// bench has a deal whose tasks were seen.
func seenDeal(t *testing.T, tasks int) (*storetest.Books, pool.Deal, []pool.WorkID) {
	t.Helper()
	s := storetest.New(t)
	d := dealOf(1, tasks, 3)
	works := dealt(t, s, d)
	seeAll(t, s, headAt(9, 0), d)
	return s, d, works
}

// What is to be settled, and what settlement is given of it.
func TestSettlementSees(t *testing.T) {
	t.Parallel()
	s, d, works := seenDeal(t, 6)
	toSettle := func(at time.Time) []pool.WorkID {
		t.Helper()
		return must(s.ToSettle(background, pool.Block{Time: at}))(t)
	}
	now := blockAt(9, 0).Time
	if got := toSettle(now); len(got) != 0 {
		t.Errorf("%v of tasks that wait for workers", got)
	}
	worker, wallet := s.AddWalletWorker(t, s.AddAccount(t, "w", pool.RoleWorker, true), 3)
	s.Exec(t, "INSERT INTO assignment (worker_id, work_id, owner, attempt, state, started) VALUES (?, ?, 'worker:1', 1, 'running', TRUE), (?, ?, 'worker:1', 1, 'offered', FALSE)",
		int64(worker), int64(works[0]), int64(worker), int64(works[1]))
	see(t, s, headAt(10, 0), pool.Task{
		ID: taskOf(d, 9), Status: pool.TaskRevealing, RevealBy: now.Add(time.Minute), Consensus: pool.Hash{1}, Digest: truth, Reveals: 1, Winners: 1,
		Contributions: []pool.Contribution{{Wallet: wallet, Status: pool.Proved, Hash: pool.Hash{1}, Weight: 3}},
	})
	decideOn(t, s, want(pool.Initialize, 1, works[3]))
	if got := toSettle(now); !slices.Equal(got, []pool.WorkID{works[0], works[2], works[3]}) {
		t.Errorf("%v of %v", got, works)
	}
	if got := toSettle(d.FinalBy()); len(got) != 6 {
		t.Errorf("after the final deadline %v", got)
	}
	s.Exec(t, "UPDATE work SET file = ? WHERE id = ?", lie[:], int64(works[2]))
	head := pool.Block{Number: 11, Time: now}
	results := func(file pool.Digest) []byte { return []byte("at " + file.String()) }
	got := must(s.Settlement(background, head, works, results))(t)
	if len(got.Tasks) != 6 || got.Head != head {
		t.Fatalf("%+v", got)
	}
	for i, task := range got.Tasks {
		if task.Work != works[i] || task.Deal != d.ID || task.Index != 7+i || task.Chain.ID != taskOf(d, 7+i) || !task.Start.Equal(d.Start) || task.T != span || task.Price != d.Price || task.CallsBack {
			t.Errorf("%+v", task)
		}
		if task.Running != (i == 0) || (len(task.Results) > 0) != (i == 2) || len(task.Actions) != map[int]int{3: 1}[i] {
			t.Errorf("%d: %+v", i, task)
		}
	}
	if c := got.Tasks[2]; string(c.Results) != "at "+lie.String() || len(c.Chain.Contributions) != 1 || c.Chain.Contributions[0].Wallet != wallet || c.Chain.Block != 10 {
		t.Errorf("%+v", c)
	}
	if a := got.Tasks[3].Actions[0]; a.Kind != pool.Initialize || a.State != pool.ActionWanted || a.Task != taskOf(d, 10) || !a.Before.Equal(genesis) {
		t.Errorf("%+v", a)
	}
	// What was touched since it was seen is not decided on, nor what the chain may have lost.
	follow(t, s, blockAt(12, 0), nil, taskOf(d, 7))
	if got := must(s.Settlement(background, head, works, results))(t); len(got.Tasks) != 5 || got.Tasks[0].Work != works[1] {
		t.Errorf("%+v", got.Tasks)
	}
	s.Exec(t, "UPDATE deal SET on_chain = FALSE")
	if got := must(s.Settlement(background, head, works, results))(t); len(got.Tasks) != 0 {
		t.Errorf("%+v", got.Tasks)
	}
}

// Each answer of settlement, on an action in each state.
func TestDecided(t *testing.T) {
	t.Parallel()
	for _, was := range pool.ActionStates {
		for answer, then := range map[string]map[pool.ActionState]pool.ActionState{
			"want": {pool.ActionWanted: pool.ActionWanted, pool.ActionSent: pool.ActionSent, pool.ActionDone: pool.ActionWanted, pool.ActionDropped: pool.ActionWanted},
			"done": {pool.ActionWanted: pool.ActionDone, pool.ActionSent: pool.ActionDone, pool.ActionDone: pool.ActionDone, pool.ActionDropped: pool.ActionDropped},
			"drop": {pool.ActionWanted: pool.ActionDropped, pool.ActionSent: pool.ActionDropped, pool.ActionDone: pool.ActionDone, pool.ActionDropped: pool.ActionDropped},
		} {
			t.Run(fmt.Sprint(was, " ", answer), func(t *testing.T) {
				t.Parallel()
				s, _, works := seenDeal(t, 1)
				decideOn(t, s, want(pool.Finalize, 2, works[0]))
				s.Exec(t, "UPDATE action SET state = ?, broadcast = 5, reason = 'because', results = 'old'", string(was))
				v := map[string]settlement.Verdict{"want": want(pool.Finalize, 2, works[0]), "done": {Done: []int64{1}}, "drop": {Drop: []settlement.Dropped{{ID: 1, Reason: "late"}}}}[answer]
				if answer == "want" {
					v.Want[0].Results = []byte(`{"x":"1"}`)
				}
				decideOn(t, s, v)
				decideOn(t, s, v) // told twice it is the same
				row := show(t, s.SQL, "SELECT state, COALESCE(broadcast, 0) AS b, COALESCE(results, '') AS r, COALESCE(reason, '') AS why FROM action")
				if len(row) != 1 || row[0]["state"] != string(then[was]) {
					t.Fatalf("%v, want %s", row, then[was])
				}
				if fresh := answer == "want" && was != pool.ActionSent; fresh != (row[0]["b"] == "0") || fresh != (row[0]["r"] == `{"x":"1"}`) {
					t.Errorf("%v", row)
				}
				if answer == "drop" && then[was] != was && row[0]["why"] != "late" {
					t.Errorf("%v", row)
				}
			})
		}
	}
}

func signed(nonce uint64, attempt int) pool.Broadcast {
	return pool.Broadcast{Wallet: owner, Nonce: nonce, Attempt: attempt, Kind: pool.Initialize, Hash: pool.Hash{byte(nonce), byte(attempt), 0x77}, Raw: []byte{byte(nonce), byte(attempt)}}
}

func sign(t *testing.T, s *storetest.Books, nonce uint64, attempt int, actions ...int64) {
	t.Helper()
	if err := s.Sign(background, nil, signed(nonce, attempt), actions, trace); err != nil {
		t.Fatal(err)
	}
}

// Nonces have no gap and no reuse while something is not settled, and a broadcast
// takes only what is wanted.
func TestSignGuards(t *testing.T) {
	t.Parallel()
	s, _, works := seenDeal(t, 4)
	decideOn(t, s, want(pool.Initialize, 1, works...))
	if lane := must(s.Lane(background, owner, 9))(t); lane.Next != 0 || len(lane.Wanted) != 4 || len(lane.Unsettled) != 0 {
		t.Fatalf("%+v", lane)
	}
	sign(t, s, 6, 1, 1, 2) // the wallet was used before
	for name, c := range map[string]struct {
		b       pool.Broadcast
		actions []int64
	}{
		"a nonce left out":      {signed(8, 1), nil},
		"a nonce below":         {signed(5, 1), nil},
		"the same nonce":        {pool.Broadcast{Wallet: owner, Nonce: 6, Attempt: 1, Hash: pool.Hash{1}, Raw: []byte{1}}, nil},
		"what is sent already":  {signed(7, 1), []int64{2, 3}},
		"what does not exist":   {signed(7, 1), []int64{99}},
		"an attempt left out":   {signed(6, 3), []int64{1, 2}},
		"another's actions":     {signed(6, 2), []int64{1, 3}},
		"an attempt at nothing": {signed(7, 2), nil},
	} {
		before := fmt.Sprint(s.Dump(t, "action"), s.Dump(t, "broadcast"))
		wantKind(t, s.Sign(background, nil, c.b, c.actions, trace), pool.Conflict)
		if after := fmt.Sprint(s.Dump(t, "action"), s.Dump(t, "broadcast")); before != after {
			t.Errorf("%s: stored\n%s\n%s", name, before, after)
		}
	}
	sign(t, s, 6, 1, 1, 2) // the same once more is nothing new
	sign(t, s, 7, 1, 3)
	other := signed(0, 1)
	other.Wallet = pool.Address{0xbb}
	if err := s.Sign(background, nil, other, nil, trace); err != nil {
		t.Errorf("another wallet has another lane: %v", err)
	}
	lane := must(s.Lane(background, owner, 9))(t)
	if lane.Next != 8 || len(lane.Unsettled) != 2 || lane.Unsettled[0].Nonce != 6 || len(lane.Sent[lane.Unsettled[0].ID]) != 2 || len(lane.Wanted) != 1 || lane.Now.Sub(lane.Unsettled[1].At) < 0 {
		t.Fatalf("%+v", lane)
	}
	if b := lane.Unsettled[1]; b.Hash != signed(7, 1).Hash || string(b.Raw) != "\x07\x01" || b.Kind != pool.Initialize || b.Wallet != owner || b.Attempt != 1 || b.State != pool.Signed {
		t.Errorf("%+v", b)
	}
	if a := lane.Wanted[0]; a.Work != works[3] || a.Index != 10 || a.ID != 4 || a.Kind != pool.Initialize || a.Round != 1 {
		t.Errorf("%+v", a)
	}
}

// The most urgent comes first, and nothing that may be done already.
func TestLaneLeavesOutWhatChanged(t *testing.T) {
	t.Parallel()
	s, d, works := seenDeal(t, 4)
	slices.Reverse(works) // before: the last work has the least time
	decideOn(t, s, want(pool.Initialize, 1, works...))
	follow(t, s, blockAt(12, 0), nil, taskOf(d, 9))
	lane := must(s.Lane(background, owner, 2))(t)
	if len(lane.Wanted) != 2 || lane.Wanted[0].Work != works[0] || lane.Wanted[1].Work != works[2] {
		t.Errorf("%+v", lane.Wanted)
	}
	s.Exec(t, "UPDATE deal SET on_chain = FALSE")
	if lane := must(s.Lane(background, owner, 9))(t); len(lane.Wanted) != 0 {
		t.Errorf("%+v", lane.Wanted)
	}
}

// What becomes of a broadcast, and of its actions and tasks.
func TestSettled(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		state  pool.BroadcastState
		action string
	}{{pool.Mined, "initialize done 1"}, {pool.Reverted, "initialize wanted 0"}, {pool.Replaced, "initialize wanted 0"}} {
		s, d, works := seenDeal(t, 2)
		decideOn(t, s, want(pool.Initialize, 1, works...))
		sign(t, s, 0, 1, 1)
		sign(t, s, 1, 1, 2)
		for range 2 {
			if err := s.Settled(background, nil, 1, c.state, pool.Receipt{Block: 33, Gas: 21_000}, trace); err != nil {
				t.Fatal(err)
			}
			if got := actionsOf(t, s); !slices.Equal(got, []string{c.action, "initialize sent 2"}) {
				t.Errorf("%s: %v", c.state, got)
			}
		}
		if due := must(s.Due(background, blockAt(9, 0), 9))(t); !slices.Equal(due, []pool.Hash{taskOf(d, 7)}) {
			t.Errorf("%s: %v is to be looked at", c.state, due)
		}
		see(t, s, headAt(32, 0), pool.Task{ID: taskOf(d, 7)})
		if due := must(s.Due(background, blockAt(9, 0), 9))(t); len(due) != 1 {
			t.Errorf("%s: a view from before its block will do", c.state)
		}
		if row := show(t, s.SQL, "SELECT state, block, gas FROM broadcast WHERE id = 1")[0]; row["state"] != string(c.state) || row["block"] != "33" || row["gas"] != "21000" {
			t.Errorf("%v", row)
		}
		wantState := map[pool.BroadcastState]pool.BroadcastState{pool.Mined: pool.Reverted}[c.state]
		if wantState != "" { // settled is settled
			if err := s.Settled(background, nil, 1, wantState, pool.Receipt{Block: 34}, trace); err != nil {
				t.Fatal(err)
			}
			if got := actionsOf(t, s); got[0] != c.action {
				t.Errorf("settled twice: %v", got)
			}
		}
	}
	s, _, _ := seenDeal(t, 1)
	if err := s.Settled(background, nil, 1, pool.Signed, pool.Receipt{}, trace); err == nil {
		t.Error("settled as not settled")
	}
}

// Further attempts take the actions along; whichever is mined, the others with its
// nonce are replaced and nothing stays under way.
func TestAttempts(t *testing.T) {
	t.Parallel()
	for mined, then := range map[int64][]string{
		1: {"initialize wanted 0", "initialize wanted 0", "initialize sent 4"},
		2: {"initialize wanted 0", "initialize wanted 0", "initialize sent 4"},
		3: {"initialize done 3", "initialize wanted 0", "initialize sent 4"},
	} {
		s, _, works := seenDeal(t, 3)
		decideOn(t, s, want(pool.Initialize, 1, works...))
		sign(t, s, 0, 1, 1, 2)
		sign(t, s, 0, 2, 1, 2)
		sign(t, s, 0, 3, 1) // the other would revert by now
		sign(t, s, 1, 1, 3)
		if got := actionsOf(t, s); !slices.Equal(got, []string{"initialize sent 3", "initialize wanted 0", "initialize sent 4"}) {
			t.Fatalf("%v", got)
		}
		if err := s.Settled(background, nil, mined, pool.Mined, pool.Receipt{Block: 33}, trace); err != nil {
			t.Fatal(err)
		}
		if got := actionsOf(t, s); !slices.Equal(got, then) {
			t.Errorf("%d mined: %v", mined, got)
		}
		if n := s.Count(t, "SELECT COUNT(*) FROM broadcast WHERE nonce = 0 AND state = 'replaced' AND block = 33"); n != 2 {
			t.Errorf("%d were replaced", n)
		}
	}
}

// What a reorganisation took is sent again, by the block it was in or by the
// wallet's nonce.
func TestRecalled(t *testing.T) {
	t.Parallel()
	for name, recall := range map[string]func(s *storetest.Books) error{
		"Unwind": func(s *storetest.Books) error {
			follow(t, s, blockAt(35, 0), nil)
			return s.Unwind(background, nil, blockAt(35, 0), blockAt(31, 0))
		},
		"Recall": func(s *storetest.Books) error { return s.Recall(background, nil, owner, 1) },
	} {
		s, _, works := seenDeal(t, 4)
		decideOn(t, s, want(pool.Initialize, 1, works...))
		for n := range uint64(4) {
			sign(t, s, n, 1, int64(n)+1)
		}
		for id, state := range map[int64]pool.BroadcastState{1: pool.Mined, 2: pool.Mined, 3: pool.Reverted} {
			if err := s.Settled(background, nil, id, state, pool.Receipt{Block: uint64(30 + id)}, trace); err != nil {
				t.Fatal(err)
			}
		}
		if err := recall(s); err != nil {
			t.Fatal(err)
		}
		lane := must(s.Lane(background, owner, 9))(t)
		if len(lane.Unsettled) != 3 || lane.Unsettled[0].Nonce != 1 || lane.Next != 4 {
			t.Errorf("%s: %+v", name, lane.Unsettled)
		}
		if got := actionsOf(t, s); !slices.Equal(got, []string{"initialize done 1", "initialize sent 2", "initialize wanted 0", "initialize sent 4"}) {
			t.Errorf("%s: %v", name, got)
		}
	}
}
