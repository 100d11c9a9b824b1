#!/usr/bin/env python3
"""CLI tests: tests/cli/NAME.sh runs in an empty folder, and what it prints is compared to NAME.out.

The script sees $NIBBLE (the binary), $ASSETS (assets/), $NIBBLE_SHARED (optional data) and the
helpers of tests/cli/lib.sh. Its exit status is compared as a last line "[exit N]"; status 77 skips
the case, the last line printed being the reason. In NAME.out, {int}, {float} and {any} stand for
a number or for any text within a line. `--update` rewrites the .out files, keeping such lines.
"""

from __future__ import annotations

import argparse
import difflib
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CASES = ROOT / "tests" / "cli"
SKIP_STATUS = 77
TIMEOUT_SECONDS = 300
PATTERNS = {"{int}": r"[0-9]+", "{float}": r"-?[0-9]+(?:\.[0-9]+)?(?:e[-+]?[0-9]+)?", "{any}": r".*"}


@dataclass
class Case:
    name: str
    output: list[str]
    skip_reason: str | None = None
    failure: str | None = None


def line_pattern(expected: str) -> re.Pattern[str]:
    pieces = re.split("(" + "|".join(re.escape(p) for p in PATTERNS) + ")", expected)
    return re.compile("".join(PATTERNS.get(piece) or re.escape(piece) for piece in pieces))


def matches(expected: list[str], actual: list[str]) -> bool:
    return len(expected) == len(actual) and all(
        line_pattern(e).fullmatch(a) for e, a in zip(expected, actual))


def run_script(script: Path, binary: Path) -> tuple[list[str], int]:
    shared = Path(os.environ.get("NIBBLE_SHARED", ROOT.parent / "shared"))
    with tempfile.TemporaryDirectory() as folder:
        environment = dict(os.environ, NIBBLE=str(binary), ASSETS=str(ROOT / "assets"),
                           NIBBLE_SHARED=str(shared), LIB=str(CASES / "lib.sh"), LC_ALL="C.UTF-8")
        try:
            run = subprocess.run(["bash", str(script)], cwd=folder, env=environment, text=True,
                                 errors="replace", stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                 timeout=TIMEOUT_SECONDS)
            output, status = run.stdout, run.returncode
        except subprocess.TimeoutExpired:
            output, status = f"no end after {TIMEOUT_SECONDS} seconds", 124
    for place, name in ((str(ROOT / "assets"), "$ASSETS"), (str(shared), "$NIBBLE_SHARED"),
                        (str(Path(folder).resolve()) + "/", ""), (folder + "/", "")):
        output = output.replace(place, name)
    return output.splitlines(), status


def run_case(script: Path, binary: Path) -> Case:
    output, status = run_script(script, binary)
    if status == SKIP_STATUS:
        return Case(script.stem, output, skip_reason=output[-1] if output else "")
    case = Case(script.stem, output + [f"[exit {status}]"])
    expectation = script.with_suffix(".out")
    expected = expectation.read_text().splitlines() if expectation.exists() else []
    if not matches(expected, case.output):
        case.failure = "\n".join(difflib.unified_diff(
            expected, case.output, expectation.name, "what it printed", lineterm=""))
    return case


def run_all(binary: Path, jobs: int, only: str = "") -> list[Case]:
    scripts = sorted(s for s in CASES.glob("*.sh") if s.name != "lib.sh" and only in s.stem)
    with ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(lambda script: run_case(script, binary), scripts))


def update(case: Case) -> None:
    """Writes what the case printed, but keeps each old line with placeholders that still fits."""
    expectation = CASES / f"{case.name}.out"
    old = expectation.read_text().splitlines() if expectation.exists() else []
    patterns = [line for line in old if any(p in line for p in PATTERNS)]
    kept = [next((p for p in patterns if line_pattern(p).fullmatch(line)), line)
            for line in case.output]
    expectation.write_text("\n".join(kept) + "\n")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", type=Path, default=ROOT / "build" / "release" / "nibble")
    parser.add_argument("--update", action="store_true", help="rewrite the .out files")
    parser.add_argument("only", nargs="?", default="", help="only cases whose name contains this")
    options = parser.parse_args()
    failed = 0
    for case in run_all(options.binary.resolve(), os.cpu_count() or 1, options.only):
        if case.skip_reason is not None:
            print(f"skipped {case.name}: {case.skip_reason}")
        elif case.failure is not None and options.update:
            update(case)
            print(f"updated {case.name}")
        elif case.failure is not None:
            failed += 1
            print(f"FAILED {case.name}\n{case.failure}")
        else:
            print(f"passed {case.name}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
