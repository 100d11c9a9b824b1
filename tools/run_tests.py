#!/usr/bin/env python3
"""Runs every test of a build and ends in one line: "N passed, M failed, K skipped".

Unit tests are GoogleTest programs BUILD/tests/ROOM_tests; the rooms with code per instruction set
run once under each set that this machine has (NIBBLE_ISA). CLI tests are the scripts of tests/cli
(run_cli_tests.py); tool tests are the unittest files of tests/tools.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import run_cli_tests

ROOT = Path(__file__).resolve().parent.parent
ISA_ROOMS = ("codec", "kernel")
ISA_FLAGS = {
    "scalar": set(),
    "avx2": {"avx2", "fma", "f16c"},
    "avxvnni": {"avx2", "fma", "f16c", "avx_vnni"},
    "avx512": {"avx2", "fma", "f16c", "avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512_vnni"},
    "neon": {"asimddp"},
    "i8mm": {"asimddp", "i8mm"},
}
TIMEOUT_SECONDS = 1200


@dataclass
class Result:
    title: str
    passed: int = 0
    skipped: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)  # each: what failed and its full output
    seconds: float = 0.0


def machine_isas() -> list[str]:
    """The instruction sets that both this project and this machine know."""
    flags: set[str] = set()
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith(("flags", "Features")):
            flags = set(line.split(":", 1)[1].split())
            break
    return [isa for isa, needed in ISA_FLAGS.items() if needed <= flags]


def read_gtest_report(report: Path, result: Result) -> None:
    for suite in json.loads(report.read_text())["testsuites"]:
        for case in suite["testsuite"]:
            name = f"{result.title}: {suite['name']}.{case['name']}"
            if case.get("failures"):
                texts = "\n".join(failure["failure"] for failure in case["failures"])
                result.failures.append(f"{name}\n{texts}")
            elif case["result"] == "SKIPPED":
                reason = " ".join(s.get("message", "") for s in case.get("skipped", []))
                result.skipped.append(f"{name} {reason}".strip())
            elif case["status"] == "RUN":
                result.passed += 1


def run_gtest(program: Path, isa: str | None, emulator: list[str]) -> Result:
    room = program.name.removesuffix("_tests")
    result = Result(title=f"{room} ({isa})" if isa else room)
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        environment = dict(os.environ, **({"NIBBLE_ISA": isa} if isa else {}))
        command = [*emulator, str(program), f"--gtest_output=json:{report}", "--gtest_brief=1"]
        try:
            run = subprocess.run(command, env=environment, cwd=folder, text=True, errors="replace",
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                 timeout=TIMEOUT_SECONDS)
            output, status = run.stdout, run.returncode
        except subprocess.TimeoutExpired:
            output, status = f"no end after {TIMEOUT_SECONDS} seconds", 124
        if report.exists():
            read_gtest_report(report, result)
        if status != 0 and not result.failures:  # crashed, or a sanitizer spoke at the end
            result.failures.append(f"{result.title}: ended with status {status}\n{output[-20000:]}")
    result.seconds = time.monotonic() - start
    return result


def run_unit_tests(build: Path, jobs: int, isas: list[str], emulator: list[str],
                   rooms: list[str] | None) -> list[Result]:
    programs = [program for program in sorted((build / "tests").glob("*_tests"))
                if rooms is None or program.name.removesuffix("_tests") in rooms]
    if not programs:
        return [Result("unit", failures=[f"unit: no test programs in {build / 'tests'}"])]
    runs = [(program, isa) for program in programs
            for isa in (isas if program.name.removesuffix("_tests") in ISA_ROOMS else [None])]
    with ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(lambda run: run_gtest(*run, emulator), runs))


def run_cli(build: Path, jobs: int) -> list[Result]:
    start = time.monotonic()
    result = Result("cli")
    for case in run_cli_tests.run_all(build / "nibble", jobs):
        if case.skip_reason is not None:
            result.skipped.append(f"cli: {case.name} {case.skip_reason}")
        elif case.failure is not None:
            result.failures.append(f"cli: {case.name}\n{case.failure}")
        else:
            result.passed += 1
    result.seconds = time.monotonic() - start
    return [result]


def run_tool_tests() -> list[Result]:
    start = time.monotonic()
    result = Result("tools")
    suite = unittest.defaultTestLoader.discover(str(ROOT / "tests" / "tools"), pattern="*_test.py")
    with open(os.devnull, "w") as quiet:
        outcome = unittest.TextTestRunner(stream=quiet).run(suite)
    for case, trace in outcome.failures + outcome.errors:
        result.failures.append(f"tools: {case}\n{trace}")
    result.skipped = [f"tools: {case} {reason}" for case, reason in outcome.skipped]
    result.passed = outcome.testsRun - len(outcome.skipped) - len(result.failures)
    result.seconds = time.monotonic() - start
    return [result]


def report(results: list[Result]) -> bool:
    for result in results:
        print(f"{result.title:20} {result.passed:5} passed {len(result.failures):3} failed "
              f"{len(result.skipped):3} skipped {result.seconds:7.1f} s")
    for result in results:
        for skipped in result.skipped:
            print(f"skipped {skipped}")
    for result in results:
        for failure in result.failures:
            print(f"\nFAILED {failure}")
    passed = sum(result.passed for result in results)
    failed = sum(len(result.failures) for result in results)
    skipped = sum(len(result.skipped) for result in results)
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return failed == 0 and passed > 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "release")
    parser.add_argument("--kinds", default="unit,cli,tools", help="comma-separated")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--emulator", default="", metavar="COMMAND",
                        help="what runs the unit tests of a build for another machine")
    parser.add_argument("--rooms", help="comma-separated; default: all that have unit tests")
    parser.add_argument("--isas", help="comma-separated; default: those of this machine")
    options = parser.parse_args()
    build = options.build.resolve()
    kinds = options.kinds.split(",")
    isas = options.isas.split(",") if options.isas else machine_isas()
    results: list[Result] = []
    if "unit" in kinds:
        results += run_unit_tests(build, options.jobs, isas, shlex.split(options.emulator),
                                  options.rooms.split(",") if options.rooms else None)
    if "cli" in kinds:
        results += run_cli(build, options.jobs)
    if "tools" in kinds:
        results += run_tool_tests()
    return 0 if report(results) else 1


if __name__ == "__main__":
    sys.exit(main())
