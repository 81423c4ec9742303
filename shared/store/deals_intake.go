package store

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"errors"
	"strings"
	"time"

	"workerpool/shared/pool"
	"workerpool/shared/wire"
)

// dealColumns are those of a deal d that scanDeal reads.
const dealColumns = "d.deal_id, d.block, d.start_at, d.first_task, d.tasks, d.run_limit_s, d.trust, d.price, d.stake, d.owner, d.terms"

func scanDeal(rows interface{ Scan(...any) error }, d *pool.Deal, more ...any) error {
	var id, owner, terms []byte
	var limit int64
	if err := rows.Scan(append([]any{&id, &d.Block, &d.Start, &d.First, &d.Tasks, &limit, &d.Trust, &d.Price, &d.Stake, &owner, &terms}, more...)...); err != nil {
		return err
	}
	d.ID, d.Owner, d.T = pool.Hash(id), pool.Address(owner), time.Duration(limit)*time.Second
	return wire.DecodeTerms(terms, d)
}

// TakeIn makes works of the next up to limit tasks of the deal that ends first, one
// batch of them, and gives how many; 0 when there is nothing to take in. Its guard
// is the number of tasks taken so far, so whoever repeats it makes no work twice.
// Four round trips.
func (s *Store) TakeIn(ctx context.Context, l *pool.Lease, limit int, t pool.Trace, plan func(pool.DealPart) (pool.Intake, error)) (int, error) {
	var deal pool.Deal
	var row, account int64
	var taken int
	err := scanDeal(s.db.QueryRowContext(ctx, "SELECT "+dealColumns+`, d.id, d.account_id, d.taken FROM deal d FORCE INDEX (deal_open)
		WHERE d.state = 'new' AND d.on_chain = TRUE ORDER BY d.state, d.on_chain, d.final_at LIMIT 1`), &deal, &row, &account, &taken)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, failure("reading a deal to take in", err)
	}
	part := pool.DealPart{Deal: deal, First: deal.First + taken, Tasks: min(limit, pool.MaxBatch, deal.Tasks-taken)}
	in, err := plan(part)
	if err != nil {
		return 0, err
	}
	n := in.Batch
	n.Requester, n.Items = pool.AccountID(account), make([][]byte, part.Tasks)
	demands, err := wire.EncodeDemands(n.Demands)
	if err != nil {
		return 0, err
	}
	err = s.transact(ctx, "taking in a deal", func(conn *sql.Conn) error {
		b := &statements{}
		b.add("START TRANSACTION")
		fence(b, l)
		b.must(1, `UPDATE deal SET state = IF(? >= tasks, 'open', 'new'), taken = ?, reason = ? WHERE id = ? AND taken = ? AND state = 'new' AND on_chain`,
			taken+part.Tasks, taken+part.Tasks, textOrNull(clipped(in.Refused, 500)), row, taken)
		if err := exec(ctx, conn, b); err != nil {
			return lostRace(fenced(ctx, conn, l, err))
		}
		id, queue, err := openDealBatch(ctx, conn, n, demands, deal.FinalBy())
		if err != nil {
			return err
		}
		b = &statements{}
		if in.Refused == "" {
			fillBatch(b, n, id, in.Wanted, queue)
			// The chain ends it, not the time of the books.
			b.add("UPDATE work SET open_until = '9999-01-01' WHERE id BETWEEN ? AND ?", int64(id.Work(0)), int64(id.Work(part.Tasks-1)))
		} else {
			refuseBatch(b, n, id, in.Refused)
		}
		writeTasks(b, row, part.First, id, in.Tasks)
		b.add("COMMIT")
		return exec(ctx, conn, b)
	})
	if err != nil {
		return 0, err
	}
	return part.Tasks, nil
}

// openDealBatch makes the row of a batch, within the transaction.
func openDealBatch(ctx context.Context, conn *sql.Conn, n pool.NewBatch, demands []byte, deadline time.Time) (pool.BatchID, queueing, error) {
	class, body := sha256.Sum256(demands), sha256.Sum256(n.Template)
	var nonce [16]byte
	if _, err := rand.Read(nonce[:]); err != nil {
		return 0, queueing{}, err
	}
	b := &statements{}
	joinClass(b, n.Requester, class[:], demands)
	b.add(`INSERT INTO batch (requester, origin, body_sha256, nonce, works, class_id, queue_rank, trust, run_limit_s, deadline, missing_inputs, template, created_at)
		VALUES (?, 'deal', ?, ?, ?, (SELECT id FROM class WHERE hash = ?), 0, ?, ?, ?, 0, ?, UTC_TIMESTAMP(6))`,
		int64(n.Requester), body[:], nonce[:], len(n.Items), class[:], n.Trust, int64(n.Demands.RunLimit/time.Second), stamp(deadline), string(n.Template))
	askQueue(b, "LAST_INSERT_ID()")
	b.add("SELECT LAST_INSERT_ID()")
	out, err := query(ctx, conn, b)
	if number(err) == erDuplicate {
		err = errors.Join(errMoved, err) // another batch made the same class at this moment
	}
	if err != nil {
		return 0, queueing{}, err
	}
	var id pool.BatchID
	queue, err := scanQueue(out)
	if err == nil {
		_, err = out.one(&id)
	}
	return id, queue, errors.Join(err, out.close())
}

// refuseBatch adds the works of a deal that the pool cannot serve: they have ended
// before they began, and their tasks are claimed when the chain lets them.
func refuseBatch(b *statements, n pool.NewBatch, id pool.BatchID, reason string) {
	places := "[0" + strings.Repeat(",0", len(n.Items)-1) + "]"
	reason = clipped("this pool cannot serve its deal: "+reason, 1_000)
	b.must(int64(len(n.Items)), `INSERT INTO work (id, requester, state, ended_at, reason)
		SELECT ? + j.n - 1, ?, 'failed', UTC_TIMESTAMP(6), ? FROM JSON_TABLE(?, '$[*]' COLUMNS (n FOR ORDINALITY)) j`, int64(id.Work(0)), int64(n.Requester), reason, places)
	b.must(1, `INSERT INTO event (at, kind, work_id, account_id, request_id, data) VALUES (UTC_TIMESTAMP(6), 'batch.refused', ?, ?, ?, ?)`,
		int64(id.Work(0)), int64(n.Requester), orNull(n.RequestID), list(reason))
}

// writeTasks adds the tasks of a part of a deal; each is looked at once, because
// anybody may have initialized it.
func writeTasks(b *statements, deal int64, first int, id pool.BatchID, tasks []pool.Hash) {
	b.must(int64(len(tasks)), `INSERT INTO task (work_id, deal, task_id, task_index, look_at)
		SELECT ? + j.n - 1, ?, UNHEX(j.id), ? + j.n - 1, `+touchedAt+` FROM JSON_TABLE(?, '$[*]' COLUMNS (n FOR ORDINALITY, id CHAR(64) PATH '$')) j`,
		int64(id.Work(0)), deal, first, list(hexes(tasks)))
}

// clipped cuts a text to so many characters of the database.
func clipped(text string, most int) string {
	if letters := []rune(text); len(letters) > most {
		return string(letters[:most])
	}
	return text
}
