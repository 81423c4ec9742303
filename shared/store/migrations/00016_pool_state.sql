-- +goose Up
CREATE TABLE pool_state (
  id           TINYINT     NOT NULL PRIMARY KEY,
  state        VARCHAR(10) NOT NULL,
  virtual_time BIGINT      NOT NULL,
  swept_at     DATETIME(6) NOT NULL,
  held_at      DATETIME(6) NULL,
  live_workers INT         NOT NULL DEFAULT 0,
  CONSTRAINT pool_state_one CHECK (id = 1),
  CONSTRAINT pool_state_state CHECK (state IN ('active', 'draining', 'inactive'))
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
