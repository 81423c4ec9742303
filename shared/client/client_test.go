package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"workerpool/shared/client"
	"workerpool/shared/wire"
)

// pauses records what a client waits for, and waits for nothing.
type pauses struct {
	all []time.Duration
	err error
}

func (p *pauses) wait(_ context.Context, pause time.Duration) error {
	p.all = append(p.all, pause)
	return p.err
}

// script answers one request after the other with its handlers.
func script(t *testing.T, handlers ...http.HandlerFunc) (*client.Client, *pauses) {
	t.Helper()
	var n int
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n == len(handlers) {
			t.Errorf("request %d, %s %s, is one too many", n+1, r.Method, r.URL)
			w.WriteHeader(http.StatusTeapot)
			return
		}
		n++
		handlers[n-1](w, r)
	}))
	t.Cleanup(func() {
		server.Close()
		if n != len(handlers) {
			t.Errorf("%d requests came, %d were expected", n, len(handlers))
		}
	})
	p := &pauses{}
	c, err := client.New(client.Config{URL: server.URL, Wait: p.wait})
	if err != nil {
		t.Fatal(err)
	}
	return c, p
}

func answer(status int, body any) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(body) // a lost answer is the caller's failure
	}
}

func problem(status int, code, retryAfter string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/problem+json")
		if retryAfter != "" {
			w.Header().Set("Retry-After", retryAfter)
		}
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(wire.Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Code: code, Detail: "why", Field: "items[0].args", RequestID: "r-1"})
	}
}

// hangUp ends the connection without an answer.
func hangUp(w http.ResponseWriter, _ *http.Request) {
	connection, _, err := w.(http.Hijacker).Hijack()
	if err == nil {
		err = connection.Close()
	}
	if err != nil {
		panic(err)
	}
}

func TestNewRefusesWhatIsNoAddress(t *testing.T) {
	for _, bad := range []string{"", "pool.example.com", "ftp://a", "http://", "http://a/?x=1", "http://a/#x", "http://a b"} {
		if _, err := client.New(client.Config{URL: bad}); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestURLPrefixAndHeaders(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got := []string{r.Method, r.URL.String(), r.Header.Get("Authorization"), r.Header.Get("Idempotency-Key"), r.Header.Get("Content-Type"), r.UserAgent()}
		want := []string{"POST", "/stage/works", "Bearer t", "k", "application/json", "tester"}
		if !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		answer(201, wire.Accepted{Batch: 3})(w, r)
	}))
	defer server.Close()
	c, err := client.New(client.Config{URL: server.URL + "/stage/", UserAgent: "tester"})
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.Submit(t.Context(), "t", "k", wire.Submission{})
	if err != nil || got.Batch != 3 {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestRepeatsWhatMayHelp(t *testing.T) {
	c, p := script(t, hangUp, problem(503, "unavailable", "2"), problem(429, "too_many", ""), answer(200, wire.Work{ID: 7}))
	got, err := c.Work(t.Context(), "t", 7)
	if err != nil || got.ID != 7 {
		t.Fatalf("got %v, %v", got, err)
	}
	if len(p.all) != 3 {
		t.Fatalf("waited %v", p.all)
	}
	for i, span := range []struct{ least, most time.Duration }{
		{125 * time.Millisecond, 250 * time.Millisecond},
		{2250 * time.Millisecond, 2500 * time.Millisecond},
		{500 * time.Millisecond, time.Second},
	} {
		if p.all[i] < span.least || p.all[i] > span.most {
			t.Errorf("pause %d is %v, want %v to %v", i, p.all[i], span.least, span.most)
		}
	}
}

func TestRepetitionsAreBounded(t *testing.T) {
	down := problem(502, "", "")
	c, p := script(t, down, down, down, down)
	_, err := c.Pool(t.Context())
	if client.Status(err) != 502 || !client.MayRetry(err) || len(p.all) != 3 {
		t.Errorf("got %v after %v", err, p.all)
	}
}

// TestGatewaysOwn500IsRepeated: API Gateway answers so when a function did not
// start or died over a request.
func TestGatewaysOwn500IsRepeated(t *testing.T) {
	died := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = io.WriteString(w, `{"message":"Internal Server Error"}`) // a lost answer is the caller's failure
	}
	c, p := script(t, died, answer(200, wire.Work{ID: 7}))
	if got, err := c.Work(t.Context(), "t", 7); err != nil || got.ID != 7 || len(p.all) != 1 {
		t.Errorf("%+v, %v after %v", got, err, p.all)
	}
}

