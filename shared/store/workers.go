package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"time"

	"workerpool/shared/pool"
	"workerpool/shared/wire"
)

// Register makes a worker, or finds the one of that account and name and gives
// it these slots and capabilities, and its wallet if it had none. With another key
// or another wallet than the first time, or the wallet of another worker, it is
// pool.Conflict: one wallet has one lane on the chain.
func (s *Store) Register(ctx context.Context, n pool.NewWorker, t pool.Trace) (pool.WorkerID, error) {
	capabilities, err := wire.EncodeCapabilities(n.Capabilities)
	if err != nil {
		return 0, err
	}
	key := sha256.Sum256(n.Key[:])
	var id pool.WorkerID
	err = s.transact(ctx, "registering a worker", func(conn *sql.Conn) error {
		b := &statements{}
		b.add("START TRANSACTION")
		b.add(`INSERT INTO worker (account_id, name, key_hash, state, slots, capabilities, created_at) VALUES (?, ?, ?, 'active', ?, ?, UTC_TIMESTAMP(6))
			ON DUPLICATE KEY UPDATE id = LAST_INSERT_ID(id), slots = IF(key_hash = ?, ?, slots), capabilities = IF(key_hash = ?, ?, capabilities)`,
			int64(n.Account), n.Name, key[:], n.Slots, string(capabilities), key[:], n.Slots, key[:], string(capabilities))
		b.add("SELECT id, key_hash = ?, wallet FROM worker WHERE id = LAST_INSERT_ID()", key[:])
		out, err := query(ctx, conn, b)
		if err != nil {
			return err
		}
		var same bool
		var wallet []byte
		_, err = out.one(&id, &same, &wallet)
		if err = errors.Join(err, out.close()); err != nil {
			return err
		}
		if !same {
			return pool.Refuse(pool.Conflict, "name", "a worker %q of this account is registered with another key; choose another name", n.Name)
		}
		b = &statements{}
		if !n.Wallet.IsZero() {
			if wallet != nil && pool.Address(wallet) != n.Wallet {
				return pool.Refuse(pool.Conflict, "wallet", "this worker has the wallet %s; another wallet needs another worker", pool.Address(wallet))
			}
			b.add("UPDATE worker SET wallet = ? WHERE id = ?", n.Wallet[:], int64(id))
		}
		b.add("INSERT INTO event (at, kind, worker_id, account_id, request_id) VALUES (UTC_TIMESTAMP(6), 'worker.registered', ?, ?, ?)",
			int64(id), int64(t.Account), t.RequestID)
		// A lease that is over: the worker is live from its first heartbeat on.
		b.add("INSERT INTO beat (worker_id, until, interval_s) VALUES (?, '2000-01-01', 1) ON DUPLICATE KEY UPDATE worker_id = worker_id", int64(id))
		b.add("COMMIT")
		err = exec(ctx, conn, b)
		if number(err) == erDuplicate {
			return pool.Refuse(pool.Conflict, "wallet", "another worker has the wallet %s", n.Wallet)
		}
		return err
	})
	return id, err
}

// ownerSQL derives whose a worker is; w and c are the worker and its account.
const ownerSQL = "IF(c.shared, CONCAT('worker:', w.id), CONCAT('account:', w.account_id))"

