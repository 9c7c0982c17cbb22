#!/bin/bash
# A federation of two versions, by hand: 310116-01 is upgraded to the present one, the two others stay on the first landed
# one, all on the golden data and on the addresses of its charter (127.0.0.1:39801–39803). Each side asks, the upgraded
# node publishes, and a node of the first version finds it. Prints what it sees; ends with 1 if a step fails.
set -euo pipefail
cd "$(dirname "$0")/.."
golden=$PWD
work=$(mktemp -d)
pids=()
end() {
  for p in "${pids[@]}"; do kill "$p" 2>/dev/null || true; done
  wait
  git worktree remove --force "$work/tree" 2>/dev/null || true
  rm -rf "$work"
}
trap end EXIT
go build -o "$work/new" ../../../../cmd/pilin
git worktree add --quiet --detach "$work/tree" 0dcf64a53343b65a5c06461f8cadefd355aad04a
(cd "$work/tree" && go build -o "$work/old" ./cmd/pilin)
cd "$work"
i=0
for m in 310116-01 310117-01 330482-01; do
  i=$((i + 1))
  mkdir "$m"
  install -m 600 "$golden/$m/keys.json" "$golden/$m/released-size" "$m/"
  zcat "$golden/$m/sqlite.sql.gz" | sqlite3 "$m/pilin.db"
  printf 'member: %s\ndata: %s\npeople: {listen: "127.0.0.1:3970%d"}\nmembers: {listen: "127.0.0.1:3980%d"}\nexchange: {heads: 2s}\n' "$m" "$work/$m" $i $i >"$m.yaml"
  version=old
  [ $i = 1 ] && version=new
  ./$version serve --config "$m.yaml" >"$m.log" 2>&1 &
  pids+=($!)
done
export PILIN_PASSWORD=yanshi-zhi-yong-2026
# until COMMAND… repeats a command for half a minute.
until_ok() {
  for _ in $(seq 60); do
    if "$@" 2>/dev/null; then return; fi
    sleep 0.5
  done
  echo "never: $*" >&2
  exit 1
}
all_answer() { ./"$1" ask --node "http://127.0.0.1:$2" --account officer --purpose RAID --ref "$3" --id 320623190001159016 | grep -F "(3/3 "; }
echo "the upgraded node asks:" && until_ok all_answer new 39701 'inspection:测检〔2026〕1号'
echo "a node of the first version asks:" && until_ok all_answer old 39703 spot_check:330482-01-XC-20260313-001
draft=$(zcat "$golden/golden.json.gz" | sed -n '/"drafts"/,/]/s/.*"\([0-9a-f]\{32\}\)".*/\1/p' | head -1)
version=1
for step in submit:officer approve:legal publish:liaison; do
  done=$(./new publish --node http://127.0.0.1:39701 --account "${step#*:}" --type penalty --id "$draft" --step "${step%:*}" --version $version)
  version=$((version + 1))
done
echo "the upgraded node publishes: $done"
found() { ./old ask --node http://127.0.0.1:39703 --account officer --purpose RAID --ref spot_check:330482-01-XC-20260313-001 --id 320623190001159016 | grep -F "${done%% *}"; }
echo "a node of the first version finds it:" && until_ok found
