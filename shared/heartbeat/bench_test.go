package heartbeat_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"workerpool/shared/pool"
	"workerpool/shared/pooltest"
	"workerpool/shared/wire"
)

func TestMain(m *testing.M) { pooltest.Main(m) }

// bench is a World with a requester and an account that many owners share.
type bench struct {
	*pooltest.World
	*testing.T
	ann   pooltest.Someone
	op    pooltest.Someone
	crowd pooltest.Someone
}

func newBench(t *testing.T) bench {
	t.Helper()
	w := pooltest.New(t)
	t.Cleanup(w.Check)
	return bench{World: w, T: t, ann: w.Account(pool.RoleRequester, "ann"), op: w.Account(pool.RoleOperator, "op"), crowd: w.SharedAccount("crowd")}
}

// submit gives the one work of a new batch.
func (b bench) submit(trust int) int64 {
	b.Helper()
	return b.Submit(b.ann, 1, trust).FirstWork
}

// workers registers some with one slot each.
func (b bench) workers(names ...string) []pooltest.Worker {
	b.Helper()
	var out []pooltest.Worker
	for _, name := range names {
		out = append(out, b.Worker(b.crowd, name, 1))
	}
	return out
}

// about gives the instruction about a work: its order and attempt, as "start 1",
// or "" when there is none. Several are joined.
func about(beat wire.Beat, work int64) string {
	var out []string
	for _, i := range beat.Instructions {
		if i.Work == work {
			out = append(out, fmt.Sprint(i.Do, " ", i.Attempt))
		}
	}
	return strings.Join(out, ", ")
}

// expect holds what a beat says about a work to what it should.
func (b bench) expect(beat wire.Beat, work int64, want string) {
	b.Helper()
	if got := about(beat, work); got != want {
		b.Fatalf("told %q about work %d, want %q", got, work, want)
	}
}

// link gives the link of an upload instruction.
func link(beat wire.Beat, work int64) *wire.Link {
	for _, i := range beat.Instructions {
		if i.Work == work && i.Upload != nil {
			return i.Upload
		}
	}
	return nil
}

// state gives a work's state, and its turns by worker.
func (b bench) state(work int64) (pool.WorkState, map[int64]pool.AssignmentState) {
	b.Helper()
	w, turns := b.Work(work)
	states := map[int64]pool.AssignmentState{}
	for _, a := range turns {
		states[int64(a.Worker)] = a.State
	}
	return w.State, states
}

func (b bench) expectState(work int64, want pool.WorkState) {
	b.Helper()
	if got, turns := b.state(work); got != want {
		b.Fatalf("work %d is %s with %v, want %s", work, got, turns, want)
	}
}

// expectWanted holds how many more workers an open work waits for.
func (b bench) expectWanted(work int64, want int) {
	b.Helper()
	state, turns := b.state(work)
	if got := b.Books.Count(b.T, "SELECT COALESCE(SUM(missing), 0) FROM ready WHERE work_id = ?", work); got != want || !state.Open() {
		b.Fatalf("work %d is %s with %v and waits for %d more, want %d", work, state, turns, got, want)
	}
}

// offered dispatches and gives those of the workers that are now to start the work.
func (b bench) offered(work int64, workers []pooltest.Worker) []pooltest.Worker {
	b.Helper()
	b.Dispatch()
	_, turns := b.state(work)
	var out []pooltest.Worker
	for _, w := range workers {
		if turns[w.ID] == pool.Offered {
			out = append(out, w)
		}
	}
	return out
}

// run lets a worker start an offered work and report a result.
func (b bench) run(worker pooltest.Worker, work int64, result string) wire.Beat {
	b.Helper()
	attempt := b.attempt(worker, work)
	b.Beat(worker, pooltest.Says(work, attempt, "running", ""))
	return b.Beat(worker, pooltest.Says(work, attempt, "reported", result))
}

func (b bench) attempt(worker pooltest.Worker, work int64) int {
	b.Helper()
	_, turns := b.Work(work)
	i := slices.IndexFunc(turns, func(a pool.Assignment) bool { return int64(a.Worker) == worker.ID })
	if i < 0 {
		b.Fatalf("worker %d has no turn at work %d", worker.ID, work)
	}
	return turns[i].Attempt
}

// deliver lets a worker that is to upload do so.
func (b bench) deliver(worker pooltest.Worker, work int64, result string) {
	b.Helper()
	attempt := b.attempt(worker, work)
	beat := b.Beat(worker, pooltest.Says(work, attempt, "uploading", result))
	b.expect(beat, work, fmt.Sprint("upload ", attempt))
	if status := b.Upload(link(beat, work), result); status >= 300 {
		b.Fatalf("upload: status %d", status)
	}
	b.Beat(worker, pooltest.Says(work, attempt, "uploaded", result))
	b.expectState(work, pool.Done)
}

// told gives the kinds of events of a work, in order.
func (b bench) told(work int64) string {
	b.Helper()
	var out string
	if err := b.Books.SQL.QueryRow("SELECT COALESCE(GROUP_CONCAT(kind ORDER BY id SEPARATOR ' '), '') FROM event WHERE work_id = ?", work).Scan(&out); err != nil {
		b.Fatal(err)
	}
	return out
}
