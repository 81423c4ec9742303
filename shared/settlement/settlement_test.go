package settlement_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"workerpool/shared/pool"
	"workerpool/shared/settlement"
)

// TestActions: what becomes of an action of each state at what the chain shows.
func TestActions(t *testing.T) {
	t.Parallel()
	reopened := func(t settlement.Task, n int) settlement.Task {
		for range n {
			t.Chain.Contributions = append(slices.Clip(t.Chain.Contributions), pool.Contribution{Status: pool.Rejected})
		}
		return t
	}
	idle := task(pool.TaskUnset)
	idle.Running = false
	const (
		keep  = "" // nothing becomes of it
		want  = "wanted again"
		done  = "done"
		other = "another is wanted"
	)
	// By the state before: wanted, sent, done, dropped. What is neither kept nor
	// wanted nor done is dropped for a reason that contains the text.
	for name, c := range map[string]struct {
		kind  pool.ActionKind
		round int
		task  settlement.Task
		at    time.Duration
		as    [4]string
	}{
		"needed":                        {pool.Initialize, 1, task(pool.TaskUnset), t0, [4]string{keep, keep, want, want}},
		"has its effect":                {pool.Initialize, 1, task(pool.TaskActive), t0, [4]string{done, done, keep, keep}},
		"by the end of all":             {pool.Initialize, 1, task(pool.TaskCompleted), t0, [4]string{done, done, keep, keep}},
		"nobody runs it any more":       {pool.Initialize, 1, idle, t0, [4]string{"nobody runs it", keep, keep, keep}},
		"too late to contribute":        {pool.Initialize, 1, task(pool.TaskUnset), 7 * t0, [4]string{"too late for a contribution", keep, keep, keep}},
		"too late for all but refund":   {pool.Initialize, 1, task(pool.TaskUnset), 10 * t0, [4]string{"too late" + other, keep + other, keep + other, keep + other}},
		"finalize needed":               {pool.Finalize, 1, revealing(2, 2), 2 * t0, [4]string{keep, keep, want, want}},
		"finalized":                     {pool.Finalize, 1, task(pool.TaskCompleted), 2 * t0, [4]string{done, done, keep, keep}},
		"finalized in a later round":    {pool.Finalize, 1, reopened(task(pool.TaskCompleted), 2), 2 * t0, [4]string{"reopened since", "reopened since", keep, keep}},
		"claimed meanwhile":             {pool.Finalize, 1, task(pool.TaskFailed), 10 * t0, [4]string{"has ended", "has ended", keep, keep}},
		"reveals undone":                {pool.Finalize, 1, revealing(0, 2), 2 * t0, [4]string{"nobody has revealed", keep, keep, keep}},
		"consensus undone":              {pool.Finalize, 1, task(pool.TaskActive), 2 * t0, [4]string{"no consensus", keep, keep, keep}},
		"another winner after all":      {pool.Finalize, 1, revealing(1, 2), 2 * t0, [4]string{"may still reveal", keep, keep, keep}},
		"final deadline":                {pool.Finalize, 1, revealing(2, 2), 10 * t0, [4]string{"final deadline" + other, keep + other, keep + other, keep + other}},
		"reopen needed":                 {pool.Reopen, 1, revealing(0, 2), 4 * t0, [4]string{keep, keep, want, want}},
		"reopen needed a second time":   {pool.Reopen, 3, reopened(revealing(0, 2), 2), 4 * t0, [4]string{keep, keep, want, want}},
		"reopened":                      {pool.Reopen, 1, reopened(task(pool.TaskActive), 2), 4 * t0, [4]string{done, done, keep, keep}},
		"reopened and agreed again":     {pool.Reopen, 1, reopened(revealing(0, 1), 1), 2 * t0, [4]string{done, done, keep, keep}},
		"reopened, to be reopened":      {pool.Reopen, 1, reopened(revealing(0, 1), 1), 4 * t0, [4]string{done + other, done + other, keep + other, keep + other}},
		"reopening undone, not needed":  {pool.Reopen, 3, revealing(0, 1), 2 * t0, [4]string{"may still reveal", keep, keep, keep}},
		"round undone, needed before":   {pool.Reopen, 3, revealing(0, 1), 4 * t0, [4]string{"undone" + other, keep + other, keep + other, keep + other}},
		"somebody revealed after all":   {pool.Reopen, 1, revealing(1, 2), 4 * t0, [4]string{"somebody has revealed" + other, keep + other, keep + other, keep + other}},
		"too late for a run":            {pool.Reopen, 1, revealing(0, 2), 6 * t0, [4]string{"too late for a fresh run", keep, keep, keep}},
		"claim needed":                  {pool.Claim, 1, task(pool.TaskActive), 11 * t0, [4]string{keep, keep, want, want}},
		"claimed":                       {pool.Claim, 1, task(pool.TaskFailed), 11 * t0, [4]string{done, done, keep, keep}},
		"claim of a finalized task":     {pool.Claim, 1, task(pool.TaskCompleted), 11 * t0, [4]string{"has ended", "has ended", keep, keep}},
		"time went back":                {pool.Claim, 1, task(pool.TaskActive), 9 * t0, [4]string{"has not passed", keep, keep, keep}},
		"claim of what became unset":    {pool.Claim, 1, task(pool.TaskUnset), 11 * t0, [4]string{"not initialized" + other, keep + other, keep + other, keep + other}},
		"refund needed":                 {pool.InitializeClaim, 1, task(pool.TaskUnset), 11 * t0, [4]string{keep, keep, want, want}},
		"refunded":                      {pool.InitializeClaim, 1, task(pool.TaskFailed), 11 * t0, [4]string{done, done, keep, keep}},
		"initialized by another at end": {pool.InitializeClaim, 1, task(pool.TaskActive), 11 * t0, [4]string{"is initialized" + other, keep + other, keep + other, keep + other}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for i, state := range pool.ActionStates {
				// As the books would have it, so that other terms do not matter here.
				a := pool.Action{ID: 42, Work: 7, Kind: c.kind, Round: c.round, State: state, Before: termsOf(c.kind), Results: saidBy(c.kind)}
				c.task.Actions = []pool.Action{a}
				v := decide(c.at, c.task)
				as, alone := strings.CutSuffix(c.as[i], other)
				var got string
				for _, w := range v.Want {
					if w.ID == 42 {
						got = want
					} else if w.Kind == c.kind && w.Round == c.round {
						t.Errorf("%s: the same twice: %+v", state, w)
					}
				}
				if len(v.Done) == 1 && v.Done[0] == 42 {
					got += done
				}
				if len(v.Drop) == 1 && v.Drop[0].ID == 42 {
					got += v.Drop[0].Reason
				}
				if n := len(v.Want); alone && (n != 1 || v.Want[0].ID != 0) || !alone && n > 0 && v.Want[0].ID == 0 {
					t.Errorf("%s: wanted besides: %+v", state, v.Want)
				}
				if (as == keep) != (got == "") || !strings.Contains(got, as) {
					t.Errorf("%s: %q (%+v), want %q", state, got, v, as)
				}
			}
		})
	}
}

