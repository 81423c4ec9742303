-- +goose Up
ALTER TABLE account
  ADD COLUMN generation INT         NOT NULL DEFAULT 0,
  ADD COLUMN revoked_at DATETIME(6) NULL,
  ADD COLUMN uid        VARCHAR(64) NULL,
  ADD UNIQUE KEY account_uid (uid),
  ADD KEY account_revoked (revoked_at, generation),
  ADD KEY account_by_role (role);
