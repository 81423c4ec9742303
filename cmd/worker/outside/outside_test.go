//go:build linux

package outside

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"workerpool/shared/cid"
)

const content = "what the deal is about"

var sum = fmt.Sprintf("%x", sha256.Sum256([]byte(content)))

// world is a server on this machine, which is as outside as tests get.
func newWorld(t *testing.T) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("/file", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, content) })
	mux.HandleFunc("/status/{code}", func(w http.ResponseWriter, r *http.Request) {
		var code int
		_, _ = fmt.Sscan(r.PathValue("code"), &code)
		w.WriteHeader(code)
	})
	mux.HandleFunc("/hops/{n}", func(w http.ResponseWriter, r *http.Request) {
		var n int
		_, _ = fmt.Sscan(r.PathValue("n"), &n)
		to := fmt.Sprintf("/hops/%d", n-1)
		if n == 1 {
			to = "../file" // relative, as it may be
		}
		w.Header().Set("Location", to)
		w.WriteHeader([]int{301, 302, 303, 307, 308}[n%5])
	})
	mux.HandleFunc("/to", func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Location"] = r.URL.Query()["where"]
		w.WriteHeader(http.StatusFound)
	})
	mux.HandleFunc("/chunked", func(w http.ResponseWriter, _ *http.Request) {
		for part := range strings.SplitSeq(content, " ") {
			fmt.Fprint(w, part)
			_ = http.NewResponseController(w).Flush()
		}
	})
	mux.HandleFunc("/short", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		fmt.Fprint(w, content)
	})
	mux.HandleFunc("/silent", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, content)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	mux.HandleFunc("/packed", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") != "" || r.Header.Get("Referer") != "" || r.Header.Get("User-Agent") != "worker/1" {
			t.Errorf("asked with %v", r.Header)
		}
		w.Header().Set("Content-Encoding", "gzip")
		fmt.Fprint(w, content)
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

func fetch(t *testing.T, c Config, from, want string, most int64) (got File, text string, err error) {
	t.Helper()
	c.UserAgent = "worker/1"
	f, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	into, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer into.Close()
	got, err = f.Fetch(t.Context(), from, want, most, into)
	written, fault := os.ReadFile(into.Name())
	if fault != nil {
		t.Fatal(fault)
	}
	return got, string(written), err
}

func TestFetch(t *testing.T) {
	s := newWorld(t)
	for from, want := range map[string]string{
		"/file": content, "/file?a=b#c": content, "/hops/5": content, "/chunked": strings.ReplaceAll(content, " ", ""), "/packed": content,
	} {
		got, text, err := fetch(t, Config{Private: true}, s.URL+from, "", 1000)
		if err != nil || text != want || got.Size != int64(len(want)) || got.SHA256 != fmt.Sprintf("%x", sha256.Sum256([]byte(want))) {
			t.Errorf("%s: %+v, %q, %v", from, got, text, err)
		}
	}
	if _, text, err := fetch(t, Config{Private: true}, s.URL+"/file", strings.ToUpper(sum), int64(len(content))); err != nil || text != content {
		t.Errorf("exactly as much as there may be: %q, %v", text, err)
	}
}

