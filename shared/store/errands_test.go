package store_test

import (
	"reflect"
	"testing"

	"workerpool/shared/pool"
	"workerpool/shared/store/storetest"
)

// An errand is asked for, done once, and told until the next of its kind is done.
func TestErrands(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	who := pool.Trace{Account: 7, RequestID: "r"}
	if _, err := s.Errand(background, pool.ErrandDiff); pool.KindOf(err) != pool.NotFound {
		t.Errorf("before any: %v", err)
	}
	if e, found, err := s.NextErrand(background); err != nil || found {
		t.Errorf("before any: %+v, %v", e, err)
	}
	first := must(s.AskErrand(background, pool.ErrandDiff, 0, who))(t)
	again := must(s.AskErrand(background, pool.ErrandDiff, 0, pool.Trace{Account: 8}))(t)
	if first.Number != 1 || !first.Pending() || !reflect.DeepEqual(first, again) || first.AskedBy != 7 {
		t.Errorf("%+v, and again %+v", first, again)
	}
	must(s.AskErrand(background, pool.ErrandRebuild, 12, who))(t)
	if _, err := s.AskErrand(background, pool.ErrandRebuild, 13, who); pool.KindOf(err) != pool.Conflict {
		t.Errorf("another block: %v", err)
	}
	l := must(s.TakeReconcileLease(background))(t)
	answers := map[pool.ErrandKind]pool.Answer{
		pool.ErrandDiff: {Block: pool.Block{Number: 9}, Count: 3, Lines: []string{}, Differences: []pool.Difference{
			{Deal: pool.Hash{1}, Task: pool.Hash{2}, What: "status", Books: "1", Chain: "2"}, {Deal: pool.Hash{3}, What: "deal", Books: "known", Chain: "unknown"},
		}},
		pool.ErrandRebuild: {Fault: "there is no such block", Lines: []string{}},
	}
	for _, kind := range []pool.ErrandKind{pool.ErrandDiff, pool.ErrandRebuild} {
		next, found, err := s.NextErrand(background)
		if err != nil || !found || next.Kind != kind {
			t.Fatalf("%+v, %v, %v, want %s", next, found, err, kind)
		}
		next.Answer = answers[kind]
		for range 2 { // the answer to the first may have been lost
			if err := s.ErrandDone(background, l, next); err != nil {
				t.Fatal(err)
			}
		}
		got := must(s.Errand(background, kind))(t)
		if got.Pending() || got.Done != 1 || got.DoneAt.IsZero() || !reflect.DeepEqual(got.Answer, answers[kind]) {
			t.Errorf("%+v", got)
		}
	}
	if e, found, err := s.NextErrand(background); err != nil || found {
		t.Errorf("when all are done: %+v, %v", e, err)
	}
	// The next of a kind keeps the answer of the last until it is done; who comes
	// late with the last one's answer changes nothing.
	second := must(s.AskErrand(background, pool.ErrandDiff, 0, pool.Trace{Account: 8}))(t)
	if second.Number != 2 || second.Done != 1 || second.AskedBy != 8 || second.Answer.Count != 3 || second.Asked.Before(first.Asked) {
		t.Errorf("%+v", second)
	}
	late := first
	late.Answer.Count = 99
	if err := s.ErrandDone(background, l, late); err != nil {
		t.Fatal(err)
	}
	if got := must(s.Errand(background, pool.ErrandDiff))(t); !got.Pending() || got.Answer.Count != 3 {
		t.Errorf("%+v", got)
	}
	if err := s.DropLease(background, l); err != nil {
		t.Fatal(err)
	}
	taken := must(s.TakeReconcileLease(background))(t)
	if err := s.ErrandDone(background, l, second); pool.KindOf(err) != pool.Conflict {
		t.Errorf("by somebody whose lease is over (now %+v): %v", taken, err)
	}
	if n := s.Count(t, "SELECT COUNT(*) FROM event WHERE kind = 'chain.diff' AND request_id = 'r' AND account_id = 7"); n != 1 {
		t.Errorf("%d events", n)
	}
}