func TestRepeatsOnlyWhatIsHarmless(t *testing.T) {
	down := problem(503, "unavailable", "")
	once := map[string]func(c *client.Client) error{
		"session": func(c *client.Client) error { _, err := c.Session(t.Context(), wire.Login{}); return err },
		"submission without key": func(c *client.Client) error {
			_, err := c.Submit(t.Context(), "t", "", wire.Submission{})
			return err
		},
	}
	for name, try := range once {
		c, p := script(t, down)
		if err := try(c); !client.MayRetry(err) || len(p.all) > 0 {
			t.Errorf("%s: %v after %v", name, err, p.all)
		}
	}
	again := map[string]func(c *client.Client) error{
		"submission with key": func(c *client.Client) error {
			_, err := c.Submit(t.Context(), "t", "k", wire.Submission{Items: []wire.Item{{Args: []string{"a"}}}})
			return err
		},
		"heartbeat": func(c *client.Client) error { _, err := c.Heartbeat(t.Context(), "t", 1, wire.Heartbeat{}); return err },
		"register":  func(c *client.Client) error { _, err := c.Register(t.Context(), "t", wire.Registration{}); return err },
		"cancel":    func(c *client.Client) error { _, err := c.Cancel(t.Context(), "t", 1); return err },
		"check":     func(c *client.Client) error { _, err := c.CheckInputs(t.Context(), "t", 1); return err },
		"drain":     func(c *client.Client) error { _, err := c.Drain(t.Context(), "t", 1); return err },
		"activate":  func(c *client.Client) error { _, err := c.Activate(t.Context(), "t", 1); return err },
	}
	for name, try := range again {
		var bodies []string
		record := func(then http.HandlerFunc) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				text, err := io.ReadAll(r.Body)
				if err != nil {
					t.Error(err)
				}
				bodies = append(bodies, string(text))
				then(w, r)
			}
		}
		c, p := script(t, record(down), record(answer(200, struct{}{})))
		if err := try(c); err != nil || len(p.all) != 1 {
			t.Errorf("%s: %v after %v", name, err, p.all)
		}
		if len(bodies) == 2 && bodies[0] != bodies[1] {
			t.Errorf("%s: the repetition sent %q, not %q", name, bodies[1], bodies[0])
		}
	}
}

func TestWhatWillNotHelpIsNotRepeated(t *testing.T) {
	for _, status := range []int{400, 401, 403, 404, 409, 413, 415, 500} {
		c, _ := script(t, problem(status, "invalid", ""))
		_, err := c.Work(t.Context(), "t", 7)
		var e *client.Error
		if !errors.As(err, &e) || e.MayRetry() || client.MayRetry(err) {
			t.Errorf("%d: got %v", status, err)
			continue
		}
		if e.Problem.Status != status || e.Problem.Code != "invalid" || e.Problem.Field != "items[0].args" || e.Problem.RequestID != "r-1" {
			t.Errorf("%d: got %+v", status, e.Problem)
		}
		for _, part := range []string{"GET /works/7", "why", "items[0].args", "r-1"} {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%q says nothing of %q", err, part)
			}
		}
	}
}

func TestLongRetryAfterIsTheCallers(t *testing.T) {
	c, p := script(t, problem(429, "too_many", "3600"))
	_, err := c.Pool(t.Context())
	if client.RetryAfter(err) != time.Hour || len(p.all) != 0 {
		t.Errorf("got %v after %v", err, p.all)
	}
}

