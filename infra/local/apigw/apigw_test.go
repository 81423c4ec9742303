package apigw

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"workerpool/infra/local/lambda"
)

// front has one function behind POST and GET of /works/{id}, which answers or
// fails as told and keeps the event.
func front(t *testing.T, answer func(context.Context) (lambda.Result, error)) (*Front, *[]byte) {
	t.Helper()
	var got []byte
	f, err := New(Config{
		Routes: []Route{{Method: "POST", Path: "/works/{id}", Function: "submit"}, {Method: "GET", Path: "/works/{id}", Function: "submit"}},
		Invoke: func(ctx context.Context, function string, event []byte) (lambda.Result, error) {
			if function != "submit" {
				t.Errorf("invoked %q", function)
			}
			got = event
			return answer(ctx)
		},
		Log:         slog.New(slog.NewTextHandler(t.Output(), nil)),
		Integration: 50 * time.Millisecond,
		Now:         func() time.Time { return time.UnixMilli(1773342238390) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return f, &got
}

func answers(payload string) func(context.Context) (lambda.Result, error) {
	return func(context.Context) (lambda.Result, error) { return lambda.Result{Payload: []byte(payload)}, nil }
}

func TestEventIsThatOfTheService(t *testing.T) {
	f, got := front(t, answers(`{}`))
	r := httptest.NewRequest("POST", "http://pool.example.org/works/a%20b?state=done&state=failed&limit=10&q=x%20y", strings.NewReader(`{"wörk":1}`))
	r.RemoteAddr = "192.0.2.7:4711"
	r.Header = http.Header{
		"Accept": {"text/html", "application/json"}, "Accept-Encoding": {"gzip"}, "Authorization": {"Bearer t"},
		"Content-Type": {"application/json; charset=utf-8"}, "User-Agent": {"test/1"}, "Cookie": {"one=1; two=2"},
		"X-Forwarded-For": {"10.1.1.1"},
	}
	w := httptest.NewRecorder()
	f.ServeHTTP(w, r)

	recorded, err := os.ReadFile("testdata/event.json")
	if err != nil {
		t.Fatal(err)
	}
	var want, have map[string]any
	if err := errors.Join(json.Unmarshal(recorded, &want), json.Unmarshal(*got, &have)); err != nil {
		t.Fatal(err)
	}
	id, _ := have["requestContext"].(map[string]any)["requestId"].(string)
	if id == "" || id != w.Header().Get("Apigw-Requestid") {
		t.Errorf("request id in the event %q, in the response %q", id, w.Header().Get("Apigw-Requestid"))
	}
	want["requestContext"].(map[string]any)["requestId"] = id
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("event (-recorded +got):\n%s", diff)
	}
	var typed events.APIGatewayV2HTTPRequest
	if err := json.Unmarshal(*got, &typed); err != nil || typed.PathParameters["id"] != "a b" {
		t.Errorf("the library's own type reads %+v, %v", typed, err)
	}
}

func TestBodiesThatAreNoTextComeAsBase64(t *testing.T) {
	for name, c := range map[string]struct {
		contentType string
		body        []byte
		want        string
		encoded     bool
	}{
		"binary":          {"application/octet-stream", []byte{0, 1, 255}, "AAH/", true},
		"no type":         {"", []byte("x"), "eA==", true},
		"broken text":     {"text/plain", []byte{0xff}, "/w==", true},
		"text":            {"text/csv", []byte("a,b"), "a,b", false},
		"problem":         {"application/problem+json", []byte("{}"), "{}", false},
		"nothing":         {"", nil, "", false},
		"form, as binary": {"application/x-www-form-urlencoded", []byte("a=b"), "YT1i", true},
	} {
		f, got := front(t, answers(`{}`))
		r := httptest.NewRequest("POST", "/works/1", bytes.NewReader(c.body))
		r.Header.Set("Content-Type", c.contentType)
		f.ServeHTTP(httptest.NewRecorder(), r)
		var e event
		if err := json.Unmarshal(*got, &e); err != nil {
			t.Fatal(err)
		}
		if e.Body != c.want || e.IsBase64Encoded != c.encoded {
			t.Errorf("%s: body %q, base64 %v; want %q, %v", name, e.Body, e.IsBase64Encoded, c.want, c.encoded)
		}
	}
}

func TestResponses(t *testing.T) {
	plain := "text/plain; charset=utf-8"
	for name, c := range map[string]struct {
		answer, body, contentType string
		status                    int
	}{
		"full":        {`{"statusCode":201,"headers":{"content-type":"application/json","location":"/x"},"body":"{}"}`, "{}", "application/json", 201},
		"base64":      {`{"statusCode":200,"headers":{"Content-Type":"image/png"},"body":"AAH/","isBase64Encoded":true}`, "\x00\x01\xff", "image/png", 200},
		"status only": {`{"statusCode":404}`, "", plain, 404},
		"no status":   {`{"works":[1]}`, `{"works":[1]}`, "application/json", 200},
		"a string":    {`"hello"`, `"hello"`, "application/json", 200},
		"null":        {`null`, `null`, "application/json", 200},
		"bad base64":  {`{"statusCode":200,"body":"*","isBase64Encoded":true}`, `{"message":"Internal Server Error"}`, "application/json", 500},
		"bad status":  {`{"statusCode":42}`, `{"message":"Internal Server Error"}`, "application/json", 500},
		"bad headers": {`{"statusCode":200,"headers":["x"]}`, `{"message":"Internal Server Error"}`, "application/json", 500},
		"no JSON":     {`<html>`, `{"message":"Internal Server Error"}`, "application/json", 500},
	} {
		f, _ := front(t, answers(c.answer))
		w := httptest.NewRecorder()
		f.ServeHTTP(w, httptest.NewRequest("GET", "/works/1", nil))
		if w.Code != c.status || w.Body.String() != c.body || w.Header().Get("Content-Type") != c.contentType {
			t.Errorf("%s: %d %q %q, want %d %q %q", name, w.Code, w.Body, w.Header().Get("Content-Type"), c.status, c.body, c.contentType)
		}
	}
	f, _ := front(t, answers(`{"statusCode":200,"cookies":["a=1; Path=/","b=2"]}`))
	w := httptest.NewRecorder()
	f.ServeHTTP(w, httptest.NewRequest("GET", "/works/1", nil))
	if diff := cmp.Diff([]string{"a=1; Path=/", "b=2"}, w.Header().Values("Set-Cookie")); diff != "" {
		t.Errorf("cookies (-want +got):\n%s", diff)
	}
}

func TestWhatTheServiceAnswersItself(t *testing.T) {
	failed := func(context.Context) (lambda.Result, error) {
		return lambda.Result{Failed: true, Payload: []byte(`{"errorMessage":"secret"}`)}, nil
	}
	hangs := func(ctx context.Context) (lambda.Result, error) {
		<-ctx.Done()
		return lambda.Result{}, fmt.Errorf("invoking: %w", ctx.Err())
	}
	refuses := func(err error) func(context.Context) (lambda.Result, error) {
		return func(context.Context) (lambda.Result, error) {
			return lambda.Result{}, fmt.Errorf("invoking: %w", err)
		}
	}
	zeros := func(n int64) io.Reader { return io.LimitReader(zero{}, n) }
	for name, c := range map[string]struct {
		method, path string
		body         io.Reader
		answer       func(context.Context) (lambda.Result, error)
		status       int
		message      string
	}{
		"function error": {"GET", "/works/1", nil, failed, 500, "Internal Server Error"},
		"too slow":       {"GET", "/works/1", nil, hangs, 503, "Service Unavailable"},
		"throttled":      {"GET", "/works/1", nil, refuses(lambda.ErrThrottled), 503, "Service Unavailable"},
		"big event":      {"POST", "/works/1", nil, refuses(lambda.ErrTooLarge), 413, "Request Entity Too Large"},
		"no sandbox":     {"GET", "/works/1", nil, refuses(os.ErrNotExist), 500, "Internal Server Error"},
		"10 MB":          {"POST", "/works/1", zeros(10 << 20), answers(`{"message":"in"}`), 200, "in"},
		"10 MB and one":  {"POST", "/works/1", zeros(10<<20 + 1), answers(`{}`), 413, "Request Entity Too Large"},
		"unknown path":   {"GET", "/", nil, nil, 404, "Not Found"},
		"unknown method": {"DELETE", "/works/1", nil, nil, 404, "Not Found"},
	} {
		f, _ := front(t, c.answer)
		w := httptest.NewRecorder()
		f.ServeHTTP(w, httptest.NewRequest(c.method, c.path, c.body))
		if want := `{"message":"` + c.message + `"}`; w.Code != c.status || w.Body.String() != want {
			t.Errorf("%s: %d %s, want %d %s", name, w.Code, w.Body, c.status, want)
		}
	}
}

type zero struct{}

func (zero) Read(p []byte) (int, error) { return len(p), nil }

func TestRoutes(t *testing.T) {
	table, err := newTable([]Route{
		{Method: "GET", Path: "/works"}, {Method: "GET", Path: "/works/{id}"}, {Method: "GET", Path: "/works/mine"},
		{Method: "ANY", Path: "/works/{id}"}, {Method: "GET", Path: "/works/{id}/result"}, {Method: "GET", Path: "/works/{rest+}"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for request, want := range map[string]string{
		"GET /works":            "GET /works map[]",
		"GET /works/7":          "GET /works/{id} map[id:7]",
		"GET /works/mine":       "GET /works/mine map[]",
		"PUT /works/7":          "ANY /works/{id} map[id:7]",
		"GET /works/a%2Fb":      "GET /works/{id} map[id:a/b]",
		"GET /works/7/result":   "GET /works/{id}/result map[id:7]",
		"GET /works/7/result/x": "GET /works/{rest+} map[rest:7/result/x]",
		"GET /works/":           "none",
		"PUT /works":            "none",
		"GET /":                 "none",
	} {
		method, path, _ := strings.Cut(request, " ")
		got := "none"
		if route, variables, ok := table.find(method, path); ok {
			got = fmt.Sprint(route.key(), " ", variables)
		}
		if got != want {
			t.Errorf("%s: %s, want %s", request, got, want)
		}
	}
	if _, err := newTable([]Route{{Method: "GET", Path: "/a", Function: "x"}, {Method: "GET", Path: "/a", Function: "y"}}); err == nil {
		t.Error("two functions on one route: no error")
	}
	catchAll, err := newTable([]Route{{Method: "ANY", Path: "$default"}, {Method: "GET", Path: "/a"}})
	if err != nil {
		t.Fatal(err)
	}
	for request, want := range map[string]string{"/a": "GET /a", "/b": "$default"} {
		if route, _, _ := catchAll.find("GET", request); route.key() != want {
			t.Errorf("%s: %s, want %s", request, route.key(), want)
		}
	}
}
