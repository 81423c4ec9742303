package placement_test

import (
	"cmp"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"workerpool/shared/placement"
	"workerpool/shared/pool"
)

func TestInstructions(t *testing.T) {
	t.Parallel()
	for state, want := range map[pool.AssignmentState]placement.Order{
		pool.Offered: placement.Start, pool.InRun: placement.Continue, pool.Reported: placement.Hold, pool.Uploading: placement.Upload,
		pool.Closed: "", pool.Expired: "", pool.Refused: "", pool.Broken: "", pool.Superseded: "",
	} {
		rows := []pool.Assignment{{Work: 7, Attempt: 2, State: state}}
		silent := placement.Instruct(rows, nil, nil)
		if want == "" && len(silent) != 0 || want != "" && !slices.Equal(silent, []placement.Instruction{{Work: 7, Attempt: 2, Do: want}}) {
			t.Errorf("%s: %v, want %q", state, silent, want)
		}
		expected := []placement.Instruction{{Work: 7, Attempt: 2, Do: cmp.Or(want, placement.Stop)}}
		if got := placement.Instruct(rows, nil, []pool.Report{{Work: 7, Attempt: 2}}); !slices.Equal(got, expected) {
			t.Errorf("%s and reported: %v, want %v", state, got, expected)
		}
	}
}

// What the chain shows of a turn decides what is said of it; in any doubt it is
// to hold what it has.
func TestInstructionsOfDeals(t *testing.T) {
	t.Parallel()
	won, lost := pool.Hash{1}, pool.Hash{2}
	active := pool.ChainTurn{Status: pool.TaskActive, Takes: true, Authorisation: []byte("signed")}
	revealing := pool.ChainTurn{Status: pool.TaskRevealing, Consensus: won, Contribution: pool.Contribution{Status: pool.Contributed, Hash: won}}
	for name, test := range map[string]struct {
		state pool.AssignmentState
		turn  pool.ChainTurn
		alter func(*pool.ChainTurn)
		want  placement.Order
	}{
		"authorised, with a result":    {pool.Reported, active, nil, placement.Contribute},
		"not initialized":              {pool.Reported, active, func(t *pool.ChainTurn) { t.Status = pool.TaskUnset }, placement.Hold},
		"not authorised":               {pool.Reported, active, func(t *pool.ChainTurn) { t.Authorisation = nil }, placement.Hold},
		"too late to contribute":       {pool.Reported, active, func(t *pool.ChainTurn) { t.Takes = false }, placement.Hold},
		"has contributed, not noted":   {pool.Reported, active, func(t *pool.ChainTurn) { t.Contribution.Status = pool.Contributed }, placement.Hold},
		"has contributed":              {pool.HasContributed, active, nil, placement.Hold},
		"won":                          {pool.HasContributed, revealing, nil, placement.Reveal},
		"lost":                         {pool.HasContributed, revealing, func(t *pool.ChainTurn) { t.Contribution.Hash = lost }, placement.Hold},
		"has revealed, not noted":      {pool.HasContributed, revealing, func(t *pool.ChainTurn) { t.Contribution.Status = pool.Proved }, placement.Hold},
		"reopened":                     {pool.HasContributed, revealing, func(t *pool.ChainTurn) { t.Status = pool.TaskActive }, placement.Hold},
		"has revealed":                 {pool.HasRevealed, revealing, nil, placement.Hold},
		"is to bring the bytes":        {pool.Uploading, revealing, nil, placement.Upload},
		"runs while others are agreed": {pool.InRun, revealing, nil, placement.Continue},
	} {
		if test.alter != nil {
			test.alter(&test.turn)
		}
		rows := []pool.Assignment{{Work: 7, Attempt: 2, State: test.state}}
		got := placement.Instruct(rows, map[pool.WorkID]pool.ChainTurn{7: test.turn}, nil)
		if want := []placement.Instruction{{Work: 7, Attempt: 2, Do: test.want}}; !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}

// Exactly one instruction for each turn that is held and each one that was
// reported and is not wanted.
func TestOneInstructionEach(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		type pair struct {
			work    pool.WorkID
			attempt int
		}
		works := rapid.Permutation([]pool.WorkID{1, 2, 3, 4, 5, 6, 7, 8}).Draw(t, "works")
		var rows []pool.Assignment
		want := map[pair]bool{} // held
		for _, work := range works[:rapid.IntRange(0, 8).Draw(t, "rows")] {
			row := pool.Assignment{Work: work, Attempt: rapid.IntRange(1, 3).Draw(t, "attempt"), State: rapid.SampledFrom(pool.AssignmentStates).Draw(t, "state")}
			rows = append(rows, row)
			if row.State.Held() {
				want[pair{row.Work, row.Attempt}] = true
			}
		}
		var reports []pool.Report
		for _, work := range rapid.Permutation(works).Draw(t, "order")[:rapid.IntRange(0, 8).Draw(t, "reports")] {
			reports = append(reports, pool.Report{Work: work, Attempt: rapid.IntRange(1, 3).Draw(t, "attempt")})
			if p := (pair{work, reports[len(reports)-1].Attempt}); !want[p] {
				want[p] = false
			}
		}
		out := placement.Instruct(rows, nil, reports)
		if len(out) != len(want) {
			t.Fatalf("%d instructions, want %d: %v", len(out), len(want), out)
		}
		seen := map[pair]bool{}
		for _, o := range out {
			p := pair{o.Work, o.Attempt}
			held, known := want[p]
			if !known || seen[p] {
				t.Fatalf("%+v is not asked for, or stands twice, in %v", o, out)
			}
			if seen[p] = true; held == (o.Do == placement.Stop) {
				t.Fatalf("%+v, and held is %v", o, held)
			}
		}
		if !slices.IsSortedFunc(out, func(a, b placement.Instruction) int {
			return cmp.Or(cmp.Compare(a.Work, b.Work), cmp.Compare(a.Attempt, b.Attempt))
		}) {
			t.Fatalf("not in order: %v", out)
		}
	})
}
