-- +goose Up
ALTER TABLE past_assignment ADD COLUMN file BINARY(32) NULL;
