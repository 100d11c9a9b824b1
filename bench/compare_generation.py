#!/usr/bin/env python3
"""Generation speed beside llama.cpp: the same files, threads and number of tokens, one process after the other,
A B A B, medians of the rounds.

    bench/compare_generation.py --nibble build/release/nibble --llama-bench PATH --threads 2 FILE.gguf...
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess


def nibble_rate(binary: str, model: str, tokens: int, threads: int) -> float:
    command = [binary, "run", model, "-p", "a", "-n", str(tokens + 1), "--temperature", "0", "--ignore-eos", "--quiet",
               "--json", "--threads", str(threads)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return json.loads(output)["generation"]["tokens_per_second"]


def llama_rate(binary: str, model: str, tokens: int, threads: int) -> float:
    command = [binary, "-m", model, "-p", "0", "-n", str(tokens), "-t", str(threads), "-r", "1", "-o", "json"]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return json.loads(output)[0]["avg_ts"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nibble", required=True)
    parser.add_argument("--llama-bench", required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("models", nargs="+", metavar="FILE")
    args = parser.parse_args()
    print(f"{'file':<34}{'nibble t/s':>12}{'llama.cpp t/s':>15}{'ratio':>8}   ratios of the rounds")
    for model in args.models:
        ours: list[float] = []
        theirs: list[float] = []
        for _ in range(args.rounds):
            ours.append(nibble_rate(args.nibble, model, args.tokens, args.threads))
            theirs.append(llama_rate(args.llama_bench, model, args.tokens, args.threads))
        ratios = " ".join(f"{a / b:.2f}" for a, b in zip(ours, theirs))
        a, b = statistics.median(ours), statistics.median(theirs)
        print(f"{model.split('/')[-1]:<34}{a:>12.2f}{b:>15.2f}{a / b:>8.2f}   {ratios}", flush=True)


if __name__ == "__main__":
    main()
