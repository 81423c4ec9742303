//go:build linux

// Package turns carries out assignments: it fetches inputs, runs the program,
// packs the result and brings it away, as the pool's instructions say. It owns
// the life of an assignment on this machine and what is reported of it; it must
// not decide when to call the pool.
package turns

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"time"

	"workerpool/cmd/worker/container"
	"workerpool/cmd/worker/executor"
	"workerpool/cmd/worker/ledger"
	"workerpool/shared/pool"
	"workerpool/shared/wire"
)

// Files moves bytes; *client.Client does.
type Files interface {
	Download(ctx context.Context, url string, dst io.Writer, sha256 string, size int64) error
	Upload(ctx context.Context, link wire.Link, content io.Reader, size int64) error
}

// Containers runs images; *container.Engine does.
type Containers interface {
	Refusal(ctx context.Context, image string) string // why it would not be run now; "" = it would
	Run(ctx context.Context, s container.Spec) (executor.Outcome, error)
	Sweep(ctx context.Context) (int, error) // ends what no Run has
}

// Program is one that the owner allows. Args come before the work's own.
type Program struct {
	Path string
	Args []string
}

// Config is what a Keeper needs. All of it is required but Containers and Chain.
type Config struct {
	Ledger     *ledger.Ledger
	Files      Files
	Outside    Outside
	Mark       string // what the processes of all runs are known by
	Programs   map[string]Program
	Containers Containers // nil = no images are run
	Chain      Chain      // nil = no works of deals are taken
	EnvAllow   []string   // variables that a work may set for a program: a name, or its beginning and an asterisk
	Apps       pool.Rules // applications taken, by name or image as the work names it
	Requesters pool.Rules // requesters computed for, by login
	Slots      int
	MaxRun     time.Duration         // 0 = any
	CPU        int                   // processors one container may use
	Memory     int64                 // bytes one run may use
	Scratch    func() (int64, error) // bytes of disk one run may use that begins now
	MaxOutput  int64                 // bytes of a result
	MinFree    int64                 // bytes of disk below which no offer is taken
	Now        func() time.Time
	Pause      func(ctx context.Context, d time.Duration) error // between tries of moving bytes
	Free       func() (int64, error)                            // bytes of disk
	Log        *slog.Logger
}

// Keeper keeps all assignments of the worker. It is safe for concurrent use.
type Keeper struct {
	Config
	changed chan struct{}
	ctx     context.Context
	cancel  context.CancelFunc

	mu      sync.Mutex
	turns   map[int64]*turn // by work
	active  int             // goroutines at work
	closing bool
	settled chan struct{} // closed when closing and nothing is active
}

// turn is one assignment. Its fields are guarded by Keeper.mu, but for entry.Run
// and the ids, which never change.
type turn struct {
	entry     ledger.Entry
	refused   string // why the offer is not taken; "" = it is
	weighing  bool   // of a deal: nothing is promised yet
	saying    bool   // of a deal: a contribution or reveal is on its way to the chain
	uploading bool
	link      wire.Link     // the newest
	checking  bool          // of a deal: another's archive is looked at
	checked   wire.Download // the newest link to it
	ctx       context.Context
	cancel    context.CancelFunc
	working   sync.WaitGroup
}

// maxHeld is how many assignments are held before offers are refused: a
// heartbeat has room for 1,000 reports.
const maxHeld = 900

// callbackRoom is how much of a heartbeat, of at most 5 MiB, may tell what results
// are called back with. What has no room is told when the pool has taken others.
const callbackRoom = 4 << 20

// New makes a Keeper without assignments.
func New(c Config) *Keeper {
	k := &Keeper{
		Config: c, changed: make(chan struct{}, 1), turns: map[int64]*turn{}, settled: make(chan struct{}),
	}
	k.ctx, k.cancel = context.WithCancel(context.Background())
	return k
}

