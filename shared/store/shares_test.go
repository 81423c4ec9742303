package store_test

import (
	"slices"
	"testing"
	"time"

	"workerpool/shared/placement"
	"workerpool/shared/pool"
	"workerpool/shared/store/storetest"
)

// queued gives the requesters of the waiting works in the order of the queue, by
// the first letters of their logins.
func (p *party) queued(t *testing.T) string {
	t.Helper()
	rows, err := p.SQL.Query("SELECT LEFT(c.login, 1) FROM ready r JOIN work w ON w.id = r.work_id JOIN account c ON c.id = w.requester ORDER BY r.queue_rank, r.work_id")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	order := ""
	for rows.Next() {
		var letter string
		if err := rows.Scan(&letter); err != nil {
			t.Fatal(err)
		}
		order += letter
	}
	return order
}

func (p *party) submit(t *testing.T, who pool.AccountID, works int, change ...func(*pool.NewBatch)) pool.Batch {
	t.Helper()
	n := storetest.NewBatch(who, works, 0)
	for _, c := range change {
		c(&n)
	}
	batch, err := p.InsertBatch(background, n, storetest.Wanted(n.Trust), placement.Boost(n.Priority))
	if err != nil {
		t.Fatal(err)
	}
	return batch
}

func TestQueueByShares(t *testing.T) {
	t.Parallel()
	p := newParty(t, 1, 9)
	ann, bob, carl := p.AddAccount(t, "ann", pool.RoleRequester, false), p.AddAccount(t, "bob", pool.RoleRequester, false), p.AddAccount(t, "carl", pool.RoleRequester, false)
	p.submit(t, ann, 20)
	p.submit(t, bob, 3)
	if got := p.queued(t)[:6]; got != "ababab" {
		t.Errorf("a large and a small requester: %s", got)
	}
	if pass := dispatch(t, p.Books); pass.Offers != 9 { // six of ann's, three of bob's
		t.Fatalf("%+v", pass)
	}
	// Virtual time went on: whoever comes now begins there, not before.
	p.submit(t, carl, 2)
	if got := p.queued(t)[:5]; got != "acaca" && got != "cacaa" && got != "acacc" && got != "caaca" {
		t.Errorf("a newcomer: %s", got)
	}
	// Twice the weight, twice the share; half as long works, twice as many.
	if err := p.SetShare(background, "carl", pool.Share{Weight: 2}, trace); err != nil {
		t.Fatal(err)
	}
	p.Exec(t, "DELETE FROM ready")
	p.submit(t, ann, 4)
	p.Exec(t, "UPDATE requester SET clock = 0")
	p.Exec(t, "DELETE FROM ready")
	p.submit(t, ann, 6)
	p.submit(t, carl, 6)
	p.submit(t, bob, 6, func(n *pool.NewBatch) { n.Demands.RunLimit /= 4 })
	order := p.queued(t)
	count := map[rune]int{}
	for _, letter := range order[:7] {
		count[letter]++
	}
	if count['a'] != 1 || count['c'] != 2 || count['b'] != 4 {
		t.Errorf("by weight and cost: %s", order)
	}
}

// A requester that had the idle pool for itself owes nothing when it fills up; one
// that gives everything priority is ahead once.
func TestNobodyIsPunished(t *testing.T) {
	t.Parallel()
	p := newParty(t, 1, 250)
	ann, bob := p.AddAccount(t, "ann", pool.RoleRequester, false), p.AddAccount(t, "bob", pool.RoleRequester, false)
	p.submit(t, ann, 240)
	if pass := dispatch(t, p.Books); pass.Offers != 240 {
		t.Fatalf("%+v", pass)
	}
	p.submit(t, bob, 4)
	p.submit(t, ann, 4)
	if got := p.queued(t); countOf(got[:6], 'a') < 2 || countOf(got[:6], 'b') < 2 {
		t.Errorf("after a flood into an idle pool: %s", got)
	}
	high := func(n *pool.NewBatch) { n.Priority = pool.High }
	p.Exec(t, "DELETE FROM ready")
	p.submit(t, bob, 3000)
	p.submit(t, ann, 3000, high)
	order := p.queued(t)
	if ahead := len(order) - len(trimLeft(order, 'a')); ahead < 1400 || ahead > 1450 { // a day of minutes
		t.Errorf("priority puts %d works ahead", ahead)
	}
	if tail := order[2000:2600]; countOf(tail, 'a') < 290 || countOf(tail, 'a') > 310 {
		t.Errorf("and then the share is %d of %d", countOf(tail, 'a'), len(tail))
	}
}

