package crowd

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"workerpool/cmd/worker/beat"
	"workerpool/shared/client"
	"workerpool/shared/pool"
	"workerpool/shared/wire"
	"workerpool/test/load/plan"
)

// ResultOf is what a simulated run of a work brings: everybody knows it.
func ResultOf(work int64) string { return fmt.Sprintf("result of work %d\n", work) }

// DigestOf gives that result's digest and size in bytes.
func DigestOf(work int64) (sha256hex string, size int64) {
	sum := sha256.Sum256([]byte(ResultOf(work)))
	return hex.EncodeToString(sum[:]), int64(len(ResultOf(work)))
}

// hand is one simulated worker. The conversation is the worker program's own
// (cmd/worker/beat); only the runs are made up. It holds the pool to its promises:
// no work twice, never more than it has slots for.
type hand struct {
	crowd *Crowd
	actor plan.Actor
	name  string
	key   string

	mu       sync.Mutex
	rng      *rand.Rand
	turns    map[int64]*turn
	seen     map[int64]given // by work, also of turns that are over
	changed  chan struct{}
	due      time.Time // when the next call is due by the clock
	noticed  time.Time // when something new to report came about; zero = nothing
	prompted time.Time // what noticed was for the report under way
	answered time.Time // when the last call came to its end
	heard    time.Time // when the last heartbeat was answered
	interval time.Duration
}

// given is what a worker knows of the newest attempt at a work.
type given struct {
	attempt int
	known   bool // the pool answered a heartbeat that reported it
}

type turn struct {
	attempt int
	state   pool.ReportState
	late    bool // it was held while the lease may have run out: it may come back beside others
}

// Run talks to the pool until ctx ends.
func (h *hand) Run(ctx context.Context) {
	beat.New(beat.Config{
		Pool: h, Keeper: h, Clock: h,
		Login: func() (wire.Login, error) { return h.crowd.login, nil },
		Registration: func() (wire.Registration, error) {
			return wire.Registration{Name: h.name, Key: h.key, Slots: h.actor.Slots, Capabilities: wire.Capabilities{
				OS: "linux", Arch: "amd64", CPU: h.actor.Slots, MemoryMB: 1024, DiskMB: 1024, Programs: []string{h.actor.App}, Version: "1.0.0",
			}}, nil
		},
		Log: slog.New(slog.DiscardHandler), // what fails is counted
	}).Run(ctx)
}

// Now, After and Spread are the clock, and the chance, of the conversation.
func (h *hand) Now() time.Time { return time.Now() }

// After notes when the next call is due.
func (h *hand) After(d time.Duration) <-chan time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.due = time.Now().Add(d)
	return time.After(d)
}

// Spread draws from 0 to d.
func (h *hand) Spread(d time.Duration) time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	return time.Duration(h.rng.Int64N(int64(d) + 1))
}

// intended gives when the call that is made now should have been made.
func (h *hand) intended() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	due := h.due
	if now := time.Now(); now.Before(due) { // the good-bye
		due = now
	}
	if !h.prompted.IsZero() && h.prompted.Before(due) {
		due = h.prompted
	}
	if due.Before(h.answered) { // a worker makes one call after the other
		due = h.answered
	}
	return due
}