// Each failure says whether it lasts, in words that hold no address.
func TestFailures(t *testing.T) {
	s := newWorld(t)
	gone := httptest.NewServer(nil)
	gone.Close()
	hidden := httptest.NewUnstartedServer(nil)
	hidden.Config.ErrorLog = log.New(io.Discard, "", 0)
	hidden.StartTLS()
	t.Cleanup(hidden.Close)
	few := int64(len(content) - 1)
	for name, c := range map[string]struct {
		from, sum string
		most      int64
		lasting   bool
		want      string
	}{
		"none":            {s.URL + "/none", "", 1000, true, "its host answers 404 Not Found"},
		"no content":      {s.URL + "/status/204", "", 1000, true, "its host answers 204"},
		"a part":          {s.URL + "/status/206", "", 1000, true, "its host answers 206"},
		"forbidden":       {s.URL + "/status/403", "", 1000, true, "its host answers 403"},
		"too many calls":  {s.URL + "/status/429", "", 1000, false, "its host answers 429"},
		"late":            {s.URL + "/status/408", "", 1000, false, "its host answers 408"},
		"host in trouble": {s.URL + "/status/503", "", 1000, false, "its host answers 503"},
		"hops":            {s.URL + "/hops/6", "", 1000, true, "it leads on more than 5 times"},
		"to a file":       {s.URL + "/to?where=file:///etc/passwd", "", 1000, true, "none of http or https"},
		"to a password":   {s.URL + "/to?where=http://me:word@127.0.0.1/", "", 1000, true, "none of http or https"},
		"to nothing":      {s.URL + "/to", "", 1000, true, "it leads on to nowhere"},
		"ftp":             {"ftp://127.0.0.1/file", "", 1000, true, "none of http or https"},
		"password":        {strings.Replace(s.URL, "//", "//me:word@", 1) + "/file", "", 1000, true, "none of http or https"},
		"no host":         {"http:///file", "", 1000, true, "none of http or https"},
		"no URL":          {"http://a b/", "", 1000, true, "its address is none"},
		"large":           {s.URL + "/file", "", few, true, "more than the 21 bytes"},
		"large in parts":  {s.URL + "/chunked", "", 5, true, "more than the 5 bytes"},
		"other bytes":     {s.URL + "/file", strings.Repeat("0", 64), 1000, true, "its SHA-256 is not the one announced"},
		"breaks off":      {s.URL + "/short", "", 1000, false, "breaks off"},
		"refuses":         {gone.URL, "", 1000, false, "does not answer"},
		"certificate":     {hidden.URL, "", 1000, true, "no good certificate"},
		"unknown name":    {"http://no-such-host.invalid/", "", 1000, true, ""}, // with a resolver; without one it is tried again
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := fetch(t, Config{Private: true}, c.from, c.sum, c.most)
			var fault *Error
			if !errors.As(err, &fault) || fault.Lasting != c.lasting && c.want != "" || !strings.Contains(fault.Reason, c.want) {
				t.Fatalf("%v (%+v), want %q, lasting: %v", err, fault, c.want, c.lasting)
			}
			if strings.Contains(err.Error(), "127.0.0.1") || strings.Contains(err.Error(), "/etc") || strings.Contains(err.Error(), "invalid") {
				t.Errorf("told: %v", err)
			}
		})
	}
}

