package market

import (
	"testing"

	"workerpool/shared/chain/poco"
	"workerpool/shared/pool"
)

// TestKitty holds the account's address against the hub's.
func TestKitty(t *testing.T) {
	t.Parallel()
	s := open(t)
	out, err := s.Chain.View(t.Context(), s.At.Hub, poco.NewHub().PackKittyAddress())
	if err != nil {
		t.Fatal(err)
	}
	if at, err := poco.NewHub().UnpackKittyAddress(out); err != nil || pool.Address(at) != kitty {
		t.Errorf("the kitty is %s: %v", at, err)
	}
}

// TestCheck has sheets that do not add up.
func TestCheck(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]Sheet{
		"money is gone":        {Locked: 5, Paid: 1, Refunded: 1, Seized: 1, Held: 1, Lines: map[pool.Address]Line{{1}: {Lost: 2}}},
		"money from nowhere":   {Locked: 3, Paid: 2, Refunded: 1, Held: 1, Lines: map[pool.Address]Line{{1}: {Lost: 2}}},
		"nobody has lost what": {Locked: 3, Paid: 2, Refunded: 1, Lines: map[pool.Address]Line{{1}: {Lost: 1}}},
	} {
		if s.Check() == nil {
			t.Errorf("%s, and it checks", name)
		}
	}
}
