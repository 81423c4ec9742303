package submit_test

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"

	"workerpool/shared/pool"
	"workerpool/shared/pooltest"
	"workerpool/shared/wire"
)

func TestMain(m *testing.M) { pooltest.Main(m) }

type bench struct {
	*pooltest.World
	*testing.T
	ann pooltest.Someone
}

func newBench(t *testing.T) bench {
	t.Helper()
	w := pooltest.New(t)
	t.Cleanup(w.Check)
	w.Account(pool.RoleRequester, "the first") // so that ids of different kinds differ
	return bench{World: w, T: t, ann: w.Account(pool.RoleRequester, "ann")}
}

// post submits under a key, perhaps in vain.
func (b bench) post(key string, s wire.Submission) pooltest.Answer {
	b.Helper()
	return b.Call(b.ann.Token, "POST", "/works", s, "Idempotency-Key", key)
}

// withInputs is a submission of two works that read files of these contents: the
// first of all, the second of the first only.
func withInputs(contents ...string) wire.Submission {
	s := pooltest.Submission(2, 0)
	for i, content := range contents {
		in := wire.Input{Name: fmt.Sprint("f", i), SHA256: sum(content), Size: int64(len(content))}
		if i == 0 {
			s.Template.Inputs = append(s.Template.Inputs, in)
		} else {
			s.Items[0].Inputs = append(s.Items[0].Inputs, in)
		}
	}
	return s
}

func sum(content string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(content))) }

func (b bench) inputs(batch int64) wire.Uploads {
	b.Helper()
	var out wire.Uploads
	b.Call(b.ann.Token, "GET", fmt.Sprintf("/batches/%d/inputs", batch), nil).Into(b.World, &out)
	return out
}

func (b bench) tryCheck(batch int64) pooltest.Answer {
	b.Helper()
	return b.Call(b.ann.Token, "POST", fmt.Sprintf("/batches/%d/inputs", batch), nil)
}

func (b bench) checked(batch int64) int {
	b.Helper()
	var out wire.Uploads
	b.tryCheck(batch).Into(b.World, &out)
	return out.Missing
}

// bring uploads the contents that a batch still misses.
func (b bench) bring(batch int64, contents ...string) {
	b.Helper()
	links := map[string]*wire.Link{}
	for _, target := range b.inputs(batch).Inputs {
		links[target.SHA256] = target.Upload
	}
	for _, content := range contents {
		if status := b.Upload(links[sum(content)], content); status >= 300 {
			b.Fatalf("upload of %q: status %d", content, status)
		}
	}
}

// The same key and body is the same batch, and rings again; without a key each
// is a new one. Another requester's key is another key.
func TestSubmitTwice(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	var first, second, third, fourth wire.Accepted
	b.post("k", pooltest.Submission(3, 2)).Into(b.World, &first)
	stored := b.Stored()
	answer := b.post("k", pooltest.Submission(3, 2))
	answer.Into(b.World, &second)
	if first != second || answer.Status != 201 {
		t.Errorf("%d: %+v, then %+v", answer.Status, first, second)
	}
	if !maps.Equal(stored, b.Stored()) {
		t.Error("a repeat has stored something")
	}
	if rings := b.Rings(); rings != 2 {
		t.Errorf("%d rings, want one each: the first may have been lost", rings)
	}
	if first.Works != 3 || first.LastWork-first.FirstWork != 2 || first.State != "waiting" {
		t.Errorf("%+v", first)
	}
	b.post("", pooltest.Submission(3, 2)).Into(b.World, &third)
	b.ann = b.Account(pool.RoleRequester, "eve")
	b.post("k", pooltest.Submission(3, 2)).Into(b.World, &fourth)
	if third.Batch == first.Batch || fourth.Batch == first.Batch || fourth.Batch == third.Batch {
		t.Errorf("batches %d, %d, %d", first.Batch, third.Batch, fourth.Batch)
	}
}

// Eight at once with one key make one batch.
func TestSubmitAtOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	var all sync.WaitGroup
	batches := make([]wire.Accepted, 8)
	for i := range batches {
		all.Go(func() { b.post("k", pooltest.Submission(3, 2)).Into(b.World, &batches[i]) })
	}
	all.Wait()
	for _, got := range batches {
		if got != batches[0] {
			t.Errorf("%+v beside %+v", got, batches[0])
		}
	}
	if n := b.Books.Count(t, "SELECT COUNT(*) FROM work"); n != 3 {
		t.Errorf("%d works", n)
	}
}

