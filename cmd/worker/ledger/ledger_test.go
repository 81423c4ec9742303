//go:build linux

package ledger

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"workerpool/shared/wire"
)

func opened(t *testing.T) (*Ledger, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "worker")
	l, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return l, dir
}

func entry(work int64, attempt int) Entry {
	return Entry{
		Work: work, Attempt: attempt, State: Running, Begun: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		Run: wire.Run{App: wire.App{Type: "process", Name: "sum"}, Args: []string{"1"}, RunLimitS: 300},
	}
}

func entries(t *testing.T, l *Ledger) []Entry {
	t.Helper()
	found, faults, err := l.Entries()
	if err != nil || len(faults) > 0 {
		t.Fatal(err, faults)
	}
	return found
}

func TestSecondProcessIsRefused(t *testing.T) {
	l, dir := opened(t)
	if _, err := Open(dir); !errors.Is(err, ErrBusy) {
		t.Errorf("second opening: %v", err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir); err != nil {
		t.Errorf("after closing: %v", err)
	}
}

func TestIdentityIsMadeOnceAndPrivate(t *testing.T) {
	l, dir := opened(t)
	first, _, err := l.Identity(home)
	if err != nil {
		t.Fatal(err)
	}
	if second, _, err := l.Identity(home); err != nil || second != first {
		t.Errorf("%+v and then %+v, %v", first, second, err)
	}
	for path, want := range map[string]os.FileMode{"": 0o700, identityName: 0o600} {
		if info, err := os.Stat(filepath.Join(dir, path)); err != nil || info.Mode().Perm() != want {
			t.Errorf("%q: %v, %v", path, info.Mode(), err)
		}
	}
	registration := wire.Registration{Name: "w", Key: first.Key, Slots: 1}
	if _, err := registration.Parse(); err != nil {
		t.Errorf("the pool would not take the key: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, identityName), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := l.Identity(home); err == nil {
		t.Error("an emptied identity is replaced without a word")
	}
}

const home = "https://pool.example.com"

func TestAnotherPoolGetsNothingOfTheFirst(t *testing.T) {
	l, dir := opened(t)
	first, aside, err := l.Identity(home)
	if err != nil || aside != "" {
		t.Fatal(aside, err)
	}
	if err := l.Save(entry(7, 1)); err != nil {
		t.Fatal(err)
	}
	for n, pool := range []string{"https://other.example.com", home} {
		id, aside, err := l.Identity(pool)
		if err != nil || aside != filepath.Join(dir, []string{"old-1", "old-2"}[n]) {
			t.Fatalf("put aside in %q, %v", aside, err)
		}
		if id.Key == first.Key || len(id.Key) != 64 || id.Mark != first.Mark || id.Pool != pool {
			t.Errorf("%+v after %+v", id, first)
		}
		if found := entries(t, l); len(found) != 0 {
			t.Errorf("assignments of another pool: %+v", found)
		}
		if again, aside, err := l.Identity(pool); err != nil || aside != "" || again != id {
			t.Errorf("%+v and then %+v, %q, %v", id, again, aside, err)
		}
		if err := l.Save(entry(8, 1)); err != nil {
			t.Errorf("saving: %v", err)
		}
	}
	for _, path := range []string{"old-1/works/7.1/state.json", "old-1/identity.json", "old-2/works/8.1/state.json"} {
		if _, err := os.Stat(filepath.Join(dir, path)); err != nil {
			t.Error(err)
		}
	}
	if old, err := os.ReadFile(filepath.Join(dir, "old-1", identityName)); err != nil || !strings.Contains(string(old), first.Key) {
		t.Errorf("the identity put aside: %s, %v", old, err)
	}
}

func TestIdentityWithoutAPoolIsKept(t *testing.T) {
	l, dir := opened(t)
	key := strings.Repeat("a", 64)
	if err := os.WriteFile(filepath.Join(dir, identityName), []byte(`{"key":"`+key+`","mark":"m"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if id, aside, err := l.Identity(home); err != nil || aside != "" || id != (Identity{Key: key, Mark: "m", Pool: home}) {
		t.Errorf("%+v, %q, %v", id, aside, err)
	}
	if _, aside, err := l.Identity("https://other.example.com"); err != nil || aside == "" {
		t.Errorf("the pool was not noted: %q, %v", aside, err)
	}
}

func TestEntriesComeBackAsStored(t *testing.T) {
	l, _ := opened(t)
	one, two := entry(7, 1), entry(7, 2)
	for _, e := range []Entry{one, two} {
		if err := l.Save(e); err != nil {
			t.Fatal(err)
		}
	}
	two.State, two.SHA256, two.Size = Reported, "ab", 12
	if err := l.Save(two); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Entry{one, two}, entries(t, l)); diff != "" {
		t.Error(diff)
	}
	if err := l.Drop(7, 1); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Entry{two}, entries(t, l)); diff != "" {
		t.Error(diff)
	}
	if err := l.Drop(7, 1); err != nil {
		t.Errorf("dropping twice: %v", err)
	}
}

func TestDropDeletesWhatARunShutAway(t *testing.T) {
	l, _ := opened(t)
	if err := l.Save(entry(1, 1)); err != nil {
		t.Fatal(err)
	}
	shut := filepath.Join(l.Folder(1, 1), "out", "shut")
	if err := os.MkdirAll(filepath.Join(shut, "in", "in"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{filepath.Join(shut, "in"), shut} {
		if err := os.Chmod(path, 0); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Drop(1, 1); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(l.Folder(1, 1)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder is still there: %v", err)
	}
}

func TestFullDiskLeavesTheOldState(t *testing.T) {
	l, _ := opened(t)
	e := entry(1, 1)
	if err := l.Save(e); err != nil {
		t.Fatal(err)
	}
	// Every write to this device fails as on a full disk.
	fresh := filepath.Join(l.Folder(1, 1), stateName+".new")
	if err := os.Symlink("/dev/full", fresh); err != nil {
		t.Fatal(err)
	}
	e.State = Failed
	if err := l.Save(e); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("saving: %v", err)
	}
	if diff := cmp.Diff([]Entry{entry(1, 1)}, entries(t, l)); diff != "" {
		t.Error(diff)
	}
	if err := l.Save(e); err != nil {
		t.Errorf("saving when there is space again: %v", err)
	}
}

func TestEntriesCleansWhatHoldsNone(t *testing.T) {
	l, dir := opened(t)
	if err := l.Save(entry(1, 1)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"2.1", "3.1", "4.1"} { // begun, torn, another's
		if err := os.Mkdir(filepath.Join(dir, "works", name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{"3.1": `{"work":3,`, "4.1": `{"work":5,"attempt":1}`} {
		if err := os.WriteFile(filepath.Join(dir, "works", name, stateName), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	found, faults, err := l.Entries()
	if err != nil || len(found) != 1 || len(faults) != 2 {
		t.Errorf("found %v, faults %v, %v", found, faults, err)
	}
	left, err := os.ReadDir(filepath.Join(dir, "works"))
	if err != nil || len(left) != 1 || left[0].Name() != "1.1" {
		t.Errorf("left %v, %v", left, err)
	}
}

func TestFreeSpaceIsKnown(t *testing.T) {
	l, _ := opened(t)
	if n, err := l.Free(); err != nil || n <= 0 {
		t.Errorf("%d bytes, %v", n, err)
	}
}
