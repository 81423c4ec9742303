package life_test

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"

	"workerpool/shared/life"
	"workerpool/shared/pool"
)

var epoch = time.Date(2030, 5, 1, 12, 0, 0, 0, time.UTC)

var (
	truth  = pool.Digest{0x7e}
	lie    = pool.Digest{0x11}
	rumour = pool.Digest{0x99}
)

const maxOffers = 3 // of one work to one worker

// member is a worker of the model: who it is, what it answers, how long its lease holds.
type member struct {
	id       pool.WorkerID
	owner    pool.Owner
	interval time.Duration
	answer   pool.Digest
	until    time.Time
}

// world plays one work with everything around it: a clock, workers, and the
// store's part in placing offers. Each call of life is followed by check.
type world struct {
	t     *rapid.T
	p     life.Policy
	now   time.Time
	l     life.Life
	fleet []*member
	wild  bool // workers may report any digest at any time
	runs  map[pool.WorkerID]map[int]bool
	first map[pool.WorkerID]pool.Digest // what each committed to first
	steps int
}

func clone(l life.Life) life.Life { return life.Life{Work: l.Work, Rows: slices.Clone(l.Rows)} }

func same(a, b life.Life) bool { return a.Work == b.Work && slices.Equal(a.Rows, b.Rows) }

func row(l life.Life, worker pool.WorkerID) (life.Row, bool) {
	for _, r := range l.Rows {
		if r.Worker == worker {
			return r, true
		}
	}
	return life.Row{}, false
}

func count(l life.Life, is func(life.Row) bool) int {
	n := 0
	for _, r := range l.Rows {
		if is(r) {
			n++
		}
	}
	return n
}

func isOpen(r life.Row) bool { return r.State == pool.Offered || r.State == pool.InRun }

// groups counts the reported digests.
func groups(l life.Life) map[pool.Digest]int {
	out := map[pool.Digest]int{}
	for _, r := range l.Rows {
		if r.State == pool.Reported {
			out[r.Digest]++
		}
	}
	return out
}

// reaches is the contract's inequality for n equal votes of weight 2 against the
// other groups.
func reaches(n int, others []int, trust int) bool {
	if n == 0 {
		return false
	}
	total := int64(1) + 1<<n
	for _, o := range others {
		total += 1 << o
	}
	trust = max(trust, 1)
	return int64(trust)<<n > total*int64(trust-1)
}

// needed gives how many open turns a work is allowed to have by what was
// reported, before any limit on the number of tries.
func needed(l life.Life) int {
	if l.Work.State != pool.Waiting && l.Work.State != pool.Running {
		return 0
	}
	if !l.Work.Digest.IsZero() {
		return 1
	}
	var counts []int
	for _, n := range groups(l) {
		counts = append(counts, n)
	}
	slices.Sort(counts)
	best := 0
	if len(counts) > 0 {
		best, counts = counts[len(counts)-1], counts[:len(counts)-1]
	}
	n := 0
	for !reaches(best+n, counts, l.Work.Trust) {
		n++
	}
	return n
}

func made(l life.Life) int {
	n := 0
	for _, r := range l.Rows {
		if r.State == pool.Offered || r.State == pool.InRun || r.Started {
			n++
		}
	}
	return n
}

// over tells in the model that a turn's time is up.
func over(now time.Time, r life.Row) bool {
	past := func(t time.Time) bool { return !t.IsZero() && (now.After(t) || now.Equal(t)) }
	switch r.State {
	case pool.Offered:
		return past(r.StartBy) || past(r.Until)
	case pool.InRun:
		return past(r.RunBy) || past(r.Until)
	case pool.Uploading:
		return past(r.StartBy) || past(r.RunBy) || past(r.Until)
	}
	return false
}

func (w *world) fatalf(before life.Life, what, format string, args ...any) {
	w.t.Helper()
	w.t.Fatalf("step %d, %s: %s\npolicy %+v\nnow %v\nbefore %s\nafter  %s", w.steps, what, fmt.Sprintf(format, args...), w.p, w.now, show(before), show(w.l))
}

func show(l life.Life) string {
	text := fmt.Sprintf("work %s trust %d digest %.4s deadline %v reason %q", l.Work.State, l.Work.Trust, l.Work.Digest, l.Work.Deadline, l.Work.Reason)
	for _, r := range l.Rows {
		text += fmt.Sprintf("\n  worker %d (%s) attempt %d %s started %v digest %.4s start_by %v run_by %v until %v %q",
			r.Worker, r.Owner, r.Attempt, r.State, r.Started, r.Digest, r.StartBy, r.RunBy, r.Until, r.Reason)
	}
	return text
}

// place does what the store does with a plan: rows for the drawn workers, and
// the work running.
func (w *world) place(most int) {
	candidates := rapid.Permutation(w.fleet).Draw(w.t, "draw")
	wanted := min(most, w.l.Wanted(w.p))
	for _, m := range candidates {
		if wanted == 0 {
			break
		}
		old, again := row(w.l, m.id)
		taken := w.l.Work.Trust > 1 && slices.ContainsFunc(w.l.Rows, func(r life.Row) bool { return r.Owner == m.owner && r.HoldsOwner() })
		if taken || !w.now.Before(m.until) || again && (old.HoldsOwner() || old.Attempt >= maxOffers) {
			continue
		}
		made := life.Row{
			Assignment: pool.Assignment{
				Work: w.l.Work.ID, Worker: m.id, Owner: m.owner, Attempt: old.Attempt + 1, State: pool.Offered,
				StartBy: w.now.Add(time.Duration(w.p.StartIntervals) * m.interval),
			},
			Until: m.until, Interval: m.interval,
		}
		if again {
			if !slices.Contains(pool.AssignmentMoves[old.State], pool.Offered) {
				w.t.Fatalf("offered again after %s", old.State)
			}
			w.l.Rows[slices.Index(w.l.Rows, old)] = made
		} else {
			w.l.Rows = append(w.l.Rows, made)
			slices.SortFunc(w.l.Rows, func(a, b life.Row) int { return cmp.Compare(a.Worker, b.Worker) })
		}
		w.l.Work.State = pool.Running
		wanted--
	}
}

// beat renews a worker's lease, as a heartbeat without reports does.
func (w *world) beat(m *member) {
	m.until = w.now.Add(4 * m.interval)
	for i := range w.l.Rows {
		if w.l.Rows[i].Worker == m.id {
			w.l.Rows[i].Until = m.until
		}
	}
}
