-- +goose Up
CREATE TABLE past_assignment (
  work_id   BIGINT       NOT NULL,
  worker_id BIGINT       NOT NULL,
  owner     VARCHAR(64)  NOT NULL,
  attempt   SMALLINT     NOT NULL,
  state     VARCHAR(10)  NOT NULL,
  started   BOOLEAN      NOT NULL,
  digest    BINARY(32)   NULL,
  size      BIGINT       NULL,
  reason    VARCHAR(500) NULL,
  PRIMARY KEY (work_id, worker_id)
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
