#!/usr/bin/env bash
# taken.sh PILIN FOLDER [FILE…]: does the node take the configurations that the chart and the compose file make, and these
# files? Secrets are stand-ins, so a good one gets as far as missing its keys. The last one is spoilt and must be refused.
set -euo pipefail
pilin=$(realpath "$1") folder=$2
shift 2
rm -rf "$folder"
mkdir -p "$folder/secrets"
go -C "$(dirname "$0")" run . -deploy "$(realpath deploy)" -out "$(realpath "$folder")"
cp "$@" "$folder"
for name in dsn kafka-password redis-url; do printf 'redis://127.0.0.1:1/0\n' > "$folder/secrets/$name"; done

# says FILE: what the node says of it, with the paths of a container turned into ours.
says() {
  sed -E "s|/run/(secrets(/pilin)?\|credentials/pilin.service)/|$folder/secrets/|; s|^data: .*|data: $folder/data|" "$1" > "$folder/tried.yaml"
  "$pilin" serve --config "$folder/tried.yaml" 2>&1 || true
}
for file in "$folder"/*.yaml; do
  [ "$(basename "$file")" != tried.yaml ] || continue
  said=$(says "$file")
  case $said in
    *'run pilin init first'*) printf '%s: taken by the node\n' "$(basename "$file")" ;;
    *) printf '%s: %s\n' "$file" "$said"; exit 1 ;;
  esac
done
sed 's/^people:/poeple:/' "$folder/compose.pilin.yaml" > "$folder/spoilt"
said=$(says "$folder/spoilt")
case $said in
  *poeple*) ;;
  *) printf 'a misspelt setting is taken: %s\n' "$said"; exit 1 ;;
esac
