package life_test

import (
	"flag"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"workerpool/shared/life"
	"workerpool/shared/pool"
)

// Each case is a history of up to 300 steps; -rapid.checks on the command line wins.
func init() { _ = flag.Set("rapid.checks", "4000") }

// even draws 0 to n-1 without the preference for small numbers that rapid's own
// ranges have: histories need every kind of step about as often as stated.
func even(t *rapid.T, n int, label string) int {
	bits := rapid.Custom(func(t *rapid.T) int {
		v := 0
		for range 10 {
			v <<= 1
			if rapid.Bool().Draw(t, "bit") {
				v++
			}
		}
		return v
	})
	return bits.Draw(t, label) % n
}

func pick[E any](t *rapid.T, from []E, label string) E { return from[even(t, len(from), label)] }

var says = []pool.ReportState{
	pool.SaysRunning, pool.SaysReported, pool.SaysUploading, pool.SaysUploaded, pool.SaysFailed, pool.SaysRefused,
}

func newWorld(t *rapid.T) *world {
	w := &world{
		t: t, now: epoch, runs: map[pool.WorkerID]map[int]bool{}, first: map[pool.WorkerID]pool.Digest{},
		wild: even(t, 4, "wild") == 0,
		p: life.Policy{
			MaxFailures: 1 + even(t, 5, "failures"), MaxRuns: 2 + even(t, 23, "assignments"),
			RunGrace: 5 * time.Minute, UploadLimit: time.Hour, StartIntervals: rapid.IntRange(1, 3).Draw(t, "intervals"),
		},
	}
	w.l.Work = pool.Work{
		ID: pool.BatchID(7).Work(3), Requester: 1, Origin: pool.OriginAPI, State: pool.Staging, Created: epoch,
		Trust: pick(t, []int{0, 1, 2, 3, 3, 4, 5, 8}, "trust"), RunLimit: 5 * time.Minute, Deadline: epoch.Add(6 * time.Hour),
	}
	agreeing := 0 // votes that win against nobody
	for !reaches(agreeing, nil, w.l.Work.Trust) {
		agreeing++
	}
	liars := even(t, agreeing, "liars") // together, and yet too few
	for i := range 2 + even(t, 13, "workers") {
		m := &member{
			id: pool.WorkerID(i + 1), owner: pool.Owner(fmt.Sprint("account:", even(t, 10, "owner"))),
			interval: rapid.SampledFrom([]time.Duration{time.Second, 5 * time.Second, 30 * time.Second}).Draw(t, "interval"), answer: truth,
		}
		if i < liars {
			m.answer = lie
		}
		w.beat(m)
		w.fleet = append(w.fleet, m)
	}
	if even(t, 10, "inputs") > 0 {
		w.unstage()
	}
	return w
}

// unstage does what the store does when the inputs are there.
func (w *world) unstage() {
	if w.l.Work.State == pool.Staging {
		w.l.Work.State = pool.Waiting
	}
}

