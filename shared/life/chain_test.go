package life_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"workerpool/shared/life"
	"workerpool/shared/pool"
)

// TestDealsWhateverTheChainShows draws any views in any order between any reports:
// what the chain shows is what counts.
func TestDealsWhateverTheChainShows(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		d := newDeal(t, rapid.IntRange(0, 6).Draw(r, "trust"), 4)
		d.apart = rapid.Bool().Draw(r, "apart")
		digests := []pool.Digest{right, wrong}
		for range rapid.IntRange(1, 40).Draw(r, "steps") {
			before := life.Life{Work: d.Work, Rows: slices.Clone(d.Rows)}
			worker := pool.WorkerID(rapid.IntRange(1, 4).Draw(r, "worker"))
			digest := rapid.SampledFrom(digests).Draw(r, "digest")
			switch rapid.IntRange(0, 4).Draw(r, "step") {
			case 0:
				says := rapid.SampledFrom([]pool.ReportState{
					pool.SaysRunning, pool.SaysReported, pool.SaysContributed, pool.SaysRevealed, pool.SaysUploading, pool.SaysUploaded,
					pool.SaysChecking, pool.SaysChecked, pool.SaysWrong, pool.SaysFailed, pool.SaysRefused,
				}).Draw(r, "says")
				if says == pool.SaysRunning || says == pool.SaysFailed || says == pool.SaysRefused {
					digest = pool.Digest{}
				}
				d.tell(worker, says, digest)
			case 1:
				d.Task = view(r)
				d.look()
			case 2:
				d.now = d.now.Add(time.Duration(rapid.IntRange(0, 3600).Draw(r, "seconds")) * time.Second)
				d.Head = d.now
				for i := range d.Rows {
					if rapid.Bool().Draw(r, "beats") {
						d.Rows[i].Until = d.now.Add(time.Minute)
					}
				}
				before = life.Life{Work: d.Work, Rows: slices.Clone(d.Rows)}
				d.Expire(d.now, 1, d.p)
			case 3:
				had := d.row(worker).Authorised
				if d.Authorise(worker) && (had || d.row(worker).State != pool.InRun || d.Task.Status != pool.TaskActive) {
					r.Fatalf("authorised %+v at %+v", d.row(worker), d.Task)
				}
			case 4:
				d.look()
				again := life.Life{Work: d.Work, Rows: slices.Clone(d.Rows)}
				if d.look(); !same(again, d.Life) {
					r.Fatalf("a second look changed %+v into %+v", again, d.Life)
				}
			}
			d.checkDeal(r, before)
		}
	})
}

// view draws what a chain may show.
func view(r *rapid.T) *pool.Task {
	t := &pool.Task{ID: pool.Hash{7}, Status: pool.TaskStatus(rapid.IntRange(0, 4).Draw(r, "status"))}
	if t.Status == pool.TaskUnset {
		return t
	}
	for worker := range pool.WorkerID(5) {
		if rapid.Bool().Draw(r, "contributes") {
			digest := rapid.SampledFrom([]pool.Digest{right, wrong}).Draw(r, "digest")
			t.Contributions = append(t.Contributions, pool.Contribution{Wallet: wallet(worker + 1), Status: pool.Contributed, Hash: hash(digest), Weight: 2})
		}
	}
	if t.Status == pool.TaskActive || len(t.Contributions) == 0 {
		return t
	}
	t.Consensus = t.Contributions[0].Hash
	for i := range t.Contributions {
		if c := &t.Contributions[i]; c.Hash == t.Consensus && rapid.Bool().Draw(r, "reveals") {
			c.Status, t.Digest = pool.Proved, pool.Digest{c.Hash[0], c.Hash[1]}
		}
	}
	t.Final = t.Status.Ended() && rapid.Bool().Draw(r, "final")
	return t
}

func (d *deal) checkDeal(r *rapid.T, b life.Life) {
	if b.Work.State.Ended() && !same(b, d.Life) {
		r.Fatal("an ended work changed")
	}
	if d.Work.State.Ended() != (d.Task.Final && (b.Work.State.Ended() || d.Task.Status.Ended())) && d.Work.State.Ended() != b.Work.State.Ended() {
		r.Fatalf("%s with the task %+v", d.Work.State, d.Task)
	}
	uploading, checking := 0, 0
	for i, row := range d.Rows {
		was := b.Rows[i].State
		if row.State != was && !slices.Contains(pool.DealMoves[was], row.State) {
			r.Fatalf("worker %d's turn goes from %s to %s", row.Worker, was, row.State)
		}
		if row.State != pool.Uploading && row.State != pool.Checking {
			continue
		}
		wanted := d.Work.File.IsZero() || d.Work.Vouched == pool.Disputed
		if row.State == pool.Uploading {
			uploading++
		} else {
			checking++
			wanted = row.Checks == d.Work.File && row.File != d.Work.File && !d.Work.File.IsZero() && d.Work.Vouched == pool.NotVouched
		}
		if c, ok := d.Task.Of(row.Wallet); !ok || c.Status != pool.Proved || row.Digest != d.Task.Digest || !wanted {
			r.Fatalf("worker %d is %s %+v of %+v", row.Worker, row.State, row, d.Task)
		}
	}
	if uploading+checking > 1 {
		r.Fatalf("%d uploaders, %d checkers", uploading, checking)
	}
	if d.Work.File.IsZero() && d.Work.Vouched != pool.NotVouched || d.Work.State == pool.Agreed && d.Task.Status == pool.TaskRevealing &&
		b.Work.Vouched == pool.NobodyLeft && b.Work.Digest == d.Work.Digest && b.Work.File != d.Work.File {
		r.Fatalf("%+v after %+v", d.Work, b.Work)
	}
	if n := d.Wanted(d.p); n > 0 && (d.Task.Status > pool.TaskActive || !d.Head.Before(d.Work.ContributeBy()) || d.Work.State.Ended()) {
		r.Fatalf("%d wanted of %+v", n, d.Task)
	}
}
