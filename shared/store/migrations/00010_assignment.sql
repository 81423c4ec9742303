-- +goose Up
CREATE TABLE assignment (
  worker_id  BIGINT       NOT NULL,
  work_id    BIGINT       NOT NULL,
  owner      VARCHAR(64)  NOT NULL,
  owner_slot VARCHAR(64)  NULL,
  attempt    SMALLINT     NOT NULL,
  state      VARCHAR(10)  NOT NULL,
  started    BOOLEAN      NOT NULL DEFAULT FALSE,
  start_by   DATETIME(6)  NULL,
  run_by     DATETIME(6)  NULL,
  digest     BINARY(32)   NULL,
  size       BIGINT       NULL,
  reason     VARCHAR(500) NULL,
  PRIMARY KEY (worker_id, work_id),
  UNIQUE KEY assignment_owner (work_id, owner_slot),
  CONSTRAINT assignment_state CHECK (state IN ('offered', 'running', 'reported', 'uploading', 'closed', 'expired', 'refused', 'failed', 'superseded'))
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
