-- +goose Up
CREATE TABLE contribution (
  work_id     BIGINT     NOT NULL,
  wallet      BINARY(20) NOT NULL,
  place       SMALLINT   NOT NULL,
  status      TINYINT    NOT NULL,
  result_hash BINARY(32) NOT NULL,
  weight      BIGINT     NOT NULL,
  PRIMARY KEY (work_id, wallet),
  CONSTRAINT contribution_status CHECK (status BETWEEN 1 AND 3)
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