// Hear reads a worker of an account; pool.NotFound when there is no such worker,
// pool.Forbidden when the account is disabled. One round trip, two for a worker
// that has works of deals, no commit.
func (s *Store) Hear(ctx context.Context, account pool.AccountID, worker pool.WorkerID) (pool.Hearing, error) {
	var h pool.Hearing
	err := s.transact(ctx, "hearing a worker", func(conn *sql.Conn) error {
		h = pool.Hearing{Kept: map[pool.WorkID]pool.Digest{}, Specs: map[pool.WorkID]pool.Offering{}}
		b := &statements{}
		b.add(`SELECT UTC_TIMESTAMP(6), w.id, `+ownerSQL+`, w.state, w.slots, w.quota, w.capabilities, w.wallet IS NOT NULL, t.until, t.interval_s, c.disabled, p.state, p.live_workers
			FROM worker w JOIN account c ON c.id = w.account_id JOIN beat t ON t.worker_id = w.id JOIN pool_state p ON p.id = 1 WHERE w.id = ? AND w.account_id = ?`,
			int64(worker), int64(account))
		b.add("SELECT "+assignmentColumns+`, w.state, w.digest, b.origin FROM assignment a JOIN work w ON w.id = a.work_id JOIN batch b ON b.id = a.work_id >> 14
			WHERE a.worker_id = ? ORDER BY a.work_id`, int64(worker))
		// Forced: MySQL would read all items when its statistics are of few.
		b.add(`SELECT a.work_id, b.requester, r.login, b.template, i.item, b.run_limit_s, l.demands FROM assignment a JOIN batch b ON b.id = a.work_id >> 14
			LEFT JOIN account r ON r.id = b.requester JOIN class l ON l.id = b.class_id LEFT JOIN work_item i FORCE INDEX (PRIMARY) ON i.work_id = a.work_id
			WHERE a.worker_id = ? AND a.state = 'offered'`, int64(worker))
		b.add(readyClassesSQL)
		out, err := query(ctx, conn, b)
		if err != nil {
			return err
		}
		disabled, deals, err := scanHearing(&h, out)
		var classes []pool.ClassID
		if err == nil {
			err = out.each(func(rows *sql.Rows) error {
				var id pool.ClassID
				defer func() { classes = append(classes, id) }()
				return rows.Scan(&id)
			})
		}
		if err = errors.Join(err, out.close()); err != nil {
			return err
		}
		if deals {
			if h.Turns, err = readTurns(ctx, conn, worker); err != nil {
				return err
			}
		}
		switch {
		case h.Worker.ID == 0:
			return pool.Refuse(pool.NotFound, "id", "no worker %d", worker)
		case disabled:
			return pool.Refuse(pool.Forbidden, "", "this account is disabled")
		}
		known, err := s.demands(ctx, conn, classes)
		for _, id := range classes {
			h.Ready = append(h.Ready, known[id])
		}
		return err
	})
	return h, err
}

func scanHearing(h *pool.Hearing, out *results) (disabled, deals bool, err error) {
	var capabilities []byte
	var interval int64
	var wallet bool
	_, err = out.one(&h.Now, &h.Worker.ID, &h.Worker.Owner, &h.Worker.State, &h.Worker.Slots, &h.Worker.Quota, &capabilities, &wallet, &h.Worker.Until, &interval, &disabled,
		&h.State, &h.Live)
	if err != nil {
		return false, false, err
	}
	h.Worker.Interval = time.Duration(interval) * time.Second
	if capabilities != nil {
		if h.Worker.Capabilities, err = wire.DecodeCapabilities(capabilities); err != nil {
			return false, false, err
		}
	}
	h.Worker.Capabilities.Wallet = wallet
	err = out.each(func(rows *sql.Rows) error {
		var a pool.Assignment
		var state pool.WorkState
		var digest []byte
		var origin pool.Origin
		if err := scanAssignment(rows, &a, &state, &digest, &origin); err != nil {
			return err
		}
		deals = deals || origin == pool.OriginDeal
		h.Rows = append(h.Rows, a)
		if state.Open() && digest != nil {
			h.Kept[a.Work] = pool.Digest(digest)
		}
		if a.State.Open() {
			h.Worker.Open++
		}
		return nil
	})
	if err != nil {
		return false, false, err
	}
	return disabled, deals, out.each(func(rows *sql.Rows) error {
		var id pool.WorkID
		var requester pool.AccountID
		var login string
		var template, item, demands []byte
		var limit int64
		if err := rows.Scan(&id, &requester, &login, &template, &item, &limit, &demands); err != nil {
			return err
		}
		spec, err := wire.Spec(template, item)
		if err != nil {
			return err
		}
		wanted, err := wire.DecodeDemands(demands)
		h.Specs[id] = pool.Offering{Requester: requester, Login: login, Spec: spec, RunLimit: time.Duration(limit) * time.Second, MemoryMB: wanted.MemoryMB}
		return err
	})
}

