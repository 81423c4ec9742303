-- +goose Up
-- What is in the bucket already goes to the chain as it did before.
UPDATE work SET vouched = 'unvouched' WHERE file IS NOT NULL;
