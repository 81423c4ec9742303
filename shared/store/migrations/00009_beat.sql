-- +goose Up
CREATE TABLE beat (
  worker_id  BIGINT      NOT NULL PRIMARY KEY,
  until      DATETIME(6) NOT NULL,
  interval_s SMALLINT    NOT NULL
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
