package contract

import (
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"workerpool/shared/pool"
	"workerpool/shared/reason"
	"workerpool/shared/wire"
)

// bodies are all documents that cross the wire.
var bodies = []any{
	wire.Problem{}, wire.Login{}, wire.Session{}, wire.Submission{}, wire.Template{}, wire.Item{}, wire.App{}, wire.Input{},
	wire.Demands{}, wire.Accepted{}, wire.Uploads{}, wire.UploadTarget{}, wire.Link{}, wire.Cancelled{}, wire.Registration{},
	wire.Registered{}, wire.Capabilities{}, wire.Heartbeat{}, wire.Report{}, wire.Beat{}, wire.Instruction{}, wire.Run{}, wire.Fetch{},
	wire.Download{}, wire.Task{}, wire.Wallet{}, wire.Work{}, wire.Assignment{}, wire.Works{}, wire.Batch{}, wire.Result{}, wire.Worker{}, wire.Workers{},
	wire.Pool{}, wire.Health{}, wire.Rules{}, wire.Steered{}, wire.Share{}, wire.NewAccount{}, wire.ChangeAccount{}, wire.ChangePassword{}, wire.Account{}, wire.Accounts{},
	wire.WorkExplained{}, wire.Ahead{}, wire.Estimate{}, wire.Unmet{}, wire.Crowd{}, wire.WorkerExplained{}, wire.Opening{}, wire.Chance{},
	wire.AssignmentExplained{}, wire.Errand{}, wire.AskRebuild{}, wire.Answer{}, wire.Difference{},
}

func document(t *testing.T) *openapi3.T {
	t.Helper()
	doc, err := load()
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// notWire are the objects that no type of package wire stands for.
var notWire = []string{"Env", "WorkCounts", "GatewayMessage"}

func TestSchemasAndWireTypesHaveTheSameFields(t *testing.T) {
	doc := document(t)
	known := slices.Clone(notWire)
	for _, body := range bodies {
		of := reflect.TypeOf(body)
		known = append(known, of.Name())
		ref := doc.Components.Schemas[of.Name()]
		if ref == nil {
			t.Errorf("wire.%s has no schema", of.Name())
			continue
		}
		schema := ref.Value
		if schema.AdditionalProperties.Has == nil || *schema.AdditionalProperties.Has {
			t.Errorf("schema %s lets unknown properties in", of.Name())
		}
		fields := map[string]bool{}
		for _, f := range reflect.VisibleFields(of) {
			name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
			fields[name] = true
			property := schema.Properties[name]
			if property == nil {
				t.Errorf("schema %s lacks %s", of.Name(), name)
				continue
			}
			optional := strings.Contains(options, "omit")
			if required := slices.Contains(schema.Required, name); required == optional {
				t.Errorf("schema %s: %s is required: %v, but wire leaves it out when empty: %v", of.Name(), name, required, optional)
			}
			if want := kindOf(f.Type); !property.Value.Type.Is(want) {
				t.Errorf("schema %s: %s is %v, wire has %s", of.Name(), name, property.Value.Type, want)
			}
		}
		for name := range schema.Properties {
			if !fields[name] {
				t.Errorf("schema %s has %s, which wire.%s has not", of.Name(), name, of.Name())
			}
		}
	}
	for name, ref := range doc.Components.Schemas {
		if ref.Value.Type.Is("object") && !slices.Contains(known, name) {
			t.Errorf("schema %s stands for no type of package wire that is listed here", name)
		}
	}
}

func kindOf(t reflect.Type) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == reflect.TypeFor[time.Time]() {
		return "string"
	}
	switch t.Kind() {
	case reflect.String:
		return "string"
	case reflect.Bool:
		return "boolean"
	case reflect.Slice:
		return "array"
	case reflect.Struct, reflect.Map:
		return "object"
	default:
		return "integer"
	}
}

