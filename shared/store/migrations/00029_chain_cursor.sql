-- +goose Up
CREATE TABLE chain_cursor (
  id    TINYINT     NOT NULL PRIMARY KEY,
  block BIGINT      NOT NULL,
  hash  BINARY(32)  NOT NULL,
  at    DATETIME(6) NOT NULL,
  CONSTRAINT chain_cursor_one CHECK (id = 1)
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
