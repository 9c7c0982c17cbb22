-- +goose Up
-- Questions that stay open. The state holds what was asked: a row is deleted with its question, at the latest after until.
CREATE TABLE open_question (
    id    BYTEA PRIMARY KEY,
    until BIGINT NOT NULL, -- Unix seconds
    state BYTEA NOT NULL
);

-- +goose Down
DROP TABLE open_question;
