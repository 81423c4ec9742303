package store_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"workerpool/shared/pool"
	"workerpool/shared/store/storetest"
)

func TestRegisterAgain(t *testing.T) {
	t.Parallel()
	s := storetest.New(t, storetest.Conns(16))
	p := join(t, s, 0, 0)
	other := s.AddAccount(t, "other", pool.RoleWorker, false)
	n := pool.NewWorker{Account: p.owner, Name: `n'"\☂`, Key: pool.Digest{1}, Slots: 2, Capabilities: pool.Capabilities{OS: "linux"}}
	id := must(s.Register(background, n, trace))(t)
	h := must(s.Hear(background, p.owner, id))(t)
	if h.Worker.Live(h.Now) || h.Worker.Slots != 2 || h.Worker.State != pool.Active || h.Worker.Capabilities.OS != "linux" {
		t.Errorf("%+v at %v", h.Worker, h.Now)
	}
	if err := s.Renew(background, pool.Renewal{Worker: id, Lease: time.Hour, Interval: time.Second}); err != nil {
		t.Fatal(err)
	}
	n.Slots, n.Capabilities.OS = 5, "darwin"
	if again := must(s.Register(background, n, trace))(t); again != id {
		t.Errorf("worker %d, then %d", id, again)
	}
	h = must(s.Hear(background, p.owner, id))(t)
	if h.Worker.Slots != 5 || h.Worker.Capabilities.OS != "darwin" || !h.Worker.Live(h.Now) {
		t.Errorf("%+v at %v", h.Worker, h.Now)
	}
	before := p.everything(t)
	thief := n
	thief.Key, thief.Slots, thief.Capabilities.OS = pool.Digest{2}, 9, "plan9"
	_, err := s.Register(background, thief, trace)
	wantKind(t, err, pool.Conflict)
	if diff := cmp.Diff(before, p.everything(t)); diff != "" {
		t.Error(diff)
	}
	thief.Account = other
	if theirs := must(s.Register(background, thief, trace))(t); theirs == id {
		t.Error("a name of one account gave another's worker")
	}
	for _, stored := range [][]byte{n.Key[:], thief.Key[:]} {
		if s.Count(t, "SELECT COUNT(*) FROM worker WHERE key_hash = ?", stored) != 0 {
			t.Error("a worker's secret is stored as it is")
		}
	}
	n.Name = "at once"
	ids, errs := make([]pool.WorkerID, 40), make([]error, 40)
	together(len(ids), func(i int) { ids[i], errs[i] = s.Register(background, n, trace) })
	for i := range ids {
		if errs[i] != nil || ids[i] != ids[0] {
			t.Errorf("%d, %v; first %d", ids[i], errs[i], ids[0])
		}
	}
}

func TestHearIsForItsAccount(t *testing.T) {
	t.Parallel()
	p := newParty(t, 1, 3)
	other := p.AddAccount(t, "other", pool.RoleWorker, false)
	for _, c := range []struct {
		account pool.AccountID
		worker  pool.WorkerID
	}{{other, p.workers[0]}, {p.owner, p.workers[0] + 1}, {0, p.workers[0]}} {
		_, err := p.Hear(background, c.account, c.worker)
		wantKind(t, err, pool.NotFound)
	}
	p.Exec(t, "UPDATE account SET disabled = TRUE")
	_, err := p.Hear(background, p.owner, p.workers[0])
	wantKind(t, err, pool.Forbidden)
}

