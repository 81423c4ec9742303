package house

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// folders are the names of the folders in top; none when top is missing.
func folders(t *testing.T, top string) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(root, top))
	if err != nil {
		t.Errorf("%s is missing: %v", top, err)
	}
	var out []string
	for _, entry := range entries {
		if entry.IsDir() {
			out = append(out, entry.Name())
		}
	}
	return out
}

// TestOneName: a function has the same name as a folder, in the template and in
// front of its recorded events.
func TestOneName(t *testing.T) {
	inTemplate := sortedKeys(functionsOf(readTemplate(t)))
	accept(t, differ("function", "template.yaml", "the folders of functions", inTemplate, folders(t, "functions")))
	names := []string{}
	walk(t, "events", func(name string) {
		names = append(names, name)
		if text := read(t, name); !json.Valid([]byte(text)) {
			t.Errorf("%s is no JSON", name)
		}
	})
	found, complaints := eventPrefixes(names)
	accept(t, complaints)
	accept(t, differ("function", "template.yaml", "the names events/<function>-<case>.json", inTemplate, found))
}

var eventName = regexp.MustCompile(`^events/([a-z]+)-[a-z0-9-]+\.json$`)

func eventPrefixes(names []string) (found, complaints []string) {
	for _, name := range names {
		parts := eventName.FindStringSubmatch(name)
		if parts == nil {
			complaints = append(complaints, name+" is not named events/<function>-<case>.json")
			continue
		}
		found = append(found, parts[1])
	}
	return sorted(found), complaints
}

// checkRoutes complains about routes that template and API description tell
// differently, and about operations that stand under another function's tag.
func checkRoutes(template, openapi node) []string {
	serves, described := map[string]string{}, map[string]string{}
	for name, f := range functionsOf(template) {
		for _, route := range f.routes {
			serves[route] = name
		}
	}
	var out []string
	for path, operations := range openapi.at("paths").fields() {
		for _, method := range operations.keys() {
			if !slices.Contains([]string{"get", "post", "put", "patch", "delete", "head"}, method) {
				continue
			}
			route := strings.ToUpper(method) + " " + path
			tags := operations.at(method, "tags").texts()
			if len(tags) != 1 {
				out = append(out, fmt.Sprintf("%s has the tags %q and should have one, its function", route, tags))
				tags = []string{""}
			}
			described[route] = tags[0]
			if name, ok := serves[route]; ok && tags[0] != name && tags[0] != "" {
				out = append(out, fmt.Sprintf("%s has the tag %s and is served by %s", route, tags[0], name))
			}
		}
	}
	out = append(out, differ("route", "template.yaml", "docs/openapi.yaml", sortedKeys(serves), sortedKeys(described))...)
	var listed, serving []string
	for _, tag := range openapi.at("tags").items() {
		listed = append(listed, tag.at("name").text())
	}
	for _, name := range serves {
		serving = append(serving, name)
	}
	out = append(out, differ("tag", "docs/openapi.yaml", "the functions with routes", listed, sorted(serving))...)
	for _, route := range template.at("Resources", "Api", "Properties", "RouteSettings").keys() {
		if serves[route] == "" {
			out = append(out, "Api limits the route "+route+", which does not exist")
		}
	}
	return sorted(out)
}

func TestRoutes(t *testing.T) {
	accept(t, checkRoutes(readTemplate(t), parseYAML(t, "docs/openapi.yaml", read(t, "docs/openapi.yaml"))))
}

func TestRoutesRefused(t *testing.T) {
	template := parseYAML(t, "planted", `
Resources:
  Api: {Properties: {RouteSettings: {"GET /gone": {}}}}
  AskFunction:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        One: {Type: HttpApi, Properties: {Method: GET, Path: /one}}
        Two: {Type: HttpApi, Properties: {Method: GET, Path: /two}}
        Four: {Type: HttpApi, Properties: {Method: GET, Path: /four}}
`)
	openapi := parseYAML(t, "planted", `
tags: [{name: ask}, {name: other}]
paths:
  /one: {parameters: [], get: {tags: [other]}}
  /three: {get: {tags: [ask]}}
  /four: {get: {tags: [ask, other]}}
`)
	refuse(t, checkRoutes(template, openapi), "Api limits the route GET /gone", "GET /four has the tags", "GET /one has the tag other",
		"route GET /three is in docs", "route GET /two is in template", "tag other is in docs")
}

func TestEventNamesRefused(t *testing.T) {
	found, complaints := eventPrefixes([]string{"events/submit-one.json", "events/Submit.json", "events/query-a-b.json"})
	refuse(t, complaints, "events/Submit.json")
	if !slices.Equal(found, []string{"query", "submit"}) {
		t.Errorf("prefixes are %q", found)
	}
}

// envReaders are the methods of shared/env's Reader that read a name.
var envReaders = []string{"String", "Int", "Seconds", "Bool", "Bytes", "Choice", "Optional"}

var envName = regexp.MustCompile(`^[A-Z][A-Z0-9_]*$`)

// namesRead are the parameters that the files of a folder read with shared/env:
// literal first arguments of its methods.
func namesRead(code tree, folder string) []string {
	var out []string
	for _, file := range code[folder] {
		if file.test || !slices.Contains(file.imports(), module+"/shared/env") {
			continue
		}
		ast.Inspect(file.ast, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) == 0 {
				return true
			}
			selector, ok := call.Fun.(*ast.SelectorExpr)
			if !ok || !slices.Contains(envReaders, selector.Sel.Name) {
				return true
			}
			literal, ok := call.Args[0].(*ast.BasicLit)
			if !ok || literal.Kind != token.STRING {
				return true
			}
			if name, err := strconv.Unquote(literal.Value); err == nil && envName.MatchString(name) {
				out = append(out, name)
			}
			return true
		})
	}
	return sorted(out)
}

// checkEnvironment complains when a function is told what it does not read, or
// reads what it is not told.
func checkEnvironment(code tree, template node) []string {
	var out []string
	for name, f := range functionsOf(template) {
		if len(code["functions/"+name]) == 0 {
			out = append(out, "functions/"+name+"/main.go is missing")
			continue
		}
		out = append(out, differ(name+": parameter", "template.yaml", "functions/"+name+"/main.go", sortedKeys(f.environment), namesRead(code, "functions/"+name))...)
	}
	return sorted(out)
}

func TestEnvironment(t *testing.T) { accept(t, checkEnvironment(readTree(t), readTemplate(t))) }

func TestEnvironmentRefused(t *testing.T) {
	code := plant(t, map[string]string{"functions/ask/main.go": `package main

import "workerpool/shared/env"

func main() {
	var r env.Reader
	_ = r.String("DBHOST")
	_ = r.Int("EXTRA", 1, 2, 3)
	println("OTHER")
}
`})
	template := parseYAML(t, "planted", `
Globals: {Function: {Environment: {Variables: {DBHOST: x}}}}
Resources:
  AskFunction:
    Type: AWS::Serverless::Function
    Properties: {Environment: {Variables: {UNREAD: y}}}
`)
	refuse(t, checkEnvironment(code, template), "ask: parameter EXTRA is in functions/ask/main.go", "ask: parameter UNREAD is in template.yaml")
}
