-- +goose Up
CREATE TABLE work (
  id         BIGINT        NOT NULL PRIMARY KEY,
  requester  BIGINT        NOT NULL,
  state      VARCHAR(10)   NOT NULL,
  open_until DATETIME(6)   NULL,
  digest     BINARY(32)    NULL,
  size       BIGINT        NULL,
  ended_at   DATETIME(6)   NULL,
  reason     VARCHAR(1000) NULL,
  KEY work_requester (requester, id),
  KEY work_open (open_until),
  CONSTRAINT work_state CHECK (state IN ('staging', 'waiting', 'running', 'agreed', 'done', 'failed', 'cancelled')),
  CONSTRAINT work_ended CHECK ((state IN ('done', 'failed', 'cancelled')) = (ended_at IS NOT NULL)),
  CONSTRAINT work_openness CHECK ((open_until IS NULL) = (ended_at IS NOT NULL))
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
