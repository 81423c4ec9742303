package web_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"workerpool/shared/pool"
	"workerpool/shared/web"
	"workerpool/shared/wire"
)

type base struct {
	Note string `json:"note"`
}

type sample struct {
	base
	Name   string            `json:"name"`
	Count  int               `json:"count,omitempty"`
	Small  int8              `json:"small"`
	Size   uint64            `json:"size"`
	Ratio  float32           `json:"ratio"`
	On     bool              `json:"on"`
	Env    map[string]string `json:"env"`
	Items  []item            `json:"items"`
	At     time.Time         `json:"at"`
	Any    any               `json:"any"`
	Raw    json.RawMessage   `json:"raw"`
	Bytes  []byte            `json:"bytes"`
	Maybe  *int              `json:"maybe"`
	Hidden string            `json:"-"`
	Plain  string
}

type item struct {
	Args []string `json:"args"`
	Deep *item    `json:"deep"`
}

func post(body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/works", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	return r
}

func TestDecodeTakesWhatIsRight(t *testing.T) {
	body := ` {"note":"n","name":"a\"\\b","count":-3,"small":127,"size":18446744073709551615,"ratio":1.5e-3,"on":true,
	 "env":{"A":"1","a":"2"},"items":[{"args":["x","y"],"deep":{"args":[]}},{"deep":null}],"at":"2026-11-23T10:00:00Z",
	 "any":{"k":[1,{"z":null}]},"raw":[1, 2],"bytes":"aGk=","maybe":3,"Plain":"p"} `
	var got sample
	read, err := web.Decode(post(body), 1<<20, &got)
	if err != nil {
		t.Fatal(err)
	}
	if string(read) != body {
		t.Error("the bytes read are not the body")
	}
	want := sample{
		base: base{"n"}, Name: `a"\b`, Count: -3, Small: 127, Size: math.MaxUint64, Ratio: 1.5e-3, On: true,
		Env: map[string]string{"A": "1", "a": "2"}, At: time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC),
		Items: []item{{Args: []string{"x", "y"}, Deep: &item{Args: []string{}}}, {}},
		Any:   map[string]any{"k": []any{1.0, map[string]any{"z": nil}}}, Raw: json.RawMessage("[1, 2]"),
		Bytes: []byte("hi"), Maybe: new(3), Plain: "p",
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(sample{})); diff != "" {
		t.Error(diff)
	}
}

func TestDecodeNamesWhatIsWrong(t *testing.T) {
	deep := strings.Repeat(`{"deep":`, 40) + "null" + strings.Repeat("}", 40)
	tests := []struct{ body, field, says string }{
		{``, "", "a JSON body is needed"},
		{`{`, "", "not one JSON value"},
		{`{"name":"a"}x`, "", "not one JSON value"},
		{`{} {}`, "", "not one JSON value"},
		{"{\"name\":\"\xff\"}", "", "not UTF-8"},
		{`[]`, "", "the body must be an object"},
		{`null`, "", "the body must be an object, not null"},
		{`7`, "", "the body must be an object"},
		{`{"nam":"a"}`, "nam", "not a known property"},
		{`{"Name":"a"}`, "Name", "not a known property"},
		{`{"Hidden":"a"}`, "Hidden", "not a known property"},
		{`{"-":"a"}`, "-", "not a known property"},
		{`{"base":{}}`, "base", "not a known property"},
		{`{"":1}`, `[""]`, "not a known property"},
		{`{"a b\u0000":1}`, `["a b\x00"]`, "not a known property"},
		{`{"name":"a","name":"a"}`, "name", "more than once"},
		{`{"name":"a","n\u0061me":"b"}`, "name", "more than once"},
		{`{"env":{"A":"1","A":"2"}}`, "env.A", "more than once"},
		{`{"any":[{"k":1,"k":2}]}`, "any[0].k", "more than once"},
		{`{"raw":{"k":{"j":1,"j":2}}}`, "raw.k.j", "more than once"},
		{`{"name":7}`, "name", "must be a string"},
		{`{"name":null}`, "name", "must be a string, not null"},
		{`{"name":{}}`, "name", "must be a string"},
		{`{"name":[]}`, "name", "must be a string"},
		{`{"name":true}`, "name", "must be a string"},
		{`{"on":"true"}`, "on", "must be true or false"},
		{`{"on":1}`, "on", "must be true or false"},
		{`{"count":1.5}`, "count", "must be a whole number"},
		{`{"count":1e2}`, "count", "must be a whole number"},
		{`{"count":"1"}`, "count", "must be a whole number"},
		{`{"count":9223372036854775808}`, "count", "out of range"},
		{`{"small":128}`, "small", "out of range"},
		{`{"small":-129}`, "small", "out of range"},
		{`{"size":-1}`, "size", "not negative"},
		{`{"ratio":1e39}`, "ratio", "out of range"},
		{`{"env":{"A":1}}`, "env.A", "must be a string"},
		{`{"env":{"a.b":1}}`, `env["a.b"]`, "must be a string"},
		{`{"env":[]}`, "env", "must be an object"},
		{`{"items":{}}`, "items", "must be a list"},
		{`{"items":[{},{},{},{"args":"x"}]}`, "items[3].args", "must be a list"},
		{`{"items":[{"args":["a",2]}]}`, "items[0].args[1]", "must be a string"},
		{`{"items":[null]}`, "items[0]", "must be an object, not null"},
		{`{"items":[{"deep":{"deep":{"arg":1}}}]}`, "items[0].deep.deep.arg", "not a known property"},
		{`{"maybe":null}`, "maybe", "must be a whole number, not null"},
		{`{"maybe":"x"}`, "maybe", "must be a whole number"},
		{`{"bytes":[1]}`, "bytes", "must be a string in base64"},
		{`{"at":"yesterday"}`, "", "wrong form"},
		{`{"items":[` + deep + `]}`, "items[0]" + strings.Repeat(".deep", 31), "nested more than 32 deep"},
		{`{"any":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`, "any" + strings.Repeat("[0]", 32), "nested more"},
	}
	for _, test := range tests {
		_, err := web.Decode(post(test.body), 1<<20, &sample{})
		var refused *pool.Error
		if !errors.As(err, &refused) || refused.Kind != pool.Invalid {
			t.Errorf("%s: got %v", test.body, err)
			continue
		}
		if refused.Field != test.field || !strings.Contains(refused.Message, test.says) {
			t.Errorf("%s:\n got %q %q\nwant %q %q", test.body, refused.Field, refused.Message, test.field, test.says)
		}
	}
}

