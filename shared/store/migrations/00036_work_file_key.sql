-- +goose Up
ALTER TABLE work ADD KEY work_file (file);
