package faults

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

const target = "sqs:SendMessage"

func newBoard(t *testing.T, c Config) *Board {
	t.Helper()
	b := New(c)
	b.Declare([]Kind{Duplicate, Delay, Lose}, target)
	b.Declare(nil, "s3:HeadObject")
	return b
}

func set(t *testing.T, b *Board, seed uint64, rules ...Rule) {
	t.Helper()
	if err := b.Set(seed, rules...); err != nil {
		t.Fatalf("set rules: %v", err)
	}
}

// draws notes the kinds of n calls, "-" for none; noise calls of another target
// go between them.
func draws(b *Board, n, noise int) string {
	var s strings.Builder
	for range n {
		f, _ := b.draw(target)
		if f.Kind == "" {
			f.Kind = "-"
		}
		s.WriteString(string(f.Kind[0]))
		for range noise {
			b.draw("s3:HeadObject")
		}
	}
	return s.String()
}

func TestSameSeedSameFaults(t *testing.T) {
	b := newBoard(t, Config{})
	rules := []Rule{
		{Target: "s3:HeadObject", Kind: Fail, Probability: 0.5},
		{Target: target, Kind: Duplicate, Probability: 0.3},
		{Target: target, Kind: Lose, Probability: 0.3},
	}
	set(t, b, 7, rules...)
	first := draws(b, 200, 0)
	set(t, b, 7, rules...)
	if again := draws(b, 200, 3); again != first {
		t.Errorf("same seed, other traffic beside it: other faults\n%s\n%s", first, again)
	}
	set(t, b, 8, rules...)
	if other := draws(b, 200, 0); other == first {
		t.Error("another seed drew the same faults")
	}
	// 30 % duplicates, and losses in 30 % of the rest.
	if d, l := strings.Count(first, "d"), strings.Count(first, "l"); d < 40 || d > 80 || l < 25 || l > 60 {
		t.Errorf("of 200 calls %d duplicated and %d lost, want about 60 and 42", d, l)
	}
}

func TestCountIsALimit(t *testing.T) {
	b := newBoard(t, Config{})
	set(t, b, 1, Rule{Target: target, Kind: Duplicate, Count: 2}, Rule{Target: target, Kind: Lose, Probability: 1, Count: 1})
	if got := draws(b, 5, 0); got != "ddl--" {
		t.Errorf("drew %s, want ddl--", got)
	}
}

func TestRulesWithoutEffectAreRefused(t *testing.T) {
	b := newBoard(t, Config{})
	set(t, b, 1, Rule{Target: target, Kind: Duplicate, Count: 1})
	bad := []Rule{
		{Target: "sqs:Nothing", Kind: Fail, Count: 1},
		{Target: "s3:HeadObject", Kind: Duplicate, Count: 1},
		{Target: target, Kind: "explode", Count: 1},
		{Target: target, Kind: Fail},
		{Target: target, Kind: Fail, Probability: 1.5},
		{Target: target, Kind: Fail, Count: -1},
		{Target: target, Kind: Delay, Count: 1},
		{Target: target, Kind: Fail, Count: 1, DelayMS: 5},
		{Target: target, Kind: Lose, Count: 1, Drop: true},
		{Target: target, Kind: Fail, Count: 1, Status: 200},
	}
	for _, r := range bad {
		if err := b.Set(1, r); err == nil {
			t.Errorf("rule %+v was accepted", r)
		}
	}
	if got := draws(b, 2, 0); got != "d-" {
		t.Errorf("a refused change touched the rules in force: drew %s, want d-", got)
	}
}

// serve runs one call of target behind the board and tells what came back and
// how often the call was carried out, told which fault.
func serve(t *testing.T, b *Board, target string) (status, done int, told Kind, err error) {
	t.Helper()
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.Serve(w, r, target, func(w http.ResponseWriter, f Fault) {
			done++
			told = f.Kind
			_, _ = io.WriteString(w, "ok")
		}, func(w http.ResponseWriter, status int) { w.WriteHeader(status) })
	}))
	defer h.Close()
	resp, err := http.Post(h.URL, "", nil)
	if err != nil {
		return 0, done, told, err
	}
	defer resp.Body.Close()
	return resp.StatusCode, done, told, nil
}