func TestDecodeRefusesOtherTypes(t *testing.T) {
	tests := map[string]pool.Kind{
		"application/json":                  "",
		"Application/JSON; charset=UTF-8":   "",
		"":                                  pool.Unsupported,
		"text/json":                         pool.Unsupported,
		"application/problem+json":          pool.Unsupported,
		"application/json; charset=latin-1": pool.Unsupported,
		"application/json; =":               pool.Unsupported,
		"application/x-www-form-urlencoded": pool.Unsupported,
	}
	for contentType, want := range tests {
		r := post(`{}`)
		r.Header.Set("Content-Type", contentType)
		if _, err := web.Decode(r, 10, &sample{}); pool.KindOf(err) != want || (want == "" && err != nil) {
			t.Errorf("%q: got %v", contentType, err)
		}
	}
	r := post(`{}`)
	r.Header.Set("Content-Encoding", "gzip")
	if _, err := web.Decode(r, 10, &sample{}); pool.KindOf(err) != pool.Unsupported {
		t.Errorf("gzip: got %v", err)
	}
}

func TestDecodeKeepsTheLimit(t *testing.T) {
	body := `{"name":"12345"}`
	if _, err := web.Decode(post(body), int64(len(body)), &sample{}); err != nil {
		t.Errorf("a body of the limit: %v", err)
	}
	if _, err := web.Decode(post(body+" "), int64(len(body)), &sample{}); pool.KindOf(err) != pool.TooLarge {
		t.Errorf("a byte more: %v", err)
	}
}

func TestDecodeTellsOfABrokenBody(t *testing.T) {
	r := post("")
	r.Body = http.NoBody
	if _, err := web.Decode(r, 10, &sample{}); pool.KindOf(err) != pool.Invalid {
		t.Errorf("no body: %v", err)
	}
	broken := errors.New("connection reset")
	r = httptest.NewRequest(http.MethodPost, "/", iotest.ErrReader(broken))
	r.Header.Set("Content-Type", "application/json")
	if _, err := web.Decode(r, 10, &sample{}); pool.KindOf(err) != pool.Invalid || !errors.Is(err, broken) {
		t.Errorf("a broken body: %v", err)
	}
}

// FuzzDecode holds strict reading against encoding/json: it never panics, and
// what it accepts, a decoder that refuses unknown fields accepts as the same.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{"name":"a","items":[{"args":["x"]}]}`, `{"any":{"k":[1,{"z":null}]},"raw":[1]}`, `{"env":{"\ud800":"\\"}}`,
		`{"ratio":-0.0e+1,"size":0}`, `[[[[`, `{"a":}`, "\t{ } \n", `{"name":"\"}"}`, `{"env":{"A":"1","A":"2"}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var strict, plain sample
		if _, err := web.Decode(post(string(body)), 1<<16, &strict); err != nil {
			if pool.KindOf(err) == "" {
				t.Fatalf("an error without a kind: %v", err)
			}
			return
		}
		d := json.NewDecoder(bytes.NewReader(body))
		d.DisallowUnknownFields()
		if err := d.Decode(&plain); err != nil {
			t.Fatalf("accepted what encoding/json refuses: %v", err)
		}
		if diff := cmp.Diff(plain, strict, cmp.AllowUnexported(sample{})); diff != "" {
			t.Fatal(diff)
		}
	})
}

func BenchmarkDecodeLargestBatch(b *testing.B) {
	var body strings.Builder
	body.WriteString(`{"template":{"app":{"type":"process","name":"render"}},"items":[`)
	for i := range pool.MaxBatch {
		if i > 0 {
			body.WriteByte(',')
		}
		fmt.Fprintf(&body, `{"args":["--frame","%d","--quality","high"],"env":{"SEED":"%d"}}`, i, i)
	}
	body.WriteString(`]}`)
	b.SetBytes(int64(body.Len()))
	for b.Loop() {
		if _, err := web.Decode(post(body.String()), wire.MaxBody, &wire.Submission{}); err != nil {
			b.Fatal(err)
		}
	}
}
