package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"workerpool/infra/local/database"
	"workerpool/infra/local/faults"
	"workerpool/shared/wire"
)

// seedOf gives the seed of a random test: E2E_SEED, or the clock's. It is printed
// so that a failure can be had again, as far as processes repeat themselves.
func seedOf(t *testing.T) uint64 {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("E2E_SEED"); text != "" {
		given, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatalf("E2E_SEED: %v", err)
		}
		seed = given
	}
	t.Logf("seed: E2E_SEED=%d", seed)
	return seed
}

// TestKilledAnywhere: functions, workers and the database are killed by kill -9
// at random moments while a batch runs; it still ends right, nothing is lost and
// nothing happens twice.
func TestKilledAnywhere(t *testing.T) {
	t.Parallel()
	seed := seedOf(t)
	draw := rand.New(rand.NewPCG(seed, 0))
	b := startOn(t, database.Config{})
	var workers []*hand
	for i := range 4 {
		workers = append(workers, b.worker(fmt.Sprintf("mortal-%d", i)))
	}
	workers[0].id() // redeploy drains the first that came
	workers = append(workers, b.worker("liar", "-lie"))
	const works = 30
	accepted := b.submit(3, items(works)...)
	var also []wire.Accepted
	functions := []string{"heartbeat", "dispatch", "query", "session", "reconcile", "submit", "operate", "migrate"}
	for step := range 25 {
		switch kind := draw.IntN(10); {
		case kind < 6:
			name := functions[draw.IntN(len(functions))]
			killed, err := b.host.KillFunction(name)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("step %d: function %s killed: %v", step, name, killed)
		case kind < 9:
			w := workers[draw.IntN(len(workers))]
			w.kill()
			t.Logf("step %d: worker %s killed", step, w.name)
		default:
			b.db.Kill()
			if err := b.db.Restart(); err != nil {
				t.Fatal(err)
			}
			t.Logf("step %d: database killed", step)
		}
		// Every function has something to do when it is killed.
		also = append(also, b.submit(3, items(1)...))
		b.redeploy()
		// The next blow falls when the pool has moved on, or at once.
		if more := draw.IntN(12) - 4; more >= 0 {
			calls := b.heard()
			b.eventually("workers are heard again", func() (bool, string) { return b.heard() > calls+more, "" })
		}
		if faults, err := b.audit.Look(t.Context()); err == nil { // the database may be away
			for _, fault := range faults {
				t.Errorf("after step %d: %s", step, fault)
			}
		}
	}
	if batch := b.wait(accepted); batch.States["done"] != works {
		t.Fatalf("%+v", batch)
	}
	for i := range works {
		if got, want := b.result(accepted.FirstWork+int64(i)), fmt.Sprintf("%d\n", i); got != want {
			t.Errorf("work %d: %q, want %q", i, got, want)
		}
	}
	for _, one := range also {
		if batch := b.wait(one); batch.States["done"] != 1 {
			t.Errorf("batch %d: %+v", one.Batch, batch)
		}
	}
	b.check()
}

// redeploy drains and activates a worker and repeats the migration, as a
// deployment and an operator would; the functions behind it may be killed
// meanwhile, then it is repeated.
func (b *bench) redeploy() {
	b.t.Helper()
	b.eventually("drain, activate and migrate succeed", func() (bool, string) {
		if _, err := b.client.Drain(b.t.Context(), b.operator, 1); err != nil {
			return false, err.Error()
		}
		if _, err := b.client.Activate(b.t.Context(), b.operator, 1); err != nil {
			return false, err.Error()
		}
		_, err := b.host.Invoke(b.t.Context(), "migrate", []byte(`{"action":"up"}`))
		return err == nil, fmt.Sprint(err)
	})
}

// heard counts what the workers' calls have made the functions print.
func (b *bench) heard() int { return b.printed.count("heartbeat |") }

// TestFaultsOfEveryService: the queue duplicates, delays, reorders and loses, the
// bucket and the secrets fail before and after doing; every work still ends
// right, once.
func TestFaultsOfEveryService(t *testing.T) {
	t.Parallel()
	seed := seedOf(t)
	b := start(t)
	for i := range 3 {
		b.worker(fmt.Sprintf("honest-%d", i))
	}
	err := b.host.Faults().Set(seed,
		faults.Rule{Target: "sqs:SendMessage", Kind: faults.Lose, Probability: 0.3},
		faults.Rule{Target: "sqs:SendMessage", Kind: faults.FailAfter, Probability: 0.2},
		faults.Rule{Target: "sqs:SendMessage", Kind: faults.Fail, Probability: 0.2},
		faults.Rule{Target: "sqs:SendMessage", Kind: faults.Delay, Probability: 0.2, DelayMS: 700},
		faults.Rule{Target: "sqs:ReceiveMessage", Kind: faults.Duplicate, Probability: 0.3},
		faults.Rule{Target: "sqs:DeleteMessageBatch", Kind: faults.Fail, Probability: 0.3},
		faults.Rule{Target: "s3:HeadObject", Kind: faults.Fail, Probability: 0.3},
		faults.Rule{Target: "s3:PostObject", Kind: faults.FailAfter, Probability: 0.3},
		faults.Rule{Target: "s3:PostObject", Kind: faults.Fail, Probability: 0.2, Drop: true},
		faults.Rule{Target: "secrets:GetSecretValue", Kind: faults.Fail, Probability: 0.3},
	)
	if err != nil {
		t.Fatal(err)
	}
	const works = 15
	accepted := b.submit(3, items(works)...)
	if batch := b.wait(accepted); batch.States["done"] != works {
		t.Fatalf("%+v", batch)
	}
	for i := range works {
		if got, want := b.result(accepted.FirstWork+int64(i)), fmt.Sprintf("%d\n", i); got != want {
			t.Errorf("work %d: %q, want %q", i, got, want)
		}
	}
	b.check()
}

// TestCancelInAnyState: a cancellation tells what really happened, also twice.
func TestCancelInAnyState(t *testing.T) {
	t.Parallel()
	b := start(t)
	b.worker("honest-0")
	b.worker("honest-1")
	accepted := b.submit(3, items(20)...)
	draw := rand.New(rand.NewPCG(seedOf(t), 1))
	cancelled := map[int64]string{}
	for range 10 {
		id := accepted.FirstWork + int64(draw.IntN(20))
		said, err := b.client.Cancel(t.Context(), b.operator, id)
		if err != nil {
			t.Fatal(err)
		}
		again, err := b.client.Cancel(t.Context(), b.operator, id)
		if err != nil || again.State != said.State || again.Before != said.State {
			t.Errorf("cancelled twice: %+v, then %+v, %v", said, again, err)
		}
		if _, known := cancelled[id]; !known {
			cancelled[id] = said.State
		}
	}
	b.wait(accepted)
	for i := range 20 {
		id := accepted.FirstWork + int64(i)
		want := "done"
		if state, ok := cancelled[id]; ok {
			want = state
		}
		if got := b.work(id).State; got != want {
			t.Errorf("work %d is %s, want %s", id, got, want)
		}
	}
	b.check()
}
