package settlement_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"workerpool/shared/pool"
	"workerpool/shared/settlement"
)

func TestDifferences(t *testing.T) {
	one, two := pool.Contribution{Wallet: pool.Address{1}, Status: pool.Contributed, Weight: 2}, pool.Contribution{Wallet: pool.Address{2}, Status: pool.Contributed, Weight: 2}
	revealed := one
	revealed.Status = pool.Proved
	books := pool.Compared{Deal: pool.Hash{7}, Vouched: []pool.Address{one.Wallet}, Task: pool.Task{
		ID: pool.Hash{8}, Status: pool.TaskActive, Contributions: []pool.Contribution{one},
	}}
	same := books.Task
	same.Block, same.Final = 99, true // when it was seen is no difference
	for name, test := range map[string]struct {
		chain pool.Task
		what  []string
	}{
		"none":             {same, nil},
		"status":           {pool.Task{Status: pool.TaskFailed, Contributions: same.Contributions}, []string{"status"}},
		"consensus":        {pool.Task{Status: pool.TaskRevealing, Consensus: pool.Hash{9}, Contributions: same.Contributions}, []string{"status", "consensus"}},
		"a contribution":   {pool.Task{Status: pool.TaskActive}, []string{"contributions"}},
		"what is shown":    {pool.Task{Status: pool.TaskActive, Contributions: []pool.Contribution{revealed}}, []string{"contributions"}},
		"one without word": {pool.Task{Status: pool.TaskActive, Contributions: []pool.Contribution{one, two}}, []string{"contributions", "contributor without the pool's word"}},
	} {
		var what []string
		for _, d := range settlement.Differences(books, test.chain) {
			what = append(what, d.What)
			if d.Deal != books.Deal || d.Task != books.Task.ID || d.Books == d.Chain && d.What != "contributions" {
				t.Errorf("%s: %+v", name, d)
			}
		}
		if diff := cmp.Diff(test.what, what); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
