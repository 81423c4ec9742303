package oracle

import (
	"slices"
	"strings"
	"testing"
)

func TestComplaintsAreHeard(t *testing.T) {
	said := listen(t, func(t testing.TB) {
		t.Helper()
		t.Errorf("number %d", 1)
		t.Error("two", 2)
		if !t.Failed() {
			t.Error("not told of")
		}
		t.Fail()
		t.Fatalf("last of %d", 4)
		t.Error("went on after the end")
	})
	if want := []string{"number 1", "two 2", "failed without a word", "last of 4"}; !slices.Equal(said, want) {
		t.Errorf("heard %q, want %q", said, want)
	}
	for _, end := range []func(testing.TB){func(t testing.TB) { t.FailNow() }, func(t testing.TB) { t.Fatal("x") }} {
		if said := listen(t, func(t testing.TB) { end(t); t.Error("went on") }); len(said) != 1 {
			t.Errorf("heard %q, want one complaint", said)
		}
	}
}

func TestJudge(t *testing.T) {
	one, two := Deviation{"c", "answers 200", "page: 403"}, Deviation{"c", "has no date", "page: a date"}
	for name, c := range map[string]struct {
		said  []string
		known []Deviation
		wrong []string // a part of each
	}{
		"as known":           {[]string{"a answers 200", "b has no date"}, []Deviation{one, two}, nil},
		"no longer":          {[]string{"a answers 200"}, []Deviation{one, two}, []string{`no complaint has "has no date"`}},
		"something else too": {[]string{"a answers 200", "down"}, []Deviation{one}, []string{"down"}},
		"something else":     {[]string{"down"}, []Deviation{one}, []string{"down", "no complaint"}},
		"said of two":        {[]string{"a answers 200", "b answers 200"}, []Deviation{one}, []string{"2 complaints"}},
	} {
		wrong := judge(c.said, c.known)
		if len(wrong) != len(c.wrong) {
			t.Errorf("%s: %q", name, wrong)
			continue
		}
		for i, part := range c.wrong {
			if !strings.Contains(wrong[i], part) {
				t.Errorf("%s: %q, want %q", name, wrong[i], part)
			}
		}
	}
}

// TestRun looks at the table of a run with two sides, one of which deviates.
func TestRun(t *testing.T) {
	even := func(t testing.TB, n int) {
		if n%2 != 0 {
			t.Errorf("%d is odd", n)
		}
	}
	open := func(n int) func(testing.TB, string) int { return func(testing.TB, string) int { return n } }
	Run(t, []Case[int]{{"even", even}, {"any", func(testing.TB, int) {}}},
		Side[int]{Name: "two", Open: open(2)},
		Side[int]{Name: "three", Open: open(3), Known: []Deviation{{"even", "3 is odd", "page: even"}}})
	b := newTable()
	b.cases, b.sides = []string{"a", "b"}, []string{"x", "y"}
	b.set("a", "x", "agrees")
	b.set("a", "y", "deviates (1)")
	b.set("b", "x", "agrees")
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	if got := strings.Join(strings.Fields(strings.Join(lines, " | ")), " "); got != "case x y | a agrees deviates (1) | b agrees FAILS" {
		t.Errorf("table %q", got)
	}
}

func TestShape(t *testing.T) {
	const sample = `{"a":1,"b":{"c":"x","d":null},"free":{"x":"1"},"list":[{"e":true}],"none":[],"old":0}`
	for ours, want := range map[string][]string{
		sample: nil,
		`{"a":2,"b":{"c":"y","d":null},"free":{"y":"2"},"list":[{"e":false},7],"none":[1],"old":0}`: nil,
		`{"a":"1","b":{"c":"x","d":{}},"free":{"x":1},"list":[{"e":0}],"none":{},"new":0}`: {
			".a: number in the sample, string here", ".b.d: null in the sample, object here", ".free.x: number, not in the sample",
			".list[].e: bool in the sample, number here", ".new: here only", ".none: list in the sample, object here", ".old: in the sample only"},
	} {
		if got, err := Shape([]byte(sample), []byte(ours), ".free"); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q, %v; want %q", ours, got, err, want)
		}
	}
	for _, broken := range [][2]string{{"{", "{}"}, {"{}", "{"}} {
		if _, err := Shape([]byte(broken[0]), []byte(broken[1])); err == nil {
			t.Errorf("no error for %q", broken)
		}
	}
}
