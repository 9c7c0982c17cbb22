-- +goose Up
CREATE INDEX import_row_draft ON import_row (draft); -- a row is found by the draft that it became

-- +goose Down
DROP INDEX import_row_draft;
