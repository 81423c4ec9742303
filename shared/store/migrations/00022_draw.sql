-- +goose Up
CREATE TABLE draw (
  id       BIGINT          NOT NULL AUTO_INCREMENT PRIMARY KEY,
  at       DATETIME(6)     NOT NULL,
  seed     BIGINT UNSIGNED NOT NULL,
  snapshot MEDIUMBLOB      NOT NULL,
  KEY draw_seed (seed)
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
