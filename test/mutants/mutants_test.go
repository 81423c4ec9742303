// Package mutants proves that the tests of the nouns can fail: each bug of a
// list is put into a copy of its file, and the tests must notice. It owns the
// list; it tests no rule itself.
package mutants

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// nouns are the packages whose tests are put to the proof, fastest first.
var nouns = []string{"pool", "consensus", "wire", "reason", "settlement", "placement", "life"}

const root = "../.."

// mutant is one bug: text that stands exactly once in a file below shared, what
// to put in its place, and what would then go wrong.
type mutant struct{ file, old, new, why string }

var (
	only = flag.String("only", "", "plant only the bugs of files whose path below shared begins so, all of them")
	all  = flag.Bool("all", false, "plant every bug, not a draw of them")
)

// drawn is how many bugs a run plants when it is not told which: each is a build
// and a run of tests, and all would take as long as all other tests together.
const drawn = 40

// TestMutants plants one bug after the other, of those that are drawn; with -short
// it only sees that each of the list still can be planted.
func TestMutants(t *testing.T) {
	mutants := slices.DeleteFunc(slices.Clone(mutants), func(m mutant) bool { return !strings.HasPrefix(m.file, *only) })
	planted := make([][]byte, len(mutants))
	for i, m := range mutants {
		planted[i] = m.plant(t)
	}
	if t.Failed() || testing.Short() {
		return
	}
	if *only == "" && !*all && len(mutants) > drawn {
		// No seed: whatever survives is named in full.
		rand.Shuffle(len(mutants), func(i, j int) {
			mutants[i], mutants[j] = mutants[j], mutants[i]
			planted[i], planted[j] = planted[j], planted[i]
		})
		mutants = mutants[:drawn]
	}
	if out, ok := test(t, "", nouns...); !ok {
		t.Fatalf("the tests fail without any bug:\n%s", out)
	}
	var (
		wait     sync.WaitGroup
		lock     sync.Mutex
		caught   int
		survived []string
		work     = make(chan int)
	)
	for range 2 {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for i := range work {
				noticed := mutants[i].noticed(t, planted[i])
				lock.Lock()
				if noticed {
					caught++
				} else {
					survived = append(survived, mutants[i].String())
				}
				lock.Unlock()
			}
		}()
	}
	for i := range mutants {
		work <- i
	}
	close(work)
	wait.Wait()
	fmt.Printf("%d of %d caught\n", caught, len(mutants))
	for _, m := range survived {
		t.Errorf("nobody noticed %s", m)
	}
}

func (m mutant) String() string {
	return fmt.Sprintf("%s: %q for %q (%s)", m.file, m.new, m.old, m.why)
}

// plant gives the file with the bug in it.
func (m mutant) plant(t *testing.T) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "shared", m.file))
	if err != nil {
		t.Errorf("planting %s: %v", m, err)
		return nil
	}
	if n := bytes.Count(text, []byte(m.old)); n != 1 {
		t.Errorf("%s: its old text stands there %d times, not once: bring the list up to date", m, n)
	}
	return bytes.Replace(text, []byte(m.old), []byte(m.new), 1)
}

// noticed runs the tests with the bug: first those of its own package, which
// mostly notice, then the others.
func (m mutant) noticed(t *testing.T, text []byte) bool {
	dir := t.TempDir()
	copied := filepath.Join(dir, filepath.Base(m.file))
	original, err := filepath.Abs(filepath.Join(root, "shared", m.file))
	if err != nil {
		t.Error(err)
		return false
	}
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {original: copied}})
	if err != nil {
		t.Error(err)
		return false
	}
	list := filepath.Join(dir, "overlay.json")
	for name, content := range map[string][]byte{copied: text, list: overlay} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Error(err)
			return false
		}
	}
	own := filepath.Dir(m.file)
	others := []string{}
	for _, noun := range nouns {
		if noun != own {
			others = append(others, noun)
		}
	}
	for _, packages := range [][]string{{own}, others} {
		out, ok := test(t, list, packages...)
		if strings.Contains(out, "[build failed]") || strings.Contains(out, "[setup failed]") {
			t.Errorf("%s does not compile:\n%s", m, out)
			return false
		}
		if !ok {
			return true
		}
	}
	return false
}

// test runs the tests of nouns under an overlay ("" for none) and tells whether
// they pass. A failing property is not made smaller: that it fails is enough.
func test(t *testing.T, overlay string, packages ...string) (string, bool) {
	args := []string{"test", "-count=1", "-vet=off", "-failfast", "-timeout=60s", "-ldflags=-s -w"}
	if overlay != "" {
		args = append(args, "-overlay="+overlay)
	}
	for _, p := range packages {
		args = append(args, "./shared/"+p)
	}
	args = append(args, "-rapid.nofailfile", "-rapid.shrinktime=1ns")
	command := exec.CommandContext(t.Context(), "go", args...)
	command.Dir = root
	out, err := command.CombinedOutput()
	return string(out), err == nil
}
