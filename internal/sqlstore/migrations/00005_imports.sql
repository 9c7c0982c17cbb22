-- +goose Up
CREATE TABLE import (
    id   TEXT PRIMARY KEY,
    at   BIGINT NOT NULL, -- Unix seconds of the last change
    doc  TEXT NOT NULL,   -- JSON: profile, survey, who did what; no value of the file
    file BYTEA            -- as uploaded; NULL after its retention
);
CREATE INDEX import_at ON import (at);

CREATE TABLE import_row (
    import  TEXT NOT NULL,
    row_no  INTEGER NOT NULL, -- as the spreadsheet program shows it
    state   TEXT NOT NULL,
    step    TEXT NOT NULL,
    draft   TEXT NOT NULL,
    version BIGINT NOT NULL,
    record  TEXT NOT NULL,
    ident   BYTEA, -- SHA-256 of what tells decisions and persons apart
    gaps    INTEGER NOT NULL,
    issues  TEXT NOT NULL, -- JSON: columns, pointers, codes
    PRIMARY KEY (import, row_no)
);
CREATE INDEX import_row_ident ON import_row (ident);

CREATE TABLE import_profile (
    name TEXT PRIMARY KEY,
    doc  TEXT NOT NULL
);

-- +goose Down
DROP TABLE import_profile;
DROP TABLE import_row;
DROP TABLE import;
