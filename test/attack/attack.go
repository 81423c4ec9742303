// Package attack plays colluding liars against the pool's own rules: placement
// draws, life judges. It owns the attackers and the table of how far they come;
// it decides nothing that the pool decides.
package attack

//go:generate go test -count=1 -run ^TestTable$ . -works=100000 -write

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"workerpool/shared/life"
	"workerpool/shared/placement"
	"workerpool/shared/pool"
)

// Hand is a way to hand works out.
type Hand string

// The ways. FirstCome is a model, for comparison: the pool has no such thing.
const (
	FirstCome Hand = "first come, first served" // each call takes a work; liars call ten times as often
	Draw      Hand = "draw"                     // the pool's; every worker is an owner of its own
	ByOwner   Hand = "draw, liars of one owner" // the pool's; the liars' workers are known to be one owner's
)

// Sizes of the fleet, as in the table that this reproduces.
const (
	Workers = 200
	Faster  = 10 // calls of a liar for each of an honest worker, where calls count
)

// Case is one cell of the table.
type Case struct {
	Trust   int
	Percent int // of the workers that lie, always with the same digest
	Hand    Hand
}

// Liars gives their number: workers 1 to Liars.
func (c Case) Liars() int { return Workers * c.Percent / 100 }

// Score is what became of the works of a case.
type Score struct {
	Works, Wrong, Right, Failed int
	Runs                        int
}

// Share gives a count's share of the works.
func (s Score) Share(count int) float64 { return float64(count) / float64(s.Works) }

var (
	truth = pool.Digest{1}
	lie   = pool.Digest{2}
	start = time.Date(2030, 5, 1, 12, 0, 0, 0, time.UTC)
)

const (
	beat = 5 * time.Second
	most = 250 // works that wait at once: few enough that nobody runs out of slots
)

// game is one case being played.
type game struct {
	Case
	p       life.Policy
	r       *rand.Rand
	workers []pool.Worker
	works   []life.Life
	score   Score
}

// Play plays a case with so many works, all by the given seed.
func Play(c Case, works int, seed uint64, p life.Policy) Score {
	g := &game{Case: c, p: p, r: rand.New(rand.NewPCG(seed, uint64(c.Trust*100+c.Percent)))}
	for id := pool.WorkerID(1); id <= Workers; id++ {
		owner := pool.Owner(fmt.Sprint("worker:", id))
		if c.Hand == ByOwner && g.lies(id) {
			owner = "account:1"
		}
		g.workers = append(g.workers, pool.Worker{
			ID: id, Owner: owner, State: pool.Active, Slots: pool.MaxSlots, Quota: pool.MaxSlots,
			Until: start.Add(4 * beat), Interval: beat, Capabilities: pool.Capabilities{Programs: []string{"sum"}},
		})
	}
	for g.score.Works < works {
		g.works = nil
		for i := range min(most, works-g.score.Works) {
			id := pool.BatchID(1 + g.score.Works/most).Work(i)
			g.works = append(g.works, life.Life{Work: pool.Work{
				ID: id, Requester: 1, Origin: pool.OriginAPI, Class: 1, State: pool.Waiting, Trust: c.Trust,
				RunLimit: 5 * time.Minute, Created: start, Deadline: start.Add(24 * time.Hour),
			}})
		}
		g.play()
		for _, l := range g.works {
			g.count(l)
		}
	}
	return g.score
}

func (g *game) lies(id pool.WorkerID) bool { return int(id) <= g.Liars() }

// play brings every work to its end. Workers run what they were given before more
// is handed out, so each is free again when the next are drawn.
func (g *game) play() {
	for {
		var given int
		if g.Hand == FirstCome {
			given = g.call()
		} else {
			given = g.draw()
		}
		if given == 0 {
			return
		}
		for i := range g.works {
			g.run(&g.works[i])
		}
	}
}

// draw lets the pool assign.
func (g *game) draw() int {
	class := placement.Class{ID: 1, Demands: pool.Demands{App: pool.App{Type: pool.ProcessApp, Name: "sum"}}}
	for _, l := range g.works {
		if missing := l.Wanted(g.p); missing > 0 {
			ready := placement.Ready{Work: l.Work.ID, Trust: g.Trust, Missing: missing}
			for _, row := range l.Rows {
				ready.Turns = append(ready.Turns, row.Assignment)
			}
			class.Ready = append(class.Ready, ready)
		}
	}
	plan := placement.Decide(placement.Snapshot{
		Now: start, State: pool.PoolActive, Workers: g.workers, Classes: []placement.Class{class},
	}, g.r.Uint64(), placement.Defaults)
	for _, o := range plan.Offers {
		g.assign(&g.works[o.Work.Index()], o.Worker, o.Owner)
	}
	return len(plan.Offers)
}

// call lets the next caller take each work that wants a worker: whose call comes
// next is drawn by how often each calls. Nobody is given a work twice.
func (g *game) call() int {
	given, early := 0, Faster*g.Liars()
	for i := range g.works {
		l := &g.works[i]
		if l.Wanted(g.p) < 1 {
			continue
		}
		for caller := pool.WorkerID(0); caller == 0; {
			ticket := g.r.IntN(early + Workers - g.Liars())
			caller = pool.WorkerID(1 + ticket/Faster)
			if ticket >= early {
				caller = pool.WorkerID(1 + g.Liars() + ticket - early)
			}
			if slices.ContainsFunc(l.Rows, func(r life.Row) bool { return r.Worker == caller }) {
				caller = 0
				continue
			}
			g.assign(l, caller, g.workers[caller-1].Owner)
			given++
		}
	}
	return given
}

// assign writes what the store writes for an offer.
func (g *game) assign(l *life.Life, worker pool.WorkerID, owner pool.Owner) {
	l.Rows = append(l.Rows, life.Row{
		Assignment: pool.Assignment{Work: l.Work.ID, Worker: worker, Owner: owner, Attempt: 1, State: pool.Offered, StartBy: start.Add(2 * beat)},
		Until:      start.Add(4 * beat), Interval: beat,
	})
	slices.SortFunc(l.Rows, func(a, b life.Row) int { return cmp.Compare(a.Worker, b.Worker) })
	l.Work.State = pool.Running
}

// run lets everyone who has the work report, in any order, and the chosen one upload.
func (g *game) run(l *life.Life) {
	say := func(i int, says pool.ReportState) {
		r := l.Rows[i]
		digest := truth
		if g.lies(r.Worker) {
			digest = lie
		}
		l.Report(start, r.Worker, pool.Report{Work: l.Work.ID, Attempt: r.Attempt, Says: says, Digest: digest, Size: 1}, true, g.r.Uint64(), g.p)
	}
	for _, i := range g.r.Perm(len(l.Rows)) {
		if l.Rows[i].State == pool.Offered {
			say(i, pool.SaysReported)
		}
	}
	if i := slices.IndexFunc(l.Rows, func(r life.Row) bool { return r.State == pool.Uploading }); i >= 0 {
		say(i, pool.SaysUploaded)
	}
}

func (g *game) count(l life.Life) {
	g.score.Works++
	for _, row := range l.Rows {
		if row.Started {
			g.score.Runs++
		}
	}
	switch {
	case l.Work.State == pool.Done && l.Work.Digest == lie:
		g.score.Wrong++
	case l.Work.State == pool.Done:
		g.score.Right++
	default:
		g.score.Failed++
	}
}
