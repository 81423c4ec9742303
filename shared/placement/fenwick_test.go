package placement

import (
	"testing"

	"pgregory.net/rapid"
)

// The tree of counts against a plain list.
func TestFenwickAsAList(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		plain := make([]int, rapid.IntRange(1, 40).Draw(t, "places"))
		tree := newFenwick(len(plain))
		for range rapid.IntRange(0, 60).Draw(t, "changes") {
			i := rapid.IntRange(0, len(plain)-1).Draw(t, "place")
			by := rapid.IntRange(-plain[i], 6).Draw(t, "by")
			plain[i] += by
			tree.add(i, by)
		}
		total := 0
		for i, n := range plain {
			if tree.at(i) != n {
				t.Fatalf("at %d: %d, want %d", i, tree.at(i), n)
			}
			if tree.sum(i) != total {
				t.Fatalf("before %d: %d, want %d", i, tree.sum(i), total)
			}
			for k := range n {
				if got := tree.find(total + k); got != i {
					t.Fatalf("unit %d of %v lies at %d, not %d", total+k, plain, got, i)
				}
			}
			total += n
		}
		if tree.total != total || tree.sum(len(plain)) != total {
			t.Fatalf("total %d, all %d, want %d", tree.total, tree.sum(len(plain)), total)
		}
	})
}
