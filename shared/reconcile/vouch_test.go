package reconcile_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"workerpool/shared/life"
	"workerpool/shared/placement"
	"workerpool/shared/pool"
)

// apart has each worker make an archive of its own, as where an app's log tells the
// time, and lets some of them bring garbage and call any other archive wrong.
func (s *served) apart(liars ...int) {
	for i := range s.workers {
		s.workers[i].apart = pool.Digest{0xaa, byte(i + 1)}
	}
	for _, i := range liars {
		s.workers[i].liar = true
	}
}

// TestRealVouching: on iExec's contracts: archives differ, and one worker of four
// reveals what was agreed upon and brings garbage. Whoever brings first, what the
// chain names in the end is an honest archive.
func TestRealVouching(t *testing.T) {
	t.Parallel()
	r := serveReal(t, 4)
	r.apart(0)
	deal := r.match(12, 12) // all four have to agree
	r.finish()
	if n := r.states(pool.Done); n != deal.Tasks {
		t.Errorf("%d works are done", n)
	}
	if n := r.Count(t, "SELECT COUNT(*) FROM work WHERE file = ? OR file IS NULL", r.workers[0].apart[:]); n != 0 {
		t.Errorf("%d works have garbage", n)
	}
	if n := r.Count(t, "SELECT COUNT(*) FROM work w JOIN action a ON a.work_id = w.id AND a.kind = 'finalize' AND a.state = 'done' AND INSTR(a.results, LOWER(HEX(w.file))) > 0"); n != deal.Tasks {
		t.Errorf("%d tasks are finalized with what is in the bucket", n)
	}
	if n := r.Count(t, "SELECT COUNT(*) FROM event WHERE kind = 'work.disputed'"); n == 0 {
		t.Error("the liar brought nothing and was asked nothing")
	}
	if n := r.Count(t, "SELECT COUNT(*) FROM work WHERE vouched = 'vouched'"); n == 0 {
		t.Error("nobody vouched for anything")
	}
}

// A checker that vanishes costs no task, and what nobody vouched for is told.
func TestNobodyVouches(t *testing.T) {
	t.Parallel()
	s := serve(t, 3)
	s.apart()
	s.deal(3, 3)
	s.until("brought", func() bool { return s.Count(s, "SELECT COUNT(*) FROM assignment WHERE state = 'checking'") == 3 })
	s.round() // they check
	s.deal(2, 3)
	s.until("brought again", func() bool { return s.Count(s, "SELECT COUNT(*) FROM assignment WHERE state = 'checking'") > 0 })
	asked := s.Count(s, "SELECT COUNT(*) FROM assignment WHERE state = 'checking'")
	if n := s.Count(s, "SELECT COUNT(*) FROM action WHERE kind = 'finalize' AND work_id IN (SELECT work_id FROM assignment WHERE state = 'checking')"); n != 0 {
		t.Errorf("%d tasks are finalized before anybody vouched for them", n)
	}
	all := s.workers
	for s.workers = nil; s.Count(s, "SELECT COUNT(*) FROM assignment WHERE state = 'checking'") > 0; { // others are asked, in vain
		s.Exec(t, "UPDATE assignment SET start_by = UTC_TIMESTAMP(6) WHERE state = 'checking'")
		s.expire()
	}
	s.workers = all
	s.until("ended", s.ended)
	if n := s.Count(s, "SELECT COUNT(*) FROM event WHERE kind = 'work.unvouched'"); n != asked {
		t.Errorf("%d works ended without anybody vouching, told of %d", asked, n)
	}
	if n := s.states(pool.Done); n != 5 {
		t.Errorf("%d works are done", n)
	}
	s.audit()
}

// expire ends what is over, as dispatch does.
func (s *served) expire() {
	s.Helper()
	pass, err := s.Dispatch(s.Context(), nil, 500, placement.Bookmark{}, 1, pooltrace, func(x placement.Snapshot) placement.Plan { return placement.Plan{} })
	if err == nil {
		_, err = s.Settle(s.Context(), pass.Over, nil, pooltrace, func(now time.Time, lives []life.Life) {
			for i := range lives {
				lives[i].Expire(now, 1, life.Defaults)
			}
		})
	}
	if err != nil {
		s.Fatal(err)
	}
}

// The pool's stake is not lost over a check: a task is finalized before its end.
func TestVouchingInTime(t *testing.T) {
	t.Parallel()
	s := serve(t, 2)
	s.apart()
	s.deal(1, 3)
	s.until("brought", func() bool { return s.Count(s, "SELECT COUNT(*) FROM assignment WHERE state = 'checking'") == 1 })
	s.Exec(t, "UPDATE assignment SET start_by = NULL, run_by = '2100-01-01' WHERE state = 'checking'") // it looks, and looks
	silent := s.workers
	s.workers = nil
	s.pass(8 * term)
	s.round()
	if n := s.Count(s, "SELECT COUNT(*) FROM action WHERE kind = 'finalize'"); n != 0 {
		t.Error("finalized before anybody vouched for it")
	}
	s.pass(term)
	s.until("ended", s.ended)
	if n := s.states(pool.Done); n != 1 {
		t.Errorf("%d works are done: %s", n, strings.TrimSpace(fmt.Sprint(s.open())))
	}
	s.workers = silent
	s.audit()
}
