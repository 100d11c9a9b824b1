#!/usr/bin/env python3
"""How fast texts become tokens, beside PyPI's tokenizers, on one thread: A B A B, the median of each.

tokenizer_speed.py TOKENIZER.json... [-f TEXT...] [--megabytes 10] [--rounds 3] [--whole]; needs the package tokenizers.
Every line is a text of its own, or with --whole all of them are one. Without -f the text is the bundled model's; what is
given is repeated until there are as many megabytes. Loading is not counted; both give as many ids, or it says so."""

from __future__ import annotations

import argparse
import json
import os
import statistics
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


def ours(tokenizer: str, file: str, whole: bool) -> tuple[int, float]:
    run = subprocess.run([str(NIBBLE), "tokenize", tokenizer, "-f" if whole else "--lines", file, "--count"], check=True,
                         text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return int(run.stdout), float(run.stderr.split(" in ")[1].split(" s")[0])


def theirs(tokenizer: tokenizers.Tokenizer, texts: list[str]) -> tuple[int, float]:
    start = time.perf_counter()
    count = sum(len(encoding.ids) for encoding in tokenizer.encode_batch_fast(texts))  # without offsets
    return count, time.perf_counter() - start


def read_texts(files: list[Path], size: int) -> str:
    text = "".join(file.read_text(encoding="utf-8") for file in files)
    return (text * (size // max(len(text), 1) + 1))[:size]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("tokenizers", nargs="+")
    parser.add_argument("-f", "--files", type=Path, nargs="+", default=[TEXT])
    parser.add_argument("--megabytes", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--whole", action="store_true")
    options = parser.parse_args()
    text = read_texts(options.files, int(options.megabytes * 1e6))
    texts = [text] if options.whole else text.split("\n")
    megabytes = sum(len(part.encode()) for part in texts) / 1e6
    with tempfile.NamedTemporaryFile("w", encoding="utf-8") as file:
        file.write(text if options.whole else "".join(json.dumps(part) + "\n" for part in texts))
        file.flush()
        for path in options.tokenizers:
            peer = tokenizers.Tokenizer.from_file(path)
            peer.no_truncation()
            peer.no_padding()
            runs = [(ours(path, file.name, options.whole), theirs(peer, texts)) for _ in range(options.rounds)]
            a, b = (statistics.median(run[which][1] for run in runs) for which in (0, 1))
            same = "" if runs[0][0][0] == runs[0][1][0] else f"  DIFFERENT COUNTS {runs[0][0][0]} {runs[0][1][0]}"
            print(f"{path}: nibble {megabytes / a:.1f} MB/s, tokenizers {megabytes / b:.1f} MB/s, "
                  f"{b / a:.2f} times{same}", flush=True)


if __name__ == "__main__":
    main()
