package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	randv2 "math/rand/v2"
	"sync"
	"time"

	"workerpool/shared/client"
	"workerpool/shared/pool"
	"workerpool/shared/wire"
	"workerpool/test/load/crowd"
	"workerpool/test/load/meter"
	"workerpool/test/load/plan"
)

// requester submits, cancels and reads, and remembers what it was promised. It is
// safe for concurrent use.
type requester struct {
	client *client.Client // repeats what may be repeated
	meter  *meter.Meter
	token  string
	alone  bool // nobody else submits to this pool

	mu        sync.Mutex
	rng       *randv2.Rand
	batches   []promise
	doubtful  []doubt
	accepted  int
	sent      int // works, whether they were accepted or not
	cancelled map[int64]bool
	ended     map[int64]ending // as seen first
}

// promise is a batch that was accepted.
type promise struct {
	wire.Accepted
	trust int
}

// doubt is a submission without an answer: it may have been taken.
type doubt struct {
	key        string
	submission wire.Submission
}

type ending struct {
	state, sha256, reason string
	size                  int64
	at                    time.Time
}

func endingOf(w wire.Work) ending {
	e := ending{state: w.State, sha256: w.SHA256, reason: w.Reason, size: w.Size}
	if w.Ended != nil {
		e.at = *w.Ended
	}
	return e
}

func newRequester(c *client.Client, m *meter.Meter, token string, alone bool, seed uint64) *requester {
	return &requester{
		client: c, meter: m, token: token, alone: alone, rng: randv2.New(randv2.NewPCG(seed, 1<<40)), cancelled: map[int64]bool{}, ended: map[int64]ending{},
	}
}

// Act does an actor's action once. What was to be read and is not there yet is
// left out.
func (q *requester) Act(ctx context.Context, a plan.Actor, due time.Time) {
	var err error
	batch, work, some := q.draw()
	switch a.Action {
	case "submit":
		err = q.submit(ctx, a)
	case "pool":
		err = q.pool(ctx)
	case "workers":
		err = q.workers(ctx)
	default:
		if !some {
			return
		}
		switch a.Action {
		case "cancel":
			err = q.cancel(ctx, work)
		case "work":
			err = q.work(ctx, work)
		case "works":
			err = q.works(ctx, batch, a.Works)
		case "batch":
			_, err = q.batch(ctx, batch)
		case "result":
			done, known := q.done()
			if !known {
				return
			}
			err = q.result(ctx, done)
		}
	}
	if ctx.Err() == nil || err == nil {
		q.meter.Took(a.Action, due, err)
	}
}

// draw gives an accepted batch and one of its works.
func (q *requester) draw() (promise, int64, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.batches) == 0 {
		return promise{}, 0, false
	}
	b := q.batches[q.rng.IntN(len(q.batches))]
	return b, b.FirstWork + q.rng.Int64N(int64(b.Works)), true
}

// done gives a work that was seen done.
func (q *requester) done() (int64, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for id, e := range q.ended { // in no order
		if e.state == string(pool.Done) {
			return id, true
		}
	}
	return 0, false
}

func (q *requester) submit(ctx context.Context, a plan.Actor) error {
	d := doubt{key: rand.Text(), submission: wire.Submission{
		Template: wire.Template{App: wire.App{Type: "process", Name: a.App}, Trust: a.Trust}, Items: make([]wire.Item, a.Works),
	}}
	q.mu.Lock()
	q.sent += a.Works
	q.mu.Unlock()
	accepted, err := q.client.Submit(ctx, q.token, d.key, d.submission)
	q.mu.Lock()
	defer q.mu.Unlock()
	if err != nil {
		q.doubtful = append(q.doubtful, d)
		return err
	}
	q.promised(accepted, d.submission)
	return nil
}

// promised notes an accepted batch. It is called with q.mu held.
func (q *requester) promised(a wire.Accepted, s wire.Submission) {
	if a.Works != len(s.Items) || a.LastWork-a.FirstWork+1 != int64(a.Works) {
		q.meter.Fault("batch %d was submitted with %d works and accepted as %+v", a.Batch, len(s.Items), a)
	}
	for _, b := range q.batches {
		if b.Batch == a.Batch || a.FirstWork <= b.LastWork && b.FirstWork <= a.LastWork {
			q.meter.Fault("batches %d and %d share works", b.Batch, a.Batch)
		}
	}
	q.batches = append(q.batches, promise{a, s.Template.Trust})
	q.accepted += a.Works
}