// Wherever a submission breaks off, the requester who repeats it with its key has
// one batch.
func TestSubmitInDoubt(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.Wire.Reset()
	b.post("first", pooltest.Submission(2, 0))
	trips := b.Wire.Trips()
	for trip := 1; trip <= trips; trip++ {
		for after, cut := range map[bool]func(int){false: b.Wire.CutBefore, true: b.Wire.CutAfter} {
			key := fmt.Sprint("trip-", trip, "-", after)
			cut(trip)
			answer := b.post(key, pooltest.Submission(2, 0))
			b.Wire.Reset()
			if answer.Status != 503 {
				t.Errorf("%s: status %d, %s", key, answer.Status, answer.Body)
			}
			b.Check()
			b.post(key, pooltest.Submission(2, 0)).Into(b.World, &wire.Accepted{})
			if n := b.Books.Count(t, "SELECT COUNT(*) FROM batch WHERE idem = ?", key); n != 1 {
				t.Errorf("%s: %d batches", key, n)
			}
		}
	}
	for _, done := range []bool{false, true} {
		b.Bell.Fail("SendMessage", done)
		b.post(fmt.Sprint("bell-", done), pooltest.Submission(2, 0)).Into(b.World, &wire.Accepted{})
	}
	if b.Bell.Struck() != 2 {
		t.Errorf("the bell was tried %d times", b.Bell.Struck())
	}
	if works, batches := b.Books.Count(t, "SELECT COUNT(*) FROM work"), b.Books.Count(t, "SELECT COUNT(*) FROM batch"); works != 2*batches {
		t.Errorf("%d works in %d batches of 2", works, batches)
	}
}

// Works leave staging when the last of their inputs was seen, not before; each
// file is uploaded once, and its link lets in those bytes only.
func TestStaging(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	one := b.Worker(b.SharedAccount("crowd"), "one", 2)
	var batch wire.Accepted
	b.post("", withInputs("alpha", "beta", "")).Into(b.World, &batch)
	if batch.State != "staging" || b.Rings() != 0 {
		t.Errorf("%+v", batch)
	}
	missing := b.inputs(batch.Batch)
	if missing.Missing != 3 || len(missing.Inputs) != 3 {
		t.Fatalf("%+v", missing)
	}
	for _, target := range missing.Inputs {
		for _, content := range []string{"gamma", "alphabet", "alph", "beta!"} {
			if status := b.Upload(target.Upload, content); status < 400 {
				t.Errorf("the link of %d bytes let %q in: %d", target.Size, content, status)
			}
		}
	}
	for _, step := range []struct {
		bring   []string
		missing int
	}{{nil, 3}, {[]string{"beta"}, 2}, {nil, 2}, {[]string{""}, 1}} {
		b.bring(batch.Batch, step.bring...)
		for range 2 {
			if got := b.checked(batch.Batch); got != step.missing {
				t.Errorf("after %q: %d missing, want %d", step.bring, got, step.missing)
			}
		}
		b.Dispatch()
		if beat := b.Beat(one); len(beat.Instructions) != 0 || b.Rings() != 0 {
			t.Fatalf("a staging work is given out: %+v", beat)
		}
	}
	b.bring(batch.Batch, "alpha")
	if got := b.checked(batch.Batch); got != 0 || b.Rings() != 1 {
		t.Errorf("all are there and %d are missing", got)
	}
	stored := b.Stored()
	if got := b.checked(batch.Batch); got != 0 {
		t.Errorf("all were there and %d are missing", got)
	}
	if left := b.inputs(batch.Batch); left.Missing != 0 || len(left.Inputs) != 0 || !maps.Equal(stored, b.Stored()) {
		t.Errorf("%+v, or something was stored", left)
	}
	b.Dispatch()
	beat := b.Beat(one)
	if len(beat.Instructions) != 2 || len(beat.Instructions[0].Run.Inputs) != 3 || len(beat.Instructions[1].Run.Inputs) != 1 {
		t.Fatalf("%+v", beat)
	}
	for _, in := range beat.Instructions[0].Run.Inputs {
		if got := b.Fetch(in.URL); sum(got) != in.SHA256 {
			t.Errorf("the link to %s leads to %q", in.Name, got)
		}
	}
}

