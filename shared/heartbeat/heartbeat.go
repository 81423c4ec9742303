// Package heartbeat is the flow of a worker's call: registering once, and then
// reporting and being instructed. It must not assign works; it rings where the
// dispatcher could.
package heartbeat

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"workerpool/shared/life"
	"workerpool/shared/placement"
	"workerpool/shared/pool"
	"workerpool/shared/telemetry"
)

// Books is what a heartbeat reads and writes.
type Books interface {
	Register(ctx context.Context, n pool.NewWorker, t pool.Trace) (pool.WorkerID, error)
	Hear(ctx context.Context, account pool.AccountID, worker pool.WorkerID) (pool.Hearing, error)
	Settle(ctx context.Context, ids []pool.WorkID, renew *pool.Renewal, t pool.Trace, decide func(now time.Time, lives []life.Life)) ([]life.Life, error)
	Renew(ctx context.Context, r pool.Renewal) error
}

// Files makes links and sees whether an object is there.
type Files interface {
	PresignPost(ctx context.Context, u pool.Upload) (pool.Link, error)
	PresignGet(ctx context.Context, key, filename string) (pool.Link, error)
	Head(ctx context.Context, key string) (pool.Object, bool, error)
}

// Bell rings the dispatcher, at most once a second.
type Bell interface {
	RingSoon(ctx context.Context) error
}

// Tokens makes a worker's token.
type Tokens interface {
	Issue(ctx context.Context, caller pool.Caller) (string, error)
}

// Config is what Heartbeat needs.
type Config struct {
	Books   Books
	Files   Files
	Bell    Bell
	Tokens  Tokens
	Meter   *telemetry.Meter
	Seed    func() uint64                                             // from the system's random source
	Busy    time.Duration                                             // between heartbeats while works wait for the worker or it has some
	Idle    time.Duration                                             // between heartbeats otherwise
	Budget  int                                                       // heartbeats a second of all workers together, 1 or more
	MaxFile int64                                                     // bytes of one result
	Pool    string                                                    // name of the pool, in what wallets sign
	Deals   bool                                                      // the pool serves deals: workers may have wallets
	Recover func(text string, signature []byte) (pool.Address, error) // who signed a text (personal_sign)
	Keccak  func(parts ...[]byte) pool.Hash                           // the chain's hash (keccak256)
}

// Heartbeat hears workers.
type Heartbeat struct{ Config }

// New makes a Heartbeat.
func New(c Config) *Heartbeat { return &Heartbeat{c} }

// A lease lasts four intervals and is written again when less than two and a
// half remain, so about every second heartbeat writes nothing.
const (
	leaseIntervals = 4
	renewBelow     = 2.5
)

// Call is one heartbeat.
type Call struct {
	Account      pool.AccountID
	Worker       pool.WorkerID
	Slots        int                // 0 = as before
	Capabilities *pool.Capabilities // nil = as before
	Reports      []pool.Report
	Trace        pool.Trace
}

// Reply is its answer.
type Reply struct {
	State        pool.WorkerState
	Interval     time.Duration
	Instructions []placement.Instruction
	Rows         map[pool.WorkID]pool.Assignment // of the instructed assignments
	Offers       map[pool.WorkID]pool.Offering   // of those to be started
	Turns        map[pool.WorkID]pool.ChainTurn  // of those at works of deals
}

