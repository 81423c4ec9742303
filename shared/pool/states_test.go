package pool_test

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"workerpool/shared/pool"
)

var update = flag.Bool("update", false, "write docs/states.md anew")

const statesPage = "../../docs/states.md"

// TestStatesPage holds docs/states.md to the tables of this package. After a
// change of the tables: go test ./shared/pool -run TestStatesPage -update
func TestStatesPage(t *testing.T) {
	want := renderStates(t)
	if *update {
		if err := os.MkdirAll(filepath.Dir(statesPage), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(statesPage, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(statesPage)
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != want {
		t.Errorf("docs/states.md is stale; run: go test ./shared/pool -run TestStatesPage -update\n%s", firstDifference(string(have), want))
	}
}

func renderStates(t *testing.T) string {
	var b strings.Builder
	b.WriteString(`# States

Made from the tables of shared/pool by
` + "`go test ./shared/pool -run TestStatesPage -update`" + `; do not edit. One decision makes one
move: what lies between, such as a result that is reported and agreed upon in the
same heartbeat, is not a state that anybody sees.

## Work

`)
	render(&b, "work.go", t, pool.WorkStates, pool.WorkMoves, []column[pool.WorkState]{
		{"may be assigned", pool.WorkState.Open}, {"ended", pool.WorkState.Ended},
	})
	columns := []column[pool.AssignmentState]{{"holds a slot", pool.AssignmentState.Open}, {"held by its worker", pool.AssignmentState.Held}}
	b.WriteString("\n## Assignment of an api work\n\n")
	render(&b, "assignment.go", t, apiStates(), pool.AssignmentMoves, columns)
	b.WriteString("\n## Assignment of a deal's work\n\nThe chain is the judge: a reorganisation may take anything back until the work has ended.\n\n")
	render(&b, "assignment.go", t, pool.AssignmentStates, pool.DealMoves, columns)
	return b.String()
}

type column[S ~string] struct {
	title string
	holds func(S) bool
}

func render[S ~string](b *strings.Builder, file string, t *testing.T, states []S, moves map[S][]S, columns []column[S]) {
	t.Helper()
	meaning := meanings(t, file)
	b.WriteString("| state | meaning |")
	for _, c := range columns {
		fmt.Fprintf(b, " %s |", c.title)
	}
	b.WriteString(" may become |\n|---|---|" + strings.Repeat("---|", len(columns)) + "---|\n")
	for _, s := range states {
		if meaning[string(s)] == "" {
			t.Errorf("state %s has no comment in %s", s, file)
		}
		fmt.Fprintf(b, "| %s | %s |", s, meaning[string(s)])
		for _, c := range columns {
			fmt.Fprintf(b, " %s |", map[bool]string{true: "yes", false: "-"}[c.holds(s)])
		}
		var to []string
		for _, other := range states { // in the order of a life
			if slices.Contains(moves[s], other) {
				to = append(to, string(other))
			}
		}
		if len(to) == 0 {
			to = []string{"(an end)"}
		}
		fmt.Fprintf(b, " %s |\n", strings.Join(to, ", "))
	}
	b.WriteString("\n```mermaid\nstateDiagram-v2\n")
	fmt.Fprintf(b, "    [*] --> %s\n", states[0])
	for _, s := range states {
		for _, other := range states {
			if slices.Contains(moves[s], other) {
				fmt.Fprintf(b, "    %s --> %s\n", s, other)
			}
		}
		if len(moves[s]) == 0 {
			fmt.Fprintf(b, "    %s --> [*]\n", s)
		}
	}
	b.WriteString("```\n")
}

// meanings gives the comment at each string constant of a file, by its value.
func meanings(t *testing.T, file string) map[string]string {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	ast.Inspect(parsed, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 || spec.Comment == nil {
			return true
		}
		kind, ok := spec.Type.(*ast.Ident)
		literal, isLiteral := spec.Values[0].(*ast.BasicLit)
		if !ok || !isLiteral || !strings.HasSuffix(kind.Name, "State") || kind.Name == "ReportState" {
			return true
		}
		value, err := strconv.Unquote(literal.Value)
		if err != nil {
			t.Fatal(err)
		}
		out[value] = strings.TrimSpace(spec.Comment.Text())
		return true
	})
	return out
}

func firstDifference(have, want string) string {
	h, w := strings.Split(have, "\n"), strings.Split(want, "\n")
	for i := range min(len(h), len(w)) {
		if h[i] != w[i] {
			return fmt.Sprintf("line %d\n  is     %s\n  wanted %s", i+1, h[i], w[i])
		}
	}
	return fmt.Sprintf("%d lines, wanted %d", len(h), len(w))
}
