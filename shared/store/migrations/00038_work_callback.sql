-- +goose Up
ALTER TABLE work ADD COLUMN callback BLOB NULL;
