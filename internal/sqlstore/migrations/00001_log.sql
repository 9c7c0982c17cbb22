-- +goose Up
CREATE TABLE node (
    one   INTEGER PRIMARY KEY CHECK (one = 1),
    epoch BIGINT NOT NULL, -- of the process that may append; a newer process takes it over
    floor BIGINT NOT NULL  -- one-use ids that expire at or before it may have been pruned and are refused
);
INSERT INTO node (one, epoch, floor) VALUES (1, 0, 0);

CREATE TABLE stream_head (
    stream     TEXT PRIMARY KEY,
    size       BIGINT NOT NULL,
    applied    BIGINT NOT NULL,
    root       BYTEA NOT NULL,
    frontier   BYTEA NOT NULL, -- 32 bytes each, left to right
    checkpoint BYTEA,
    signed     BIGINT NOT NULL,
    frozen     TEXT NOT NULL,
    released   BIGINT NOT NULL DEFAULT 0 -- epoch of the process that was released
);

CREATE TABLE commit_group (
    stream     TEXT NOT NULL,
    first      BIGINT NOT NULL,
    size       BIGINT NOT NULL, -- of the stream, with this group
    bytes      BIGINT NOT NULL, -- of headers and parts when it was stored; bounds what is read at once
    checkpoint BYTEA,           -- null while the own stream is not released
    PRIMARY KEY (stream, first)
);
CREATE UNIQUE INDEX commit_group_size ON commit_group (stream, size);

CREATE TABLE record (
    stream   TEXT NOT NULL,
    seq      BIGINT NOT NULL,
    header   BYTEA NOT NULL,
    leaf     BYTEA NOT NULL,
    id       BYTEA,   -- null of a header that does not parse
    subject  BYTEA,   -- null of a record without a place in a subject, or while its meta is missing
    version  BIGINT,
    unusable TEXT NOT NULL,
    PRIMARY KEY (stream, seq)
);
CREATE UNIQUE INDEX record_version ON record (stream, subject, version);
CREATE INDEX record_id ON record (id);

-- 256 leaves of a stream, written when full; the record's column has them too.
CREATE TABLE tile (
    stream TEXT NOT NULL,
    n      BIGINT NOT NULL,
    leaves BYTEA NOT NULL,
    PRIMARY KEY (stream, n)
);

CREATE TABLE part (
    stream  TEXT NOT NULL,
    seq     BIGINT NOT NULL,
    ord     INTEGER NOT NULL, -- place in the header
    name    TEXT NOT NULL,
    state   INTEGER NOT NULL, -- record.PartState
    salt    BYTEA,
    bytes   BYTEA,
    keys    BYTEA NOT NULL,   -- 16 bytes each, ascending
    gone_by BIGINT NOT NULL,
    PRIMARY KEY (stream, seq, name)
);
CREATE INDEX part_waiting ON part (stream, state, seq) WHERE state IN (2, 3);

-- Content of own records that a correction or withdrawal superseded: kept until retention ends, read by nothing but an
-- officer's order.
CREATE TABLE restricted_part (
    stream TEXT NOT NULL,
    seq    BIGINT NOT NULL,
    name   TEXT NOT NULL,
    salt   BYTEA,
    bytes  BYTEA,
    PRIMARY KEY (stream, seq, name)
);

CREATE TABLE tail (
    ord    BIGINT PRIMARY KEY,
    stream TEXT NOT NULL,
    id     BYTEA NOT NULL UNIQUE,
    draft  BYTEA NOT NULL -- what was taken off an unreleased stream and waits to be appended again
);

CREATE TABLE idempotency (
    scope     TEXT NOT NULL,
    key       TEXT NOT NULL,
    body_hash BYTEA NOT NULL,
    answer    BYTEA NOT NULL,
    at        BIGINT NOT NULL, -- Unix seconds
    PRIMARY KEY (scope, key)
);

CREATE TABLE used_id (
    kind    TEXT NOT NULL,
    id      TEXT NOT NULL,
    expires BIGINT NOT NULL, -- Unix seconds
    PRIMARY KEY (kind, id)
);
CREATE INDEX used_id_expires ON used_id (expires);

CREATE TABLE receipt (
    stream  TEXT NOT NULL,
    member  TEXT NOT NULL,
    size    BIGINT NOT NULL,
    receipt BYTEA NOT NULL,
    PRIMARY KEY (stream, member)
);

CREATE TABLE cosigned (
    stream TEXT PRIMARY KEY,
    size   BIGINT NOT NULL,
    root   BYTEA NOT NULL
);

CREATE TABLE evidence (
    stream   TEXT PRIMARY KEY,
    evidence BYTEA NOT NULL
);

CREATE TABLE courier (
    topic  TEXT PRIMARY KEY,
    offset_next BIGINT NOT NULL
);

-- Read model: one row for each subject, no personal data; written in the transaction of the record.
CREATE TABLE subject (
    stream      TEXT NOT NULL,
    subject     BYTEA NOT NULL,
    type        TEXT NOT NULL,
    version     BIGINT NOT NULL,
    state       TEXT NOT NULL,
    valid_until TEXT NOT NULL, -- civil date, empty for none
    day         TEXT NOT NULL, -- of the first record
    seq         BIGINT NOT NULL, -- of the newest record
    PRIMARY KEY (stream, subject)
);
CREATE INDEX subject_list ON subject (stream, type, state, seq);

CREATE TABLE document (
    ord  BIGINT PRIMARY KEY,
    kind TEXT NOT NULL, -- charter, statement, agreement
    hash BYTEA NOT NULL UNIQUE,
    note BYTEA NOT NULL
);

-- +goose Down
DROP TABLE document;
DROP TABLE subject;
DROP TABLE courier;
DROP TABLE evidence;
DROP TABLE cosigned;
DROP TABLE receipt;
DROP TABLE used_id;
DROP TABLE idempotency;
DROP TABLE tail;
DROP TABLE restricted_part;
DROP TABLE part;
DROP TABLE tile;
DROP TABLE record;
DROP TABLE commit_group;
DROP TABLE stream_head;
DROP TABLE node;
