-- +goose Up
-- Data keys, wrapped under a storage key of the key store (ADR 12). Number 0 keys hashes, the others seal cells.
CREATE TABLE storage_key (
    id      BIGINT PRIMARY KEY,
    month   TEXT NOT NULL, -- in which it is the one that seals; empty of number 0
    storage TEXT NOT NULL, -- name of the storage key
    wrapped BYTEA NOT NULL
);
ALTER TABLE node ADD COLUMN sealed INTEGER NOT NULL DEFAULT 0; -- 0: cells in clear, 1: sealed, files may hold older bytes, 2: sealed

-- +goose Down
ALTER TABLE node DROP COLUMN sealed;
DROP TABLE storage_key;
