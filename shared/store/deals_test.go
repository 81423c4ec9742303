package store_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"workerpool/shared/pool"
	"workerpool/shared/store/storetest"
)

// The chain of these tests: its clock is far from the database's.
var (
	genesis = time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC)
	owner   = pool.Address{0x0a}
)

const span = 5 * time.Minute // T

func blockAt(n uint64, fork byte) pool.Block {
	return pool.Block{Number: n, Hash: pool.Hash{byte(n), byte(n >> 8), fork, 0xb1}, Time: genesis.Add(time.Duration(n) * time.Second)}
}

func headAt(n, finalized uint64) pool.Head {
	return pool.Head{Block: blockAt(n, 0), Finalized: finalized}
}

func dealOf(id byte, tasks, trust int) pool.Deal {
	return pool.Deal{
		ID: pool.Hash{id, 0xdd}, Block: 5, Start: blockAt(5, 0).Time, First: 7, Tasks: tasks, T: span, Trust: trust, Owner: owner,
		Requester: pool.Address{0x0b, id}, Beneficiary: pool.Address{0x0c}, Price: 1_000, Stake: 300, AppType: "PROCESS", Image: storetest.Program, Params: `{"iexec_args":"x"}`,
	}
}

func taskOf(d pool.Deal, index int) pool.Hash { return storetest.TaskID(d.ID, index) }

// planOf makes works of a part of a deal as reconcile does.
func planOf(refused string) func(pool.DealPart) (pool.Intake, error) {
	return func(p pool.DealPart) (pool.Intake, error) {
		batch := storetest.NewBatch(0, p.Tasks, p.Deal.Trust)
		batch.Demands.RunLimit, batch.Demands.Wallet = p.Deal.T, true
		in := pool.Intake{Batch: batch, Wanted: storetest.Wanted(p.Deal.Trust), Refused: refused}
		for i := range p.Tasks {
			in.Tasks = append(in.Tasks, taskOf(p.Deal, p.First+i))
		}
		return in, nil
	}
}

// follow brings the cursor from where it is to a block, with deals and touched tasks.
func follow(t *testing.T, s *storetest.Books, to pool.Block, deals []pool.Deal, touched ...pool.Hash) {
	t.Helper()
	from := must(s.Cursor(background))(t)
	if err := s.Followed(background, nil, pool.Followed{From: from, To: to, Clock: to.Time, Deals: deals, Touched: touched}); err != nil {
		t.Fatal(err)
	}
}

// takeAll takes in what there is.
func takeAll(t *testing.T, s *storetest.Books) (taken int) {
	t.Helper()
	for {
		n := must(s.TakeIn(background, nil, 1_000, trace, planOf("")))(t)
		if n == 0 {
			return taken
		}
		taken += n
	}
}

// dealt follows a deal and takes it in, and gives its works.
func dealt(t *testing.T, s *storetest.Books, d pool.Deal) []pool.WorkID {
	t.Helper()
	follow(t, s, blockAt(d.Block, 0), []pool.Deal{d})
	takeAll(t, s)
	works := make([]pool.WorkID, d.Tasks)
	for i := range works {
		id := taskOf(d, d.First+i)
		works[i] = pool.WorkID(s.Count(t, "SELECT work_id FROM task WHERE task_id = ?", id[:]))
	}
	return works
}

func TestFollowed(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	if c := must(s.Cursor(background))(t); !c.Hash.IsZero() {
		t.Fatalf("%+v", c)
	}
	d := dealOf(1, 2, 3)
	follow(t, s, blockAt(9, 0), []pool.Deal{d, dealOf(2, 1, 0)}, pool.Hash{0xff})
	if c := must(s.Cursor(background))(t); c.Number != 9 || c.Hash != blockAt(9, 0).Hash {
		t.Errorf("%+v", c)
	}
	a := must(s.AccountByLogin(background, d.Requester.String()))(t)
	if a.Role != pool.RoleRequester || a.PasswordHash != "" || strings.ToLower(a.Login) != a.Login {
		t.Errorf("%+v", a)
	}
	// Again from where it was: another was faster.
	wantKind(t, s.Followed(background, nil, pool.Followed{To: blockAt(9, 0), Clock: genesis, Deals: []pool.Deal{d}}), pool.Conflict)
	wantKind(t, s.Followed(background, nil, pool.Followed{From: blockAt(9, 1), To: blockAt(10, 0), Clock: genesis}), pool.Conflict)
	// The same deal once more is the same deal, also in a later block.
	d.Block = 8
	follow(t, s, blockAt(10, 0), []pool.Deal{d, d})
	if s.Count(t, "SELECT COUNT(*) FROM deal") != 2 || s.Count(t, "SELECT COUNT(*) FROM account") != 2 || s.Count(t, "SELECT block FROM deal WHERE id = 1") != 8 {
		t.Errorf("%v", s.Dump(t, "deal"))
	}
	// An operator with such a login stays one.
	op := s.AddAccount(t, dealOf(3, 1, 0).Requester.String(), pool.RoleOperator, false)
	follow(t, s, blockAt(11, 0), []pool.Deal{dealOf(3, 1, 0)})
	if s.Count(t, "SELECT COUNT(*) FROM account WHERE id = ? AND role = 'operator'", int64(op)) != 1 {
		t.Error("the role of an account was changed")
	}
}

