package contract

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"workerpool/docs"
	"workerpool/shared/client"
	"workerpool/shared/wire"
)

// good are the statuses of answers that are no problems.
var good = []int{http.StatusOK, http.StatusCreated, http.StatusAccepted, http.StatusFound}

// examples answers every route with the example that its description has.
func examples(t *testing.T, v *Validator) http.Handler {
	t.Helper()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked := r.Clone(r.Context())
		asked.URL.Scheme, asked.URL.Host, asked.Host = "", "", ""
		route, _, err := v.router.FindRoute(asked)
		if err != nil {
			t.Errorf("%s %s is no route: %v", r.Method, r.URL, err)
			w.WriteHeader(http.StatusNotFound)
			return
		}
		for _, status := range good {
			answer := route.Operation.Responses.Status(status)
			if answer == nil {
				continue
			}
			for name, header := range answer.Value.Headers {
				w.Header().Set(name, header.Value.Example.(string))
			}
			if status == http.StatusFound {
				w.WriteHeader(status)
				return
			}
			body := docs.OpenAPI
			kind := "application/yaml"
			if media := answer.Value.Content["application/json"]; media != nil {
				kind = "application/json"
				if body, err = json.Marshal(media.Example); err != nil {
					t.Error(err)
				}
			}
			w.Header().Set("Content-Type", kind)
			w.Header().Set("Content-Length", strconv.Itoa(len(body)))
			w.WriteHeader(status)
			_, _ = w.Write(body) // a lost answer is the client's failure
			return
		}
	})
}

