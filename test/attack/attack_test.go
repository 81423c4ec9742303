package attack_test

import (
	"flag"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"workerpool/shared/life"
	"workerpool/test/attack"
)

var (
	works = flag.Int("works", 4_000, "works of each cell of the table")
	write = flag.Bool("write", false, "write ../../docs/attacks.md")
)

// seed is the table's: the same on every machine.
const seed = 20260401

// The published table: the share of wrong results in percent and the runs of a
// work, each from referenceWorks works, when no more than referenceRuns may run.
const (
	referenceWorks = 4_000
	referenceRuns  = 40
)

var reference = []struct {
	percent, trust int
	wrong, runs    map[attack.Hand]float64
}{
	{5, 3, shares(18.1, 0.20, 0), shares(3.7, 2.2, 2.2)},
	{10, 3, shares(53.9, 1.15, 0), shares(4.1, 2.4, 2.4)},
	{10, 5, shares(44.9, 0.18, 0), shares(9.2, 3.7, 3.6)},
	{10, 100, shares(5.9, 0, 0), shares(30.1, 9.1, 8.6)},
	{20, 5, shares(93.8, 1.5, 0), shares(6.4, 4.8, 4.0)},
	{20, 100, shares(91.8, 0.03, 0), shares(18.7, 11.9, 9.4)},
	{30, 100, shares(99.9, 0.13, 0), shares(12.0, 17.3, 9.8)},
}

var hands = []attack.Hand{attack.FirstCome, attack.Draw, attack.ByOwner}

func shares(of ...float64) map[attack.Hand]float64 {
	out := map[attack.Hand]float64{}
	for i, share := range of {
		out[hands[i]] = share
	}
	return out
}

// unlimited is the policy of the published table, nearly: the pool's own lets no
// more than 20 run.
func unlimited() life.Policy {
	p := life.Defaults
	p.MaxRuns = referenceRuns
	return p
}