// What a deal says comes back as it was.
func TestDealComesBack(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	d := dealOf(1, 3, pool.MaxTrust+1)
	d.App, d.Dataset, d.Callback, d.Tag = pool.Address{1}, pool.Address{2}, pool.Address{3}, pool.Hash{31: 9}
	d.DatasetAt, d.DatasetSum = "/ipfs/x", pool.Digest{5}
	d.Params, d.Image = "<&>\"\\ \x01 ü", "docker.io/a/b:1"
	follow(t, s, blockAt(5, 0), []pool.Deal{d})
	failed := errors.New("enough")
	_, err := s.TakeIn(background, nil, 2, trace, func(p pool.DealPart) (pool.Intake, error) {
		p.Deal.Start = p.Deal.Start.UTC()
		if p.Deal != d || p.First != 7 || p.Tasks != 2 {
			t.Errorf("\n%+v, want\n%+v", p, d)
		}
		return pool.Intake{}, failed
	})
	if !errors.Is(err, failed) {
		t.Error(err)
	}
}

// A deal of ten thousand tasks is taken in a thousand at a time, by two at once who
// die in between, and each task becomes one work.
func TestTakeInLarge(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	d := dealOf(1, 10_000, 1)
	follow(t, s, blockAt(5, 0), []pool.Deal{d, dealOf(2, 3, 3)})
	errs := make([]error, 2)
	together(2, func(i int) {
		for {
			n, err := s.TakeIn(background, nil, 1_000, trace, planOf(""))
			if n == 0 && pool.KindOf(err) != pool.Conflict {
				errs[i] = err
				return
			}
		}
	})
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string]int{
		"SELECT COUNT(*) FROM batch WHERE origin = 'deal'":                                                       11,
		"SELECT COUNT(*) FROM work WHERE state = 'waiting'":                                                      10_003,
		"SELECT COUNT(DISTINCT task_index) FROM task WHERE deal = 1":                                             10_000,
		"SELECT MIN(task_index) FROM task WHERE deal = 1":                                                        7,
		"SELECT COUNT(*) FROM deal WHERE state = 'open' AND taken = tasks":                                       2,
		"SELECT COUNT(*) FROM ready":                                                                             10_003,
		"SELECT COUNT(DISTINCT b.requester) FROM batch b":                                                        2,
		"SELECT COUNT(*) FROM batch b WHERE b.run_limit_s <> 300":                                                0,
		"SELECT COUNT(*) FROM work WHERE open_until < '9000-01-01'":                                              0, // the chain ends it
		"SELECT COUNT(DISTINCT r.queue_rank) FROM ready r JOIN task k ON k.work_id = r.work_id WHERE k.deal = 1": 10_000,
	} {
		if got := s.Count(t, query); got != want {
			t.Errorf("%s: %d, want %d", query, got, want)
		}
	}
	index, work := 0, int64(0)
	for _, i := range []int{0, 999, 1_000, 9_999} {
		id := taskOf(d, 7+i)
		if err := s.SQL.QueryRow("SELECT task_index, work_id FROM task WHERE task_id = ?", id[:]).Scan(&index, &work); err != nil || index != 7+i {
			t.Errorf("task %d: %d of work %d, %v", i, index, work, err)
		}
	}
	w, _, err := s.Work(background, 0, pool.WorkID(work))
	if err != nil || !w.Deadline.Equal(d.FinalBy()) || w.Origin != pool.OriginDeal || !w.ContributeBy().Equal(d.ContributeBy()) {
		t.Errorf("%+v, %v", w, err)
	}
	storetest.Check(t, s)
}

