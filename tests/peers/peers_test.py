"""Our files in other programs, and theirs in ours: `make test-peers`.

The peers are the gguf package (the format's own reader), llama.cpp (as the package xllamacpp) and
Hugging Face's tokenizers. Where greedy tokens differ, llama.cpp's best two must be closer than a
margin: below it a rounding may decide. Both then go on from llama.cpp's choice.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import unittest
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import gguf
import numpy
import tokenizers
import xllamacpp

ROOT = Path(__file__).resolve().parents[2]
NIBBLE = Path(os.environ.get("NIBBLE", ROOT / "build" / "release" / "nibble"))
MODEL = ROOT / "assets" / "lab-7m"
TEXT = ROOT / "assets" / "lab-7m-text" / "evaluation.txt"
SHARED = Path(os.environ.get("NIBBLE_SHARED", ROOT.parent / "shared"))
IMATRIX = ROOT / "tests" / "golden" / "lab-7m" / "imatrix.dat"
TYPES = sorted(path.stem for path in (ROOT / "recipes").glob("*.recipe"))
KNOWN_TO_GGUF = {kind.name.lower() for kind in gguf.GGMLQuantizationType}
GREEDY = json.loads((ROOT / "tests" / "golden" / "lab-7m" / "greedy.json").read_text())["cases"]


@dataclass(frozen=True)
class Closeness:
    """How near llama.cpp's answers come to ours, by how it rounds what weights are multiplied with (we round in
    runs of 32, or not at all where weights are floats)."""

    margin: float  # between the logarithms of its best two tokens: the largest that may part us
    equal: int  # tokens of 288 that are ours, at least
    clear: int  # of these with more than the margin, at least


# Measured over 36 types (xllamacpp 2026.10, AVX-512): largest margin that parted us, fewest equal and clear tokens.
FLOATS = Closeness(margin=0.01, equal=280, clear=270)  # 0.0019, 286, 281
RUNS_OF_32 = Closeness(margin=0.05, equal=275, clear=250)  # 0.036, 283, 263
RUNS_OF_256 = Closeness(margin=0.1, equal=265, clear=230)  # 0.075, 277, 243
CLOSENESS = {
    **dict.fromkeys(TYPES, RUNS_OF_256),
    **dict.fromkeys(("q8_0", "q5_1", "q5_0", "q4_1", "q4_0", "q2_0", "q1_0", "iq4_nl", "mxfp4_moe", "nvfp4"), RUNS_OF_32),
    **dict.fromkeys(("f32", "f16", "bf16"), FLOATS),
}


def nibble(*arguments: object) -> str:
    return subprocess.run([str(NIBBLE), *map(str, arguments)], check=True, text=True,
                          stdout=subprocess.PIPE).stdout


def our_tokens(model: Path, prompt: str, new: int) -> list[int]:
    ran = json.loads(nibble("run", model, "-p", prompt, "-n", new, "--temperature", 0, "--ignore-eos", "--json",
                            "--quiet"))
    return ran["generation"]["ids"]


class LlamaCpp:
    """A model loaded by llama.cpp."""

    def __init__(self, path: Path) -> None:
        parameters = xllamacpp.CommonParams()
        parameters.model.path = str(path)
        parameters.n_ctx = 256
        parameters.n_parallel = 1
        parameters.warmup = False
        parameters.verbosity = 0
        # Its threads wait for each other in a loop: on a busy machine two take up to a hundred times as long as one.
        parameters.cpuparams.n_threads = 1
        parameters.cpuparams_batch.n_threads = 1
        self.server = xllamacpp.Server(parameters)

    def greedy(self, prompt: str, new: int) -> tuple[list[int], list[str], list[float]]:
        """New tokens, their text, and how much likelier (logarithm) each was than the second best."""
        answer = self.server.handle_completions(
            {"prompt": prompt, "n_predict": new, "temperature": 0, "n_probs": 2, "ignore_eos": True,
             "cache_prompt": False})
        steps = answer["choices"][0]["logprobs"]["content"]
        best_two = [[top["logprob"] for top in step["top_logprobs"]] for step in steps]
        return ([step["id"] for step in steps], [step["token"] for step in steps],
                [two[0] - two[1] for two in best_two])


def make_mixtral(folder: Path) -> None:
    """A mixture of experts that speaks: each expert is the bundled model's feed-forward network with other noise."""
    with open(MODEL / "model.safetensors", "rb") as f:
        header = json.loads(f.read(int.from_bytes(f.read(8), "little")))
        data = f.read()
    random = numpy.random.default_rng(1)
    tensors: dict[str, numpy.ndarray] = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        weights = numpy.frombuffer(data[slice(*entry["data_offsets"])], numpy.float16).reshape(entry["shape"])
        layer, is_mlp, part = name.partition(".mlp.")
        if not is_mlp:
            tensors[name] = weights
            continue
        tensors[f"{layer}.block_sparse_moe.gate.weight"] = random.normal(0, 0.3, (8, 256)).astype(numpy.float16)
        matrix = {"gate_proj": "w1", "up_proj": "w3", "down_proj": "w2"}[part.split(".")[0]]
        for expert in range(8):
            noise = random.normal(0, 0.2 * weights.std(dtype=numpy.float32), weights.shape)
            tensors[f"{layer}.block_sparse_moe.experts.{expert}.{matrix}.weight"] = (weights + noise).astype(numpy.float16)
    folder.mkdir()
    for path in MODEL.glob("tokenizer*"):
        (folder / path.name).write_bytes(path.read_bytes())
    config = json.loads((MODEL / "config.json").read_text())
    config.update(architectures=["MixtralForCausalLM"], model_type="mixtral", num_local_experts=8, num_experts_per_tok=2)
    (folder / "config.json").write_text(json.dumps(config))
    write_safetensors(folder / "model.safetensors", tensors)


