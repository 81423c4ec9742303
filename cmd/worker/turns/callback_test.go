//go:build linux

package turns

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"workerpool/cmd/worker/ledger"
	"workerpool/shared/pool"
	"workerpool/shared/wire"
)

// calledBack is an offer of a deal's work whose result is to be called back.
func calledBack(work int64, computed string) wire.Instruction {
	in := startDeal(work, 1, `echo a result >"$IEXEC_OUT/result"; echo '`+computed+`' >"$IEXEC_OUT/computed.json"`)
	in.Run.Env, in.Run.Task.CallsBack = nil, true
	return in
}

// TestResultIsCalledBack: the digest is that of the bytes that the program gives for
// it, and they are told once the archive is there, after a restart too.
func TestResultIsCalledBack(t *testing.T) {
	d := newDesk()
	k, b := keep(t, onChain(d))
	// keccak256 of the number 1
	const want = "0xb10e2d527612073b26eecdfd717e6a320cf44b4afac2b0732d9fcbe2b7fa0cf6"
	data := "0x" + strings.Repeat("0", 63) + "1"
	k.Obey([]wire.Instruction{calledBack(1, `{"deterministic-output-path":"/iexec_out/result","callback-data":"`+data+`"}`)})
	until(t, k, 1, "running")
	k.Obey(do(1, wire.DoContinue, "0xabcd"))
	r := until(t, k, 1, "reported")
	if r.Digest != want || r.Callback != "" {
		t.Errorf("%+v, want digest %s and nothing to call back with yet", r, want)
	}
	d.answers <- nil
	k.Obey(do(1, wire.DoReveal, ""))
	until(t, k, 1, "revealed")
	k.Obey([]wire.Instruction{{Work: 1, Attempt: 1, Do: wire.DoUpload, Upload: &wire.Link{URL: b.URL + "/up", Expires: time.Now().Add(time.Hour)}}})
	<-b.arrived
	if r = k.Reports()[0]; r.State != "uploading" || r.Callback != "" {
		t.Errorf("%+v", r)
	}
	b.statuses <- 204
	r = until(t, k, 1, "uploaded")
	if r.Callback != data {
		t.Errorf("%+v, want %s", r, data)
	}
	if _, err := r.Parse("", 1<<20); err != nil {
		t.Error(err)
	}
	entries, _, err := k.Ledger.Entries()
	if err != nil || len(entries) != 1 || entries[0].Deal.Callback != data {
		t.Errorf("kept: %+v, %v", entries, err)
	}
}

// TestNothingToCallBackWith: a program that does not say it has failed.
func TestNothingToCallBackWith(t *testing.T) {
	d := newDesk()
	k, _ := keep(t, onChain(d))
	for computed, want := range map[string]string{
		`{"deterministic-output-path":"/iexec_out/result"}`:           `its result is to be called back, and there is no "callback-data" in a computed.json`,
		`{"callback-data":"hello"}`:                                   `"callback-data" in computed.json is not 0x and hexadecimal digits, two a byte`,
		`{"callback-data":"0x` + strings.Repeat("00", 4<<10+1) + `"}`: `"callback-data" in computed.json has 4097 bytes, a result is called back with 4096 at most`,
	} {
		k.Obey([]wire.Instruction{calledBack(1, computed)})
		until(t, k, 1, "running")
		k.Obey(do(1, wire.DoContinue, "0xabcd"))
		if r := until(t, k, 1, "failed"); r.Reason != want {
			t.Errorf("%q, want %q", r.Reason, want)
		}
		k.Obey(do(1, wire.DoStop, ""))
		rest(t, k)
	}
}

// TestRoomForCallbacks: a heartbeat never grows beyond what the pool takes, and what
// found no room comes when others were taken.
func TestRoomForCallbacks(t *testing.T) {
	k, _ := keep(t, onChain(newDesk()))
	data := "0x" + strings.Repeat("00", pool.MaxCallback)
	k.mu.Lock()
	for work := range int64(maxHeld) {
		k.add(ledger.Entry{Work: work + 1, Attempt: 1, State: ledger.Uploaded, SHA256: strings.Repeat("a", 64), Deal: &ledger.Deal{Digest: "0x" + strings.Repeat("b", 64), Callback: data}})
	}
	k.mu.Unlock()
	seen := map[int64]bool{}
	for len(k.Reports()) > 0 {
		length, told := 0, 0
		for _, r := range k.Reports() {
			length += len(fmt.Sprintf("%+v", r)) + 100
			if r.Callback != "" {
				told++
				seen[r.Work] = true
				k.Obey(do(r.Work, wire.DoStop, ""))
			}
		}
		if told == 0 || length > wire.MaxBody {
			t.Fatalf("%d are told, in %d bytes", told, length)
		}
	}
	if len(seen) != maxHeld {
		t.Errorf("%d of %d were told", len(seen), maxHeld)
	}
	rest(t, k)
}
