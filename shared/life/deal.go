package life

import (
	"slices"
	"time"

	"workerpool/shared/consensus"
	"workerpool/shared/pool"
)

// Works of deals. What the chain shows of a task stands above whatever the books
// thought: states are made anew from it at each settling, so a reorganisation
// that takes something back is one more look at the chain. The work ends when its
// task has ended for good.

// Look draws the consequences of what the chain shows in l.Task.
func (l *Life) Look(now time.Time, seed uint64, p Policy) {
	if !l.Work.State.Ended() {
		l.settle(now, seed, p)
	}
}

// reportOfDeal applies what a worker says. Of contributions and reveals the
// chain's word counts only.
func (l *Life) reportOfDeal(now time.Time, row *Row, r pool.Report, stored bool, p Policy) {
	switch r.Says {
	case pool.SaysRunning:
		if row.State == pool.Offered {
			row.State, row.Started, row.StartBy, row.RunBy = pool.InRun, true, time.Time{}, now.Add(l.Work.RunLimit+p.RunGrace)
		}
	case pool.SaysReported, pool.SaysContributed, pool.SaysRevealed, pool.SaysUploading, pool.SaysUploaded:
		if row.State.Open() && !r.File.IsZero() {
			row.State, row.Started, row.Digest, row.Size, row.File = pool.Reported, true, r.Digest, r.Size, r.File
			row.StartBy, row.RunBy = time.Time{}, now.Add(p.ContributeIn)
			return
		}
		if row.State != pool.Uploading || r.File != row.File {
			return
		}
		switch {
		case r.Says == pool.SaysUploading && !row.StartBy.IsZero():
			row.StartBy, row.RunBy = time.Time{}, now.Add(p.UploadLimit)
		case r.Says == pool.SaysUploaded && stored && l.brings(r):
			row.State, row.StartBy, row.RunBy = pool.Closed, time.Time{}, time.Time{}
			l.Work.File, l.Work.Size, l.Work.Vouched = row.File, row.Size, pool.NotVouched
			if l.Work.CallsBack {
				l.Work.Callback = r.Callback
			}
		}
	case pool.SaysChecking, pool.SaysChecked, pool.SaysWrong:
		l.judge(now, row, r, p)
	case pool.SaysFailed:
		if row.State.Open() || row.State == pool.Uploading || row.State == pool.Checking || row.State == pool.Reported {
			row.State, row.Started, row.Reason = pool.Broken, true, r.Reason
		}
	case pool.SaysRefused:
		switch row.State {
		case pool.Offered:
			row.State, row.Reason = pool.Refused, r.Reason
		case pool.InRun:
			row.State, row.Reason = pool.Broken, r.Reason
		}
	}
}

// brings tells that a report has what the result is to be called back with, if it
// is: bytes of the digest that was revealed. That they are those of the report's own
// digest was seen by whoever hands it in.
func (l *Life) brings(r pool.Report) bool {
	return !l.Work.CallsBack || r.Callback != "" && r.Digest == l.Task.Digest
}

// lacksOfDeal gives how many more contributions the contract's inequality asks
// for beyond those that stand and those to come: from turns that are open or have
// a result, and from turns that expired with the pool's word in hand, which
// cannot be called back, for as long as they might have run.
func (l *Life) lacksOfDeal() int {
	return l.lacksBeside(func(row Row) bool {
		return row.State.Open() || row.State == pool.Reported || row.State == pool.Expired && l.wordStands(row)
	})
}

// lacksBeside counts, beside the contributions that stand, the turns that pending
// picks among those without one.
func (l *Life) lacksBeside(pending func(Row) bool) int {
	if l.Task.Status > pool.TaskActive || !l.Head.Before(l.Work.ContributeBy()) {
		return 0
	}
	tally := consensus.New()
	for _, c := range l.Task.Contributions {
		if c.Status == pool.Contributed {
			tally.Add(pool.Digest(c.Hash), c.Weight)
		}
	}
	var weights []int64
	for _, row := range l.Rows {
		if _, there := l.Task.Of(row.Wallet); !there && pending(row) {
			weights = append(weights, max(row.Weight, consensus.APIWeight))
		}
	}
	return tally.WantedBeside(l.Work.Trust, weights, consensus.APIWeight)
}

// Authorise gives the pool's word to a worker that runs the work, if the chain
// takes contributions and the inequality asks for one more beyond those that have
// the word already. The word cannot be taken back.
func (l *Life) Authorise(worker pool.WorkerID) bool {
	i := slices.IndexFunc(l.Rows, func(row Row) bool { return row.Worker == worker })
	if i < 0 || l.Task == nil || l.Task.Status != pool.TaskActive || !l.Work.State.Open() {
		return false
	}
	row := &l.Rows[i]
	if row.State != pool.InRun || row.Authorised || row.Wallet.IsZero() {
		return false
	}
	if _, there := l.Task.Of(row.Wallet); there {
		return false
	}
	if l.lacksBeside(func(row Row) bool { return row.Authorised && (row.State.Held() || l.wordStands(row)) }) < 1 {
		return false
	}
	row.Authorised = true
	return true
}

