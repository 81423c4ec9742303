//go:build linux

package ledger

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSentOutlastsTheWorker(t *testing.T) {
	dir := t.TempDir()
	l, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	sent, err := l.Sent("0xhub", "0xwallet")
	if err != nil {
		t.Fatal(err)
	}
	if none, err := sent.Load(); len(none) != 0 || err != nil {
		t.Errorf("%+v, %v of a wallet that sent nothing", none, err)
	}
	want := []Sending{{Nonce: 7, Kind: "reveal", Task: "0xt", To: []byte{1}, Data: []byte{2}, Tries: []Try{{Hash: "0xa", Raw: []byte{3}}, {Hash: "0xb", Raw: []byte{4}, Nothing: true}}}}
	if err := sent.Save(want); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if l, err = Open(dir); err != nil {
		t.Fatal(err)
	}
	// It is the wallet's: the pool may change.
	for _, pool := range []string{"https://a.example.com", "https://b.example.com"} {
		if _, _, err := l.Identity(pool); err != nil {
			t.Fatal(err)
		}
	}
	for wallet, want := range map[string][]Sending{"0xwallet": want, "0xother": nil} {
		again, err := l.Sent("0xhub", wallet)
		if err != nil {
			t.Fatal(err)
		}
		got, err := again.Load()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", wallet, diff)
		}
	}
}

func TestSentThatCannotBeStored(t *testing.T) {
	dir := t.TempDir()
	l, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	sent, err := l.Sent("0xhub", "0xwallet")
	if err != nil {
		t.Fatal(err)
	}
	if err := sent.Save([]Sending{{Nonce: 1}}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "sent", "0xhub-0xwallet.json")
	if err := os.Symlink("/dev/full", path+".new"); err != nil {
		t.Fatal(err)
	}
	if err := sent.Save([]Sending{{Nonce: 1}, {Nonce: 2}}); err == nil {
		t.Error("stored on a full disk")
	}
	if got, err := sent.Load(); err != nil || len(got) != 1 {
		t.Errorf("%+v, %v: what was stored before is gone", got, err)
	}
	if err := os.WriteFile(path, []byte("[{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := sent.Load(); err == nil {
		t.Errorf("half a file is read as %+v", got)
	}
}
