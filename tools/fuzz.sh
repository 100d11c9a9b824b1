#!/usr/bin/env bash
# fuzz.sh SECONDS: runs every libFuzzer target of build/fuzz that long, all at once. Each starts from its
# committed corpus and from what earlier runs found (build/fuzz/corpus/NAME); a finding is kept in
# build/fuzz/findings/.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=$1
mkdir -p build/fuzz/findings

# Small inputs reach all of a parser; the limits bound what one hostile input may cost.
fuzz() {  # fuzz NAME TARGET
  mkdir -p "build/fuzz/corpus/$1"
  "$2" -max_total_time="$seconds" -max_len=65536 -malloc_limit_mb=512 -rss_limit_mb=2048 -timeout=10 \
    -artifact_prefix="build/fuzz/findings/$1-" -print_final_stats=1 -verbosity=0 \
    "build/fuzz/corpus/$1" "tests/fuzz/corpus/$1" >"build/fuzz/$1.log" 2>&1
}

declare -A running
for target in build/fuzz/tests/fuzz/*_fuzz; do
  name=$(basename "$target" _fuzz)
  fuzz "$name" "$target" &
  running[$name]=$!
done
status=0
for name in "${!running[@]}"; do
  if wait "${running[$name]}"; then
    echo "fuzz $name: $(awk '/number_of_executed_units/ { print $2 }' "build/fuzz/$name.log") inputs, no finding"
  else
    echo "fuzz $name: FAILED"
    tail -n 60 "build/fuzz/$name.log"
    status=1
  fi
done
exit $status
