-- +goose Up
CREATE TABLE authorisation (
  work_id   BIGINT      NOT NULL,
  worker_id BIGINT      NOT NULL,
  wallet    BINARY(20)  NOT NULL,
  signature BINARY(65)  NOT NULL,
  made_at   DATETIME(6) NOT NULL,
  PRIMARY KEY (work_id, worker_id)
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
