package store

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"errors"
	"strconv"
	"strings"
	"time"

	"workerpool/shared/placement"
	"workerpool/shared/pool"
	"workerpool/shared/wire"
)

// InsertBatch stores a submission whole or not at all and gives its batch. wanted
// is how many assignments each work wants at first, boost what its priority
// takes off its rank. With the same requester and idempotency key and the same
// body it stores nothing and gives the batch of the first time; with another
// body, or while the pool is inactive, it is pool.Conflict. Two round trips.
func (s *Store) InsertBatch(ctx context.Context, n pool.NewBatch, wanted int, boost time.Duration) (pool.Batch, error) {
	demands, err := wire.EncodeDemands(n.Demands)
	if err != nil {
		return pool.Batch{}, err
	}
	class := sha256.Sum256(demands)
	var batch pool.Batch
	err = s.transact(ctx, "storing a batch", func(conn *sql.Conn) error {
		var nonce [16]byte
		if _, err := rand.Read(nonce[:]); err != nil {
			return err
		}
		known, queue, fresh, err := openBatch(ctx, conn, n, class[:], demands, nonce[:], boost)
		batch = known
		if err != nil {
			return err
		}
		b := &statements{}
		if fresh {
			fillBatch(b, n, batch.ID, wanted, queue)
		}
		b.add("COMMIT")
		return exec(ctx, conn, b)
	})
	return batch, err
}

// openBatch begins the transaction and finds or makes the batch's row.
func openBatch(ctx context.Context, conn *sql.Conn, n pool.NewBatch, class, demands, nonce []byte, boost time.Duration) (pool.Batch, queueing, bool, error) {
	b := &statements{}
	b.add("START TRANSACTION")
	joinClass(b, n.Requester, class, demands)
	b.add(`INSERT INTO batch (requester, origin, idem, body_sha256, nonce, works, class_id, queue_rank, trust, run_limit_s, deadline,
			missing_inputs, template, created_at, boost, max_running)
		VALUES (?, 'api', ?, ?, ?, ?, (SELECT id FROM class WHERE hash = ?), 0, ?, ?, UTC_TIMESTAMP(6) + INTERVAL ? MICROSECOND, ?, ?, UTC_TIMESTAMP(6), ?, ?)
		ON DUPLICATE KEY UPDATE id = LAST_INSERT_ID(id)`,
		int64(n.Requester), orNull(n.Idempotency), n.BodyDigest[:], nonce, len(n.Items), class,
		n.Trust, int64(n.Demands.RunLimit/time.Second), n.Deadline.Microseconds(), len(n.Inputs), string(n.Template), boost.Milliseconds(), n.MaxRunning)
	askQueue(b, "LAST_INSERT_ID()")
	b.add("SELECT id, body_sha256, nonce, works, missing_inputs, created_at FROM batch WHERE id = LAST_INSERT_ID()")
	out, err := query(ctx, conn, b)
	if number(err) == erDuplicate {
		err = errors.Join(errMoved, err) // another submission made the same class at this moment
	}
	if err != nil {
		return pool.Batch{}, queueing{}, false, err
	}
	var body, stored []byte
	batch := pool.Batch{Requester: n.Requester}
	queue, err := scanQueue(out)
	if err == nil {
		_, err = out.one(&batch.ID, &body, &stored, &batch.Works, &batch.Missing, &batch.Created)
	}
	if err = errors.Join(err, out.close()); err != nil {
		return batch, queue, false, err
	}
	if string(body) != string(n.BodyDigest[:]) {
		return batch, queue, false, pool.Refuse(pool.Conflict, "Idempotency-Key", "this key was used for another body; the batch of that one is %d", batch.ID)
	}
	fresh := string(stored) == string(nonce)
	if fresh && queue.state == pool.PoolInactive {
		return batch, queue, false, pool.Refuse(pool.Conflict, "", "the pool is inactive: it accepts no works until its operator activates it")
	}
	return batch, queue, fresh, nil
}

// joinClass adds what a new batch needs beside it: its requester's clock, which is
// locked by it, and the class of its demands.
func joinClass(b *statements, requester pool.AccountID, class, demands []byte) {
	b.add("INSERT INTO requester (account_id) VALUES (?) ON DUPLICATE KEY UPDATE account_id = account_id", int64(requester))
	b.add(`INSERT INTO class (hash, demands) SELECT ?, ? FROM DUAL WHERE NOT EXISTS (SELECT 1 FROM class WHERE hash = ?)`, class, string(demands), class)
}

// queueing is what a batch's place in its queue follows from.
type queueing struct {
	virtual int64 // the pool's virtual time
	front   int64 // start tag of the first work in the queue; virtual when there is none that counts
	clock   int64 // of the requester
	weight  int
	state   pool.State
}

