package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"workerpool/shared/pool"
	"workerpool/shared/settlement"
)

// ToSettle gives the works of the tasks about which something may have to be said
// to the chain: somebody waits for the initialization, there is a consensus, the
// final deadline has passed by the head's time, or an action is under way. Tasks
// that only wait for workers are not among them, however many they are.
func (s *Store) ToSettle(ctx context.Context, head pool.Block) ([]pool.WorkID, error) {
	return s.worksWhere(ctx, `SELECT a.work_id FROM assignment a STRAIGHT_JOIN task k ON k.work_id = a.work_id AND k.status = 0 WHERE a.state IN ('running', 'reported')
		UNION SELECT work_id FROM task WHERE final = FALSE AND status = 2
		UNION SELECT k.work_id FROM deal d STRAIGHT_JOIN task k ON k.deal = d.id AND k.final = FALSE AND k.status < 3
			WHERE d.state IN ('new', 'open') AND d.on_chain = TRUE AND d.final_at <= ?
		UNION SELECT work_id FROM action WHERE state IN ('wanted', 'sent')`, stamp(head.Time))
}

// Settlement reads what is to be decided on: those of the works whose deals the
// chain shows and that nothing has happened to since they were seen. results says
// what finalize is to tell of a file in the bucket. One round trip.
func (s *Store) Settlement(ctx context.Context, head pool.Block, works []pool.WorkID, results func(file pool.Digest) []byte) (settlement.Snapshot, error) {
	snapshot := settlement.Snapshot{Head: head}
	err := s.transact(ctx, "reading what to say to the chain", func(conn *sql.Conn) error {
		snapshot.Tasks = nil
		ids := list(works)
		b := &statements{}
		b.add(`SELECT k.work_id, d.deal_id, k.task_index, d.start_at, d.run_limit_s, d.price, d.callback, k.task_id, k.status, k.reveal_by, k.consensus, k.digest, k.final,
				k.reveals, k.winners, k.seen_block, w.file, w.callback, COALESCE(w.vouched, ''), EXISTS (SELECT 1 FROM assignment a FORCE INDEX (assignment_owner) WHERE a.work_id = k.work_id AND a.state IN ('running', 'reported'))
			FROM JSON_TABLE(?, '$[*]' COLUMNS (id BIGINT PATH '$')) j STRAIGHT_JOIN task k ON k.work_id = j.id
			STRAIGHT_JOIN deal d ON d.id = k.deal AND d.on_chain AND d.state <> 'gone' STRAIGHT_JOIN work w ON w.id = k.work_id
			WHERE k.look_at IS NULL OR k.look_at <> `+touchedAt+` ORDER BY k.work_id`, ids)
		b.add(contributionsSQL, ids)
		b.add(`SELECT a.id, a.work_id, a.kind, a.round, a.state, a.results, a.callback, a.before_at FROM JSON_TABLE(?, '$[*]' COLUMNS (id BIGINT PATH '$')) j
			STRAIGHT_JOIN action a ON a.work_id = j.id ORDER BY a.work_id, a.id`, ids)
		out, err := query(ctx, conn, b)
		if err != nil {
			return err
		}
		at := map[pool.WorkID]*settlement.Task{}
		err = out.each(func(rows *sql.Rows) error {
			t, err := scanSettlement(rows, results)
			snapshot.Tasks = append(snapshot.Tasks, t)
			return err
		})
		for i := range snapshot.Tasks {
			at[snapshot.Tasks[i].Work] = &snapshot.Tasks[i]
		}
		return errors.Join(err,
			out.each(func(rows *sql.Rows) error {
				work, c, err := scanContribution(rows)
				if t := at[work]; t != nil && err == nil {
					t.Chain.Contributions = append(t.Chain.Contributions, c)
				}
				return err
			}),
			out.each(func(rows *sql.Rows) error {
				var a pool.Action
				var results sql.NullString
				if err := rows.Scan(&a.ID, &a.Work, &a.Kind, &a.Round, &a.State, &results, &a.Callback, &a.Before); err != nil {
					return err
				}
				if t := at[a.Work]; t != nil {
					a.Deal, a.Index, a.Task, a.Results = t.Deal, t.Index, t.Chain.ID, orNone(results)
					t.Actions = append(t.Actions, a)
				}
				return nil
			}),
			out.close())
	})
	return snapshot, err
}

func scanSettlement(rows *sql.Rows, results func(pool.Digest) []byte) (settlement.Task, error) {
	var t settlement.Task
	var deal, task, consensus, digest, file []byte
	var limit int64
	var revealBy sql.NullTime
	err := rows.Scan(&t.Work, &deal, &t.Index, &t.Start, &limit, &t.Price, &t.CallsBack, &task, &t.Chain.Status, &revealBy, &consensus, &digest, &t.Chain.Final,
		&t.Chain.Reveals, &t.Chain.Winners, &t.Chain.Block, &file, &t.Callback, &t.Vouched, &t.Running)
	if err != nil {
		return t, err
	}
	t.Deal, t.T, t.Chain.RevealBy = pool.Hash(deal), time.Duration(limit)*time.Second, orZero(revealBy)
	t.Chain.ID, t.Chain.Consensus, t.Chain.Digest = pool.Hash(task), hashOf(consensus), pool.Digest(hashOf(digest))
	if file != nil {
		t.Results = results(pool.Digest(file))
	}
	return t, nil
}

