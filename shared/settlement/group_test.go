package settlement_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"workerpool/shared/pool"
	"workerpool/shared/settlement"
)

func TestGroup(t *testing.T) {
	t.Parallel()
	const i, f, r, c, x = pool.Initialize, pool.Finalize, pool.Reopen, pool.Claim, pool.InitializeClaim
	for _, test := range []struct {
		kinds string // by slack, the least first
		most  int
		want  string
	}{
		{"", 25, ""},
		{"iii", 25, "iii"},
		{"iii", 2, "ii i"},
		{"ff", 25, "f f"},
		{"rr", 25, "r r"},
		{"ccc", 3, "ccc"},
		{"xxxx", 3, "xxx x"},
		{"ificxici", 25, "iiii f cc x"},
		{"ificxici", 2, "ii f cc x ii"},
		{"iii", 0, "i i i"},
		{"iii", -1, "i i i"},
		{strings.Repeat("i", 60), 99, strings.Repeat("i", 25) + " " + strings.Repeat("i", 25) + " " + strings.Repeat("i", 10)},
	} {
		var actions []pool.Action
		for n, letter := range test.kinds {
			kind := map[rune]pool.ActionKind{'i': i, 'f': f, 'r': r, 'c': c, 'x': x}[letter]
			actions = append(actions, pool.Action{Work: pool.WorkID(n), Kind: kind, Before: epoch.Add(time.Duration(n) * time.Second)})
		}
		for k := len(actions) - 1; k > 0; k-- { // in whatever order they come
			j := k * 7 % (k + 1)
			actions[k], actions[j] = actions[j], actions[k]
		}
		asked := fmt.Sprint(actions)
		var got []string
		for _, group := range settlement.Group(actions, test.most) {
			letters, last := "", pool.WorkID(-1)
			for _, a := range group {
				letters += map[pool.ActionKind]string{i: "i", f: "f", r: "r", c: "c", x: "x"}[a.Kind]
				if a.Work <= last {
					t.Errorf("%q by %d: work %d after %d", test.kinds, test.most, a.Work, last)
				}
				last = a.Work
			}
			got = append(got, letters)
		}
		if s := strings.Join(got, " "); s != test.want {
			t.Errorf("%q by %d: %q, want %q", test.kinds, test.most, s, test.want)
		}
		if fmt.Sprint(actions) != asked {
			t.Errorf("%q: the question was changed", test.kinds)
		}
	}
}
