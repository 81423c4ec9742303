-- +goose Up
-- Virtual time goes on from where ranks have been so far, so that works accepted before go first.
INSERT INTO pool_state (id, state, virtual_time, swept_at)
  VALUES (1, 'active', TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6)), UTC_TIMESTAMP(6));
