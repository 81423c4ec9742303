package fit

import (
	"net/url"
	"slices"
	"strings"
)

// Fault is a parameter that does not fit what was found.
type Fault struct {
	Parameter string // as in the environment, such as "RLCCONTRACT"
	Found     string // without secrets
	Expected  string
	Away      error // why nobody could say; nil = it was looked at and is wrong
}

func (f Fault) String() string {
	return f.Parameter + ": found " + f.Found + ", expected " + f.Expected
}

// Faults are all parameters that do not fit. As an error they are pool.Unavailable
// when none of them was looked at.
type Faults []Fault

// Err gives the faults as an error; nil when there are none.
func (f Faults) Err() error {
	if len(f) == 0 {
		return nil
	}
	return f
}

func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, fault := range f {
		lines[i] = fault.String()
	}
	return strings.Join(lines, "; ")
}

// Unwrap gives why nobody could say; nil when something is certainly wrong.
func (f Faults) Unwrap() error {
	if slices.ContainsFunc(f, func(f Fault) bool { return f.Away == nil }) {
		return nil
	}
	return f[0].Away
}

// Names tells whether there is a fault of a parameter.
func (f Faults) Names(parameter string) bool {
	return slices.ContainsFunc(f, func(f Fault) bool { return f.Parameter == parameter })
}

// shortestKey is the least number of characters that are taken for a key.
const shortestKey = 8

// discreet gives an error's words without what a node's URL may hold of a key: a
// provider's page may quote what it was asked for.
func discreet(err error, node string) string {
	text := err.Error()
	at, bad := url.Parse(node)
	if bad != nil {
		return "no words: the URL of the node cannot be read"
	}
	password, _ := at.User.Password()
	places := strings.Join([]string{at.Path, at.EscapedPath(), at.RawQuery}, "/")
	parts := strings.FieldsFunc(places, func(r rune) bool { return strings.ContainsRune("/&=", r) })
	parts = append(append(parts, strings.Split(at.User.String(), ":")...), at.User.Username(), password)
	for _, part := range parts {
		if len(part) >= shortestKey {
			text = strings.ReplaceAll(text, part, "***")
		}
	}
	return text
}
