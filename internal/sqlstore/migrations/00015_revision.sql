-- +goose Up
-- Stored records whose content changed behind what was applied: withheld parts that came. An index that was kept over a
-- restart reads them anew.
CREATE TABLE revision (
    stream TEXT NOT NULL,
    n      BIGINT NOT NULL,
    seq    BIGINT NOT NULL, -- the lowest that changed
    PRIMARY KEY (stream, n)
);

-- +goose Down
DROP TABLE revision;
