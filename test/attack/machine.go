package attack

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"workerpool/shared/placement"
	"workerpool/shared/pool"
)

// Kind is how a worker behaves.
type Kind int

// The kinds.
const (
	Honest    Kind = iota // does as it is told, in time
	Lying                 // reports a wrong result, the same as its accomplices
	Lazy                  // reports at once, the same for every work
	Slow                  // takes longer than it may, and says so late
	Flapping              // is away for longer than its lease, again and again
	Vanishing             // takes works and never comes back
	Zombie                // hears no stop: reports old attempts and ended works, denies what it said
	Cloned                // two machines with the credentials of one worker; the second lies
)

// Kinds lists them.
var Kinds = []Kind{Honest, Lying, Lazy, Slow, Flapping, Vanishing, Zombie, Cloned}

func (k Kind) String() string {
	return []string{"honest", "lying", "lazy", "slow", "flapping", "vanishing", "zombie", "cloned"}[k]
}

// Machine is a program that runs somewhere with a worker's credentials. It knows
// only what it was told, and has no clock but the one it is shown.
type Machine struct {
	Kind Kind
	Liar string    // what its results are instead of right; "" = they are right
	Next time.Time // when it calls
	Gone bool      // for good

	turns map[pool.WorkID]*turn
	said  []pool.Report
}

// turn is what a machine knows of its turn at a work.
type turn struct {
	attempt int
	began   bool
	left    int // heartbeats until it has the result
	upload  bool
	begun   bool // the upload
}

// Better makes a machine do as it is told from now on, late as it may be. What it
// held it has forgotten.
func (m *Machine) Better(now time.Time) {
	m.Kind, m.Liar, m.Next, m.turns, m.said = Slow, "", now, nil, nil
}

// Truth is the right result of a work.
func Truth(w pool.WorkID) string { return fmt.Sprint("the result of ", w) }

// Result gives the bytes that a machine brings for a work.
func (m *Machine) Result(w pool.WorkID) string {
	switch {
	case m.Kind == Lazy:
		return "nothing"
	case m.Liar != "":
		return m.Liar + Truth(w)
	}
	return Truth(w)
}

// DigestOf gives the digest of a result.
func DigestOf(result string) pool.Digest { return sha256.Sum256([]byte(result)) }

// Sleep sets when the machine calls next. Honest ones are never late.
func (m *Machine) Sleep(now time.Time, interval time.Duration, r *rand.Rand) {
	some := func(most time.Duration) time.Duration { return time.Duration(r.Int64N(int64(most))) }
	pause := interval
	switch m.Kind {
	case Slow:
		pause += some(2 * interval)
	case Flapping:
		if r.IntN(4) == 0 {
			pause += some(8 * interval)
		}
	case Vanishing:
		m.Gone = m.Gone || r.IntN(20) == 0
	case Cloned, Zombie:
		pause = time.Second + some(2*interval)
	case Honest, Lying, Lazy:
	}
	m.Next = now.Add(pause)
}

// Reports gives what the machine says in a heartbeat.
func (m *Machine) Reports(r *rand.Rand) []pool.Report {
	var out []pool.Report
	for _, id := range slices.Sorted(maps.Keys(m.turns)) {
		t := m.turns[id]
		p := pool.Report{Work: id, Attempt: t.attempt, Says: pool.SaysRunning}
		switch {
		case !t.began:
			t.began = true
			if m.Kind == Slow && r.IntN(3) == 0 {
				continue // forgets to say so
			}
		case t.left > 0:
			t.left--
		case t.upload && (t.begun || m.Kind != Slow):
			p.Says = pool.SaysUploaded
		case t.upload:
			p.Says, t.begun = pool.SaysUploading, true
		default:
			p.Says = pool.SaysReported
		}
		m.fill(&p)
		if m.Kind == Zombie || m.Kind == Flapping && r.IntN(8) == 0 {
			m.confuse(&p, r)
		}
		out = append(out, p)
	}
	m.said = append(m.said, out...)
	if m.Kind == Zombie || m.Kind == Cloned {
		for range min(len(m.said), r.IntN(4)) {
			out = append(out, m.said[r.IntN(len(m.said))])
		}
	}
	return out
}

// fill completes a report by what its word needs.
func (m *Machine) fill(p *pool.Report) {
	p.Digest, p.Size, p.Reason = pool.Digest{}, 0, ""
	switch p.Says {
	case pool.SaysReported, pool.SaysUploading, pool.SaysUploaded:
		result := m.Result(p.Work)
		p.Digest, p.Size = DigestOf(result), int64(len(result))
	case pool.SaysFailed, pool.SaysRefused:
		p.Reason = "will not"
	case pool.SaysRunning:
	}
}

// confuse makes a report one of somebody who has lost his mind.
func (m *Machine) confuse(p *pool.Report, r *rand.Rand) {
	switch n := r.IntN(8); n {
	case 0:
		p.Attempt = max(1, p.Attempt+r.IntN(3)-1)
	case 1, 2, 3, 4:
		p.Says = []pool.ReportState{pool.SaysFailed, pool.SaysRefused, pool.SaysRunning, pool.SaysUploaded}[n-1]
		m.fill(p)
	}
}

// Hear follows the instructions, or does not. A machine calls at once when it has
// begun something.
func (m *Machine) Hear(orders []placement.Instruction, r *rand.Rand) {
	for _, o := range orders {
		t := m.turns[o.Work]
		fresh := false
		switch o.Do {
		case placement.Stop:
			if t != nil && t.attempt == o.Attempt && m.Kind != Zombie {
				delete(m.turns, o.Work)
			}
		case placement.Upload:
			if t == nil { // another machine's, or forgotten
				t = m.begin(o)
				t.began = true
			}
			fresh, t.upload = !t.upload, true
		case placement.Start:
			if fresh = t == nil || t.attempt != o.Attempt; fresh {
				m.begin(o).left = m.effort(r)
			}
		case placement.Continue, placement.Hold:
		}
		if fresh {
			m.Next = time.Time{}
		}
	}
}

func (m *Machine) begin(o placement.Instruction) *turn {
	if m.turns == nil {
		m.turns = map[pool.WorkID]*turn{}
	}
	t := &turn{attempt: o.Attempt}
	m.turns[o.Work] = t
	return t
}

// effort is how many heartbeats a run takes.
func (m *Machine) effort(r *rand.Rand) int {
	switch m.Kind {
	case Lazy:
		return 0
	case Slow:
		if r.IntN(5) == 0 {
			return 150
		}
		return r.IntN(12)
	case Honest, Lying, Flapping, Vanishing, Zombie, Cloned:
	}
	return r.IntN(4)
}
