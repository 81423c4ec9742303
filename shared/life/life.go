// Package life owns what may happen to one work and its assignments: what a
// report, an expiry, a cancellation or a lost uploader does to them, and how
// many more assignments the work then wants. It is a function of values: it
// reads no clock, draws from a given seed only and stores nothing. It must not
// choose workers; that is placement's. Works of deals are judged by the chain:
// deal.go.
package life

import (
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"workerpool/shared/consensus"
	"workerpool/shared/pool"
)

// Policy holds the numbers of a work's life.
type Policy struct {
	MaxFailures    int           // runs that may fail before the work does
	MaxRuns        int           // runs that may begin before the work fails
	RunGrace       time.Duration // beyond the run limit, for downloads and late words
	ContributeIn   time.Duration // of a deal: from a result to its contribution on the chain
	UploadLimit    time.Duration // from the first byte to the last
	StartIntervals int           // heartbeat intervals to start an offer or an upload
}

// Defaults are the pool's numbers.
var Defaults = Policy{
	MaxFailures:    3,
	MaxRuns:        20,
	RunGrace:       5 * time.Minute,
	ContributeIn:   10 * time.Minute,
	UploadLimit:    time.Hour,
	StartIntervals: 2,
}

// Row is an assignment with what its worker's last heartbeat said of its life.
type Row struct {
	pool.Assignment
	Until    time.Time     // the worker's lease
	Interval time.Duration // between its heartbeats

	// Of a deal's work.
	Wallet     pool.Address // the worker's
	Weight     int64        // of its next contribution, as far as is known
	Authorised bool         // the pool has given its word that this worker may contribute
}

// Life is one work with all its assignments, in order of worker.
type Life struct {
	Work pool.Work
	Rows []Row
	Task *pool.Task // of a deal: as the chain was last seen; nil of an api work
	Head time.Time  // of a deal: the chain's clock, as last seen
}

// Report applies what a worker says of its turn at the work. What does not fit
// (another attempt, an ended work, a state already left) changes nothing, so a
// report may come twice or late. stored tells of an "uploaded" report that the
// object was seen in the bucket with the agreed digest.
func (l *Life) Report(now time.Time, worker pool.WorkerID, r pool.Report, stored bool, seed uint64, p Policy) {
	i := slices.IndexFunc(l.Rows, func(row Row) bool { return row.Worker == worker })
	if i < 0 || l.Rows[i].Attempt != r.Attempt || l.Work.State.Ended() {
		return
	}
	row := &l.Rows[i]
	row.Until = latest(row.Until, now.Add(row.Interval)) // it is speaking: not lost
	lost := row.State == pool.Expired && !l.revive(now, i, r, p)
	switch {
	case lost && l.Task == nil:
		return
	case lost: // of a deal it may still bring the bytes, or look at them
	case l.Task != nil:
		l.reportOfDeal(now, row, r, stored, p)
	default:
		l.reportOfAPI(now, row, r, stored, p)
	}
	l.settle(now, seed, p)
}

// reportOfAPI applies what a worker says of an api work.
func (l *Life) reportOfAPI(now time.Time, row *Row, r pool.Report, stored bool, p Policy) {
	switch r.Says {
	case pool.SaysRunning:
		if row.State == pool.Offered {
			row.State, row.Started, row.StartBy, row.RunBy = pool.InRun, true, time.Time{}, now.Add(l.Work.RunLimit+p.RunGrace)
		}
	case pool.SaysReported, pool.SaysUploading, pool.SaysUploaded:
		l.bring(now, row, r, stored, p)
	case pool.SaysFailed:
		if row.State.Open() || row.State == pool.Uploading {
			row.State, row.Started, row.Reason = pool.Broken, true, r.Reason
		}
	case pool.SaysRefused:
		switch row.State {
		case pool.Offered:
			row.State, row.Reason = pool.Refused, r.Reason
		case pool.InRun:
			row.State, row.Reason = pool.Broken, r.Reason
		}
	case pool.SaysContributed, pool.SaysRevealed, pool.SaysChecking, pool.SaysChecked, pool.SaysWrong: // of works of deals only
	}
}

// bring applies a report that speaks of a result.
func (l *Life) bring(now time.Time, row *Row, r pool.Report, stored bool, p Policy) {
	if row.State.Open() {
		row.State, row.Started, row.Digest, row.Size = pool.Reported, true, r.Digest, r.Size
		row.StartBy, row.RunBy = time.Time{}, time.Time{}
		return
	}
	if row.State != pool.Uploading || r.Digest != row.Digest {
		return
	}
	switch r.Says {
	case pool.SaysUploading:
		if !row.StartBy.IsZero() {
			row.StartBy, row.RunBy = time.Time{}, now.Add(p.UploadLimit)
		}
	case pool.SaysUploaded:
		if stored {
			row.State, row.StartBy, row.RunBy = pool.Closed, time.Time{}, time.Time{}
			l.end(now, pool.Done, "")
		}
	}
}

