"""Makes logits.npy: what Transformers' MixtralForCausalLM (float32) answers to 24 tokens, with the weights that
tests/support/mixtral.h makes, too. Needs PyPI's torch, numpy and transformers 4 (5 names experts otherwise; made with 4.40.2).
"""

from __future__ import annotations

from pathlib import Path

import numpy
import torch
from transformers import MixtralConfig, MixtralForCausalLM

CONFIG = MixtralConfig(
    vocab_size=96, hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4,
    num_key_value_heads=2, num_local_experts=4, num_experts_per_tok=2, max_position_embeddings=512, rms_norm_eps=1e-5,
    rope_theta=1e6, sliding_window=None, tie_word_embeddings=False)
TOKENS = [(7 * i * i + 3 * i + 1) % 96 for i in range(24)]


def names() -> list[tuple[str, float]]:
    """The tensors in the order of their seeds, each with its spread."""
    result = [("model.embed_tokens", 1.0), ("model.norm", 0.25), ("lm_head", 0.5)]
    for layer in range(CONFIG.num_hidden_layers):
        prefix = f"model.layers.{layer}."
        result += [(prefix + name, 0.25) for name in (
            "input_layernorm", "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj",
            "post_attention_layernorm")]
        result.append((prefix + "block_sparse_moe.gate", 0.5))
        result += [(f"{prefix}block_sparse_moe.experts.{e}.{w}", 0.25)
                   for e in range(CONFIG.num_local_experts) for w in ("w1", "w2", "w3")]
    return result


def weights(shape: tuple[int, ...], spread: float, seed: int) -> numpy.ndarray:
    """As random_floats() of tests/support/random.h, around 1 for norms, rounded to f16."""
    draws = numpy.random.RandomState(seed).randint(0, 2**32, numpy.prod(shape), dtype=numpy.uint32) % 20001
    values = numpy.float32(spread) * (draws.astype(numpy.float32) / numpy.float32(10000) - numpy.float32(1))
    center = numpy.float32(1 if len(shape) == 1 else 0)
    return (center + values).astype(numpy.float16).astype(numpy.float32).reshape(shape)


def main() -> None:
    model = MixtralForCausalLM(CONFIG).float().eval()
    parameters = dict(model.named_parameters())
    with torch.no_grad():
        for seed, (name, spread) in enumerate(names()):
            parameter = parameters.pop(name + ".weight")
            parameter.copy_(torch.from_numpy(weights(tuple(parameter.shape), spread, seed)))
        assert not parameters, parameters.keys()
        logits = model(torch.tensor([TOKENS])).logits[0].numpy()
    numpy.save(Path(__file__).with_name("logits.npy"), logits.astype("<f4"))


if __name__ == "__main__":
    main()
