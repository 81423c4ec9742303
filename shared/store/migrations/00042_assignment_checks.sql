-- +goose Up
ALTER TABLE assignment
  ADD COLUMN checks BINARY(32) NULL,
  DROP CONSTRAINT assignment_states,
  ADD CONSTRAINT assignment_turns CHECK (state IN ('offered', 'running', 'reported', 'contributed', 'revealed', 'uploading', 'checking', 'closed', 'expired', 'refused', 'failed', 'superseded'));
