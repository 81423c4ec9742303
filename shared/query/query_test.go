package query_test

import (
	"bytes"
	"fmt"
	"maps"
	"net/url"
	"strings"
	"testing"
	"time"

	"workerpool/docs"
	"workerpool/shared/pool"
	"workerpool/shared/pooltest"
	"workerpool/shared/wire"
)

func TestMain(m *testing.M) { pooltest.Main(m) }

type bench struct {
	*pooltest.World
	*testing.T
	ann, eve, op pooltest.Someone
	one          pooltest.Worker
}

func newBench(t *testing.T) bench {
	t.Helper()
	w := pooltest.New(t)
	t.Cleanup(w.Check)
	return bench{
		World: w, T: t, ann: w.Account(pool.RoleRequester, "ann"), eve: w.Account(pool.RoleRequester, "eve"),
		op: w.Account(pool.RoleOperator, "op"), one: w.Worker(w.SharedAccount("crowd"), "one", 8),
	}
}

// done brings a work to its end with a result.
func (b bench) done(work int64, result string) {
	b.Helper()
	b.Dispatch()
	for _, i := range b.Beat(b.one, pooltest.Says(work, 1, "reported", result)).Instructions {
		if i.Work == work {
			if status := b.Upload(i.Upload, result); status >= 300 {
				b.Fatalf("upload: status %d", status)
			}
		}
	}
	b.Beat(b.one, pooltest.Says(work, 1, "uploaded", result))
}

func (b bench) get(who pooltest.Someone, path string, args ...any) pooltest.Answer {
	b.Helper()
	return b.Call(who.Token, "GET", fmt.Sprintf(path, args...), nil)
}

// The result is for the owner, once it is done, by a link that stores it under a
// name of its own and shows it to nobody.
func TestResult(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	work := b.Submit(b.ann, 1, 0).FirstWork
	states := []struct {
		state string
		next  func()
	}{
		{"waiting", b.Dispatch},
		{"running", func() { b.Beat(b.one, pooltest.Says(work, 1, "reported", "bytes")) }},
		{"agreed", func() { b.done(work, "bytes") }},
	}
	for _, s := range states {
		answer := b.get(b.ann, "/works/%d/result", work)
		if answer.Status != 409 || !strings.Contains(answer.Problem.Detail, s.state) {
			t.Errorf("%s: %d %s", s.state, answer.Status, answer.Body)
		}
		s.next()
	}
	for range 2 {
		var out wire.Result
		b.get(b.ann, "/works/%d/result", work).Into(b.World, &out)
		if got := b.Fetch(out.URL); got != "bytes" || out.Size != 5 || out.SHA256 != pooltest.Says(work, 1, "reported", "bytes").SHA256 {
			t.Errorf("%q, %+v", got, out)
		}
		if left := time.Until(out.Expires); left < 14*time.Minute || left > 15*time.Minute {
			t.Errorf("the link is good for %v", left)
		}
		link, err := url.Parse(out.URL)
		if err != nil {
			t.Fatal(err)
		}
		if q := link.Query(); q.Get("response-content-type") != "application/octet-stream" || !strings.HasPrefix(q.Get("response-content-disposition"), "attachment") {
			t.Errorf("the link shows what it leads to: %v", q)
		}
	}
	for _, who := range []pooltest.Someone{b.eve, b.op} {
		if answer := b.get(who, "/works/%d/result", work); answer.Status != 404 || bytes.Contains(answer.Body, []byte("http")) {
			t.Errorf("%s: %d %s", who.Login, answer.Status, answer.Body)
		}
	}
	cancelled := b.Submit(b.ann, 1, 0).FirstWork
	b.Call(b.ann.Token, "DELETE", fmt.Sprint("/works/", cancelled), nil).Into(b.World, &wire.Cancelled{})
	if answer := b.get(b.ann, "/works/%d/result", cancelled); answer.Status != 409 || !strings.Contains(answer.Problem.Detail, "cancelled") {
		t.Errorf("cancelled: %d %s", answer.Status, answer.Body)
	}
	b.Files.Fail("PresignGetObject", false)
	if answer := b.get(b.ann, "/works/%d/result", work); answer.Status != 503 {
		t.Errorf("without a bucket: status %d", answer.Status)
	}
}