func termsOf(kind pool.ActionKind) time.Time {
	return map[pool.ActionKind]time.Time{
		pool.Initialize: epoch.Add(7*t0 - time.Minute), pool.Finalize: epoch.Add(10 * t0), pool.Reopen: epoch.Add(6*t0 - time.Minute),
		pool.Claim: epoch.Add(10*t0 + 100*365*24*time.Hour), pool.InitializeClaim: epoch.Add(10*t0 + 100*365*24*time.Hour),
	}[kind]
}

func saidBy(kind pool.ActionKind) []byte {
	if kind == pool.Finalize {
		return said
	}
	return nil
}

// TestDoneForGood: a view from before the head is no proof that the effect of what
// was done is gone.
func TestDoneForGood(t *testing.T) {
	t.Parallel()
	for _, state := range []pool.ActionState{pool.ActionDone, pool.ActionDropped} {
		for block, want := range map[uint64]bool{8: state == pool.ActionDropped, 9: true} {
			again := revealing(0, 2)
			again.Chain.Block = block
			again.Actions = []pool.Action{{ID: 42, Kind: pool.Reopen, Round: 1, State: state}}
			if v := decide(4*t0, again); (len(v.Want) == 1) != want || len(v.Drop)+len(v.Done) > 0 {
				t.Errorf("%s, seen at block %d of 9: %+v", state, block, v)
			}
		}
	}
}

