//go:build linux

package turns

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"workerpool/cmd/worker/ledger"
	"workerpool/shared/wire"
)

// await waits for a file that a run makes.
func await(t *testing.T, path string) {
	t.Helper()
	for late := time.Now().Add(20 * time.Second); ; time.Sleep(2 * time.Millisecond) {
		if _, err := os.Stat(path); err == nil {
			return
		}
		if time.Now().After(late) {
			t.Fatal("no " + path)
		}
	}
}

const busy = `echo up >"$IEXEC_OUT/up"; exec sleep 1000`

func TestNewerAttemptReplacesTheOlder(t *testing.T) {
	k, _ := keep(t, nil)
	k.Obey([]wire.Instruction{start(1, 1, busy)})
	old := k.Ledger.Folder(1, 1)
	await(t, filepath.Join(old, "out", "up"))
	k.Obey([]wire.Instruction{start(1, 2, "true")})
	if r := until(t, k, 1, "reported"); r.Attempt != 2 {
		t.Errorf("%+v", r)
	}
	k.Obey([]wire.Instruction{start(1, 1, busy), {Work: 1, Attempt: 1, Do: wire.DoStop}})
	if r := until(t, k, 1, "reported"); r.Attempt != 2 || len(k.Reports()) != 1 {
		t.Errorf("%+v", k.Reports())
	}
	<-k.Refuse()
	if _, err := os.Stat(old); !os.IsNotExist(err) {
		t.Errorf("the older attempt's folder is there: %v", err)
	}
}

func TestStopFreesTheSlotAtOnce(t *testing.T) {
	k, _ := keep(t, func(c *Config) { c.Slots = 1 })
	k.Obey([]wire.Instruction{start(1, 1, busy), start(2, 1, "true")})
	until(t, k, 2, "refused")
	k.Obey([]wire.Instruction{{Work: 1, Attempt: 1, Do: wire.DoStop}, start(3, 1, "true"), start(2, 2, "true")})
	until(t, k, 3, "reported")
	if r := until(t, k, 2, "refused"); r.Attempt != 2 || r.Reason != "all 1 slots are taken" {
		t.Errorf("%+v", r)
	}
}

func TestUploadThatCannotSucceedFails(t *testing.T) {
	k, b := keep(t, nil)
	k.Obey([]wire.Instruction{start(1, 1, "true"), start(2, 1, "true")})
	order := func(work int64, hours time.Duration) wire.Instruction {
		return wire.Instruction{Work: work, Attempt: 1, Do: wire.DoUpload, Upload: &wire.Link{
			URL: fmt.Sprintf("%s/%d", b.URL, hours), Expires: time.Now().Add(hours * time.Hour),
		}}
	}
	until(t, k, 1, "reported")
	until(t, k, 2, "reported")
	k.Obey([]wire.Instruction{order(1, 1)})
	b.statuses <- 403
	for k.Reports()[0].State != "failed" {
		<-k.Changed()
	}
	r := k.Reports()[0]
	if _, err := r.Parse("", 1<<20); err != nil || !strings.HasPrefix(r.Reason, "uploading the result: POST /1: 403") {
		t.Errorf("%+v, %v", r, err)
	}
	// A link that ran out is no failure when there is a newer one.
	<-b.arrived
	k.Obey([]wire.Instruction{order(2, 2)})
	if first := <-b.arrived; first != "/2" {
		t.Errorf("first upload by %s", first)
	}
	k.Obey([]wire.Instruction{order(2, 3)})
	b.statuses <- 403
	b.statuses <- 204
	until(t, k, 2, "uploaded")
	if second := <-b.arrived; second != "/3" {
		t.Errorf("second upload by %s", second)
	}
}

// reopened is the worker's next life on the same directory.
func reopened(t *testing.T, k *Keeper, b *bucket, dir string, change func(*Config)) *Keeper {
	t.Helper()
	k.Close()
	if err := k.Ledger.Close(); err != nil {
		t.Fatal(err)
	}
	c := config(t, b, dir)
	if change != nil {
		change(&c)
	}
	next := New(c)
	t.Cleanup(next.Close)
	if err := next.Recover(); err != nil {
		t.Fatal(err)
	}
	return next
}

func TestShutdownRefusesOffersAndKeepsAssignments(t *testing.T) {
	dir := t.TempDir()
	b := newBucket(t)
	k := New(config(t, b, dir))
	script := `if [ -e "$IEXEC_IN/../again" ]; then exit 0; fi; touch "$IEXEC_IN/../again"; ` + busy
	k.Obey([]wire.Instruction{start(1, 3, script, b.input("a")), start(2, 1, "true")})
	await(t, filepath.Join(k.Ledger.Folder(1, 3), "out", "up"))
	until(t, k, 2, "reported")
	k.Refuse()
	k.Obey([]wire.Instruction{start(4, 1, "true")})
	if r := until(t, k, 4, "refused"); r.Reason != "the worker is shutting down" {
		t.Errorf("%+v", r)
	}
	next := reopened(t, k, b, dir, nil)
	if r := until(t, next, 1, "reported"); r.Attempt != 3 {
		t.Errorf("%+v", r)
	}
	until(t, next, 2, "reported")
	if b.fetched != 1 {
		t.Errorf("the input was fetched %d times; it was there", b.fetched)
	}
	if n := len(next.Reports()); n != 2 {
		t.Errorf("%d assignments came back", n)
	}
}

func TestRecoverGivesUpWhatCannotBeSaved(t *testing.T) {
	dir := t.TempDir()
	b := newBucket(t)
	k := New(config(t, b, dir))
	for work, e := range map[int64]ledger.Entry{
		1: {State: ledger.Running, Begun: time.Now().Add(-601 * time.Second)},
		2: {State: ledger.Reported, SHA256: strings.Repeat("a", 64), Size: 5},
		3: {State: ledger.Uploaded, SHA256: strings.Repeat("a", 64), Size: 5},
		4: {State: ledger.Failed, Reason: "exit status 1"},
		5: {State: ledger.Running, Begun: time.Now()},
		6: {State: ledger.Running, Begun: time.Now()},
	} {
		e.Work, e.Attempt, e.Run = work, 1, *start(work, 1, "true").Run
		if work == 5 {
			e.Run.App.Name = "gone"
		}
		if work == 6 {
			e.Run.Env = map[string]string{"OLD": "1"}
		}
		if err := k.Ledger.Save(e); err != nil {
			t.Fatal(err)
		}
	}
	next := reopened(t, k, b, dir, nil)
	want := map[int64]string{
		1: "its time was over when the worker came back", 2: "the result was lost from the worker's disk",
		3: "", 4: "exit status 1", 5: `program "gone" is not allowed here`,
		6: `the variable "OLD" that it sets is no longer allowed here`,
	}
	for {
		running := false
		for _, r := range next.Reports() {
			if running = running || r.State == "running"; running {
				break
			}
			if r.Reason != want[r.Work] || (r.State == "failed") != (want[r.Work] != "") {
				t.Errorf("%+v, want reason %q", r, want[r.Work])
			}
		}
		if !running {
			return
		}
		<-next.Changed()
	}
}
