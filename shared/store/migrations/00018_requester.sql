-- +goose Up
CREATE TABLE requester (
  account_id  BIGINT NOT NULL PRIMARY KEY,
  clock       BIGINT NOT NULL DEFAULT 0,
  weight      INT    NOT NULL DEFAULT 1,
  max_running INT    NOT NULL DEFAULT 0,
  CONSTRAINT requester_weight CHECK (weight BETWEEN 1 AND 1000),
  CONSTRAINT requester_max_running CHECK (max_running >= 0)
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
