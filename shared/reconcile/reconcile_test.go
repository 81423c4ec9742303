package reconcile_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"workerpool/shared/pool"
	"workerpool/shared/pooltest"
	"workerpool/shared/wire"
)

func TestMain(m *testing.M) { pooltest.Main(m) }

type bench struct {
	*pooltest.World
	*testing.T
	ann pooltest.Someone
	one pooltest.Worker
}

func newBench(t *testing.T) bench {
	t.Helper()
	w := pooltest.New(t)
	t.Cleanup(w.Check)
	return bench{World: w, T: t, ann: w.Account(pool.RoleRequester, "ann"), one: w.Worker(w.SharedAccount("crowd"), "one", pool.MaxSlots)}
}

// ended leaves behind works that ended while a worker ran them, and one that lives.
func (b bench) ended(n int) {
	b.Helper()
	batch := b.Submit(b.ann, n+1, 0)
	b.Dispatch()
	for work := batch.FirstWork; work < batch.LastWork; work++ {
		b.Call(b.ann.Token, "DELETE", fmt.Sprint("/works/", work), nil).Into(b.World, &wire.Cancelled{})
	}
}

func (b bench) rows() (live, past int) {
	b.Helper()
	return b.Books.Count(b.T, "SELECT COUNT(*) FROM assignment"), b.Books.Count(b.T, "SELECT COUNT(*) FROM past_assignment")
}

// A tick rings once and tidies up; another rings and finds it tidy.
func TestTick(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.ended(7)
	b.Rings()
	for range 2 {
		b.Tick()
		if live, past := b.rows(); live != 1 || past != 7 {
			t.Errorf("%d turns live and %d past, want 1 and 7", live, past)
		}
		if rings := b.Rings(); rings != 1 {
			t.Errorf("%d rings", rings)
		}
	}
}

// One tick tidies up after more works than one transaction takes.
func TestTickAfterMany(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	crowd := b.SharedAccount("more")
	for i := range 2 {
		b.Worker(crowd, fmt.Sprint("w", i), pool.MaxSlots)
	}
	s := pooltest.Submission(700, 0)
	s.Template.DeadlineS = 50
	b.Call(b.ann.Token, "POST", "/works", s).Into(b.World, &wire.Accepted{})
	b.Dispatch()
	b.Advance(51 * time.Second)
	b.Dispatch()
	if live, _ := b.rows(); live != 700 {
		t.Fatalf("%d turns", live)
	}
	b.Tick()
	if live, past := b.rows(); live != 0 || past != 700 {
		t.Errorf("%d turns live and %d past, want 700 past", live, past)
	}
}

// What dispatch saw is forgotten after 7 days, and beyond the newest 20,000: the
// oldest first, so many a tick.
func TestTickForgetsDraws(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	draws := func(n, days, from int) {
		t.Helper()
		b.Books.Exec(t, `INSERT INTO draw (id, at, seed, snapshot) SELECT j.n + ?, UTC_TIMESTAMP(6) - INTERVAL ? DAY + INTERVAL 1 MINUTE, 1, 'x'
			FROM JSON_TABLE(?, '$[*]' COLUMNS (n FOR ORDINALITY)) j`, from, days, "["+strings.Repeat("1,", n-1)+"1]")
	}
	for _, c := range []struct{ n, days, from int }{{10_150, 8, 0}, {30, 7, 10_150}, {20, 0, 110_000}} {
		draws(c.n, c.days, c.from)
	}
	for tick, want := range []int{200, 20, 20} { // 10,000 a tick; then the 150 left and those 20,000 ids back
		b.Tick()
		if n := b.Books.Count(t, "SELECT COUNT(*) FROM draw"); n != want {
			t.Errorf("%d draws after tick %d, want %d", n, tick+1, want)
		}
	}
	draws(10, 7, 120_000)
	draws(5, 8, 120_010)
	b.Tick()
	if n := b.Books.Count(t, "SELECT COUNT(*) FROM draw"); n != 30 {
		t.Errorf("%d draws, want those younger than 7 days", n)
	}
}

// Ticks that come at once move each row once.
func TestTicksAtOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.ended(30)
	var all sync.WaitGroup
	for range 5 {
		all.Go(func() {
			if err := b.TryTick(); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if live, past := b.rows(); live != 1 || past != 30 {
		t.Errorf("%d turns live and %d past, want 1 and 30", live, past)
	}
}

// A bell that is away does not keep a tick from tidying up, but the tick says so;
// books that are away do not keep it from ringing.
func TestTickInDoubt(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, done := range []bool{false, true} {
		b.ended(3)
		b.Rings()
		b.Bell.Fail("SendMessage", done)
		if err := b.TryTick(); pool.KindOf(err) != pool.Unavailable {
			t.Errorf("done %v: %v", done, err)
		}
		if n := b.Books.Count(t, "SELECT COUNT(*) FROM assignment a JOIN work w ON w.id = a.work_id WHERE w.ended_at IS NOT NULL"); n != 0 {
			t.Errorf("done %v: %d rows of ended works are left", done, n)
		}
		if rings := b.Rings(); (rings == 1) != done {
			t.Errorf("done %v: %d rings", done, rings)
		}
	}
	b.ended(3)
	b.Wire.Reset()
	b.Tick()
	trips := b.Wire.Trips()
	for trip := 1; trip <= trips; trip++ {
		for after, cut := range map[bool]func(int){false: b.Wire.CutBefore, true: b.Wire.CutAfter} {
			b.ended(3)
			b.Rings()
			cut(trip)
			err := b.TryTick()
			b.Wire.Reset()
			if pool.KindOf(err) != pool.Unavailable || b.Rings() != 1 {
				t.Errorf("trip %d, after %v: %v", trip, after, err)
			}
			b.Check()
			b.Tick()
			if _, past := b.rows(); past != b.Books.Count(t, "SELECT COUNT(*) FROM event WHERE kind = 'work.cancelled'") {
				t.Errorf("trip %d, after %v: %d rows are past", trip, after, past)
			}
		}
	}
}

// With nobody calling, the tick's ring alone ends what is over.
func TestNobodyCalls(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	work := b.Submit(b.ann, 1, 0).FirstWork
	b.Dispatch()
	b.Beat(b.one, pooltest.Says(work, 1, "running", ""))
	b.Rings()
	b.Advance(8 * 24 * time.Hour)
	b.Tick()
	for range b.Rings() {
		b.Dispatch()
	}
	if now, _ := b.Work(work); now.State != pool.Failed {
		t.Errorf("%s after its deadline", now.State)
	}
	b.Tick()
	if live, past := b.rows(); live != 0 || past != 1 {
		t.Errorf("%d turns live and %d past", live, past)
	}
}