// Beat takes the reports and derives the instructions. It may be called again
// with the same reports at any time: what was taken before changes nothing.
// Without reports that matter and with a fresh lease it writes nothing.
func (h *Heartbeat) Beat(ctx context.Context, c Call) (Reply, error) {
	heard, err := h.Books.Hear(ctx, c.Account, c.Worker)
	if err != nil {
		return Reply{}, err
	}
	if heard.Worker.State == pool.Inactive {
		return Reply{
			State: pool.Inactive, Interval: h.interval(h.Idle, heard), Instructions: placement.Instruct(nil, nil, c.Reports),
		}, nil
	}
	// A worker whose rules shut out every requester that waits is called for in
	// vain: whose works wait is read by dispatch only.
	waiting := slices.ContainsFunc(heard.Ready, func(d pool.Demands) bool { return placement.Meets(heard.Worker.Capabilities, d) })
	base := h.Idle
	if waiting && room(heard, heard.Rows) || slices.ContainsFunc(heard.Rows, func(a pool.Assignment) bool { return a.State.Held() }) {
		base = h.Busy
	}
	interval := h.interval(base, heard)
	renewal := renewal(heard, c, interval)
	known := map[pool.WorkID]pool.Assignment{}
	for _, row := range heard.Rows {
		known[row.Work] = row
	}
	matter := slices.DeleteFunc(slices.Clone(c.Reports), func(r pool.Report) bool {
		row, ok := known[r.Work]
		return !ok || !life.Matters(row, r, heard.Kept[r.Work])
	})
	rows := heard.Rows
	switch {
	case len(matter) > 0:
		if rows, waiting, err = h.take(ctx, c, known, matter, renewal, waiting); err != nil {
			return Reply{}, err
		}
	case renewal != nil:
		if err := h.Books.Renew(ctx, *renewal); err != nil {
			return Reply{}, err
		}
	}
	if waiting && room(heard, rows) {
		h.ring(ctx)
	}
	reply := Reply{
		State: heard.Worker.State, Interval: interval, Instructions: placement.Instruct(rows, heard.Turns, c.Reports),
		Rows: map[pool.WorkID]pool.Assignment{}, Offers: heard.Specs, Turns: heard.Turns,
	}
	for _, row := range rows {
		reply.Rows[row.Work] = row
	}
	return reply, nil
}

// The bounds of every interval, in seconds.
const (
	intervalLeast = 1
	intervalMost  = 60
)

// interval gives the time to the next heartbeat: the base, or as long as all live
// workers together stay within the budget. An interval told before that is up to
// a quarter longer than the budget asks for stands, so that a worker that comes
// or goes is no reason to write every lease anew.
func (h *Heartbeat) interval(base time.Duration, heard pool.Hearing) time.Duration {
	whole := time.Duration((heard.Live+h.Budget-1)/h.Budget) * time.Second
	wanted := min(max(base, whole, intervalLeast*time.Second), intervalMost*time.Second)
	if told := heard.Worker.Interval; wanted > base && told > wanted && told <= min(wanted+wanted/4, intervalMost*time.Second) {
		return told
	}
	return wanted
}

// room tells whether a worker with these rows could be given a work: it and the
// pool are active, and it has a free slot.
func room(heard pool.Hearing, rows []pool.Assignment) bool {
	w := heard.Worker
	w.Open = open(rows)
	return heard.State == pool.PoolActive && w.State == pool.Active && w.Free() > 0
}

// renewal gives what is to be written of the worker; nil when nothing is.
func renewal(heard pool.Hearing, c Call, interval time.Duration) *pool.Renewal {
	left := heard.Worker.Until.Sub(heard.Now)
	fresh := left >= time.Duration(renewBelow*float64(interval)) && heard.Worker.Interval == interval
	if fresh && c.Slots == 0 && c.Capabilities == nil {
		return nil
	}
	return &pool.Renewal{
		Worker: c.Worker, Seen: heard.Worker.Until, Lease: leaseIntervals * interval, Interval: interval, Slots: c.Slots, Capabilities: c.Capabilities,
	}
}