// readyClassesSQL finds the classes that have ready works by one probe a class.
// DISTINCT over the ready table would read all of it whenever the server's
// statistics are older than a large submission.
const readyClassesSQL = `SELECT l.id FROM class l WHERE (SELECT r.class_id FROM ready r WHERE r.class_id = l.id LIMIT 1) IS NOT NULL`

// demands gives the demands of classes, reading those this process has not seen.
func (s *Store) demands(ctx context.Context, conn *sql.Conn, ids []pool.ClassID) (map[pool.ClassID]pool.Demands, error) {
	known := map[pool.ClassID]pool.Demands{}
	var unknown []pool.ClassID
	for _, id := range ids {
		if d, ok := s.classes.Load(id); ok {
			known[id] = d.(pool.Demands)
		} else {
			unknown = append(unknown, id)
		}
	}
	if len(unknown) == 0 {
		return known, nil
	}
	rows, err := conn.QueryContext(ctx, "SELECT l.id, l.demands FROM JSON_TABLE(?, '$[*]' COLUMNS (id BIGINT PATH '$')) j JOIN class l ON l.id = j.id", list(unknown))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id pool.ClassID
		var text []byte
		if err := rows.Scan(&id, &text); err != nil {
			return nil, err
		}
		if known[id], err = wire.DecodeDemands(text); err != nil {
			return nil, err
		}
		s.classes.Store(id, known[id])
	}
	return known, rows.Err()
}

// writeWorker adds what a heartbeat states of its worker. It comes before the
// assignments, as dispatch locks them.
func writeWorker(b *statements, r pool.Renewal) {
	if r.Slots > 0 {
		b.add("UPDATE worker SET slots = ? WHERE id = ?", r.Slots, int64(r.Worker))
	}
	if r.Capabilities != nil {
		b.add("UPDATE worker SET capabilities = ? WHERE id = ?", list(wire.FromCapabilities(*r.Capabilities)), int64(r.Worker))
	}
}

// writeLease adds the renewal of a worker's lease, unless the lease was cut since
// the worker was heard: nobody else moves its end back.
func writeLease(b *statements, r pool.Renewal) {
	const renew = "UPDATE beat SET until = GREATEST(until, UTC_TIMESTAMP(6) + INTERVAL ? MICROSECOND), interval_s = ? WHERE worker_id = ?"
	args := []any{r.Lease.Microseconds(), int64(r.Interval / time.Second), int64(r.Worker)}
	if r.Seen.IsZero() {
		b.add(renew, args...)
		return
	}
	b.add(renew+" AND until >= ?", append(args, r.Seen)...)
}

// cutLease adds the end of a worker's lease. It ends earlier than any heartbeat
// has seen it end, so that those under way renew it no more.
func cutLease(b *statements, worker pool.WorkerID) {
	b.add("UPDATE beat SET until = LEAST(until, UTC_TIMESTAMP(6)) - INTERVAL 1 MICROSECOND WHERE worker_id = ?", int64(worker))
}

// Renew writes a worker's lease. One round trip.
func (s *Store) Renew(ctx context.Context, r pool.Renewal) error {
	return s.transact(ctx, "renewing a lease", func(conn *sql.Conn) error {
		b := &statements{}
		b.add("START TRANSACTION")
		writeWorker(b, r)
		writeLease(b, r)
		b.add("COMMIT")
		return exec(ctx, conn, b)
	})
}