func TestRetryAfterAsDate(t *testing.T) {
	c, _ := script(t, problem(429, "too_many", time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)))
	_, err := c.Pool(t.Context())
	if got := client.RetryAfter(err); got < 50*time.Minute || got > time.Hour {
		t.Errorf("got %v", got)
	}
}

func TestAnswersThatAreNoProblem(t *testing.T) {
	tests := []struct {
		kind, body, detail, code string
	}{
		{"application/json", `{"message":"Service Unavailable"}`, "Service Unavailable", ""},
		{"application/xml", `<Error><Code>AccessDenied</Code><Message>expired</Message></Error>`, "expired", "AccessDenied"},
		{"text/html", `<html>oops</html>`, "", ""},
		{"application/problem+json", `{"status":"x`, "", ""},
	}
	for _, test := range tests {
		c, _ := script(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", test.kind)
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, test.body)
		})
		_, err := c.Pool(t.Context())
		var e *client.Error
		if !errors.As(err, &e) || e.Problem.Status != 403 || e.Problem.Title != "Forbidden" || e.Problem.Detail != test.detail || e.Problem.Code != test.code {
			t.Errorf("%s: got %#v", test.kind, err)
		}
	}
}

func TestAnswersThatMakeNoSense(t *testing.T) {
	c, _ := script(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "not JSON") })
	if _, err := c.Pool(t.Context()); err == nil || client.MayRetry(err) {
		t.Errorf("got %v", err)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	c, _ := script(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "https://elsewhere.example/", http.StatusFound)
	})
	if _, err := c.Work(t.Context(), "secret", 1); client.Status(err) != 302 || !strings.Contains(err.Error(), "elsewhere") {
		t.Errorf("got %v", err)
	}
}

func TestGivingUpIsNoNetworkFailure(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c, p := script(t, func(w http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	_, err := c.Pool(ctx)
	if !errors.Is(err, context.Canceled) || client.MayRetry(err) || len(p.all) > 0 {
		t.Errorf("got %v", err)
	}
}

func TestGivingUpWhileWaiting(t *testing.T) {
	c, p := script(t, problem(503, "unavailable", ""))
	p.err = context.Canceled
	_, err := c.Pool(t.Context())
	if !errors.Is(err, context.Canceled) || client.Status(err) != 503 {
		t.Errorf("got %v", err)
	}
}

func TestTimeoutOfOneTryMayBeRepeated(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer server.Close()
	defer close(release)
	c, err := client.New(client.Config{URL: server.URL, Timeout: time.Millisecond, Attempts: 1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Pool(t.Context()); !client.MayRetry(err) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestPages(t *testing.T) {
	expect := func(query string, body any) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if r.URL.RawQuery != query {
				t.Errorf("got query %q, want %q", r.URL.RawQuery, query)
			}
			answer(200, body)(w, r)
		}
	}
	c, _ := script(t,
		expect("batch=3&limit=2&state=done", wire.Works{Works: []wire.Work{{ID: 1}, {ID: 2}}, Next: 2}),
		expect("after=2&batch=3&limit=2&state=done", wire.Works{Works: []wire.Work{{ID: 5}}}),
		expect("", wire.Workers{Workers: []wire.Worker{{ID: 9}}, Next: 9}),
		expect("after=9", wire.Workers{Workers: []wire.Worker{{ID: 10}, {ID: 11}}}),
		problem(403, "forbidden", ""))
	var ids []int64
	for work, err := range c.AllWorks(t.Context(), "t", client.WorksFilter{Batch: 3, State: "done", Limit: 2}) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, work.ID)
	}
	for worker, err := range c.AllWorkers(t.Context(), "t") {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, worker.ID)
		if worker.ID == 10 {
			break
		}
	}
	if want := []int64{1, 2, 5, 9, 10}; !slices.Equal(ids, want) {
		t.Errorf("got %v, want %v", ids, want)
	}
	for _, err := range c.AllWorks(t.Context(), "t", client.WorksFilter{}) {
		if client.Status(err) != 403 {
			t.Errorf("got %v", err)
		}
	}
}
