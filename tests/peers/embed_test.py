"""The models of tests/golden/embed as GGUFs of ours in llama.cpp: part of `make test-peers`.

Its embeddings are compared with what Transformers made (embeddings.npy), and so are its tokens by that.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

import numpy
import xllamacpp

ROOT = Path(__file__).resolve().parents[2]
NIBBLE = Path(os.environ.get("NIBBLE", ROOT / "build" / "release" / "nibble"))
FIXTURES = ROOT / "tests" / "golden" / "embed"
# Its cache, its table of GELU and what its matrix products round are f16. Vectors have a length of 1. Measured: 2.6e-4 (bert).
TOLERANCE = 1e-3


def embeddings(model: Path, texts: list[str]) -> numpy.ndarray:
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(model)
    parameters.n_ctx = 128
    parameters.n_parallel = 1
    parameters.embedding = True
    parameters.warmup = False
    parameters.verbosity = -1
    parameters.cpuparams.n_threads = 1
    parameters.cpuparams_batch.n_threads = 1
    server = xllamacpp.Server(parameters)
    answer = server.handle_embeddings({"input": texts})
    return numpy.array([item["embedding"] for item in answer["data"]], dtype=numpy.float64)


class EmbeddingsInLlamaCpp(unittest.TestCase):
    def test_each_is_embedded_alike(self) -> None:
        for folder in sorted(FIXTURES.iterdir()):
            with self.subTest(folder.name), tempfile.TemporaryDirectory() as temporary:
                model = Path(temporary) / "model.gguf"
                subprocess.run([str(NIBBLE), "quantize", str(folder), "-t", "f32", "-o", str(model), "--quiet"],
                               check=True, stdout=subprocess.DEVNULL)
                texts = json.loads((folder / "expected.json").read_text())["texts"]
                expected = numpy.load(folder / "embeddings.npy")
                found = embeddings(model, texts)
                worst = float(numpy.abs(found - expected).max())
                print(f"{folder.name}: {worst:.1e} apart at most", flush=True)
                self.assertLess(worst, TOLERANCE)


if __name__ == "__main__":
    unittest.main()
