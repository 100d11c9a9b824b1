#!/usr/bin/env python3
"""The main job on the bundled model: quantize it to four types, measure each, continue a prompt."""

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
WINDOWS = 40  # of 256 tokens: a standard error of about 3 % in a few seconds
PROMPT = "Once upon a time"
ROW = "{:10} {:>12} {:>9} {:>9} {:>18} {:>10}"


def nibble(*arguments: str) -> str:
    """Shows a command, runs it and gives its standard output; ends the demo when it fails."""
    print("$ nibble", *(f'"{a}"' if " " in a else a for a in arguments), flush=True)
    run = subprocess.run([str(NIBBLE), *arguments], cwd=ROOT, text=True, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE)
    if run.returncode != 0:
        print(run.stderr, file=sys.stderr)
        sys.exit(run.returncode)
    return run.stdout


def table_row(output: dict) -> str:
    path = os.path.relpath(output["path"], ROOT)
    measured = json.loads(nibble("evaluate", path, "-f", TEXT, "--context", "256", "--windows",
                                 str(WINDOWS), "--json"))["perplexity"]
    ran = json.loads(nibble("run", path, "-p", PROMPT, "-n", "64", "--temperature", "0", "--json"))
    return ROW.format(output["type"], f"{output['bytes']:,}", f"{output['bits_per_weight']:.3f}",
                      f"{output['seconds']:.2f}", f"{measured['mean']:.3f} ± {measured['error']:.3f}",
                      f"{ran['generation']['tokens_per_second']:.0f}")


def main() -> None:
    (ROOT / "build" / "demo").mkdir(parents=True, exist_ok=True)
    quantized = json.loads(nibble("quantize", MODEL, "-t", ",".join(TYPES), "-o", "build/demo", "--json"))
    rows = [table_row(output) for output in quantized["outputs"]]
    print("\n" + ROW.format("type", "bytes", "bits/w", "seconds*", "perplexity", "tokens/s"))
    print("\n".join(rows))
    print("* of quantizing: all types come from one read of the model\n")
    chosen = next(o["path"] for o in quantized["outputs"] if o["type"] == "q4_k_m")
    print(PROMPT + nibble("run", os.path.relpath(chosen, ROOT), "-p", PROMPT, "-n", "64",
                          "--temperature", "0").rstrip())


if __name__ == "__main__":
    main()