// advance moves the clock, often to the very moment that something ends.
func (w *world) advance() {
	steps := []time.Time{w.now.Add(time.Second), w.now.Add(20 * time.Second), w.now.Add(2 * time.Minute)}
	if even(w.t, 10, "far") == 0 {
		steps = append(steps, w.now.Add(time.Hour))
	}
	for _, r := range w.l.Rows {
		for _, edge := range []time.Time{r.StartBy, r.RunBy, r.Until} {
			if edge.After(w.now) {
				steps = append(steps, edge, edge.Add(-1))
			}
		}
	}
	w.now = later(w.now, pick(w.t, steps, "clock"))
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func (w *world) expire() {
	before := clone(w.l)
	w.l.Expire(w.now, rapid.Uint64().Draw(w.t, "seed"), w.p)
	w.check(before, "expire")
	for i, r := range w.l.Rows {
		was := before.Rows[i]
		if over(w.now, r) {
			w.fatalf(before, "expire", "worker %d's turn is over and is %s", r.Worker, r.State)
		}
		if r.State == pool.Expired && was.State != pool.Expired && !over(w.now, was) {
			w.fatalf(before, "expire", "worker %d's turn is not over", r.Worker)
		}
		if w.l.Work.State.Open() && over(w.now, was) && r.State != pool.Expired {
			w.fatalf(before, "expire", "worker %d's turn was over and is %s", r.Worker, r.State)
		}
	}
	if !w.now.Before(w.l.Work.Deadline) && !w.l.Work.State.Ended() {
		w.fatalf(before, "expire", "lives beyond its deadline")
	}
	again := clone(w.l)
	w.l.Expire(w.now, 5, w.p)
	if !same(again, w.l) {
		w.fatalf(again, "expire twice", "the second changed something")
	}
}

func (w *world) cancel() {
	before := clone(w.l)
	w.l.Cancel(w.now)
	w.check(before, "cancel")
	if !before.Work.State.Ended() && w.l.Work.State != pool.Cancelled {
		w.fatalf(before, "cancel", "is %s", w.l.Work.State)
	}
}

// report applies one report and holds it to what a report may do.
func (w *world) report(worker pool.WorkerID, r pool.Report, stored bool) {
	before := clone(w.l)
	seed := rapid.Uint64().Draw(w.t, "seed")
	what := fmt.Sprintf("worker %d says %s attempt %d %.4s stored %v", worker, r.Says, r.Attempt, r.Digest, stored)
	fail := func(format string, args ...any) { w.t.Helper(); w.fatalf(before, what, format, args...) }
	w.l.Report(w.now, worker, r, stored, seed, w.p)
	w.check(before, what)
	was, known := row(before, worker)
	is, _ := row(w.l, worker)
	if !known || was.Attempt != r.Attempt || before.Work.State.Ended() {
		if !same(before, w.l) {
			fail("a report of nobody's turn changed something")
		}
		return
	}
	if is.Until.Before(was.Until) || is.Until.Before(w.now.Add(is.Interval)) {
		fail("it speaks, and its lease ends %v", is.Until)
	}
	if was.State == pool.Closed || was.State == pool.Broken || was.State == pool.Superseded || was.State == pool.Refused {
		silent := clone(before)
		silent.Report(w.now, worker, pool.Report{Work: r.Work, Attempt: r.Attempt}, false, seed, w.p)
		if !same(silent, w.l) {
			fail("a report of a turn that is over had an effect")
		}
	}
	if was.State == pool.Expired {
		w.checkReturn(before, was, is, r, fail)
	}
	w.checkWord(before, was, is, r, stored, fail)
	w.repeat(before, was, worker, r, stored, seed, what)
}

// checkReturn: a lost turn comes back if, and only if, it is still wanted.
func (w *world) checkReturn(before life.Life, was, is life.Row, r pool.Report, fail failer) {
	fits := false
	switch r.Says {
	case pool.SaysRunning:
		fits = was.Digest.IsZero() && (!was.Started || w.now.Before(was.RunBy))
	case pool.SaysReported, pool.SaysUploading, pool.SaysUploaded:
		fits = was.Digest.IsZero() || was.Digest == r.Digest
	}
	for _, other := range before.Rows {
		if w.l.Work.Trust > 1 && other.Worker != was.Worker && other.Owner == was.Owner && other.HoldsOwner() {
			fits = false
		}
	}
	wanted := needed(before) - count(before, isOpen)
	if fits && before.Wanted(w.p) > 0 && is.State == pool.Expired {
		fail("it returned to what still wants %d, and was turned away", wanted)
	}
	if !fits || wanted < 1 {
		w.l.Rows[slices.Index(w.l.Rows, is)].Until = was.Until
		if !same(before, w.l) {
			fail("it returned to what wants %d, and changed something", wanted)
		}
		w.l.Rows[slices.IndexFunc(w.l.Rows, func(x life.Row) bool { return x.Worker == is.Worker })] = is
	}
}

// checkWord: what was said of a held turn is what becomes of it.
func (w *world) checkWord(before life.Life, was, is life.Row, r pool.Report, stored bool, fail failer) {
	result := r.Says == pool.SaysReported || r.Says == pool.SaysUploading || r.Says == pool.SaysUploaded
	switch {
	case was.State == pool.Offered && r.Says == pool.SaysRunning && w.l.Work.State.Open():
		if is.State != pool.InRun || !is.RunBy.Equal(w.now.Add(w.l.Work.RunLimit+w.p.RunGrace)) {
			fail("it began and is %s until %v", is.State, is.RunBy)
		}
	case isOpen(was) && result:
		if is.Digest != r.Digest || is.Size != r.Size || isOpen(is) {
			fail("its result was not taken: %s %.4s %d", is.State, is.Digest, is.Size)
		}
	case (isOpen(was) || was.State == pool.Uploading) && r.Says == pool.SaysFailed:
		if is.State != pool.Broken || is.Reason != r.Reason {
			fail("it failed and is %s for %q", is.State, is.Reason)
		}
	case was.State == pool.Offered && r.Says == pool.SaysRefused:
		if is.State != pool.Refused || is.Reason != r.Reason || is.Started {
			fail("it refused and is %s for %q", is.State, is.Reason)
		}
	case was.State == pool.InRun && r.Says == pool.SaysRefused:
		if is.State != pool.Broken {
			fail("it gave up its run and is %s", is.State)
		}
	case was.State == pool.Uploading && r.Says == pool.SaysUploading && r.Digest == was.Digest:
		want := was.RunBy
		if want.IsZero() {
			want = w.now.Add(w.p.UploadLimit)
		}
		if is.State != pool.Uploading || !is.StartBy.IsZero() || !is.RunBy.Equal(want) {
			fail("it uploads and is %s, start_by %v, run_by %v, want %v", is.State, is.StartBy, is.RunBy, want)
		}
	}
	done := was.State == pool.Uploading && r.Says == pool.SaysUploaded && stored && r.Digest == was.Digest
	if done != (w.l.Work.State == pool.Done) {
		fail("done: %v, the work is %s", done, w.l.Work.State)
	}
	if done && is.State != pool.Closed {
		fail("its upload was done and it is %s", is.State)
	}
}

// repeat: the same report again changes nothing. A worker whose earlier words
// were lost may jump to the upload: then the first is its result, the second its
// upload, and the third nothing. Likewise one that failed after it had reported: its
// vote stands, and it fails only when it was made the uploader.
func (w *world) repeat(before life.Life, was life.Row, worker pool.WorkerID, r pool.Report, stored bool, seed uint64, what string) {
	once := clone(w.l)
	second := clone(w.l)
	second.Report(w.now, worker, r, stored, seed+1, w.p)
	jump := (r.Says == pool.SaysUploading || r.Says == pool.SaysUploaded) && was.State != pool.Uploading ||
		r.Says == pool.SaysFailed && was.State == pool.Reported
	if jump {
		once = clone(second)
		second.Report(w.now, worker, r, stored, seed+2, w.p)
	}
	if !same(once, second) {
		w.fatalf(before, what, "said again, it changed something:\n%s", show(second))
	}
}

// sane is what a worker says that does as it is told.
func sane(m *member, r life.Row) pool.Report {
	out := pool.Report{Work: r.Work, Attempt: r.Attempt}
	switch r.State {
	case pool.Offered:
		out.Says = pool.SaysRunning
	case pool.InRun, pool.Expired:
		out.Says = pool.SaysReported
	case pool.Uploading:
		out.Says = pool.SaysUploading
		if r.StartBy.IsZero() {
			out.Says = pool.SaysUploaded
		}
	default:
		out.Says = pool.SaysReported
	}
	if out.Says != pool.SaysRunning {
		out.Digest, out.Size = m.answer, 1_000+int64(m.id)
		if !r.Digest.IsZero() {
			out.Digest = r.Digest
		}
	}
	return out
}

func (w *world) someReport() {
	m := pick(w.t, w.fleet, "worker")
	r, ok := row(w.l, m.id)
	if ok && rapid.Bool().Draw(w.t, "sane") {
		word := sane(m, r)
		w.report(m.id, word, true)
		return
	}
	word := pool.Report{Work: w.l.Work.ID, Says: pick(w.t, says, "says"), Reason: "because"}
	word.Attempt = r.Attempt + pick(w.t, []int{0, 0, 0, 0, -1, 1}, "attempt")
	if word.Says == pool.SaysReported || word.Says == pool.SaysUploading || word.Says == pool.SaysUploaded {
		word.Digest, word.Size, word.Reason = m.answer, rapid.Int64Range(0, 3).Draw(w.t, "size"), ""
		if w.wild {
			word.Digest = pick(w.t, []pool.Digest{truth, lie, rumour}, "digest")
		}
	}
	w.report(m.id, word, rapid.Bool().Draw(w.t, "stored"))
}

func TestHistories(t *testing.T) {
	t.Parallel()
	ends := map[pool.WorkState]int{}
	steps := 0
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		for range rapid.IntRange(20, 200).Draw(t, "length") {
			switch n := even(t, 100, "step"); {
			case n < 20:
				w.advance()
			case n < 40:
				w.beat(pick(t, w.fleet, "worker"))
			case n < 75:
				w.someReport()
			case n < 83:
				w.expire()
			case n < 98:
				w.place(rapid.IntRange(1, 6).Draw(t, "most"))
			case n == 98:
				w.unstage()
			case even(t, 8, "cancel") == 0:
				w.cancel()
			}
			if w.l.Work.State.Ended() && even(t, 4, "go on") == 0 {
				break // most of what is left to see lies before the end
			}
		}
		if rapid.Bool().Draw(t, "everyone stops") {
			w.silence()
		} else {
			w.cooperate()
		}
		ends[w.l.Work.State]++
		steps += w.steps
	})
	for _, s := range []pool.WorkState{pool.Done, pool.Failed, pool.Cancelled} {
		if ends[s] == 0 && !t.Failed() {
			t.Errorf("no history ended %s: %v", s, ends)
		}
	}
	t.Logf("%d steps, ends %v", steps, ends)
}

