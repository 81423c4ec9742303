-- +goose Up
CREATE TABLE event (
  id         BIGINT      NOT NULL AUTO_INCREMENT PRIMARY KEY,
  at         DATETIME(6) NOT NULL,
  kind       VARCHAR(32) NOT NULL,
  work_id    BIGINT      NULL,
  worker_id  BIGINT      NULL,
  account_id BIGINT      NULL,
  request_id VARCHAR(64) NULL,
  data       TEXT        NULL,
  KEY event_work (work_id, id)
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
