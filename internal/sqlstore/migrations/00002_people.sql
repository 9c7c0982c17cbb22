-- +goose Up
CREATE TABLE account (
    id          TEXT PRIMARY KEY,
    name        TEXT NOT NULL UNIQUE,
    unit        TEXT NOT NULL,
    certificate TEXT NOT NULL,
    roles       TEXT NOT NULL, -- space-separated
    password    TEXT NOT NULL,
    disabled    INTEGER NOT NULL,
    created     BIGINT NOT NULL
);

CREATE TABLE account_link (
    account TEXT PRIMARY KEY,
    secret  BYTEA NOT NULL UNIQUE, -- SHA-256
    expires BIGINT NOT NULL
);

CREATE TABLE attempt (
    key     BYTEA PRIMARY KEY,
    count   BIGINT NOT NULL,
    last    BIGINT NOT NULL,
    until   BIGINT NOT NULL
);

CREATE TABLE session (
    family  TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    token   BYTEA NOT NULL UNIQUE, -- SHA-256 of the current refresh token
    expires BIGINT NOT NULL,
    ends    BIGINT NOT NULL,
    live    INTEGER NOT NULL
);
CREATE INDEX session_account ON session (account);

CREATE TABLE rotated_token (
    token  BYTEA PRIMARY KEY,
    family TEXT NOT NULL
);

-- +goose Down
DROP TABLE rotated_token;
DROP TABLE session;
DROP TABLE attempt;
DROP TABLE account_link;
DROP TABLE account;
