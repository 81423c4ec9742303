package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"workerpool/shared/client"
	"workerpool/shared/wire"
)

func items(n int) []wire.Item {
	all := make([]wire.Item, n)
	for i := range all {
		all[i].Args = []string{fmt.Sprint(i)}
	}
	return all
}

// TestDelivers: inputs go up, works run at trust 3, agreed results come down.
func TestDelivers(t *testing.T) {
	t.Parallel()
	b := start(t)
	for i := range 3 {
		b.worker(fmt.Sprintf("honest-%d", i))
	}
	const shared, own = "read by all", "read by one, with 'quotes' and \"more\""
	works := items(4)
	works[2].Inputs = []wire.Input{input("own.txt", own)}
	key := "delivers-1"
	submission := wire.Submission{
		Template: wire.Template{App: wire.App{Type: "process", Name: "app"}, Args: []string{"tile"}, Trust: 3, Inputs: []wire.Input{input("shared.txt", shared)}},
		Items:    works,
	}
	accepted, err := b.client.Submit(t.Context(), b.operator, key, submission)
	if err != nil || accepted.State != "staging" {
		t.Fatalf("%+v, %v", accepted, err)
	}
	if again, err := b.client.Submit(t.Context(), b.operator, key, submission); err != nil || again != accepted {
		t.Fatalf("the same submission again: %+v, %v; first %+v", again, err, accepted)
	}
	submission.Template.Trust = 5
	if _, err := b.client.Submit(t.Context(), b.operator, key, submission); client.Status(err) != 409 {
		t.Fatalf("the same key for another body: %v", err)
	}
	contents := map[string]string{input("", shared).SHA256: shared, input("", own).SHA256: own}
	targets, err := b.client.Inputs(t.Context(), b.operator, accepted.Batch)
	if err != nil || len(targets.Inputs) != 2 || targets.Missing != 2 {
		t.Fatalf("%+v, %v", targets, err)
	}
	for _, target := range targets.Inputs {
		wrong := strings.Repeat("x", int(target.Size))
		if err := b.links.Upload(t.Context(), *target.Upload, strings.NewReader(wrong), target.Size); err == nil {
			t.Error("bytes of another digest were let in")
		}
		content := contents[target.SHA256]
		if err := b.links.Upload(t.Context(), *target.Upload, strings.NewReader(content), target.Size); err != nil {
			t.Fatal(err)
		}
	}
	if still, err := b.client.CheckInputs(t.Context(), b.operator, accepted.Batch); err != nil || still.Missing != 0 {
		t.Fatalf("%+v, %v", still, err)
	}
	if batch := b.wait(accepted); batch.States["done"] != 4 {
		t.Fatalf("%+v", batch)
	}
	for i := range 4 {
		want := fmt.Sprintf("tile %d\n", i)
		if i == 2 {
			want += "own.txt:" + own + "\n"
		}
		want += "shared.txt:" + shared + "\n"
		if got := b.result(accepted.FirstWork + int64(i)); got != want {
			t.Errorf("work %d: %q, want %q", i, got, want)
		}
	}
	b.check()
}

// TestLiarIsOutvoted: at trust 3 two honest owners outvote one that lies.
func TestLiarIsOutvoted(t *testing.T) {
	t.Parallel()
	b := start(t)
	for i := range 4 {
		b.worker(fmt.Sprintf("honest-%d", i))
	}
	liar := b.worker("liar", "-lie")
	accepted := b.submit(3, items(12)...)
	if batch := b.wait(accepted); batch.States["done"] != 12 {
		t.Fatalf("%+v", batch)
	}
	for i := range 12 {
		if got, want := b.result(accepted.FirstWork+int64(i)), fmt.Sprintf("%d\n", i); got != want {
			t.Errorf("work %d: %q, want %q", i, got, want)
		}
	}
	for worker, err := range b.client.AllWorkers(t.Context(), b.operator) {
		if err != nil {
			t.Fatal(err)
		}
		if (worker.Name == liar.name) != (worker.Disagreed > 0) || worker.Name == liar.name && worker.Agreed > 0 {
			t.Errorf("%s: %d agreed, %d disagreed", worker.Name, worker.Agreed, worker.Disagreed)
		}
	}
	b.check()
}

// TestFailingRunsFailTheWork: the reasons of the tries are told.
func TestFailingRunsFailTheWork(t *testing.T) {
	t.Parallel()
	b := start(t)
	for i := range 3 {
		b.worker(fmt.Sprintf("unable-%d", i), "-fail")
	}
	accepted := b.submit(1, wire.Item{})
	if batch := b.wait(accepted); batch.States["failed"] != 1 {
		t.Fatalf("%+v", batch)
	}
	if work := b.work(accepted.FirstWork); !strings.Contains(work.Reason, "too many failed runs") || !strings.Contains(work.Reason, "3") {
		t.Errorf("reason %q does not tell of exit code 3", work.Reason)
	}
	b.check()
}

