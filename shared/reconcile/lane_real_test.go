package reconcile_test

import (
	"encoding/json"
	"testing"

	local "workerpool/infra/local/chain"
	"workerpool/shared/chain/chaintest"
	"workerpool/shared/pool"
)

// underway has a deal whose tasks' initialization was sent and is in no block.
func underway(t *testing.T, tasks int) (s *steered, d pool.Deal, end func()) {
	t.Helper()
	s = steer(t, 3)
	end = s.hasten()
	d = s.matched(tasks, 1)
	s.tick()
	s.dispatch()
	s.work()
	s.tick()
	s.lane(1, "state = 'signed'")
	return s, d, end
}

// lane sees how many broadcasts there are in all, that the last one is as told, and
// that no transaction but that one waits.
func (s *steered) lane(broadcasts int, last string) {
	s.Helper()
	if n := s.broadcasts("TRUE"); n != broadcasts || s.broadcasts("id = (SELECT MAX(id) FROM broadcast) AND "+last) != 1 {
		s.Fatalf("%d broadcasts, want %d, the last with %s: %v", n, broadcasts, last, s.Dump(s, "broadcast"))
	}
	if n := s.market.Chain.Waiting(); n > 1 {
		s.Fatalf("%d transactions wait", n)
	}
}

// booked holds the lane in the books against the chain's: the same next nonce, and
// each broadcast in the block, and with the success, that the books tell.
func (s *real) booked() {
	s.Helper()
	next, err := s.sender.Nonce(s.Context(), s.market.Chain.Head().Block)
	if err != nil {
		s.Fatal(err)
	}
	if n := s.Count(s, "SELECT COALESCE(MAX(nonce) + 1, ?) FROM broadcast", next); n != int(next) {
		s.Errorf("the next nonce is %d on the chain and %d in the books", next, n)
	}
	rows, err := s.SQL.QueryContext(s.Context(), "SELECT hash, state, block FROM broadcast")
	if err != nil {
		s.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var hash []byte
		var state pool.BroadcastState
		var block uint64
		if err := rows.Scan(&hash, &state, &block); err != nil {
			s.Fatal(err)
		}
		done, there := s.market.Chain.Look(pool.Hash(hash))
		if there != (state != pool.Replaced) || there && (done.Good != (state == pool.Mined) || done.Block.Number != block) {
			s.Errorf("a broadcast is %s in block %d, the chain has it: %v, %+v", state, block, there, done)
		}
	}
	if err := rows.Err(); err != nil {
		s.Fatal(err)
	}
}

// completed plays the rest, and holds it to the promises.
func (s *steered) completed(d pool.Deal, end func()) {
	s.Helper()
	end()
	s.finish()
	s.spoke(d)
	if !s.reached(d, finalized) {
		s.Errorf("it ended as %+v", s.views(d))
	}
}

// What nobody mines is signed anew at a fee at which the node takes it in the place
// of the one before.
func TestRealStuck(t *testing.T) {
	t.Parallel()
	s, d, end := underway(t, 5)
	for attempt := 2; attempt <= 4; attempt++ {
		s.Exec(t, "UPDATE broadcast SET signed_at = signed_at - INTERVAL 3 MINUTE")
		s.tick()
		s.lane(attempt, "state = 'signed'")
	}
	s.market.Chain.Mine(1)
	s.tick()
	s.lane(4, "state = 'mined'")
	if n := s.broadcasts("state = 'replaced'"); n != 3 {
		t.Errorf("%d were replaced", n)
	}
	s.completed(d, end)
}

// Somebody else sent with the pool's key: what had the nonce comes to nothing, once
// that is certain, and goes out under the next.
func TestRealNonceTaken(t *testing.T) {
	t.Parallel()
	s, d, end := underway(t, 5)
	s.market.Chain.Drop()
	to := s.terms.Requester.Address()
	if _, err := s.market.Chain.Account(realKey(t, "owner")).Send(t.Context(), local.To(to, nil)); err != nil {
		t.Fatal(err)
	}
	s.market.Chain.Mine(1)
	s.tick()
	s.lane(1, "state = 'signed'") // its receipt may still come
	s.market.Chain.Mine(31)
	s.tick()
	s.lane(2, "state = 'signed'")
	if n := s.broadcasts("state = 'replaced'"); n != 1 {
		t.Errorf("%d were replaced", n)
	}
	s.completed(d, end)
}

// While the node had forgotten what was sent, somebody else initialized one of the
// tasks: sent again it reverts, and the others go out without it.
func TestRealReverted(t *testing.T) {
	t.Parallel()
	s, d, end := underway(t, 5)
	s.market.Chain.Drop()
	if _, err := s.terms.Requester.Send(t.Context(), s.market.Initialize(d.ID, 2)); err != nil {
		t.Fatal(err)
	}
	s.market.Chain.Mine(1)
	s.tick()
	s.lane(1, "state = 'signed'")
	s.market.Chain.Mine(1)
	s.tick()
	s.market.Chain.Mine(1)
	s.tick()
	s.lane(2, "state = 'mined'")
	if n := s.broadcasts("state = 'reverted'"); n != 1 {
		t.Errorf("%d reverted", n)
	}
	s.completed(d, end)
}

// It was mined and the node does not know the receipt: nothing is sent in its place.
func TestRealReceiptLost(t *testing.T) {
	t.Parallel()
	s, d, end := underway(t, 5)
	s.node.Disturb(func(call *chaintest.Call, next func()) {
		if next(); call.Method == "eth_getTransactionReceipt" {
			call.Result, call.Err = json.RawMessage("null"), nil
		}
	})
	for range 5 {
		s.market.Chain.Mine(2)
		s.Exec(t, "UPDATE broadcast SET signed_at = signed_at - INTERVAL 1 HOUR")
		s.tick()
		s.lane(1, "state = 'signed'")
	}
	if s.market.Chain.Waiting() != 0 || !s.reached(d, initialized) {
		t.Errorf("%d transactions wait, the tasks are %+v", s.market.Chain.Waiting(), s.views(d))
	}
	s.node.Disturb()
	s.tick()
	s.lane(1, "state = 'mined'")
	s.completed(d, end)
}
