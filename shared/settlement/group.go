package settlement

import (
	"slices"

	"workerpool/shared/pool"
)

// MostInBroadcast is the most actions in one sending: 25 initializations use
// 4.3M gas, and more of them only make a revert dearer.
const MostInBroadcast = 25

// Group makes broadcasts of actions, the most urgent first: each of one kind and
// of at most so many (1 to MostInBroadcast) as are wished. Only what the contract
// has an array call for (initializeArray, claimArray, initializeAndClaimArray) is
// sent together; such a call takes effect for all of its tasks or for none.
func Group(actions []pool.Action, most int) [][]pool.Action {
	most = min(max(most, 1), MostInBroadcast)
	var groups [][]pool.Action
	last := map[pool.ActionKind]int{}
	for _, a := range slices.SortedFunc(slices.Values(actions), bySlack) {
		i, ok := last[a.Kind]
		if !ok || len(groups[i]) == most || !together(a.Kind) {
			i = len(groups)
			last[a.Kind] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], a)
	}
	return groups
}

// together tells that the contract takes several of a kind in one call.
func together(kind pool.ActionKind) bool {
	return kind == pool.Initialize || kind == pool.Claim || kind == pool.InitializeClaim
}