func TestServe(t *testing.T) {
	for _, c := range []struct {
		name         string
		rule         Rule
		status, done int
		dropped      bool
	}{
		{"none", Rule{Target: "s3:HeadObject", Kind: Fail, Count: 1}, 200, 1, false},
		{"own", Rule{Target: target, Kind: Duplicate, Count: 1}, 200, 1, false},
		{"fail", Rule{Target: target, Kind: Fail, Count: 1}, 500, 0, false},
		{"fail with a status", Rule{Target: target, Kind: Fail, Count: 1, Status: 503}, 503, 0, false},
		{"fail dropped", Rule{Target: target, Kind: Fail, Count: 1, Drop: true}, 0, 0, true},
		{"failafter", Rule{Target: target, Kind: FailAfter, Count: 1, Status: 502}, 502, 1, false},
		{"failafter dropped", Rule{Target: target, Kind: FailAfter, Count: 1, Drop: true}, 0, 1, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBoard(t, Config{})
			set(t, b, 1, c.rule)
			status, done, told, err := serve(t, b, target)
			if own := c.name == "own"; (told == Duplicate) != own || (told == "") == own {
				t.Errorf("the target was told %q", told)
			}
			if status != c.status || done != c.done || (err != nil) != c.dropped {
				t.Errorf("status %d, done %d, err %v; want %d, %d, dropped %v", status, done, err, c.status, c.done, c.dropped)
			}
		})
	}
}

func TestDelayHoldsTheCall(t *testing.T) {
	asked, fire := make(chan time.Duration, 1), make(chan time.Time)
	b := newBoard(t, Config{After: func(d time.Duration) <-chan time.Time { asked <- d; return fire }})
	set(t, b, 1, Rule{Target: "s3:HeadObject", Kind: Delay, Count: 1, DelayMS: 1500})
	answered := make(chan int)
	go func() {
		_, done, _, _ := serve(t, b, "s3:HeadObject")
		answered <- done
	}()
	if d := <-asked; d != 1500*time.Millisecond {
		t.Errorf("held for %v, want 1.5s", d)
	}
	select {
	case <-answered:
		t.Fatal("answered before the delay was over")
	default:
	}
	close(fire)
	if done := <-answered; done != 1 {
		t.Errorf("carried out %d times, want once", done)
	}
}

func TestControlEndpoint(t *testing.T) {
	b := newBoard(t, Config{Seed: 3})
	ask := func(method, body string) (int, string) {
		w := httptest.NewRecorder()
		b.ServeHTTP(w, httptest.NewRequest(method, "/_faults", strings.NewReader(body)))
		return w.Code, w.Body.String()
	}
	if code, body := ask("GET", ""); code != 200 || !strings.Contains(body, `"seed":3,"rules":[]`) {
		t.Errorf("GET: %d %s", code, body)
	}
	code, body := ask("PUT", `{"seed":5,"rules":[{"target":"sqs:SendMessage","kind":"lose","count":2}]}`)
	if code != 200 {
		t.Fatalf("PUT: %d %s", code, body)
	}
	b.draw(target)
	code, body = ask("GET", "")
	var got state
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatalf("GET answered %s: %v", body, err)
	}
	if code != 200 || got.Seed != 5 || len(got.Rules) != 1 || got.Rules[0].Fired != 1 || got.Rules[0].Kind != Lose {
		t.Errorf("GET: %d %s", code, body)
	}
	if code, body := ask("PUT", body); code != 200 || !strings.Contains(body, `"fired":0`) {
		t.Errorf("PUT of what GET answered: %d %s", code, body)
	}
	for _, bad := range []string{`{"rule":[]}`, `{"rules":[null]}`, `{"rules":[{"target":"x","kind":"fail","count":1}]}`, `no`} {
		if code, _ := ask("PUT", bad); code != 400 {
			t.Errorf("PUT %s: %d, want 400", bad, code)
		}
	}
	if code, _ := ask("POST", ""); code != 405 {
		t.Errorf("POST: %d, want 405", code)
	}
}
