package life

import (
	"time"

	"workerpool/shared/pool"
)

// Over tells that an assignment has outlived its times or its worker, and why.
func Over(now time.Time, row Row) (bool, string) {
	lost := !now.Before(row.Until)
	late := func(t time.Time) bool { return !t.IsZero() && !now.Before(t) }
	switch row.State {
	case pool.Offered:
		switch {
		case late(row.StartBy):
			return true, "not started in time"
		case lost:
			return true, "worker lost"
		}
	case pool.InRun:
		switch {
		case late(row.RunBy):
			return true, "over its run limit"
		case lost:
			return true, "worker lost"
		}
	case pool.Uploading:
		switch {
		case late(row.StartBy):
			return true, "upload not begun in time"
		case late(row.RunBy):
			return true, "upload took too long"
		case lost:
			return true, "worker lost"
		}
	case pool.Checking:
		switch {
		case late(row.StartBy):
			return true, "check not begun in time"
		case late(row.RunBy):
			return true, "check took too long"
		case lost:
			return true, "worker lost"
		}
	case pool.Reported:
		// Of an api work there is no such time: the digest stands, whatever becomes of its worker.
		if late(row.RunBy) {
			return true, "did not contribute in time"
		}
	case pool.HasContributed, pool.HasRevealed, pool.Closed, pool.Expired, pool.Refused, pool.Broken, pool.Superseded:
	}
	return false, ""
}

// Matters tells whether a report may change anything for a row as it was read
// without a lock; what does not matter needs no transaction. kept is the digest
// that the work keeps from an earlier consensus while it is open, if any.
func Matters(row pool.Assignment, r pool.Report, kept pool.Digest) bool {
	if row.Attempt != r.Attempt {
		return false
	}
	switch row.State {
	case pool.Offered:
		return true
	case pool.InRun:
		return r.Says != pool.SaysRunning
	case pool.Reported:
		return !kept.IsZero() && row.Digest == kept || !row.File.IsZero() && r.Says == pool.SaysFailed
	case pool.Uploading:
		return r.Says == pool.SaysFailed || r.Says == pool.SaysUploaded || r.Says == pool.SaysUploading && !row.StartBy.IsZero()
	case pool.Checking:
		switch r.Says {
		case pool.SaysFailed:
			return true
		case pool.SaysChecked, pool.SaysWrong:
			return r.Checks == row.Checks
		case pool.SaysChecking:
			return r.Checks == row.Checks && !row.StartBy.IsZero()
		}
	case pool.Expired:
		return r.Says != pool.SaysFailed && r.Says != pool.SaysRefused
	case pool.HasContributed, pool.HasRevealed, pool.Closed, pool.Refused, pool.Broken, pool.Superseded:
	}
	return false
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
