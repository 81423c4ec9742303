-- +goose Up
ALTER TABLE assignment
  ADD COLUMN file BINARY(32) NULL,
  MODIFY COLUMN state VARCHAR(12) NOT NULL,
  DROP CONSTRAINT assignment_state,
  ADD CONSTRAINT assignment_states CHECK (state IN ('offered', 'running', 'reported', 'contributed', 'revealed', 'uploading', 'closed', 'expired', 'refused', 'failed', 'superseded'));
