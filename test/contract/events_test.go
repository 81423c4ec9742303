package contract

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// recorded is what the events of the HTTP functions need to hold here.
type recorded struct {
	Version        string            `json:"version"`
	RouteKey       string            `json:"routeKey"`
	RawPath        string            `json:"rawPath"`
	RawQuery       string            `json:"rawQueryString"`
	Headers        map[string]string `json:"headers"`
	Body           string            `json:"body"`
	PathParameters map[string]string `json:"pathParameters"`
}

// The recorded events of the HTTP functions are requests as described: each could
// be answered with a success, and its file has the name of the route's function.
func TestRecordedEventsKeepTheContract(t *testing.T) {
	v := New(t)
	files, err := filepath.Glob("../../events/*.json")
	if err != nil {
		t.Fatal(err)
	}
	var http int
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var e recorded
		if err := json.Unmarshal(text, &e); err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		if e.Version == "" {
			continue // another kind of event
		}
		http++
		if fault := v.accepts(t, e, filepath.Base(file)); fault != "" {
			t.Errorf("%s: %s", file, fault)
		}
	}
	if http < 9 {
		t.Errorf("only %d events of HTTP functions were found", http)
	}
}

// accepts tells how a recorded request breaks the contract.
func (v *Validator) accepts(t *testing.T, e recorded, file string) string {
	t.Helper()
	method, path, _ := strings.Cut(e.RouteKey, " ")
	for name, value := range e.PathParameters {
		path = strings.ReplaceAll(path, "{"+name+"}", value)
	}
	if e.Version != "2.0" || path != e.RawPath {
		return "version, routeKey, rawPath and pathParameters do not fit together"
	}
	req, err := http.NewRequest(method, "http://pool"+e.RawPath+"?"+e.RawQuery, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range e.Headers {
		if name != strings.ToLower(name) {
			return "header names come in lower case"
		}
		req.Header.Set(name, value)
	}
	function, _, _ := strings.Cut(file, "-")
	if functionOf[e.RouteKey] != function {
		return e.RouteKey + " is not a route of " + function
	}
	if err := v.CheckRequest(req, []byte(e.Body)); err != nil {
		return err.Error()
	}
	return ""
}
