-- +goose Up
ALTER TABLE action ADD COLUMN callback BLOB NULL;
