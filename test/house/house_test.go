// Package house checks the rules of this repository that a compiler does not
// know: who may import whom, that a thing has one name everywhere, how big things
// may grow, and that template, code and documents say the same. Every rule is a
// function from what was read to a list of complaints; a test runs it on the tree,
// another on a planted violation. The package must not be imported.
package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	module = "workerpool"
	root   = "../.."
)

// source is one Go file.
type source struct {
	path  string // from the top, with slashes
	test  bool   // its name ends in _test.go
	lines int
	text  string
	ast   *ast.File
}

// imports are the paths the file imports.
func (s source) imports() []string {
	var out []string
	for _, spec := range s.ast.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if err == nil {
			out = append(out, name)
		}
	}
	return out
}

// tree is the Go code by folder. Files are parsed here and not asked of the go
// command, so that go test knows what was read and code that does not compile yet
// is judged all the same.
type tree map[string][]source

func (t tree) folders() []string { return slices.Sorted(maps.Keys(t)) }

// plant makes a tree of texts by path, for violations.
func plant(t *testing.T, files map[string]string) tree {
	t.Helper()
	out := tree{}
	for name, text := range files {
		out.add(t, name, text)
	}
	return out
}

func (t tree) add(tb testing.TB, name, text string) {
	tb.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		tb.Fatalf("parsing %s: %v", name, err)
	}
	folder := path.Dir(name)
	t[folder] = append(t[folder], source{
		path: name, test: strings.HasSuffix(name, "_test.go"),
		lines: strings.Count(text, "\n"), text: text, ast: file,
	})
}

// readTree reads all Go files that are built.
func readTree(t *testing.T) tree {
	t.Helper()
	out := tree{}
	for _, top := range []string{"cmd", "docs", "functions", "infra", "shared", "test"} {
		if _, err := os.Stat(filepath.Join(root, top)); err != nil {
			continue
		}
		walk(t, top, func(name string) {
			if strings.HasSuffix(name, ".go") {
				out.add(t, name, read(t, name))
			}
		})
	}
	if len(out) == 0 {
		t.Fatal("no Go code was found")
	}
	return out
}

// walk calls visit for every file below top, given and passed from the top of the
// repository, except test data.
func walk(t *testing.T, top string, visit func(name string)) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(root, top), func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if entry.Name() == "testdata" {
				return filepath.SkipDir
			}
			return nil
		}
		relative, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		visit(filepath.ToSlash(relative))
		return nil
	})
	if err != nil {
		t.Fatalf("walking %s: %v", top, err)
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatalf("%s is missing: %v", name, err)
	}
	return string(text)
}

// accept fails the test with every complaint.
func accept(t *testing.T, complaints []string) {
	t.Helper()
	for _, complaint := range complaints {
		t.Error(complaint)
	}
}

// refuse fails the test unless each of the planted violations is complained
// about, in the order of the complaints, and nothing else is.
func refuse(t *testing.T, complaints []string, planted ...string) {
	t.Helper()
	if len(complaints) != len(planted) {
		t.Fatalf("%d violations were planted, %d found:\n%s", len(planted), len(complaints), strings.Join(complaints, "\n"))
	}
	for i, want := range planted {
		if !strings.Contains(complaints[i], want) {
			t.Errorf("complaint %d is %q, and should speak of %q", i, complaints[i], want)
		}
	}
}

// differ complains about what one side has and the other has not.
func differ(what, left, right string, a, b []string) []string {
	var out []string
	for _, x := range sorted(a) {
		if !slices.Contains(b, x) {
			out = append(out, what+" "+x+" is in "+left+" and not in "+right)
		}
	}
	for _, x := range sorted(b) {
		if !slices.Contains(a, x) {
			out = append(out, what+" "+x+" is in "+right+" and not in "+left)
		}
	}
	return out
}

// sorted gives each entry once, in order.
func sorted(list []string) []string {
	out := slices.Clone(list)
	slices.Sort(out)
	return slices.Compact(out)
}

func TestDifferSeesBothSides(t *testing.T) {
	refuse(t, differ("name", "the left", "the right", []string{"a", "b"}, []string{"b", "c"}),
		"name a is in the left", "name c is in the right")
}
