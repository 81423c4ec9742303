package apigw

import (
	"fmt"
	"net/url"
	"strings"
)

// table finds the route of a request as HTTP APIs do: a literal segment before a
// {variable}, that before a greedy {variable+}, a method before ANY, and $default
// when nothing else fits.
type table struct{ routes []compiled }

type compiled struct {
	Route
	segments []string
}

func newTable(routes []Route) (*table, error) {
	t, seen := &table{}, map[string]bool{}
	for _, r := range routes {
		if seen[r.key()] {
			return nil, fmt.Errorf("the route %q is there twice", r.key())
		}
		seen[r.key()] = true
		if r.Path != "$default" && !strings.HasPrefix(r.Path, "/") {
			return nil, fmt.Errorf("the path of route %q does not begin with /", r.key())
		}
		t.routes = append(t.routes, compiled{Route: r, segments: strings.Split(strings.TrimPrefix(r.Path, "/"), "/")})
	}
	return t, nil
}

// key is how the event calls the route.
func (r Route) key() string {
	if r.Path == "$default" {
		return r.Path
	}
	return r.Method + " " + r.Path
}

// find gives the best route for a method and an escaped path, with its variables.
func (t *table) find(method, escapedPath string) (Route, map[string]string, bool) {
	var best Route
	var bestVariables map[string]string
	var bestRank string
	path := strings.Split(strings.TrimPrefix(escapedPath, "/"), "/")
	for _, r := range t.routes {
		if r.Method != "ANY" && r.Method != method {
			continue
		}
		rank, variables, ok := r.match(path)
		if ok && r.Method == "ANY" {
			rank += "a" // after the same path with a method
		}
		if ok && (bestRank == "" || rank < bestRank) {
			best, bestVariables, bestRank = r.Route, variables, rank
		}
	}
	return best, bestVariables, bestRank != ""
}

// match also ranks: one letter per segment, the earlier in the alphabet the more
// special.
func (r compiled) match(path []string) (rank string, variables map[string]string, ok bool) {
	if r.Path == "$default" {
		return "z", nil, true
	}
	for i, segment := range r.segments {
		name, variable := strings.CutPrefix(segment, "{")
		name = strings.TrimSuffix(name, "}")
		if i >= len(path) || variable && path[i] == "" {
			return "", nil, false
		}
		value := path[i]
		greedy := false
		if variable {
			if name, greedy = strings.CutSuffix(name, "+"); greedy {
				value = strings.Join(path[i:], "/")
			}
		}
		text, err := url.PathUnescape(value)
		if err != nil {
			return "", nil, false
		}
		if !variable {
			if text != segment {
				return "", nil, false
			}
			rank += "b"
			continue
		}
		if variables == nil {
			variables = map[string]string{}
		}
		variables[name] = text
		if greedy {
			return rank + "d", variables, true
		}
		rank += "c"
	}
	return rank, variables, len(path) == len(r.segments)
}
