package house

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"
)

// rule says what the packages of some rooms may import. Patterns: "shared/pool"
// is that package, "shared/store/..." that package and what lies below, "*" any
// one folder name; "std" is the standard library but what restricted keeps for
// others; everything with a dot in its first element comes from elsewhere.
type rule struct {
	rooms []string
	allow []string
}

var (
	nouns = []string{"shared/pool", "shared/cid", "shared/wire", "shared/draw", "shared/consensus", "shared/life", "shared/placement", "shared/settlement", "shared/reason"}
	verbs = []string{"shared/submit", "shared/heartbeat", "shared/query", "shared/session", "shared/operate", "shared/dispatch", "shared/reconcile"}
	tools = []string{"shared/auth", "shared/env", "shared/telemetry", "shared/web"}
	doors = []string{"shared/store/...", "shared/queue", "shared/blob", "shared/secret", "shared/entry", "shared/ethsig", "shared/chain/..."}
	sdk   = []string{"github.com/aws/aws-sdk-go-v2/...", "github.com/aws/smithy-go/..."}
	// ethereum is the client of the chain.
	ethereum = "github.com/ethereum/go-ethereum/..."
	// engine is the Docker engine's client and the two small modules that it speaks in.
	engine = []string{"github.com/moby/moby/...", "github.com/containerd/errdefs", "github.com/distribution/reference"}
	// testLibraries may be used by tests anywhere.
	testLibraries = []string{"pgregory.net/rapid", "github.com/google/go-cmp/...", "github.com/getkin/kin-openapi/...", "gopkg.in/yaml.v3"}
)

// rules is the picture of docs/architecture.md as a table. The first row that
// names a package counts; a package that no row names belongs nowhere.
var rules = []rule{
	// Nouns think: values in, values out.
	{rooms: []string{"shared/pool"}, allow: with("std")},
	{rooms: []string{"shared/cid"}, allow: with("std", "shared/pool", "github.com/ipfs/go-cid", "github.com/multiformats/...")},
	{rooms: []string{"shared/consensus"}, allow: with("std", "shared/pool")},
	{rooms: []string{"shared/life"}, allow: with("std", "shared/pool", "shared/consensus")},
	{rooms: []string{"shared/placement"}, allow: with("std", "shared/pool", "shared/consensus", "shared/life")},
	{rooms: []string{"shared/settlement"}, allow: with("std", "shared/pool", "shared/consensus")},
	{rooms: []string{"shared/settlement/pocotest"}, allow: with("std", "shared/pool")},
	{rooms: []string{"shared/reason"}, allow: with("std", "shared/pool", "shared/placement")},
	{rooms: []string{"shared/wire"}, allow: with("std", "shared/pool", "shared/placement", "shared/reason")},
	{rooms: []string{"shared/draw"}, allow: with("std", "shared/pool", "shared/placement", "shared/wire")},
	// Verbs hold one flow each and know no technology.
	{rooms: verbs, allow: with("std", nouns, "shared/auth", "shared/telemetry", "shared/web")},
	// Doors hold one technology each and do not know who comes through.
	{rooms: []string{"shared/store/storetest", "shared/pooltest"}, allow: with("...")},
	{rooms: []string{"shared/store/migrate"}, allow: with("std", nouns, "shared/telemetry", "shared/store/...", "database/sql/...", "github.com/go-sql-driver/mysql", "github.com/pressly/goose/v3/...")},
	{rooms: []string{"shared/store/..."}, allow: with("std", nouns, "shared/telemetry", "shared/store/...", "database/sql/...", "github.com/go-sql-driver/mysql")},
	{rooms: []string{"shared/queue", "shared/blob", "shared/secret"}, allow: with("std", nouns, "shared/telemetry", sdk)},
	{rooms: []string{"shared/ethsig"}, allow: with("std", "shared/pool", "github.com/ethereum/go-ethereum/crypto", "github.com/ethereum/go-ethereum/accounts/keystore", "github.com/google/uuid")},
	{rooms: []string{"shared/chain/kms"}, allow: with("std", "shared/pool", "shared/ethsig", sdk)},
	{rooms: []string{"shared/chain/chaintest"}, allow: with("...")},
	{rooms: []string{"shared/chain/..."}, allow: with("std", nouns, "shared/telemetry", "shared/ethsig", "shared/chain", "shared/chain/node", "shared/chain/poco", "shared/chain/kms", "shared/chain/fit", ethereum)},
	{rooms: []string{"shared/entry"}, allow: with("std", "shared/pool", "shared/telemetry", "shared/web", "github.com/aws/aws-lambda-go/...")},
	{rooms: []string{"shared/client"}, allow: with("std", "shared/pool", "shared/wire")},
	// Tools serve all but the nouns and know no room.
	{rooms: []string{"shared/auth"}, allow: with("std", "shared/pool", "shared/web", "github.com/golang-jwt/jwt/v5", "golang.org/x/crypto/...")},
	{rooms: []string{"shared/web"}, allow: with("std", "shared/pool", "shared/wire", "shared/telemetry")},
	{rooms: []string{"shared/env", "shared/telemetry"}, allow: with("std")},
	// Functions wire; programs are outside.
	{rooms: []string{"functions/*"}, allow: with("std", nouns, verbs, doors, tools, "docs")},
	{rooms: []string{"cmd/worker/container"}, allow: with("std", "cmd/worker/executor", engine, "golang.org/x/sys/...")},
	{rooms: []string{"cmd/worker/..."}, allow: with("std", "cmd/worker/...", "shared/client", "shared/wire", "shared/pool", "shared/cid", "shared/chain", "shared/ethsig", "github.com/alecthomas/kong", "golang.org/x/sys/...", "golang.org/x/term")},
	{rooms: []string{"cmd/poolctl/..."}, allow: with("std", "cmd/poolctl/...", "cmd/mandelbrot/picture", "shared/client", "shared/wire", "shared/pool", "shared/ethsig", "shared/chain/...", "github.com/alecthomas/kong", "golang.org/x/term")},
	{rooms: []string{"cmd/mandelbrot/..."}, allow: with("std", "cmd/mandelbrot/...")},
	{rooms: []string{"cmd/localpool"}, allow: with("std", "infra/local/...", "shared/client", "shared/wire", "shared/pool", "github.com/alecthomas/kong")},
	{rooms: []string{"cmd/demo/..."}, allow: with("std", "cmd/demo/...", "cmd/mandelbrot/picture", "cmd/poolctl/progress", "cmd/poolctl/results", "golang.org/x/term", "infra/local/...", "shared/client", "shared/wire", "shared/pool", "shared/cid")},
	{rooms: []string{"docs"}, allow: with("std")},
	{rooms: []string{"infra/local/...", "test/..."}, allow: with("...")},
}

