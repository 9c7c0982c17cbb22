-- +goose Up
CREATE INDEX record_unusable ON record (stream, seq) WHERE unusable<>''; -- a receipt names them all, and there are few

-- +goose Down
DROP INDEX record_unusable;
