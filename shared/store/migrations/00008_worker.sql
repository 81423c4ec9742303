-- +goose Up
CREATE TABLE worker (
  id           BIGINT      NOT NULL AUTO_INCREMENT PRIMARY KEY,
  account_id   BIGINT      NOT NULL,
  name         VARCHAR(64) NOT NULL,
  key_hash     BINARY(32)  NOT NULL,
  state        VARCHAR(10) NOT NULL,
  slots        SMALLINT    NOT NULL,
  capabilities TEXT        NOT NULL,
  created_at   DATETIME(6) NOT NULL,
  UNIQUE KEY worker_name (account_id, name),
  CONSTRAINT worker_state CHECK (state IN ('active', 'draining')),
  CONSTRAINT worker_slots CHECK (slots BETWEEN 1 AND 256)
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
