-- +goose Up
ALTER TABLE worker DROP CONSTRAINT worker_state,
  ADD CONSTRAINT worker_states CHECK (state IN ('active', 'draining', 'inactive'));