def write_safetensors(path: Path, tensors: dict[str, numpy.ndarray]) -> None:
    header, at = {}, 0
    for name, weights in tensors.items():
        header[name] = {"dtype": "F16", "shape": weights.shape, "data_offsets": [at, at + weights.nbytes]}
        at += weights.nbytes
    text = json.dumps(header).encode()
    with open(path, "wb") as f:
        f.write(len(text).to_bytes(8, "little") + text)
        for weights in tensors.values():
            f.write(weights.tobytes())


def assert_same_greedy_tokens(test: unittest.TestCase, path: Path, closeness: Closeness) -> None:
    """Compares all prompts' answers from one file and prints how many tokens were."""
    theirs = LlamaCpp(path)
    total = equal = clear = 0
    partings: list[float] = []
    for case in GREEDY:
        prompt, left = case["prompt"], case["new"]
        total += left
        while left > 0:
            tokens, texts, margins = theirs.greedy(prompt, left)
            ours = our_tokens(path, prompt, left)
            test.assertEqual((len(ours), len(tokens)), (left, left), prompt)
            same = next((i for i in range(left) if ours[i] != tokens[i]), left)
            equal += same
            clear += sum(margin >= closeness.margin for margin in margins[:same])
            if same < left:
                partings.append(margins[same])
                test.assertLess(margins[same], closeness.margin, f"{path.name}, token {same} after {prompt!r}")
            prompt += "".join(texts[:same + 1])
            left -= same + 1
    print(f"{path.name:<24}{equal:>4} of {total} tokens equal, {clear} of them clear-cut; parted at margins up to "
          f"{max(partings, default=0):.4f} (allowed: {closeness.margin})", flush=True)
    test.assertGreaterEqual(equal, closeness.equal)
    test.assertGreaterEqual(clear, closeness.clear)


