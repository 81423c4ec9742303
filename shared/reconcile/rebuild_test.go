package reconcile_test

import (
	"testing"

	"workerpool/shared/pool"
)

func (s *served) errand(kind pool.ErrandKind) {
	s.Helper()
	if _, err := s.AskErrand(s.Context(), kind, 0, pooltrace); err != nil {
		s.Fatal(err)
	}
	s.tick()
	e, err := s.Errand(s.Context(), kind)
	if err != nil || e.Pending() || e.Answer.Fault != "" {
		s.Fatalf("%+v, %v", e, err)
	}
}

// Books of deals that are wrong in every column that the chain tells are right again
// after a rebuild: what ended stays ended, what runs goes on with whom it ran, and
// nothing is done twice.
func TestRebuild(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string][]string{
		"nothing": nil,
		"behind": {
			"UPDATE task SET status = 0, consensus = NULL, digest = NULL, reveal_by = NULL, reveals = 0, winners = 0, final = FALSE, look_at = NULL",
			"DELETE FROM contribution",
		},
		"ahead": {
			"UPDATE task SET status = 2, consensus = UNHEX(REPEAT('ab', 32)), reveal_by = '2026-01-01', reveals = 7, winners = 9, look_at = NULL WHERE status < 3",
			"INSERT INTO contribution (work_id, wallet, place, status, result_hash, weight) SELECT work_id, UNHEX(REPEAT('cd', 20)), 99, 2, UNHEX(REPEAT('ab', 32)), 5 FROM task",
		},
		"elsewhere": {"UPDATE deal SET start_at = start_at - INTERVAL 1 DAY, final_at = final_at - INTERVAL 1 DAY, block = block + 1"},
		"lost":      {"UPDATE deal SET on_chain = FALSE"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, 5)
			s.deal(3, 3)
			s.until("ended", s.ended)
			s.deal(4, 3)
			s.until("running with words", func() bool {
				return s.Count(s, "SELECT COUNT(*) FROM contribution c JOIN task k ON k.work_id = c.work_id WHERE NOT k.final") > 0
			})
			const turns = "SELECT COALESCE(SUM(CRC32(CONCAT_WS('-', work_id, worker_id, attempt, state))), 0) FROM assignment WHERE state IN ('offered', 'running')"
			held := s.Count(s, turns)
			for _, statement := range spoil {
				s.Exec(s, statement)
			}
			before := len(s.chain.mined) + len(s.chain.waiting)
			s.errand(pool.ErrandRebuild)
			if n := s.Count(s, turns); n != held {
				t.Errorf("the open turns changed: %d, they were %d", n, held)
			}
			s.until("ended", s.ended)
			if n := s.states(pool.Done); n != 7 {
				t.Errorf("%d works are done: %s", n, s.open())
			}
			if n := s.Count(s, "SELECT COUNT(*) FROM deal WHERE state <> 'settled' OR NOT on_chain"); n != 0 {
				t.Errorf("%d deals are not settled: %s", n, s.open())
			}
			if len(s.chain.mined) < before {
				t.Error("what was mined is gone")
			}
			s.audit()
		})
	}
}

// There is nothing to rebuild before the first deal, and the answer says so.
func TestRebuildNothing(t *testing.T) {
	t.Parallel()
	s := serve(t, 0)
	if _, err := s.AskErrand(s.Context(), pool.ErrandRebuild, 0, pooltrace); err != nil {
		t.Fatal(err)
	}
	s.tick()
	if e, err := s.Errand(s.Context(), pool.ErrandRebuild); err != nil || e.Pending() || e.Answer.Fault == "" {
		t.Errorf("%+v, %v", e, err)
	}
}
