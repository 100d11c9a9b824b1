#!/usr/bin/env python3
"""Quantization beside llama-quantize: the same F16 GGUF, types and threads, one process after the other, A B A B,
medians of the rounds. Wall time counts; CPU time tells what a busy machine hides.

    bench/compare_quantize.py --nibble build/release/nibble --llama-quantize PATH MODEL-f16.gguf Q4_K_M IQ4_XS Q8_0
    bench/compare_quantize.py ... --together MODEL-f16.gguf Q2_K Q3_K_M Q4_K_M    one call of ours, one each of theirs

If one of the types of a call needs importance (iq1, iq2, iq3_xxs, q2_k_s), all of its types get a made-up matrix, on both
sides. Our times include fsync of every file, llama-quantize's do not: it leaves them to the system.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import struct
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

WANT_IMPORTANCE = ("IQ1", "IQ2", "IQ3_XXS", "Q2_K_S")


@dataclass
class Cost:
    wall: float
    cpu: float
    peak_mib: float


def cost_of(command: list[str]) -> Cost:
    begin = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr is not None
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - begin
    if status != 0:
        raise SystemExit(f"{' '.join(command)}:\n{errors.decode(errors='replace')[-2000:]}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def median(costs: list[Cost]) -> Cost:
    return Cost(*(statistics.median(getattr(cost, field) for cost in costs) for field in ("wall", "cpu", "peak_mib")))


def write_imatrix(nibble: str, model: str, path: Path) -> None:
    """Log-normal importance for every matrix of the model, as llama-imatrix's .dat file."""
    import json
    listing = json.loads(subprocess.run([nibble, "inspect", model, "--json"], check=True, capture_output=True).stdout)
    matrices = [(t["name"], t["shape"][0]) for t in listing["tensors"] if len(t["shape"]) > 1]
    source = random.Random(1)
    parts = [struct.pack("<i", len(matrices))]
    for name, columns in matrices:
        values = [source.lognormvariate(0, 1) for _ in range(columns)]
        parts.append(struct.pack(f"<i{len(name)}sii{columns}f", len(name), name.encode(), 1, columns, *values))
    path.write_bytes(b"".join(parts))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nibble", required=True)
    parser.add_argument("--llama-quantize", required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--effort", default="default")
    parser.add_argument("--together", action="store_true", help="all types in one call of ours")
    parser.add_argument("model")
    parser.add_argument("types", nargs="+")
    run(parser.parse_args())


def run(args: argparse.Namespace) -> None:
    """Prints the table; compare_peers calls this, too."""
    with tempfile.TemporaryDirectory(dir=Path(args.model).resolve().parent) as folder:
        imatrix = Path(folder) / "imatrix.dat"
        write_imatrix(args.nibble, args.model, imatrix)
        compare(args, Path(folder), imatrix)


def compare(args: argparse.Namespace, folder: Path, imatrix: Path) -> None:
    def ours(types: list[str], importance: list[str]) -> Cost:
        return cost_of([args.nibble, "quantize", args.model, "-t", ",".join(types), "-o", str(folder / "ours"), "--quiet",
                        "--threads", str(args.threads), "--effort", args.effort, *importance])

    def theirs(kind: str, importance: list[str]) -> Cost:
        return cost_of([args.llama_quantize, *importance, args.model, str(folder / "theirs.gguf"), kind,
                        str(args.threads)])

    print("| type | nibble s | CPU s | MiB | llama.cpp s | CPU s | MiB | wall ratio | CPU ratio |\n"
          "|---|---:|---:|---:|---:|---:|---:|---:|---:|", flush=True)
    groups = [args.types] if args.together else [[kind] for kind in args.types]
    for types in groups:
        needed = any(kind.upper().startswith(WANT_IMPORTANCE) for kind in types)
        importance = ["--imatrix", str(imatrix)] if needed else []
        a: list[Cost] = []
        b: list[Cost] = []
        for _ in range(args.rounds):
            a.append(ours(types, importance))
            each = [theirs(kind, importance) for kind in types]
            b.append(Cost(sum(c.wall for c in each), sum(c.cpu for c in each), max(c.peak_mib for c in each)))
        one, other = median(a), median(b)
        name = types[0] if len(types) == 1 else f"{len(types)} types"
        print(f"| {name} | {one.wall:.2f} | {one.cpu:.2f} | {one.peak_mib:.0f} | {other.wall:.2f} | {other.cpu:.2f} | "
              f"{other.peak_mib:.0f} | {other.wall / one.wall:.2f} | {other.cpu / one.cpu:.2f} |", flush=True)


if __name__ == "__main__":
    main()
