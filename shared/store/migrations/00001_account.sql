-- +goose Up
CREATE TABLE account (
  id            BIGINT       NOT NULL AUTO_INCREMENT PRIMARY KEY,
  login         VARCHAR(64)  NOT NULL,
  role          VARCHAR(16)  NOT NULL,
  shared        BOOLEAN      NOT NULL DEFAULT FALSE,
  password_hash VARCHAR(255) NOT NULL DEFAULT '',
  disabled      BOOLEAN      NOT NULL DEFAULT FALSE,
  created_at    DATETIME(6)  NOT NULL,
  UNIQUE KEY account_login (login),
  CONSTRAINT account_role CHECK (role IN ('requester', 'worker', 'operator'))
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
