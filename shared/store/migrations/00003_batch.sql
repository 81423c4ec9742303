-- +goose Up
CREATE TABLE batch (
  id             BIGINT      NOT NULL AUTO_INCREMENT PRIMARY KEY,
  requester      BIGINT      NOT NULL,
  origin         VARCHAR(8)  NOT NULL,
  idem           VARCHAR(64) NULL,
  body_sha256    BINARY(32)  NOT NULL,
  nonce          BINARY(16)  NOT NULL,
  works          INT         NOT NULL,
  class_id       BIGINT      NOT NULL,
  queue_rank     BIGINT      NOT NULL,
  trust          INT         NOT NULL,
  run_limit_s    INT         NOT NULL,
  deadline       DATETIME(6) NOT NULL,
  missing_inputs INT         NOT NULL,
  template       MEDIUMTEXT  NOT NULL,
  created_at     DATETIME(6) NOT NULL,
  UNIQUE KEY batch_idem (requester, idem),
  CONSTRAINT batch_origin CHECK (origin IN ('api'))
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