// A check that breaks off anywhere is repeated, and the works leave staging once.
func TestCheckInDoubt(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	staged := func(name string) int64 {
		var batch wire.Accepted
		b.post(name, withInputs(name)).Into(b.World, &batch)
		b.bring(batch.Batch, name)
		return batch.Batch
	}
	expectOnce := func(name string, batch int64) {
		t.Helper()
		if got := b.checked(batch); got != 0 {
			t.Errorf("%s: %d missing", name, got)
		}
		first := batch << 14
		if events := b.Books.Count(t, "SELECT COUNT(*) FROM event WHERE kind = 'batch.staged' AND work_id = ?", first); events != 1 {
			t.Errorf("%s: left staging %d times", name, events)
		}
		if ready := b.Books.Count(t, "SELECT COUNT(*) FROM ready WHERE work_id >> 14 = ?", batch); ready != 2 {
			t.Errorf("%s: %d ready works, want 2", name, ready)
		}
		b.Check()
	}
	batch := staged("clean")
	b.Wire.Reset()
	b.checked(batch)
	trips := b.Wire.Trips()
	for trip := 1; trip <= trips; trip++ {
		for after, cut := range map[bool]func(int){false: b.Wire.CutBefore, true: b.Wire.CutAfter} {
			name := fmt.Sprint("trip-", trip, "-", after)
			batch := staged(name)
			cut(trip)
			answer := b.tryCheck(batch)
			b.Wire.Reset()
			if answer.Status != 503 {
				t.Errorf("%s: status %d, %s", name, answer.Status, answer.Body)
			}
			expectOnce(name, batch)
		}
	}
	for _, done := range []bool{false, true} {
		name := fmt.Sprint("head-", done)
		batch := staged(name)
		b.Files.Fail("HeadObject", done)
		if answer := b.tryCheck(batch); answer.Status != 503 {
			t.Errorf("%s: status %d", name, answer.Status)
		}
		expectOnce(name, batch)
		name = fmt.Sprint("bell-", done)
		batch = staged(name)
		b.Bell.Fail("SendMessage", done)
		expectOnce(name, batch)
	}
	var again wire.Accepted
	b.post("link", withInputs("link")).Into(b.World, &again)
	b.Files.Fail("PresignPostObject", false)
	if answer := b.Call(b.ann.Token, "GET", fmt.Sprintf("/batches/%d/inputs", again.Batch), nil); answer.Status != 503 {
		t.Errorf("links without a bucket: status %d", answer.Status)
	}
	if b.Files.Struck() != 3 || b.Bell.Struck() != 2 {
		t.Errorf("struck %d and %d times", b.Files.Struck(), b.Bell.Struck())
	}
}

// A file that another batch of the same requester brought is there; what another
// requester brought is not.
func TestInputsAreTheRequesters(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	var first, second, third wire.Accepted
	b.post("1", withInputs("same")).Into(b.World, &first)
	b.bring(first.Batch, "same")
	b.post("2", withInputs("same")).Into(b.World, &second)
	if got := b.checked(second.Batch); got != 0 {
		t.Errorf("%d missing of what was brought before", got)
	}
	b.ann = b.Account(pool.RoleRequester, "eve")
	b.post("3", withInputs("same")).Into(b.World, &third)
	if got := b.checked(third.Batch); got != 1 {
		t.Errorf("%d missing of what somebody else brought", got)
	}
}

// More inputs than one page take more than one call.
func TestManyInputs(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s := pooltest.Submission(9, 0)
	for i := range s.Items {
		for j := range 30 {
			content := fmt.Sprint(i, "-", j)
			s.Items[i].Inputs = append(s.Items[i].Inputs, wire.Input{Name: content, SHA256: sum(content), Size: int64(len(content))})
		}
	}
	var batch wire.Accepted
	b.post("", s).Into(b.World, &batch)
	for _, step := range []struct{ missing, page int }{{270, 200}, {70, 70}, {0, 0}} {
		page := b.inputs(batch.Batch)
		if page.Missing != step.missing || len(page.Inputs) != step.page {
			t.Fatalf("%d missing and %d on the page, want %+v", page.Missing, len(page.Inputs), step)
		}
		var all sync.WaitGroup
		known := map[string]string{}
		for _, item := range s.Items {
			for _, in := range item.Inputs {
				known[in.SHA256] = in.Name
			}
		}
		places := make(chan struct{}, 8)
		for _, target := range page.Inputs {
			places <- struct{}{}
			all.Go(func() {
				defer func() { <-places }()
				if status := b.Upload(target.Upload, known[target.SHA256]); status >= 300 {
					t.Errorf("status %d", status)
				}
			})
		}
		all.Wait()
		if got := b.checked(batch.Batch); got != max(0, step.missing-200) {
			t.Fatalf("%d missing", got)
		}
	}
}

// Ten thousand works in one body are one batch, quickly refused when one is wrong.
func TestLargestBatch(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s := pooltest.Submission(pool.MaxBatch, 0)
	for i := range s.Items {
		s.Items[i].Args = []string{strings.Repeat("x", i%300)}
	}
	var batch wire.Accepted
	b.post("", s).Into(b.World, &batch)
	if batch.Works != pool.MaxBatch || batch.LastWork != batch.FirstWork+pool.MaxBatch-1 {
		t.Errorf("%+v", batch)
	}
}