// restricted are parts of the standard library that "std" does not stand for in
// some rooms.
var restricted = []struct {
	paths []string
	rooms []string
	why   string
}{
	{[]string{"context", "log", "log/slog", "os", "os/exec", "net", "net/http", "crypto/rand", "math/rand", "syscall"}, nouns, "a noun only thinks: no clock, no chance, no logger, no world outside"},
	{[]string{"database/sql", "database/sql/driver"}, []string{"..."}, "SQL is for shared/store"},
	{[]string{"math/rand"}, []string{"..."}, "math/rand/v2 is the present one"},
}

// with joins patterns and lists of them.
func with(parts ...any) []string {
	var out []string
	for _, part := range parts {
		switch part := part.(type) {
		case string:
			out = append(out, part)
		case []string:
			out = append(out, part...)
		}
	}
	return out
}

// matches tells whether name is what the pattern means.
func matches(pattern, name string) bool {
	if pattern == "..." {
		return true
	}
	if below, ok := strings.CutSuffix(pattern, "/..."); ok {
		return name == below || strings.HasPrefix(name, below+"/")
	}
	ok, err := path.Match(pattern, name)
	return err == nil && ok
}

func among(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return matches(p, name) })
}

// fromModule gives an import path of this module relative to its top.
func fromModule(name string) (string, bool) { return strings.CutPrefix(name, module+"/") }

func standard(name string) bool {
	first, _, _ := strings.Cut(name, "/")
	_, own := fromModule(name)
	return !own && !strings.Contains(first, ".")
}

func ruleOf(folder string) (rule, bool) {
	for _, r := range rules {
		if among(r.rooms, folder) {
			return r, true
		}
	}
	return rule{}, false
}

// checkImports complains about imports that the table does not allow.
func checkImports(code tree) []string {
	var out []string
	for _, folder := range code.folders() {
		r, ok := ruleOf(folder)
		if !ok {
			out = append(out, fmt.Sprintf("%s belongs to no room: give it a row in the table of test/house/imports_test.go", folder))
			continue
		}
		for _, file := range code[folder] {
			for _, name := range file.imports() {
				if why := forbidden(r, folder, name, file.test); why != "" {
					out = append(out, fmt.Sprintf("%s imports %s: %s", file.path, name, why))
				}
			}
		}
	}
	return sorted(out)
}