// Workers gives a page of workers after an id, ascending, with the database's
// time; of one account, or all with account 0. Workers on a shared account are
// each their own owner: that account alone sees none of them.
func (s *Store) Workers(ctx context.Context, account pool.AccountID, after pool.WorkerID, limit int) ([]pool.WorkerRecord, time.Time, error) {
	var now time.Time
	var page []pool.WorkerRecord
	rows, err := s.db.QueryContext(ctx, `SELECT UTC_TIMESTAMP(6), w.id, `+ownerSQL+`, w.account_id, w.name, w.state, w.slots, w.quota, w.capabilities, w.wallet IS NOT NULL, t.until, t.interval_s,
			w.created_at, COALESCE(o.open, 0), COALESCE(y.agreed, 0) + COALESCE(o.agreed, 0), COALESCE(y.disagreed, 0) + COALESCE(o.disagreed, 0),
			COALESCE(y.failed, 0) + COALESCE(o.failed, 0), COALESCE(y.lost, 0) + COALESCE(o.lost, 0)
		FROM worker w JOIN account c ON c.id = w.account_id JOIN beat t ON t.worker_id = w.id LEFT JOIN tally y ON y.worker_id = w.id
		LEFT JOIN (SELECT a.worker_id, SUM(a.state IN ('offered', 'running')) AS open, `+tallySQL+` FROM (SELECT id FROM worker WHERE id > ? AND (? = 0 OR account_id = ?) ORDER BY id LIMIT ?) p
			STRAIGHT_JOIN assignment a ON a.worker_id = p.id JOIN work k ON k.id = a.work_id GROUP BY a.worker_id) o ON o.worker_id = w.id
		WHERE w.id > ? AND (? = 0 OR w.account_id = ? AND NOT c.shared) ORDER BY w.id LIMIT ?`,
		int64(after), int64(account), int64(account), limit, int64(after), int64(account), int64(account), limit)
	if err != nil {
		return nil, now, failure("listing workers", err)
	}
	defer rows.Close()
	for rows.Next() {
		var r pool.WorkerRecord
		var capabilities []byte
		var interval int64
		var wallet bool
		err := rows.Scan(&now, &r.ID, &r.Owner, &r.Account, &r.Name, &r.State, &r.Slots, &r.Quota, &capabilities, &wallet, &r.Until, &interval, &r.Registered,
			&r.Open, &r.Agreed, &r.Disagreed, &r.Failed, &r.Lost)
		if err != nil {
			return nil, now, failure("listing workers", err)
		}
		r.Interval = time.Duration(interval) * time.Second
		if r.Capabilities, err = wire.DecodeCapabilities(capabilities); err != nil {
			return nil, now, err
		}
		r.Capabilities.Wallet = wallet
		page = append(page, r)
	}
	return page, now, failure("listing workers", rows.Err())
}

// tallySQL counts what became of a worker's turns; a and k are the assignment
// and its work. Three digests and more tell of an app that is not deterministic:
// then nobody is blamed for its own.
const tallySQL = `SUM(a.digest IS NOT NULL AND k.digest IS NOT NULL AND a.digest = k.digest) AS agreed,
	SUM(a.digest IS NOT NULL AND k.digest IS NOT NULL AND a.digest <> k.digest
		AND (SELECT COUNT(DISTINCT x.digest) FROM assignment x WHERE x.work_id = a.work_id) < 3) AS disagreed,
	SUM(a.state = 'failed') AS failed, SUM(a.state = 'expired') AS lost`

// SetWorkerState drains, deactivates or activates a worker of an account that is
// not shared, or any with account 0. What is already so stays so and leaves no
// event. Deactivating ends the worker's lease as well.
func (s *Store) SetWorkerState(ctx context.Context, account pool.AccountID, worker pool.WorkerID, state pool.WorkerState, t pool.Trace) error {
	return s.transact(ctx, "changing a worker's state", func(conn *sql.Conn) error {
		b := &statements{}
		b.add("START TRANSACTION")
		b.add("INSERT INTO event (at, kind, worker_id, account_id, request_id) SELECT UTC_TIMESTAMP(6), ?, id, ?, ? FROM worker WHERE id = ? AND state <> ? FOR UPDATE",
			"worker."+string(state), int64(t.Account), t.RequestID, int64(worker), string(state))
		b.must(1, "UPDATE worker w JOIN account c ON c.id = w.account_id SET w.state = ? WHERE w.id = ? AND (? = 0 OR w.account_id = ? AND NOT c.shared)",
			string(state), int64(worker), int64(account), int64(account))
		if state == pool.Inactive {
			cutLease(b, worker)
		}
		b.add("COMMIT")
		err := exec(ctx, conn, b)
		if errors.Is(err, errMoved) {
			return pool.Refuse(pool.NotFound, "id", "no worker %d", worker)
		}
		return err
	})
}
