"""Makes importance.f32: sums of squares of what lab-7m's matrices multiply, in float64 and written independently of any
engine, while it reads the first 6 chunks of 128 tokens of assets/lab-7m-text/calibration.txt. Needs PyPI's numpy,
safetensors and tokenizers. Layout: for each layer the inputs of attention [256], of its output [256], of the
feed-forward network [256] and of its last matrix [768].
"""

from __future__ import annotations

from pathlib import Path

import numpy
from safetensors.numpy import load_file
from tokenizers import Tokenizer

ASSETS = Path(__file__).resolve().parents[3] / "assets"
LAYERS, HEADS, KV_HEADS, HEAD_DIM, BASE, EPSILON, BOS = 6, 8, 4, 32, 10000.0, 1e-5, 1
CONTEXT, CHUNKS = 128, 6

weights = {name: value.astype(numpy.float64) for name, value in load_file(ASSETS / "lab-7m/model.safetensors").items()}


def norm(x: numpy.ndarray, name: str) -> numpy.ndarray:
    return x / numpy.sqrt((x * x).mean(-1, keepdims=True) + EPSILON) * weights[name]


def rotate(x: numpy.ndarray) -> numpy.ndarray:
    """[tokens, heads, HEAD_DIM], the halves of a head as pairs."""
    half = HEAD_DIM // 2
    angles = numpy.arange(len(x))[:, None] * BASE ** (-numpy.arange(half) / half)
    cos, sin = numpy.cos(angles)[:, None], numpy.sin(angles)[:, None]
    a, b = x[..., :half], x[..., half:]
    return numpy.concatenate([a * cos - b * sin, b * cos + a * sin], -1)


def attend(q: numpy.ndarray, k: numpy.ndarray, v: numpy.ndarray) -> numpy.ndarray:
    k, v = (numpy.repeat(x, HEADS // KV_HEADS, axis=1) for x in (k, v))
    scores = numpy.einsum("ihd,jhd->hij", q, k) / numpy.sqrt(HEAD_DIM)
    scores += numpy.where(numpy.tri(len(q), dtype=bool), 0, -numpy.inf)
    scores = numpy.exp(scores - scores.max(-1, keepdims=True))
    return numpy.einsum("hij,jhd->ihd", scores / scores.sum(-1, keepdims=True), v).reshape(len(q), -1)


def inputs(tokens: list[int]):
    """What each matrix multiplies, in the order of the file."""
    x = weights["model.embed_tokens.weight"][tokens]
    for layer in range(LAYERS):
        prefix = f"model.layers.{layer}."

        def times(rows: numpy.ndarray, name: str) -> numpy.ndarray:
            return rows @ weights[f"{prefix}{name}_proj.weight"].T

        h = norm(x, prefix + "input_layernorm.weight")
        yield h
        q, k, v = (times(h, f"self_attn.{n}").reshape(len(tokens), -1, HEAD_DIM) for n in "qkv")
        attended = attend(rotate(q), rotate(k), v)
        yield attended
        x = x + times(attended, "self_attn.o")
        h = norm(x, prefix + "post_attention_layernorm.weight")
        yield h
        gate = times(h, "mlp.gate")
        hidden = gate / (1 + numpy.exp(-gate)) * times(h, "mlp.up")
        yield hidden
        x = x + times(hidden, "mlp.down")


def main() -> None:
    text = (ASSETS / "lab-7m-text/calibration.txt").read_text(encoding="utf-8")
    ids = [BOS] + Tokenizer.from_file(str(ASSETS / "lab-7m/tokenizer.json")).encode(text, add_special_tokens=False).ids
    sums: list[numpy.ndarray] = []
    for chunk in range(CHUNKS):
        squares = [(x * x).sum(0) for x in inputs([BOS] + ids[chunk * CONTEXT + 1:(chunk + 1) * CONTEXT])]
        sums = squares if not sums else [a + b for a, b in zip(sums, squares)]
    numpy.concatenate(sums).astype("<f4").tofile(Path(__file__).with_name("importance.f32"))


if __name__ == "__main__":
    main()