// forbidden says why a file of folder must not import name; "" when it may.
func forbidden(r rule, folder, name string, test bool) string {
	own, inModule := fromModule(name)
	switch {
	case inModule && own == folder:
		return ""
	case inModule && among([]string{"functions/*", "cmd/*"}, own):
		return "nothing imports a program"
	case among(r.allow, name), inModule && among(r.allow, own):
		return ""
	case standard(name):
		for _, keep := range restricted {
			if slices.Contains(keep.paths, name) && among(keep.rooms, folder) && !test {
				return keep.why
			}
		}
		return ""
	case test && among(testLibraries, name):
		return ""
	case test && inModule && strings.HasPrefix(own, folder+"/") && strings.HasSuffix(own, "test"):
		return ""
	case test && inModule && among(nouns, folder):
		return "the tests of a noun need nothing but nouns"
	case test && inModule:
		return ""
	case test && among(doors, folder) && (among(sdk, name) || matches(ethereum, name)):
		return ""
	}
	return "allowed here are " + strings.Join(r.allow, ", ")
}

// linked are the packages of this module that a program is made of.
func linked(code tree, folder string) []string {
	seen := map[string]bool{}
	var visit func(string)
	visit = func(folder string) {
		if seen[folder] {
			return
		}
		seen[folder] = true
		for _, file := range code[folder] {
			for _, name := range file.imports() {
				if own, ok := fromModule(name); ok && !file.test {
					visit(own)
				}
			}
		}
	}
	visit(folder)
	var out []string
	for name := range seen {
		out = append(out, name)
	}
	return sorted(out)
}

// onChain says which functions may be made with a part of the chain: the curve and
// keys, a key in KMS, or all of it with the client of the chain's nodes.
var onChain = map[string][]string{
	"shared/ethsig":    {"heartbeat", "dispatch", "reconcile", "check"},
	"shared/chain/kms": {"dispatch", "reconcile", "check"},
	"shared/chain/...": {"reconcile", "check"},
}

// checkLinked complains about what must not be a part of a function although each
// import on the way is allowed.
func checkLinked(code tree) []string {
	var out []string
	for _, folder := range code.folders() {
		if !matches("functions/*", folder) {
			continue
		}
		for _, name := range linked(code, folder) {
			own := path.Base(folder)
			for _, part := range []string{"shared/ethsig", "shared/chain/kms", "shared/chain/..."} {
				if matches(part, name) {
					if !slices.Contains(onChain[part], own) {
						out = append(out, folder+" is linked with "+name+", and has no business with that part of the chain")
					}
					break
				}
			}
			switch {
			case name == "shared/store/migrate" && own != "migrate":
				out = append(out, folder+" is linked with shared/store/migrate, which is for migrate alone")
			case among(verbs, name) && path.Base(name) != own:
				out = append(out, folder+" is linked with "+name+", which is another function's verb")
			case strings.HasSuffix(name, "test") || among([]string{"infra/...", "test/..."}, name):
				out = append(out, folder+" is linked with "+name+", which is for tests and local use")
			}
		}
	}
	return sorted(out)
}

func TestImports(t *testing.T) { accept(t, checkImports(readTree(t))) }

func TestLinked(t *testing.T) { accept(t, checkLinked(readTree(t))) }

