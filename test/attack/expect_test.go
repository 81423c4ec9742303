package attack_test

import (
	"math"

	"workerpool/test/attack"
)

// expected is what a case comes to by the theory of chance.
type expected struct {
	wrong, failed float64 // shares of the works
	runs          float64 // of a work, on average
	spread        float64 // standard deviation of a work's runs
}

// expect computes what attack.Play samples, by other means: a walk over how many told
// the truth and how many lied, each next worker drawn among those that have not
// had the work. No more than maxRuns run.
func expect(c attack.Case, maxRuns int) expected {
	liars := float64(c.Liars())
	honest := attack.Workers - liars
	type told struct{ truth, lies int }
	var e expected
	squares := 0.0
	end := func(share float64, runs int) {
		e.runs += share * float64(runs)
		squares += share * float64(runs*runs)
	}
	walks := map[told]float64{{}: 1}
	for runs := 1; len(walks) > 0; runs++ {
		next := map[told]float64{}
		for at, share := range walks {
			honestLeft, liarsLeft := honest-float64(at.truth), liars-float64(at.lies)
			switch c.Hand {
			case attack.FirstCome:
				liarsLeft *= attack.Faster
			case attack.ByOwner:
				liarsLeft = float64(1 - min(1, at.lies))
			case attack.Draw:
			}
			for _, step := range []struct {
				to   told
				odds float64
			}{{told{at.truth + 1, at.lies}, honestLeft}, {told{at.truth, at.lies + 1}, liarsLeft}} {
				p := share * step.odds / (honestLeft + liarsLeft)
				switch {
				case p == 0:
				case decides(step.to.lies, step.to.truth, c.Trust):
					e.wrong += p
					end(p, runs)
				case decides(step.to.truth, step.to.lies, c.Trust):
					end(p, runs)
				case runs == maxRuns:
					e.failed += p
					end(p, runs)
				default:
					next[step.to] += p
				}
			}
		}
		walks = next
	}
	e.spread = math.Sqrt(max(0, squares-e.runs*e.runs))
	return e
}

// decides is PoCo's inequality for two groups of equal weights 2, told again:
// 2^n * trust > (1 + 2^n + 2^m) * (trust - 1), an absent group counting nothing.
func decides(n, m, trust int) bool {
	others := 1.0
	if m > 0 {
		others += math.Exp2(float64(m))
	}
	return n > 0 && math.Exp2(float64(n)) > float64(max(trust, 1)-1)*others
}
