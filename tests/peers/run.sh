#!/usr/bin/env bash
# run.sh: other people's programs and our files, both ways. Installs them from PyPI into build/peers.
set -euo pipefail
cd "$(dirname "$0")/../.."
if ! cmp -s tests/peers/requirements.txt build/peers/requirements.txt; then
  python3 -m venv build/peers
  build/peers/bin/pip install -q -r tests/peers/requirements.txt
  cp tests/peers/requirements.txt build/peers/
fi
build/peers/bin/python tests/peers/peers_test.py -v
