package e2e

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"

	"workerpool/shared/pool"
	"workerpool/shared/wire"
)

// forger stands between a worker and the pool: the worker contributes and reveals
// what is right, and the forger has garbage uploaded in the place of its archive, and
// calls any archive that it is asked about wrong.
type forger struct {
	*httptest.Server
	b       *trade
	garbage []byte

	mu    sync.Mutex
	links map[string]wire.Link // of the pool, by work
}

func (b *trade) forger() *forger {
	b.t.Helper()
	at, err := url.Parse(b.workers)
	if err != nil {
		b.t.Fatal(err)
	}
	f := &forger{b: b, garbage: []byte("PK garbage"), links: map[string]wire.Link{}}
	pass := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(at) }, ModifyResponse: f.answer}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, "/sink/"):
			f.sink(w, r)
			return
		case strings.HasSuffix(r.URL.Path, "/heartbeat"):
			if err := f.forge(r); err != nil {
				b.t.Error(err)
			}
		}
		pass.ServeHTTP(w, r)
	}))
	b.t.Cleanup(f.Close)
	return f
}

func (f *forger) sum() string { return fmt.Sprintf("%x", sha256.Sum256(f.garbage)) }

// forge changes what the worker says of its archive.
func (f *forger) forge(r *http.Request) error {
	var h wire.Heartbeat
	if err := json.NewDecoder(r.Body).Decode(&h); err != nil {
		return err
	}
	for i := range h.Reports {
		said := &h.Reports[i]
		if said.SHA256 != "" {
			said.SHA256, said.Size = f.sum(), int64(len(f.garbage))
		}
		if said.State == string(pool.SaysChecked) {
			said.State = string(pool.SaysWrong)
		}
	}
	text, err := json.Marshal(h)
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(text)), int64(len(text))
	return err
}

// answer has the worker upload to the forger.
func (f *forger) answer(r *http.Response) error {
	if !strings.HasSuffix(r.Request.URL.Path, "/heartbeat") || r.StatusCode != http.StatusOK {
		return nil
	}
	var beat wire.Beat
	if err := json.NewDecoder(r.Body).Decode(&beat); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, do := range beat.Instructions {
		if do.Upload != nil {
			work := fmt.Sprint(do.Work)
			f.links[work] = *do.Upload
			beat.Instructions[i].Upload = &wire.Link{URL: f.URL + "/sink/" + work, Expires: do.Upload.Expires}
		}
	}
	text, err := json.Marshal(beat)
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(text)), int64(len(text))
	r.Header.Set("Content-Length", strconv.Itoa(len(text)))
	return err
}

func (f *forger) sink(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	link := f.links[strings.TrimPrefix(r.URL.Path, "/sink/")]
	f.mu.Unlock()
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		f.b.t.Error(err)
	}
	if err := f.b.links.Upload(r.Context(), link, bytes.NewReader(f.garbage), int64(len(f.garbage))); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// TestGarbageIsNotSold: the archives of an app differ from place to place, and one
// worker of four brings garbage for the result that it agreed upon. The requester
// gets, under the name that the chain was told, what was agreed upon.
func TestGarbageIsNotSold(t *testing.T) {
	t.Parallel()
	b := startTrade(t, 0, 0)
	for i := range 3 {
		b.hire(fmt.Sprint("honest-", i), nil, "-log")
	}
	b.hire("forger", []string{"-pool", b.forger().URL}, "-log")
	b.trusted(4)
	b.terms.Trust = 12 // all four have to agree
	deal := b.buy(4, "sold")
	b.all(deal, pool.TaskCompleted)
	rows, err := b.books().Query("SELECT results FROM action WHERE kind = 'finalize' AND state IN ('sent', 'done')")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	sold := 0
	for rows.Next() {
		var text []byte
		var said struct{ Location string }
		if err := rows.Scan(&text); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, &said); err != nil {
			t.Fatal(err)
		}
		if got := b.bought(said.Location); got != "sold\n" {
			t.Errorf("%s holds %q", said.Location, got)
		}
		sold++
	}
	if err := rows.Err(); err != nil || sold != deal.Tasks {
		t.Errorf("%d tasks are finalized, %v", sold, err)
	}
	disputed, vouched := b.count("SELECT COUNT(*) FROM event WHERE kind = 'work.disputed'"), b.count("SELECT COUNT(*) FROM event WHERE kind = 'work.vouched'")
	t.Logf("%d disputes, %d of %d vouched for", disputed, vouched, deal.Tasks)
	if vouched == 0 {
		t.Error("nobody vouched for anything")
	}
	b.check()
}

// bought fetches what lies where the chain says, and gives its result.
func (b *trade) bought(location string) string {
	b.t.Helper()
	resp, err := http.Get(b.host.URL() + location)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	archive, err := zip.NewReader(bytes.NewReader(text), int64(len(text)))
	if err != nil {
		return fmt.Sprintf("%.40q: %v", text, err)
	}
	file, err := archive.Open("result.txt")
	if err != nil {
		return err.Error()
	}
	defer file.Close()
	result, err := io.ReadAll(file)
	if err != nil {
		return err.Error()
	}
	return string(result)
}