// silence: nobody says a word any more, and the work ends by its deadline.
func (w *world) silence() {
	w.now = later(w.now, w.now.Add(3*time.Hour))
	w.expire()
	if w.l.Work.State == pool.Agreed {
		w.fatalf(w.l, "silence", "waits for the dead")
	}
	w.now = later(w.now, w.l.Work.Deadline)
	w.expire()
	if !w.l.Work.State.Ended() {
		w.fatalf(w.l, "silence", "never ends")
	}
}

// cooperate: faults stop, honest workers come, and the work ends well before its
// deadline, by a result or by its tries.
func (w *world) cooperate() {
	w.unstage()
	for i := range w.p.MaxRuns + 1 {
		w.fleet = append(w.fleet, &member{id: pool.WorkerID(100 + i), owner: pool.Owner(fmt.Sprint("account:", 100+i)), interval: 5 * time.Second, answer: truth})
	}
	for range 8 * (w.p.MaxRuns + 2) {
		w.now = w.now.Add(time.Second)
		for _, m := range w.fleet {
			w.beat(m)
		}
		w.expire()
		w.place(100)
		for _, m := range w.fleet {
			if r, ok := row(w.l, m.id); ok && r.State.Held() {
				w.report(m.id, sane(m, r), true)
			}
		}
		if w.l.Work.State.Ended() {
			return
		}
	}
	w.fatalf(w.l, "cooperate", "does not end")
}
