-- +goose Up
CREATE TABLE work_item (
  work_id BIGINT     NOT NULL PRIMARY KEY,
  item    MEDIUMTEXT NOT NULL
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
