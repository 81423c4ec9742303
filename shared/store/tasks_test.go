package store_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"workerpool/shared/life"
	"workerpool/shared/pool"
	"workerpool/shared/store/storetest"
)

// look lets life judge what the chain shows.
func look(now time.Time, lives []life.Life) {
	for i := range lives {
		lives[i].Look(now, 1, life.Defaults)
	}
}

func worksOf(t *testing.T, s *storetest.Books, d pool.Deal) []pool.WorkID {
	t.Helper()
	works := make([]pool.WorkID, d.Tasks)
	for i := range works {
		id := taskOf(d, d.First+i)
		works[i] = pool.WorkID(s.Count(t, "SELECT COALESCE(MAX(work_id), 0) FROM task WHERE task_id = ?", id[:]))
	}
	return works
}

// see stores views at a head.
func see(t *testing.T, s *storetest.Books, head pool.Head, views ...pool.Task) []life.Life {
	t.Helper()
	for i := range views {
		views[i].Block = head.Number
	}
	return must(s.SettleTasks(background, nil, views, head, trace, look))(t)
}

// seeAll stores that all tasks of deals are unset.
func seeAll(t *testing.T, s *storetest.Books, head pool.Head, deals ...pool.Deal) {
	t.Helper()
	for _, d := range deals {
		var views []pool.Task
		for i := range d.Tasks {
			views = append(views, pool.Task{ID: taskOf(d, d.First+i)})
		}
		see(t, s, head, views...)
	}
}

func contributed(wallet byte, hash byte, status pool.ContributionStatus, weight int64) pool.Contribution {
	return pool.Contribution{Wallet: pool.Address{wallet}, Status: status, Hash: pool.Hash{hash}, Weight: weight}
}

// stored gives a task as life is given it.
func stored(t *testing.T, s *storetest.Books, work pool.WorkID) pool.Task {
	t.Helper()
	var task pool.Task
	must(s.Settle(background, []pool.WorkID{work}, nil, trace, func(_ time.Time, lives []life.Life) { task = *lives[0].Task }))(t)
	return task
}

func TestViewsAreStored(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	d := dealOf(1, 2, 3)
	works := dealt(t, s, d)
	worker, wallet := s.AddWalletWorker(t, s.AddAccount(t, "w", pool.RoleWorker, true), 3)
	view := pool.Task{
		ID: taskOf(d, 7), Status: pool.TaskRevealing, RevealBy: blockAt(500, 0).Time, Consensus: pool.Hash{1}, Digest: pool.Digest{7}, Reveals: 1, Winners: 2,
		Contributions: []pool.Contribution{contributed(3, 1, pool.Proved, 4), contributed(1, 1, pool.Contributed, 2), {Wallet: wallet, Status: pool.Contributed, Hash: pool.Hash{2}, Weight: 5}},
	}
	lives := see(t, s, headAt(9, 0), view, pool.Task{ID: pool.Hash{0xee}}) // the other is of another pool
	if len(lives) != 1 || lives[0].Work.ID != works[0] || lives[0].Work.State != pool.Agreed || !lives[0].Head.Equal(blockAt(9, 0).Time) {
		t.Fatalf("%+v", lives)
	}
	view.Block = 9
	if diff := cmp.Diff(view, stored(t, s, works[0])); diff != "" {
		t.Error(diff)
	}
	if w := s.Count(t, "SELECT weight FROM worker WHERE id = ?", int64(worker)); w != 5 {
		t.Errorf("the worker's weight is %d", w)
	}
	// The next view takes its place whole: a contribution that a reorganisation took is gone.
	next := pool.Task{ID: view.ID, Status: pool.TaskActive, Contributions: []pool.Contribution{contributed(1, 4, pool.Contributed, 2)}}
	see(t, s, headAt(10, 0), next)
	next.Block = 10
	if diff := cmp.Diff(next, stored(t, s, works[0])); diff != "" {
		t.Error(diff)
	}
	// One that is older does not.
	see(t, s, headAt(9, 0), view)
	if got := stored(t, s, works[0]); got.Block != 10 || got.Status != pool.TaskActive {
		t.Errorf("an older view was stored: %+v", got)
	}
	see(t, s, headAt(11, 0), pool.Task{ID: view.ID, Status: pool.TaskActive})
	if n := s.Count(t, "SELECT COUNT(*) FROM contribution"); n != 0 {
		t.Errorf("%d contributions of nobody", n)
	}
	storetest.Check(t, s)
}