// An ended work tells all of itself, also after its turns were archived, and
// nothing of what is not its requester's to know before.
func TestWorkTellsItsLife(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	batch := b.Submit(b.ann, 2, 0)
	b.Dispatch()
	b.Beat(b.one, pooltest.Says(batch.FirstWork, 1, "reported", "bytes"), pooltest.Says(batch.LastWork, 1, "failed", "exit code 3"))
	var open, done, archived, failed wire.Work
	b.get(b.ann, "/works/%d", batch.FirstWork).Into(b.World, &open)
	if open.State != "agreed" || open.SHA256 != "" || open.Assignments[0].SHA256 != "" || open.Ended != nil {
		t.Errorf("%+v", open)
	}
	b.done(batch.FirstWork, "bytes")
	b.get(b.ann, "/works/%d", batch.FirstWork).Into(b.World, &done)
	if done.State != "done" || done.SHA256 == "" || done.Size != 5 || done.Ended == nil || len(done.Assignments) != 1 || done.Assignments[0].SHA256 != done.SHA256 {
		t.Errorf("%+v", done)
	}
	b.Tick()
	if n := b.Books.Count(t, "SELECT COUNT(*) FROM assignment WHERE work_id = ?", batch.FirstWork); n != 0 {
		t.Fatal("nothing was archived")
	}
	b.get(b.op, "/works/%d", batch.FirstWork).Into(b.World, &archived)
	if fmt.Sprintf("%+v", archived.Assignments) != fmt.Sprintf("%+v", done.Assignments) || archived.State != done.State {
		t.Errorf("%+v, archived %+v", done, archived)
	}
	b.get(b.ann, "/works/%d", batch.LastWork).Into(b.World, &failed)
	if failed.State != "waiting" || len(failed.Assignments) != 1 || failed.Assignments[0].Reason != "exit code 3" {
		t.Errorf("%+v", failed)
	}
}

// Pages meet without gap or overlap; a requester sees its own and an operator all.
func TestPages(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	first, second := b.Submit(b.ann, 5, 0), b.Submit(b.eve, 3, 0)
	third := b.Submit(b.ann, 4, 0)
	b.Call(b.ann.Token, "DELETE", fmt.Sprint("/works/", third.FirstWork), nil).Into(b.World, &wire.Cancelled{})
	walk := func(who pooltest.Someone, filter string, limit int) (ids []int64) {
		t.Helper()
		for after := int64(0); ; {
			var page wire.Works
			b.get(who, "/works?limit=%d&after=%d%s", limit, after, filter).Into(b.World, &page)
			for _, w := range page.Works {
				ids = append(ids, w.ID)
			}
			if page.Next != 0 && len(page.Works) != limit {
				t.Errorf("%d on a page of %d, and the next begins after %d", len(page.Works), limit, page.Next)
			}
			if page.Next == 0 {
				return ids
			}
			after = page.Next
		}
	}
	span := func(batches ...wire.Accepted) (ids []int64) {
		for _, a := range batches {
			for id := a.FirstWork; id <= a.LastWork; id++ {
				ids = append(ids, id)
			}
		}
		return ids
	}
	for _, limit := range []int{1, 3, 9, 12, 1000} {
		for _, c := range []struct {
			who    pooltest.Someone
			filter string
			want   []int64
		}{
			{b.ann, "", span(first, third)}, {b.eve, "", span(second)}, {b.op, "", span(first, second, third)},
			{b.ann, fmt.Sprint("&batch=", third.Batch), span(third)}, {b.ann, fmt.Sprint("&batch=", second.Batch), nil},
			{b.op, "&state=cancelled", span(third)[:1]}, {b.ann, fmt.Sprint("&state=waiting&batch=", third.Batch), span(third)[1:]},
		} {
			if got := walk(c.who, c.filter, limit); fmt.Sprint(got) != fmt.Sprint(c.want) {
				t.Errorf("%s%s by %d: %v, want %v", c.who.Login, c.filter, limit, got, c.want)
			}
		}
	}
}

