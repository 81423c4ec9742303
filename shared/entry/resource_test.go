package entry

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/cfn"

	"workerpool/shared/pool"
)

// cloud takes answers as CloudFormation does, by a signed URL.
type cloud struct {
	*httptest.Server
	status int
	got    []cfn.Response
	bytes  int // of the last
}

func newCloud(t *testing.T) *cloud {
	c := &cloud{status: http.StatusOK}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(r.Body)
		if err != nil || r.Method != http.MethodPut || r.Header.Get("Content-Type") != "" || r.URL.Query().Get("Signature") != "s3cr3t" {
			t.Errorf("%s %s of type %q, %v", r.Method, r.URL, r.Header.Get("Content-Type"), err)
		}
		c.bytes = len(text)
		c.got = append(c.got, decode[cfn.Response](t, text))
		w.WriteHeader(c.status)
	}))
	t.Cleanup(c.Close)
	return c
}

// asks is an event, with the id of what was made before.
func (c *cloud) asks(t *testing.T, kind cfn.RequestType, made string) []byte {
	t.Helper()
	event := cfn.Event{
		RequestType: kind, RequestID: "r-1", ResponseURL: c.URL + "/answer?Signature=s3cr3t", ResourceType: "Custom::StartCheck",
		LogicalResourceID: "StartCheck", StackID: "stack", PhysicalResourceID: made,
		ResourceProperties: map[string]any{"ServiceToken": "arn", "EthNode": "https://node/key"}, OldResourceProperties: map[string]any{"ChainId": "1"},
	}
	text, err := json.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestGate(t *testing.T) {
	wrong, away := errors.New("CHAINID: found 1, expected 2"), pool.Down("the node", errors.New("refused"))
	for name, c := range map[string]struct {
		kind   cfn.RequestType
		found  error
		status cfn.StatusType
		reason string
		logged string
	}{
		"all fits":        {cfn.RequestCreate, nil, cfn.StatusSuccess, "", ""},
		"wrong":           {cfn.RequestCreate, wrong, cfn.StatusFailed, wrong.Error(), "the deployment is stopped"},
		"nobody knows":    {cfn.RequestCreate, away, cfn.StatusFailed, away.Error(), "the deployment is stopped"},
		"changed":         {cfn.RequestUpdate, nil, cfn.StatusSuccess, "", ""},
		"changed to bad":  {cfn.RequestUpdate, wrong, cfn.StatusFailed, wrong.Error(), "the deployment is stopped"},
		"changed in dark": {cfn.RequestUpdate, away, cfn.StatusSuccess, "", "not checked, the deployment goes on"},
		"deleted":         {cfn.RequestDelete, wrong, cfn.StatusSuccess, "", ""},
		"of no kind":      {"Other", wrong, cfn.StatusFailed, wrong.Error(), ""},
		"long":            {cfn.RequestCreate, errors.New(strings.Repeat("<é>", 5000)), cfn.StatusFailed, "<é><é>", ""},
	} {
		to, looks := newCloud(t), 0
		function := gate(func(ctx context.Context) error {
			looks++
			return c.found
		})
		made := ""
		for range 2 { // Lambda may call twice
			_, log, err := invoke(t, function, to.asks(t, c.kind, made))
			if err != nil || !strings.Contains(log, c.logged) || strings.Contains(log, "s3cr3t") || strings.Contains(log, "https://node/key") {
				t.Errorf("%s: %v, logged %s", name, err, log)
			}
			got := to.got[len(to.got)-1]
			if got.Status != c.status || !strings.HasPrefix(got.Reason, c.reason) || (got.Reason == "") != (c.reason == "") ||
				got.PhysicalResourceID != "StartCheck" || got.RequestID != "r-1" || got.StackID != "stack" || got.LogicalResourceID != "StartCheck" {
				t.Errorf("%s: answered %+v", name, got)
			}
			made = got.PhysicalResourceID
		}
		if to.bytes > 4096 {
			t.Errorf("%s: an answer of %d bytes", name, to.bytes)
		}
		if want := map[bool]int{true: 0, false: 2}[c.kind == cfn.RequestDelete]; looks != want {
			t.Errorf("%s: looked %d times, want %d", name, looks, want)
		}
	}
}

// What was made keeps its id, else CloudFormation would delete it.
func TestGateKeepsIDs(t *testing.T) {
	to := newCloud(t)
	function := gate(func(context.Context) error { return nil })
	for _, kind := range []cfn.RequestType{cfn.RequestUpdate, cfn.RequestDelete} {
		if _, _, err := invoke(t, function, to.asks(t, kind, "older")); err != nil || to.got[len(to.got)-1].PhysicalResourceID != "older" {
			t.Errorf("%s: %v, %+v", kind, err, to.got)
		}
	}
}

func TestGateFails(t *testing.T) {
	to := newCloud(t)
	panics := gate(func(context.Context) error { panic("boom") })
	if _, log, err := invoke(t, panics, to.asks(t, cfn.RequestCreate, "")); err != nil || len(to.got) != 1 || to.got[0].Status != cfn.StatusFailed || !strings.Contains(log, "boom") {
		t.Errorf("a panic: %v, %+v, logged %s", err, to.got, log)
	}
	to.status = http.StatusForbidden
	fits := gate(func(context.Context) error { return nil })
	if _, _, err := invoke(t, fits, to.asks(t, cfn.RequestCreate, "")); err == nil {
		t.Error("an answer that is refused is not an error, so Lambda would not try again")
	}
	event := to.asks(t, cfn.RequestCreate, "")
	to.Close()
	if _, log, err := invoke(t, fits, event); err == nil || strings.Contains(log, "s3cr3t") || !strings.Contains(log, "answering CloudFormation") {
		t.Errorf("an answer that is lost: %v, logged %s", err, log)
	}
	if _, _, err := invoke(t, fits, []byte(`"up"`)); err == nil || err.Error() != "the event is not understood" {
		t.Errorf("no event: %v", err)
	}
}

func TestGateByHand(t *testing.T) {
	for _, found := range []error{nil, errors.New("CHAINID: found 1, expected 2"), pool.Down("the node", nil)} {
		answer, _, err := invoke(t, gate(func(context.Context) error { return found }), []byte(`{}`))
		want := ""
		if found != nil {
			want = found.Error()
		}
		if got := decode[looked](t, answer); err != nil || got.Fault != want {
			t.Errorf("%s, %v, want %q", answer, err, want)
		}
	}
}
