package chain

import (
	"testing"
	"time"
)

// TestAhead has chains whose clock is wrong do all that others do.
func TestAhead(t *testing.T) {
	for name, ahead := range map[string]time.Duration{"ahead": time.Hour, "behind": -time.Hour} {
		t.Run(name, func(t *testing.T) {
			chain := started(t, Config{Ahead: ahead})
			right := func() {
				t.Helper()
				if off := time.Until(chain.Head().Time) - ahead; off.Abs() > 30*time.Minute {
					t.Errorf("its clock is %s off", off+ahead)
				}
			}
			right()
			one := done(t, chain, pay(t, chain))
			chain.Mine(40)
			if head := chain.Head(); head.Number != one.Block.Number+40 || head.Finalized != 32 {
				t.Errorf("41 blocks: %+v", head)
			}
			right()
			two := done(t, chain, pay(t, chain))
			old := chain.Head()
			if err := chain.Reorganise(1, true); err != nil {
				t.Fatal(err)
			}
			if got, found := chain.Look(two.Hash); !found || got.Block.Number < two.Block.Number || !got.Block.Time.After(old.Time) || chain.Head().Number != old.Number+1 {
				t.Errorf("%+v after a reorganisation of %+v", got, old)
			}
			right()
			before := chain.Head()
			if err := chain.AdjustTime(10 * time.Minute); err != nil {
				t.Fatal(err)
			}
			if later := done(t, chain, pay(t, chain)); later.Block.Time.Sub(before.Time) < 10*time.Minute || !later.Good {
				t.Errorf("%+v, 10 minutes after %+v", later, before)
			}
		})
	}
}
