-- +goose Up
CREATE TABLE action (
  id        BIGINT        NOT NULL AUTO_INCREMENT PRIMARY KEY,
  work_id   BIGINT        NOT NULL,
  kind      VARCHAR(10)   NOT NULL,
  round     SMALLINT      NOT NULL,
  state     VARCHAR(10)   NOT NULL,
  before_at DATETIME(6)   NOT NULL,
  results   VARCHAR(1000) NULL,
  broadcast BIGINT        NULL,
  reason    VARCHAR(500)  NULL,
  UNIQUE KEY action_once (work_id, kind, round),
  KEY action_state (state, before_at),
  KEY action_broadcast (broadcast),
  CONSTRAINT action_kind CHECK (kind IN ('initialize', 'finalize', 'reopen', 'claim', 'init-claim')),
  CONSTRAINT action_state CHECK (state IN ('wanted', 'sent', 'done', 'dropped'))
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
