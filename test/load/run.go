package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"workerpool/shared/client"
	"workerpool/shared/pool"
	"workerpool/shared/wire"
	"workerpool/test/load/crowd"
	"workerpool/test/load/meter"
	"workerpool/test/load/plan"
)

// target is the pool that is loaded.
type target struct {
	url      string
	operator wire.Login
	worker   wire.Login
	own      *ownPool // nil = somebody else's
}

// Outcome is all that a run of a plan found out.
type Outcome struct {
	Plan     string           `json:"plan"`
	Seed     uint64           `json:"seed"`
	Took     float64          `json:"took_s"`
	Phases   []PhaseOutcome   `json:"phases"`
	Measures []meter.Row      `json:"measures"`
	Found    Found            `json:"found"`
	Interval [2]float64       `json:"heartbeat_interval_s"` // shortest, longest told
	Peak     int              `json:"heartbeats_in_one_second"`
	Mean     float64          `json:"heartbeats_a_second"` // both in the last phase, after its first interval
	Growth   float64          `json:"memory_growth_percent"`
	Samples  []meter.Sample   `json:"memory"`
	Calls    map[string][]int `json:"calls_by_second"`
	Faults   []string         `json:"faults"` // broken promises
	Missed   []string         `json:"missed"` // expectations
}

// PhaseOutcome says when a phase was, in seconds from the beginning.
type PhaseOutcome struct {
	Name string  `json:"name"`
	From float64 `json:"from_s"`
	To   float64 `json:"to_s"`
}

// runner carries a plan out.
type runner struct {
	plan  plan.Plan
	meter *meter.Meter
	crowd *crowd.Crowd
	asker *requester
	say   io.Writer
}

// execute loads a pool by a plan.
func execute(ctx context.Context, p plan.Plan, t target, say io.Writer) (Outcome, error) {
	m := meter.New(time.Now)
	outcome := Outcome{Plan: p.Name, Seed: p.Seed}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	samples := func() []meter.Sample { return nil }
	if t.own != nil {
		samples = m.Watch(ctx, t.own.cmd.Process.Pid)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxConnsPerHost, transport.MaxIdleConnsPerHost, transport.MaxIdleConns = p.Connections, p.Connections, 0
	counted := &http.Client{Transport: m.Transport(transport)}
	once, err := client.New(client.Config{URL: t.url, HTTP: counted, UserAgent: "worker-load", Attempts: 1})
	if err != nil {
		return outcome, err
	}
	patient, err := client.New(client.Config{URL: t.url, HTTP: counted, UserAgent: "load"})
	if err != nil {
		return outcome, err
	}
	session, err := patient.Session(ctx, t.operator)
	if err != nil {
		return outcome, fmt.Errorf("logging in: %w", err)
	}
	r := &runner{
		plan: p, meter: m, crowd: crowd.New(ctx, once, m, t.worker, p.Seed),
		asker: newRequester(patient, m, session.Token, t.own != nil, p.Seed), say: say,
	}
	defer r.crowd.Leave()
	for _, phase := range p.Phases {
		m.Phase(phase.Name)
		from := m.Since()
		fmt.Fprintf(say, "%6.0f s  %s\n", from.Seconds(), phase.Name)
		if err := r.act(ctx, phase); err != nil {
			return outcome, err
		}
		outcome.Phases = append(outcome.Phases, PhaseOutcome{phase.Name, from.Seconds(), m.Since().Seconds()})
	}
	last := outcome.Phases[len(outcome.Phases)-1]
	from, to := seconds(last.From), seconds(last.To)
	shortest, longest := r.crowd.Intervals()
	outcome.Interval = [2]float64{shortest.Seconds(), longest.Seconds()}
	outcome.Peak, outcome.Mean = m.Peak("heartbeat", from+longest, to)
	outcome.Growth = meter.Growth(samples(), from, to)

	m.Phase("end")
	fmt.Fprintf(say, "%6.0f s  looking whether anything was lost\n", m.Since().Seconds())
	r.crowd.Leave()
	if outcome.Found, err = verify(ctx, r.asker, r.crowd); err != nil {
		return outcome, err
	}
	if t.own != nil {
		faults, err := t.own.Audit(ctx)
		if err != nil {
			return outcome, fmt.Errorf("auditing the books: %w", err)
		}
		for _, fault := range faults {
			m.Fault("the books: %s", fault)
		}
	}
	outcome.Took, outcome.Measures, outcome.Samples = m.Since().Seconds(), m.Rows(), samples()
	outcome.Faults, outcome.Calls = m.Faults(), m.Calls()
	outcome.judge(p)
	return outcome, nil
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// act lets all actors of a phase act and waits for its end.
func (r *runner) act(ctx context.Context, p plan.Phase) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	began := time.Now()
	var all sync.WaitGroup
	for _, a := range p.Actors {
		all.Go(func() { r.repeat(ctx, a, began, seconds(p.Seconds)) })
	}
	if p.UntilEnded {
		err := r.awaitEnd(ctx, p, began)
		cancel()
		all.Wait()
		return err
	}
	all.Wait()
	return pause(ctx, time.Until(began.Add(seconds(p.Seconds))))
}

// repeat acts by the schedule of an actor until its count or the phase is over, and
// waits for what is under way. Nothing is left out when the pool is slow: what is
// due and cannot be sent waits, and its waiting counts.
func (r *runner) repeat(ctx context.Context, a plan.Actor, began time.Time, length time.Duration) {
	places := make(chan struct{}, a.AtOnce)
	var all sync.WaitGroup
	defer all.Wait()
	for n := 0; a.Count == 0 || n < a.Count; n++ {
		offset := a.Rate.Due(n)
		due := began.Add(offset)
		if length > 0 && offset >= length || pause(ctx, time.Until(due)) != nil {
			return
		}
		if a.Action == "worker" {
			r.crowd.Start(a, due)
			continue
		}
		select {
		case places <- struct{}{}:
		case <-ctx.Done():
			return
		}
		if a.Count == 0 && length > 0 && time.Since(began) >= length { // it lags behind: the phase is over
			return
		}
		all.Go(func() {
			defer func() { <-places }()
			r.asker.Act(ctx, a, due)
		})
	}
}

// awaitEnd waits until every accepted work has ended.
func (r *runner) awaitEnd(ctx context.Context, p plan.Phase, began time.Time) error {
	for {
		left, err := r.open(ctx)
		if err != nil {
			return err
		}
		if left == 0 && len(r.asker.doubtful) == 0 {
			return nil
		}
		if time.Since(began) > seconds(p.Seconds) {
			r.meter.Fault("%d works had not ended when %s was over", left, p.Name)
			return nil
		}
		if err := pause(ctx, 250*time.Millisecond); err != nil {
			return err
		}
	}
}

// open counts the accepted works that have not ended.
func (r *runner) open(ctx context.Context) (int, error) {
	r.asker.mu.Lock()
	batches := append([]promise(nil), r.asker.batches...)
	r.asker.mu.Unlock()
	left := 0
	for _, b := range batches {
		told, err := r.asker.batch(ctx, b)
		if err != nil {
			return 0, fmt.Errorf("counting batch %d: %w", b.Batch, err)
		}
		for state, n := range told.States {
			if !pool.WorkState(state).Ended() {
				left += n
			}
		}
	}
	return left, nil
}
