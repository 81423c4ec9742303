//go:build linux

package turns

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"workerpool/cmd/worker/chainside"
	"workerpool/cmd/worker/ledger"
	"workerpool/shared/pool"
	"workerpool/shared/wire"
)

func onChain(d *desk) func(*Config) { return func(c *Config) { c.Chain = d } }

func startDeal(work int64, attempt int, script string) wire.Instruction {
	in := start(work, attempt, script)
	in.Run.Task = &wire.Task{ID: "0xf00d", Deal: "0xdea1", Index: 12}
	in.Run.Env = map[string]string{"IEXEC_BOT_SIZE": "20", "IEXEC_BOT_FIRST_INDEX": "10", "IEXEC_INPUT_FILES_NUMBER": "1", "IEXEC_INPUT_FILE_NAME_1": "x", "IEXEC_DATASET_ADDRESS": "0xda"}
	return in
}

func do(work int64, what, word string) []wire.Instruction {
	return []wire.Instruction{{Work: work, Attempt: 1, Do: what, Authorisation: word}}
}

// rest waits until nothing goes on.
func rest(t *testing.T, k *Keeper) {
	t.Helper()
	for late := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		k.mu.Lock()
		active := k.active
		k.mu.Unlock()
		if active == 0 {
			return
		}
		if time.Now().After(late) {
			t.Fatalf("%d things go on", active)
		}
	}
}

func TestLifeOfADealsWork(t *testing.T) {
	d := newDesk()
	k, b := keep(t, onChain(d))
	k.Obey([]wire.Instruction{startDeal(1, 1, `env >"$IEXEC_OUT/env"; printf 'A result' >"$IEXEC_OUT/result"
		echo '{"deterministic-output-path":"/iexec_out/result"}' >"$IEXEC_OUT/computed.json"; cp "$IEXEC_OUT/env" "$IEXEC_IN/../env"`)})
	until(t, k, 1, "running")
	folder := k.Ledger.Folder(1, 1)
	// Nothing runs before the pool gave its word.
	k.Obey(do(1, wire.DoContinue, ""))
	k.Obey(do(1, wire.DoHold, ""))
	rest(t, k)
	until(t, k, 1, "running")
	k.Obey(do(1, wire.DoContinue, "0xabcd"))
	r := until(t, k, 1, "reported")
	if want := "0xd885f429a59e0816822fc0927be6a6af20ade2c79db49df6c6022f79cb27ac16"; r.Digest != want || r.SHA256 == "" || r.Size == 0 {
		t.Errorf("%+v, want digest %s", r, want)
	}
	if _, err := r.Parse("", 1<<20); err != nil {
		t.Error(err)
	}
	wantZip(t, filepath.Join(folder, "result.zip"), "computed.json env result")
	env, err := os.ReadFile(filepath.Join(folder, "env"))
	for _, want := range []string{
		"IEXEC_TASK_ID=0xf00d\n", "IEXEC_DEAL_ID=0xdea1\n", "IEXEC_TASK_INDEX=12\n", "IEXEC_BOT_TASK_INDEX=12\n", "IEXEC_BOT_SIZE=20\n",
		"IEXEC_BOT_FIRST_INDEX=10\n", "IEXEC_INPUT_FILES_NUMBER=1\n", "IEXEC_INPUT_FILE_NAME_1=x\n", "IEXEC_DATASET_ADDRESS=0xda\n",
	} {
		if strings.Count("\n"+string(env), "\n"+want) != 1 {
			t.Errorf("no %q among the variables, %v:\n%s", want, err, env)
		}
	}

	// Said once at a time, and again when it came to nothing.
	k.Obey(do(1, wire.DoContribute, "0xabcd"))
	k.Obey(do(1, wire.DoContribute, "0xabcd"))
	<-d.asked
	k.Obey([]wire.Instruction{{Work: 1, Attempt: 1, Do: wire.DoUpload, Upload: &wire.Link{URL: b.URL + "/up"}}})
	if r := k.Reports()[0]; r.State != "reported" {
		t.Errorf("%+v while it contributes", r)
	}
	d.answers <- errors.New("the node is away")
	for said := false; !said; {
		k.Obey(do(1, wire.DoContribute, "0xabcd"))
		select {
		case <-d.asked:
			said = true
		case <-time.After(time.Millisecond):
		}
	}
	if r := k.Reports()[0]; r.State != "reported" {
		t.Errorf("%+v after a failure", r)
	}
	d.answers <- nil
	if r := until(t, k, 1, "contributed"); r.Digest == "" || r.SHA256 == "" {
		t.Errorf("%+v", r)
	}
	// The pool asks until it has seen it. There is nothing new to tell it.
	rest(t, k)
	select {
	case <-k.Changed():
	default:
	}
	d.answers <- nil
	k.Obey(do(1, wire.DoContribute, "0xabcd"))
	<-d.asked
	rest(t, k)
	select {
	case <-k.Changed():
		t.Error("the pool is called at once although nothing has changed")
	default:
	}
	d.answers <- nil
	k.Obey(do(1, wire.DoReveal, ""))
	if what := <-d.asked; what != "reveal" {
		t.Errorf("asked to %s", what)
	}
	until(t, k, 1, "revealed")
	for _, p := range d.said {
		if want := (chainside.Promise{Deal: "0xdea1", Task: "0xf00d", Owner: pool.Address{7}.String(), Authorisation: "0xabcd", Digest: r.Digest}); p != want {
			t.Errorf("said %+v, want %+v", p, want)
		}
	}
	if len(d.said) != 4 {
		t.Errorf("said %d times", len(d.said))
	}

	upload := []wire.Instruction{{Work: 1, Attempt: 1, Do: wire.DoUpload, Upload: &wire.Link{URL: b.URL + "/up", Expires: time.Now().Add(time.Hour)}}}
	k.Obey(upload)
	<-b.arrived
	k.Obey(do(1, wire.DoContribute, "0xabcd")) // not while the bytes are on their way
	b.statuses <- 204
	until(t, k, 1, "uploaded")
	if len(d.asked) != 0 {
		t.Error("it contributes while the bytes are on their way")
	}

	// A reorganisation took all of it back.
	d.answers <- nil
	k.Obey(do(1, wire.DoContribute, "0xabcd"))
	until(t, k, 1, "contributed")
	k.Obey(upload)
	b.statuses <- 204
	until(t, k, 1, "uploaded")
	k.Obey(do(1, wire.DoStop, ""))
	<-k.Refuse()
	if _, err := os.Stat(folder); !os.IsNotExist(err) {
		t.Errorf("the folder is still there: %v", err)
	}
}

