package life_test

import (
	"maps"
	"testing"

	"workerpool/shared/life"
	"workerpool/shared/pool"
)

func TestCredit(t *testing.T) {
	t.Parallel()
	a, b, c := pool.Digest{1}, pool.Digest{2}, pool.Digest{3}
	row := func(worker pool.WorkerID, state pool.AssignmentState, digest pool.Digest) life.Row {
		return life.Row{Assignment: pool.Assignment{Worker: worker, State: state, Digest: digest}}
	}
	of := func(digest pool.Digest, rows ...life.Row) life.Life {
		return life.Life{Work: pool.Work{Digest: digest}, Rows: rows}
	}
	none := pool.Digest{}
	for story, step := range map[string]struct {
		before, after life.Life
		want          map[pool.WorkerID]int
	}{
		"nothing happens": {of(none, row(1, pool.InRun, none)), of(none, row(1, pool.InRun, none)), nil},
		"a digest alone earns nothing yet": {
			of(none, row(1, pool.InRun, none)), of(none, row(1, pool.Reported, a)), nil,
		},
		"agreement": {
			of(none, row(1, pool.Reported, a), row(2, pool.Reported, b), row(3, pool.InRun, none), row(4, pool.Offered, none)),
			of(a, row(1, pool.Uploading, a), row(2, pool.Closed, b), row(3, pool.Reported, a), row(4, pool.Superseded, none)),
			map[pool.WorkerID]int{1: 1, 2: -1, 3: 1},
		},
		"agreed upon once only": {
			of(a, row(1, pool.Uploading, a), row(2, pool.Reported, a)), of(a, row(1, pool.Closed, a), row(2, pool.Closed, a)), nil,
		},
		"an uploader is lost": {
			of(a, row(1, pool.Uploading, a), row(2, pool.Reported, a)), of(a, row(1, pool.Expired, a), row(2, pool.Uploading, a)), map[pool.WorkerID]int{1: -1},
		},
		"three digests blame nobody": {
			of(none, row(1, pool.Reported, a), row(2, pool.Reported, b), row(3, pool.Reported, c), row(4, pool.InRun, none)),
			of(a, row(1, pool.Reported, a), row(2, pool.Closed, b), row(3, pool.Closed, c), row(4, pool.Uploading, a)),
			map[pool.WorkerID]int{1: 1, 4: 1},
		},
		"what was lost costs once only": {
			of(none, row(1, pool.Broken, none), row(2, pool.Expired, none), row(3, pool.InRun, none)),
			of(none, row(1, pool.Broken, none), row(2, pool.Expired, none), row(3, pool.Reported, a)), nil,
		},
		"failed, lost, not begun, refused": {
			of(none, row(1, pool.InRun, none), row(2, pool.InRun, none), row(3, pool.Offered, none), row(4, pool.Offered, none)),
			of(none, row(1, pool.Broken, none), row(2, pool.Expired, none), row(3, pool.Expired, none), row(4, pool.Refused, none)),
			map[pool.WorkerID]int{1: -1, 2: -1, 3: -1},
		},
	} {
		if got := life.Credit(step.before, step.after); !maps.Equal(got, step.want) {
			t.Errorf("%s: %v, want %v", story, got, step.want)
		}
	}
}
