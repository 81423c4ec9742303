package settlement

import (
	"fmt"
	"slices"

	"workerpool/shared/pool"
)

// Differences tells in what the books' view of a task is another than the chain's,
// as seen at a block that is not older.
func Differences(c pool.Compared, view pool.Task) (found []pool.Difference) {
	add := func(what string, books, chain any) {
		found = append(found, pool.Difference{Deal: c.Deal, Task: c.Task.ID, What: what, Books: fmt.Sprint(books), Chain: fmt.Sprint(chain)})
	}
	if c.Task.Status != view.Status {
		add("status", c.Task.Status, view.Status)
	}
	if c.Task.Consensus != view.Consensus {
		add("consensus", c.Task.Consensus, view.Consensus)
	}
	if !slices.Equal(c.Task.Contributions, view.Contributions) {
		add("contributions", len(c.Task.Contributions), len(view.Contributions))
	}
	for _, contribution := range view.Contributions {
		if !slices.Contains(c.Vouched, contribution.Wallet) {
			add("contributor without the pool's word", "none", contribution.Wallet)
		}
	}
	return found
}