// revive brings an expired turn back when its worker returns and the work still
// wants it: the run was lost to us, not to the worker.
func (l *Life) revive(now time.Time, i int, r pool.Report, p Policy) bool {
	row := &l.Rows[i]
	wanted := l.lacks() > 0 || l.Task != nil && l.wordStands(*row)
	if !l.Work.State.Open() || !wanted || l.ownerTaken(i) {
		return false
	}
	switch r.Says {
	case pool.SaysRunning:
		if !row.Digest.IsZero() || row.Started && !now.Before(row.RunBy) {
			return false // it had its time, or has committed to a result already
		}
		if row.Started {
			row.State, row.Reason = pool.InRun, ""
		} else {
			row.State, row.Reason = pool.Offered, ""
		}
		return true
	case pool.SaysReported, pool.SaysUploading, pool.SaysUploaded:
		if !row.Digest.IsZero() && row.Digest != r.Digest {
			return false // it committed to another result before
		}
		row.State, row.Reason = pool.Offered, ""
		return true
	}
	return false
}

// ownerTaken tells that another turn counts as the owner's one turn.
func (l *Life) ownerTaken(i int) bool {
	return l.Work.Trust > 1 && slices.ContainsFunc(l.Rows, func(row Row) bool {
		return row.Worker != l.Rows[i].Worker && row.Owner == l.Rows[i].Owner && row.HoldsOwner()
	})
}

// Expire ends what is over by the given time: the work by its deadline, offers
// and uploads not begun, runs and uploads too long, turns of lost workers.
func (l *Life) Expire(now time.Time, seed uint64, p Policy) {
	if l.Work.State.Ended() {
		return
	}
	if l.Task == nil && !now.Before(l.Work.Deadline) {
		l.end(now, pool.Failed, "deadline: not finished in time"+l.reasons())
		return
	}
	for i := range l.Rows {
		row := &l.Rows[i]
		if over, why := Over(now, *row); over {
			row.State, row.Reason = pool.Expired, why
		}
	}
	l.settle(now, seed, p)
}

// Cancel ends the work on its requester's word; an ended work stays as it is.
func (l *Life) Cancel(now time.Time) {
	if !l.Work.State.Ended() {
		l.end(now, pool.Cancelled, "")
	}
}

// Wanted gives how many more assignments may be made now.
func (l *Life) Wanted(p Policy) int {
	if l.Task != nil && l.failures() >= p.MaxFailures {
		return 0 // it cannot be ended by us: it waits for the chain to let it be claimed
	}
	return max(0, min(l.lacks(), p.MaxRuns-l.runs()))
}

// runs counts the runs that began and those that open offers may become. What was
// refused or never started is no run, or a few unwilling workers could use up
// every work's tries.
func (l *Life) runs() int {
	n := 0
	for _, row := range l.Rows {
		if row.Started || row.State.Open() {
			n++
		}
	}
	return n
}

// lacks gives how many more results consensus needs beyond those to come from
// open assignments.
func (l *Life) lacks() int {
	if !l.Work.State.Open() {
		return 0
	}
	if l.Task != nil {
		return l.lacksOfDeal()
	}
	open := 0
	tally := consensus.New()
	for _, row := range l.Rows {
		switch {
		case row.State.Open():
			open++
		case row.State == pool.Reported:
			tally.Add(row.Digest, consensus.APIWeight)
		}
	}
	switch {
	case l.Work.Digest.IsZero():
		return tally.Wanted(l.Work.Trust, open, consensus.APIWeight)
	case open == 0:
		return 1 // agreed upon before, its bytes lost: one worker has to make them again
	}
	return 0
}

// settle draws the consequences of changed rows.
func (l *Life) settle(now time.Time, seed uint64, p Policy) {
	if l.Task != nil {
		l.settleDeal(now, seed, p)
		return
	}
	if l.Work.State.Open() {
		l.agree(now)
	}
	if l.Work.State == pool.Agreed {
		l.appoint(now, seed, p)
	}
	if !l.Work.State.Open() {
		return
	}
	l.fail(now, p)
	if l.Work.State.Open() {
		l.Work.State = pool.Waiting
		// What is reported is on its way to a consensus, unless there was one: then
		// only a new run brings the work on.
		if slices.ContainsFunc(l.Rows, func(row Row) bool {
			return row.State.Open() || row.State == pool.Reported && l.Work.Digest.IsZero()
		}) {
			l.Work.State = pool.Running
		}
	}
}