func trimLeft(text string, letter byte) string {
	for text != "" && text[0] == letter {
		text = text[1:]
	}
	return text
}

func countOf(text string, letter rune) (n int) {
	for _, r := range text {
		if r == letter {
			n++
		}
	}
	return n
}

// What was cancelled before it ran is not held against its requester; what ran is.
func TestCancelledFlood(t *testing.T) {
	t.Parallel()
	p := newParty(t, 1, 10)
	ann, bob := p.AddAccount(t, "ann", pool.RoleRequester, false), p.AddAccount(t, "bob", pool.RoleRequester, false)
	flood := p.submit(t, ann, 1000)
	p.submit(t, bob, 10)
	if pass := dispatch(t, p.Books); pass.Offers != 10 {
		t.Fatalf("%+v", pass)
	}
	for i := range 3 {
		id := flood.ID.Work(i)
		p.Report(t, p.workers[0], pool.Report{Work: id, Attempt: 1, Says: pool.SaysRunning})
	}
	for from := 0; from < 1000; from += 500 {
		var ids []pool.WorkID
		for i := range 500 {
			ids = append(ids, flood.ID.Work(from+i))
		}
		for range 2 { // twice cancelled is once
			must(p.Settle(background, ids, nil, trace, cancel))(t)
		}
	}
	cost := p.Count(t, "SELECT cost FROM batch WHERE id = ?", int64(flood.ID))
	behind := p.Count(t, "SELECT (q.clock - b.queue_rank) FROM requester q JOIN batch b ON b.requester = q.account_id WHERE b.id = ?", int64(flood.ID))
	if behind != 3*cost {
		t.Errorf("after three of a thousand ran the clock is %d works on", behind/cost)
	}
	p.submit(t, ann, 5)
	if got := p.queued(t)[:8]; countOf(got, 'a') < 3 {
		t.Errorf("after a cancelled flood: %s", got)
	}
	storetest.Check(t, p.Books)
}

// Works that waited for their inputs come to the queue when these are there.
func TestStagingKeepsNoPlace(t *testing.T) {
	t.Parallel()
	p := newParty(t, 1, 100)
	ann, bob := p.AddAccount(t, "ann", pool.RoleRequester, false), p.AddAccount(t, "bob", pool.RoleRequester, false)
	staged := p.submit(t, ann, 50, func(n *pool.NewBatch) { n.Inputs = []pool.Input{{Digest: truth, Size: 1}} })
	p.submit(t, bob, 200)
	if pass := dispatch(t, p.Books); pass.Offers != 100 {
		t.Fatalf("%+v", pass)
	}
	if missing := must(p.MarkInputs(background, staged.ID, []pool.Digest{truth}, 1, trace))(t); missing != 0 {
		t.Fatal(missing)
	}
	if got := p.queued(t)[:20]; countOf(got, 'a') < 9 || countOf(got, 'a') > 11 {
		t.Errorf("held back, then let go: %s", got)
	}
	storetest.Check(t, p.Books)
}