func TestEnumsAreTheWordsOfThePool(t *testing.T) {
	doc := document(t)
	enum := func(schema string, path ...string) []string {
		s := doc.Components.Schemas[schema].Value
		for _, p := range path {
			s = s.Properties[p].Value
		}
		var out []string
		for _, v := range s.Enum {
			out = append(out, v.(string))
		}
		return out
	}
	var categories []string
	for _, c := range pool.Categories {
		categories = append(categories, c.Name)
	}
	counts := doc.Components.Schemas["WorkCounts"].Value.Properties
	if len(counts) != len(pool.WorkStates) {
		t.Errorf("WorkCounts has %d states, the pool %d", len(counts), len(pool.WorkStates))
	}
	for _, s := range pool.WorkStates {
		if counts[string(s)] == nil {
			t.Errorf("WorkCounts lacks %s", s)
		}
	}
	tests := []struct {
		name string
		got  []string
		want []string
	}{
		{"work states", enum("WorkState"), words(pool.WorkStates)},
		{"assignment states", enum("AssignmentState"), words(pool.AssignmentStates)},
		{"worker states", enum("WorkerState"), words(pool.WorkerStates)},
		{"reasons of works", enum("WorkReason"), words(reason.WorkCodes)},
		{"reasons of workers", enum("WorkerReason"), words(reason.WorkerCodes)},
		{"pool states", enum("PoolState"), words(pool.States)},
		{"errands", enum("ErrandKind"), words(pool.ErrandKinds)},
		{"roles", enum("Session", "role"), words(pool.Roles)},
		{"categories", enum("Template", "category"), categories},
		{"priorities", enum("Template", "priority"), words([]pool.Priority{pool.Low, pool.Normal, pool.High})},
		{"app types", enum("App", "type"), words([]pool.AppType{pool.ProcessApp, pool.DockerApp})},
		{"reports", enum("Report", "state"), words([]pool.ReportState{
			pool.SaysRunning, pool.SaysReported, pool.SaysContributed, pool.SaysRevealed, pool.SaysUploading, pool.SaysUploaded, pool.SaysChecking, pool.SaysChecked, pool.SaysWrong, pool.SaysFailed, pool.SaysRefused,
		})},
		{"instructions", enum("Instruction", "do"), []string{wire.DoStart, wire.DoContinue, wire.DoHold, wire.DoContribute, wire.DoReveal, wire.DoUpload, wire.DoCheck, wire.DoStop}},
		{"problem codes", enum("Problem", "code"), append(words([]pool.Kind{
			pool.Invalid, pool.Unauthenticated, pool.Forbidden, pool.NotFound, pool.Conflict, pool.TooLarge, pool.Unsupported,
			pool.TooMany, pool.Unavailable,
		}), "internal", "method_not_allowed")},
	}
	for _, test := range tests {
		if !slices.Equal(test.got, test.want) {
			t.Errorf("%s: the contract has %v, the pool %v", test.name, test.got, test.want)
		}
	}
}

func words[T ~string](values []T) []string {
	var out []string
	for _, v := range values {
		out = append(out, string(v))
	}
	return out
}

// functionOf are the routes of the pool with the function that serves each.
var functionOf = map[string]string{
	"POST /session": "session", "POST /session/password": "session", "POST /works": "submit", "DELETE /works/{id}": "submit",
	"GET /batches/{id}/inputs": "submit", "POST /batches/{id}/inputs": "submit",
	"GET /works": "query", "GET /works/{id}": "query", "GET /works/{id}/result": "query", "GET /batches/{id}": "query",
	"GET /works/{id}/explain": "query", "GET /works/{id}/assignments/{worker}/explain": "query", "GET /workers/{id}/explain": "query",
	"GET /pool": "query", "GET /ipfs/{cid}": "query", "GET /health": "query", "GET /openapi.yaml": "query",
	"POST /workers": "heartbeat", "POST /workers/{id}/heartbeat": "heartbeat",
	"GET /workers": "operate", "POST /workers/{id}/drain": "operate", "POST /workers/{id}/deactivate": "operate", "POST /workers/{id}/activate": "operate",
	"POST /pool/drain": "operate", "POST /pool/deactivate": "operate", "POST /pool/activate": "operate",
	"GET /requesters/{login}/share": "operate", "PUT /requesters/{login}/share": "operate",
	"GET /accounts": "operate", "POST /accounts": "operate", "GET /accounts/{login}": "operate", "PATCH /accounts/{login}": "operate",
	"POST /accounts/{login}/revoke": "operate",
	"GET /chain/{errand}":           "operate", "POST /chain/{errand}": "operate",
}

