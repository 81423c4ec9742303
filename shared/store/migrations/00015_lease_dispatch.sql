-- +goose Up
INSERT INTO lease (name, holder, fence, until, asked) VALUES ('dispatch', '', 0, '2000-01-01', 0);
