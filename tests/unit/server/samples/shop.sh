#!/usr/bin/env bash
set -euo pipefail

# Prints a message and ends the script.
die() {
  echo "error: $*" >&2
  exit 1
}

function backup {
  local from="$1" to="$2"
  [[ -d "$from" ]] || die "no folder $from"
  mkdir -p "$to"
  for file in "$from"/*; do
    cp -a "$file" "$to/" || die "copy of $file failed"
    gzip -9 "$to/$(basename "$file")"
  done
}

backup "$@"