func TestEveryRouteIsDescribedUnderItsFunction(t *testing.T) {
	got := map[string]string{}
	for path, item := range document(t).Paths.Map() {
		for method, operation := range item.Operations() {
			got[method+" "+path] = strings.Join(operation.Tags, " ")
			open := operation.Security != nil && len(*operation.Security) == 0
			if free := slices.Contains([]string{"/session", "/pool", "/ipfs/{cid}", "/health", "/openapi.yaml"}, path); open != free {
				t.Errorf("%s %s asks for no token: %v, want %v", method, path, open, free)
			}
			for _, status := range []int{429, 500, 503} {
				if operation.Responses.Status(status) == nil {
					t.Errorf("%s %s does not describe %d", method, path, status)
				}
			}
		}
	}
	if !reflect.DeepEqual(got, functionOf) {
		t.Errorf("the contract has\n%v\nwant\n%v", got, functionOf)
	}
}

func TestCheck(t *testing.T) {
	v := New(t)
	const work = `{"id":1,"batch":1,"index":0,"origin":"api","state":"waiting","trust":0,"run_limit_s":300,"created":"2026-01-01T00:00:00Z","deadline":"2026-01-01T00:00:00Z"}`
	const problem = `{"type":"about:blank","title":"Not Found","status":404,"code":"not_found","detail":"no such work","request_id":"r"}`
	asJSON, asProblem := "application/json", "application/problem+json"
	tests := []struct {
		name, method, path, token, body string
		status                          int
		kind, answer                    string
		breaks                          string // part of the error; "" = none
	}{
		{"as described", "GET", "/works/1", "t", "", 200, asJSON, work, ""},
		{"charset", "GET", "/works/1", "t", "", 200, "application/json; charset=utf-8", work, ""},
		{"problem", "GET", "/works/1", "t", "", 404, asProblem, problem, ""},
		{"problem as JSON", "GET", "/works/1", "t", "", 404, asJSON, problem, "Content-Type"},
		{"gateway", "GET", "/works/1", "t", "", 503, asJSON, `{"message":"Service Unavailable"}`, ""},
		{"unknown status", "GET", "/works/1", "t", "", 418, asProblem, problem, "status"},
		{"unknown property", "GET", "/works/1", "t", "", 200, asJSON, `{"a":1,` + work[1:], "a"},
		{"null list", "GET", "/works", "t", "", 200, asJSON, `{"works":null}`, "works"},
		{"no token but served", "GET", "/works/1", "", "", 200, asJSON, work, "token"},
		{"no token refused", "GET", "/works/1", "", "", 401, asProblem, problem, ""},
		{"no route", "PUT", "/works/1", "t", "", 405, "", "", ""},
		{"no route served", "PUT", "/works/1", "t", "", 200, asJSON, work, "no route"},
		{"bad filter served", "GET", "/works?state=lost", "t", "", 200, asJSON, `{"works":[]}`, "state"},
		{"bad filter refused", "GET", "/works?state=lost", "t", "", 400, asProblem, problem, ""},
		{"bad body served", "POST", "/session", "", `{"login":"a"}`, 200, asJSON, `{}`, "password"},
		{"bad retry-after", "GET", "/health", "", "", 429, asJSON, `{"message":"later"}`, "Retry-After"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			req, err := http.NewRequest(test.method, "http://127.0.0.1:1"+test.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			if test.body != "" {
				req.Header.Set("Content-Type", "application/json")
			}
			if test.token != "" {
				req.Header.Set("Authorization", "Bearer "+test.token)
			}
			header := http.Header{"Content-Type": {test.kind}}
			if test.breaks == "Retry-After" {
				header.Set("Retry-After", "soon")
			}
			err = v.Check(req, []byte(test.body), test.status, header, []byte(test.answer))
			if test.breaks == "" && err != nil {
				t.Errorf("unexpected: %v", err)
			}
			if test.breaks != "" && (err == nil || !strings.Contains(err.Error(), test.breaks)) {
				t.Errorf("got %v, want something about %q", err, test.breaks)
			}
		})
	}
	if v.Seen("work", 200) == 0 || slices.Contains(v.Unseen(), "work") || !slices.Contains(v.Unseen(), "drain") {
		t.Errorf("work was seen %d times with 200; unseen are %v", v.Seen("work", 200), v.Unseen())
	}
}
