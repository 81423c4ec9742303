package wire_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"workerpool/shared/pool"
	"workerpool/shared/wire"
)

const (
	cid0 = "QmUbh7ugQ9WVprTVYjzrCS4d9cCy73zUz4MMchsrqzzu1w"
	cid1 = "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e"
)

// reads makes a deal that names files.
func reads(t interface{ Fatal(...any) }, inputs ...string) pool.Deal {
	params, err := json.Marshal(map[string]any{"iexec_args": "Alice", "iexec_input_files": inputs})
	if err != nil {
		t.Fatal(err)
	}
	d := aDeal()
	d.Params = string(params)
	return d
}

func specOf(t interface{ Fatal(...any) }, d pool.Deal) pool.Spec {
	batch, err := wire.FromDeal(d)
	if err != nil {
		t.Fatal(err)
	}
	spec, err := wire.Spec(batch.Template, nil)
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

// The files and the variables are those of iExec's worker (IexecEnvUtilsTest of
// iexec-common).
func TestFilesOfADeal(t *testing.T) {
	d := reads(t, "http://host/filename", "https://host:8443/a/b.csv?token=x/y#z")
	d.Dataset, d.DatasetAt, d.DatasetSum = pool.Address{0xda, 0x7a}, "/p2p/"+cid0, pool.Digest{5}
	const address = "0xda7a000000000000000000000000000000000000"
	spec := specOf(t, d)
	want := []pool.Fetch{
		{Name: address, URL: "/ipfs/" + cid0, Digest: pool.Digest{5}},
		{Name: "filename", URL: "http://host/filename"},
		{Name: "b.csv", URL: "https://host:8443/a/b.csv?token=x/y#z"},
	}
	if diff := cmp.Diff(want, spec.Fetches); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]string{
		"IEXEC_BOT_SIZE": "2", "IEXEC_BOT_FIRST_INDEX": "3", "IEXEC_DATASET_ADDRESS": address, "IEXEC_DATASET_FILENAME": address,
		"IEXEC_INPUT_FILES_NUMBER": "2", "IEXEC_INPUT_FILE_NAME_1": "filename", "IEXEC_INPUT_FILE_NAME_2": "b.csv",
	}, spec.Env); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]wire.Fetch{
		{Name: address, URL: "/ipfs/" + cid0, SHA256: pool.Digest{5}.String()}, {Name: "filename", URL: "http://host/filename"}, {Name: "b.csv", URL: want[2].URL},
	}, wire.FromFetches(spec.Fetches)); diff != "" {
		t.Error(diff)
	}
	d.DatasetSum = pool.Digest{}
	if got := wire.FromFetches(specOf(t, d).Fetches)[0]; got.SHA256 != "" {
		t.Errorf("a digest that nobody said: %+v", got)
	}
}

func TestNamesOfFiles(t *testing.T) {
	long := strings.Repeat("x", 300) + ".tar.gz"
	for urls, want := range map[string]string{
		"http://h/a.csv http://g/b/a.csv http://h/2-a.csv http://h/a.csv":    "a.csv 2-a.csv 2-2-a.csv 3-a.csv",
		"http://h/a%20b http://h/a%2Fb http://h/é.csv http://h/a;b$":         "a%20b a%2Fb é.csv a_b_",
		"http://h http://h/ http://h/. http://h/.. http://h/... http://h/.x": "h file 2-file 3-file 4-file .x",
		"http://h/" + long: long[len(long)-200:],
		"/ipfs/" + cid0 + " /ipfs/" + cid0 + "/d/e.json /p2p/" + cid1: cid0 + " e.json " + cid1,
	} {
		var got []string
		for _, f := range specOf(t, reads(t, strings.Fields(urls)...)).Fetches {
			got = append(got, f.Name)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %q, want %q", urls, got, want)
		}
	}
}

