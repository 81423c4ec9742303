//go:build linux

package turns

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"workerpool/cmd/worker/archive"
	"workerpool/shared/wire"
)

// vault gives archives, and counts.
type vault struct {
	*httptest.Server
	held chan struct{} // nil, or each answer waits for one

	mu      sync.Mutex
	holds   map[string][]byte
	fetched int
}

func newVault(t *testing.T) *vault {
	t.Helper()
	v := &vault{holds: map[string][]byte{}}
	v.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v.mu.Lock()
		v.fetched++
		text, there := v.holds[r.URL.Path]
		held := v.held
		v.mu.Unlock()
		if held != nil {
			select {
			case <-held:
			case <-r.Context().Done():
			}
		}
		if !there {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		_, _ = w.Write(text)
	}))
	t.Cleanup(v.Close)
	return v
}

// of gives the archive of an output, as another worker made it.
func (v *vault) of(t *testing.T, files map[string]string) wire.Download {
	t.Helper()
	out := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(out, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(t.TempDir(), "result.zip")
	if _, err := archive.PackZip(out, path, 1<<20); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return v.put(text)
}

func (v *vault) put(text []byte) wire.Download {
	v.mu.Lock()
	defer v.mu.Unlock()
	sum := fmt.Sprintf("%x", sha256.Sum256(text))
	v.holds["/"+sum] = text
	return wire.Download{Name: "result.zip", SHA256: sum, Size: int64(len(text)), URL: v.URL + "/" + sum}
}

func (v *vault) times() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.fetched
}

const pointer = `{"deterministic-output-path":"/iexec_out/result"}`

// agreed has a work of a deal whose result is "42" and whose log is nobody else's.
func agreed(t *testing.T, k *Keeper, work int64) {
	t.Helper()
	k.Obey([]wire.Instruction{startDeal(work, 1, `echo $$ >"$IEXEC_OUT/log"; printf 42 >"$IEXEC_OUT/result"; printf '`+pointer+`' >"$IEXEC_OUT/computed.json"`)})
	until(t, k, work, "running")
	k.Obey(do(work, wire.DoContinue, "0xabcd"))
	until(t, k, work, "reported")
}

func toCheck(work int64, what wire.Download) []wire.Instruction {
	return []wire.Instruction{{Work: work, Attempt: 1, Do: wire.DoCheck, Check: &what}}
}

func TestChecksAnothersArchive(t *testing.T) {
	v := newVault(t)
	k, b := keep(t, onChain(newDesk()))
	agreed(t, k, 1)
	good := v.of(t, map[string]string{"result": "42", "log": "mine", "computed.json": pointer})
	bad := v.of(t, map[string]string{"result": "43", "log": "mine", "computed.json": pointer})
	own := k.Reports()[0]
	for i, c := range []struct {
		what wire.Download
		want string
	}{{good, "checked"}, {bad, "wrong"}, {v.put([]byte("garbage")), "wrong"}} {
		k.Obey(toCheck(1, c.what))
		r := until(t, k, 1, c.want)
		if r.Checks != c.what.SHA256 || r.SHA256 != own.SHA256 || r.Digest != own.Digest || r.Size != own.Size {
			t.Errorf("%+v of %+v", r, c.what)
		}
		if _, err := r.Parse("", 1<<20); err != nil {
			t.Error(err)
		}
		k.Obey(toCheck(1, c.what)) // the answer was lost: it is known
		rest(t, k)
		if until(t, k, 1, c.want); v.times() != i+1 {
			t.Errorf("%d downloads", v.times())
		}
	}
	if _, err := os.Stat(filepath.Join(k.Ledger.Folder(1, 1), "checked.zip")); !os.IsNotExist(err) {
		t.Errorf("it is kept: %v", err)
	}
	// What it found wrong it brings itself.
	k.Obey([]wire.Instruction{{Work: 1, Attempt: 1, Do: wire.DoUpload, Upload: &wire.Link{URL: b.URL + "/up"}}})
	b.statuses <- 204
	if r := until(t, k, 1, "uploaded"); r.Checks != "" {
		t.Errorf("%+v", r)
	}
	k.Obey(toCheck(1, good))
	rest(t, k)
	until(t, k, 1, "uploaded")
}

// A check goes on beside everything else, once at a time, with the newest link, and
// begins anew after kill -9.
func TestChecksOnceAtATime(t *testing.T) {
	dir := t.TempDir()
	v := newVault(t)
	v.held = make(chan struct{})
	b := newBucket(t)
	k := New(config(t, b, dir))
	d := newDesk()
	k.Chain, k.Slots = d, 2
	agreed(t, k, 1)
	good := v.of(t, map[string]string{"result": "42", "computed.json": pointer})
	k.Obey(toCheck(1, good))
	if r := until(t, k, 1, "checking"); r.Checks != good.SHA256 {
		t.Errorf("%+v", r)
	}
	k.Obey(toCheck(1, good))
	k.Obey([]wire.Instruction{{Work: 1, Attempt: 1, Do: wire.DoUpload, Upload: &wire.Link{URL: b.URL + "/up"}}})
	until(t, k, 1, "checking")
	agreed(t, k, 2)
	k.Close()
	next := reopened(t, k, b, dir, onChain(d))
	until(t, next, 1, "reported")
	next.Obey(toCheck(1, good))
	until(t, next, 1, "checking")
	close(v.held)
	until(t, next, 1, "checked")
	if v.times() != 2 {
		t.Errorf("%d downloads", v.times())
	}
	// The verdict outlasts the worker, until the chain has gone another way.
	next.Close()
	last := reopened(t, next, b, dir, onChain(d))
	if r := until(t, last, 1, "checked"); r.Checks != good.SHA256 {
		t.Errorf("%+v", r)
	}
	d.answers <- nil
	last.Obey(do(1, wire.DoContribute, "0xabcd"))
	if r := until(t, last, 1, "contributed"); r.Checks != "" {
		t.Errorf("%+v", r)
	}
	last.Obey(toCheck(1, good))
	until(t, last, 1, "checked")
	last.Obey(do(1, wire.DoStop, ""))
	rest(t, last)
}

// What the worker cannot look at says nothing of the archive.
func TestChecksThatFail(t *testing.T) {
	v := newVault(t)
	good := v.of(t, map[string]string{"result": "42", "computed.json": pointer})
	away, other := good, good
	away.URL, other.SHA256 = v.URL+"/none", strings.Repeat("a", 64)
	for name, c := range map[string]struct {
		what   wire.Download
		change func(*Config)
		want   string
	}{
		"away":  {away, nil, "404"},
		"other": {other, nil, "the digest is"},
		"disk":  {good, func(c *Config) { c.Free = func() (int64, error) { return c.MinFree + good.Size - 1, nil } }, "too little disk"},
	} {
		k, _ := keep(t, onChain(newDesk()))
		agreed(t, k, 1)
		if c.change != nil {
			c.change(&k.Config)
		}
		k.Obey(toCheck(1, c.what))
		if r := until(t, k, 1, "failed"); !strings.Contains(r.Reason, c.want) || !strings.HasPrefix(r.Reason, "checking another's result: ") {
			t.Errorf("%s: %+v", name, r)
		}
	}
	k, _ := keep(t, nil)
	k.Obey([]wire.Instruction{start(1, 1, "true")})
	until(t, k, 1, "reported")
	k.Obey(toCheck(1, good)) // of an api work there is nothing to check
	rest(t, k)
	until(t, k, 1, "reported")
}