// askQueue adds the reading of what a batch's place follows from; the requester's
// row is locked already. A first work of the requester's own, or one that may
// wait at a limit, does not count as the front: by leaving such a work
// behind somebody could keep a place in the past.
func askQueue(b *statements, batch string) {
	b.add(`SELECT p.virtual_time, COALESCE((SELECT IF(g.requester = q.account_id OR g.max_running > 0 OR COALESCE(o.max_running, 0) > 0, NULL, f.queue_rank + g.boost)
			FROM (SELECT queue_rank, work_id FROM ready WHERE class_id = (SELECT class_id FROM batch WHERE id = ` + batch + `) ORDER BY class_id, queue_rank, work_id LIMIT 1) f
			JOIN batch g ON g.id = f.work_id >> 14 LEFT JOIN requester o ON o.account_id = g.requester), p.virtual_time), q.clock, q.weight, p.state
		FROM pool_state p JOIN batch n ON n.id = ` + batch + ` JOIN requester q ON q.account_id = n.requester WHERE p.id = 1`)
}

func scanQueue(out *results) (q queueing, err error) {
	found, err := out.one(&q.virtual, &q.front, &q.clock, &q.weight, &q.state)
	if err == nil && !found {
		err = errors.New("the pool's state has no row: run the migrations")
	}
	return q, err
}

// fillBatch adds the rows below a new batch.
func fillBatch(b *statements, n pool.NewBatch, id pool.BatchID, wanted int, queue queueing) {
	state := pool.Waiting
	if len(n.Inputs) > 0 {
		state = pool.Staging
	}
	places := "[0" + strings.Repeat(",0", len(n.Items)-1) + "]"
	b.must(int64(len(n.Items)), `INSERT INTO work (id, requester, state, open_until)
		SELECT ? + j.n - 1, b.requester, ?, b.deadline FROM JSON_TABLE(?, '$[*]' COLUMNS (n FOR ORDINALITY)) j JOIN batch b ON b.id = ?`,
		int64(id.Work(0)), string(state), places, int64(id))
	type item struct {
		N int    `json:"n"`
		T string `json:"t"`
	}
	var items []item
	for i, document := range n.Items {
		if document != nil {
			items = append(items, item{i, string(document)})
		}
	}
	if len(items) > 0 {
		b.must(int64(len(items)), `INSERT INTO work_item (work_id, item)
			SELECT ? + j.n, j.t FROM JSON_TABLE(?, '$[*]' COLUMNS (n INT PATH '$.n', t MEDIUMTEXT PATH '$.t')) j`, int64(id.Work(0)), list(items))
	}
	if state == pool.Waiting {
		readyBatch(b, id, len(n.Items), wanted, n.Demands.RunLimit, queue)
	} else {
		type input struct {
			D string `json:"d"`
			S int64  `json:"s"`
		}
		inputs := make([]input, len(n.Inputs))
		for i, in := range n.Inputs {
			inputs[i] = input{in.Digest.String(), in.Size}
		}
		b.must(int64(len(inputs)), `INSERT INTO input (batch_id, sha256, size)
			SELECT ?, UNHEX(j.d), j.s FROM JSON_TABLE(?, '$[*]' COLUMNS (d CHAR(64) PATH '$.d', s BIGINT PATH '$.s')) j`, int64(id), list(inputs))
	}
	b.must(1, `INSERT INTO event (at, kind, work_id, account_id, request_id, data) VALUES (UTC_TIMESTAMP(6), 'batch.accepted', ?, ?, ?, ?)`,
		int64(id.Work(0)), int64(n.Requester), n.RequestID, list(map[string]int{"works": len(n.Items)}))
}

// readyBatch gives a batch its place in the queue and makes all its waiting works
// dispatchable. The place is given now and not when the batch came: works that
// waited for their inputs would otherwise jump the queue all together.
func readyBatch(b *statements, id pool.BatchID, works, wanted int, limit time.Duration, q queueing) {
	cost := placement.Cost(limit, wanted, q.weight)
	b.add("UPDATE batch SET queue_rank = ? - boost, cost = ? WHERE id = ?", placement.StartTag(q.virtual, q.front, q.clock), cost, int64(id))
	b.add("UPDATE requester SET clock = ? WHERE account_id = (SELECT requester FROM batch WHERE id = ?)", placement.ClockAfter(q.virtual, q.clock, cost, works), int64(id))
	b.add(`INSERT INTO ready (class_id, queue_rank, work_id, missing)
		SELECT b.class_id, `+rankSQL+`, w.id, ? FROM batch b JOIN work w ON w.id BETWEEN ? AND ? WHERE b.id = ? AND w.state = 'waiting'`,
		wanted, int64(id.Work(0)), int64(id.Work(works-1)), int64(id))
}

