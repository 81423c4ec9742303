package attack_test

import (
	"math/rand/v2"
	"time"

	"workerpool/shared/placement"
	"workerpool/shared/pool"
)

// kind is how a worker behaves.
type kind int

const (
	honest    kind = iota // does as it is told, in time
	lying                 // reports a wrong result, the same as its accomplices
	lazy                  // reports at once, the same for every work
	slow                  // takes longer than it may, and says so late
	flapping              // is away for longer than its lease, again and again
	vanishing             // takes works and never comes back
	zombie                // hears no stop: reports old attempts and ended works, denies what it said
	cloned                // two machines with the credentials of one worker; the second lies
	kinds
)

func (k kind) String() string {
	return []string{"honest", "lying", "lazy", "slow", "flapping", "vanishing", "zombie", "cloned"}[k]
}

const interval = 5 * time.Second // between heartbeats

// machine is a program that runs somewhere with a worker's credentials. What it
// knows is what it was told.
type machine struct {
	kind   kind
	liar   byte // what makes its results wrong; 0 = they are right
	worker int  // index
	next   time.Time
	gone   bool
	turns  map[pool.WorkID]*turn
	said   []pool.Report
}

// turn is what a machine knows of its turn at a work.
type turn struct {
	attempt int
	began   bool
	left    int // heartbeats until it has the result
	upload  bool
	begun   bool // the upload
}

// truthOf is the right result of a work; tell changes it for a liar.
func truthOf(w pool.WorkID) pool.Digest {
	return pool.Digest{1, byte(w), byte(w >> 8), byte(w >> 14), byte(w >> 22)}
}

func (m *machine) result(w pool.WorkID) pool.Digest {
	d := truthOf(w)
	switch {
	case m.kind == lazy:
		return pool.Digest{0xff}
	case m.liar > 0:
		d[0] += m.liar
	}
	return d
}

// sleep tells when the machine beats next. Honest ones are never late; ticks are
// shorter than what an interval leaves of the time to start an offer.
func (m *machine) sleep(now time.Time, r *rand.Rand) {
	pause := interval
	switch m.kind {
	case slow:
		pause += time.Duration(r.IntN(12)) * time.Second
	case flapping:
		if r.IntN(4) == 0 {
			pause += time.Duration(r.IntN(40)) * time.Second
		}
	case vanishing:
		m.gone = m.gone || r.IntN(20) == 0
	case cloned, zombie:
		pause = time.Duration(1+r.IntN(12)) * time.Second
	case honest, lying, lazy, kinds:
	}
	m.next = now.Add(pause)
}

// reports gives what the machine says in a heartbeat.
func (m *machine) reports(r *rand.Rand) []pool.Report {
	var out []pool.Report
	for _, id := range ordered(m.turns) {
		t := m.turns[id]
		p := pool.Report{Work: id, Attempt: t.attempt, Says: pool.SaysRunning}
		switch {
		case !t.began:
			t.began = true
			if m.kind == slow && r.IntN(3) == 0 {
				continue // forgets to say so
			}
		case t.left > 0:
			t.left--
		case t.upload && (t.begun || m.kind != slow):
			p.Says = pool.SaysUploaded
		case t.upload:
			p.Says, t.begun = pool.SaysUploading, true
		default:
			p.Says = pool.SaysReported
		}
		if p.Says != pool.SaysRunning {
			p.Digest, p.Size = m.result(id), 1
		}
		if m.kind == zombie || m.kind == flapping && r.IntN(8) == 0 {
			p = m.strange(p, r)
		}
		out = append(out, p)
	}
	m.said = append(m.said, out...)
	if m.kind == zombie || m.kind == cloned {
		for range min(len(m.said), r.IntN(4)) {
			out = append(out, m.said[r.IntN(len(m.said))])
		}
	}
	return out
}

// strange is a report of someone who has lost his mind.
func (m *machine) strange(p pool.Report, r *rand.Rand) pool.Report {
	switch r.IntN(6) {
	case 0:
		p.Attempt += r.IntN(3) - 1
	case 1:
		p.Says, p.Digest, p.Reason = pool.SaysFailed, pool.Digest{}, "no"
	case 2:
		p.Says, p.Digest, p.Reason = pool.SaysRefused, pool.Digest{}, "will not"
	case 3:
		p.Says, p.Digest = pool.SaysRunning, pool.Digest{}
	case 4:
		p.Says, p.Digest, p.Size = pool.SaysUploaded, m.result(p.Work), 1
	}
	return p
}

// hear follows the instructions, or does not.
func (m *machine) hear(orders []placement.Instruction, r *rand.Rand) {
	for _, o := range orders {
		t := m.turns[o.Work]
		switch o.Do {
		case placement.Stop:
			if t != nil && t.attempt == o.Attempt && m.kind != zombie {
				delete(m.turns, o.Work)
			}
		case placement.Upload:
			if t == nil { // another machine's
				t = &turn{attempt: o.Attempt, began: true}
				m.turns[o.Work] = t
			}
			t.upload, m.next = true, time.Time{} // it says at once what it begins
		case placement.Start:
			if t == nil || t.attempt != o.Attempt {
				m.turns[o.Work], m.next = &turn{attempt: o.Attempt, left: m.effort(r)}, time.Time{}
			}
		case placement.Continue, placement.Hold:
		}
	}
}

// effort is how many heartbeats a run takes.
func (m *machine) effort(r *rand.Rand) int {
	switch m.kind {
	case lazy:
		return 0
	case slow:
		return r.IntN(12)
	default:
		return r.IntN(4)
	}
}
