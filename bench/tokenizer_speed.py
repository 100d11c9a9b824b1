#!/usr/bin/env python3
"""How fast a text becomes tokens, beside PyPI's tokenizers, on one thread: A B A B, the best of each.

tokenizer_speed.py TOKENIZER.json... [-f TEXT] [--megabytes 10] [--rounds 3]; needs the package tokenizers. Without -f the
text is the bundled model's, repeated. Loading is not counted; both give the same ids, or it says so."""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
import time
from pathlib import Path

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"

import tokenizers  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
NIBBLE = Path(os.environ.get("NIBBLE", ROOT / "build" / "release" / "nibble"))
TEXT = ROOT / "assets" / "lab-7m-text" / "evaluation.txt"


def ours(tokenizer: str, text: str) -> tuple[int, float]:
    run = subprocess.run([str(NIBBLE), "tokenize", tokenizer, "-f", text, "--count"], check=True, text=True,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return int(run.stdout), float(run.stderr.split(" in ")[1].split(" s")[0])


def theirs(tokenizer: tokenizers.Tokenizer, text: str) -> tuple[int, float]:
    start = time.perf_counter()
    count = len(tokenizer.encode(text).ids)
    return count, time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("tokenizers", nargs="+")
    parser.add_argument("-f", "--file", type=Path, default=TEXT)
    parser.add_argument("--megabytes", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    text = options.file.read_text(encoding="utf-8")
    size = int(options.megabytes * 1e6)
    text = (text * (size // max(len(text), 1) + 1))[:size]
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".txt") as file:
        file.write(text)
        file.flush()
        megabytes = len(text.encode()) / 1e6
        for path in options.tokenizers:
            peer = tokenizers.Tokenizer.from_file(path)
            peer.no_truncation()
            peer.no_padding()
            runs = [(ours(path, file.name), theirs(peer, text)) for _ in range(options.rounds)]
            ours_best = min(run[0][1] for run in runs)
            theirs_best = min(run[1][1] for run in runs)
            same = "" if runs[0][0][0] == runs[0][1][0] else f"  DIFFERENT COUNTS {runs[0][0][0]} {runs[0][1][0]}"
            print(f"{path}: nibble {megabytes / ours_best:.1f} MB/s, tokenizers {megabytes / theirs_best:.1f} MB/s, "
                  f"{theirs_best / ours_best:.2f} times{same}", flush=True)


if __name__ == "__main__":
    main()
