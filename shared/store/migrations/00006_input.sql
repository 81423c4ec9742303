-- +goose Up
CREATE TABLE input (
  batch_id BIGINT     NOT NULL,
  sha256   BINARY(32) NOT NULL,
  size     BIGINT     NOT NULL,
  present  BOOLEAN    NOT NULL DEFAULT FALSE,
  PRIMARY KEY (batch_id, sha256)
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