// TestTable plays the published table with the pool's code and holds every cell
// against the table and against the theory of chance.
func TestTable(t *testing.T) {
	t.Parallel()
	fmt.Printf("seed %d, %d works a cell; wrong results (runs of a work)\n%s\n", seed, *works, heading)
	var lines []string
	for _, percent := range []int{5, 10, 20, 30} {
		for _, trust := range []int{3, 5, 100} {
			cells := []string{fmt.Sprintf("%d %%", percent), fmt.Sprint(trust)}
			for _, hand := range hands {
				c := attack.Case{Trust: trust, Percent: percent, Hand: hand}
				got := attack.Play(c, *works, seed, unlimited())
				holds(t, c, got, expect(c, referenceRuns))
				compare(t, c, got)
				cells = append(cells, cell(got))
			}
			c := attack.Case{Trust: trust, Percent: percent, Hand: attack.Draw}
			got := attack.Play(c, *works, seed, life.Defaults)
			holds(t, c, got, expect(c, life.Defaults.MaxRuns))
			cells = append(cells, cell(got), fmt.Sprintf("%.2f %%", 100*got.Share(got.Failed)))
			lines = append(lines, "| "+strings.Join(cells, " | ")+" |")
			fmt.Println(lines[len(lines)-1])
		}
	}
	if *write && !t.Failed() {
		page := fmt.Sprintf(page, *works, seed, heading+"\n"+strings.Join(lines, "\n"))
		if err := os.WriteFile("../../docs/attacks.md", []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func cell(s attack.Score) string {
	return fmt.Sprintf("%.2f %% (%.1f)", 100*s.Share(s.Wrong), float64(s.Runs)/float64(s.Works))
}

// patience is how many standard deviations a cell may be off: one in 15,000 is
// further off by chance, and the seed is fixed.
const patience = 4

// holds compares a cell with what it must come to.
func holds(t *testing.T, c attack.Case, got attack.Score, want expected) {
	t.Helper()
	n := float64(got.Works)
	for _, share := range []struct {
		name  string
		count int
		want  float64
	}{{"wrong", got.Wrong, want.wrong}, {"without a result", got.Failed, want.failed}} {
		if p := tail(got.Works, share.count, share.want); p < 1e-5 {
			t.Errorf("%+v: %d of %d %s, expected %.1f: by chance that is so in %.1g", c, share.count, got.Works, share.name, n*share.want, p)
		}
	}
	if off := math.Abs(float64(got.Runs)/n - want.runs); off > patience*want.spread/math.Sqrt(n)+1e-9 {
		t.Errorf("%+v: %.3f runs of a work, expected %.3f", c, float64(got.Runs)/n, want.runs)
	}
}

// tail gives the chance of a count at least as far from the mean, on its side.
func tail(n, count int, p float64) float64 {
	if p <= 0 {
		return map[bool]float64{true: 1}[count == 0]
	}
	if p >= 1 {
		return map[bool]float64{true: 1}[count == n]
	}
	log := func(x int) float64 { v, _ := math.Lgamma(float64(x + 1)); return v }
	chance := func(k int) float64 {
		return math.Exp(log(n) - log(k) - log(n-k) + float64(k)*math.Log(p) + float64(n-k)*math.Log1p(-p))
	}
	from, to := count, n
	if float64(count) < p*float64(n) {
		from, to = 0, count
	}
	sum := 0.0
	for k := from; k <= to; k++ {
		sum += chance(k)
	}
	return sum
}

// compare holds a cell against the published one, which is a sample as well. With
// the draw by owner the pool needs fewer runs than was published: there workers
// were drawn first and a second of an owner passed over, here the owner is drawn.
func compare(t *testing.T, c attack.Case, got attack.Score) {
	t.Helper()
	for _, r := range reference {
		if r.percent != c.Percent || r.trust != c.Trust {
			continue
		}
		a, b := got.Share(got.Wrong), r.wrong[c.Hand]/100
		n, m := float64(got.Works), float64(referenceWorks)
		both := (a*n + b*m) / (n + m)
		if limit := patience*math.Sqrt(both*(1-both)*(1/n+1/m)) + rounding(c.Hand, b); math.Abs(a-b) > limit {
			t.Errorf("%+v: %.2f %% wrong, published %.2f %%, may differ by %.2f", c, 100*a, 100*b, 100*limit)
		}
		runs, want := float64(got.Runs)/n, r.runs[c.Hand]
		limit := patience*expect(c, referenceRuns).spread*math.Sqrt(1/n+1/m) + 0.05
		if runs > want+limit || c.Hand != attack.ByOwner && runs < want-limit {
			t.Errorf("%+v: %.2f runs of a work, published %.1f, may differ by %.2f", c, runs, want, limit)
		}
	}
}

// rounding is half a unit of the last published figure.
func rounding(hand attack.Hand, share float64) float64 {
	if hand == attack.FirstCome || share >= 0.015 {
		return 0.0005
	}
	return 0.00005
}

// A single one of 200 decides at trust 1, so that lies come through by the share
// of the hand-outs that liars get: by calls, or by the draw.
func TestWithoutCheck(t *testing.T) {
	t.Parallel()
	for _, hand := range hands {
		c := attack.Case{Trust: 1, Percent: 10, Hand: hand}
		if hand != attack.ByOwner { // at trust 1 the owner does not count
			holds(t, c, attack.Play(c, *works, seed, unlimited()), expect(c, referenceRuns))
		}
	}
	one := attack.Play(attack.Case{Trust: 1, Percent: 10, Hand: attack.ByOwner}, *works, seed, unlimited())
	holds(t, attack.Case{Trust: 1, Percent: 10, Hand: attack.ByOwner}, one, expect(attack.Case{Trust: 1, Percent: 10, Hand: attack.Draw}, referenceRuns))
}

const heading = `| liars | trust | first come, first served (a model) | draw | draw, liars of one owner | draw, at most 20 runs | of those without a result |
|---|---|---|---|---|---|---|`

const page = `# What colluding liars reach

Made by ` + "`go generate ./test/attack`" + ` from the code that the functions run: shared/placement
draws, shared/life judges. 200 workers, of which a share lies and always with the same wrong
digest; %d works a cell, seed %d. A cell is the share of works that end with the
wrong result and, in brackets, the runs that a work took on average.

%s

- *First come, first served* is what the pool does not do: each call takes a work, and liars
  call ten times as often. Only the hand-out is a model; the judging is the pool's.
- *Draw*: every worker is an owner of its own, as on the shared worker account. Calling often
  gives nothing, so liars get the share of the hand-outs that they are of the fleet.
- *Liars of one owner*: an owner has one turn at a work and one chance in the draw, so liars
  are at most one vote among others. Two agree at trust 3: none of their lies comes through.
- These columns let 40 workers run before a work fails; the pool stops after 20. What a large
  share of liars then delays ends without a result instead of with a wrong one: last columns.
- Trust 0 to 2 is no check: there a lie comes through as often as a liar is drawn.
`