// take settles the works that the reports are about, all in one transaction with
// the lease, and gives the worker's rows as they are then.
func (h *Heartbeat) take(ctx context.Context, c Call, known map[pool.WorkID]pool.Assignment, reports []pool.Report, renewal *pool.Renewal, waiting bool) ([]pool.Assignment, bool, error) {
	stored := h.stored(ctx, known, reports)
	byWork := map[pool.WorkID]pool.Report{}
	var ids []pool.WorkID
	for _, r := range reports {
		if r.Callback != "" && h.Keccak([]byte(r.Callback)) != pool.Hash(r.Digest) {
			slog.WarnContext(ctx, "not what the result is to be called back with", telemetry.KeyWork, int64(r.Work), telemetry.KeyWorker, int64(c.Worker))
			r.Callback = "" // as good as not brought
		}
		byWork[r.Work] = r
		ids = append(ids, r.Work)
	}
	seed := h.Seed()
	var before []pool.WorkState
	lives, err := h.Books.Settle(ctx, ids, renewal, c.Trace, func(now time.Time, lives []life.Life) {
		before = before[:0]
		for i := range lives {
			id := lives[i].Work.ID
			before = append(before, lives[i].Work.State)
			lives[i].Report(now, c.Worker, byWork[id], stored[id], seed, life.Defaults)
		}
	})
	if err != nil {
		return nil, waiting, err
	}
	h.count(ctx, len(reports), before, lives)
	var rows []pool.Assignment
	for work, row := range known {
		if _, settled := byWork[work]; !settled {
			rows = append(rows, row)
		}
	}
	for _, l := range lives {
		for _, row := range l.Rows {
			if row.Worker == c.Worker {
				rows = append(rows, row.Assignment)
			}
		}
		waiting = waiting || l.Wanted(life.Defaults) > 0
	}
	return rows, waiting, nil
}

// looks is how many objects are looked for at once, within the door's own time
// limit for each.
const looks = 16

// stored looks for the objects that "uploaded" reports speak of: a work is done
// only when the agreed bytes are there, whatever the worker says. What cannot be
// looked for just now counts as not there: the rest of the heartbeat must not
// wait for the file store, and the worker will say it again.
func (h *Heartbeat) stored(ctx context.Context, known map[pool.WorkID]pool.Assignment, reports []pool.Report) map[pool.WorkID]bool {
	stored := map[pool.WorkID]bool{}
	var mu sync.Mutex
	var all sync.WaitGroup
	places := make(chan struct{}, looks)
	for _, r := range reports {
		row := known[r.Work]
		if r.Says != pool.SaysUploaded || row.State != pool.Uploading {
			continue
		}
		places <- struct{}{}
		all.Go(func() {
			defer func() { <-places }()
			object, found, err := h.Files.Head(ctx, pool.ResultKey(row.Origin(), row.Work, row.Bytes()))
			if err != nil {
				h.record(ctx, telemetry.N(telemetry.DependencyFailures, 1))
			}
			there := err == nil && found && object.Digest == row.Bytes() && object.Size == row.Size
			if !there {
				slog.WarnContext(ctx, "a result said to be uploaded was not seen", telemetry.KeyWork, int64(row.Work),
					telemetry.KeyWorker, int64(row.Worker), telemetry.KeyError, err)
			}
			mu.Lock()
			defer mu.Unlock()
			stored[row.Work] = there
		})
	}
	all.Wait()
	return stored
}

func open(rows []pool.Assignment) int {
	n := 0
	for _, row := range rows {
		if row.State.Open() {
			n++
		}
	}
	return n
}

// ring is best effort: what it would have told, the next tick tells.
func (h *Heartbeat) ring(ctx context.Context) {
	if err := h.Bell.RingSoon(ctx); err != nil {
		slog.WarnContext(ctx, "the dispatcher could not be rung; the next tick will", telemetry.KeyError, err.Error())
		h.record(ctx, telemetry.N(telemetry.RingsFailed, 1))
	}
}

func (h *Heartbeat) count(ctx context.Context, reports int, before []pool.WorkState, lives []life.Life) {
	agreed, done, failed := 0, 0, 0
	for i, l := range lives {
		if l.Work.State == before[i] {
			continue
		}
		switch l.Work.State {
		case pool.Agreed:
			agreed++
		case pool.Done:
			done++
		case pool.Failed:
			failed++
		case pool.Staging, pool.Waiting, pool.Running, pool.Cancelled:
		}
	}
	h.record(ctx, telemetry.N(telemetry.ReportsTaken, reports), telemetry.N(telemetry.RunsAgreed, agreed),
		telemetry.N(telemetry.WorksDone, done), telemetry.N(telemetry.WorksFailed, failed))
}

func (h *Heartbeat) record(ctx context.Context, values ...telemetry.Value) {
	if err := h.Meter.Record(values...); err != nil {
		slog.WarnContext(ctx, "not counted", telemetry.KeyError, err.Error())
	}
}
