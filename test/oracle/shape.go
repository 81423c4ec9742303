package oracle

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// Shape compares two JSON texts by their fields and the types of the values, and
// answers the differences in order. Fields below the places in free have names
// of their own on both sides; only their types count. Of a list its first counts.
func Shape(sample, ours []byte, free ...string) ([]string, error) {
	var a, b any
	if err := json.Unmarshal(sample, &a); err != nil {
		return nil, fmt.Errorf("reading the sample: %w", err)
	}
	if err := json.Unmarshal(ours, &b); err != nil {
		return nil, fmt.Errorf("reading ours: %w", err)
	}
	out := differences("", a, b, free)
	slices.Sort(out)
	return out, nil
}

func differences(at string, sample, ours any, free []string) []string {
	if kind(sample) != kind(ours) {
		return []string{fmt.Sprintf("%s: %s in the sample, %s here", at, kind(sample), kind(ours))}
	}
	var out []string
	switch a := sample.(type) {
	case []any:
		if b := ours.([]any); len(a) > 0 && len(b) > 0 {
			out = differences(at+"[]", a[0], b[0], free)
		}
	case map[string]any:
		b := ours.(map[string]any)
		if slices.Contains(free, at) {
			return compareValues(at, a, b)
		}
		for name, value := range a {
			place := at + "." + name
			if there, ok := b[name]; ok {
				out = append(out, differences(place, value, there, free)...)
			} else {
				out = append(out, place+": in the sample only")
			}
		}
		for name := range b {
			if _, ok := a[name]; !ok {
				out = append(out, at+"."+name+": here only")
			}
		}
	}
	return out
}

// compareValues wants every value of ours to be of a kind that the sample has.
func compareValues(at string, sample, ours map[string]any) []string {
	kinds := map[string]bool{}
	for _, value := range sample {
		kinds[kind(value)] = true
	}
	var out []string
	for _, name := range slices.Sorted(maps.Keys(ours)) {
		if k := kind(ours[name]); !kinds[k] {
			out = append(out, fmt.Sprintf("%s.%s: %s, not in the sample", at, name, k))
		}
	}
	return out
}

func kind(value any) string {
	switch value.(type) {
	case nil:
		return "null"
	case bool:
		return "bool"
	case float64:
		return "number"
	case string:
		return "string"
	case []any:
		return "list"
	}
	return "object"
}
