-- +goose Up
CREATE TABLE lease (
  name   VARCHAR(16) NOT NULL PRIMARY KEY,
  holder VARCHAR(64) NOT NULL,
  fence  BIGINT      NOT NULL,
  until  DATETIME(6) NOT NULL,
  asked  BIGINT      NOT NULL
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
