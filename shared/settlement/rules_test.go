package settlement_test

import (
	"slices"
	"testing"
	"time"

	"workerpool/shared/pool"
	"workerpool/shared/settlement"
)

const t0 = 5 * time.Minute // T of the tasks here

var (
	epoch  = time.Date(2031, 1, 2, 3, 4, 5, 0, time.UTC)
	said   = []byte(`{"storage":"ipfs","location":"/ipfs/b"}`)
	data   = []byte("called back with")
	policy = settlement.Policy{Contribute: time.Minute}
)

// task is one of a status, as its pool would wish it: run, its result stored.
func task(status pool.TaskStatus) settlement.Task {
	t := settlement.Task{
		Work: 7, Deal: pool.Hash{0xd}, Index: 3, Start: epoch, T: t0, Price: 1000,
		Chain: pool.Task{ID: pool.Hash{0x7}, Block: 9, Status: status}, Running: true, Results: said, Vouched: pool.Vouched,
	}
	return t
}

// revealing is a task with a consensus a T after its start.
func revealing(reveals, winners int) settlement.Task {
	t := task(pool.TaskRevealing)
	t.Chain.RevealBy, t.Chain.Reveals, t.Chain.Winners = epoch.Add(3*t0), reveals, winners
	return t
}

func with(t settlement.Task, change func(*settlement.Task)) settlement.Task {
	change(&t)
	return t
}

func at(after time.Duration) pool.Block { return pool.Block{Number: 9, Time: epoch.Add(after)} }

func decide(after time.Duration, t settlement.Task) settlement.Verdict {
	return settlement.Decide(settlement.Snapshot{Head: at(after), Tasks: []settlement.Task{t}}, policy)
}

// TestRules: what is wanted a second before, at and after each rule's boundary.
func TestRules(t *testing.T) {
	t.Parallel()
	const (
		no     = pool.ActionKind("")
		start  = pool.Initialize
		end    = pool.Finalize
		again  = pool.Reopen
		claim  = pool.Claim
		refund = pool.InitializeClaim
	)
	callback := func(t *settlement.Task) { t.CallsBack, t.Callback = true, data }
	unbrought := func(t *settlement.Task) { t.CallsBack = true }
	unstored := func(t *settlement.Task) { t.Results = nil }
	vouching := func(v pool.Vouching) func(*settlement.Task) {
		return func(t *settlement.Task) { t.Vouched = v }
	}
	idle := func(t *settlement.Task) { t.Running = false }
	late := func(t *settlement.Task) { t.Chain.RevealBy = epoch.Add(6 * t0) } // 6 T is too late for another run
	for name, c := range map[string]struct {
		task settlement.Task
		at   time.Duration
		want [3]pool.ActionKind
	}{
		"initialize what somebody runs":                     {task(pool.TaskUnset), 0, [3]pool.ActionKind{start, start, start}},
		"initialize while there is time to contribute":      {task(pool.TaskUnset), 7*t0 - time.Minute, [3]pool.ActionKind{start, no, no}},
		"not what nobody runs":                              {with(task(pool.TaskUnset), idle), t0, [3]pool.ActionKind{no, no, no}},
		"initialize what is to be called back":              {with(task(pool.TaskUnset), unbrought), t0, [3]pool.ActionKind{start, start, start}},
		"refund what nobody initialized":                    {task(pool.TaskUnset), 10 * t0, [3]pool.ActionKind{no, refund, refund}},
		"refund what nobody ran":                            {with(task(pool.TaskUnset), idle), 10 * t0, [3]pool.ActionKind{no, refund, refund}},
		"refund what was to be called back":                 {with(task(pool.TaskUnset), unbrought), 10 * t0, [3]pool.ActionKind{no, refund, refund}},
		"initialize once":                                   {task(pool.TaskActive), t0, [3]pool.ActionKind{no, no, no}},
		"nothing to do for an active task at its 7 T":       {task(pool.TaskActive), 7 * t0, [3]pool.ActionKind{no, no, no}},
		"claim what is active at the end":                   {task(pool.TaskActive), 10 * t0, [3]pool.ActionKind{no, claim, claim}},
		"finalize when all revealed":                        {revealing(2, 2), 2 * t0, [3]pool.ActionKind{end, end, end}},
		"finalize when some revealed and time is over":      {revealing(1, 2), 3 * t0, [3]pool.ActionKind{no, end, end}},
		"finalize before the end, claim after it":           {revealing(2, 2), 10 * t0, [3]pool.ActionKind{end, claim, claim}},
		"finalize in part before the end, claim after it":   {revealing(1, 2), 10 * t0, [3]pool.ActionKind{end, claim, claim}},
		"not without its result":                            {with(revealing(2, 2), unstored), 3 * t0, [3]pool.ActionKind{no, no, no}},
		"claim what had no result":                          {with(revealing(2, 2), unstored), 10 * t0, [3]pool.ActionKind{no, claim, claim}},
		"not what nobody vouches for yet":                   {with(revealing(2, 2), vouching(pool.NotVouched)), 3 * t0, [3]pool.ActionKind{no, no, no}},
		"not what is disputed":                              {with(revealing(2, 2), vouching(pool.Disputed)), 9 * t0, [3]pool.ActionKind{no, no, no}},
		"finalize what nobody is left to vouch for":         {with(revealing(2, 2), vouching(pool.NobodyLeft)), 3 * t0, [3]pool.ActionKind{end, end, end}},
		"finalize with its callback":                        {with(revealing(2, 2), callback), 3 * t0, [3]pool.ActionKind{end, end, end}},
		"not without its callback":                          {with(revealing(2, 2), unbrought), 3 * t0, [3]pool.ActionKind{no, no, no}},
		"claim what had no callback":                        {with(revealing(2, 2), unbrought), 10 * t0, [3]pool.ActionKind{no, claim, claim}},
		"reopen when nobody revealed in time":               {revealing(0, 2), 3 * t0, [3]pool.ActionKind{no, again, again}},
		"reopen whatever lies in the bucket":                {with(revealing(0, 2), unstored), 3 * t0, [3]pool.ActionKind{no, again, again}},
		"reopen while there is time for a run":              {revealing(0, 2), 6*t0 - time.Minute, [3]pool.ActionKind{again, no, no}},
		"not when winners revealed too late for it":         {with(revealing(0, 2), late), 6 * t0, [3]pool.ActionKind{no, no, no}},
		"reopen what is to be called back":                  {with(revealing(0, 2), unbrought), 3 * t0, [3]pool.ActionKind{no, again, again}},
		"claim what was too late to reopen":                 {revealing(0, 2), 10 * t0, [3]pool.ActionKind{no, claim, claim}},
		"nothing for what is completed":                     {task(pool.TaskCompleted), 10 * t0, [3]pool.ActionKind{no, no, no}},
		"nothing for what has failed":                       {task(pool.TaskFailed), 10 * t0, [3]pool.ActionKind{no, no, no}},
		"nothing for what is completed before its deadline": {task(pool.TaskCompleted), t0, [3]pool.ActionKind{no, no, no}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for i, off := range []time.Duration{-time.Second, 0, time.Second} {
				v := decide(c.at+off, c.task)
				var got []pool.ActionKind
				for _, a := range v.Want {
					got = append(got, a.Kind)
				}
				var want []pool.ActionKind
				if c.want[i] != no {
					want = []pool.ActionKind{c.want[i]}
				}
				if !slices.Equal(got, want) || len(v.Done)+len(v.Drop) > 0 {
					t.Errorf("%v after: %+v, want %v", off, v, want)
				}
			}
		})
	}
}