// Forced: MySQL would read all contributions when its statistics are of few.
const contributionsSQL = `SELECT c.work_id, c.wallet, c.status, c.result_hash, c.weight FROM JSON_TABLE(?, '$[*]' COLUMNS (id BIGINT PATH '$')) j
	STRAIGHT_JOIN contribution c FORCE INDEX (PRIMARY) ON c.work_id = j.id ORDER BY c.work_id, c.place`

func scanContribution(rows *sql.Rows) (work pool.WorkID, c pool.Contribution, err error) {
	var wallet, hash []byte
	if err := rows.Scan(&work, &wallet, &c.Status, &hash, &c.Weight); err != nil {
		return 0, c, err
	}
	c.Wallet, c.Hash = pool.Address(wallet), pool.Hash(hash)
	return work, c, nil
}

func orNone(text sql.NullString) []byte {
	if !text.Valid {
		return nil
	}
	return []byte(text.String)
}

// Decided stores what settlement answered: actions wanted anew or again, done, and
// dropped. One that is in a broadcast stays so until the broadcast is settled. One
// round trip.
func (s *Store) Decided(ctx context.Context, l *pool.Lease, v settlement.Verdict, t pool.Trace) error {
	type row struct {
		ID      int64   `json:"id,omitempty"`
		Work    int64   `json:"work,omitempty"`
		Kind    string  `json:"kind,omitempty"`
		Round   int     `json:"round,omitempty"`
		Before  *string `json:"before,omitempty"`
		Results *string `json:"results,omitempty"`
		Reason  string  `json:"reason,omitempty"`
	}
	want, drop := make([]row, len(v.Want)), make([]row, len(v.Drop))
	for i, a := range v.Want {
		want[i] = row{Work: int64(a.Work), Kind: string(a.Kind), Round: a.Round, Before: stamp(a.Before), Results: textOrNull(string(a.Results))}
	}
	for i, d := range v.Drop {
		drop[i] = row{ID: d.ID, Reason: clipped(d.Reason, 500)}
	}
	return s.transact(ctx, "storing what to say to the chain", func(conn *sql.Conn) error {
		b := &statements{}
		b.add("START TRANSACTION")
		fence(b, l)
		if len(want) > 0 {
			const columns = `JSON_TABLE(?, '$[*]' COLUMNS (work BIGINT PATH '$.work', kind VARCHAR(10) PATH '$.kind', round INT PATH '$.round',
				before_at VARCHAR(26) PATH '$.before', results VARCHAR(1000) PATH '$.results')) j`
			// SET works from left to right: state is tested by all before it changes.
			b.add(`INSERT INTO action (work_id, kind, round, state, before_at, results) SELECT j.work, j.kind, j.round, 'wanted', j.before_at, j.results FROM `+columns+`
				ON DUPLICATE KEY UPDATE before_at = IF(action.state = 'sent', action.before_at, j.before_at), results = IF(action.state = 'sent', action.results, j.results),
					broadcast = IF(action.state = 'sent', action.broadcast, NULL), reason = NULL, state = IF(action.state = 'sent', 'sent', 'wanted')`, list(want))
			writeToCall(b, v.Want)
			tell(b, columns+" STRAIGHT_JOIN action a ON a.work_id = j.work AND a.kind = j.kind AND a.round = j.round", list(want), t)
		}
		if len(v.Done) > 0 {
			const these = "JSON_TABLE(?, '$[*]' COLUMNS (id BIGINT PATH '$')) j STRAIGHT_JOIN action a ON a.id = j.id"
			b.add("UPDATE "+these+" SET a.state = 'done' WHERE a.state IN ('wanted', 'sent')", list(v.Done))
			tell(b, these, list(v.Done), t)
		}
		if len(drop) > 0 {
			const these = "JSON_TABLE(?, '$[*]' COLUMNS (id BIGINT PATH '$.id', reason VARCHAR(500) PATH '$.reason')) j STRAIGHT_JOIN action a ON a.id = j.id"
			b.add("UPDATE "+these+" SET a.state = 'dropped', a.reason = j.reason WHERE a.state IN ('wanted', 'sent')", list(drop))
			tell(b, these, list(drop), t)
		}
		b.add("COMMIT")
		return lostRace(fenced(ctx, conn, l, exec(ctx, conn, b)))
	})
}

// tell adds an event for each of the actions a, as they are now.
func tell(b *statements, these, args string, t pool.Trace) {
	b.add(`INSERT INTO event (at, kind, work_id, request_id, data) SELECT UTC_TIMESTAMP(6), CONCAT('action.', a.state), a.work_id, ?,
		JSON_QUOTE(CONCAT(a.kind, ' ', a.round, IF(a.reason IS NULL, '', CONCAT(': ', a.reason)))) FROM `+these, orNull(t.RequestID), args)
}
