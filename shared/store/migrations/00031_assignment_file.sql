-- +goose Up
ALTER TABLE assignment
  ADD COLUMN file BINARY(32) NULL,
  DROP CONSTRAINT assignment_state,
  ADD CONSTRAINT assignment_states CHECK (state IN ('offered', 'running', 'reported', 'contributed', 'revealed', 'uploading', 'closed', 'expired', 'refused', 'failed', 'superseded'));
