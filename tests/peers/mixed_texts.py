"""Texts that tell tokenizers apart: all scripts, emoji, control characters, long runs of digits and spaces, what was
invalid UTF-8 (as Python decodes it, with U+FFFD), special tokens of many models.

mixed_texts.py COUNT SEED prints them, one JSON string a line."""

from __future__ import annotations

import json
import random
import sys
import unicodedata

SCRIPTS = [
    (0x20, 0x7E), (0xA0, 0x24F), (0x250, 0x2FF), (0x300, 0x36F), (0x370, 0x3FF), (0x400, 0x52F), (0x531, 0x58A),
    (0x591, 0x5F4), (0x600, 0x6FF), (0x900, 0x97F), (0x980, 0x9FE), (0xE01, 0xE5B), (0x10A0, 0x10FF), (0x1100, 0x11FF),
    (0x1E00, 0x1EFF), (0x1F00, 0x1FFE), (0x2000, 0x206F), (0x2070, 0x209C), (0x20A0, 0x20BF), (0x2100, 0x214F),
    (0x2150, 0x218B), (0x2190, 0x23FF), (0x2460, 0x24FF), (0x2500, 0x27BF), (0x3000, 0x303F), (0x3040, 0x30FF),
    (0x3100, 0x312F), (0x4E00, 0x9FFF), (0xAC00, 0xD7A3), (0xF900, 0xFAFF), (0xFB00, 0xFB06), (0xFE00, 0xFE0F),
    (0xFF00, 0xFFEF), (0x10400, 0x1044F), (0x1D400, 0x1D7FF), (0x1F300, 0x1FAFF), (0x20000, 0x2A6DF)]
WORDS = (
    "the of and to in is I'm you're he'll they've it's can't she'd DON'T I'LL hello World HTTPServer "
    "camelCase snake_case naïve façade Straße résumé привет мир Ελλάδα नमस्ते สวัสดี 你好 世界 こんにちは 안녕하세요 "
    "שלום مرحبا x=1; foo() return if(a[i]!=b) #include <stdio.h> https://a.b/c?d=e&f=g user@mail.com 3.14 "
    "1,234,567 2024-11-30 $9.99 50% C++ e.g. i.e. ... !!! ??? -- — “quoted” ‘q’ «g» \\n \\t {} [] () <> "
    "<s> </s> <|endoftext|> <|im_start|> <|im_end|> <pad> <unk> <bos> <eos> [CLS] [SEP] [MASK] ▁ ▁▁ ##ing "
    "👍🏽 👨‍👩‍👧 🇩🇪 ❤️ é e\u0301 ﬁ ½ ² Ⅷ \ufeff \u200b \u200d \u00ad \u0130 ß ẞ ſ K ŉ").split(" ")
SPACES = [" ", "  ", "   ", "    ", "\t", "\t\t", "\n", "\n\n", "\n\n\n", "\r\n", " \n", "\n ", "\u00a0", "\u3000", "\u2003",
          "\u2028", "\u0085", "\u000b", "\u000c", "        "]


def piece(source: random.Random) -> str:
    kind = source.random()
    if kind < 0.35:
        return source.choice(WORDS)
    if kind < 0.5:
        return source.choice(SPACES)
    if kind < 0.58:
        return "".join(source.choice("0123456789") for _ in range(source.randint(1, 25)))
    if kind < 0.65:
        return chr(source.randint(0, 0x1F) if source.random() < 0.7 else source.randint(0x7F, 0x9F))
    if kind < 0.71:
        return source.choice("abcdefgh \n.,!'-_/ÀéßЖ漢1") * source.randint(2, 40)
    if kind < 0.75:
        return "".join(source.choice("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~") for _ in range(source.randint(1, 8)))
    if kind < 0.78:
        return bytes(source.randint(0, 255) for _ in range(source.randint(1, 6))).decode("utf-8", "replace")
    first, last = source.choice(SCRIPTS)
    drawn = (chr(source.randint(first, last)) for _ in range(source.randint(1, 8)))
    return "".join(c for c in drawn if unicodedata.category(c) != "Cn")


def mixed_texts(count: int, seed: int) -> list[str]:
    source = random.Random(seed)
    texts = []
    for _ in range(count):
        pieces = source.choice((1, 1, 2, 3, 5, 8, 13, 30))
        texts.append(source.choice(("", "", " ", " ")).join(piece(source) for _ in range(pieces)))
    return texts


if __name__ == "__main__":
    for line in mixed_texts(int(sys.argv[1]), int(sys.argv[2])):
        print(json.dumps(line))
