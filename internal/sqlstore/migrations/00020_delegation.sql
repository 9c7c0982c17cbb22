-- +goose Up
-- Delegations of the head's work: who, by whom, from and until which civil day, and the SHA-256 of the signed paper.
CREATE TABLE delegation (
    id       TEXT PRIMARY KEY,
    account  TEXT NOT NULL,
    given_by TEXT NOT NULL,
    from_day TEXT NOT NULL,
    until    TEXT NOT NULL, -- the last day
    document TEXT NOT NULL,
    ended    BIGINT NOT NULL, -- Unix seconds at which it was ended early; 0 = it runs its term
    created  BIGINT NOT NULL
);
CREATE INDEX delegation_account ON delegation (account);

-- +goose Down
DROP TABLE delegation;
