#!/bin/bash
# Makes the golden files of the first landed version anew, in a worktree of its commit. Keys, salts and ids are drawn anew:
# everything differs from what is committed, and everything belongs together. Wants sqlite3, pg_dump and what make test wants.
set -euo pipefail
cd "$(dirname "$0")/.."
out=$PWD
tree=$(mktemp -d)/first
git worktree add --detach "$tree" 0dcf64a53343b65a5c06461f8cadefd355aad04a
trap 'git worktree remove --force "$tree"' EXIT
cp generate/first_test.go "$tree/internal/demo/first_test.go"
rm -rf 3* golden.json* charter-1.note
cd "$tree"
go build -o build/ ./internal/testsvc/testsvcd
FIRST_OUT=$out build/testsvcd run -- go test -count 1 -timeout 5m -run '^TestFirst$' -v ./internal/demo
cd "$out"
gzip -9n 3*/*.sql golden.json