// Each method of the client asks as described and understands what is described.
func TestClientKeepsTheContract(t *testing.T) {
	v := New(t)
	server := httptest.NewServer(examples(t, v))
	defer server.Close()
	c, err := client.New(client.Config{URL: server.URL, HTTP: v.Client(nil), Attempts: 1})
	if err != nil {
		t.Fatal(err)
	}
	ctx, digest := t.Context(), strings.Repeat("ab", 32)
	calls := map[string]func() (any, error){
		"session": func() (any, error) { return c.Session(ctx, wire.Login{Login: "ada", Password: "p"}) },
		"submit": func() (any, error) {
			return c.Submit(ctx, "t", "key-1", wire.Submission{
				Template: wire.Template{
					App: wire.App{Type: "process", Name: "p"}, Args: []string{"a"}, Env: map[string]string{"A": "b"}, Category: "XS", Trust: 3,
					Inputs: []wire.Input{{Name: "f", SHA256: digest, Size: 1}}, Priority: "low", DeadlineS: 60, Demands: wire.Demands{CPU: 1, Tags: []string{"eu"}},
				},
				Items: []wire.Item{{}, {Args: []string{"x"}}},
			})
		},
		"cancel":      func() (any, error) { return c.Cancel(ctx, "t", 1) },
		"inputs":      func() (any, error) { return c.Inputs(ctx, "t", 1) },
		"checkInputs": func() (any, error) { return c.CheckInputs(ctx, "t", 1) },
		"batch":       func() (any, error) { return c.Batch(ctx, "t", 1) },
		"work":        func() (any, error) { return c.Work(ctx, "t", 1) },
		"works": func() (any, error) {
			return c.Works(ctx, "t", client.WorksFilter{Batch: 1, State: "done", After: 4, Limit: 1000})
		},
		"result": func() (any, error) { return c.Result(ctx, "t", 1) },
		"register": func() (any, error) {
			return c.Register(ctx, "t", wire.Registration{Name: "w", Key: digest, Slots: 1, Capabilities: wire.Capabilities{Docker: true, Version: "1.0.0"}})
		},
		"heartbeat": func() (any, error) {
			return c.Heartbeat(ctx, "t", 1, wire.Heartbeat{Reports: []wire.Report{{Work: 1, Attempt: 1, State: "failed", Reason: "exit 1"}}})
		},
		"workers":  func() (any, error) { return c.Workers(ctx, "t", 1, 10) },
		"drain":    func() (any, error) { return c.Drain(ctx, "t", 1) },
		"activate": func() (any, error) { return c.Activate(ctx, "t", 1) },

		"explainWork":       func() (any, error) { return c.ExplainWork(ctx, "t", 1) },
		"explainAssignment": func() (any, error) { return c.ExplainAssignment(ctx, "t", 1, 1) },
		"explainWorker":     func() (any, error) { return c.ExplainWorker(ctx, "t", 1) },

		"deactivate":     func() (any, error) { return c.Deactivate(ctx, "t", 1) },
		"drainPool":      func() (any, error) { return c.DrainPool(ctx, "t") },
		"deactivatePool": func() (any, error) { return c.DeactivatePool(ctx, "t") },
		"activatePool":   func() (any, error) { return c.ActivatePool(ctx, "t") },
		"share":          func() (any, error) { return c.Share(ctx, "t", "ada") },
		"setShare":       func() (any, error) { return c.SetShare(ctx, "t", "ada", wire.Share{Weight: 2, MaxRunning: 100}) },

		"accounts": func() (any, error) { return c.Accounts(ctx, "t", 1, 10) },
		"account":  func() (any, error) { return c.Account(ctx, "t", "uid:53c2a0f5-9d1a-4f3c-8f0e-6a1f5b7d2c11") },
		"createAccount": func() (any, error) {
			return c.CreateAccount(ctx, "t", wire.NewAccount{Login: "ada", Role: "requester", Password: "seven owls in a garden", UID: "u-1"})
		},
		"changeAccount": func() (any, error) {
			return c.ChangeAccount(ctx, "t", "ada", wire.ChangeAccount{Disabled: new(true), Password: "seven owls in a garden"})
		},
		"revokeAccount": func() (any, error) { return c.RevokeAccount(ctx, "t", "ada") },
		"changePassword": func() (any, error) {
			return c.ChangePassword(ctx, "t", wire.ChangePassword{Password: "p", New: "seven owls in a garden"})
		},

		"errand":    func() (any, error) { return c.Errand(ctx, "t", "diff") },
		"askErrand": func() (any, error) { return c.Ask(ctx, "t", "rebuild", 330000000) },

		"pool": func() (any, error) { return c.Pool(ctx) },
		"archive": func() (any, error) {
			return c.Archive(ctx, "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku")
		},
		"health":  func() (any, error) { return c.Health(ctx) },
		"openapi": func() (any, error) { return c.OpenAPI(ctx) },
	}
	for operation, call := range calls {
		got, err := call()
		if err != nil {
			t.Errorf("%s: %v", operation, err)
			continue
		}
		seen := 0
		for _, status := range good {
			seen += v.Seen(operation, status)
		}
		if seen != 1 {
			t.Errorf("%s: the call went elsewhere", operation)
		}
		if text, ok := got.([]byte); ok && string(text) != string(docs.OpenAPI) {
			t.Error("the description came changed")
		}
		answered(t, v, operation, got)
	}
	if left := v.Unseen(); len(left) > 0 {
		t.Errorf("no method of the client calls %v", left)
	}
}

// answered compares what the client gave with the example it was sent.
func answered(t *testing.T, v *Validator, operation string, got any) {
	t.Helper()
	for _, item := range v.doc.Paths.Map() {
		for _, o := range item.Operations() {
			for _, answer := range o.Responses.Map() {
				media := answer.Value.Content["application/json"]
				if o.OperationID != operation || media == nil || media.Example == nil {
					continue
				}
				want, err := json.Marshal(media.Example)
				if err != nil {
					t.Fatal(err)
				}
				text, err := json.Marshal(got)
				if err != nil {
					t.Fatal(err)
				}
				var sent, received any
				if json.Unmarshal(want, &sent) != nil || json.Unmarshal(text, &received) != nil {
					t.Fatal("unreadable JSON")
				}
				if !reflect.DeepEqual(sent, received) {
					t.Errorf("%s: sent %s, the client gave %s", operation, want, text)
				}
			}
		}
	}
}