// What is due: what was touched, first of all, and what has passed a deadline.
func TestDue(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	d := dealOf(1, 4, 3)
	dealt(t, s, d)
	due := func(at time.Time) []pool.Hash {
		t.Helper()
		return must(s.Due(background, pool.Block{Time: at}, 9))(t)
	}
	now := blockAt(9, 0).Time
	if got := due(now); len(got) != 4 {
		t.Errorf("%d new tasks are due", len(got))
	}
	see(t, s, headAt(9, 0), pool.Task{ID: taskOf(d, 7)}, pool.Task{ID: taskOf(d, 8), Status: pool.TaskActive},
		pool.Task{ID: taskOf(d, 9), Status: pool.TaskRevealing, RevealBy: now.Add(time.Minute), Consensus: pool.Hash{1}}, pool.Task{ID: taskOf(d, 10), Status: pool.TaskCompleted})
	for _, c := range []struct {
		at   time.Time
		want []int
	}{
		{now, nil},
		{now.Add(time.Minute - 1*time.Microsecond), nil},
		{now.Add(time.Minute), []int{9}},
		{d.ContributeBy().Add(-time.Microsecond), []int{9}},
		{d.ContributeBy(), []int{9, 7, 8}},
	} {
		got := due(c.at)
		if len(got) != len(c.want) || slices.ContainsFunc(c.want, func(i int) bool { return !slices.Contains(got, taskOf(d, i)) }) || len(got) > 0 && got[0] != taskOf(d, 9) {
			t.Errorf("at %v: %v, want %v", c.at, got, c.want)
		}
	}
	follow(t, s, blockAt(12, 0), nil, taskOf(d, 8), taskOf(d, 10), pool.Hash{0xaa})
	if got := due(now.Add(time.Hour * 24)); len(got) != 4 || got[0] != taskOf(d, 8) && got[0] != taskOf(d, 10) {
		t.Errorf("%v", got)
	}
	// A view from before what happened does not do.
	see(t, s, headAt(11, 0), pool.Task{ID: taskOf(d, 8), Status: pool.TaskActive})
	if got := due(now); !slices.Contains(got, taskOf(d, 8)) {
		t.Error("what was touched behind the view is not looked at again")
	}
	see(t, s, headAt(12, 0), pool.Task{ID: taskOf(d, 8), Status: pool.TaskActive})
	if got := due(now); slices.Contains(got, taskOf(d, 8)) {
		t.Error("it is looked at for ever")
	}
	see(t, s, pool.Head{Block: pool.Block{Number: 13, Time: d.ContributeBy()}}, pool.Task{ID: taskOf(d, 8), Status: pool.TaskActive})
	for _, deadline := range []time.Time{d.Start.Add(pool.VouchFor * d.T), d.FinalBy()} {
		if got := due(deadline.Add(-time.Microsecond)); slices.Contains(got, taskOf(d, 8)) {
			t.Error("between its deadlines nothing happens by itself")
		}
		if got := due(deadline); !slices.Contains(got, taskOf(d, 8)) {
			t.Errorf("%v is not a reason to look", deadline)
		}
		if deadline.Before(d.FinalBy()) {
			see(t, s, pool.Head{Block: pool.Block{Number: 14, Time: deadline}}, pool.Task{ID: taskOf(d, 8), Status: pool.TaskActive})
		}
	}
	if got := due(d.FinalBy()); !slices.Contains(got, taskOf(d, 8)) {
		t.Error("the final deadline is not a reason to look")
	}
}

