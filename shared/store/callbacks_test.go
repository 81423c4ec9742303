package store_test

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"workerpool/shared/life"
	"workerpool/shared/pool"
	"workerpool/shared/settlement"
	"workerpool/shared/store/storetest"
)

// calling is a deal of two tasks that wants its results called back.
func calling(t *testing.T) (*storetest.Books, pool.Deal, []pool.WorkID) {
	t.Helper()
	s := storetest.New(t)
	d := dealOf(1, 2, 1)
	d.Callback = pool.Address{0xcb}
	works := dealt(t, s, d)
	seeAll(t, s, headAt(9, 0), d)
	return s, d, works
}

// bring changes what the first of works is called back with.
func bring(t *testing.T, s *storetest.Books, works []pool.WorkID, data string) []life.Life {
	t.Helper()
	return must(s.Settle(background, works, nil, trace, func(_ time.Time, lives []life.Life) {
		for i := range lives {
			if lives[i].Work.ID == works[0] {
				lives[i].Work.Callback = data
			}
		}
	}))(t)
}

// What a result is called back with is kept byte by byte, goes with the archive that
// it belongs to, and comes to settlement and to the lane.
func TestCallbacksKept(t *testing.T) {
	t.Parallel()
	s, d, works := calling(t)
	data := "\x00'\"\\\xff" + string(bytes.Repeat([]byte{0xfe}, pool.MaxCallback-5))
	settled := func() settlement.Task {
		t.Helper()
		got := must(s.Settlement(background, pool.Block{Number: 11, Time: blockAt(9, 0).Time}, works, func(pool.Digest) []byte { return nil }))(t)
		if len(got.Tasks) != 2 || !got.Tasks[0].CallsBack || !got.Tasks[1].CallsBack || len(got.Tasks[1].Callback) != 0 {
			t.Fatalf("%+v", got.Tasks)
		}
		return got.Tasks[0]
	}
	for _, l := range bring(t, s, works, "") {
		if !l.Work.CallsBack || l.Work.Callback != "" {
			t.Errorf("%+v", l.Work)
		}
	}
	for _, want := range []string{data, "another", "", data} {
		bring(t, s, works, want)
		if got := settled(); string(got.Callback) != want {
			t.Errorf("%d bytes are kept, want %d", len(got.Callback), len(want))
		}
		for _, l := range must(s.Settle(background, works, nil, trace, func(time.Time, []life.Life) {}))(t) {
			if has := l.Work.Callback; l.Work.ID == works[0] && has != want || l.Work.ID != works[0] && has != "" {
				t.Errorf("work %d has %d bytes", l.Work.ID, len(has))
			}
		}
	}
	if n := s.Count(t, "SELECT COUNT(*) FROM work WHERE callback IS NULL"); n != 1 {
		t.Errorf("%d works have none", n)
	}

	v := want(pool.Finalize, 1, works...)
	v.Want[0].Callback, v.Want[0].Results, v.Want[1].Results = []byte(data), []byte("{}"), []byte("{}")
	decideOn(t, s, v)
	if got := settled().Actions; len(got) != 1 || string(got[0].Callback) != data {
		t.Errorf("%d actions", len(got))
	}
	lane := must(s.Lane(background, d.Owner, 10))(t)
	if len(lane.Wanted) != 2 || string(lane.Wanted[0].Callback) != data || len(lane.Wanted[1].Callback) != 0 {
		t.Errorf("%d wait", len(lane.Wanted))
	}
	// It follows what is wanted, until it is sent.
	v.Want[0].Callback = []byte("another")
	decideOn(t, s, v)
	if got := settled().Actions[0].Callback; string(got) != "another" {
		t.Errorf("%q is to be sent", got)
	}
	if err := s.Sign(background, nil, pool.Broadcast{Wallet: d.Owner, Attempt: 1, Kind: pool.Finalize, Hash: pool.Hash{1}, Raw: []byte{1}}, []int64{lane.Wanted[0].ID}, trace); err != nil {
		t.Fatal(err)
	}
	v.Want[0].Callback = []byte("too late")
	decideOn(t, s, v)
	lane = must(s.Lane(background, d.Owner, 10))(t)
	if len(lane.Unsettled) != 1 || !slices.ContainsFunc(lane.Sent[lane.Unsettled[0].ID], func(a pool.Action) bool { return string(a.Callback) == "another" }) {
		t.Errorf("%+v", lane)
	}
}

// A turn at such a work is told that it is one.
func TestCallbackTurns(t *testing.T) {
	t.Parallel()
	s, _, works := calling(t)
	account := s.AddAccount(t, "w", pool.RoleWorker, true)
	worker, _ := s.AddWalletWorker(t, account, 3)
	s.Exec(t, "INSERT INTO assignment (worker_id, work_id, owner, attempt, state, started) VALUES (?, ?, 'worker:1', 1, 'running', TRUE)", int64(worker), int64(works[0]))
	for _, want := range []bool{true, false} {
		s.Exec(t, "UPDATE deal SET callback = ?", want)
		if turn := must(s.Hear(background, account, worker))(t).Turns[works[0]]; turn.CallsBack != want {
			t.Errorf("%+v", turn)
		}
	}
}
