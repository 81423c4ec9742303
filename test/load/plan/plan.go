// Package plan owns the plan files of the load tool: their form, what they may say,
// and when an event of a rate is due. It acts on nothing.
package plan

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"time"
)

// Plan is what a plan file says: phases one after the other, and what is expected
// of the whole. Workers stay from the phase that started them to the end.
type Plan struct {
	Name        string  `json:"name"`
	About       string  `json:"about"`
	Seed        uint64  `json:"seed"`        // of what is drawn here, printed with the results
	Connections int     `json:"connections"` // to the pool at once; 0 = 128
	Pool        Own     `json:"pool"`        // not used with -pool
	Phases      []Phase `json:"phases"`
	Expect      Expect  `json:"expect"`
}

// Own says how the pool of this machine differs from the template.
type Own struct {
	Parameters map[string]string `json:"parameters"`
	Durable    bool              `json:"durable"` // commits are forced to disk
	TickS      float64           `json:"tick_s"`  // of the schedule; 0 = the template's
}

// Phase is a time in which its actors act at once. It ends after Seconds, or with
// 0 when each of its actors has acted Count times. With UntilEnded it ends when
// every accepted work has, and Seconds is when that is given up.
type Phase struct {
	Name       string  `json:"name"`
	Seconds    float64 `json:"seconds"`
	UntilEnded bool    `json:"until_ended"`
	Actors     []Actor `json:"actors"`
}

// Actor does one thing again and again by a schedule that does not wait for
// answers.
type Actor struct {
	Action string `json:"action"` // see Actions
	Rate   Rate   `json:"rate"`
	Count  int    `json:"count"`   // of times; 0 = until the phase ends
	AtOnce int    `json:"at_once"` // calls at once; more wait, and their waiting counts; 0 = 64

	Works int    `json:"works"` // submit: of a batch; works: of a page
	Trust int    `json:"trust"` // submit
	App   string `json:"app"`   // submit, worker; "" = load

	Slots      int        `json:"slots"`       // worker; 0 = 1
	RunS       [2]float64 `json:"run_s"`       // worker: a run takes from, to
	OneSession bool       `json:"one_session"` // worker: all use one login instead of one each
}

// Rate is in events a second: it goes from From to To within OverS, and stays.
type Rate struct {
	From  float64 `json:"from"`
	To    float64 `json:"to"`
	OverS float64 `json:"over_s"` // 0 = To from the beginning
}

// Expect is what must hold at the end. Zero values expect nothing.
type Expect struct {
	ErrorShare     float64 `json:"error_share"` // of calls that were not answered well, at most; always checked
	HeartbeatP99MS float64 `json:"heartbeat_p99_ms"`
	PeakOverMean   float64 `json:"peak_over_mean"`  // heartbeats in a second, from the first interval of the last phase on
	GrowthPercent  float64 `json:"growth_percent"`  // of the pool's memory in the second half of the last phase
	HeartbeatPhase string  `json:"heartbeat_phase"` // of HeartbeatP99MS; "" = the last
}

// Actions are the words of Actor.Action.
var Actions = []string{"worker", "submit", "cancel", "work", "works", "batch", "pool", "result", "workers"}

// Read reads a plan file and tells what is wrong with it.
func Read(path string) (Plan, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Plan{}, err
	}
	plan, err := parse(text)
	if err != nil {
		return plan, fmt.Errorf("reading the plan %s: %w", path, err)
	}
	return plan, nil
}

func parse(text []byte) (Plan, error) {
	var p Plan
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&p); err != nil {
		return p, err
	}
	if _, err := decoder.Token(); err != io.EOF {
		return p, fmt.Errorf("there is more than one plan")
	}
	if p.Name == "" || len(p.Phases) == 0 {
		return p, fmt.Errorf("a plan has a name and phases")
	}
	if p.Connections == 0 {
		p.Connections = 128
	}
	for i := range p.Phases {
		if err := p.Phases[i].check(); err != nil {
			return p, fmt.Errorf("phase %d (%s): %w", i+1, p.Phases[i].Name, err)
		}
	}
	return p, nil
}

func (p *Phase) check() error {
	if p.Name == "" || p.Seconds < 0 || p.UntilEnded && p.Seconds == 0 {
		return fmt.Errorf("a phase has a name and no negative length, one that waits for the end of works a limit")
	}
	for i := range p.Actors {
		if err := p.Actors[i].check(p.Seconds); err != nil {
			return fmt.Errorf("actor %d (%s): %w", i+1, p.Actors[i].Action, err)
		}
	}
	return nil
}

func (a *Actor) check(seconds float64) error {
	if !slices.Contains(Actions, a.Action) {
		return fmt.Errorf("no such action; there are %v", Actions)
	}
	if a.Rate.From < 0 || a.Rate.To <= 0 || a.Rate.OverS < 0 {
		return fmt.Errorf("a rate goes to more than 0 a second")
	}
	if a.Count <= 0 && (seconds == 0 || a.Action == "worker") {
		return fmt.Errorf("without a count it would never end")
	}
	if a.RunS[0] < 0 || a.RunS[1] < a.RunS[0] {
		return fmt.Errorf("a run takes from, to seconds")
	}
	if a.AtOnce == 0 {
		a.AtOnce = 64
	}
	if a.Slots == 0 {
		a.Slots = 1
	}
	if a.App == "" {
		a.App = "load"
	}
	if a.Works == 0 {
		a.Works = 100
	}
	return nil
}

// Due gives when the n-th event (from 0) is due, counted from the beginning: the
// time at which the integral of the rate is n.
func (r Rate) Due(n int) time.Duration {
	events := float64(n)
	ramped := (r.From + r.To) / 2 * r.OverS // events within the ramp
	var at float64
	switch {
	case r.OverS == 0:
		at = events / r.To
	case events >= ramped:
		at = r.OverS + (events-ramped)/r.To
	default:
		slope := (r.To - r.From) / r.OverS
		// Solved so that a slope of 0 needs no case of its own, and From 0 divides by no 0.
		root := math.Sqrt(r.From*r.From + 2*slope*events)
		if events > 0 {
			at = 2 * events / (r.From + root)
		}
	}
	return time.Duration(at * float64(time.Second))
}
