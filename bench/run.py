#!/usr/bin/env python3
"""Speed and memory on a synthetic model of 1.5 billion weights (3 GB in f16), in build/bench. Disk: 6.5 GB (3 of the model,
3.4 of its files in three types, which stay there), 13 GB with LLAMA_QUANTIZE.

With LLAMA_BENCH=path of llama.cpp's llama-bench, prompts and generation are measured beside it on the same files; with
LLAMA_QUANTIZE=path of its llama-quantize, quantization.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RELEASE = ROOT / "build" / "release"
WORK = ROOT / "build" / "bench"
MODEL = WORK / "synthetic"
TYPES = ("q8_0", "q4_k_m", "q4_0")
PEER_TYPES = ("Q8_0", "Q4_0", "Q2_K", "Q3_K_M", "Q4_K_M", "Q5_K_M", "Q6_K", "IQ4_XS", "IQ4_NL")
THREADS = os.environ.get("THREADS", str(len(os.sched_getaffinity(0))))
MIB = 2**20


def nibble(*arguments: object) -> dict:
    command = [str(RELEASE / "nibble"), *map(str, arguments), "--threads", THREADS, "--quiet", "--json"]
    return json.loads(subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout)


def make_model() -> None:
    if not (MODEL / "model.safetensors").exists():
        print(f"writing a model of 3 GB to {MODEL}", flush=True)
        subprocess.run([str(RELEASE / "bench" / "synthetic_model"), str(MODEL), "--layers", "31"], check=True)


def measure_quantizing() -> None:
    result = nibble("quantize", MODEL, "-t", ",".join(TYPES), "-o", WORK, "--memory", "512MiB")
    weights = sum(output["weights"] for output in result["outputs"])
    print(f"quantize {', '.join(TYPES)}: {result['source_bytes'] / 1e9:.2f} GB read once in "
          f"{result['seconds']:.1f} s, {weights / result['seconds'] / 1e6:.0f} M weights/s; with --memory "
          f"512MiB buffers took {result['peak_buffer_bytes'] / MIB:.0f} MiB, the process "
          f"{result['peak_memory_bytes'] / MIB:.0f} MiB", flush=True)


def main() -> None:
    WORK.mkdir(parents=True, exist_ok=True)
    make_model()
    for program in ("format_speed", "matmul_speed"):
        subprocess.run([str(RELEASE / "bench" / program)], check=True)
    measure_quantizing()
    files = [str(WORK / f"synthetic-{kind}.gguf") for kind in TYPES]
    subprocess.run([str(RELEASE / "nibble"), "bench", *files, "-p", "256", "-n", "32", "--threads", THREADS], check=True)
    if "LLAMA_QUANTIZE" in os.environ:
        nibble("quantize", MODEL, "-t", "f16", "-o", WORK)
        subprocess.run([sys.executable, str(ROOT / "bench" / "compare_quantize.py"), "--nibble", str(RELEASE / "nibble"),
                        "--llama-quantize", os.environ["LLAMA_QUANTIZE"], "--threads", THREADS,
                        str(WORK / "synthetic-f16.gguf"), *PEER_TYPES], check=True)
    if "LLAMA_BENCH" in os.environ:
        subprocess.run([sys.executable, str(ROOT / "bench" / "compare_peers"), "--nibble", str(RELEASE / "nibble"),
                        "--llama-bench", os.environ["LLAMA_BENCH"], "--threads", THREADS, *files], check=True)


if __name__ == "__main__":
    main()
