package life

import (
	"math/rand/v2"
	"time"

	"workerpool/shared/pool"
)

// The chain agrees upon a digest of a deal's result, and the requester gets an
// archive that one worker has brought. That the one is in the other somebody else
// vouches for: who made the same archive, or who has looked at it. Each agreeing
// worker is asked to look once, and whoever finds an archive wrong brings its own in
// its place, at which others look: so a lie only brings its teller to where it is
// looked at, and there are at most as many archives as workers.

// bytesWanted tells that an agreeing worker is to bring the bytes of the result.
func (l *Life) bytesWanted() bool { return l.Work.File.IsZero() || l.Work.Vouched == pool.Disputed }

// forgetVouching takes back what was said of bytes that are of no use any more.
func (l *Life) forgetVouching() {
	l.Work.Vouched = pool.NotVouched
	for i := range l.Rows {
		l.Rows[i].Checks = pool.Digest{}
	}
}

// vouch sees whether the bytes that are there are vouched for without anybody
// looking at them, or whether there is no time left for it. From then on they stay:
// the chain is told where they lie.
func (l *Life) vouch() {
	switch {
	case l.Work.File.IsZero() || l.Work.Vouched == pool.Vouched || l.Work.Vouched == pool.NobodyLeft:
	case len(l.makers(l.Work.File, pool.Proved)) > 1:
		l.Work.Vouched = pool.Vouched
	case l.Task.Status != pool.TaskRevealing || !l.Head.Before(l.Work.VouchBy()):
		l.Work.Vouched = pool.NobodyLeft
	}
}

// makers gives the owners of the agreeing workers that made a file, and of which
// the chain shows at least so much.
func (l *Life) makers(file pool.Digest, shown pool.ContributionStatus) map[pool.Owner]bool {
	owners := map[pool.Owner]bool{}
	for _, row := range l.Rows {
		c, there := l.Task.Of(row.Wallet)
		if there && row.File == file && row.Digest == l.Task.Digest && c.Hash == l.Task.Consensus && c.Status >= shown && c.Status != pool.Rejected {
			owners[row.Owner] = true
		}
	}
	return owners
}

// stands tells that a turn's worker is there and stands to the agreed digest with
// bytes of its own.
func (l *Life) stands(row Row, now time.Time) bool {
	return row.State == pool.HasRevealed && row.Digest == l.Task.Digest && !row.File.IsZero() && now.Before(row.Until)
}

// askToCheck sees that one live agreeing worker of another owner looks at the bytes,
// until somebody vouches for them or there is nobody left to be asked.
func (l *Life) askToCheck(now time.Time, seed uint64, p Policy) {
	if l.Work.Vouched != pool.NotVouched {
		return
	}
	owners := l.makers(l.Work.File, pool.Contributed)
	var able []int
	for i, row := range l.Rows {
		switch {
		case row.State == pool.Checking:
			return
		case l.stands(row, now) && row.Checks.IsZero() && !owners[row.Owner]:
			able = append(able, i)
		}
	}
	if len(able) == 0 && (l.Task.Reveals >= l.Task.Winners || !l.Head.Before(l.Task.RevealBy)) {
		l.Work.Vouched = pool.NobodyLeft
	}
	l.drawn(able, seed, func(row *Row) {
		row.State, row.Checks = pool.Checking, l.Work.File
		row.StartBy, row.RunBy = now.Add(time.Duration(p.StartIntervals)*row.Interval), time.Time{}
	})
}

// judge applies what a worker says of the bytes that it was asked to look at.
func (l *Life) judge(now time.Time, row *Row, r pool.Report, p Policy) {
	if row.State != pool.Checking || r.Checks != row.Checks {
		return
	}
	switch r.Says {
	case pool.SaysChecking:
		if !row.StartBy.IsZero() {
			row.StartBy, row.RunBy = time.Time{}, now.Add(p.UploadLimit)
		}
	case pool.SaysChecked:
		l.Work.Vouched = pool.Vouched
	case pool.SaysWrong:
		l.Work.Vouched = pool.Disputed
		for i := range l.Rows {
			if by := &l.Rows[i]; by.State == pool.Closed && by.File == l.Work.File {
				by.State, by.Reason = pool.Broken, "another agreeing worker did not find the agreed result in what it brought"
			}
		}
		row.toBring(now, p)
	}
}

// drawn does something to one of the rows at the places given, if there are any.
func (l *Life) drawn(places []int, seed uint64, do func(*Row)) {
	if len(places) == 0 {
		return
	}
	draw := rand.New(rand.NewPCG(seed, uint64(l.Work.ID)))
	do(&l.Rows[places[draw.IntN(len(places))]])
}
