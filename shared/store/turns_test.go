package store_test

import (
	"testing"

	"workerpool/shared/life"
	"workerpool/shared/pool"
)

// dealing is a party whose workers have wallets.
type dealing struct {
	*party
	wallets map[pool.WorkerID]pool.Address
}

func newDealing(t *testing.T, workers int) *dealing {
	t.Helper()
	d := &dealing{newParty(t, 0, 0), map[pool.WorkerID]pool.Address{}}
	for range workers {
		worker, wallet := d.AddWalletWorker(t, d.owner, 4)
		d.workers, d.wallets[worker] = append(d.workers, worker), wallet
	}
	return d
}

// authorise signs whatever asks for a word, as dispatch does.
func (d *dealing) authorise(t *testing.T) (asked, given int) {
	t.Helper()
	words, err := d.Unauthorised(background, 100)
	if err != nil {
		t.Fatal(err)
	}
	for i := range words {
		words[i].Signature = [65]byte{byte(words[i].Worker), 0x51}
	}
	if given, err = d.Authorise(background, words, pool.Trace{RequestID: "authorise"}); err != nil {
		t.Fatal(err)
	}
	return len(words), given
}

func (d *dealing) runs(t *testing.T, a pool.Assignment) {
	t.Helper()
	d.Report(t, a.Worker, pool.Report{Work: a.Work, Attempt: a.Attempt, Says: pool.SaysRunning})
}

func (d *dealing) hear(t *testing.T, worker pool.WorkerID) pool.Hearing {
	t.Helper()
	return must(d.Hear(background, d.owner, worker))(t)
}

func TestDealTurns(t *testing.T) {
	t.Parallel()
	d := newDealing(t, 3)
	work := d.AddDeal(t, 1, 3)[0]
	task := pool.Hash(must(d.taskID(work))(t))
	dispatch(t, d.Books)
	turns := d.open(t, work)
	if len(turns) != 2 {
		t.Fatalf("%d turns at trust 3", len(turns))
	}
	first, second := turns[0], turns[1]
	turn := d.hear(t, first.Worker).Turns[work]
	if turn.Task != task || turn.Status != pool.TaskUnset || !turn.Takes || turn.Authorisation != nil {
		t.Errorf("%+v", turn)
	}
	d.runs(t, first)
	if asked, _ := d.authorise(t); asked != 0 {
		t.Errorf("%d ask for the word on a task that is not initialized", asked)
	}
	d.See(t, pool.Task{ID: task, Status: pool.TaskActive})
	if asked, given := d.authorise(t); asked != 1 || given != 1 {
		t.Errorf("%d asked, %d given", asked, given)
	}
	if asked, given := d.authorise(t); asked != 0 || given != 0 {
		t.Errorf("again: %d asked, %d given", asked, given)
	}
	turn = d.hear(t, first.Worker).Turns[work]
	if len(turn.Authorisation) != 65 || turn.Authorisation[0] != byte(first.Worker) || turn.Status != pool.TaskActive {
		t.Errorf("%+v", turn)
	}
	if other := d.hear(t, second.Worker).Turns[work]; other.Authorisation != nil {
		t.Error("another worker hears of it")
	}
	contribution := pool.Contribution{Wallet: d.wallets[first.Worker], Status: pool.Contributed, Hash: pool.Hash{0xcc}, Weight: 2}
	lives := d.See(t, pool.Task{ID: task, Status: pool.TaskActive, Contributions: []pool.Contribution{contribution}})
	if got := rowOf(lives[0], first.Worker); got.State != pool.HasContributed || !got.Authorised || got.Wallet != contribution.Wallet {
		t.Errorf("%+v", got)
	}
	turn = d.hear(t, first.Worker).Turns[work]
	if turn.Contribution.Hash != contribution.Hash || turn.Contribution.Status != pool.Contributed {
		t.Errorf("%+v", turn)
	}
	// A work of the API knows nothing of all this.
	api := d.works(t, 1, 1)[0]
	dispatch(t, d.Books)
	for _, worker := range d.workers {
		if _, known := d.hear(t, worker).Turns[api]; known {
			t.Errorf("worker %d hears of a task of an api work", worker)
		}
	}
}

// TestSurplusIsNotAuthorised: a contribution of somebody who was given up leaves
// the one who came in place without the word.
func TestSurplusIsNotAuthorised(t *testing.T) {
	t.Parallel()
	d := newDealing(t, 2)
	work := d.AddDeal(t, 1, 1)[0]
	task := pool.Hash(must(d.taskID(work))(t))
	dispatch(t, d.Books)
	d.runs(t, d.open(t, work)[0])
	d.See(t, pool.Task{ID: task, Status: pool.TaskActive, Contributions: []pool.Contribution{
		{Wallet: pool.Address{0x77}, Status: pool.Contributed, Hash: pool.Hash{1}, Weight: 2},
	}})
	if asked, given := d.authorise(t); asked != 1 || given != 0 {
		t.Errorf("%d asked, %d given", asked, given)
	}
	if n := d.Count(t, "SELECT COUNT(*) FROM authorisation"); n != 0 {
		t.Errorf("%d words in the books", n)
	}
}

func TestWalletsOfWorkers(t *testing.T) {
	t.Parallel()
	p := newParty(t, 0, 0)
	register := func(name string, key byte, wallet pool.Address) (pool.WorkerID, error) {
		return p.Register(background, pool.NewWorker{Account: p.owner, Name: name, Key: pool.Digest{key}, Slots: 1, Wallet: wallet}, pool.Trace{Account: p.owner})
	}
	one, two := pool.Address{1}, pool.Address{2}
	a := must(register("a", 1, pool.Address{}))(t)
	if p.hear(t, a).Worker.Capabilities.Wallet {
		t.Error("a wallet out of nothing")
	}
	if again := must(register("a", 1, one))(t); again != a {
		t.Errorf("%d, then %d", a, again)
	}
	must(register("a", 1, one))(t)
	must(register("a", 1, pool.Address{}))(t) // left out, it stays
	if !p.hear(t, a).Worker.Capabilities.Wallet {
		t.Error("the wallet is not known")
	}
	for name, try := range map[string]func() error{
		"another wallet":   func() error { _, err := register("a", 1, two); return err },
		"another's wallet": func() error { _, err := register("b", 2, one); return err },
		"another key":      func() error { _, err := register("a", 9, one); return err },
	} {
		if err := try(); pool.KindOf(err) != pool.Conflict {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := p.Count(t, "SELECT COUNT(*) FROM worker WHERE name = 'b'"); n != 0 {
		t.Error("who was refused is registered")
	}
}

func (p *party) hear(t *testing.T, worker pool.WorkerID) pool.Hearing {
	t.Helper()
	return must(p.Hear(background, p.owner, worker))(t)
}

func (p *party) taskID(work pool.WorkID) ([]byte, error) {
	var id []byte
	err := p.SQL.QueryRow("SELECT task_id FROM task WHERE work_id = ?", int64(work)).Scan(&id)
	return id, err
}

func rowOf(l life.Life, worker pool.WorkerID) life.Row {
	for _, row := range l.Rows {
		if row.Worker == worker {
			return row
		}
	}
	return life.Row{}
}
