package entry

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"workerpool/shared/telemetry"
	"workerpool/shared/web"
	"workerpool/shared/wire"
)

// seen is what a handler can see of a request.
type seen struct {
	Method, Path, PathID, URI, Host, Remote, Body, RequestID string
	States                                                   []string
	Search                                                   string
	Header                                                   http.Header
	Cookies                                                  []string
	Length                                                   int64
}

func watch(t *testing.T, pattern string, into *seen) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc(pattern, func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		*into = seen{
			Method: r.Method, Path: r.URL.Path, PathID: r.PathValue("id"), URI: r.RequestURI, Host: r.Host, Remote: r.RemoteAddr,
			Body: string(body), RequestID: telemetry.RequestID(r.Context()), States: r.URL.Query()["state"],
			Search: r.FormValue("q"), Header: r.Header, Length: r.ContentLength,
		}
		for _, c := range r.Cookies() {
			into.Cookies = append(into.Cookies, c.String())
		}
	})
	return mux
}

func TestRequestOfARecordedEvent(t *testing.T) {
	const host = "a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com"
	var got seen
	if _, _, err := invoke(t, serve(watch(t, "GET /works/{id}", &got)), recorded(t, "get.json")); err != nil {
		t.Fatal(err)
	}
	want := seen{
		Method: "GET", Path: "/works/42", PathID: "42", URI: "/works/42?after=7&state=done&state=failed&q=a%20b",
		Host: host, Remote: "203.0.113.9:0", RequestID: "PAbcdEFGjoEEMrw=", States: []string{"done", "failed"}, Search: "a b",
		Header: http.Header{
			"Accept": {"application/json, text/plain"}, "Authorization": {"Bearer abc"}, "Content-Length": {"0"}, "Host": {host},
			"User-Agent": {"curl/7.88.1"}, "X-Amzn-Trace-Id": {"Root=1-6561c8b0-2f6a1f4c0a7d3b5e1c9f8a7d"},
			"X-Forwarded-For": {"203.0.113.9"}, "X-Forwarded-Port": {"443"}, "X-Forwarded-Proto": {"https"},
			"Cookie": {"theme=dark; lang=en"},
		},
		Cookies: []string{"theme=dark", "lang=en"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, _, err := invoke(t, serve(watch(t, "POST /works", &got)), recorded(t, "post-base64.json")); err != nil {
		t.Fatal(err)
	}
	if got.Body != `{"items":[]}` || got.Length != 12 || got.Remote != "[2001:db8::7]:0" || got.Header.Get("Idempotency-Key") != "k-1" {
		t.Errorf("%+v", got)
	}
}

func TestAnswers(t *testing.T) {
	tests := map[string]struct {
		handler http.HandlerFunc
		want    string
	}{
		"nothing": {
			func(http.ResponseWriter, *http.Request) {},
			`{"statusCode":200,"headers":{"X-Request-Id":"PAbcdEFGjoEEMrw="},"multiValueHeaders":null,"body":"","cookies":null}`,
		},
		"several values, cookies apart, headers after the status too late": {
			func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Add("Vary", "A")
				w.Header().Add("Vary", "B")
				http.SetCookie(w, &http.Cookie{Name: "a", Value: "1"})
				http.SetCookie(w, &http.Cookie{Name: "b", Value: "2"})
				w.WriteHeader(http.StatusCreated)
				w.WriteHeader(http.StatusTeapot)
				w.Header().Set("Late", "x")
				fmt.Fprint(w, "h<")
				fmt.Fprint(w, "é")
			},
			`{"statusCode":201,"headers":{"Vary":"A, B","X-Request-Id":"PAbcdEFGjoEEMrw="},"multiValueHeaders":null,"body":"h\u003cé","cookies":["a=1","b=2"]}`,
		},
		"binary": {
			func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte{0xff, 0xfe}) },
			`{"statusCode":200,"headers":{"X-Request-Id":"PAbcdEFGjoEEMrw="},"multiValueHeaders":null,"body":"//4=","isBase64Encoded":true,"cookies":null}`,
		},
		"compressed": {
			func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Encoding", "gzip")
				_, _ = w.Write([]byte("x"))
			},
			`{"statusCode":200,"headers":{"Content-Encoding":"gzip","X-Request-Id":"PAbcdEFGjoEEMrw="},"multiValueHeaders":null,"body":"eA==","isBase64Encoded":true,"cookies":null}`,
		},
	}
	for name, test := range tests {
		answer, _, err := invoke(t, serve(test.handler), recorded(t, "get.json"))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(decode[any](t, []byte(test.want)), decode[any](t, answer)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// failure gives the problem document of an answer.
func failure(t *testing.T, answer []byte, err error) wire.Problem {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	got := decode[httpAnswer](t, answer)
	p := decode[wire.Problem](t, []byte(got.Body))
	if got.StatusCode != p.Status || got.Headers["Content-Type"] != "application/problem+json" {
		t.Errorf("%+v", got)
	}
	return p
}

func TestPanicTellsTheRequestIDOnly(t *testing.T) {
	answer, log, err := invoke(t, serve(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusCreated)
		fmt.Fprint(w, "half an answer")
		panic("hunter2")
	})), recorded(t, "get.json"))
	p := failure(t, answer, err)
	if p.Status != 500 || p.Code != "internal" || p.RequestID != "PAbcdEFGjoEEMrw=" || bytes.Contains(answer, []byte("hunter2")) {
		t.Errorf("%s", answer)
	}
	if !strings.Contains(log, "hunter2") || !strings.Contains(log, "http_test.go") {
		t.Errorf("logged %s", log)
	}
}