func TestImportsRefused(t *testing.T) {
	for name, c := range map[string]struct{ file, imported, why string }{
		"SQL in a verb":              {"shared/dispatch/a.go", "database/sql", "SQL is for shared/store"},
		"store in a noun":            {"shared/placement/a.go", "workerpool/shared/store", "allowed here are"},
		"store in a verb":            {"shared/submit/a.go", "workerpool/shared/store", "allowed here are"},
		"verb in a verb":             {"shared/submit/a.go", "workerpool/shared/dispatch", "allowed here are"},
		"verb in a door":             {"shared/queue/a.go", "workerpool/shared/dispatch", "allowed here are"},
		"door in a door":             {"shared/store/a.go", "workerpool/shared/queue", "allowed here are"},
		"Lambda events in a verb":    {"shared/query/a.go", "github.com/aws/aws-lambda-go/events", "allowed here are"},
		"Lambda in a function":       {"functions/query/main.go", "github.com/aws/aws-lambda-go/lambda", "allowed here are"},
		"a library in a noun":        {"shared/pool/a.go", "github.com/google/uuid", "allowed here are"},
		"a logger in a noun":         {"shared/life/a.go", "log/slog", "a noun only thinks"},
		"chance in a noun":           {"shared/placement/a.go", "math/rand", "a noun only thinks"},
		"tool in a noun":             {"shared/consensus/a.go", "workerpool/shared/telemetry", "allowed here are"},
		"noun against the order":     {"shared/consensus/a.go", "workerpool/shared/placement", "allowed here are"},
		"goose outside of migrate":   {"shared/store/a.go", "github.com/pressly/goose/v3", "allowed here are"},
		"test help in a product":     {"shared/submit/a.go", "workerpool/shared/pooltest", "allowed here are"},
		"another's test help":        {"shared/life/a_test.go", "workerpool/shared/settlement/pocotest", "nothing but nouns"},
		"test help in a noun":        {"shared/settlement/a.go", "workerpool/shared/settlement/pocotest", "allowed here are"},
		"store in a test of a noun":  {"shared/pool/a_test.go", "workerpool/shared/store", "nothing but nouns"},
		"a validator in the product": {"shared/web/a.go", "github.com/getkin/kin-openapi/openapi3", "allowed here are"},
		"Docker in another part":     {"cmd/worker/turns/a.go", "github.com/moby/moby/client", "allowed here are"},
		"Docker in a door":           {"shared/blob/a.go", "github.com/moby/moby/client", "allowed here are"},
		"a program's part in shared": {"shared/query/a.go", "workerpool/cmd/mandelbrot/picture", "allowed here are"},
		"a program in a test":        {"test/e2e/a_test.go", "workerpool/cmd/worker", "nothing imports a program"},
		"a package without a room":   {"shared/util/a.go", "fmt", "belongs to no room"},
	} {
		t.Run(name, func(t *testing.T) {
			code := plant(t, map[string]string{c.file: "package p\n\nimport _ \"" + c.imported + "\"\n"})
			refuse(t, checkImports(code), c.why)
		})
	}
}

func TestImportsAccepted(t *testing.T) {
	accept(t, checkImports(plant(t, map[string]string{
		"shared/store/migrate/a.go":   "package p\n\nimport _ \"github.com/pressly/goose/v3\"\n",
		"shared/settlement/a_test.go": "package p\n\nimport _ \"workerpool/shared/settlement/pocotest\"\n",
		"shared/submit/a_test.go":     "package p\n\nimport (\n\t_ \"pgregory.net/rapid\"\n\t_ \"workerpool/shared/pooltest\"\n)\n",
		"functions/submit/main.go":    "package main\n\nimport (\n\t_ \"workerpool/shared/store\"\n\t_ \"workerpool/shared/submit\"\n)\n",
	})))
}

func TestLinkedRefused(t *testing.T) {
	code := plant(t, map[string]string{
		"functions/submit/main.go":   "package main\n\nimport _ \"workerpool/shared/store\"\n",
		"shared/store/a.go":          "package store\n\nimport _ \"workerpool/shared/store/migrate\"\n",
		"shared/store/migrate/a.go":  "package migrate\n",
		"functions/migrate/main.go":  "package main\n\nimport _ \"workerpool/shared/store/migrate\"\n",
		"functions/dispatch/main.go": "package main\n\nimport _ \"workerpool/shared/submit\"\n",
		"functions/query/main.go":    "package main\n\nimport _ \"workerpool/shared/pooltest\"\n",

		"functions/session/main.go":   "package main\n\nimport _ \"workerpool/shared/ethsig\"\n",
		"shared/ethsig/a.go":          "package ethsig\n",
		"functions/heartbeat/main.go": "package main\n\nimport _ \"workerpool/shared/chain\"\n",
		"shared/chain/a.go":           "package chain\n\nimport _ \"workerpool/shared/ethsig\"\n",
		"functions/reconcile/main.go": "package main\n\nimport _ \"workerpool/shared/chain\"\n",
	})
	refuse(t, checkLinked(code), "functions/dispatch is linked with shared/submit",
		"functions/heartbeat is linked with shared/chain, and has no business",
		"functions/query is linked with shared/pooltest",
		"functions/session is linked with shared/ethsig, and has no business",
		"functions/submit is linked with shared/store/migrate")
}