func TestHearTellsAll(t *testing.T) {
	t.Parallel()
	p := newParty(t, 2, 3)
	ids := p.works(t, 2, 1)
	hostile := storetest.NewBatch(p.requester, 3, 1)
	hostile.Demands.App.Name, hostile.Demands.MemoryMB = "nobody", 7
	p.AddBatch(t, hostile)
	h := must(p.Hear(background, p.owner, p.workers[0]))(t)
	memory := map[string]int64{}
	for _, d := range h.Ready {
		memory[d.App.Name] = d.MemoryMB
	}
	if want := map[string]int64{storetest.Program: 0, "nobody": 7}; !cmp.Equal(memory, want) || len(h.Ready) != 2 || len(h.Rows) != 0 {
		t.Errorf("%+v", h)
	}
	dispatch(t, p.Books)
	a := p.turns(t, ids[0])[0]
	h = must(p.Hear(background, p.owner, a.Worker))(t)
	if len(h.Ready) != 1 || h.Worker.Open != len(h.Rows) || h.Worker.Open == 0 || !cmp.Equal(h.Rows[0], a) {
		t.Errorf("%+v", h)
	}
	if got := h.Specs[ids[0]]; len(h.Specs) != len(h.Rows) || got.Spec.App.Name != storetest.Program || got.RunLimit != time.Minute {
		t.Errorf("%+v", h.Specs)
	}
	// Agreed upon, and then the bytes are lost: the digest is kept.
	p.bring(t, a, truth)
	h = must(p.Hear(background, p.owner, a.Worker))(t)
	if len(h.Kept) != 0 || h.Rows[0].State != pool.Uploading || h.Rows[0].Digest != truth || h.Worker.Open != len(h.Rows)-1 {
		t.Errorf("%+v", h)
	}
	// Another had agreed: one alone would bind nobody.
	other := p.workers[0] + p.workers[1] - a.Worker
	p.Exec(t, `INSERT INTO assignment (worker_id, work_id, owner, attempt, state, started, digest, size)
		SELECT ?, work_id, CONCAT('worker:', ?), 1, 'closed', TRUE, digest, size FROM assignment WHERE state = 'uploading'`, int64(other), int64(other))
	p.Exec(t, "UPDATE assignment SET start_by = UTC_TIMESTAMP(6) WHERE state = 'uploading'")
	must(p.Settle(background, ids[:1], nil, trace, expire))(t)
	h = must(p.Hear(background, p.owner, a.Worker))(t)
	if h.Kept[ids[0]] != truth || len(h.Kept) != 1 {
		t.Errorf("%+v", h)
	}
	storetest.Check(t, p.Books)
}

func TestWorkerStateIsItsAccounts(t *testing.T) {
	t.Parallel()
	p := newParty(t, 1, 1)
	w := p.workers[0]
	other := p.AddAccount(t, "other", pool.RoleWorker, false)
	before := p.everything(t)
	for _, c := range []struct {
		account pool.AccountID
		worker  pool.WorkerID
	}{{other, w}, {p.owner, w}, {p.owner, w + 1}, {0, w + 1}} { // the shared account owns none of its workers
		wantKind(t, p.SetWorkerState(background, c.account, c.worker, pool.Draining, trace), pool.NotFound)
	}
	if diff := cmp.Diff(before, p.everything(t)); diff != "" {
		t.Errorf("what was refused left a trace: %s", diff)
	}
	for _, account := range []pool.AccountID{0, 0} { // draining twice is draining
		if err := p.SetWorkerState(background, account, w, pool.Draining, trace); err != nil {
			t.Fatal(err)
		}
	}
	p.works(t, 1, 1)
	if pass := dispatch(t, p.Books); pass.Offers != 0 {
		t.Errorf("a draining worker got %+v", pass)
	}
	if err := p.SetWorkerState(background, 0, w, pool.Active, trace); err != nil {
		t.Fatal(err)
	}
	if pass := dispatch(t, p.Books); pass.Offers != 1 {
		t.Errorf("an active worker got %+v", pass)
	}
	if n := p.Count(t, "SELECT COUNT(*) FROM event WHERE kind = 'worker.draining' AND worker_id = ? AND account_id = ? AND request_id = ?", int64(w), int64(trace.Account), trace.RequestID); n != 1 {
		t.Errorf("noted %d times", n)
	}
}