// A queue of scarce workers is behind the virtual time; whoever joins it goes on
// from its front, but nobody by a work of its own or one that is held back.
func TestJoiningASlowQueue(t *testing.T) {
	t.Parallel()
	p := newParty(t, 1, 200)
	ann, bob, carl := p.AddAccount(t, "ann", pool.RoleRequester, false), p.AddAccount(t, "bob", pool.RoleRequester, false), p.AddAccount(t, "carl", pool.RoleRequester, false)
	odd := func(n *pool.NewBatch) { n.Demands.GPU = 1 }
	p.submit(t, ann, 100, odd)
	p.submit(t, carl, 180)
	if pass := dispatch(t, p.Books); pass.Offers != 180 {
		t.Fatalf("%+v", pass)
	}
	p.submit(t, bob, 3, odd)
	if got := p.queued(t)[:6]; countOf(got, 'b') != 3 {
		t.Errorf("a newcomer to the slow queue: %s", got)
	}
	p.Exec(t, "DELETE FROM ready WHERE work_id IN (SELECT id FROM work WHERE requester <> ?)", int64(ann))
	p.submit(t, ann, 5, odd)
	own := must(p.batchRanks(t))(t)
	if own[len(own)-1] < own[0]+100 {
		t.Errorf("by its own old work a requester goes back in time: %v", own)
	}
}

func (p *party) batchRanks(t *testing.T) ([]int64, error) {
	t.Helper()
	rows, err := p.SQL.Query("SELECT queue_rank FROM batch ORDER BY id")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var ranks []int64
	for rows.Next() {
		var rank int64
		if err := rows.Scan(&rank); err != nil {
			return nil, err
		}
		ranks = append(ranks, rank)
	}
	return ranks, rows.Err()
}

// One requester's submissions at once follow each other: none has the place of
// another.
func TestClockAtOnce(t *testing.T) {
	t.Parallel()
	p := newParty(t, 1, 1, storetest.Conns(8))
	faults := make(chan error, 8)
	for range 8 {
		go func() {
			_, err := p.InsertBatch(background, storetest.NewBatch(p.requester, 10, 0), 1, 0)
			faults <- err
		}()
	}
	for range 8 {
		if err := <-faults; err != nil {
			t.Error(err)
		}
	}
	if n := p.Count(t, "SELECT COUNT(DISTINCT queue_rank) FROM ready"); n != 80 {
		t.Errorf("%d places for 80 works", n)
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	p := newParty(t, 5, 20)
	ann, bob := p.AddAccount(t, "ann", pool.RoleRequester, false), p.AddAccount(t, "bob", pool.RoleRequester, false)
	capped := p.submit(t, ann, 3000, func(n *pool.NewBatch) { n.MaxRunning = 2; n.Priority = pool.High })
	if err := p.SetShare(background, "bob", pool.Share{Weight: 1, MaxRunning: 3}, trace); err != nil {
		t.Fatal(err)
	}
	p.submit(t, bob, 2)
	p.submit(t, bob, 2)
	free := p.submit(t, ann, 4, func(n *pool.NewBatch) { n.Priority = pool.Low })
	offers, passes, bookmark := 0, 0, placement.Bookmark{}
	for ended := false; !ended; passes++ {
		pass := must(p.Dispatch(background, nil, 100, bookmark, 1, trace, decide))(t)
		offers += pass.Offers
		ended = pass.Exhausted
	}
	if offers != 2+3+4 {
		t.Errorf("%d offers", offers)
	}
	if passes > 3 {
		t.Errorf("%d passes: works at a limit are looked at again and again", passes)
	}
	running := func(id pool.BatchID) int {
		return p.Count(t, "SELECT COUNT(DISTINCT work_id) FROM assignment WHERE work_id DIV 16384 = ? AND state IN ('offered', 'running')", int64(id))
	}
	if running(capped.ID) != 2 || running(free.ID) != 4 {
		t.Errorf("%d and %d run", running(capped.ID), running(free.ID))
	}
	must(p.Settle(background, []pool.WorkID{capped.ID.Work(0)}, nil, trace, cancel))(t)
	if pass := dispatch(t, p.Books); pass.Offers != 1 || running(capped.ID) != 2 {
		t.Errorf("after one ended: %+v, %d run", pass, running(capped.ID))
	}
	storetest.Check(t, p.Books)
}

// Two dispatchers that both saw room for one more.
func TestLimitsAtOnce(t *testing.T) {
	t.Parallel()
	for name, limit := range map[string]func(*party, *pool.NewBatch){
		"of a batch": func(_ *party, n *pool.NewBatch) { n.MaxRunning = 1 },
		"of a requester": func(p *party, _ *pool.NewBatch) {
			p.Exec(t, "INSERT INTO requester (account_id, max_running) VALUES (?, 1)", int64(p.requester))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newParty(t, 2, 1)
			p.submit(t, p.requester, 2, func(n *pool.NewBatch) { limit(p, n) })
			looks, offers := 0, 0
			pass := must(p.Dispatch(background, nil, 9, placement.Bookmark{}, 1, trace, func(s placement.Snapshot) placement.Plan {
				if looks++; looks == 1 {
					s2 := s
					offers = must(p.Dispatch(background, nil, 9, placement.Bookmark{}, 1, trace, func(placement.Snapshot) placement.Plan {
						s2.Workers, s2.Classes = s2.Workers[:1], []placement.Class{s2.Classes[0]}
						s2.Classes[0].Ready = s2.Classes[0].Ready[:1]
						return decide(s2)
					}))(t).Offers
					s.Workers, s.Classes = s.Workers[1:], []placement.Class{s.Classes[0]}
					s.Classes[0].Ready = s.Classes[0].Ready[1:]
				}
				return decide(s)
			}))(t)
			if offers != 1 || pass.Offers != 0 || looks != 2 {
				t.Errorf("%d offers, then %+v after %d looks", offers, pass, looks)
			}
			storetest.Check(t, p.Books)
		})
	}
}

