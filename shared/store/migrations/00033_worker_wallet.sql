-- +goose Up
ALTER TABLE worker
  ADD COLUMN wallet BINARY(20) NULL,
  ADD COLUMN weight BIGINT NOT NULL DEFAULT 2,
  ADD UNIQUE KEY worker_wallet (wallet);