// TestVanishedWorkerIsReplaced: its lease ends and another gets the work.
func TestVanishedWorkerIsReplaced(t *testing.T) {
	t.Parallel()
	b := start(t)
	gate := filepath.Join(b.dir, "never")
	vanishing := b.worker("vanishing", "-until", gate)
	accepted := b.submit(1, wire.Item{Args: []string{"x"}})
	b.running(accepted.FirstWork, vanishing.id())
	vanishing.signal(syscall.SIGKILL)
	<-vanishing.ended
	b.worker("steady")
	if batch := b.wait(accepted); batch.States["done"] != 1 {
		t.Fatalf("%+v", batch)
	}
	work := b.work(accepted.FirstWork)
	if len(work.Assignments) != 2 || work.Assignments[0].State != "expired" {
		t.Errorf("%+v", work.Assignments)
	}
	b.check()
}

// TestZombieChangesNothing: a worker that is stopped, replaced and woken again
// is told to stop, and its result counts for nothing.
func TestZombieChangesNothing(t *testing.T) {
	t.Parallel()
	b := start(t)
	gate := filepath.Join(b.dir, "gate")
	zombie := b.worker("zombie", "-lie", "-until", gate)
	accepted := b.submit(1, wire.Item{Args: []string{"x"}})
	b.running(accepted.FirstWork, zombie.id())
	zombie.signal(syscall.SIGSTOP)
	b.worker("steady")
	if batch := b.wait(accepted); batch.States["done"] != 1 {
		t.Fatalf("%+v", batch)
	}
	before := b.work(accepted.FirstWork)
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	zombie.signal(syscall.SIGCONT)
	b.eventually("the zombie has dropped its run", func() (bool, string) {
		left, err := filepath.Glob(filepath.Join(b.dir, "workers", "zombie", "works", "*"))
		return err == nil && len(left) == 0, fmt.Sprint(left, err)
	})
	if got := b.result(accepted.FirstWork); got != "x\n" {
		t.Errorf("result %q", got)
	}
	if after := b.work(accepted.FirstWork); after.SHA256 != before.SHA256 || !after.Ended.Equal(*before.Ended) {
		t.Errorf("an ended work changed: %+v, then %+v", before, after)
	}
	b.check()
}

// TestSlowWorkerKeepsItsRun: a worker that was silent longer than its lease
// goes on with its run when nobody else has taken it.
func TestSlowWorkerKeepsItsRun(t *testing.T) {
	t.Parallel()
	b := start(t)
	gate := filepath.Join(b.dir, "gate")
	slow := b.worker("slow", "-until", gate)
	accepted := b.submit(1, wire.Item{Args: []string{"x"}})
	b.running(accepted.FirstWork, slow.id())
	slow.signal(syscall.SIGSTOP)
	b.eventually("its run has expired", func() (bool, string) {
		_ = b.host.Tick(t.Context())
		work := b.work(accepted.FirstWork)
		return work.Assignments[0].State == "expired", work.Assignments[0].State
	})
	slow.signal(syscall.SIGCONT)
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if batch := b.wait(accepted); batch.States["done"] != 1 {
		t.Fatalf("%+v", batch)
	}
	if work := b.work(accepted.FirstWork); len(work.Assignments) != 1 || work.Assignments[0].Attempt != 1 {
		t.Errorf("it was run anew: %+v", work.Assignments)
	}
	b.check()
}

// TestWorkerGoesOnAfterItsOwnKill: what it held it still holds.
func TestWorkerGoesOnAfterItsOwnKill(t *testing.T) {
	t.Parallel()
	b := start(t)
	gate := filepath.Join(b.dir, "gate")
	w := b.worker("reborn", "-until", gate)
	if _, err := b.books().Exec("UPDATE worker SET quota = slots WHERE id = ?", w.id()); err != nil { // it has earned the trust for both
		t.Fatal(err)
	}
	accepted := b.submit(1, wire.Item{Args: []string{"x"}}, wire.Item{Args: []string{"y"}})
	b.running(accepted.FirstWork, w.id())
	b.running(accepted.LastWork, w.id())
	w.kill()
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if batch := b.wait(accepted); batch.States["done"] != 2 {
		t.Fatalf("%+v", batch)
	}
	for work, want := range map[int64]string{accepted.FirstWork: "x\n", accepted.LastWork: "y\n"} {
		if got := b.result(work); got != want {
			t.Errorf("result of %d: %q", work, got)
		}
	}
	b.check()
}

// running waits until a worker has said that it computes a work.
func (b *bench) running(work, worker int64) {
	b.t.Helper()
	b.eventually(fmt.Sprintf("worker %d runs work %d", worker, work), func() (bool, string) {
		now := b.work(work)
		for _, a := range now.Assignments {
			if a.Worker == worker && a.State == "running" {
				return true, ""
			}
		}
		return false, fmt.Sprintf("%+v", now)
	})
}
