package reason

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"workerpool/shared/placement"
)

// allOf joins what would be enough.
func allOf(misses []placement.Miss) string {
	var parts []string
	for _, m := range misses {
		parts = append(parts, m.If)
	}
	return strings.Join(parts, " and ")
}

// Unmet is one demand with the workers that it rules out.
type Unmet struct {
	Demand  string
	Workers int
}

// unmet counts, demand by demand, the workers that do not meet it: the demand
// that rules out most comes first.
func unmet(of [][]placement.Miss) []Unmet {
	count := map[string]int{}
	for _, misses := range of {
		seen := map[string]bool{}
		for _, m := range misses {
			if !seen[m.Demand] {
				seen[m.Demand] = true
				count[m.Demand]++
			}
		}
	}
	var out []Unmet
	for demand, workers := range count {
		out = append(out, Unmet{demand, workers})
	}
	slices.SortFunc(out, func(a, b Unmet) int {
		return cmp.Or(cmp.Compare(b.Workers, a.Workers), cmp.Compare(a.Demand, b.Demand))
	})
	return out
}

// near is a set of demands with what would do if they were met.
type near struct {
	enough string
	misses int
	count  int
}

// nearest gives what would be enough for most of those that lack least.
func nearest(of [][]placement.Miss) near {
	groups := map[string]near{}
	for _, misses := range of {
		key := allOf(misses)
		g := groups[key]
		groups[key] = near{key, len(misses), g.count + 1}
	}
	var best near
	for _, g := range groups {
		if best.count == 0 || cmp.Or(cmp.Compare(g.misses, best.misses), cmp.Compare(best.count, g.count), cmp.Compare(g.enough, best.enough)) < 0 {
			best = g
		}
	}
	return best
}

// plural says how many of something there are.
func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