// The clocks of requesters move by deals as they do by submissions: the works of a
// large deal do not stand before those of a small one.
func TestDealsAreFair(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	large, small := dealOf(1, 2_500, 1), dealOf(2, 1, 1)
	small.Start = small.Start.Add(time.Hour) // taken in last
	follow(t, s, blockAt(5, 0), []pool.Deal{large, small})
	takeAll(t, s)
	if n := s.Count(t, "SELECT COUNT(*) FROM ready WHERE queue_rank < (SELECT r.queue_rank FROM ready r JOIN task k ON k.work_id = r.work_id WHERE k.deal = 2)"); n > 1 {
		t.Errorf("%d works of a large deal go first", n)
	}
	if clock := s.Count(t, "SELECT clock - (SELECT virtual_time FROM pool_state) FROM requester ORDER BY clock DESC LIMIT 1"); clock < 2_500*300_000-1 {
		t.Errorf("the clock moved by %d ms of slot time", clock)
	}
}

// A deal that cannot be served has ended works with the reason, which wait for the
// chain to let them be claimed and for nobody else.
func TestRefusedDeal(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	d := dealOf(1, 3, 3)
	follow(t, s, blockAt(5, 0), []pool.Deal{d})
	reason := strings.Repeat("ü", 600)
	if n := must(s.TakeIn(background, nil, 1_000, trace, planOf(reason)))(t); n != 3 {
		t.Fatalf("%d", n)
	}
	works := must(s.Works(background, pool.WorkFilter{Limit: 9}))(t)
	for _, w := range works {
		if w.State != pool.Failed || !strings.Contains(w.Reason, "üü") || w.Ended.IsZero() {
			t.Errorf("%+v", w)
		}
	}
	if len(works) != 3 || s.Count(t, "SELECT COUNT(*) FROM ready") != 0 || s.Count(t, "SELECT COUNT(*) FROM deal WHERE state = 'open' AND CHAR_LENGTH(reason) = 500") != 1 {
		t.Errorf("%v, %v", works, s.Dump(t, "deal"))
	}
	if clock := s.Count(t, "SELECT clock FROM requester"); clock != 0 {
		t.Errorf("a refused deal moved the clock to %d", clock)
	}
	head := pool.Block{Number: 99, Hash: pool.Hash{9}, Time: d.FinalBy()}
	if claims := must(s.ToSettle(background, head))(t); len(claims) != 3 {
		t.Errorf("%v are to be settled after the deadline", claims)
	}
	storetest.Check(t, s)
}

// A start that moved moves the deadlines, and every task is looked at again.
func TestMovedStart(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	d, still := dealOf(1, 3, 3), dealOf(2, 1, 1)
	works := dealt(t, s, d)
	dealtStill := func() { follow(t, s, blockAt(6, 0), []pool.Deal{still}); takeAll(t, s) }
	dealtStill()
	seeAll(t, s, headAt(7, 0), d, still)
	if due := must(s.Due(background, blockAt(8, 0), 9))(t); len(due) != 0 {
		t.Fatalf("%d tasks are due", len(due))
	}
	d.Start, d.Block = d.Start.Add(11*time.Second), 9
	follow(t, s, blockAt(9, 0), []pool.Deal{d, still})
	if due := must(s.Due(background, blockAt(9, 0), 9))(t); len(due) != 3 {
		t.Errorf("%d tasks are due", len(due))
	}
	w, _, err := s.Work(background, 0, works[0])
	if err != nil || !w.Deadline.Equal(d.FinalBy()) {
		t.Errorf("%v, want %v, %v", w.Deadline, d.FinalBy(), err)
	}
	if n := s.Count(t, "SELECT COUNT(*) FROM batch WHERE deadline = ?", still.FinalBy()); n != 1 {
		t.Error("another deal's deadline has moved")
	}
}