class Files(unittest.TestCase):
    """Files that this test makes from the bundled model, once."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.folder = tempfile.TemporaryDirectory()
        nibble("quantize", MODEL, "-t", ",".join(TYPES), "--imatrix", IMATRIX, "-o", cls.folder.name, "--quiet")

    @classmethod
    def tearDownClass(cls) -> None:
        cls.folder.cleanup()

    def file(self, kind: str) -> Path:
        return Path(self.folder.name) / f"lab-7m-{kind}.gguf"


class GgufReader(Files):
    def test_reads_the_tensors_that_we_list(self) -> None:
        for kind in TYPES:
            listed = json.loads(nibble("inspect", self.file(kind), "--json"))["tensors"]
            unknown = {t["type"] for t in listed} - KNOWN_TO_GGUF
            if unknown:
                print(f"{kind}: not read, gguf {metadata.version('gguf')} knows no {', '.join(sorted(unknown))}")
                continue
            read = gguf.GGUFReader(self.file(kind)).tensors
            self.assertEqual([(t.name, t.tensor_type.name.lower(), t.n_bytes) for t in read],
                             [(t["name"], t["type"], t["bytes"]) for t in listed])
            self.assertEqual([list(map(int, t.shape)) for t in read], [t["shape"] for t in listed])

    def test_reads_the_metadata_that_llama_cpp_asks_for(self) -> None:
        fields = gguf.GGUFReader(self.file("q4_k_m")).fields
        expected = {
            "general.architecture": "llama", "general.file_type": 15,
            "general.quantization_version": 2, "llama.block_count": 6,
            "llama.embedding_length": 256, "llama.feed_forward_length": 768,
            "llama.attention.head_count": 8, "llama.attention.head_count_kv": 4,
            "llama.context_length": 512, "llama.rope.dimension_count": 32,
            "tokenizer.ggml.model": "llama", "tokenizer.ggml.bos_token_id": 1,
            "tokenizer.ggml.eos_token_id": 2,
        }
        self.assertEqual({key: fields[key].contents() for key in expected}, expected)
        for key in ("tokens", "scores", "token_type"):
            self.assertEqual(len(fields[f"tokenizer.ggml.{key}"].contents()), 4096)

    def test_f16_tensors_are_the_checkpoint_to_the_bit(self) -> None:
        read = {t.name: t.data for t in gguf.GGUFReader(self.file("f16")).tensors}
        with open(MODEL / "model.safetensors", "rb") as f:
            length = int.from_bytes(f.read(8), "little")
            begin, end = json.loads(f.read(length))["lm_head.weight"]["data_offsets"]
            f.seek(8 + length + begin)
            stored = numpy.frombuffer(f.read(end - begin), dtype=numpy.float16)
        numpy.testing.assert_array_equal(read["output.weight"].reshape(-1).view(numpy.uint16),
                                         stored.view(numpy.uint16))

    def test_decodes_our_blocks_near_the_weights(self) -> None:
        whole = {t.name: t.data.astype(numpy.float32)
                 for t in gguf.GGUFReader(self.file("f16")).tensors}
        for kind, bound in (("q8_0", 0.01), ("q4_k_m", 0.1)):
            for tensor in gguf.GGUFReader(self.file(kind)).tensors:
                decoded = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
                error = numpy.linalg.norm(decoded - whole[tensor.name])
                self.assertLess(error / numpy.linalg.norm(whole[tensor.name]), bound, tensor.name)


class OurFilesInLlamaCpp(Files):
    def test_every_type_gives_the_same_greedy_tokens(self) -> None:
        for kind in TYPES:
            with self.subTest(type=kind):
                assert_same_greedy_tokens(self, self.file(kind), CLOSENESS[kind])


class PlannedFiles(unittest.TestCase):
    """Types chosen tensor by tensor, rounded with error feedback."""

    def test_give_the_same_greedy_tokens(self) -> None:
        text = TEXT.parent / "calibration.txt"
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            nibble("calibrate", MODEL, "-f", text, "-c", 256, "--moments", "-o", folder / "statistics.gguf", "--quiet")
            for size in (2600000, 3200000, 4300000):
                with self.subTest(bytes=size):
                    path = folder / f"planned-{size}.gguf"
                    nibble("quantize", MODEL, "--size", f"{size}B", "--imatrix", folder / "statistics.gguf", "--calibration", text,
                           "--window", 256, "--sensitivity-tokens", 1024, "--sensitivity", folder / "sensitivity.jsonl",
                           "-o", path, "--quiet")
                    self.assertLessEqual(path.stat().st_size, size)
                    types = {t["type"] for t in json.loads(nibble("inspect", path, "--json"))["tensors"]}
                    self.assertGreater(len(types), 3)
                    assert_same_greedy_tokens(self, path, RUNS_OF_256)


class MixturesOfExperts(unittest.TestCase):
    def test_give_the_same_greedy_tokens(self) -> None:
        kinds = ("f16", "q8_0", "q4_k_m")
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            make_mixtral(folder / "mixtral")
            nibble("quantize", folder / "mixtral", "-t", ",".join(kinds), "-o", folder, "--quiet")
            for kind in kinds:
                with self.subTest(type=kind):
                    assert_same_greedy_tokens(self, folder / f"mixtral-{kind}.gguf", CLOSENESS[kind])


@unittest.skipUnless((SHARED / "models" / "lab-7m-stock").exists(), f"no stock files in {SHARED}")
class TheirFilesHere(unittest.TestCase):
    FIGURES = SHARED / "golden" / "stock_lab7m.json"
    EVALUATION = SHARED / "text" / "eval.txt"

    def test_perplexity_is_what_llama_cpp_measured(self) -> None:
        types = json.loads(self.FIGURES.read_text())["types"]
        for name in ("Q8_0", "Q6_K", "Q4_K_M", "Q4_0"):
            with self.subTest(file=name):
                path = SHARED / "models" / "lab-7m-stock" / f"{name}.gguf"
                measured = json.loads(nibble("evaluate", path, "-f", self.EVALUATION, "--context", 256,
                                             "--windows", 80, "--quiet", "--json"))["perplexity"]
                # 0.2 %: activations are rounded differently (0.03 % in the mean for q8_0)
                self.assertAlmostEqual(measured["mean"] / types[name]["perplexity"], 1, delta=0.002)

    def test_continues_as_llama_cpp_does(self) -> None:
        path = SHARED / "models" / "lab-7m-stock" / "Q8_0.gguf"
        assert_same_greedy_tokens(self, path, RUNS_OF_32)


class HuggingFaceTokenizer(unittest.TestCase):
    def test_prompts_get_the_same_ids(self) -> None:
        theirs = tokenizers.Tokenizer.from_file(str(MODEL / "tokenizer.json"))
        lines = [line for line in TEXT.read_text().splitlines() if line][:20]
        for prompt in [*lines, "  two  spaces", "ünïcødé 漢字 🙂", "12345 67", "tab\tnewline\nend"]:
            ran = json.loads(nibble("run", MODEL, "-p", prompt, "-n", 1, "--temperature", 0, "--quiet",
                                    "--json"))
            self.assertEqual(ran["prompt"]["ids"], theirs.encode(prompt).ids, prompt)


if __name__ == "__main__":
    unittest.main()