func TestNothingIsPromisedBeforeItIsWeighed(t *testing.T) {
	d := newDesk()
	d.weighed = make(chan struct{})
	k, _ := keep(t, func(c *Config) { c.Chain, c.Slots = d, 1 })
	k.Obey([]wire.Instruction{startDeal(1, 1, "true"), startDeal(2, 1, "true")})
	if r := k.Reports(); len(r) != 1 || r[0].Work != 2 || r[0].Reason != "all 1 slots are taken" {
		t.Errorf("reported while it is weighed: %+v", r)
	}
	k.Obey([]wire.Instruction{startDeal(1, 1, "true")})
	k.Obey(do(1, wire.DoContinue, "0xabcd"))
	k.Obey(do(1, wire.DoContribute, "0xabcd"))
	if entries, _, err := k.Ledger.Entries(); len(entries) != 0 {
		t.Errorf("stored while it is weighed: %+v, %v", entries, err)
	}
	close(d.weighed)
	until(t, k, 1, "running")

	k.Obey([]wire.Instruction{{Work: 1, Attempt: 1, Do: wire.DoStop}, {Work: 2, Attempt: 1, Do: wire.DoStop}})
	d.weighed = make(chan struct{})
	k.Obey([]wire.Instruction{startDeal(3, 1, "true")})
	k.Obey(do(3, wire.DoStop, ""))
	if r := k.Reports(); len(r) != 0 {
		t.Errorf("%+v after a stop", r)
	}
	k.Obey([]wire.Instruction{startDeal(4, 1, "true")})
	settled := k.Refuse()
	close(d.weighed)
	<-settled
	if r := until(t, k, 4, "refused"); r.Reason != "the worker is shutting down" {
		t.Errorf("%+v", r)
	}
}

func TestDealsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Config, *desk)
		want   string
	}{
		"no wallet":   {func(c *Config, _ *desk) { c.Chain = nil }, "this worker has no wallet, so it takes no works of deals"},
		"the chain's": {func(_ *Config, d *desk) { d.reason = "too late" }, "too late"},
		"stake":       {func(_ *Config, d *desk) { d.offer.Free = 29 }, "stake is too low"},
		"requester":   {func(c *Config, _ *desk) { c.Requesters = pool.Rules{Deny: []string{"*"}} }, "nothing is computed here for requester"},
		"disk":        {func(c *Config, _ *desk) { fullDisk(c.Ledger) }, "no space left on device"},
	} {
		d := newDesk()
		k, _ := keep(t, func(config *Config) {
			config.Chain = d
			c.change(config, d)
		})
		k.Obey([]wire.Instruction{startDeal(1, 1, "true")})
		if r := until(t, k, 1, "refused"); !strings.Contains(r.Reason, c.want) {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

// The pool's own variables come with works of deals, and with no others.
func TestVariablesOfDeals(t *testing.T) {
	k, _ := keep(t, onChain(newDesk()))
	api, deal := start(1, 1, "true"), startDeal(2, 1, "true")
	api.Run.Env = map[string]string{"IEXEC_BOT_SIZE": "3"}
	deal.Run.Env["IEXEC_OUT"] = "/evil"
	k.Obey([]wire.Instruction{api, deal})
	for work, name := range map[int64]string{1: "IEXEC_BOT_SIZE", 2: "IEXEC_OUT"} {
		if r := until(t, k, work, "refused"); r.Reason != fmt.Sprintf("the work sets the variable %q, which is not allowed here", name) {
			t.Errorf("%+v", r)
		}
	}
}

// What was promised counts until it is paid: a wallet does not promise its stake
// twice.
func TestPromisesAreCounted(t *testing.T) {
	d := newDesk()
	d.offer.Free = 60
	k, _ := keep(t, func(c *Config) { c.Chain, c.Slots = d, 9 })
	take := func(work int64, state string) {
		t.Helper()
		k.Obey([]wire.Instruction{startDeal(work, 1, "true")})
		until(t, k, work, state)
	}
	take(1, "running")
	take(2, "running")
	take(3, "refused")
	k.Obey(do(2, wire.DoStop, ""))
	take(4, "running")
	take(5, "refused")
	k.Obey(do(1, wire.DoContinue, "0xabcd"))
	until(t, k, 1, "reported")
	take(6, "refused")
	d.answers <- nil
	k.Obey(do(1, wire.DoContribute, ""))
	until(t, k, 1, "contributed") // its stake is locked at the hub now, and free is what is left
	take(7, "running")
}

func TestAuthorisationThatIsNotGood(t *testing.T) {
	k, _ := keep(t, onChain(newDesk()))
	k.Obey([]wire.Instruction{startDeal(1, 1, "true"), startDeal(2, 1, "true")})
	until(t, k, 1, "running")
	until(t, k, 2, "running")
	k.Obey(do(1, wire.DoContinue, "0x1234"))
	if r := until(t, k, 1, "refused"); r.Reason != `the pool's authorisation is not good: "0x1234" is not the owner's` {
		t.Errorf("%+v", r)
	}
	if _, err := os.Stat(k.Ledger.Folder(1, 1)); !os.IsNotExist(err) {
		t.Errorf("it is kept: %v", err)
	}
	// Too late: it is given back.
	k.Obey(do(1, wire.DoContinue, "0xabcd"))
	k.Obey(do(1, wire.DoContribute, "0xabcd"))
	rest(t, k)
	until(t, k, 1, "refused")
	if _, err := os.Stat(k.Ledger.Folder(1, 1)); !os.IsNotExist(err) {
		t.Errorf("it is run: %v", err)
	}
	// Once it is good, no other changes it.
	k.Obey(do(2, wire.DoContinue, "0xabcd"))
	k.Obey(do(2, wire.DoContinue, "0x1234"))
	until(t, k, 2, "reported")
}

func TestWhatEndsADealsWork(t *testing.T) {
	d := newDesk()
	k, _ := keep(t, onChain(d))
	k.Obey([]wire.Instruction{startDeal(1, 1, "exit 4"), startDeal(2, 1, "true")})
	until(t, k, 1, "running")
	until(t, k, 2, "running")
	k.Obey(do(1, wire.DoContinue, "0xabcd"))
	k.Obey(do(2, wire.DoContinue, "0xabcd"))
	until(t, k, 2, "reported")
	d.answers <- &chainside.HopelessError{Reason: "too late"}
	k.Obey(do(2, wire.DoContribute, ""))
	reasons := map[int64]string{}
	for len(reasons) < 2 {
		for _, r := range k.Reports() {
			if r.State == "failed" {
				reasons[r.Work] = r.Reason
				if _, err := r.Parse("", 1<<20); err != nil {
					t.Error(err)
				}
			}
		}
		if len(reasons) < 2 {
			<-k.Changed()
		}
	}
	if reasons[1] != "exit status 4" || reasons[2] != "contribute: too late" {
		t.Errorf("%v", reasons)
	}
	<-d.asked
	k.Obey(do(1, wire.DoContribute, "0xabcd"))
	k.Obey(do(2, wire.DoContribute, "0xabcd"))
	rest(t, k)
	if len(d.asked) != 0 {
		t.Error("a work that failed is contributed")
	}
}

// What the pool's word began and what the chain has shown outlast the worker.
func TestStepsOfDealsAreStored(t *testing.T) {
	dir := t.TempDir()
	b := newBucket(t)
	d := newDesk()
	k := New(config(t, b, dir))
	k.Chain, k.Slots = d, 3
	k.Obey([]wire.Instruction{startDeal(1, 1, busy), startDeal(2, 1, "true"), startDeal(3, 1, "true")})
	for work := range int64(3) {
		until(t, k, work+1, "running")
	}
	k.Obey(append(do(1, wire.DoContinue, "0xabcd"), do(2, wire.DoContinue, "0xabcd")...))
	await(t, filepath.Join(k.Ledger.Folder(1, 1), "out", "up"))
	until(t, k, 2, "reported")
	d.answers <- nil
	k.Obey(do(2, wire.DoContribute, ""))
	until(t, k, 2, "contributed")
	k.Refuse()
	k.Obey(do(3, wire.DoContinue, "0xabcd")) // nothing is begun any more
	k.Close()
	up := filepath.Join(k.Ledger.Folder(1, 1), "out", "up")
	if err := os.Remove(up); err != nil {
		t.Fatal(err)
	}
	next := reopened(t, k, b, dir, onChain(d))
	await(t, up)
	until(t, next, 2, "contributed")
	until(t, next, 3, "running")
	if _, err := os.Stat(filepath.Join(next.Ledger.Folder(3, 1), "out")); !os.IsNotExist(err) {
		t.Errorf("it was run: %v", err)
	}
}

// A worker goes on after kill -9 at any step, from what its ledger has.
func TestDealsAreTakenUpAgain(t *testing.T) {
	dir := t.TempDir()
	b := newBucket(t)
	k := New(config(t, b, dir))
	deal := func(word, digest string) *ledger.Deal {
		return &ledger.Deal{Owner: pool.Address{7}.String(), Stake: 30, Authorisation: word, Digest: digest}
	}
	digest := pool.Hash{1}.String()
	for work, e := range map[int64]ledger.Entry{
		1: {State: ledger.Running, Deal: deal("", "")},                     // waits for the pool's word
		2: {State: ledger.Running, Deal: deal("0xabcd", "")},               // was computing
		3: {State: ledger.Running, Deal: deal("0x0123", "")},               // for another wallet
		4: {State: ledger.Contributed, Deal: deal("0xabcd", digest)},       // the archive is lost, the reveal is not
		5: {State: ledger.Reported, Deal: deal("0xabcd", digest)},          // the archive is lost
		6: {State: ledger.Running, Deal: deal("", ""), Begun: time.Time{}}, // waited long
	} {
		e.Work, e.Attempt, e.Run = work, 1, *startDeal(work, 1, "true").Run
		if work != 6 {
			e.Begun = time.Now()
		}
		if e.State != ledger.Running {
			e.SHA256, e.Size = strings.Repeat("a", 64), 5
		}
		if err := k.Ledger.Save(e); err != nil {
			t.Fatal(err)
		}
	}
	d := newDesk()
	next := reopened(t, k, b, dir, onChain(d))
	until(t, next, 2, "reported")
	states := map[int64]string{}
	for states[3] != "failed" {
		for _, r := range next.Reports() {
			states[r.Work] = r.State
		}
		if states[3] != "failed" {
			<-next.Changed()
		}
	}
	if want := (map[int64]string{1: "running", 2: "reported", 3: "failed", 4: "contributed", 5: "failed", 6: "running"}); fmt.Sprint(states) != fmt.Sprint(want) {
		t.Errorf("%v, want %v", states, want)
	}
	next.Obey(append(do(1, wire.DoContinue, "0xabcd"), do(6, wire.DoContinue, "0xabcd")...))
	until(t, next, 1, "reported")
	until(t, next, 6, "reported")
	d.answers <- nil
	next.Obey(do(4, wire.DoReveal, ""))
	until(t, next, 4, "revealed")
}
