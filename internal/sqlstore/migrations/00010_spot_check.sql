-- +goose Up
-- On-the-spot check numbers. They are kept for as long as the audit of the questions asked under them.
CREATE TABLE spot_check (
    number      TEXT PRIMARY KEY,
    key         TEXT NOT NULL UNIQUE, -- account and the caller's key: a repeat gets the same number
    account     TEXT NOT NULL,
    certificate TEXT NOT NULL,
    second      TEXT NOT NULL, -- certificate of the second officer
    place       TEXT NOT NULL, -- GB/T 2260
    issued      BIGINT NOT NULL, -- Unix milliseconds
    tied_kind   TEXT NOT NULL,
    tied_number TEXT NOT NULL,
    reason      TEXT NOT NULL,
    settled     BIGINT NOT NULL, -- Unix milliseconds; 0 = untied
    settled_by  TEXT NOT NULL
);
CREATE INDEX spot_check_untied ON spot_check (settled, account);

-- One row for each officer and day; counting up in it lets nobody else count at the same time.
CREATE TABLE spot_check_serial (
    name TEXT PRIMARY KEY,
    n    BIGINT NOT NULL
);

-- +goose Down
DROP TABLE spot_check_serial;
DROP TABLE spot_check;
