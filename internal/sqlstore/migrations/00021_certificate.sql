-- +goose Up
-- Last civil day of the enforcement certificate, by the certificate roster; empty: no roster has said.
ALTER TABLE account ADD COLUMN certificate_until TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE account DROP COLUMN certificate_until;
