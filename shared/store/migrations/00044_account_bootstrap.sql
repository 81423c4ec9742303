-- +goose Up
ALTER TABLE account ADD COLUMN bootstrap_hash VARCHAR(255) NOT NULL DEFAULT '';
