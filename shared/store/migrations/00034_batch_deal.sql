-- +goose Up
ALTER TABLE batch
  DROP CONSTRAINT batch_origin,
  ADD CONSTRAINT batch_origins CHECK (origin IN ('api', 'deal'));
