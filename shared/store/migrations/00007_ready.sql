-- +goose Up
CREATE TABLE ready (
  class_id   BIGINT   NOT NULL,
  queue_rank BIGINT   NOT NULL,
  work_id    BIGINT   NOT NULL,
  missing    SMALLINT NOT NULL,
  PRIMARY KEY (class_id, queue_rank, work_id),
  CONSTRAINT ready_missing CHECK (missing > 0)
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
