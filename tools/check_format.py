#!/usr/bin/env python3
"""Checks (or with --fix restores) the style of every C++ file that git tracks, by clang-format 14."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CLANG_FORMAT = "clang-format-14"  # other versions break lines differently


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fix", action="store_true", help="rewrite the files")
    mode = ["-i"] if parser.parse_args().fix else ["--dry-run", "-Werror"]
    listed = subprocess.run(["git", "ls-files", "*.h", "*.cc"], cwd=ROOT, check=True, text=True,
                            stdout=subprocess.PIPE).stdout.split()
    files = [path for path in listed if (ROOT / path).exists()]
    status = subprocess.run([CLANG_FORMAT, *mode, *files], cwd=ROOT).returncode
    print(f"format: {len(files)} files, {'style broken: run make format' if status else 'in style'}")
    return 1 if status else 0


if __name__ == "__main__":
    sys.exit(main())
