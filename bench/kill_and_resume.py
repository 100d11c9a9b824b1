#!/usr/bin/env python3
"""Kills nibble quantize at random moments and goes on with --resume: the files must have the SHA-256 of a run that
was left alone.

  bench/kill_and_resume.py build/release/nibble assets/lab-7m --kills 50
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import signal
import subprocess
import tempfile
import time
from pathlib import Path


def digests(folder: Path) -> dict[str, str]:
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(folder.iterdir())}


class Killer:
    def __init__(self, options: argparse.Namespace, folder: Path) -> None:
        self.folder = folder
        self.random = random.Random(options.seed)
        self.command = [options.nibble, "quantize", options.model, "-t", options.types, "--threads", options.threads,
                        "--quiet", *(["--imatrix", options.imatrix] if options.imatrix else [])]
        self.slow = dict(os.environ, NIBBLE_ISA="scalar")  # more moments between beginning and end

    def start(self, name: str, *arguments: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen([*self.command, "-o", self.folder / name, *arguments], env=self.slow,
                                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def whole(self) -> tuple[dict[str, str], float]:
        begin = time.monotonic()
        process = self.start("whole")
        error = process.communicate()[1]
        assert process.returncode == 0, error
        return digests(self.folder / "whole"), time.monotonic() - begin

    def kill_once(self, name: str, seconds: float) -> bool:
        """Whether it was killed before it ended."""
        process = self.start(name, "--resume")
        try:
            error = process.communicate(timeout=self.random.uniform(0, seconds))[1]
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.communicate()
            return True
        assert process.returncode == 0, error
        return False


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
        kills = files = 0
        while kills < options.kills:
            name = f"run{files}"
            while killer.kill_once(name, 1.1 * seconds):
                kills += 1
            assert digests(Path(folder) / name) == expected, f"{name} differs after {kills} kills"
            files += 1
        print(f"{kills} kills, {files} resumed runs, every file the same as uninterrupted ({seconds:.2f} s a run)")


if __name__ == "__main__":
    main()
