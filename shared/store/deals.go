package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"slices"
	"time"

	"workerpool/shared/pool"
	"workerpool/shared/wire"
)

// touchedAt is the moment written into task.look_at when something happened to a
// task since it was seen: it is looked at before any deadline, and until then
// nothing is decided on it.
const touchedAt = "'2000-01-01'"

// Cursor gives the last block that was followed; a zero one before the first.
func (s *Store) Cursor(ctx context.Context) (pool.Block, error) {
	var b pool.Block
	var hash []byte
	err := s.db.QueryRowContext(ctx, "SELECT block, hash, at FROM chain_cursor WHERE id = 1").Scan(&b.Number, &hash, &b.Time)
	if errors.Is(err, sql.ErrNoRows) {
		return pool.Block{}, nil
	}
	b.Hash = hashOf(hash)
	return b, failure("reading the cursor", err)
}

// dealRow is a deal as the database takes it.
type dealRow struct {
	ID       string `json:"id"`
	Login    string `json:"login"`
	Block    uint64 `json:"block"`
	Start    string `json:"start"`
	Final    string `json:"final"`
	Limit    int64  `json:"limit"`
	First    int    `json:"first"`
	Tasks    int    `json:"tasks"`
	Trust    int    `json:"trust"`
	Price    int64  `json:"price"`
	Stake    int64  `json:"stake"`
	Owner    string `json:"owner"`
	Callback int    `json:"callback"`
	Terms    string `json:"terms"`
}

func dealRows(deals []pool.Deal) ([]dealRow, error) {
	rows := make([]dealRow, len(deals))
	for i, d := range deals {
		terms, err := wire.EncodeTerms(d)
		if err != nil {
			return nil, err
		}
		rows[i] = dealRow{
			ID: hex.EncodeToString(d.ID[:]), Login: d.Requester.String(), Block: d.Block, Start: *stamp(d.Start), Final: *stamp(d.FinalBy()),
			Limit: int64(d.T / time.Second), First: d.First, Tasks: d.Tasks, Trust: d.Trust, Price: int64(d.Price), Stake: int64(d.Stake),
			Owner: hex.EncodeToString(d.Owner[:]), Terms: string(terms),
		}
		if !d.Callback.IsZero() {
			rows[i].Callback = 1
		}
	}
	slices.SortFunc(rows, func(a, b dealRow) int { return cmp.Compare(a.ID, b.ID) })
	return rows, nil
}

// Followed stores what was found by following: new deals with their requesters'
// accounts, the moved start of known ones, which moves the deadlines of their
// works, and which tasks are to be looked at; and moves the cursor, if it still is
// where the following began. Two round trips, or one without deals.
func (s *Store) Followed(ctx context.Context, l *pool.Lease, f pool.Followed) error {
	rows, err := dealRows(f.Deals)
	if err != nil {
		return err
	}
	return s.transact(ctx, "storing what was followed", func(conn *sql.Conn) error {
		b := &statements{}
		b.add("START TRANSACTION")
		fence(b, l)
		moveCursor(b, f.From, f.To, f.Clock)
		if len(rows) > 0 {
			writeDeals(b, list(rows), f.To.Number)
		}
		// One that was forgotten and came back begins anew, when all of its works are forgotten.
		b.add("UPDATE deal d SET d.state = 'new', d.taken = 0, d.reason = NULL WHERE d.state = 'gone' AND d.on_chain AND NOT EXISTS (SELECT 1 FROM task k WHERE k.deal = d.id)")
		if len(f.Touched) > 0 {
			b.add(`UPDATE JSON_TABLE(?, '$[*]' COLUMNS (id CHAR(64) PATH '$')) j STRAIGHT_JOIN task k ON k.task_id = UNHEX(j.id)
				SET k.look_at = `+touchedAt+", k.touched = GREATEST(k.touched, ?) WHERE NOT k.final", list(hexes(f.Touched)), f.To.Number)
		}
		b.add("COMMIT")
		err := exec(ctx, conn, b)
		if number(err) == erDuplicate {
			err = errors.Join(errMoved, err)
		}
		return lostRace(fenced(ctx, conn, l, err))
	})
}

// lostRace makes pool.Conflict of rows that had moved: what they were compared
// with was read by the caller, so doing the same again is in vain.
func lostRace(err error) error {
	if errors.Is(err, errMoved) {
		return pool.Refuse(pool.Conflict, "", "another has changed this meanwhile")
	}
	return err
}

// moveCursor adds the statement that moves the cursor from where it was read.
func moveCursor(b *statements, from, to pool.Block, clock time.Time) {
	if from.Hash.IsZero() {
		b.add("INSERT INTO chain_cursor (id, block, hash, at) VALUES (1, ?, ?, ?)", to.Number, to.Hash[:], stamp(clock))
		return
	}
	b.must(1, "UPDATE chain_cursor SET block = ?, hash = ?, at = ? WHERE id = 1 AND block = ? AND hash = ?", to.Number, to.Hash[:], stamp(clock), from.Number, from.Hash[:])
}

