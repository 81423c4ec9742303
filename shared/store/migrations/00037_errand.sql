-- +goose Up
CREATE TABLE errand (
  kind       VARCHAR(10) NOT NULL PRIMARY KEY,
  asked      BIGINT      NOT NULL,
  asked_at   DATETIME(6) NOT NULL,
  account_id BIGINT      NOT NULL,
  from_block BIGINT      NOT NULL,
  done       BIGINT      NOT NULL DEFAULT 0,
  done_at    DATETIME(6) NULL,
  answer     MEDIUMTEXT  NULL,
  CONSTRAINT errand_kind CHECK (kind IN ('diff', 'dry-run', 'rebuild'))
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
