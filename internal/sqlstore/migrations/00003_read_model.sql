-- +goose Up
ALTER TABLE node ADD COLUMN read_model TEXT NOT NULL DEFAULT ''; -- code version that wrote the table subject; empty: not known

-- +goose Down
ALTER TABLE node DROP COLUMN read_model;