// wordStands tells that a turn has the pool's word, and time to make use of it.
func (l *Life) wordStands(row Row) bool { return row.Authorised && l.Head.Before(row.RunBy) }

// settleDeal makes the states of the work and its turns of what the chain shows.
func (l *Life) settleDeal(now time.Time, seed uint64, p Policy) {
	t := l.Task
	agreed := t.Status >= pool.TaskRevealing && !t.Consensus.IsZero()
	if !agreed || t.Digest != l.Work.Digest {
		l.Work.File, l.Work.Size, l.Work.Callback = pool.Digest{}, 0, "" // what was brought was the result of a consensus that is no more
		l.forgetVouching()
	}
	l.vouch()
	for i := range l.Rows {
		l.place(&l.Rows[i], now, agreed, p)
	}
	l.Work.Reason = ""
	switch {
	case t.Final && t.Status == pool.TaskCompleted:
		l.Work.Digest = t.Digest
		l.end(now, pool.Done, "")
	case t.Final && t.Status == pool.TaskFailed:
		l.end(now, pool.Failed, "claimed: the chain had no result by its final deadline"+l.reasons())
	case agreed:
		l.Work.State, l.Work.Digest = pool.Agreed, t.Digest
		if l.bytesWanted() {
			l.appointOfDeal(now, seed, p)
		} else {
			l.askToCheck(now, seed, p)
		}
	default:
		l.Work.State, l.Work.Digest = pool.Waiting, pool.Digest{}
		if l.contributions() > 0 || slices.ContainsFunc(l.Rows, func(row Row) bool { return row.State.Open() || row.State == pool.Reported }) {
			l.Work.State = pool.Running
		}
	}
}

func (l *Life) contributions() int {
	n := 0
	for _, c := range l.Task.Contributions {
		if c.Status == pool.Contributed {
			n++
		}
	}
	return n
}

// place puts one turn where the chain shows it. agreed tells that the task has a
// consensus.
func (l *Life) place(row *Row, now time.Time, agreed bool, p Policy) {
	c, ok := l.Task.Of(row.Wallet)
	if row.Wallet.IsZero() || !ok {
		switch row.State {
		case pool.HasContributed, pool.HasRevealed, pool.Uploading, pool.Checking, pool.Closed:
			// A reorganisation took its contribution back: it is to be made again.
			row.State, row.Reason, row.StartBy, row.RunBy = pool.Reported, "", time.Time{}, now.Add(p.ContributeIn)
		case pool.Offered, pool.InRun, pool.Reported, pool.Expired, pool.Refused, pool.Broken, pool.Superseded:
		}
		if agreed && (row.State.Open() || row.State == pool.Reported) {
			row.State, row.Reason = pool.Superseded, "agreed upon without it"
		}
		return
	}
	row.Started = true
	switch {
	case row.State == pool.Broken:
	case c.Status == pool.Rejected:
		row.State, row.Reason = pool.Closed, "nobody revealed its result in time"
	case agreed && c.Hash != l.Task.Consensus:
		row.State, row.Reason = pool.Closed, "another result was agreed upon"
	case c.Status != pool.Proved:
		row.State, row.Reason, row.StartBy, row.RunBy = pool.HasContributed, "", time.Time{}, time.Time{}
	case row.State == pool.Uploading && row.Digest == l.Task.Digest && l.bytesWanted(), row.State == pool.Closed && row.File == l.Work.File && !l.Work.File.IsZero():
	case row.State == pool.Checking && row.Checks == l.Work.File && !l.Work.File.IsZero() && l.Work.Vouched == pool.NotVouched:
	case row.State == pool.Expired && !now.Before(row.Until): // it was to bring the bytes, or to look at them, and is gone
	default:
		row.State, row.Reason, row.StartBy, row.RunBy = pool.HasRevealed, "", time.Time{}, time.Time{}
	}
}

// appointOfDeal sees that one live worker whose reveal the chain has is bringing
// the bytes, until they are in the bucket: one of those whose file most others have
// made too, for then nobody needs to look at it.
func (l *Life) appointOfDeal(now time.Time, seed uint64, p Policy) {
	if slices.ContainsFunc(l.Rows, func(row Row) bool { return row.State == pool.Uploading }) {
		return
	}
	most := 0
	var able []int
	for i, row := range l.Rows {
		if !l.stands(row, now) || row.File == l.Work.File {
			continue
		}
		same := len(l.makers(row.File, pool.Contributed))
		if same > most {
			most, able = same, nil
		}
		if same == most {
			able = append(able, i)
		}
	}
	l.drawn(able, seed, func(row *Row) { row.toBring(now, p) })
}

// toBring appoints a turn to bring the bytes.
func (row *Row) toBring(now time.Time, p Policy) {
	row.State, row.StartBy, row.RunBy = pool.Uploading, now.Add(time.Duration(p.StartIntervals)*row.Interval), time.Time{}
}