// Batch gives a batch of a requester, or of anybody with requester 0. Somebody
// else's is pool.NotFound.
func (s *Store) Batch(ctx context.Context, requester pool.AccountID, id pool.BatchID) (pool.Batch, error) {
	batch := pool.Batch{ID: id, Counts: map[pool.WorkState]int{}}
	err := s.transact(ctx, "reading a batch", func(conn *sql.Conn) error {
		b := &statements{}
		b.add("SELECT requester, works, missing_inputs, created_at FROM batch WHERE id = ? AND (? = 0 OR requester = ?)",
			int64(id), int64(requester), int64(requester))
		b.add("SELECT state, COUNT(*) FROM work WHERE id BETWEEN ? AND ? GROUP BY state", int64(id.Work(0)), int64(id.Work(pool.MaxBatch-1)))
		out, err := query(ctx, conn, b)
		if err != nil {
			return err
		}
		found, err := out.one(&batch.Requester, &batch.Works, &batch.Missing, &batch.Created)
		if err == nil && found {
			clear(batch.Counts)
			err = out.each(func(rows *sql.Rows) error {
				var state pool.WorkState
				var n int
				if err := rows.Scan(&state, &n); err != nil {
					return err
				}
				batch.Counts[state] = n
				return nil
			})
		}
		if err = errors.Join(err, out.close()); err == nil && !found {
			return pool.Refuse(pool.NotFound, "id", "no batch %d", id)
		}
		return err
	})
	return batch, err
}

// MissingInputs gives the inputs of a requester's batch that are not known to be
// there, in order of digest, at most limit, and how many there are in all.
func (s *Store) MissingInputs(ctx context.Context, requester pool.AccountID, id pool.BatchID, limit int) (page []pool.Input, missing int, err error) {
	batch, err := s.Batch(ctx, requester, id)
	if err != nil || batch.Missing == 0 {
		return nil, 0, err
	}
	rows, err := s.db.QueryContext(ctx, "SELECT sha256, size FROM input WHERE batch_id = ? AND NOT present ORDER BY sha256 LIMIT ?", int64(id), limit)
	if err != nil {
		return nil, 0, failure("reading a batch's inputs", err)
	}
	defer rows.Close()
	for rows.Next() {
		var in pool.Input
		var digest []byte
		if err := rows.Scan(&digest, &in.Size); err != nil {
			return nil, 0, failure("reading a batch's inputs", err)
		}
		in.Digest = pool.Digest(digest)
		page = append(page, in)
	}
	return page, batch.Missing, failure("reading a batch's inputs", rows.Err())
}

// MarkInputs notes inputs of a batch that were seen in the bucket; when the last
// one is there all staging works of the batch become waiting, each wanting that
// many assignments. It gives how many inputs are still missing.
func (s *Store) MarkInputs(ctx context.Context, id pool.BatchID, present []pool.Digest, wanted int, t pool.Trace) (missing int, err error) {
	digests := make([]string, len(present))
	for i, d := range present {
		digests[i] = d.String()
	}
	err = s.transact(ctx, "noting uploaded inputs", func(conn *sql.Conn) error {
		// The batch's row is the lock of its inputs and of its leaving staging; its
		// requester's clock is locked first, as a submission does.
		b := &statements{}
		b.add("START TRANSACTION")
		b.add("INSERT INTO requester (account_id) SELECT b.requester FROM batch b WHERE b.id = ? ON DUPLICATE KEY UPDATE clock = clock", int64(id))
		b.add("SELECT id FROM batch WHERE id = ? FOR UPDATE", int64(id))
		b.add(`UPDATE JSON_TABLE(?, '$[*]' COLUMNS (d CHAR(64) PATH '$')) j STRAIGHT_JOIN input i ON i.batch_id = ? AND i.sha256 = UNHEX(j.d) SET i.present = TRUE`,
			list(digests), int64(id))
		b.add("SELECT works, (SELECT COUNT(*) FROM input WHERE batch_id = batch.id AND NOT present), missing_inputs, run_limit_s FROM batch WHERE id = ?", int64(id))
		askQueue(b, strconv.FormatInt(int64(id), 10))
		out, err := query(ctx, conn, b)
		if err != nil {
			return err
		}
		var works, before int
		var limit int64
		var queue queueing
		_, err = out.one(new(int64))
		if err == nil {
			_, err = out.one(&works, &missing, &before, &limit)
		}
		if err == nil {
			queue, err = scanQueue(out)
		}
		if err = errors.Join(err, out.close()); err != nil {
			return err
		}
		b = &statements{}
		b.add("UPDATE batch SET missing_inputs = ? WHERE id = ?", missing, int64(id))
		if missing == 0 && before > 0 {
			first, last := int64(id.Work(0)), int64(id.Work(works-1))
			b.add("UPDATE work SET state = 'waiting' WHERE id BETWEEN ? AND ? AND state = 'staging'", first, last)
			readyBatch(b, id, works, wanted, time.Duration(limit)*time.Second, queue)
			b.must(1, "INSERT INTO event (at, kind, work_id, account_id, request_id) VALUES (UTC_TIMESTAMP(6), 'batch.staged', ?, ?, ?)",
				first, int64(t.Account), t.RequestID)
		}
		b.add("COMMIT")
		return exec(ctx, conn, b)
	})
	return missing, err
}

// orNull makes SQL's NULL of "".
func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}