// TestTerms: what a wanted action says, and until when it is of use.
func TestTerms(t *testing.T) {
	t.Parallel()
	rejected := pool.Contribution{Status: pool.Rejected}
	twice := func(t *settlement.Task) {
		t.Chain.Contributions = []pool.Contribution{{Status: pool.Contributed}, rejected, rejected, {Status: pool.Contributed}}
	}
	action := func(kind pool.ActionKind, round int, results []byte, before time.Duration) pool.Action {
		return pool.Action{
			Work: 7, Deal: pool.Hash{0xd}, Index: 3, Task: pool.Hash{0x7}, Kind: kind, Round: round,
			State: pool.ActionWanted, Results: results, Before: epoch.Add(before),
		}
	}
	const forever = 100 * 365 * 24 * time.Hour
	called := with(revealing(2, 2), func(t *settlement.Task) { t.CallsBack, t.Callback = true, data })
	back := action(pool.Finalize, 1, said, 10*t0)
	back.Callback = data
	for _, c := range []struct {
		after time.Duration
		task  settlement.Task
		want  pool.Action
	}{
		{0, task(pool.TaskUnset), action(pool.Initialize, 1, nil, 7*t0-time.Minute)},
		{3 * t0, revealing(2, 2), action(pool.Finalize, 1, said, 10*t0)},
		{3 * t0, with(revealing(2, 2), twice), action(pool.Finalize, 3, said, 10*t0)},
		{3 * t0, called, back},
		{3 * t0, with(called, func(t *settlement.Task) { t.CallsBack = false }), action(pool.Finalize, 1, said, 10*t0)},
		{3 * t0, with(revealing(0, 2), twice), action(pool.Reopen, 3, nil, 6*t0-time.Minute)},
		{10 * t0, task(pool.TaskUnset), action(pool.InitializeClaim, 1, nil, 10*t0+forever)},
		{10 * t0, with(task(pool.TaskActive), twice), action(pool.Claim, 3, nil, 10*t0+forever)},
	} {
		if v := decide(c.after, c.task); len(v.Want) != 1 || !same(v.Want[0], c.want) {
			t.Errorf("%+v\nwant %+v", v, c.want)
		}
	}
}

func same(a, b pool.Action) bool {
	results := string(a.Results) == string(b.Results) && string(a.Callback) == string(b.Callback)
	a.Results, b.Results = nil, nil
	return results && a.ID == b.ID && a.Work == b.Work && a.Deal == b.Deal && a.Index == b.Index && a.Task == b.Task &&
		a.Kind == b.Kind && a.Round == b.Round && a.State == b.State && a.Before.Equal(b.Before)
}

// TestDefaults: the default leaves room in the shortest category.
func TestDefaults(t *testing.T) {
	t.Parallel()
	if c := settlement.Defaults.Contribute; c < 90*time.Second || c > t0 {
		t.Errorf("%v for a block, a heartbeat of up to 60 s and another block", c)
	}
}
