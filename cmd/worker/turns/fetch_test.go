//go:build linux

package turns

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"workerpool/cmd/worker/outside"
	"workerpool/shared/wire"
)

// elsewhere is a server that deals name files on: each file's text is its path.
type elsewhere struct {
	*httptest.Server
	hold chan struct{} // of /slow

	mu     sync.Mutex
	asked  []string
	busy   int // 503s still to come
	arrive chan string
}

func newElsewhere(t *testing.T) *elsewhere {
	t.Helper()
	s := &elsewhere{hold: make(chan struct{}), arrive: make(chan string, 100)}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.asked = append(s.asked, r.URL.Path)
		busy := s.busy > 0
		s.busy--
		s.mu.Unlock()
		s.arrive <- r.URL.Path
		switch {
		case busy:
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		case r.URL.Path == "/none":
			w.WriteHeader(http.StatusNotFound)
			return
		case r.URL.Path == "/slow":
			fmt.Fprint(w, "/sl")
			_ = http.NewResponseController(w).Flush()
			select {
			case <-s.hold:
				fmt.Fprint(w, "ow")
			case <-r.Context().Done():
			}
			return
		}
		fmt.Fprint(w, r.URL.Path)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *elsewhere) file(path string) wire.Fetch {
	return wire.Fetch{Name: strings.TrimPrefix(path, "/"), URL: s.URL + path}
}

func (s *elsewhere) times(path string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, p := range s.asked {
		if p == path {
			n++
		}
	}
	return n
}

// reaches lets a keeper take deals and fetch from this machine.
func reaches(t *testing.T, d *desk) func(*Config) {
	t.Helper()
	f, err := outside.New(outside.Config{Private: true})
	if err != nil {
		t.Fatal(err)
	}
	return func(c *Config) { c.Chain, c.Outside = d, f }
}

// startOver is a deal's run that prints the files that it names, the dataset first.
func startOver(set wire.Fetch, files ...wire.Fetch) wire.Instruction {
	in := startDeal(1, 1, `cd "$IEXEC_IN"; cat "$IEXEC_DATASET_FILENAME" "$IEXEC_INPUT_FILE_NAME_1" "$IEXEC_INPUT_FILE_NAME_2" >"$IEXEC_OUT/all"; ls >"$IEXEC_OUT/names"`)
	in.Run.Fetch = append([]wire.Fetch{set}, files...)
	in.Run.Env = map[string]string{"IEXEC_DATASET_ADDRESS": "0xda7a", "IEXEC_DATASET_FILENAME": set.Name}
	for i, f := range files {
		in.Run.Env[fmt.Sprintf("IEXEC_INPUT_FILE_NAME_%d", i+1)] = f.Name
	}
	return in
}

func sum(text string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(text))) }

// A run reads the dataset and the files that its deal names; what is busy is asked
// again.
func TestFetchesWhatADealNames(t *testing.T) {
	s := newElsewhere(t)
	s.busy = 2
	k, _ := keep(t, reaches(t, newDesk()))
	set := wire.Fetch{Name: "0xda7a", URL: s.URL + "/set", SHA256: sum("/set")}
	k.Obey([]wire.Instruction{startOver(set, s.file("/a"), s.file("/b"))})
	until(t, k, 1, "running")
	rest(t, k)
	if len(s.asked) != 0 {
		t.Error("fetched before the pool gave its word")
	}
	k.Obey(do(1, wire.DoContinue, "0xabcd"))
	until(t, k, 1, "reported")
	if got := unzip(t, filepath.Join(k.Ledger.Folder(1, 1), "result.zip"), "all"); got != "/set/a/b" {
		t.Errorf("it read %q", got)
	}
	if got := unzip(t, filepath.Join(k.Ledger.Folder(1, 1), "result.zip"), "names"); got != "0xda7a\na\nb\n" {
		t.Errorf("it saw %q", got)
	}
}

