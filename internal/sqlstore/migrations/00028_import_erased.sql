-- +goose Up
ALTER TABLE import ADD COLUMN erased INTEGER NOT NULL DEFAULT 0; -- 1: a record that it made was erased, and the file with it
ALTER TABLE subject ADD COLUMN about TEXT NOT NULL DEFAULT ''; -- of a draft: the published subject that it became or corrects
CREATE INDEX import_row_record ON import_row (record) WHERE record<>'';
CREATE INDEX subject_about ON subject (about) WHERE about<>'';

-- +goose Down
DROP INDEX subject_about;
DROP INDEX import_row_record;
ALTER TABLE subject DROP COLUMN about;
ALTER TABLE import DROP COLUMN erased;
