package store

import "database/sql"

// Conns is the pool of connections, for tests that ask what one of them has cost.
func (s *Store) Conns() *sql.DB { return s.db }
