#!/usr/bin/env python3
"""The main job on the bundled model: quantize it to four types, compare them, continue a prompt."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NIBBLE = ROOT / "build" / "release" / "nibble"
MODEL = "assets/lab-7m"
TEXT = "assets/lab-7m-text/evaluation.txt"
TYPES = ("q8_0", "q6_k", "q4_k_m", "q4_0")
WINDOWS = 40  # of 256 tokens: a few seconds for each type
PROMPT = "Once upon a time"
REPORT = "build/demo/report.html"


def nibble(*arguments: str) -> str:
    """Shows a command, runs it and gives its standard output; ends the demo when it fails."""
    print("$ nibble", *(f'"{a}"' if " " in a else a for a in arguments), flush=True)
    run = subprocess.run([str(NIBBLE), *arguments], cwd=ROOT, text=True, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE)
    if run.returncode != 0:
        print(run.stderr, file=sys.stderr)
        sys.exit(run.returncode)
    return run.stdout


def main() -> None:
    (ROOT / "build" / "demo").mkdir(parents=True, exist_ok=True)
    quantized = json.loads(nibble("quantize", MODEL, "-t", ",".join(TYPES), "-o", "build/demo", "--json"))
    paths = {output["type"]: os.path.relpath(output["path"], ROOT) for output in quantized["outputs"]}
    print(nibble("compare", *paths.values(), "--reference", MODEL, "-f", TEXT, "--context", "256", "--windows",
                 str(WINDOWS), "-p", PROMPT, "-o", REPORT))
    print(PROMPT + nibble("run", paths["q4_k_m"], "-p", PROMPT, "-n", "64", "--temperature", "0").rstrip())
    print(f"\nThe report, with charts, layers and continuations: {REPORT}")


if __name__ == "__main__":
    main()
