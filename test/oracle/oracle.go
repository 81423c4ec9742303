// Package oracle runs one suite of cases against several implementations of the
// same service: our stand-in, and independent ones that show where it is wrong.
// It sees that the lists of what those do otherwise than AWS do not rot; it must
// not know any service. Its tests compare the stand-ins' events with SAM's samples.
package oracle

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// Case is one thing that every implementation must do. Check complains to its
// first argument of an E, by which an implementation is reached, that does not.
type Case[E any] struct {
	Name  string
	Check func(testing.TB, E)
}

// Side is one implementation.
type Side[E any] struct {
	Name  string
	Open  func(t testing.TB, name string) E // for the case of that name
	Known []Deviation                       // ours has none
}

// Deviation is one complaint of a case that is known of a side.
type Deviation struct {
	Case string
	Says string // what only this complaint of the case has in its text
	AWS  string // the page of AWS's documentation, and what it says instead
}

// Known makes deviations of rows of case, complaint and page.
func Known(rows [][3]string) []Deviation {
	var all []Deviation
	for _, r := range rows {
		all = append(all, Deviation{Case: r[0], Says: r[1], AWS: r[2]})
	}
	return all
}

// Run runs every case against every side, all at once, and shows who agrees. It
// fails where a complaint is not known, and where a known one is no longer made.
func Run[E any](t *testing.T, cases []Case[E], sides ...Side[E]) {
	t.Helper()
	results := newTable()
	for _, c := range cases {
		results.cases = append(results.cases, c.Name)
	}
	for _, s := range sides {
		results.sides = append(results.sides, s.Name)
		for _, d := range s.Known {
			if !slices.Contains(results.cases, d.Case) || d.Says == "" || d.AWS == "" {
				t.Errorf("%s: a deviation without its case, complaint or page: %+v", s.Name, d)
			}
		}
	}
	t.Run("with", func(t *testing.T) { // ends when all of its parallel parts have ended
		for _, s := range sides {
			for _, c := range cases {
				t.Run(s.Name+"/"+c.Name, func(t *testing.T) {
					t.Parallel()
					results.set(c.Name, s.Name, check(t, s, c))
				})
			}
		}
	})
	t.Log(results)
}

// check runs one case against one side and answers what the table says of it.
func check[E any](t *testing.T, s Side[E], c Case[E]) string {
	known := slices.DeleteFunc(slices.Clone(s.Known), func(d Deviation) bool { return d.Case != c.Name })
	if len(known) == 0 {
		// Not through a listener: a complaint then shows the line it came from.
		c.Check(t, s.Open(t, c.Name))
		if t.Failed() {
			return "FAILS"
		}
		return "agrees"
	}
	wrong := judge(listen(t, func(t testing.TB) { c.Check(t, s.Open(t, c.Name)) }), known)
	for _, w := range wrong {
		t.Error(w)
	}
	if len(wrong) > 0 {
		return "FAILS"
	}
	return fmt.Sprintf("deviates (%d)", len(known))
}

// judge compares the complaints of a case with the known ones.
func judge(said []string, known []Deviation) []string {
	var wrong []string
	times := make([]int, len(known))
	for _, s := range said {
		i := slices.IndexFunc(known, func(d Deviation) bool { return strings.Contains(s, d.Says) })
		if i < 0 {
			wrong = append(wrong, s)
			continue
		}
		times[i]++
	}
	for i, d := range known {
		switch {
		case times[i] == 0:
			wrong = append(wrong, fmt.Sprintf("no complaint has %q any more: if it now does as AWS (%s), take it off the list", d.Says, d.AWS))
		case times[i] > 1:
			wrong = append(wrong, fmt.Sprintf("%d complaints have %q: it must name one", times[i], d.Says))
		}
	}
	return wrong
}