// writeDeals adds the statements that store deals, given as a list of dealRow.
func writeDeals(b *statements, rows string, seen uint64) {
	const moved = `JSON_TABLE(?, '$[*]' COLUMNS (id CHAR(64) PATH '$.id', start VARCHAR(26) PATH '$.start', final VARCHAR(26) PATH '$.final')) j
		STRAIGHT_JOIN deal d ON d.deal_id = UNHEX(j.id) AND d.start_at <> CAST(j.start AS DATETIME(6)) STRAIGHT_JOIN task k ON k.deal = d.id`
	b.add(`UPDATE (SELECT DISTINCT k.work_id >> 14 AS id, j.final FROM `+moved+`) m STRAIGHT_JOIN batch b ON b.id = m.id SET b.deadline = m.final`, rows)
	b.add("UPDATE "+moved+" SET k.look_at = "+touchedAt+", k.touched = GREATEST(k.touched, ?) WHERE NOT k.final", rows, seen)
	b.add(`INSERT INTO account (login, role, created_at) SELECT j.login, 'requester', UTC_TIMESTAMP(6) FROM JSON_TABLE(?, '$[*]' COLUMNS (login VARCHAR(64) PATH '$.login')) j
		ON DUPLICATE KEY UPDATE account.role = account.role`, rows)
	b.add(`INSERT INTO deal (deal_id, account_id, block, start_at, final_at, run_limit_s, first_task, tasks, trust, price, stake, owner, callback, terms, state)
		SELECT UNHEX(j.id), a.id, j.block, j.start, j.final, j.run, j.first, j.tasks, j.trust, j.price, j.stake, UNHEX(j.owner), j.callback, j.terms, 'new'
		FROM JSON_TABLE(?, '$[*]' COLUMNS (id CHAR(64) PATH '$.id', login VARCHAR(64) PATH '$.login', block BIGINT PATH '$.block', start VARCHAR(26) PATH '$.start',
			final VARCHAR(26) PATH '$.final', run INT PATH '$.limit', first BIGINT PATH '$.first', tasks INT PATH '$.tasks', trust INT PATH '$.trust',
			price BIGINT PATH '$.price', stake BIGINT PATH '$.stake', owner CHAR(40) PATH '$.owner', callback INT PATH '$.callback', terms MEDIUMTEXT PATH '$.terms')) j
		STRAIGHT_JOIN account a ON a.login = j.login
		ON DUPLICATE KEY UPDATE deal.block = j.block, deal.start_at = j.start, deal.final_at = j.final, deal.on_chain = TRUE`, rows)
}

// Unwind answers a reorganisation: the cursor goes back to a block that stands,
// deals matched behind it count as unsure until they are seen again, tasks seen
// behind it are to be looked at anew, and broadcasts mined behind it are to be sent
// again.
func (s *Store) Unwind(ctx context.Context, l *pool.Lease, from, to pool.Block) error {
	return s.transact(ctx, "going back", func(conn *sql.Conn) error {
		b := &statements{}
		b.add("START TRANSACTION")
		fence(b, l)
		moveCursor(b, from, to, to.Time)
		b.add("UPDATE deal SET on_chain = FALSE WHERE block > ? AND state IN ('new', 'open')", to.Number)
		b.add(`UPDATE task FORCE INDEX (task_status) SET look_at = `+touchedAt+`, seen_block = 0, touched = ?
			WHERE final = FALSE AND status IN (0, 1, 2, 3, 4) AND seen_block > ?`, to.Number+1, to.Number)
		unsettle(b, "broadcast_block", "b.block > ?", to.Number)
		b.must(1, "INSERT INTO event (at, kind, data) VALUES (UTC_TIMESTAMP(6), 'chain.reorganised', ?)", list(map[string]uint64{"from": from.Number, "to": to.Number}))
		b.add("COMMIT")
		return lostRace(fenced(ctx, conn, l, exec(ctx, conn, b)))
	})
}

// Unsure gives deals that a reorganisation took away, with the blocks in which
// they were, at most limit.
func (s *Store) Unsure(ctx context.Context, limit int) ([]pool.Deal, error) {
	rows, err := s.db.QueryContext(ctx, "SELECT deal_id, block FROM deal WHERE state IN ('new', 'open') AND on_chain = FALSE LIMIT ?", limit)
	if err != nil {
		return nil, failure("reading unsure deals", err)
	}
	defer rows.Close()
	var deals []pool.Deal
	for rows.Next() {
		var d pool.Deal
		var id []byte
		if err := rows.Scan(&id, &d.Block); err != nil {
			return nil, failure("reading unsure deals", err)
		}
		d.ID = pool.Hash(id)
		deals = append(deals, d)
	}
	return deals, failure("reading unsure deals", rows.Err())
}

// Gone gives up unsure deals, which the chain will not bring back. Their works are
// for Forget.
func (s *Store) Gone(ctx context.Context, l *pool.Lease, deals []pool.Hash) error {
	return s.transact(ctx, "giving up deals", func(conn *sql.Conn) error {
		ids := list(hexes(deals))
		const these = "JSON_TABLE(?, '$[*]' COLUMNS (id CHAR(64) PATH '$')) j STRAIGHT_JOIN deal d ON d.deal_id = UNHEX(j.id) AND d.state IN ('new', 'open') AND NOT d.on_chain"
		b := &statements{}
		b.add("START TRANSACTION")
		fence(b, l)
		b.add(`INSERT INTO event (at, kind, account_id, data) SELECT UTC_TIMESTAMP(6), 'deal.gone', d.account_id, JSON_QUOTE(CONCAT('0x', j.id)) FROM `+these, ids)
		b.add("UPDATE "+these+" SET d.state = 'gone', d.reason = 'a reorganisation of the chain took the deal away'", ids)
		b.add("COMMIT")
		return lostRace(fenced(ctx, conn, l, exec(ctx, conn, b)))
	})
}

func hexes(hashes []pool.Hash) []string {
	texts := make([]string, len(hashes))
	for i, h := range hashes {
		texts[i] = hex.EncodeToString(h[:])
	}
	return texts
}