// What has ended is final when the block at which that was first seen is.
func TestFinish(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	d := dealOf(1, 2, 1)
	works := dealt(t, s, d)
	completed := pool.Task{ID: taskOf(d, 7), Status: pool.TaskCompleted, Consensus: pool.Hash{1}, Digest: truth, Reveals: 1, Winners: 1}
	failed := pool.Task{ID: taskOf(d, 8), Status: pool.TaskFailed}
	see(t, s, headAt(20, 10), completed, failed)
	if lives := must(s.Finish(background, nil, headAt(29, 19), 9, trace, look))(t); len(lives) != 0 {
		t.Errorf("%d tasks are final too early", len(lives))
	}
	see(t, s, headAt(25, 15), completed) // a later look does not put it off
	if got := stored(t, s, works[0]); got.Block != 20 || got.Final {
		t.Errorf("%+v", got)
	}
	lives := must(s.Finish(background, nil, headAt(30, 20), 1, trace, look))(t)
	if len(lives) != 1 || s.Count(t, "SELECT COUNT(*) FROM deal WHERE state = 'settled'") != 0 {
		t.Errorf("%+v", lives)
	}
	must(s.Finish(background, nil, headAt(30, 20), 1, trace, look))(t)
	a, b := must2(s.Work(background, 0, works[0]))(t), must2(s.Work(background, 0, works[1]))(t)
	if a.State != pool.Done || a.Digest != truth || b.State != pool.Failed || s.Count(t, "SELECT COUNT(*) FROM deal WHERE state = 'settled'") != 1 {
		t.Errorf("%+v\n%+v\n%v", a, b, s.Dump(t, "deal"))
	}
	if n := must(s.Finish(background, nil, headAt(31, 21), 9, trace, look))(t); len(n) != 0 {
		t.Errorf("%d finished twice", len(n))
	}
	// A settled task is past changing, whatever a node says.
	see(t, s, headAt(40, 30), pool.Task{ID: taskOf(d, 7), Status: pool.TaskActive})
	if got := stored(t, s, works[0]); got.Status != pool.TaskCompleted || !got.Final {
		t.Errorf("%+v", got)
	}
	storetest.Check(t, s)
}

// After a reorganisation the end is as old as the next look at it.
func TestFinishAfterReorganisation(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	d := dealOf(1, 1, 1)
	work := dealt(t, s, d)[0]
	completed := pool.Task{ID: taskOf(d, 7), Status: pool.TaskCompleted, Digest: truth}
	see(t, s, headAt(20, 0), completed)
	follow(t, s, blockAt(22, 0), nil)
	if err := s.Unwind(background, nil, blockAt(22, 0), blockAt(10, 0)); err != nil {
		t.Fatal(err)
	}
	if lives := must(s.Finish(background, nil, headAt(50, 40), 9, trace, look))(t); len(lives) != 0 {
		t.Error("final though a reorganisation may have taken it")
	}
	see(t, s, headAt(25, 10), completed)
	if got := stored(t, s, work); got.Block != 25 || got.Final {
		t.Errorf("%+v", got)
	}
}

// must2 is must for what gives something beside.
func must2[V, W any](v V, _ W, err error) func(*testing.T) V { return must(v, err) }

// What is compared is what the books have; the oldest come first.
func TestCompare(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	d := dealOf(1, 3, 1)
	works := dealt(t, s, d)
	for i, n := range []uint64{12, 9, 10} {
		see(t, s, headAt(n, 0), pool.Task{ID: taskOf(d, 7+i), Status: pool.TaskActive, Contributions: []pool.Contribution{contributed(byte(i), 1, pool.Contributed, 2)}})
	}
	if got := must(s.Oldest(background, 2))(t); !slices.Equal(got, []pool.WorkID{works[1], works[2]}) {
		t.Errorf("%v of %v", got, works)
	}
	if got := must(s.OpenTasks(background, works[0], 9))(t); !slices.Equal(got, works[1:]) {
		t.Errorf("%v of %v", got, works)
	}
	s.Exec(t, "INSERT INTO authorisation (work_id, worker_id, wallet, signature, made_at) VALUES (?, 1, ?, REPEAT('x', 65), UTC_TIMESTAMP(6))", int64(works[1]), append([]byte{5}, make([]byte, 19)...))
	follow(t, s, blockAt(20, 0), nil, taskOf(d, 9))
	got := must(s.Compare(background, works[1:]))(t)
	if len(got) != 2 || got[0].Stale || !got[1].Stale || got[0].Deal != d.ID || got[0].Task.Status != pool.TaskActive || len(got[0].Task.Contributions) != 1 ||
		!slices.Equal(got[0].Vouched, []pool.Address{{5}}) {
		t.Errorf("%+v", got)
	}
	if strangers := must(s.Strangers(background, []pool.Hash{d.ID, {0x77}}))(t); !slices.Equal(strangers, []pool.Hash{{0x77}}) {
		t.Errorf("%v", strangers)
	}
	census := must(s.ChainCensus(background))(t)
	if census.Tasks != 3 || census.Stake != 900 || !census.Before.IsZero() || !must(s.Busy(background))(t) {
		t.Errorf("%+v", census)
	}
}