func TestBatch(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	batch := b.Submit(b.ann, 3, 0)
	b.Call(b.ann.Token, "DELETE", fmt.Sprint("/works/", batch.LastWork), nil).Into(b.World, &wire.Cancelled{})
	for _, who := range []pooltest.Someone{b.ann, b.op} {
		var out wire.Batch
		b.get(who, "/batches/%d", batch.Batch).Into(b.World, &out)
		if out.Works != 3 || out.FirstWork != batch.FirstWork || out.LastWork != batch.LastWork || out.MissingInputs != 0 ||
			!maps.Equal(out.States, map[string]int{"waiting": 2, "cancelled": 1}) {
			t.Errorf("%+v", out)
		}
	}
}

// Anybody may look at the pool, as often as they like: it is counted once in
// five seconds. Nobody learns more than numbers.
func TestPublic(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	nobody := pooltest.Someone{}
	glance := func() (out wire.Pool) {
		b.Helper()
		b.get(nobody, "/pool").Into(b.World, &out)
		return out
	}
	if got := glance(); got.Name != pooltest.Pool || got.Workers != 1 || got.Slots != 8 || got.Open != 0 || len(got.Works) != 0 || got.MaxFile != pooltest.MaxFile || got.Chain != "off" {
		t.Errorf("%+v", got)
	}
	b.Submit(b.ann, 3, 0)
	b.Dispatch()
	b.Wire.Reset()
	for range 100 {
		if got := glance(); len(got.Works) != 0 {
			t.Fatalf("counted again at once: %+v", got)
		}
	}
	if trips := b.Wire.Trips(); trips != 0 {
		t.Errorf("a hundred glances made %d round trips", trips)
	}
	b.Advance(6 * time.Second)
	if got := glance(); got.Works["running"] != 3 || got.Open != 3 {
		t.Errorf("%+v", got)
	}
	var health wire.Health
	b.get(nobody, "/health").Into(b.World, &health)
	if answer := b.get(nobody, "/openapi.yaml"); answer.Status != 200 || !bytes.Equal(answer.Body, docs.OpenAPI) || answer.Header.Get("Content-Type") != "application/yaml" {
		t.Errorf("%d %v", answer.Status, answer.Header)
	}
	if health.Status != "ok" {
		t.Errorf("%+v", health)
	}
}

// Reading from a database that goes away is 503 with a word on when to come
// again, and the next is good; nothing of why is told.
func TestBooksAway(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	work := b.Submit(b.ann, 1, 0)
	for _, path := range []string{
		"/works", fmt.Sprint("/works/", work.FirstWork), fmt.Sprint("/batches/", work.Batch), "/pool", fmt.Sprintf("/works/%d/result", work.FirstWork),
	} {
		for after, cut := range map[bool]func(int){false: b.Wire.CutBefore, true: b.Wire.CutAfter} {
			b.Advance(6 * time.Second) // the pool is counted anew
			stored := b.Stored()
			cut(1)
			answer := b.get(b.ann, "%s", path)
			b.Wire.Reset()
			if answer.Status != 503 || answer.Header.Get("Retry-After") == "" || bytes.Contains(answer.Body, []byte("connection")) {
				t.Errorf("%s, after %v: %d %s", path, after, answer.Status, answer.Body)
			}
			if again := b.get(b.ann, "%s", path); again.Status == 503 {
				t.Errorf("%s again: %s", path, again.Body)
			}
			if !maps.Equal(stored, b.Stored()) {
				t.Errorf("%s has changed something", path)
			}
		}
	}
}
