package house

import (
	"fmt"
	"go/ast"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Limits of sizes.
const (
	maxFileLines     = 400
	maxPackageLines  = 1500 // tests not counted
	maxFunctionLines = 70   // functions/*/main.go
	maxMethods       = 5    // of an interface
	maxBelowShared   = 2    // folders
)

// unlimited may be longer than maxPackageLines: all statements stand together, and
// all bodies.
var unlimited = []string{"shared/store", "shared/wire"}

// vague are names under which everything can be put.
var vague = []string{"util", "utils", "common", "helper", "helpers", "types", "models", "interfaces", "errors", "log", "config", "misc", "base"}

// calls says which functions of the standard library are for some rooms only.
// Mentioning one counts, not only calling it.
var calls = []struct {
	pkg, pattern string
	rooms        []string // where it is allowed
	tests        bool     // tests may
	why          string
}{
	{"os", `^(Getenv|LookupEnv|Environ|ExpandEnv)$`, []string{"shared/env", "infra/...", "cmd/...", "test/...", "shared/pooltest", "shared/store/storetest"}, true,
		"shared/env reads the environment, and reports all faults at once"},
	{"time", `^(Now|Since|Until)$`, with(doors, "functions/*", "shared/client", "shared/telemetry", "infra/...", "cmd/...", "test/...", "shared/pooltest"), true,
		"the time is given to whoever decides by it"},
	{"fmt", `^Print`, []string{"cmd/...", "infra/...", "test/..."}, true, "log with slog and attributes"},
	{"rand", `^(Int|Uint|Float|Perm|Shuffle|N$|NormFloat|ExpFloat|Read|Text)`, with(doors, verbs, tools, "functions/*", "shared/client", "infra/...", "cmd/...", "test/...", "shared/pooltest"), true,
		"a noun draws from a given seed only"},
	{"time", `^Sleep$`, []string{"infra/local/...", "cmd/...", "test/e2e/...", "test/load/..."}, false, "wait for something, not for time to pass"},
}

// checkCode complains about code that is in the wrong place.
func checkCode(code tree) []string {
	var out []string
	for _, folder := range code.folders() {
		for _, file := range code[folder] {
			ast.Inspect(file.ast, func(node ast.Node) bool {
				selector, ok := node.(*ast.SelectorExpr)
				if !ok {
					return true
				}
				of, ok := selector.X.(*ast.Ident)
				if !ok {
					return true
				}
				if file.test && of.Name == "t" && strings.HasPrefix(selector.Sel.Name, "Skip") {
					out = append(out, file.path+": a test is skipped; it proves nothing")
				}
				for _, c := range calls {
					if of.Name == c.pkg && regexp.MustCompile(c.pattern).MatchString(selector.Sel.Name) && !among(c.rooms, folder) && (!file.test || !c.tests) {
						out = append(out, fmt.Sprintf("%s uses %s.%s: %s", file.path, c.pkg, selector.Sel.Name, c.why))
					}
				}
				return true
			})
			if marker.MatchString(file.text) {
				out = append(out, file.path+" has a place marked as unfinished")
			}
		}
	}
	return sorted(out)
}

// marker is spelt so that it does not find itself.
var marker = regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|XX` + `X)\b`)

// checkSizes complains about what has grown too big, too deep or too vague;
// nobody reads generated files.
func checkSizes(code tree) []string {
	var out []string
	for _, folder := range code.folders() {
		sum := 0
		for _, file := range code[folder] {
			if ast.IsGenerated(file.ast) {
				continue
			}
			if file.lines > maxFileLines {
				out = append(out, fmt.Sprintf("%s has %d lines, at most %d are allowed", file.path, file.lines, maxFileLines))
			}
			if !file.test {
				sum += file.lines
				out = append(out, checkInterfaces(file)...)
			}
		}
		if sum > maxPackageLines && !slices.Contains(unlimited, folder) {
			out = append(out, fmt.Sprintf("%s has %d lines without tests, at most %d are allowed", folder, sum, maxPackageLines))
		}
		if slices.Contains(vague, path.Base(folder)) {
			out = append(out, folder+" has a name that says nothing")
		}
		if below, ok := strings.CutPrefix(folder, "shared/"); ok && strings.Count(below, "/")+1 > maxBelowShared {
			out = append(out, fmt.Sprintf("%s lies more than %d folders below shared", folder, maxBelowShared))
		}
		if matches("functions/*", folder) {
			out = append(out, checkMain(folder, code[folder])...)
		} else if strings.HasPrefix(folder, "functions/") || folder == "functions" {
			out = append(out, folder+" has Go code; in functions each folder has one main.go and nothing else")
		}
	}
	return sorted(out)
}

func checkInterfaces(file source) []string {
	var out []string
	ast.Inspect(file.ast, func(node ast.Node) bool {
		spec, ok := node.(*ast.TypeSpec)
		if !ok {
			return true
		}
		if face, ok := spec.Type.(*ast.InterfaceType); ok && face.Methods.NumFields() > maxMethods {
			out = append(out, fmt.Sprintf("%s: interface %s has %d methods, at most %d are allowed", file.path, spec.Name.Name, face.Methods.NumFields(), maxMethods))
		}
		return true
	})
	return out
}

func checkMain(folder string, files []source) []string {
	var out []string
	for _, file := range files {
		if path.Base(file.path) != "main.go" {
			out = append(out, file.path+": a function's folder has one main.go and nothing else")
		} else if file.lines > maxFunctionLines {
			out = append(out, fmt.Sprintf("%s has %d lines, at most %d are allowed: it only wires", file.path, file.lines, maxFunctionLines))
		}
	}
	return out
}

// checkComments complains about packages that do not say what they own.
func checkComments(code tree) []string {
	var out []string
	for _, folder := range code.folders() {
		said := false
		for _, file := range code[folder] {
			said = said || (file.ast.Doc != nil && len(file.ast.Doc.Text()) > 40)
		}
		if !said {
			out = append(out, folder+" has no package comment that says what it owns and what it must not do")
		}
	}
	return out
}

func TestCode(t *testing.T)     { accept(t, checkCode(readTree(t))) }
func TestSizes(t *testing.T)    { accept(t, checkSizes(readTree(t))) }
func TestComments(t *testing.T) { accept(t, checkComments(readTree(t))) }

// TestNothingElseInFunctions looks at all files, not at Go code only.
func TestNothingElseInFunctions(t *testing.T) {
	walk(t, "functions", func(name string) {
		if ok, _ := path.Match("functions/*/main.go", name); !ok {
			t.Errorf("%s: a function's folder has one main.go and nothing else", name)
		}
	})
}

func TestCodeRefused(t *testing.T) {
	refuse(t, checkCode(plant(t, map[string]string{
		"shared/submit/a.go":         "package p\n\nimport \"os\"\n\nvar _ = os.Getenv(\"X\")\n",
		"shared/heartbeat/a.go":      "package p\n\nimport \"time\"\n\nvar clock = time.Now\n",
		"shared/query/a.go":          "package p\n\nimport \"fmt\"\n\nfunc f() { fmt.Println() }\n",
		"shared/placement/a.go":      "package p\n\nimport \"math/rand/v2\"\n\nvar _ = rand.IntN(2)\n",
		"shared/placement/b.go":      "package p\n\nimport \"math/rand/v2\"\n\nvar _ = rand.New(rand.NewPCG(1, 2))\n",
		"shared/store/a_test.go":     "package p\n\nimport \"time\"\n\nfunc f() { time.Sleep(1) }\n",
		"shared/store/b_test.go":     "package p\n\nimport \"testing\"\n\nfunc TestX(t *testing.T) { t.SkipNow() }\n",
		"shared/store/clock.go":      "package p\n\nimport \"time\"\n\nvar clock = time.Now\n",
		"shared/telemetry/unfin.go":  "package p\n\n// TO" + "DO: more\n",
		"infra/local/sqs/sqs.go":     "package p\n\nimport \"os\"\n\nvar _ = os.Getenv(\"X\")\n",
		"shared/env/env.go":          "package p\n\nimport \"os\"\n\nvar _ = os.LookupEnv\n",
		"shared/consensus/a_test.go": "package p\n\nimport \"time\"\n\nvar _ = time.Now()\n",
	})),
		"heartbeat/a.go uses time.Now", "placement/a.go uses rand.IntN", "query/a.go uses fmt.Println",
		"store/a_test.go uses time.Sleep", "store/b_test.go: a test is skipped",
		"submit/a.go uses os.Getenv", "unfin.go has a place marked")
}

func TestSizesRefused(t *testing.T) {
	long := func(n int) string { return "package p\n" + strings.Repeat("\n", n-1) }
	many := map[string]string{
		"shared/queue/a.go":           long(maxFileLines + 1),
		"shared/queue/ok.go":          long(maxFileLines),
		"shared/queue/generated.go":   "// Code generated by a tool. DO NOT EDIT.\n\n" + long(maxFileLines),
		"shared/submit/a.go":          "package p\n\ntype books interface{ A(); B(); C(); D(); E(); F() }\n",
		"shared/util/a.go":            "package p\n",
		"shared/a/b/c/d.go":           "package p\n",
		"functions/query/main.go":     long(maxFunctionLines + 1),
		"functions/query/other.go":    "package main\n",
		"functions/query/sub/main.go": "package main\n",
	}
	for i := range 4 {
		many[fmt.Sprintf("shared/blob/%d.go", i)] = long(maxFileLines)
		many[fmt.Sprintf("shared/store/%d.go", i)] = long(maxFileLines)
		many[fmt.Sprintf("shared/wire/%d_test.go", i)] = long(maxFileLines)
	}
	refuse(t, checkSizes(plant(t, many)),
		"functions/query/main.go has 71 lines", "functions/query/other.go: a function's folder",
		"functions/query/sub has Go code", "shared/a/b/c lies more than 2", "shared/blob has 1600 lines",
		"shared/queue/a.go has 401 lines", "interface books has 6 methods", "shared/util has a name")
}

func TestCommentsRefused(t *testing.T) {
	refuse(t, checkComments(plant(t, map[string]string{
		"shared/a/a.go": "package a\n",
		"shared/b/b.go": "// Package b owns the letter b and must not know of a.\npackage b\n",
		"shared/b/c.go": "package b\n",
	})), "shared/a has no package comment")
}
