#!/usr/bin/env python3
"""Checks every #include of src/, include/ and cli/: "..." against the layer table of docs/design.md, <...> against
docs/dependencies.md."""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BASICS = ("base", "simd", "codec", "tensor")  # layers 0 to 2

# room: what it may include, as rooms or as single headers. A room may always include itself.
LAYERS: dict[str, tuple[str, ...]] = {
    "base": (),
    "simd": ("base/numeric.h", "base/attributes.h", "base/error.h"),
    "codec": ("base", "simd"),
    "tensor": ("base", "codec"),
    "kernel": ("base", "simd", "codec", "tensor"),
    "file": ("base", "codec", "tensor"),
    "text": ("base",),
    "quant": ("base", "codec", "tensor", "kernel"),
    "model": ("base", "codec", "tensor", "kernel", "file"),
    "calib": BASICS + ("kernel", "file", "quant", "model"),
    "plan": BASICS + ("quant", "model/roles.h"),
    "infer": BASICS + ("kernel", "text", "model"),
    "train": BASICS + ("kernel", "quant", "model"),
    "eval": BASICS + ("kernel", "file", "text", "model", "infer"),
}
LAYERS["report"] = ("base", "nibble")
LAYERS["flow"] = tuple(LAYERS)  # all above
FOR_EVERY_ROOM = ("nibble/error.h", "nibble/dtype.h", "nibble/effort.h", "nibble/divergence.h", "nibble/activations.h",
                  "nibble/readable.h", "nibble/text_file.h")
# Libraries that docs/dependencies.md keeps to one place: how their headers begin, and where that is.
LIBRARIES = {"openssl/": "src/base/sha256.cc", "sqlite3.h": "src/flow/bench_store.cc", "pcre2.h": "src/text/regex.cc",
             "utf8proc.h": "src/text/characters.cc", "CLI/": "cli/"}
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')
LIBRARY_INCLUDE = re.compile(r"^\s*#\s*include\s+<([^>]+)>")


def problem(place: str, included: str) -> str | None:
    """Why the file of `place` ("src/codec", "cli", "include") may not include this; None: it may."""
    if included.startswith(".") or "/../" in included:
        return "is relative: write the full path from src/"
    if place in ("include", "cli"):
        own = "nibble/" if place == "include" else ("nibble/", "cli/")
        return None if included.startswith(own) else f"{place} may include only the public headers"
    room = place.removeprefix("src/")
    if room not in LAYERS:
        return f"room {room} is not in the table of tools/check_layers.py"
    target = included.split("/", 1)[0]
    if target == room or target in LAYERS[room] or included in LAYERS[room]:
        return None
    if included in FOR_EVERY_ROOM or (room == "flow" and target == "nibble"):
        return None
    return f"{room} may include only: {', '.join(LAYERS[room]) or 'the standard library'}"


def library_problem(path: str, included: str) -> str | None:
    """Why this file may not include this header of a library; None: it may."""
    for library, place in LIBRARIES.items():
        if included.startswith(library) and not path.startswith(place):
            return f"only {place} may include it"
    return None


def place_of(path: Path) -> str:
    """The part of a path that decides: "include", "cli" or "src/ROOM"."""
    return "/".join(path.parts[:2]) if path.parts[0] == "src" else path.parts[0]


def check(root: Path) -> list[str]:
    violations = []
    files = [f for top in ("src", "include", "cli") for f in sorted((root / top).rglob("*.[hc]*"))
             if f.suffix in (".h", ".cc")]
    for file in files:
        path = file.relative_to(root)
        for number, line in enumerate(file.read_text().splitlines(), start=1):
            found = INCLUDE.match(line)
            why = problem(place_of(path), found.group(1)) if found else None
            if found and why:
                violations.append(f'{path}:{number}: "{found.group(1)}": {why}')
            library = LIBRARY_INCLUDE.match(line)
            why = library_problem(str(path), library.group(1)) if library else None
            if library and why:
                violations.append(f"{path}:{number}: <{library.group(1)}>: {why}")
    return violations


def main() -> int:
    violations = check(ROOT)
    print("\n".join(violations) or "layers: no violation")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
