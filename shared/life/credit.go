package life

import "workerpool/shared/pool"

// Credit gives what a step of a work's life earned its workers: 1 for a result
// that was agreed upon, -1 for a run that failed, a turn that was lost or never
// begun, and a result that lost against another. The pool's trust in a worker,
// its quota, doubles or halves with each. Where three digests and more were
// given the app is not deterministic, and nobody is blamed for its own.
func Credit(before, after Life) map[pool.WorkerID]int {
	digests := map[pool.Digest]bool{}
	for _, row := range after.Rows {
		if !row.Digest.IsZero() {
			digests[row.Digest] = true
		}
	}
	judged := func(l Life, row Row) bool { return !l.Work.Digest.IsZero() && !row.Digest.IsZero() }
	credit := map[pool.WorkerID]int{}
	for i, row := range after.Rows {
		var was Row
		if i < len(before.Rows) {
			was = before.Rows[i]
		}
		switch {
		case judged(after, row) && !judged(before, was):
			if row.Digest == after.Work.Digest {
				credit[row.Worker]++
			} else if len(digests) < 3 {
				credit[row.Worker]--
			}
		case row.State != was.State && (row.State == pool.Broken || row.State == pool.Expired):
			credit[row.Worker]--
		}
	}
	return credit
}