// Quotas: a new worker gets one work, each agreed result doubles what it may have,
// each failure and loss halves it.
func TestQuotas(t *testing.T) {
	t.Parallel()
	p := newParty(t, 0, 0)
	id := must(p.Register(background, pool.NewWorker{
		Account: p.owner, Name: "new", Key: truth, Slots: 6, Capabilities: pool.Capabilities{Programs: []string{storetest.Program}},
	}, trace))(t)
	if err := p.Renew(background, pool.Renewal{Worker: id, Lease: time.Hour, Interval: time.Second}); err != nil {
		t.Fatal(err)
	}
	p.works(t, 40, 0)
	quota := func() int { return p.Count(t, "SELECT quota FROM worker WHERE id = ?", int64(id)) }
	held := func() []pool.Assignment {
		h := must(p.Hear(background, p.owner, id))(t)
		return slices.DeleteFunc(h.Rows, func(a pool.Assignment) bool { return !a.State.Open() })
	}
	for i, want := range []int{1, 2, 4, 6, 6} {
		dispatch(t, p.Books)
		rows := held()
		if quota() != want || len(rows) != want {
			t.Fatalf("round %d: quota %d and %d assignments, want %d", i, quota(), len(rows), want)
		}
		r := rows[0]
		p.Report(t, id, pool.Report{Work: r.Work, Attempt: r.Attempt, Says: pool.SaysReported, Digest: truth, Size: 1})
	}
	dispatch(t, p.Books)
	for i, r := range held()[:4] {
		want := max(1, 6>>(i+1))
		if i%2 == 0 {
			p.Report(t, id, pool.Report{Work: r.Work, Attempt: r.Attempt, Says: pool.SaysFailed, Reason: "broken"})
		} else {
			p.Exec(t, "UPDATE assignment SET start_by = UTC_TIMESTAMP(6) WHERE work_id = ?", int64(r.Work))
			must(p.Settle(background, []pool.WorkID{r.Work}, nil, trace, expire))(t)
		}
		if quota() != want {
			t.Errorf("after %d failures the quota is %d, want %d", i+1, quota(), want)
		}
		p.Report(t, id, pool.Report{Work: r.Work, Attempt: r.Attempt, Says: pool.SaysFailed, Reason: "again"})
		if quota() != want {
			t.Errorf("said twice, it counts twice: %d", quota())
		}
	}
	if pass := dispatch(t, p.Books); pass.Offers != 0 {
		t.Errorf("%+v beyond the quota", pass)
	}
	storetest.Check(t, p.Books)
}
