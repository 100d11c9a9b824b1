#!/usr/bin/env python3
"""Kills nibble quantize at random moments and goes on with --resume: the files must have the SHA-256 of a run that
was left alone, and something must have been taken over. Only kills count that left finished pieces.

  bench/kill_and_resume.py build/release/nibble assets/lab-7m --kills 50
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import signal
import subprocess
import tempfile
import time
from pathlib import Path


def digests(folder: Path) -> dict[str, str]:
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(folder.iterdir())}


def has_pieces(journal: Path) -> bool:
    """Whether there is a record after the journal's header (docs/formats/journal.md)."""
    data = journal.read_bytes()
    return len(data) >= 16 and len(data) >= 16 + int.from_bytes(data[8:16], "little") + 8 + 56


class Killer:
    def __init__(self, options: argparse.Namespace, folder: Path) -> None:
        self.folder = folder
        self.random = random.Random(options.seed)
        self.command = [options.nibble, "quantize", options.model, "-t", options.types, "--threads", options.threads,
                        "--quiet", "--json", *(["--imatrix", options.imatrix] if options.imatrix else [])]
        self.slow = dict(os.environ, NIBBLE_ISA="scalar")  # more moments between beginning and end

    def start(self, name: str, *arguments: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen([*self.command, "-o", self.folder / name, *arguments], env=self.slow,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def whole(self) -> tuple[dict[str, str], float]:
        begin = time.monotonic()
        process = self.start("whole")
        error = process.communicate()[1]
        assert process.returncode == 0, error
        return digests(self.folder / "whole"), time.monotonic() - begin

    def left(self, name: str) -> bool:
        """Whether a run has something to go on with."""
        return any(has_pieces(journal) for journal in (self.folder / name).glob("*.journal"))

    def run_once(self, name: str, seconds: float) -> int | None:
        """Goes on with a run; the bytes that it took over, None when it was killed before it ended."""
        process = self.start(name, "--resume")
        try:
            output, error = process.communicate(timeout=self.random.uniform(0, seconds))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.communicate()
            return None
        assert process.returncode == 0, error
        return sum(file["bytes_resumed"] for file in json.loads(output)["outputs"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("nibble")
    parser.add_argument("model")
    parser.add_argument("--types", default="q8_0,q6_k,q4_k_m")
    parser.add_argument("--imatrix")
    parser.add_argument("--threads", default="2")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=".") as folder:
        killer = Killer(options, Path(folder))
        expected, seconds = killer.whole()
        kills = runs = resumed_runs = resumed = 0
        while kills < options.kills:
            name = f"run{runs}"
            taken_over = killer.run_once(name, 1.1 * seconds)
            has_left = False
            while taken_over is None:
                has_left = killer.left(name)
                kills += has_left
                taken_over = killer.run_once(name, 1.1 * seconds)
            assert taken_over > 0 or not has_left, f"{name} began anew after {kills} kills"
            assert digests(Path(folder) / name) == expected, f"{name} differs after {kills} kills"
            runs += 1
            resumed_runs += has_left
            resumed += taken_over
        print(f"{kills} kills with pieces done, {resumed_runs} runs that went on, {resumed / 2**20:.1f} MiB taken over, "
              f"every file the same as uninterrupted ({seconds:.2f} s a run)")


if __name__ == "__main__":
    main()
