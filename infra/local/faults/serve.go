package faults

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// Serve answers one call of target: do carries it out and is told the fault when
// it is one of the target's own kinds, refuse answers an error of the given
// status in the stand-in's own format.
func (b *Board) Serve(w http.ResponseWriter, r *http.Request, target string,
	do func(http.ResponseWriter, Fault), refuse func(w http.ResponseWriter, status int)) {
	f, own := b.draw(target)
	if own {
		do(w, f)
		return
	}
	switch f.Kind {
	case Delay:
		select {
		case <-b.after(f.Delay):
			do(w, Fault{})
		case <-r.Context().Done():
		}
		return
	case FailAfter:
		do(&sink{header: http.Header{}}, Fault{})
	case Fail:
	default:
		do(w, Fault{})
		return
	}
	if f.drop {
		panic(http.ErrAbortHandler)
	}
	refuse(w, f.status)
}

// sink takes an answer that nobody will get.
type sink struct{ header http.Header }

func (s *sink) Header() http.Header         { return s.header }
func (s *sink) Write(p []byte) (int, error) { return len(p), nil }
func (s *sink) WriteHeader(int)             {}

// state is the body of the control endpoint, both ways; what was fired and the
// targets are told only.
type state struct {
	Seed    uint64            `json:"seed"`
	Rules   []*rule           `json:"rules"`
	Targets map[string][]Kind `json:"targets,omitempty"`
}

// ServeHTTP is the control endpoint: GET answers the seed, the rules with how
// often each was fired, and the known targets with their own kinds; PUT of
// {"seed":n,"rules":[...]} replaces the rules and answers the same.
func (b *Board) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodGet:
	case http.MethodPut:
		if err := b.put(http.MaxBytesReader(w, r.Body, 1<<20)); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
	default:
		w.Header().Set("Allow", "GET, PUT")
		http.Error(w, "only GET and PUT", http.StatusMethodNotAllowed)
		return
	}
	body, err := b.report()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(body) // the caller may be gone; there is nobody to tell
}

func (b *Board) put(body io.Reader) error {
	var in state
	d := json.NewDecoder(body)
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil {
		return fmt.Errorf("read the rules: %w", err)
	}
	rules := make([]Rule, len(in.Rules))
	for i, r := range in.Rules {
		if r == nil {
			return errors.New("read the rules: a rule is null")
		}
		rules[i] = r.Rule
	}
	return b.Set(in.Seed, rules...)
}

// report encodes under the lock: the counts of the rules move with every call.
func (b *Board) report() ([]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := state{Seed: b.seed, Rules: b.rules, Targets: b.targets}
	if out.Rules == nil {
		out.Rules = []*rule{}
	}
	body, err := json.Marshal(out)
	if err != nil {
		return nil, fmt.Errorf("encode the rules: %w", err)
	}
	return body, nil
}