// Recover kills what earlier runs left behind and takes up the assignments in the
// ledger: runs begin again if there is time left, results are kept.
func (k *Keeper) Recover() error {
	killed, err := executor.Sweep(k.Mark + ".")
	if err != nil {
		return fmt.Errorf("killing what earlier runs left behind: %w", err)
	}
	if killed > 0 {
		k.Log.Warn("killed what earlier runs left behind", "processes", killed)
	}
	k.sweepContainers()
	entries, faults, err := k.Ledger.Entries()
	if err != nil {
		return err
	}
	for _, fault := range faults {
		k.Log.Error("an assignment is lost", "error", fault)
	}
	slices.SortFunc(entries, func(a, b ledger.Entry) int {
		return cmp.Or(cmp.Compare(a.Work, b.Work), cmp.Compare(a.Attempt, b.Attempt))
	})
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, e := range entries {
		if older := k.turns[e.Work]; older != nil {
			k.end(older)
		}
		t := k.add(e)
		k.Log.Info("assignment taken up again", "work", e.Work, "attempt", e.Attempt, "state", e.State)
		switch {
		case e.State == ledger.Running && t.begins():
			k.spawn(t, k.compute)
		case e.State == ledger.Reported && !k.intact(e):
			k.fail(t, "the result was lost from the worker's disk")
		}
	}
	return nil
}

// sweepPatience is how long a start waits for the containers' engine.
const sweepPatience = 30 * time.Second

// sweepContainers ends the containers that earlier runs left behind. The start does
// not depend on it: without the engine no image is run, and it is done when it is
// back.
func (k *Keeper) sweepContainers() {
	if k.Containers == nil {
		return
	}
	ctx, cancel := context.WithTimeout(k.ctx, sweepPatience)
	defer cancel()
	switch removed, err := k.Containers.Sweep(ctx); {
	case err != nil:
		k.Log.Warn("containers that earlier runs left behind are not known yet", "error", err)
	case removed > 0:
		k.Log.Warn("removed what earlier runs left behind", "containers", removed)
	}
}

// Changed tells that there is something new to report.
func (k *Keeper) Changed() <-chan struct{} { return k.changed }

func (k *Keeper) notify() {
	select {
	case k.changed <- struct{}{}:
	default:
	}
}

// Reports says where every assignment stands, by work.
func (k *Keeper) Reports() []wire.Report {
	k.mu.Lock()
	defer k.mu.Unlock()
	reports := make([]wire.Report, 0, len(k.turns))
	for _, t := range k.turns {
		if t.weighing {
			continue
		}
		e := t.entry
		r := wire.Report{
			Work: e.Work, Attempt: e.Attempt, State: string(e.State), SHA256: e.SHA256, Size: e.Size, Reason: e.Reason,
		}
		if e.Deal != nil {
			r.Digest = e.Deal.Digest
		}
		switch {
		case t.refused != "":
			r.State, r.Reason = string(pool.SaysRefused), t.refused
		case t.uploading:
			r.State = string(pool.SaysUploading)
		case e.Deal != nil && e.State.Brings() && (t.checking || e.Deal.Found != ""):
			r.State, r.Checks = cmp.Or(e.Deal.Found, string(pool.SaysChecking)), e.Deal.Checks
		case e.State == ledger.Failed:
			r.SHA256, r.Size, r.Digest = "", 0, ""
		case e.State == ledger.Uploaded && e.Deal != nil:
			r.Callback = e.Deal.Callback
		}
		reports = append(reports, r)
	}
	slices.SortFunc(reports, func(a, b wire.Report) int { return cmp.Compare(a.Work, b.Work) })
	room := callbackRoom
	for i := range reports {
		if room -= len(reports[i].Callback); room < 0 {
			reports[i].Callback = ""
		}
	}
	return reports
}