// agree sees whether the reported digests make a consensus, or whether the
// digest that was agreed upon before has been made again.
func (l *Life) agree(now time.Time) {
	fresh := l.Work.Digest.IsZero()
	if fresh {
		tally := consensus.New()
		for _, row := range l.Rows {
			if row.State == pool.Reported {
				tally.Add(row.Digest, consensus.APIWeight)
			}
		}
		winner, ok := tally.Winner(l.Work.Trust)
		if !ok {
			return
		}
		l.Work.Digest = winner
	}
	found := false
	for i := range l.Rows {
		row := &l.Rows[i]
		if row.State == pool.Reported && row.Digest != l.Work.Digest {
			row.State, row.Reason = pool.Closed, "another result was agreed upon"
		}
		found = found || row.State == pool.Reported && (fresh || now.Before(row.Until))
	}
	if !found {
		return
	}
	l.Work.State = pool.Agreed
	for i := range l.Rows {
		if row := &l.Rows[i]; row.State.Open() {
			row.State, row.Reason = pool.Superseded, "agreed upon without it"
		}
	}
}

// appoint sees that one live agreeing worker is bringing the bytes; when none is
// left the work waits again, its digest kept.
func (l *Life) appoint(now time.Time, seed uint64, p Policy) {
	if slices.ContainsFunc(l.Rows, func(row Row) bool { return row.State == pool.Uploading }) {
		return
	}
	var able []int
	for i, row := range l.Rows {
		if row.State == pool.Reported && now.Before(row.Until) {
			able = append(able, i)
		}
	}
	if len(able) == 0 {
		l.Work.State = pool.Waiting
		if l.agreeing() < 2 {
			l.Work.Digest = pool.Digest{} // one alone agrees with nobody: it must not bind others
		}
		return
	}
	draw := rand.New(rand.NewPCG(seed, uint64(l.Work.ID)))
	row := &l.Rows[able[draw.IntN(len(able))]]
	row.State, row.StartBy, row.RunBy = pool.Uploading, now.Add(time.Duration(p.StartIntervals)*row.Interval), time.Time{}
	l.Work.Size = row.Size
}

// agreeing counts the workers that reported the agreed digest, wherever they are.
func (l *Life) agreeing() int {
	n := 0
	for _, row := range l.Rows {
		if row.Digest == l.Work.Digest {
			n++
		}
	}
	return n
}

// fail ends a work that had its tries.
func (l *Life) fail(now time.Time, p Policy) {
	held := slices.ContainsFunc(l.Rows, func(row Row) bool { return row.State.Open() })
	switch {
	case l.failures() >= p.MaxFailures:
		l.end(now, pool.Failed, "too many failed runs"+l.reasons())
	case l.runs() >= p.MaxRuns && !held:
		l.end(now, pool.Failed, "too many runs without a result"+l.reasons())
	}
}

// failures counts the runs that came to nothing.
func (l *Life) failures() int {
	n := 0
	for _, row := range l.Rows {
		if row.State == pool.Broken && row.Digest.IsZero() {
			n++
		}
	}
	return n
}

// end ends the work and what its workers still hold.
func (l *Life) end(now time.Time, state pool.WorkState, reason string) {
	l.Work.State, l.Work.Ended, l.Work.Reason = state, now, clip(reason)
	for i := range l.Rows {
		row := &l.Rows[i]
		switch {
		case row.State == pool.Reported && state == pool.Done, row.State == pool.HasContributed, row.State == pool.HasRevealed:
			row.State = pool.Closed
		case row.State.Held():
			row.State, row.Reason = pool.Superseded, "the work has ended"
		}
	}
}

// reasons tells the distinct reasons of the tries that came to nothing.
func (l *Life) reasons() string {
	var said []string
	for _, row := range l.Rows {
		if (row.State == pool.Broken || row.State == pool.Expired || row.State == pool.Refused) && row.Reason != "" && !slices.Contains(said, row.Reason) {
			said = append(said, row.Reason)
		}
	}
	if len(said) == 0 {
		return ""
	}
	return ": " + strings.Join(said, "; ")
}

const maxReason = 1_000 // bytes of a stored reason

func clip(text string) string {
	if len(text) > maxReason {
		return strings.ToValidUTF8(text[:maxReason], "")
	}
	return text
}
