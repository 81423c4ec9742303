-- +goose Up
INSERT INTO lease (name, holder, fence, until, asked) VALUES ('reconcile', '', 0, '2000-01-01', 0);