func (q *requester) cancel(ctx context.Context, work int64) error {
	out, err := q.client.Cancel(ctx, q.token, work)
	if err != nil {
		return err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if !pool.WorkState(out.State).Ended() {
		q.meter.Fault("work %d was cancelled and is %s", work, out.State)
	}
	if out.State == string(pool.Cancelled) {
		q.cancelled[work] = true
	}
	return nil
}

// look notes what was read of a work: one that ended never changes.
func (q *requester) look(w wire.Work) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !pool.WorkState(w.State).Ended() {
		if was, ended := q.ended[w.ID]; ended {
			q.meter.Fault("work %d had ended %+v and is %s", w.ID, was, w.State)
		}
		return
	}
	now := endingOf(w)
	if was, ended := q.ended[w.ID]; ended && (was.state != now.state || was.sha256 != now.sha256 || was.size != now.size || was.reason != now.reason || !was.at.Equal(now.at)) {
		q.meter.Fault("work %d ended twice: %+v, then %+v", w.ID, was, now)
	}
	q.ended[w.ID] = now
	if digest, size := crowd.DigestOf(w.ID); now.state == string(pool.Done) && (now.sha256 != digest || now.size != size) {
		q.meter.Fault("work %d is done with %.8s of %d bytes; every worker reported %.8s of %d", w.ID, now.sha256, now.size, digest, size)
	}
	if q.cancelled[w.ID] && now.state != string(pool.Cancelled) {
		q.meter.Fault("work %d was cancelled and is %s", w.ID, now.state)
	}
}

func (q *requester) work(ctx context.Context, id int64) error {
	w, err := q.client.Work(ctx, q.token, id)
	if err != nil {
		return err
	}
	if w.ID != id {
		q.meter.Fault("asked for work %d, the answer is of %d", id, w.ID)
	}
	q.look(w)
	return nil
}

// works reads one page of a batch from its beginning.
func (q *requester) works(ctx context.Context, b promise, limit int) error {
	page, err := q.client.Works(ctx, q.token, client.WorksFilter{Batch: b.Batch, Limit: limit})
	if err != nil {
		return err
	}
	if want := min(limit, b.Works); len(page.Works) != want {
		q.meter.Fault("the first page of batch %d has %d works, not %d", b.Batch, len(page.Works), want)
	}
	q.page(b.FirstWork, page.Works)
	return nil
}

// page holds a page of works to what it must be: all from an id on, without a gap.
func (q *requester) page(first int64, works []wire.Work) {
	for i, w := range works {
		if w.ID != first+int64(i) {
			q.meter.Fault("a page has work %d where %d belongs", w.ID, first+int64(i))
			return
		}
		q.look(w)
	}
}

func (q *requester) batch(ctx context.Context, b promise) (wire.Batch, error) {
	out, err := q.client.Batch(ctx, q.token, b.Batch)
	if err != nil {
		return out, err
	}
	sum := 0
	for _, n := range out.States {
		sum += n
	}
	if sum != b.Works || out.Works != b.Works || out.FirstWork != b.FirstWork {
		q.meter.Fault("batch %d was accepted as %+v and is %+v", b.Batch, b.Accepted, out)
	}
	return out, nil
}

func (q *requester) pool(ctx context.Context) error {
	out, err := q.client.Pool(ctx)
	if err != nil {
		return err
	}
	waiting := 0
	for _, n := range out.Works {
		waiting += n
	}
	q.mu.Lock()
	sent := q.sent
	q.mu.Unlock()
	if q.alone && waiting > sent {
		q.meter.Fault("GET /pool: %d works, and %d were submitted", waiting, sent)
	}
	return nil
}

func (q *requester) workers(ctx context.Context) error {
	_, err := q.client.Workers(ctx, q.token, 0, 100)
	return err
}

// result fetches a result and compares its bytes.
func (q *requester) result(ctx context.Context, work int64) error {
	out, err := q.client.Result(ctx, q.token, work)
	if err != nil {
		return err
	}
	var content bytes.Buffer
	if err := q.client.Download(ctx, out.URL, &content, out.SHA256, out.Size); err != nil {
		return fmt.Errorf("downloading: %w", err)
	}
	if content.String() != crowd.ResultOf(work) {
		q.meter.Fault("the result of work %d is %q", work, content.String())
	}
	return nil
}
