package operate_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"workerpool/shared/operate"
	"workerpool/shared/pool"
	"workerpool/shared/web"
	"workerpool/shared/wire"
)

func (b bench) ask(errand string, body any) (out wire.Errand) {
	b.Helper()
	answer := b.Call(b.op.Token, "POST", "/chain/"+errand, body)
	if answer.Status != http.StatusAccepted {
		b.Fatalf("%d %s", answer.Status, answer.Body)
	}
	answer.Into(b.World, &out)
	return out
}

func (b bench) told(errand string) (out wire.Errand) {
	b.Helper()
	b.Call(b.op.Token, "GET", "/chain/"+errand, nil).Into(b.World, &out)
	return out
}

// An operator asks, reconcile answers, and the answer can be read until the next.
func TestErrands(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	if answer := b.Call(b.op.Token, "GET", "/chain/diff", nil); answer.Status != 404 || !strings.Contains(answer.Problem.Detail, "no diff was asked for") {
		t.Errorf("before any: %d %s", answer.Status, answer.Body)
	}
	asked := b.ask("diff", nil)
	if again := b.ask("diff", nil); asked != again || asked.Number != 1 || asked.Done != 0 || asked.Answer != nil || asked.DoneAt != nil {
		t.Errorf("%+v, again %+v", asked, again)
	}
	e, found, err := b.Books.NextErrand(t.Context())
	if err != nil || !found {
		t.Fatal(found, err)
	}
	e.Answer = pool.Answer{Block: pool.Block{Number: 7}, Count: 1, Differences: []pool.Difference{{Deal: pool.Hash{1}, What: "deal", Books: "known", Chain: "unknown"}}}
	if err := b.Books.ErrandDone(t.Context(), nil, e); err != nil {
		t.Fatal(err)
	}
	got := b.told("diff")
	if a := got.Answer; got.Done != 1 || got.DoneAt == nil || a == nil || a.Block != 7 || a.Count != 1 || len(a.Differences) != 1 || a.Differences[0].Deal != (pool.Hash{1}).String() || a.Lines == nil {
		t.Errorf("%+v", got)
	}
	if rebuild := b.ask("rebuild", wire.AskRebuild{FromBlock: 5}); rebuild.FromBlock != 5 || rebuild.Number != 1 {
		t.Errorf("%+v", rebuild)
	}
	for name, c := range map[string]struct {
		status int
		body   any
		path   string
	}{
		"from elsewhere":  {409, wire.AskRebuild{FromBlock: 6}, "/chain/rebuild"},
		"from far":        {400, wire.AskRebuild{FromBlock: 1 << 63}, "/chain/rebuild"},
		"another errand":  {404, nil, "/chain/dance"},
		"no errand":       {404, nil, "/chain/"},
		"an odd body":     {400, map[string]int{"block": 1}, "/chain/rebuild"},
		"without a body":  {415, nil, "/chain/rebuild"},
		"an odd errand":   {404, nil, "/chain/diff%00"},
		"in other states": {404, nil, "/chain/DIFF"},
	} {
		if answer := b.Call(b.op.Token, "POST", c.path, c.body); answer.Status != c.status {
			t.Errorf("%s: %d %s", name, answer.Status, answer.Body)
		}
	}
}

// A pool without a chain says so.
func TestErrandsWithoutChain(t *testing.T) {
	t.Parallel()
	flow := operate.New(operate.Config{}).Handler()
	for _, method := range []string{"GET", "POST"} {
		r := httptest.NewRequest(method, "/chain/diff", nil)
		w := httptest.NewRecorder()
		flow.ServeHTTP(w, r.WithContext(web.WithCaller(r.Context(), pool.Caller{Account: 1, Role: pool.RoleOperator})))
		if w.Code != http.StatusConflict || !strings.Contains(w.Body.String(), "this pool has no chain") {
			t.Errorf("%s: %d %s", method, w.Code, w.Body)
		}
	}
}
