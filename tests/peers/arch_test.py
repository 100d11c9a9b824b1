"""Each architecture of tests/golden/arch as a GGUF of ours in llama.cpp: part of `make test-peers`.

What llama.cpp makes of prompts of several lengths is compared with what Transformers made of them (logits.npy).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

import numpy
import xllamacpp

ROOT = Path(__file__).resolve().parents[2]
NIBBLE = Path(os.environ.get("NIBBLE", ROOT / "build" / "release" / "nibble"))
FIXTURES = ROOT / "tests" / "golden" / "arch"
TOKENS = [(7 * i * i + 3 * i + 1) % 96 for i in range(32)]
LENGTHS = (1, 2, 9, 20, 32)

# What llama.cpp does not load, or does not run as Transformers does.
LEFT_OUT = {
    "command_r_plus": "norms of heads only where there are 64 layers or more",
    "deepseek_v2_lite": "not loaded: asks for attention.q_lora_rank, which such models lack",
    "exaone4_window": "windows only where there are 64 layers",
    "gpt_oss": "pairs that YaRN blends between are rounded; as Transformers rounds them on request, 1.2e-3 apart",
    "gpt_oss_mxfp4": "likewise",
    "gptj": "no such architecture",
    "mistral": "no windows in the architecture llama",
    "starcoder2": "no windows in it",
    "phi3": "its windows are disabled",
    "phimoe": "routed like Mixtral, not by SparseMixer",
}
# Its cache is f16, and so is its table of GELU. Measured: 9.2e-3 (bloom, whose logits reach 20).
TOLERANCE = 0.02
# Of blocks that are kept, and scales beside them: llama.cpp rounds activations to 8 bits there. Measured: 5.0e-2 (llama_mxfp4).
KEPT_TOLERANCE = 0.1


def answers(model: Path) -> list[dict[int, float]]:
    """The logarithms of the probabilities of what follows the first tokens, as many as each of LENGTHS."""
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(model)
    parameters.n_ctx = 64
    parameters.n_parallel = 1
    parameters.warmup = False
    parameters.verbosity = -1
    parameters.cpuparams.n_threads = 1
    parameters.cpuparams_batch.n_threads = 1
    server = xllamacpp.Server(parameters)
    result = []
    for length in LENGTHS:
        answer = server.handle_completions({"prompt": TOKENS[:length], "n_predict": 1, "temperature": 0, "n_probs": 96,
                                            "cache_prompt": False})
        step = answer["choices"][0]["logprobs"]["content"][0]
        result.append({top["id"]: top["logprob"] for top in step["top_logprobs"]})
    return result


class ArchitecturesInLlamaCpp(unittest.TestCase):
    def compare(self, name: str, kind: str = "f32", tolerance: float = TOLERANCE) -> None:
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary) / name
            shutil.copytree(FIXTURES / name, folder)
            for path in FIXTURES.glob("*.json"):
                shutil.copy(path, folder)
            model = Path(temporary) / "model.gguf"
            subprocess.run([str(NIBBLE), "quantize", str(folder), "-t", kind, "-o", str(model), "--quiet",
                            "--allow-requantize"], check=True,
                           stdout=subprocess.DEVNULL)
            found = answers(model)
        logits = numpy.load(FIXTURES / name / "logits.npy").astype(numpy.float64)
        for length, probabilities in zip(LENGTHS, found):
            row = logits[length - 1] - logits[length - 1].max()
            expected = row - numpy.log(numpy.exp(row).sum())
            likely = [token for token in probabilities if expected[token] > -20]
            self.assertGreater(len(likely), 10)
            worst = max(abs(probabilities[token] - expected[token]) for token in likely)
            self.assertLess(worst, tolerance, f"after {length} tokens")

    def test_each_is_run_alike(self) -> None:
        names = sorted(path.name for path in FIXTURES.iterdir() if path.is_dir())
        self.assertLessEqual(set(LEFT_OUT), set(names))
        for name in names:
            if name in LEFT_OUT:
                continue
            with self.subTest(name):
                self.compare(name)

    def test_kept_blocks_are_run_alike(self) -> None:
        for name in ("llama_mxfp4", "llama_nvfp4", "mixtral_nvfp4"):
            with self.subTest(name):
                self.compare(name, "copy", KEPT_TOLERANCE)


if __name__ == "__main__":
    unittest.main()