// A reorganisation makes deals unsure and tasks due. What the chain shows again
// goes on; what is gone ends with a reason, and may come back as something new.
func TestUnwindGoneAndBack(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	early, late := dealOf(1, 2, 1), dealOf(2, 3, 1)
	late.Block = 20
	dealt(t, s, early)
	old := dealt(t, s, late)
	seeAll(t, s, headAt(21, 0), early, late)
	follow(t, s, blockAt(22, 0), nil)
	wantKind(t, s.Unwind(background, nil, blockAt(22, 1), blockAt(12, 0)), pool.Conflict)
	if err := s.Unwind(background, nil, blockAt(22, 0), blockAt(12, 0)); err != nil {
		t.Fatal(err)
	}
	unsure := must(s.Unsure(background, 9))(t)
	if len(unsure) != 1 || unsure[0].ID != late.ID || unsure[0].Block != 20 {
		t.Fatalf("%+v", unsure)
	}
	if due := must(s.Due(background, blockAt(12, 0), 9))(t); len(due) != 2 {
		t.Errorf("%d tasks are due; those of a deal that is not there are not asked for", len(due))
	}
	if n := must(s.Forget(background, nil, 9, trace, cancel))(t); n != 0 {
		t.Errorf("%d works of a deal that may come back were forgotten", n)
	}
	if err := s.Gone(background, nil, []pool.Hash{early.ID, late.ID}); err != nil {
		t.Fatal(err)
	}
	// While its works are not forgotten yet it cannot begin anew.
	late.Block = 30
	follow(t, s, blockAt(30, 1), []pool.Deal{late})
	if n := must(s.TakeIn(background, nil, 9, trace, planOf("")))(t); n != 0 {
		t.Errorf("%d tasks were taken in twice", n)
	}
	for range 2 {
		must(s.Forget(background, nil, 2, trace, cancel))(t)
	}
	for _, id := range old {
		if w, _, err := s.Work(background, 0, id); err != nil || w.State != pool.Cancelled {
			t.Errorf("%+v, %v", w, err)
		}
	}
	if n := s.Count(t, "SELECT COUNT(*) FROM task WHERE deal = 2"); n != 0 {
		t.Errorf("%d tasks are left", n)
	}
	storetest.Check(t, s)
	follow(t, s, blockAt(31, 1), nil)
	if n := takeAll(t, s); n != 3 {
		t.Errorf("%d tasks were taken in", n)
	}
	if n := s.Count(t, "SELECT COUNT(*) FROM work WHERE state = 'waiting'"); n != 5 {
		t.Errorf("%d works wait", n)
	}
	storetest.Check(t, s)
}

// Whoever lost the lease stores nothing.
func TestFence(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	d := dealOf(1, 2, 1)
	dealt(t, s, d)
	lost := must(s.TakeReconcileLease(background))(t)
	if must(s.TakeReconcileLease(background))(t) != nil || must(s.TakeLease(background))(t) == nil {
		t.Fatal("each lease has one holder, and they are two")
	}
	s.Exec(t, "UPDATE lease SET until = UTC_TIMESTAMP(6)")
	must(s.TakeReconcileLease(background))(t)
	cursor := must(s.Cursor(background))(t)
	tables := []string{"deal", "task", "action", "broadcast", "chain_cursor", "work", "batch", "lease"}
	before := ""
	for _, table := range tables {
		before += fmt.Sprint(s.Dump(t, table))
	}
	for name, do := range map[string]func() error{
		"Followed": func() error {
			return s.Followed(background, lost, pool.Followed{From: cursor, To: blockAt(9, 0), Clock: genesis, Deals: []pool.Deal{dealOf(2, 1, 1)}})
		},
		"Unwind": func() error { return s.Unwind(background, lost, cursor, blockAt(1, 0)) },
		"Gone":   func() error { return s.Gone(background, lost, []pool.Hash{d.ID}) },
		"TakeIn": func() error {
			s.Exec(t, "UPDATE deal SET state = 'new', taken = 1")
			defer s.Exec(t, "UPDATE deal SET state = 'open', taken = 2")
			_, err := s.TakeIn(background, lost, 9, trace, planOf(""))
			return err
		},
		"SettleTasks": func() error {
			_, err := s.SettleTasks(background, lost, []pool.Task{{ID: taskOf(d, 7), Block: 9, Status: pool.TaskActive}}, headAt(9, 0), trace, look)
			return err
		},
		"Recall": func() error { return s.Recall(background, lost, owner, 0) },
		"Sign": func() error {
			return s.Sign(background, lost, pool.Broadcast{Wallet: owner, Attempt: 1, Hash: pool.Hash{1}, Raw: []byte{1}}, nil, trace)
		},
		"Settled": func() error { return s.Settled(background, lost, 1, pool.Mined, pool.Receipt{}, trace) },
		"Decided": func() error { return s.Decided(background, lost, want(pool.Initialize, 1, worksOf(t, s, d)...), trace) },
	} {
		if err := do(); pool.KindOf(err) != pool.Conflict || !strings.Contains(err.Error(), "lease") {
			t.Errorf("%s: %v", name, err)
		}
	}
	after := ""
	for _, table := range tables {
		after += fmt.Sprint(s.Dump(t, table))
	}
	if before != after {
		t.Errorf("something was stored:\n%s\n%s", before, after)
	}
}