// Obey carries out instructions. It returns without waiting for runs and uploads.
func (k *Keeper) Obey(instructions []wire.Instruction) {
	unready := k.unready(instructions)
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, in := range instructions {
		t := k.turns[in.Work]
		known := t != nil && t.entry.Attempt == in.Attempt
		if known && in.Authorisation != "" {
			k.authorise(t, in.Authorisation)
		}
		switch in.Do {
		case wire.DoStart:
			k.start(t, in, unready[in.Work])
		case wire.DoContribute, wire.DoReveal:
			if known {
				k.say(t, in.Do)
			}
		case wire.DoUpload:
			if known && in.Upload != nil && t.refused == "" && t.entry.State.Brings() {
				k.upload(t, *in.Upload)
			}
		case wire.DoCheck:
			if known && in.Check != nil && t.refused == "" {
				k.check(t, *in.Check)
			}
		case wire.DoStop:
			if known {
				k.Log.Info("assignment ended by the pool", "work", in.Work, "attempt", in.Attempt)
				k.end(t)
			}
		case wire.DoContinue, wire.DoHold:
		default:
			k.Log.Warn("instruction not understood", "work", in.Work, "attempt", in.Attempt, "do", in.Do)
		}
	}
}

func (k *Keeper) add(e ledger.Entry) *turn {
	t := &turn{entry: e}
	t.ctx, t.cancel = context.WithCancel(k.ctx)
	k.turns[e.Work] = t
	return t
}

// end kills whatever goes on for an assignment and forgets it.
func (k *Keeper) end(t *turn) {
	delete(k.turns, t.entry.Work)
	t.cancel()
	if t.refused != "" {
		return
	}
	k.active++
	go func() {
		defer k.left()
		t.working.Wait()
		if err := k.Ledger.Drop(t.entry.Work, t.entry.Attempt); err != nil {
			k.Log.Error("assignment not deleted", "work", t.entry.Work, "attempt", t.entry.Attempt, "error", err)
		}
	}()
}

// spawn does one thing for an assignment beside the others.
func (k *Keeper) spawn(t *turn, do func(*turn)) {
	k.active++
	t.working.Add(1)
	go func() {
		defer k.left()
		defer t.working.Done()
		do(t)
	}()
}

func (k *Keeper) left() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.active--
	k.settle()
}

func (k *Keeper) settle() {
	if !k.closing || k.active > 0 {
		return
	}
	select {
	case <-k.settled:
	default:
		close(k.settled)
	}
}

// Refuse makes the keeper refuse all further offers. The channel closes when no
// run and no upload goes on.
func (k *Keeper) Refuse() <-chan struct{} {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.closing = true
	k.settle()
	return k.settled
}

// Close kills the runs and breaks off the uploads, and waits until all are dead.
// They stay in the ledger, for Recover.
func (k *Keeper) Close() {
	settled := k.Refuse()
	k.cancel()
	<-settled
}

// finish stores the end of a run or upload and makes it known.
func (k *Keeper) finish(t *turn, change func(*ledger.Entry)) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if t.ctx.Err() != nil {
		return // ended or closing meanwhile
	}
	t.uploading, t.checking = false, false
	change(&t.entry)
	k.save(t)
	k.notify()
}

// save stores what is known; when it cannot be, a restart repeats the last step.
func (k *Keeper) save(t *turn) {
	if err := k.Ledger.Save(t.entry); err != nil {
		k.Log.Error("assignment not stored", "work", t.entry.Work, "attempt", t.entry.Attempt, "error", err)
	}
}

// giveBack refuses an assignment that was taken, when the worker turns out to be
// unable to do its part. Keeper.mu is held.
func (k *Keeper) giveBack(t *turn, reason string) {
	t.refused = short(reason)
	k.Log.Warn("assignment given back", "work", t.entry.Work, "attempt", t.entry.Attempt, "reason", t.refused)
	if err := k.Ledger.Drop(t.entry.Work, t.entry.Attempt); err != nil {
		k.Log.Error("assignment not deleted", "work", t.entry.Work, "attempt", t.entry.Attempt, "error", err)
	}
	k.notify()
}

// fail ends an assignment that came to nothing. Keeper.mu is held.
func (k *Keeper) fail(t *turn, reason string) {
	t.entry.State, t.entry.Reason = ledger.Failed, short(reason)
	k.Log.Warn("assignment failed", "work", t.entry.Work, "attempt", t.entry.Attempt, "reason", t.entry.Reason)
	k.save(t)
	k.notify()
}

// errStopped is an end that the pool or the owner wanted.
var errStopped = errors.New("stopped")
