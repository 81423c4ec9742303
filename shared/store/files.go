package store

import (
	"context"
	"database/sql"
	"errors"

	"workerpool/shared/pool"
)

// WorkOfFile gives a work of a deal whose archive in the bucket is the file; among
// several the youngest, whose archive the bucket keeps longest. pool.NotFound when
// there is none.
func (s *Store) WorkOfFile(ctx context.Context, file pool.Digest) (pool.WorkID, error) {
	var id int64
	err := s.db.QueryRowContext(ctx, `SELECT w.id FROM work w JOIN batch b ON b.id = w.id >> 14
		WHERE w.file = ? AND b.origin = 'deal' ORDER BY w.id DESC LIMIT 1`, file[:]).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, pool.Refuse(pool.NotFound, "", "no result of a deal has this content")
	}
	return pool.WorkID(id), failure("looking for a file", err)
}
