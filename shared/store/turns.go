package store

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"slices"
	"time"

	"workerpool/shared/life"
	"workerpool/shared/pool"
)

// readChain reads what the chain shows of the works of deals among lives, and of
// their workers. One round trip, none without such works.
func readChain(ctx context.Context, conn *sql.Conn, lives []locked) error {
	at := map[pool.WorkID]int{}
	var ids []pool.WorkID
	for i, l := range lives {
		if l.Work.Origin == pool.OriginDeal {
			at[l.Work.ID] = i
			ids = append(ids, l.Work.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	wanted := list(ids)
	b := &statements{}
	b.add(`SELECT t.work_id, t.task_id, t.status, t.reveal_by, t.consensus, t.digest, t.final, t.reveals, t.winners, t.seen_block, h.at, d.callback, w.callback
		FROM JSON_TABLE(?, '$[*]' COLUMNS (id BIGINT PATH '$')) j STRAIGHT_JOIN task t ON t.work_id = j.id STRAIGHT_JOIN deal d ON d.id = t.deal
		STRAIGHT_JOIN work w ON w.id = j.id LEFT JOIN chain_cursor h ON h.id = 1`, wanted)
	b.add(contributionsSQL, wanted)
	b.add(`SELECT a.work_id, a.worker_id, w.wallet, w.weight, u.worker_id IS NOT NULL FROM JSON_TABLE(?, '$[*]' COLUMNS (id BIGINT PATH '$')) j
		STRAIGHT_JOIN assignment a ON a.work_id = j.id STRAIGHT_JOIN worker w ON w.id = a.worker_id
		LEFT JOIN authorisation u ON u.work_id = a.work_id AND u.worker_id = a.worker_id WHERE w.wallet IS NOT NULL`, wanted)
	out, err := query(ctx, conn, b)
	if err != nil {
		return err
	}
	return errors.Join(scanChain(out, lives, at), out.close())
}

// scanChain reads the answers of readChain into lives; at gives their places.
func scanChain(out *results, lives []locked, at map[pool.WorkID]int) error {
	err := out.each(func(rows *sql.Rows) error {
		var work pool.WorkID
		var task pool.Task
		var id, consensus, digest, callback []byte
		var revealBy, head sql.NullTime
		var callsBack bool
		if err := rows.Scan(&work, &id, &task.Status, &revealBy, &consensus, &digest, &task.Final, &task.Reveals, &task.Winners, &task.Block, &head, &callsBack, &callback); err != nil {
			return err
		}
		task.ID, task.Consensus, task.Digest = pool.Hash(id), hashOf(consensus), pool.Digest(hashOf(digest))
		task.RevealBy = orZero(revealBy)
		if i, ok := at[work]; ok {
			lives[i].Task, lives[i].Head = &task, orZero(head)
			lives[i].Work.CallsBack, lives[i].Work.Callback = callsBack, string(callback)
		}
		return nil
	})
	return errors.Join(err,
		out.each(func(rows *sql.Rows) error {
			var work pool.WorkID
			var c pool.Contribution
			var wallet, hash []byte
			if err := rows.Scan(&work, &wallet, &c.Status, &hash, &c.Weight); err != nil {
				return err
			}
			c.Wallet, c.Hash = pool.Address(wallet), pool.Hash(hash)
			if i, ok := at[work]; ok && lives[i].Task != nil {
				lives[i].Task.Contributions = append(lives[i].Task.Contributions, c)
			}
			return nil
		}),
		out.each(func(rows *sql.Rows) error {
			var work pool.WorkID
			var worker pool.WorkerID
			var wallet []byte
			var weight int64
			var authorised bool
			if err := rows.Scan(&work, &worker, &wallet, &weight, &authorised); err != nil {
				return err
			}
			i, ok := at[work]
			if !ok {
				return nil
			}
			for k := range lives[i].Rows {
				if row := &lives[i].Rows[k]; row.Worker == worker {
					row.Wallet, row.Weight, row.Authorised = pool.Address(wallet), weight, authorised
				}
			}
			return nil
		}))
}

func hashOf(bytes []byte) pool.Hash {
	if bytes == nil {
		return pool.Hash{}
	}
	return pool.Hash(bytes)
}

// readTurns reads what the chain shows of a worker's turns at works of deals. One
// round trip.
func readTurns(ctx context.Context, conn *sql.Conn, worker pool.WorkerID) (map[pool.WorkID]pool.ChainTurn, error) {
	b := &statements{}
	b.add(`SELECT a.work_id, t.task_id, d.deal_id, t.task_index, t.status, t.consensus, d.start_at, d.final_at, d.run_limit_s, d.callback, k.file, COALESCE(k.size, 0), h.at,
			COALESCE(c.status, 0), c.result_hash, COALESCE(c.weight, 0), u.signature
		FROM assignment a STRAIGHT_JOIN task t ON t.work_id = a.work_id STRAIGHT_JOIN deal d ON d.id = t.deal STRAIGHT_JOIN work k ON k.id = a.work_id
		JOIN worker w ON w.id = a.worker_id LEFT JOIN chain_cursor h ON h.id = 1 LEFT JOIN contribution c ON c.work_id = a.work_id AND c.wallet = w.wallet
		LEFT JOIN authorisation u ON u.work_id = a.work_id AND u.worker_id = a.worker_id WHERE a.worker_id = ?`, int64(worker))
	out, err := query(ctx, conn, b)
	if err != nil {
		return nil, err
	}
	turns := map[pool.WorkID]pool.ChainTurn{}
	err = out.each(func(rows *sql.Rows) error {
		var work pool.WorkID
		var turn pool.ChainTurn
		var task, deal, consensus, hash, file []byte
		var start time.Time
		var limit int64
		var head sql.NullTime
		err := rows.Scan(&work, &task, &deal, &turn.Index, &turn.Status, &consensus, &start, &turn.FinalBy, &limit, &turn.CallsBack, &file, &turn.Size, &head,
			&turn.Contribution.Status, &hash, &turn.Contribution.Weight, &turn.Authorisation)
		if err != nil {
			return err
		}
		turn.Task, turn.Deal, turn.Consensus, turn.Contribution.Hash = pool.Hash(task), pool.Hash(deal), hashOf(consensus), hashOf(hash)
		turn.File = pool.Digest(hashOf(file))
		turn.ContributeBy = start.Add(pool.ContributeFor * time.Duration(limit) * time.Second)
		turn.Takes = head.Valid && head.Time.Before(turn.ContributeBy)
		turns[work] = turn
		return nil
	})
	return turns, errors.Join(err, out.close())
}

// Unauthorised gives running turns at works of deals whose tasks take
// contributions and that have no authorisation yet, at most limit. One round trip,
// no lock: whether one more is wanted is seen by Authorise.
func (s *Store) Unauthorised(ctx context.Context, limit int) ([]pool.Authorisation, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT a.work_id, a.worker_id, w.wallet, t.task_id FROM assignment a STRAIGHT_JOIN task t ON t.work_id = a.work_id
		JOIN worker w ON w.id = a.worker_id LEFT JOIN authorisation u ON u.work_id = a.work_id AND u.worker_id = a.worker_id
		WHERE a.state = 'running' AND t.status = ? AND w.wallet IS NOT NULL AND u.work_id IS NULL LIMIT ?`, pool.TaskActive, limit)
	if err != nil {
		return nil, failure("reading turns to be authorised", err)
	}
	defer rows.Close()
	var out []pool.Authorisation
	for rows.Next() {
		var a pool.Authorisation
		var wallet, task []byte
		if err := rows.Scan(&a.Work, &a.Worker, &wallet, &task); err != nil {
			return nil, failure("reading turns to be authorised", err)
		}
		a.Wallet, a.Task = pool.Address(wallet), pool.Hash(task)
		out = append(out, a)
	}
	return out, failure("reading turns to be authorised", rows.Err())
}

// Authorise stores those of the signed authorisations that are wanted now, as
// life.Life.Authorise decides under the works' locks, and gives how many. Only
// what is stored is ever handed out (P6). Three round trips.
func (s *Store) Authorise(ctx context.Context, signed []pool.Authorisation, t pool.Trace) (int, error) {
	if len(signed) == 0 {
		return 0, nil
	}
	ids := make([]pool.WorkID, len(signed))
	for i, a := range signed {
		ids[i] = a.Work
	}
	given := 0
	err := s.transact(ctx, "authorising workers", func(conn *sql.Conn) error {
		lives, _, err := lockLives(ctx, conn, slices.Compact(slices.Sorted(slices.Values(ids))))
		if err != nil {
			return err
		}
		at := map[pool.WorkID]*life.Life{}
		for i := range lives {
			at[lives[i].Work.ID] = &lives[i].Life
		}
		type row struct {
			Work      int64  `json:"work"`
			Worker    int64  `json:"worker"`
			Wallet    string `json:"wallet"`
			Signature string `json:"signature"`
		}
		var rows []row
		var events []eventRow
		for _, a := range signed {
			if l := at[a.Work]; l != nil && l.Authorise(a.Worker) {
				worker := int64(a.Worker)
				rows = append(rows, row{int64(a.Work), worker, hex.EncodeToString(a.Wallet[:]), hex.EncodeToString(a.Signature[:])})
				events = append(events, eventRow{Kind: "assignment.authorised", Work: int64(a.Work), Worker: &worker, Data: note("")})
			}
		}
		given = len(rows)
		b := &statements{}
		if given > 0 {
			b.must(int64(given), `INSERT INTO authorisation (work_id, worker_id, wallet, signature, made_at)
			SELECT j.work, w.id, w.wallet, UNHEX(j.signature), UTC_TIMESTAMP(6) FROM JSON_TABLE(?, '$[*]' COLUMNS (work BIGINT PATH '$.work', worker BIGINT PATH '$.worker',
				wallet CHAR(40) PATH '$.wallet', signature CHAR(130) PATH '$.signature')) j STRAIGHT_JOIN worker w ON w.id = j.worker AND w.wallet = UNHEX(j.wallet)`, list(rows))
		}
		writeEvents(b, events, t)
		b.add("COMMIT")
		return exec(ctx, conn, b)
	})
	return given, err
}
