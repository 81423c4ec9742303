-- +goose Up
ALTER TABLE work ADD COLUMN vouched VARCHAR(10) NULL;