func TestBodyLimit(t *testing.T) {
	event := decode[httpEvent](t, recorded(t, "post-base64.json"))
	event.IsBase64Encoded = false
	for size, status := range map[int]int{6 << 20: 200, 6<<20 + 1: 413} {
		event.Body = strings.Repeat("a", size)
		called := false
		got, err := serve(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called = true }))(t.Context(), event)
		if err != nil || got.StatusCode != status || called != (status == 200) {
			t.Errorf("%d bytes: %d, handler called: %v, %v", size, got.StatusCode, called, err)
		}
	}
}

func TestAnswerLimit(t *testing.T) {
	event := decode[httpEvent](t, recorded(t, "get.json"))
	room := func(text string, times int) int {
		got, err := serve(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(bytes.Repeat([]byte(text), times))
		}))(t.Context(), event)
		if err != nil {
			t.Fatal(err)
		}
		if size, err := json.Marshal(got); err != nil || len(size) > 6<<20 {
			t.Errorf("the answer has %d bytes, %v", len(size), err)
		}
		return got.StatusCode
	}
	for _, test := range []struct {
		text          string
		times, status int
	}{
		{"a", 5 << 20, 200}, {"a", 6 << 20, 500}, {"<", 999 << 10, 200}, {"<", 1 << 20, 500}, {"\xff", 4 << 20, 200}, {"\xff", 5 << 20, 500},
	} {
		if got := room(test.text, test.times); got != test.status {
			t.Errorf("%d times %q: %d, want %d", test.times, test.text, got, test.status)
		}
	}
}

func TestOddEvents(t *testing.T) {
	base := recorded(t, "get.json")
	tests := []struct {
		change func(*httpEvent)
		status int
	}{
		{func(e *httpEvent) { e.RawPath = "" }, 500},
		{func(e *httpEvent) { e.RawPath = "works" }, 500},
		{func(e *httpEvent) { e.RequestContext.HTTP.Method = "" }, 500},
		{func(e *httpEvent) { e.RequestContext.HTTP.Method = "G T" }, 500},
		{func(e *httpEvent) { e.RawPath = "/100%" }, 200},
		{func(e *httpEvent) { e.RawPath = "/a b?c#d" }, 200},
		{func(e *httpEvent) { e.RawQueryString = "%zz&;" }, 200},
		{func(e *httpEvent) { e.IsBase64Encoded, e.Body = true, "!" }, 400},
		{func(e *httpEvent) { e.RequestContext.RequestID = "" }, 200},
	}
	for i, test := range tests {
		event := decode[httpEvent](t, base)
		test.change(&event)
		got, err := serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Seen", base64.StdEncoding.EncodeToString([]byte(r.URL.Path)))
		}))(t.Context(), event)
		if err != nil || got.StatusCode != test.status {
			t.Errorf("case %d: %d, %v", i, got.StatusCode, err)
		}
		if seen := got.Headers["Seen"]; got.StatusCode == 200 && seen != base64.StdEncoding.EncodeToString([]byte(event.RawPath)) {
			t.Errorf("case %d: path %s", i, seen)
		}
	}
}

func TestDeadlinePassedIs503(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	event := decode[httpEvent](t, recorded(t, "get.json"))
	got, err := serve(web.Handler(func(_ http.ResponseWriter, r *http.Request) error {
		return fmt.Errorf("reading a work: %w", r.Context().Err())
	}))(ctx, event)
	if err != nil || got.StatusCode != http.StatusServiceUnavailable || got.Headers["Retry-After"] == "" {
		t.Errorf("%+v, %v", got, err)
	}
}
