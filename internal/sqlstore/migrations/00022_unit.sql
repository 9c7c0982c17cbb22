-- +goose Up
-- Units of this bureau: 科室, 分所, 街镇. A closed one stays: drafts name it.
CREATE TABLE unit (
    code   TEXT PRIMARY KEY,
    name   TEXT NOT NULL,
    kind   TEXT NOT NULL,
    parent TEXT NOT NULL, -- code; empty = the bureau itself
    closed BIGINT NOT NULL -- Unix seconds; 0 = open
);

-- +goose Down
DROP TABLE unit;
