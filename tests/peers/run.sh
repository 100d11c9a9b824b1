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
build/peers/bin/python tests/peers/arch_test.py -v
build/peers/bin/python tests/peers/embed_test.py -v
build/peers/bin/python tests/peers/tokenizers_test.py -v

# lm-evaluation-harness brings torch, some gigabytes. LM_EVAL names a Python that has both; where they cannot be
# installed, our scores are compared with what it made of the same items before (tests/golden/tasks/lm_eval.json).
if [ -z "${LM_EVAL:-}" ]; then
  requirements=tests/peers/lm_eval_requirements.txt
  if ! cmp -s $requirements build/lm_eval/requirements.txt; then
    python3 -m venv build/lm_eval
    build/lm_eval/bin/pip install -q -r $requirements && cp $requirements build/lm_eval/requirements.txt ||
      echo "skipped: lm_eval cannot be installed; comparing with its stored output"
  fi
  ! cmp -s $requirements build/lm_eval/requirements.txt || export LM_EVAL=build/lm_eval/bin/python
fi
python3 tests/peers/tasks_test.py -v
