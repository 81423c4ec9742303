-- +goose Up
CREATE TABLE deal (
  id          BIGINT        NOT NULL AUTO_INCREMENT PRIMARY KEY,
  deal_id     BINARY(32)    NOT NULL,
  account_id  BIGINT        NOT NULL,
  block       BIGINT        NOT NULL,
  start_at    DATETIME(6)   NOT NULL,
  final_at    DATETIME(6)   NOT NULL,
  run_limit_s INT           NOT NULL,
  first_task  BIGINT        NOT NULL,
  tasks       INT           NOT NULL,
  taken       INT           NOT NULL DEFAULT 0,
  trust       INT           NOT NULL,
  price       BIGINT        NOT NULL,
  stake       BIGINT        NOT NULL,
  owner       BINARY(20)    NOT NULL,
  terms       MEDIUMTEXT    NOT NULL,
  state       VARCHAR(10)   NOT NULL,
  reason      VARCHAR(500)  NULL,
  UNIQUE KEY deal_chain (deal_id),
  KEY deal_open (state, final_at),
  CONSTRAINT deal_state CHECK (state IN ('new', 'open', 'settled', 'gone'))
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
