package storetest

import (
	"database/sql"

	"workerpool/shared/pool"
)

// dealRow is what the books say of a work of a deal beyond any other work.
type dealRow struct {
	status    pool.TaskStatus
	final     bool
	consensus bool
	digest    pool.Digest
	file      pool.Digest
	vouched   string
	chain     map[pool.Address]pool.ContributionStatus
	words     map[pool.WorkerID]pool.Address
}

// readDeals reads the tasks with what was contributed to them and by whose word.
func (s *snapshot) readDeals(each func(string, func(*sql.Rows) error) error) error {
	err := each(`SELECT w.id, t.status, t.final, t.consensus IS NOT NULL, t.digest, w.file, COALESCE(w.vouched, '') FROM work w JOIN batch b ON b.id = w.id >> 14
		LEFT JOIN task t ON t.work_id = w.id
		WHERE b.origin = 'deal' AND w.state <> 'cancelled' OR t.work_id IS NOT NULL -- a deal that is gone has taken its tasks along`, func(r *sql.Rows) error {
		var id pool.WorkID
		var status sql.NullInt64
		var final, consensus sql.NullBool
		var digest, file []byte
		var vouched string
		err := r.Scan(&id, &status, &final, &consensus, &digest, &file, &vouched)
		if status.Valid {
			s.deals[id] = &dealRow{
				status: pool.TaskStatus(status.Int64), final: final.Bool, consensus: consensus.Bool, digest: digestOf(digest), file: digestOf(file), vouched: vouched,
				chain: map[pool.Address]pool.ContributionStatus{}, words: map[pool.WorkerID]pool.Address{},
			}
		} else {
			s.taskless = append(s.taskless, id)
		}
		return err
	})
	if err != nil {
		return err
	}
	err = each("SELECT work_id, wallet, status FROM contribution", func(r *sql.Rows) error {
		var id pool.WorkID
		var wallet []byte
		var status pool.ContributionStatus
		err := r.Scan(&id, &wallet, &status)
		if d := s.deals[id]; d != nil {
			d.chain[pool.Address(wallet)] = status
		}
		return err
	})
	if err != nil {
		return err
	}
	return each("SELECT work_id, worker_id, wallet FROM authorisation", func(r *sql.Rows) error {
		var id pool.WorkID
		var worker pool.WorkerID
		var wallet []byte
		err := r.Scan(&id, &worker, &wallet)
		if d := s.deals[id]; d != nil {
			d.words[worker] = pool.Address(wallet)
		}
		return err
	})
}

// deal is what holds of a work of a deal: its end is the chain's, whatever is
// contributed was authorised (P6), and what the chain does not show did not happen.
func (s *snapshot) deal(f *findings, w pool.Work, d *dealRow) {
	refused := len(s.turns[w.ID]) == 0
	switch {
	case w.State == pool.Done && !(d.final && d.status == pool.TaskCompleted):
		f.add("work %d is done and its task has the status %d, final: %v", w.ID, d.status, d.final)
	case w.State == pool.Failed && !refused && !(d.final && d.status == pool.TaskFailed):
		f.add("work %d failed and its task has the status %d, final: %v", w.ID, d.status, d.final)
	case w.State == pool.Agreed && !(d.status >= pool.TaskRevealing && d.consensus):
		f.add("work %d is agreed and its task has the status %d", w.ID, d.status)
	case !d.file.IsZero() && w.Digest != d.digest:
		f.add("work %d has bytes of another digest than was revealed", w.ID)
	case w.State == pool.Failed && w.Reason == "":
		f.add("work %d failed without a reason", w.ID)
	case d.file.IsZero() && d.vouched != "":
		f.add("work %d is %s and has no bytes", w.ID, d.vouched)
	}
	uploading, checking := 0, 0
	ours := map[pool.Address]pool.WorkerID{}
	for id, by := range s.workers {
		if !by.wallet.IsZero() {
			ours[by.wallet] = id
		}
	}
	for _, t := range s.turns[w.ID] {
		status := d.chain[s.workers[t.Worker].wallet]
		switch t.State {
		case pool.HasContributed:
			if status == pool.NotContributed {
				f.add("work %d has worker %d's contribution, which the chain has not shown", w.ID, t.Worker)
			}
		case pool.HasRevealed, pool.Uploading, pool.Checking:
			if status != pool.Proved {
				f.add("work %d has worker %d %s, which the chain has not shown to reveal", w.ID, t.Worker, t.State)
			}
		}
		switch t.State {
		case pool.Uploading:
			uploading++
		case pool.Checking:
			checking++
		}
		if w.State.Ended() && t.State.Held() {
			f.add("work %d is %s and worker %d holds a turn", w.ID, w.State, t.Worker)
		}
	}
	if uploading > 1 || uploading == 1 && (w.State != pool.Agreed || !d.file.IsZero() && d.vouched != "disputed") {
		f.add("work %d is %s with %d uploading", w.ID, w.State, uploading)
	}
	if checking > 1 || checking == 1 && (w.State != pool.Agreed || d.file.IsZero() || d.vouched != "") {
		f.add("work %d is %s and %q with %d checking", w.ID, w.State, d.vouched, checking)
	}
	for wallet := range d.chain {
		if worker, known := ours[wallet]; known && d.words[worker] != wallet {
			f.add("work %d has a contribution of worker %d without the pool's word in the books", w.ID, worker)
		}
	}
}