// TestBeyondTheHead: what was seen at a block that the head has not reached is of
// another branch, or the head of a node that lags.
func TestBeyondTheHead(t *testing.T) {
	t.Parallel()
	beyond := task(pool.TaskActive)
	beyond.Chain.Block = 10
	for i, state := range pool.ActionStates {
		beyond.Actions = append(beyond.Actions, pool.Action{ID: int64(i), Kind: pool.Initialize, Round: 1, State: state}, pool.Action{ID: 9, Kind: pool.Finalize, Round: 1, State: state})
	}
	if v := decide(11*t0, beyond); len(v.Want)+len(v.Done)+len(v.Drop) > 0 {
		t.Errorf("%+v", v)
	}
}

// TestOtherTerms: a reorganisation may move the deal's start, another upload what
// finalize says; what is wanted follows, what was sent does not.
func TestOtherTerms(t *testing.T) {
	t.Parallel()
	for _, state := range []pool.ActionState{pool.ActionWanted, pool.ActionSent} {
		moved := revealing(2, 2)
		moved.Start = epoch.Add(time.Second)
		moved.Actions = []pool.Action{{ID: 42, Kind: pool.Finalize, Round: 1, State: state, Before: epoch.Add(10 * t0), Results: said}}
		other := revealing(2, 2)
		other.Results = []byte("elsewhere")
		other.Actions = moved.Actions
		called := revealing(2, 2)
		called.CallsBack, called.Callback, called.Actions = true, data, slices.Clone(moved.Actions)
		called.Actions[0].Callback = []byte("of another consensus")
		for _, task := range []settlement.Task{moved, other, called} {
			v := decide(3*t0, task)
			if state == pool.ActionSent {
				if len(v.Want)+len(v.Done)+len(v.Drop) > 0 {
					t.Errorf("sent: %+v", v)
				}
				continue
			}
			if len(v.Want) != 1 || v.Want[0].ID != 42 || !v.Want[0].Before.Equal(task.Start.Add(10*t0)) || string(v.Want[0].Results) != string(task.Results) || string(v.Want[0].Callback) != string(task.Callback) {
				t.Errorf("%+v", v)
			}
		}
	}
}

// TestOrder: the most urgent goes first, and the answer does not depend on the
// order of the question.
func TestOrder(t *testing.T) {
	t.Parallel()
	claim, begin, end := task(pool.TaskActive), task(pool.TaskUnset), revealing(1, 1)
	claim.Work, claim.Start = 1, epoch.Add(-10*t0)
	begin.Work, end.Work = 2, 4
	alike := begin
	alike.Work = 3
	done := task(pool.TaskActive)
	done.Actions = []pool.Action{{ID: 9, Kind: pool.Initialize, Round: 1, State: pool.ActionSent}, {ID: 8, Kind: pool.Claim, Round: 1, State: pool.ActionWanted}}
	gone := task(pool.TaskFailed)
	gone.Actions = []pool.Action{{ID: 5, Kind: pool.Initialize, Round: 1, State: pool.ActionWanted}, {ID: 6, Kind: pool.Reopen, Round: 1, State: pool.ActionWanted}}
	tasks := []settlement.Task{claim, end, alike, done, begin, gone}
	for range tasks {
		tasks = append(tasks[1:], tasks[0])
		v := settlement.Decide(settlement.Snapshot{Head: at(t0), Tasks: tasks}, policy)
		var works []pool.WorkID
		for _, a := range v.Want {
			works = append(works, a.Work)
		}
		if !slices.Equal(works, []pool.WorkID{2, 3, 4, 1}) || !slices.Equal(v.Done, []int64{5, 9}) || len(v.Drop) != 2 || v.Drop[0].ID != 6 || v.Drop[1].ID != 8 {
			t.Errorf("works %v of %+v", works, v)
		}
	}
}

// TestOnlyDeadlinesMatter: between two deadlines any head gives the same answer,
// however far the clock jumped.
func TestOnlyDeadlinesMatter(t *testing.T) {
	t.Parallel()
	bounds := []time.Duration{0, 3 * t0, 6*t0 - time.Minute, 7*t0 - time.Minute, 10 * t0, 99 * t0}
	for _, task := range []settlement.Task{task(pool.TaskUnset), task(pool.TaskActive), revealing(0, 2), revealing(1, 2), revealing(2, 2), task(pool.TaskCompleted)} {
		for i := range bounds[1:] {
			first, last := decide(bounds[i], task), decide(bounds[i+1]-1, task)
			if len(first.Want) != len(last.Want) || len(first.Want) == 1 && !same(first.Want[0], last.Want[0]) {
				t.Errorf("status %d from %v to %v: %+v and then %+v", task.Chain.Status, bounds[i], bounds[i+1], first, last)
			}
		}
	}
}