func (h *hand) over(action string, due time.Time, err error) {
	if !errors.Is(err, context.Canceled) { // broken off by the end of the plan
		h.crowd.meter.Took(action, due, err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.answered, h.prompted = time.Now(), time.Time{}
}

// Session logs in.
func (h *hand) Session(ctx context.Context, login wire.Login) (wire.Session, error) {
	if h.actor.OneSession {
		return h.crowd.sharedSession(ctx)
	}
	due := h.intended()
	out, err := h.crowd.client.Session(ctx, login)
	h.over("session", due, err)
	return out, err
}

// Register registers.
func (h *hand) Register(ctx context.Context, token string, r wire.Registration) (wire.Registered, error) {
	due := h.intended()
	out, err := h.crowd.client.Register(ctx, token, r)
	h.over("register", due, err)
	if err == nil {
		h.crowd.registered(out.Worker, h)
	}
	return out, err
}

// Heartbeat calls, and looks at the answer before anybody obeys it.
func (h *hand) Heartbeat(ctx context.Context, token string, worker int64, b wire.Heartbeat) (wire.Beat, error) {
	due := h.intended()
	out, err := h.crowd.client.Heartbeat(ctx, token, worker, b)
	action := "heartbeat, idle"
	if len(b.Reports) > 0 {
		action = "heartbeat, reporting"
	}
	h.over(action, due, err)
	if err == nil {
		h.inspect(worker, b.Reports, out)
	}
	return out, err
}

// leases is how many intervals a lease may have left at least when it was not
// written anew by the last heartbeat.
const leases = 2.5

// inspect holds an answer to what the pool promises.
func (h *hand) inspect(worker int64, reports []wire.Report, answer wire.Beat) {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	if !h.heard.IsZero() && float64(now.Sub(h.heard)) > leases*float64(h.interval) {
		for _, t := range h.turns {
			t.late = true
		}
	}
	h.heard, h.interval = now, time.Duration(answer.NextHeartbeatS)*time.Second
	h.crowd.told(h.interval)
	for _, r := range reports {
		h.seen[r.Work] = given{attempt: r.Attempt, known: true}
	}
	named := map[int64]bool{}
	open := 0
	for _, in := range answer.Instructions {
		if named[in.Work] {
			h.crowd.meter.Fault("worker %d was told twice of work %d in one answer", worker, in.Work)
		}
		named[in.Work] = true
		t := h.turns[in.Work]
		if in.Do == wire.DoStart || in.Do == wire.DoContinue && (t == nil || !t.late) {
			open++
		}
		if in.Do != wire.DoStart {
			continue
		}
		was, before := h.seen[in.Work]
		switch {
		case before && in.Attempt < was.attempt:
			h.crowd.meter.Fault("worker %d was given attempt %d at work %d after attempt %d", worker, in.Attempt, in.Work, was.attempt)
		case before && in.Attempt == was.attempt && was.known:
			h.crowd.meter.Fault("worker %d was given attempt %d at work %d again, which it had reported", worker, in.Attempt, in.Work)
		}
		if in.Run == nil || in.Run.App.Name != h.actor.App {
			h.crowd.meter.Fault("worker %d was given work %d without a run that it can run", worker, in.Work)
		}
		h.seen[in.Work] = given{attempt: in.Attempt}
	}
	if open > h.actor.Slots {
		h.crowd.meter.Fault("worker %d with %d slots holds %d works", worker, h.actor.Slots, open)
	}
}

// Changed tells that there is something new to report.
func (h *hand) Changed() <-chan struct{} { return h.changed }

// notify is called with h.mu held.
func (h *hand) notify() {
	if h.noticed.IsZero() {
		h.noticed = time.Now()
	}
	select {
	case h.changed <- struct{}{}:
	default:
	}
}

// Reports says where every turn stands, by work.
func (h *hand) Reports() []wire.Report {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.prompted, h.noticed = h.noticed, time.Time{}
	var out []wire.Report
	for _, work := range slices.Sorted(maps.Keys(h.turns)) {
		t := h.turns[work]
		r := wire.Report{Work: work, Attempt: t.attempt, State: string(t.state)}
		switch t.state {
		case pool.SaysReported, pool.SaysUploading, pool.SaysUploaded:
			r.SHA256, r.Size = DigestOf(work)
		case pool.SaysFailed:
			r.Reason = "the simulated upload failed"
		case pool.SaysRunning, pool.SaysRefused:
		}
		out = append(out, r)
	}
	return out
}

// Obey carries out instructions.
func (h *hand) Obey(instructions []wire.Instruction) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, in := range instructions {
		t := h.turns[in.Work]
		known := t != nil && t.attempt == in.Attempt
		switch in.Do {
		case wire.DoStart:
			if t == nil || t.attempt < in.Attempt {
				h.begin(in)
			}
		case wire.DoUpload:
			if known && in.Upload != nil && t.state == pool.SaysReported {
				t.state = pool.SaysUploading
				h.notify()
				go h.bring(in.Work, t, *in.Upload)
			}
		case wire.DoStop:
			if known {
				delete(h.turns, in.Work)
			}
		}
	}
}

// begin starts a run that takes its time and costs nothing.
func (h *hand) begin(in wire.Instruction) {
	t := &turn{attempt: in.Attempt, state: pool.SaysRunning}
	h.turns[in.Work] = t
	h.crowd.runs.Add(1)
	h.notify()
	shortest, longest := h.actor.RunS[0], h.actor.RunS[1]
	takes := time.Duration((shortest + (longest-shortest)*h.rng.Float64()) * float64(time.Second))
	time.AfterFunc(takes, func() { h.reach(in.Work, t, pool.SaysReported) })
}

// reach brings a turn to a state, unless it is over.
func (h *hand) reach(work int64, t *turn, state pool.ReportState) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.turns[work] != t {
		return
	}
	t.state = state
	h.notify()
}

// bring uploads a result. What fails is tried again by the pool's choice of
// another uploader.
func (h *hand) bring(work int64, t *turn, link wire.Link) {
	due := time.Now()
	content := ResultOf(work)
	err := h.crowd.client.Upload(h.crowd.ctx, link, strings.NewReader(content), int64(len(content)))
	if errors.Is(err, context.Canceled) {
		return
	}
	h.crowd.meter.Took("upload", due, err)
	if err != nil && client.MayRetry(err) {
		h.reach(work, t, pool.SaysReported) // the next heartbeat brings a new link
		return
	}
	if err != nil {
		h.reach(work, t, pool.SaysFailed)
		return
	}
	h.reach(work, t, pool.SaysUploaded)
}