func TestLocationsOfFiles(t *testing.T) {
	for at, want := range map[string]string{
		"http://h/x": "http://h/x", "HTTPS://H/x": "HTTPS://H/x", "http://127.0.0.1:1/x": "http://127.0.0.1:1/x", // each worker says for itself
		"/ipfs/" + cid1: "/ipfs/" + cid1, "/p2p/" + cid0: "/ipfs/" + cid0, "/ipfs/" + cid0 + "/a/b.c": "/ipfs/" + cid0 + "/a/b.c",
		"": "", "x": "", "//h/x": "", "http:/x": "", "http:x": "", "http:///x": "", "http://:80/x": "", "ftp://h/x": "", "file:///etc/passwd": "", "data:,x": "",
		"http://me@h/x": "", "http://me:word@h/x": "", "http://h/\x00": "", "http://h/\n": "", "http://[::1/x": "", "http://h:port/x": "",
		"/ipfs/": "", "/ipfs/short": "", "/ipfs/" + cid0 + "/": "", "/ipfs/" + cid0 + "/../x": "", "/ipfs/" + cid0 + "/.": "", "/ipfs/" + cid0 + "/..": "", "/ipfs/" + cid0 + "?x": "", "/ipfs/" + cid0 + "/a b": "",
		"/ip4/127.0.0.1/tcp/80": "", "http://h/" + strings.Repeat("x", 2048): "",
	} {
		batch, err := wire.FromDeal(reads(t, at))
		if want == "" {
			if pool.KindOf(err) != pool.Invalid {
				t.Errorf("%q is fetched: %v", at, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", at, err)
			continue
		}
		if spec, err := wire.Spec(batch.Template, nil); err != nil || spec.Fetches[0].URL != want {
			t.Errorf("%q: %+v, %v", at, spec, err)
		}
	}
}

// Whatever a deal names, each file has a name of its own that leads nowhere.
func TestAnyFiles(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		inputs := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) string {
			return "http://" + rapid.SampledFrom([]string{"h/", "h/a/", "h", ""}).Draw(t, "host") + rapid.String().Draw(t, "rest")
		}), 0, 8).Draw(t, "inputs")
		d := reads(t, inputs...)
		d.Dataset, d.DatasetAt = pool.Address{1}, "http://h/"
		batch, err := wire.FromDeal(d)
		if err != nil {
			return
		}
		spec, err := wire.Spec(batch.Template, nil)
		if err != nil {
			t.Fatal(err)
		}
		names := map[string]bool{}
		for i, f := range spec.Fetches {
			if f.Name == "" || f.Name == "." || f.Name != filepath.Base(f.Name) || !filepath.IsLocal(f.Name) || len(f.Name) > 255 || strings.ContainsAny(f.Name, "\x00\n") {
				t.Fatalf("%q is called %q", f.URL, f.Name)
			}
			names[f.Name] = true
			if i > 0 && spec.Env[fmt.Sprintf("IEXEC_INPUT_FILE_NAME_%d", i)] != f.Name {
				t.Fatalf("%+v is not told in %v", f, spec.Env)
			}
		}
		if len(names) != len(inputs)+1 || len(spec.Fetches) != len(names) {
			t.Fatalf("%v of %q", names, inputs)
		}
		if again := specOf(t, d); !cmp.Equal(spec, again) || !maps.Equal(spec.Env, again.Env) {
			t.Fatal("the same deal makes another run")
		}
	})
}

// Only a deal can name files elsewhere: what is submitted has no room for them.
func TestNobodySubmitsLocations(t *testing.T) {
	for _, text := range []string{
		`{"template":{"app":{"type":"process","name":"x"},"fetch":[{"name":"a","url":"http://h"}]},"items":[{}]}`,
		`{"template":{"app":{"type":"process","name":"x"}},"items":[{"fetch":[{"name":"a","url":"http://h"}]}]}`,
	} {
		var s wire.Submission
		if err := json.Unmarshal([]byte(text), &s); err != nil {
			t.Fatal(err)
		}
		batch, err := s.Parse(1)
		if err != nil {
			t.Fatal(err)
		}
		if spec, err := wire.Spec(batch.Template, batch.Items[0]); err != nil || len(spec.Fetches) != 0 {
			t.Errorf("%s: %+v, %v", text, spec, err)
		}
	}
}
