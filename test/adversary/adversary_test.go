// Package adversary lets workers that lie, are lazy, slow, away, gone, mad or
// doubled at a whole pool: the real store under the real flows, by HTTP. It owns
// no worker's behaviour; that is test/attack's.
package adversary

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"testing"
	"time"

	"workerpool/shared/placement"
	"workerpool/shared/pool"
	"workerpool/shared/pooltest"
	"workerpool/shared/wire"
	"workerpool/test/attack"
)

func TestMain(m *testing.M) { pooltest.Main(m) }

var (
	first = flag.Uint64("seed", 1, "seed of the first history")
	ticks = flag.Int("ticks", 250, "ticks of each history before the faults stop")
)

// machine is a machine that calls by HTTP.
type machine struct {
	attack.Machine
	as    pooltest.Worker
	links map[pool.WorkID]*wire.Link
}

// history is a World with its machines and what was submitted.
type history struct {
	*pooltest.World
	t        *testing.T
	r        *rand.Rand
	now      time.Time // virtual; the pool's time goes along by Advance
	machines []*machine
	ann      pooltest.Someone
	crowd    pooltest.Someone
	owners   map[attack.Kind]pooltest.Someone // of those who lie in one way
	batches  []wire.Accepted
	beats    int
	refused  int
	orders   map[string]int
}

func newHistory(t *testing.T, seed uint64) *history {
	w := pooltest.New(t)
	h := &history{
		World: w, t: t, r: rand.New(rand.NewPCG(seed, 0)), now: time.Date(2030, 5, 1, 12, 0, 0, 0, time.UTC),
		ann: w.Account(pool.RoleRequester, "ann"), crowd: w.SharedAccount("crowd"), orders: map[string]int{},
	}
	h.owners = map[attack.Kind]pooltest.Someone{attack.Lying: w.Account(pool.RoleWorker, "liars"), attack.Lazy: w.Account(pool.RoleWorker, "lazies")}
	for _, k := range attack.Kinds {
		for range 2 + h.r.IntN(2) {
			h.join(k)
		}
	}
	for range 4 {
		h.join(attack.Honest)
	}
	return h
}

// join registers a worker. Those who lie in the same way are of one owner, so that
// nowhere two votes can be for one wrong result.
func (h *history) join(k attack.Kind) {
	account, personal := h.owners[k]
	if !personal {
		account = h.crowd
	}
	name := fmt.Sprintf("%s-%d", k, len(h.machines))
	slots := 1 + h.r.IntN(4)
	m := &machine{attack.Machine{Kind: k, Next: h.now}, h.Worker(account, name, slots), map[pool.WorkID]*wire.Link{}}
	if k == attack.Lying {
		m.Liar = "not "
	}
	h.machines = append(h.machines, m)
	if k == attack.Cloned { // registers again with the key it has stolen
		h.machines = append(h.machines, &machine{attack.Machine{Kind: k, Next: h.now, Liar: "stolen by " + name}, h.Worker(account, name, slots), map[pool.WorkID]*wire.Link{}})
	}
}

// beat is one heartbeat of a machine; what it says that it uploaded it mostly has.
func (h *history) beat(m *machine) {
	var reports []wire.Report
	told := map[int64]bool{}
	for _, p := range m.Reports(h.r) {
		if p.Says == pool.SaysUploaded && m.links[p.Work] != nil && (m.Kind == attack.Honest || h.r.IntN(5) > 0) {
			h.Upload(m.links[p.Work], m.Result(p.Work))
		}
		if told[int64(p.Work)] && h.r.IntN(20) > 0 {
			continue // twice in one call is refused; mostly it knows
		}
		told[int64(p.Work)] = true
		report := wire.Report{Work: int64(p.Work), Attempt: p.Attempt, State: string(p.Says), Size: p.Size, Reason: p.Reason}
		if !p.Digest.IsZero() {
			report.SHA256 = p.Digest.String()
		}
		reports = append(reports, report)
	}
	h.beats++
	answer := h.TryBeat(m.as, reports...)
	if answer.Status == http.StatusBadRequest && m.Kind != attack.Honest {
		h.refused++
		m.Sleep(h.now, pooltest.Busy, h.r)
		return
	}
	var reply wire.Beat
	answer.Into(h.World, &reply)
	m.Sleep(h.now, time.Duration(reply.NextHeartbeatS)*time.Second, h.r)
	var orders []placement.Instruction
	for _, i := range reply.Instructions {
		h.orders[i.Do]++
		orders = append(orders, placement.Instruction{Work: pool.WorkID(i.Work), Attempt: i.Attempt, Do: placement.Order(i.Do)})
		if i.Upload != nil {
			m.links[pool.WorkID(i.Work)] = i.Upload
		}
	}
	m.Hear(orders, h.r)
}

