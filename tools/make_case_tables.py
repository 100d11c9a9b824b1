#!/usr/bin/env python3
"""Writes src/text/jinja/case_tables.h: which characters beyond ASCII have another case, from Python's Unicode data.

make_case_tables.py > src/text/jinja/case_tables.h
"""

from __future__ import annotations

import unicodedata


def mapping(change) -> dict[int, int]:
    """Characters that `change` (str.upper, str.lower) makes one other character of: their distance to it."""
    result = {}
    for code in range(0x80, 0x110000):
        if 0xD800 <= code < 0xE000:
            continue
        changed = change(chr(code))
        if len(changed) == 1 and changed != chr(code):
            result[code] = ord(changed) - code
    return result


def ranges(distances: dict[int, int]) -> list[tuple[int, int, int, int]]:
    """The mapping as (first, last, stride, distance), every character or every second one of a range."""
    codes = sorted(distances)
    result = []
    start = 0
    while start < len(codes):
        ends = []
        for stride in (1, 2):
            end = start
            while (end + 1 < len(codes) and codes[end + 1] == codes[end] + stride
                   and distances[codes[end + 1]] == distances[codes[start]]):
                end += 1
            ends.append((end, -stride))
        end, stride = max(ends)
        result.append((codes[start], codes[end], -stride, distances[codes[start]]))
        start = end + 1
    return result


def range_rows(change) -> list[str]:
    return [f"{{0x{first:x}, 0x{last:x}, {stride}, {distance}}}," for first, last, stride, distance in
            ranges(mapping(change))]


def several_rows() -> list[str]:
    """Characters that become several in upper case."""
    codes = [code for code in range(0x80, 0x110000) if not 0xD800 <= code < 0xE000 and len(chr(code).upper()) > 1]
    return ['{0x%x, "%s"},' % (code, "".join(f"\\u{ord(c):04x}" if ord(c) > 0x7F else c for c in chr(code).upper()))
            for code in codes]


def table(kind: str, name: str, rows: list[str]) -> str:
    lines = ["   "]
    for row in rows:
        if len(lines[-1]) + len(row) > 98:
            lines.append("   ")
        lines[-1] += " " + row
    return f"constexpr {kind} {name}[] = {{\n" + "\n".join(lines) + "\n};"


def main() -> None:
    print(f"""// Made by tools/make_case_tables.py from Unicode {unicodedata.unidata_version}: the characters beyond ASCII that another one is the
// upper or lower case of (first and last of a range, every how many characters, distance), or that several are.
#pragma once

#include <cstdint>

namespace nibble::jinja {{

struct CaseRange {{
  char32_t first, last;
  uint32_t stride;
  int32_t distance;
}};
struct CaseText {{
  char32_t from;
  const char* to;
}};

// clang-format off
{table("CaseRange", "kToUpper", range_rows(str.upper))}

{table("CaseText", "kToSeveralUpper", several_rows())}

{table("CaseRange", "kToLower", range_rows(str.lower))}
// clang-format on

}}  // namespace nibble::jinja""")


if __name__ == "__main__":
    main()
