-- +goose Up
CREATE TABLE task (
  work_id    BIGINT      NOT NULL PRIMARY KEY,
  deal       BIGINT      NOT NULL,
  task_id    BINARY(32)  NOT NULL,
  task_index BIGINT      NOT NULL,
  status     TINYINT     NOT NULL DEFAULT 0,
  reveal_by  DATETIME(6) NULL,
  consensus  BINARY(32)  NULL,
  digest     BINARY(32)  NULL,
  final      BOOLEAN     NOT NULL DEFAULT FALSE,
  reveals    INT         NOT NULL DEFAULT 0,
  winners    INT         NOT NULL DEFAULT 0,
  seen_block BIGINT      NOT NULL DEFAULT 0,
  seen_at    DATETIME(6) NOT NULL DEFAULT '2000-01-01',
  touched    BIGINT      NOT NULL DEFAULT 0,
  look_at    DATETIME(6) NULL,
  UNIQUE KEY task_chain (task_id),
  KEY task_deal (deal, final, work_id),
  KEY task_look (look_at),
  KEY task_status (final, status, seen_block),
  KEY task_seen (final, seen_at),
  CONSTRAINT task_status CHECK (status BETWEEN 0 AND 4)
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
