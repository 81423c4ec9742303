package store

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"workerpool/shared/pool"
	"workerpool/shared/settlement"
)

// Oldest gives the open tasks that were not looked at for the longest, at most
// limit: what was missed of them is found by comparing.
func (s *Store) Oldest(ctx context.Context, limit int) ([]pool.WorkID, error) {
	return s.worksWhere(ctx, `SELECT k.work_id FROM (SELECT work_id, deal FROM task FORCE INDEX (task_seen) WHERE final = FALSE ORDER BY final, seen_at LIMIT ?) k
		JOIN deal d ON d.id = k.deal AND d.on_chain AND d.state <> 'gone'`, limit)
}

// OpenTasks gives a page of the tasks that can still change, by their works, after one.
func (s *Store) OpenTasks(ctx context.Context, after pool.WorkID, limit int) ([]pool.WorkID, error) {
	return s.worksWhere(ctx, `SELECT k.work_id FROM task k FORCE INDEX (PRIMARY) STRAIGHT_JOIN deal d ON d.id = k.deal AND d.on_chain AND d.state <> 'gone'
		WHERE k.work_id > ? AND NOT k.final ORDER BY k.work_id LIMIT ?`, int64(after), limit)
}

// Compare reads what the books have of tasks, to be held against the chain. One
// round trip.
func (s *Store) Compare(ctx context.Context, works []pool.WorkID) ([]pool.Compared, error) {
	var all []pool.Compared
	err := s.transact(ctx, "reading tasks to compare", func(conn *sql.Conn) error {
		all = nil
		ids := list(works)
		const each = "JSON_TABLE(?, '$[*]' COLUMNS (id BIGINT PATH '$')) j STRAIGHT_JOIN "
		b := &statements{}
		b.add(`SELECT k.work_id, d.deal_id, k.task_id, k.status, k.reveal_by, k.consensus, k.reveals, k.winners, k.seen_block, k.look_at IS NOT NULL AND k.look_at = `+touchedAt+`
			FROM `+each+"task k ON k.work_id = j.id STRAIGHT_JOIN deal d ON d.id = k.deal ORDER BY k.work_id", ids)
		b.add(contributionsSQL, ids)
		b.add("SELECT u.work_id, u.wallet FROM "+each+"authorisation u FORCE INDEX (PRIMARY) ON u.work_id = j.id", ids)
		out, err := query(ctx, conn, b)
		if err != nil {
			return err
		}
		err = out.each(func(rows *sql.Rows) error {
			var c pool.Compared
			var deal, task, consensus []byte
			var revealBy sql.NullTime
			if err := rows.Scan(&c.Work, &deal, &task, &c.Task.Status, &revealBy, &consensus, &c.Task.Reveals, &c.Task.Winners, &c.Task.Block, &c.Stale); err != nil {
				return err
			}
			c.Deal, c.Task.ID, c.Task.Consensus, c.Task.RevealBy = pool.Hash(deal), pool.Hash(task), hashOf(consensus), orZero(revealBy)
			all = append(all, c)
			return nil
		})
		at := map[pool.WorkID]*pool.Compared{}
		for i := range all {
			at[all[i].Work] = &all[i]
		}
		return errors.Join(err,
			out.each(func(rows *sql.Rows) error {
				work, c, err := scanContribution(rows)
				if t := at[work]; t != nil && err == nil {
					t.Task.Contributions = append(t.Task.Contributions, c)
				}
				return err
			}),
			out.each(func(rows *sql.Rows) error {
				var work pool.WorkID
				var wallet []byte
				if err := rows.Scan(&work, &wallet); err != nil {
					return err
				}
				if t := at[work]; t != nil {
					t.Vouched = append(t.Vouched, pool.Address(wallet))
				}
				return nil
			}),
			out.close())
	})
	return all, err
}

// Strangers gives those of the deals that the books do not have.
func (s *Store) Strangers(ctx context.Context, deals []pool.Hash) ([]pool.Hash, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT UNHEX(j.id) FROM JSON_TABLE(?, '$[*]' COLUMNS (id CHAR(64) PATH '$')) j
		LEFT JOIN deal d ON d.deal_id = UNHEX(j.id) WHERE d.id IS NULL`, list(hexes(deals)))
	return hashesOf("looking for unknown deals", rows, err)
}

// ChainCensus counts what is open on the chain's side. It reads every task that has
// not ended: keep its answer a while. One round trip.
func (s *Store) ChainCensus(ctx context.Context) (pool.ChainCensus, error) {
	var c pool.ChainCensus
	err := s.transact(ctx, "counting the chain's side", func(conn *sql.Conn) error {
		c = pool.ChainCensus{}
		b := &statements{}
		b.add("SELECT " + strings.Join([]string{
			"(SELECT COUNT(*) FROM task WHERE final = FALSE AND status IN (0, 1, 2))",
			"(SELECT COUNT(*) FROM deal WHERE state IN ('new', 'open') AND on_chain = FALSE)",
			"(SELECT COUNT(*) FROM action WHERE state = 'wanted')",
			"(SELECT COUNT(*) FROM broadcast WHERE state = 'signed')",
			"(SELECT MIN(before_at) FROM action WHERE state = 'wanted')",
		}, ", "))
		b.add(`SELECT d.price, SUM(d.tasks - d.taken) + (SELECT COUNT(*) FROM task k FORCE INDEX (task_deal) WHERE k.deal = d.id AND k.final = FALSE AND k.status IN (0, 1, 2))
			FROM deal d WHERE d.state IN ('new', 'open') GROUP BY d.id, d.price`)
		out, err := query(ctx, conn, b)
		if err != nil {
			return err
		}
		var before sql.NullTime
		_, err = out.one(&c.Tasks, &c.Unsure, &c.Wanted, &c.Unsettled, &before)
		c.Before = orZero(before)
		return errors.Join(err, out.each(func(rows *sql.Rows) error {
			var price, tasks pool.NRLC
			err := rows.Scan(&price, &tasks)
			c.Stake += settlement.Stake(price) * tasks
			return err
		}), out.close())
	})
	return c, err
}

// Busy tells that something of the chain's side may soon need care: a deal to be
// taken in, a task that has not ended, an action or a broadcast under way.
func (s *Store) Busy(ctx context.Context) (bool, error) {
	var busy bool
	err := s.db.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM task WHERE final = FALSE AND status IN (0, 1, 2)) OR EXISTS (SELECT 1 FROM deal WHERE state = 'new')
		OR EXISTS (SELECT 1 FROM action WHERE state IN ('wanted', 'sent')) OR EXISTS (SELECT 1 FROM broadcast WHERE state = 'signed')`).Scan(&busy)
	return busy, failure("asking whether the chain's side is busy", err)
}
