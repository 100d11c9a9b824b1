#!/usr/bin/env python3
"""Writes src/text/tokenizer_tables.h: which characters Hugging Face's tokenizers take for what, asked of the library
itself for each. Needs PyPI's tokenizers (made with 0.23.3)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import tokenizers
from tokenizers import normalizers, pre_tokenizers

HEADER = Path(__file__).resolve().parents[1] / "src/text/tokenizer_tables.h"
CHARACTERS = [c for c in range(1, 0x110000) if not 0xD800 <= c < 0xE000]


def ranges(characters: Iterable[int]) -> list[tuple[int, int]]:
    found: list[list[int]] = []
    for c in characters:
        if found and found[-1][1] == c - 1:
            found[-1][1] = c
        else:
            found.append([c, c])
    return [(first, last) for first, last in found]


def removed_by(normalizer: normalizers.Normalizer) -> set[int]:
    return {c for c in CHARACTERS if normalizer.normalize_str("a" + chr(c) + "b") == "ab"}


def bert(**switches: bool) -> normalizers.Normalizer:
    off = {"clean_text": False, "handle_chinese_chars": False, "strip_accents": False, "lowercase": False}
    return normalizers.BertNormalizer(**(off | switches))


def table(name: str, comment: str, rows: list[tuple[int, ...]]) -> str:
    kind = "CharacterRange" if len(rows[0]) == 2 else "LowercaseRange"
    items = ["{" + ", ".join(f"{value:#x}" if value >= 0 else str(value) for value in row) + "}" for row in rows]
    lines, line = [], ""
    for item in items:
        if len(line) + len(item) + 2 > 92:
            lines.append(line.rstrip())
            line = ""
        line += item + ", "
    lines.append(line.rstrip(", "))
    return f"// {comment}\ninline constexpr {kind} {name}[] = {{\n" + "\n".join("    " + x for x in lines) + "};\n"


def lowercase_rows() -> list[tuple[int, ...]]:
    """Runs of characters whose lower case is one other, as far away, and newer than Unicode 15."""
    lower = normalizers.Lowercase()
    rows: list[list[int]] = []
    for c in (0x1C89, *range(0xA7CB, 0xA7DE), *range(0x10D50, 0x10D66), *range(0x16EA0, 0x16EB9)):
        step = ord(lower.normalize_str(chr(c))) - c
        if rows and rows[-1][1] == c - 1 and rows[-1][2] == step:
            rows[-1][1] = c
        elif step != 0:
            rows.append([c, c, step])
    return [tuple(row) for row in rows]


def main() -> None:
    accents = removed_by(bert(strip_accents=True))
    marks = removed_by(normalizers.StripAccents())
    separate: Callable[[int], bool] = lambda c: len(pre_tokenizers.Punctuation().pre_tokenize_str("a" + chr(c) + "a")) > 1
    tables = [
        table("kControls", "What BERT's clean_text takes out: categories Cc, Cf and Co, U+0000 and U+FFFD aside.",
              ranges(sorted(removed_by(bert(clean_text=True)) - {0xFFFD}))),
        table("kNonspacingMarks", "Category Mn.", ranges(sorted(accents))),
        table("kOtherMarks", "Categories Mc and Me, and Mn where StripAccents alone knows them.",
              ranges(sorted(marks - accents))),
        table("kPunctuation", "Categories P, and all of ASCII that is neither letter, digit nor space.",
              ranges(c for c in CHARACTERS if separate(c))),
        table("kNewerLowercase", "Lower cases that came with Unicode 16 and 17.", lowercase_rows())]
    assert accents <= marks, sorted(accents - marks)
    HEADER.write_text(f"""// Characters as Hugging Face's tokenizers {tokenizers.__version__} knows them, made by
// tools/{Path(__file__).name}. Its categories are those of Unicode 8, whatever newer
// versions say: texts must become the ids that a model was trained on.
#pragma once

#include <cstdint>

namespace nibble {{

struct CharacterRange {{
  char32_t first, last;
}};

struct LowercaseRange {{
  char32_t first, last;
  int32_t step;  // from each to its lower case
}};

// clang-format off
""" + "\n".join(tables) + "// clang-format on\n\n}  // namespace nibble\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
