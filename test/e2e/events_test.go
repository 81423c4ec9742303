package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"workerpool/shared/wire"
)

// TestRecordedEvents plays every file of events/ to its real function, twice:
// what AWS sends is understood, and a repeat gets the same answer.
func TestRecordedEvents(t *testing.T) {
	t.Parallel()
	b := start(t)
	tokens := b.peopleOfTheEvents()
	cloud := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})) // CloudFormation, which hears what check answers
	defer cloud.Close()
	// The answer's status; functions that are not called over HTTP give none.
	want := map[string]int{
		"heartbeat-idle": 200, "heartbeat-reports": 200, "operate-drain": 200, "operate-workers": 200, "query-health": 200,
		"query-work": 200, "query-archive": 404, "session-login": 401, "submit-batch": 201, "submit-cancel": 200,
		"operate-deactivate": 200, "operate-pool-drain": 200, "operate-share": 404, "operate-account-disable": 404,
		"query-explain-work": 200, "query-explain-worker": 200, "query-explain-assignment": 404, // never offered
		"dispatch-garbage": 0, "dispatch-ring": 0, "migrate-up": 0, "reconcile-tick": 0,
		"check-create": 0, "check-update": 0, "check-delete": 0, "check-hand": 0,
	}
	files, err := filepath.Glob("../../events/*.json")
	if err != nil || len(files) != len(want) {
		t.Fatalf("%d files, %d expectations, %v", len(files), len(want), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		function, _, _ := strings.Cut(name, "-")
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		event := strings.ReplaceAll(tokens.Replace(string(text)), "https://cloudformation-custom-resource-response-useast1.s3.amazonaws.com", cloud.URL)
		first := b.play(function, event)
		if first.StatusCode != want[name] {
			t.Errorf("%s: status %d, want %d: %s", name, first.StatusCode, want[name], first.Body)
		}
		second := b.play(function, event)
		if name == "submit-cancel" { // the repeat tells that it had been cancelled already
			first.Body = strings.Replace(first.Body, `"before":"waiting"`, `"before":"cancelled"`, 1)
		}
		if name == "operate-pool-drain" { // and that the pool was draining
			first.Body = strings.Replace(first.Body, `"before":"active"`, `"before":"draining"`, 1)
		}
		moves := []string{"operate-workers", "operate-deactivate", "migrate-up"} // moments of theirs move
		if want[name] < 300 && !slices.Contains(moves, name) && first.Body != second.Body {
			t.Errorf("%s: the repeat was answered %s, the first %s", name, second.Body, first.Body)
		}
		if name == "dispatch-garbage" && (len(first.Failures) != 1 || !strings.HasSuffix(first.Failures[0].ID, "0004")) {
			t.Errorf("%s: %+v failed, not the garbage alone", name, first.Failures)
		}
		if name == "dispatch-ring" && len(first.Failures) != 0 {
			t.Errorf("%s: %+v failed", name, first.Failures)
		}
	}
	b.check()
}

// reply is what functions answer, over HTTP or to the queue.
type reply struct {
	StatusCode int    `json:"statusCode"`
	Body       string `json:"body"`
	Failures   []struct {
		ID string `json:"itemIdentifier"`
	} `json:"batchItemFailures"`
}

func (b *bench) play(function, event string) reply {
	b.t.Helper()
	answer, err := b.host.Invoke(b.t.Context(), function, []byte(event))
	if err != nil {
		b.t.Fatalf("%s: %v", function, err)
	}
	var out reply
	if string(answer) != "null" {
		if err := json.Unmarshal(answer, &out); err != nil {
			b.t.Fatalf("%s answered %s: %v", function, answer, err)
		}
	}
	return out
}

// peopleOfTheEvents makes what the events speak of, worker 4 and batch 3 with
// its works from 49152 on, and gives the tokens that go in the place of theirs.
func (b *bench) peopleOfTheEvents() *strings.Replacer {
	b.t.Helper()
	account := b.token(workerLogin)
	worker := ""
	for i := range 4 {
		registered, err := b.client.Register(b.t.Context(), account, wire.Registration{
			Name: fmt.Sprintf("recorded-%d", i), Key: strings.Repeat(fmt.Sprint(i+1), 64), Slots: 1, Capabilities: wire.Capabilities{},
		})
		if err != nil {
			b.t.Fatal(err)
		}
		worker = registered.Token
	}
	for range 2 {
		b.submit(1, wire.Item{})
	}
	if third := b.submit(1, wire.Item{}, wire.Item{}, wire.Item{}); third.FirstWork != 49152 {
		b.t.Fatalf("the third batch begins at %d", third.FirstWork)
	}
	return strings.NewReplacer("requester.token.signature", b.operator, "operator.token.signature", b.operator, "worker.token.signature", worker)
}
