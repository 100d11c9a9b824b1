#!/usr/bin/env python3
"""Checks that code compiled with -m flags cannot end up on the baseline path.

An inline function or template that a *_avx2.cc, *_avxvnni.cc or *_avx512.cc emits as a weak symbol could replace,
at link time, the same function of a file compiled for every machine. So each function symbol that
such an object gives to the linker must carry its instruction set in its name: the vector type
(nibble::Avx2, nibble::AvxVnni, nibble::Avx512) or a suffix (_avx2 and so on).
"""

from __future__ import annotations

import argparse
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VECTOR_TYPES = {"avx2": "Avx2", "avxvnni": "AvxVnni", "avx512": "Avx512",
                "neon": "Neon", "i8mm": "I8mm"}
FUNCTION_KINDS = "TWwi"  # of nm: global and weak functions, indirect functions; local ones are safe


def isa_of(source: str) -> str | None:
    found = re.search(rf"_({'|'.join(VECTOR_TYPES)})\.cc$", source)
    return found.group(1) if found else None


def carries_isa(symbol: str, isa: str) -> bool:
    return re.search(rf"\bnibble::{VECTOR_TYPES[isa]}\b|_{isa}\b", symbol) is not None


def unsafe_symbols(nm_output: str, isa: str) -> list[str]:
    symbols = []
    for line in nm_output.splitlines():
        found = re.match(r"[0-9a-fA-F]+ (\S) (.*)", line)
        if found and found.group(1) in FUNCTION_KINDS and not carries_isa(found.group(2), isa):
            symbols.append(found.group(2))
    return symbols


def isa_objects(build: Path) -> list[tuple[Path, str]]:
    """Where the build put the object of each source that is compiled for an instruction set."""
    objects = []
    for entry in json.loads((build / "compile_commands.json").read_text()):
        isa = isa_of(entry["file"])
        if isa is not None:
            words = shlex.split(entry["command"])
            objects.append((Path(entry["directory"]) / words[words.index("-o") + 1], isa))
    return objects


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "release")
    objects = isa_objects(parser.parse_args().build)
    violations = []
    for path, isa in objects:
        output = subprocess.run(["nm", "-C", "--defined-only", str(path)], check=True, text=True,
                                stdout=subprocess.PIPE).stdout
        violations += [f"{path.name}: {symbol}" for symbol in unsafe_symbols(output, isa)]
    for violation in violations:
        print(f"{violation}\n    could replace baseline code: make it NIBBLE_INLINE or a template on V")
    print(f"ISA symbols: {len(objects)} objects, {len(violations)} violations")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
