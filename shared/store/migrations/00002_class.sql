-- +goose Up
CREATE TABLE class (
  id      BIGINT     NOT NULL AUTO_INCREMENT PRIMARY KEY,
  hash    BINARY(32) NOT NULL,
  demands TEXT       NOT NULL,
  UNIQUE KEY class_hash (hash)
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