// TestWorkersAndCensus compares what is told with what is counted here, before
// and after the past was archived.
func TestWorkersAndCensus(t *testing.T) {
	t.Parallel()
	p := newParty(t, 5, 4)
	other := p.AddAccount(t, "other", pool.RoleWorker, false)
	p.workers = append(p.workers, p.AddWorker(t, other, 2))
	lost, draining := p.AddWorker(t, other, 50), p.AddWorker(t, other, 60)
	p.Exec(t, "UPDATE beat SET until = UTC_TIMESTAMP(6) WHERE worker_id = ?", int64(lost))
	if err := p.SetWorkerState(background, 0, draining, pool.Draining, trace); err != nil {
		t.Fatal(err)
	}
	ids := p.works(t, 6, 3)
	dispatch(t, p.Books)
	liar := p.turns(t, ids[0])[0].Worker
	for i, id := range ids {
		for _, a := range p.open(t, id) {
			switch {
			case i == 5:
			case i == 4:
				p.Report(t, a.Worker, pool.Report{Work: id, Attempt: 1, Says: pool.SaysFailed, Reason: "no"})
			case i == 3:
				p.Exec(t, "UPDATE assignment SET start_by = UTC_TIMESTAMP(6) WHERE work_id = ?", int64(id))
				must(p.Settle(background, []pool.WorkID{id}, nil, trace, expire))(t)
			case a.Worker == liar:
				p.bring(t, a, lie)
			default:
				p.bring(t, a, truth)
			}
		}
	}
	dispatch(t, p.Books)
	for _, id := range ids[:3] {
		for _, a := range p.open(t, id) {
			p.bring(t, a, truth)
		}
	}
	must(p.Settle(background, ids[3:5], nil, trace, cancel))(t)
	for _, id := range ids[:3] {
		p.settled(t, id)
	}
	p.compare(t, other)
	moves := 0
	for must(p.Archive(background, 1))(t) > 0 {
		moves++
		p.compare(t, other)
		storetest.Check(t, p.Books)
	}
	if moves != 5 {
		t.Errorf("%d works were archived", moves)
	}
}

// settled brings the bytes of a work that was agreed upon, if it was.
func (p *party) settled(t *testing.T, id pool.WorkID) {
	t.Helper()
	for _, a := range p.turns(t, id) {
		if a.State == pool.Uploading {
			p.Report(t, a.Worker, pool.Report{Work: id, Attempt: a.Attempt, Says: pool.SaysUploaded, Digest: a.Digest, Size: a.Size})
		}
	}
}

func (p *party) compare(t *testing.T, other pool.AccountID) {
	t.Helper()
	works := must(p.Works(background, pool.WorkFilter{Limit: 100}))(t)
	want := map[pool.WorkerID]pool.WorkerRecord{}
	census := pool.Census{State: pool.PoolActive, Works: map[pool.WorkState]int{}}
	for _, w := range works {
		if !w.State.Ended() {
			census.Works[w.State]++
		}
		for _, a := range p.turns(t, w.ID) {
			r := want[a.Worker]
			if a.State.Open() {
				r.Open++
				census.Open++
			}
			if !a.Digest.IsZero() && !w.Digest.IsZero() {
				if a.Digest == w.Digest {
					r.Agreed++
				} else {
					r.Disagreed++
				}
			}
			if a.State == pool.Broken {
				r.Failed++
			}
			if a.State == pool.Expired {
				r.Lost++
			}
			want[a.Worker] = r
		}
	}
	var all []pool.WorkerRecord
	for after := pool.WorkerID(0); ; {
		page, now, err := p.Workers(background, 0, after, 3)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, r := range page {
			if r.ID <= after {
				t.Fatalf("worker %d comes after %d", r.ID, after)
			}
			after = r.ID
			if r.Live(now) && r.State == pool.Active {
				census.Workers++
				census.Slots += r.Slots
			}
		}
		all = append(all, page...)
	}
	if len(all) != len(p.workers)+2 {
		t.Errorf("%d workers", len(all))
	}
	sum := pool.WorkerRecord{}
	for _, r := range all {
		w := want[r.ID]
		if r.Open != w.Open || r.Agreed != w.Agreed || r.Disagreed != w.Disagreed || r.Failed != w.Failed || r.Lost != w.Lost {
			t.Errorf("worker %d: open %d agreed %d disagreed %d failed %d lost %d, counted %+v", r.ID, r.Open, r.Agreed, r.Disagreed, r.Failed, r.Lost, w)
		}
		sum.Agreed, sum.Disagreed, sum.Failed, sum.Lost = sum.Agreed+r.Agreed, sum.Disagreed+r.Disagreed, sum.Failed+r.Failed, sum.Lost+r.Lost
	}
	if sum.Agreed == 0 || sum.Failed == 0 || sum.Lost == 0 {
		t.Errorf("the test has not what it is to count: %+v", sum)
	}
	mine, _, err := p.Workers(background, other, 0, 10)
	if err != nil || len(mine) != 3 || mine[0].Account != other {
		t.Errorf("%d workers of the account, %v", len(mine), err)
	}
	if got := must(p.Census(background))(t); !cmp.Equal(got, census) {
		t.Errorf("census %+v, counted %+v", got, census)
	}
}
