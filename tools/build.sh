#!/usr/bin/env bash
# build.sh PRESET JOBS [TARGET...]: configures build/PRESET when that is needed, and builds it.
set -euo pipefail
cd "$(dirname "$0")/.."
preset=$1 jobs=$2
shift 2
[ -f "build/$preset/build.ninja" ] || cmake --preset "$preset" -Wno-dev >/dev/null
cmake --build --preset "$preset" -j "$jobs" --target "${@:-all}"