// A host that says nothing more is given up; who calls is not kept when it gives up.
func TestPatience(t *testing.T) {
	s := newWorld(t)
	_, _, err := fetch(t, Config{Private: true, Patience: 50 * time.Millisecond}, s.URL+"/silent", "", 1000)
	var fault *Error
	if !errors.As(err, &fault) || fault.Lasting || !strings.Contains(fault.Reason, "says nothing for 50ms") {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	f, err := New(Config{Private: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Fetch(ctx, s.URL+"/file", "", 1000, nil); !errors.Is(err, context.Canceled) || errors.As(err, &fault) {
		t.Errorf("after its end: %v", err)
	}
}

// Without the owner's word nothing on this machine is reached: not by number, not by
// a name that leads here, not by a redirect from outside.
func TestStrangersStayOutside(t *testing.T) {
	var reached atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	t.Cleanup(s.Close)
	_, port, err := net.SplitHostPort(s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("HTTP_PROXY", s.URL) // a proxy would go there for us
	hosts := []string{"127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "0.0.0.0", "[::]", "127.1", "2130706433", "0x7f000001", "localhost.", "169.254.169.254", "[64:ff9b::7f00:1]"}
	for _, host := range hosts {
		_, _, err := fetch(t, Config{}, "http://"+host+":"+port+"/", "", 1000)
		var fault *Error
		if !errors.As(err, &fault) {
			t.Errorf("%s: %v", host, err)
		}
	}
	// One that leads here from a gateway that may lie here.
	inside := httptest.NewServer(http.RedirectHandler(s.URL, http.StatusFound))
	t.Cleanup(inside.Close)
	_, _, err = fetch(t, Config{Gateways: []string{inside.URL}}, "/ipfs/QmUbh7ugQ9WVprTVYjzrCS4d9cCy73zUz4MMchsrqzzu1w", "", 1000)
	var fault *Error
	if !errors.As(err, &fault) || !fault.Lasting || !strings.Contains(fault.Reason, "not a public one") || !errors.Is(err, errPrivate) {
		t.Errorf("from a gateway: %v", err)
	}
	if n := reached.Load(); n != 0 {
		t.Errorf("reached %d times", n)
	}
}

// A redirect from what looks public: the dialled addresses are judged one by one.
func TestRedirectInside(t *testing.T) {
	s := newWorld(t)
	f, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	// The first host stands for a public one: only its connection is let through.
	way := f.stranger.Transport.(*http.Transport)
	dial := way.DialContext
	way.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		if address == "public.example:80" {
			return new(net.Dialer).DialContext(ctx, network, s.Listener.Addr().String())
		}
		return dial(ctx, network, address)
	}
	into, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer into.Close()
	if _, err := f.Fetch(t.Context(), "http://public.example/file", "", 1000, into); err != nil {
		t.Fatalf("itself: %v", err)
	}
	_, err = f.Fetch(t.Context(), "http://public.example/to?where="+s.URL+"/file", "", 1000, into)
	var fault *Error
	if !errors.As(err, &fault) || !fault.Lasting || !errors.Is(err, errPrivate) {
		t.Errorf("%v", err)
	}
}

// Gateways are asked in order until one has it; the bytes must be what the name says
// where it says it.
func TestGateways(t *testing.T) {
	const opaque = "/ipfs/QmUbh7ugQ9WVprTVYjzrCS4d9cCy73zUz4MMchsrqzzu1w"
	raw := cid.Path(sha256.Sum256([]byte(content)))
	serve := func(text string, status int) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/below"+opaque && r.URL.Path != "/below"+raw {
				t.Errorf("asked for %s", r.URL.Path)
			}
			w.WriteHeader(status)
			fmt.Fprint(w, text)
		}))
		t.Cleanup(s.Close)
		return s.URL + "/below/"
	}
	has, none, busy, lies := serve(content, 200), serve("no", 404), serve("later", 504), serve(content+" and more", 200)
	for name, c := range map[string]struct {
		gateways []string
		from     string
		want     string // of the fault; "" = it comes
		lasting  bool
	}{
		"the first":          {[]string{has, none}, opaque, "", false},
		"the last":           {[]string{none, busy, has}, opaque, "", false},
		"nobody":             {[]string{none, none}, opaque, "404", true},
		"nobody now":         {[]string{busy, none}, opaque, "404", false},
		"no gateway":         {nil, opaque, "no gateway", true},
		"another's bytes":    {[]string{lies}, opaque, "", false}, // the name is no digest of them
		"not the bytes":      {[]string{lies}, raw, "its SHA-256", true},
		"whoever has them":   {[]string{lies, has}, raw, "", false},
		"after what is long": {[]string{lies, has}, opaque, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			_, text, err := fetch(t, Config{Gateways: c.gateways}, c.from, "", 1000)
			var fault *Error
			if c.want == "" {
				if err != nil || !strings.HasPrefix(text, content) || c.from == raw && text != content {
					t.Errorf("%q, %v", text, err)
				}
			} else if !errors.As(err, &fault) || fault.Lasting != c.lasting || !strings.Contains(fault.Reason, c.want) || strings.Contains(fault.Reason, "127.0.0.1") {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
	for _, gateway := range []string{"", "ipfs.example.com", "ftp://a", "https://a/?b", "http://"} {
		if _, err := New(Config{Gateways: []string{gateway}}); err == nil {
			t.Errorf("%q is a gateway", gateway)
		}
	}
}

// A disk that takes no more is no fault of the file, and its path is nobody's
// business.
func TestFullDisk(t *testing.T) {
	s := newWorld(t)
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	f, err := New(Config{Private: true})
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Fetch(t.Context(), s.URL+"/file", "", 1000, full)
	var fault *Error
	if errors.As(err, &fault) || err == nil || !strings.Contains(err.Error(), "no space left") || strings.Contains(err.Error(), "/dev") {
		t.Errorf("%v", err)
	}
}