// What does not come fails the run, in words that name the file.
func TestFilesThatDoNotCome(t *testing.T) {
	s := newElsewhere(t)
	for name, c := range map[string]struct {
		set   wire.Fetch
		file  wire.Fetch
		room  int64
		guard bool
		want  string
	}{
		"none":         {s.file("/set"), s.file("/none"), 100, false, "input file 2: its host answers 404 Not Found"},
		"wrong bytes":  {wire.Fetch{Name: "0xda7a", URL: s.URL + "/set", SHA256: sum("/other")}, s.file("/b"), 100, false, "the dataset: its SHA-256 is not the one announced"},
		"no room":      {s.file("/set"), s.file("/long-name"), 4 + 2 + 9, false, "input file 2: it has more than the 9 bytes"},
		"private":      {s.file("/set"), s.file("/b"), 100, true, "the dataset: its host's address is not a public one"},
		"no file name": {s.file("/set"), wire.Fetch{Name: "../x", URL: s.URL + "/b"}, 100, false, `"../x" is no file name`},
	} {
		t.Run(name, func(t *testing.T) {
			k, _ := keep(t, func(conf *Config) {
				reaches(t, newDesk())(conf)
				conf.Scratch = func() (int64, error) { return c.room, nil }
				if c.guard {
					conf.Outside, _ = outside.New(outside.Config{})
				}
			})
			k.Obey([]wire.Instruction{startOver(c.set, s.file("/a"), c.file)})
			until(t, k, 1, "running")
			rest(t, k)
			k.Obey(do(1, wire.DoContinue, "0xabcd"))
			rest(t, k)
			if r := k.Reports()[0]; r.State != "failed" || !strings.Contains(r.Reason, c.want) || strings.Contains(r.Reason, "127.0.0.1") {
				t.Errorf("%+v, want %q", r, c.want)
			}
			if _, err := os.Stat(filepath.Join(k.Ledger.Folder(1, 1), "fetched")); err == nil {
				t.Error("a part of it was left")
			}
		})
	}
}

// A worker that dies while it fetches goes on with what is not there yet; what came
// and was changed since is fetched anew.
func TestFetchingGoesOn(t *testing.T) {
	s, dir := newElsewhere(t), t.TempDir()
	b := newBucket(t)
	c := config(t, b, dir)
	reaches(t, newDesk())(&c)
	k := New(c)
	k.Obey([]wire.Instruction{startOver(s.file("/set"), s.file("/a"), s.file("/slow"))})
	until(t, k, 1, "running")
	rest(t, k)
	k.Obey(do(1, wire.DoContinue, "0xabcd"))
	for path := ""; path != "/slow"; {
		select {
		case path = <-s.arrive:
		case <-time.After(30 * time.Second):
			t.Fatal("nobody asks for the slow file")
		}
	}
	k.Close()
	if err := c.Ledger.Close(); err != nil {
		t.Fatal(err)
	}
	in := filepath.Join(c.Ledger.Folder(1, 1), "in")
	if err := os.WriteFile(filepath.Join(in, "a"), []byte("another"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(in, "slow")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a part of a file is in its place: %v", err)
	}
	close(s.hold)
	c = config(t, b, dir)
	reaches(t, newDesk())(&c)
	k = New(c)
	t.Cleanup(k.Close)
	if err := k.Recover(); err != nil {
		t.Fatal(err)
	}
	until(t, k, 1, "reported")
	if got := unzip(t, filepath.Join(k.Ledger.Folder(1, 1), "result.zip"), "all"); got != "/set/a/slow" {
		t.Errorf("it read %q", got)
	}
	for path, want := range map[string]int{"/set": 1, "/a": 2, "/slow": 2} {
		if got := s.times(path); got != want {
			t.Errorf("%s was asked for %d times, want %d", path, got, want)
		}
	}
}

// never says forever that it may come.
type never struct{}

func (never) Fetch(context.Context, string, string, int64, *os.File) (outside.File, error) {
	return outside.File{}, &outside.Error{Reason: "not now"}
}

// What never comes is tried until the run's time is over.
func TestFetchingEndsWithTheRun(t *testing.T) {
	k, _ := keep(t, func(c *Config) {
		c.Chain, c.Outside = newDesk(), never{}
		c.Pause = func(ctx context.Context, _ time.Duration) error {
			<-ctx.Done()
			return ctx.Err()
		}
	})
	in := startOver(wire.Fetch{Name: "0xda7a", URL: "http://h"})
	in.Run.RunLimitS = 1
	k.Obey([]wire.Instruction{in})
	until(t, k, 1, "running")
	rest(t, k)
	k.Obey(do(1, wire.DoContinue, "0xabcd"))
	rest(t, k)
	if r := k.Reports()[0]; r.State != "failed" || r.Reason != "the dataset: its time was over before it was there: not now" {
		t.Errorf("%+v", r)
	}
}

// Only a deal's run is let fetch, and only it may be told of files.
func TestFilesAreOfDeals(t *testing.T) {
	k, _ := keep(t, nil)
	in := start(1, 1, "true")
	in.Run.Fetch = []wire.Fetch{{Name: "a", URL: "http://h"}}
	named := start(2, 1, "true")
	named.Run.Env = map[string]string{"IEXEC_DATASET_FILENAME": "../../state.json"}
	k.Obey([]wire.Instruction{in, named})
	for i, want := range []string{"it names files elsewhere, which only deals may", `the work sets the variable "IEXEC_DATASET_FILENAME"`} {
		if r := k.Reports()[i]; r.State != "refused" || !strings.Contains(r.Reason, want) {
			t.Errorf("%+v, want %q", r, want)
		}
	}
}

// unzip gives a file of an archive.
func unzip(t *testing.T, path, name string) string {
	t.Helper()
	archive, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	text, err := fs.ReadFile(archive, name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