// tick lets a moment pass: whose time has come calls, and a ring that was made is
// heard. Once in a while the schedule's minute is over.
func (h *history) tick(moment time.Duration) {
	h.Advance(moment)
	minute := h.now.Truncate(time.Minute)
	if h.now = h.now.Add(moment); h.now.Truncate(time.Minute) != minute {
		h.Tick()
	}
	for _, i := range h.r.Perm(len(h.machines)) {
		m := h.machines[i]
		for calls := 0; !m.Gone && !h.now.Before(m.Next) && calls < 2; calls++ {
			h.beat(m)
		}
	}
	if h.Rings() > 0 {
		h.Dispatch()
	}
}

func (h *history) submit() {
	trusts := []int{0, 1, 2, 3, 3, 4, 5, 8}
	h.batches = append(h.batches, h.Submit(h.ann, 1+h.r.IntN(5), trusts[h.r.IntN(len(trusts))]))
}

// wild lets everyone be as they are.
func (h *history) wild() {
	for tick := range *ticks {
		if h.r.IntN(5) == 0 {
			h.submit()
		}
		if len(h.batches) > 0 && h.r.IntN(50) == 0 {
			b := h.batches[h.r.IntN(len(h.batches))]
			h.Call(h.ann.Token, "DELETE", fmt.Sprintf("/works/%d", b.FirstWork), nil)
		}
		h.tick(time.Duration(1+h.r.IntN(2)) * time.Second)
		if tick%10 == 9 {
			h.check()
		}
		if h.t.Failed() {
			h.t.FailNow()
		}
	}
}

// check holds the books to the promises, results to the truth, and what became of
// honest workers to what they deserve.
func (h *history) check() {
	h.t.Helper()
	h.Check()
	for _, b := range h.batches {
		for id := b.FirstWork; id <= b.LastWork; id++ {
			if w, turns := h.World.Work(id); w.Trust > 2 && !w.Digest.IsZero() && w.Digest != attack.DigestOf(attack.Truth(w.ID)) {
				h.t.Errorf("work %d of trust %d: a lie was agreed upon: %+v", id, w.Trust, turns)
			}
		}
	}
	for _, m := range h.machines {
		if m.Kind != attack.Honest {
			continue
		}
		for _, table := range []string{"assignment", "past_assignment"} {
			if n := h.Books.Count(h.t, "SELECT COUNT(*) FROM "+table+" WHERE worker_id = ? AND state IN ('expired', 'failed', 'refused')", m.as.ID); n > 0 {
				h.t.Errorf("%s did as it was told, and %d of its turns came to nothing", m.as.Name, n)
			}
		}
		if n := h.Books.Count(h.t, "SELECT COUNT(*) FROM worker WHERE id = ? AND quota < slots", m.as.ID); n > 0 {
			h.t.Errorf("%s did as it was told, and its quota fell", m.as.Name)
		}
	}
}

func (h *history) living() int {
	return h.Books.Count(h.t, "SELECT COUNT(*) FROM work WHERE ended_at IS NULL")
}

// calm: the faults stop and honest workers come; all ends long before any deadline.
func (h *history) calm() {
	better := h.r.IntN(2) == 0
	for _, m := range h.machines {
		if m.Kind != attack.Honest {
			m.Gone = m.Gone || !better
			m.Better(h.now)
		}
	}
	for range 25 {
		h.join(attack.Honest)
	}
	for until := h.now.Add(30 * time.Minute); h.now.Before(until) && h.living() > 0; {
		h.tick(2 * time.Second)
	}
	if n := h.living(); n > 0 {
		h.t.Errorf("%d works live half an hour after the faults have stopped", n)
	}
}

// silence: nobody calls any more; all ends within three sweeps of the deadline.
func (h *history) silence() {
	h.Advance(8 * 24 * time.Hour)
	for range 3 {
		h.Advance(time.Minute)
		h.Tick()
		if h.Rings() == 0 {
			h.t.Error("the minute passed and nobody rang")
		}
		h.Dispatch()
	}
	if n := h.living(); n > 0 {
		h.t.Errorf("%d works live three sweeps after their deadlines", n)
	}
}

func TestHistories(t *testing.T) {
	t.Parallel()
	for i, end := range []string{"calm", "silence"} {
		t.Run(end, func(t *testing.T) {
			t.Parallel()
			h := newHistory(t, *first+uint64(i))
			h.wild()
			if end == "calm" {
				h.calm()
			} else {
				h.silence()
			}
			h.check()
			ends := map[string]int{}
			for _, state := range pool.WorkStates {
				if n := h.Books.Count(t, "SELECT COUNT(*) FROM work WHERE state = ?", string(state)); n > 0 {
					ends[string(state)] = n
				}
			}
			t.Logf("seed %d: %d machines, %d heartbeats, %d refused, orders %v, ends %v", *first+uint64(i), len(h.machines), h.beats, h.refused, h.orders, ends)
			if !slices.Contains([]bool{h.orders["start"] > 100, h.orders["stop"] > 100, h.orders["upload"] > 20, ends["done"] > 20}, false) {
				return
			}
			t.Error("too little happened to show anything")
		})
	}
}
