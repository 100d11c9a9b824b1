#!/usr/bin/env python3
"""Makes tests/golden/arch: for each architecture a tiny random checkpoint and what Transformers answers to it.

NAME/ holds config.json, model.safetensors (bfloat16) and logits.npy: the logits [32, 96], float32, after each of 32
tokens, computed in float32 from the rounded weights. tokenizer.json serves them all. Weights depend on the names of
parameters only, so a fixture can be made anew alone: tools/make_arch_fixtures.py [NAME ...].

Needs PyPI's torch, numpy and transformers (made with transformers 5.24.0 on torch 2.15.0).
"""

from __future__ import annotations

import json
import math
import shutil
import sys
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy
import torch
import transformers
from safetensors.torch import load_file, save_file

FOLDER = Path(__file__).resolve().parents[1] / "tests" / "golden" / "arch"
VOCABULARY = 96
TOKENS = [(7 * i * i + 3 * i + 1) % VOCABULARY for i in range(32)]
# Multiples of 32 everywhere, so that block formats apply; four query heads that share two heads of keys.
DIMENSIONS = {
    "vocab_size": VOCABULARY, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2,
    "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 128, "tie_word_embeddings": False,
    "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": None, "torch_dtype": "bfloat16",
}
YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32, "rope_theta": 10000.0}
LLAMA3 = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
          "original_max_position_embeddings": 32, "rope_theta": 10000.0}

Tensors = dict[str, torch.Tensor]


class Fixture:
    """A class of Transformers with a config that differs from DIMENSIONS by `fields`."""

    def __init__(self, kind: str, without: tuple[str, ...] = (), change: Callable[[Tensors, dict], None] | None = None,
                 zero: tuple[str, ...] = (), **fields: object) -> None:
        self.kind = kind
        dimensions = {key: value for key, value in DIMENSIONS.items() if key not in without}
        self.fields = {**dimensions, **fields}
        self.zero = zero  # parameters that are 0, by parts of their names
        self.change = change  # makes a checkpoint of a family that Transformers has no class for

    def model(self) -> torch.nn.Module:
        kind = getattr(transformers, self.kind)
        config = kind.config_class(**self.fields)
        config._attn_implementation = "eager"
        return kind(config)


GPT = {"vocab_size": VOCABULARY, "n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 64, "bos_token_id": 1,
       "eos_token_id": 2}
LONGROPE = {"rope_type": "longrope", "rope_theta": 10000.0, "original_max_position_embeddings": 16,
            "long_factor": [1.0 + 0.5 * i for i in range(4)], "short_factor": [1.0] * 4}


def rename(tensors: Tensors, names: dict[str, str]) -> None:
    for name in list(tensors):
        renamed = name
        for old, new in names.items():
            renamed = renamed.replace(old, new)
        tensors[renamed] = tensors.pop(name)


def as_internlm2(tensors: Tensors, config: dict) -> None:
    """Llama under the names of InternLM 2, with queries, keys and values of each group in one matrix."""
    for layer in range(config["num_hidden_layers"]):
        q, k, v = (tensors.pop(f"model.layers.{layer}.self_attn.{part}_proj.weight") for part in "qkv")
        heads = [q.reshape(2, 2, 8, 32), k.reshape(2, 1, 8, 32), v.reshape(2, 1, 8, 32)]
        tensors[f"model.layers.{layer}.attention.wqkv.weight"] = torch.cat(heads, dim=1).reshape(64, 32)
    rename(tensors, {"self_attn.o_proj": "attention.wo", "mlp.gate_proj": "feed_forward.w1",
                     "mlp.up_proj": "feed_forward.w3", "mlp.down_proj": "feed_forward.w2",
                     "input_layernorm": "attention_norm", "post_attention_layernorm": "ffn_norm",
                     "model.embed_tokens": "model.tok_embeddings", "lm_head": "output"})
    config.update(architectures=["InternLM2ForCausalLM"], model_type="internlm2")


def as_exaone(tensors: Tensors, config: dict) -> None:
    rename(tensors, {"model.layers.": "transformer.h.", "self_attn.o_proj": "attn.attention.out_proj",
                     "self_attn.": "attn.attention.", "mlp.gate_proj": "mlp.c_fc_0", "mlp.up_proj": "mlp.c_fc_1",
                     "mlp.down_proj": "mlp.c_proj", "input_layernorm": "ln_1", "post_attention_layernorm": "ln_2",
                     "model.embed_tokens": "transformer.wte", "model.norm": "transformer.ln_f"})
    config.update(architectures=["ExaoneForCausalLM"], model_type="exaone",
                  activation_function=config.pop("hidden_act"), num_layers=config.pop("num_hidden_layers"),
                  layer_norm_epsilon=config.pop("rms_norm_eps"))


def as_minicpm(tensors: Tensors, config: dict) -> None:
    """Llama whose matrices hold the factors that MiniCPM multiplies by: powers of two, so that nothing is rounded."""
    for name in tensors:
        if name.endswith(("o_proj.weight", "mlp.down_proj.weight")):
            tensors[name] *= 2
        elif name == "model.embed_tokens.weight":
            tensors[name] /= 4
        elif name == "lm_head.weight":
            tensors[name] *= 2
    config.update(architectures=["MiniCPMForCausalLM"], model_type="minicpm", scale_emb=4, scale_depth=1.0,
                  dim_model_base=16)  # 1 / sqrt(4 layers) and 32 / 16


def as_deepseek(tensors: Tensors, config: dict) -> None:
    """Qwen 2 MoE whose shared expert's gate is 0, so that half of it is added, and whose biases are 0."""
    for name in list(tensors):
        if "shared_expert_gate" in name or name.endswith(".bias"):
            del tensors[name]
        elif name.endswith("shared_expert.down_proj.weight"):
            tensors[name] /= 2
    rename(tensors, {"shared_expert.": "shared_experts."})
    del config["shared_expert_intermediate_size"], config["mlp_only_layers"]
    config.update(architectures=["DeepseekForCausalLM"], model_type="deepseek", n_shared_experts=2,
                  n_routed_experts=config.pop("num_experts"), first_k_dense_replace=1, moe_layer_freq=1,
                  scoring_func="softmax")


E2M1 = torch.tensor([0, 0.5, 1, 1.5, 2, 3, 4, 6, 0, -0.5, -1, -1.5, -2, -3, -4, -6])


def mxfp4_codes(name: str, shape: tuple[int, ...]) -> tuple[torch.Tensor, torch.Tensor]:
    """Random codes [experts, rows, groups, 16] and scales [experts, rows, groups]."""
    random = numpy.random.RandomState(zlib.crc32(name.encode()))
    experts, columns, rows = shape  # as Transformers has it, transposed
    codes = random.randint(0, 256, (experts, rows, columns // 32, 16), dtype=numpy.uint8)
    return torch.from_numpy(codes), torch.from_numpy(
        random.randint(121, 125, codes.shape[:-1], dtype=numpy.uint8))


def fill_mxfp4(name: str, parameter: torch.nn.Parameter) -> None:
    codes, scales = mxfp4_codes(name, tuple(parameter.shape))
    halves = torch.stack([codes & 15, codes >> 4], dim=-1).flatten(-2)
    weights = E2M1[halves.long()] * torch.exp2(scales.float() - 127).unsqueeze(-1)
    parameter.copy_(weights.flatten(-2).transpose(1, 2))


def as_mxfp4(tensors: Tensors, config: dict) -> None:
    for name in [name for name in tensors if name.endswith(("experts.gate_up_proj", "experts.down_proj"))]:
        codes, scales = mxfp4_codes(name, tuple(tensors.pop(name).shape))
        tensors[name + "_blocks"], tensors[name + "_scales"] = codes, scales
    config["quantization_config"] = {"quant_method": "mxfp4", "modules_to_not_convert": ["lm_head"]}


E4M3 = torch.arange(1, 127, dtype=torch.uint8).view(torch.float8_e4m3fn).float()
NVFP4_FACTOR = 1.5 / 1024  # of few bits, so that weights are exact in bfloat16


def round_to_nvfp4(values: torch.Tensor) -> torch.Tensor:
    grouped = values.unflatten(-1, (-1, 16))
    scales = (grouped.abs().amax(-1, keepdim=True) / 6 / NVFP4_FACTOR).to(torch.float8_e4m3fn).float() * NVFP4_FACTOR
    nearest = (grouped.unsqueeze(-1) / scales.unsqueeze(-1) - E2M1).abs().argmin(-1)
    return (E2M1[nearest] * scales).flatten(-2)


def nvfp4_parts(name: str, values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Pairs of codes, scales and a factor of the whole, another for each name, that make `values`."""
    factor = NVFP4_FACTOR / 2 ** (zlib.crc32(name.encode()) % 3)
    grouped = values.unflatten(-1, (-1, 16)).float()
    codes, scales = torch.zeros(grouped.shape, dtype=torch.uint8), torch.zeros(grouped.shape[:-1])
    found = torch.zeros(grouped.shape[:-1], dtype=torch.bool)
    for scale in E4M3:
        equal = grouped.unsqueeze(-1) == E2M1 * (scale * factor)
        fits = equal.any(-1).all(-1) & ~found
        codes[fits] = equal.float().argmax(-1).to(torch.uint8)[fits]
        scales[fits] = scale
        found |= fits
    assert found.all(), name
    codes = codes.flatten(-2)
    return codes[..., 0::2] | codes[..., 1::2] << 4, scales.to(torch.float8_e4m3fn), torch.tensor(factor)


def round_to_mxfp4(values: torch.Tensor) -> torch.Tensor:
    grouped = values.unflatten(-1, (-1, 32))
    scales = torch.exp2((grouped.abs().amax(-1, keepdim=True) / 6).log2().ceil())
    nearest = (grouped.unsqueeze(-1) / scales.unsqueeze(-1) - E2M1).abs().argmin(-1)
    return (E2M1[nearest] * scales).flatten(-2)


def mxfp4_parts(values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    grouped = values.unflatten(-1, (-1, 32)).float()
    scales = torch.exp2((grouped.abs().amax(-1) / 6).log2().ceil())
    equal = (grouped / scales.unsqueeze(-1)).unsqueeze(-1) == E2M1
    assert equal.any(-1).all()
    codes = equal.float().argmax(-1).to(torch.uint8).flatten(-2)
    return codes[..., 0::2] | codes[..., 1::2] << 4, (scales.log2() + 127).to(torch.uint8)


def is_packed(name: str) -> bool:
    return ".layers." in name and "norm" not in name and not name.endswith((".gate.weight", "bias"))


def as_modelopt(tensors: Tensors, config: dict) -> None:
    for name in [name for name in tensors if is_packed(name) or name == "lm_head.weight"]:
        tensors[name], tensors[name + "_scale"], tensors[name + "_scale_2"] = nvfp4_parts(name, tensors.pop(name))
        tensors[name.replace("weight", "input_scale")] = torch.tensor(0.5)
    config["quantization_config"] = {"quant_method": "modelopt", "quant_algo": "NVFP4"}


def as_compressed_nvfp4(tensors: Tensors, config: dict) -> None:
    for name in [name for name in tensors if is_packed(name)]:
        codes, scales, factor = nvfp4_parts(name, tensors.pop(name))
        tensors |= {name + "_packed": codes, name + "_scale": scales, name + "_global_scale": (1 / factor).reshape(1)}
    weights = {"num_bits": 4, "type": "float", "symmetric": True, "strategy": "tensor_group", "group_size": 16}
    config["quantization_config"] = {"quant_method": "compressed-tensors", "format": "nvfp4-pack-quantized",
                                     "config_groups": {"group_0": {"targets": ["Linear"], "weights": weights}}}


def as_compressed_mxfp4(tensors: Tensors, config: dict) -> None:
    for name in [name for name in tensors if is_packed(name) or name == "lm_head.weight"]:
        tensors[name + "_packed"], tensors[name + "_scale"] = mxfp4_parts(tensors.pop(name))
    weights = {"num_bits": 4, "type": "float", "symmetric": True, "strategy": "group", "group_size": 32}
    config["quantization_config"] = {"quant_method": "compressed-tensors", "format": "mxfp4-pack-quantized",
                                     "config_groups": {"group_0": {"targets": ["Linear"], "weights": weights}}}


GPT_OSS = {"head_dim": 16, "num_local_experts": 4, "num_experts_per_tok": 2, "sliding_window": 12,
           "rope_parameters": {**YARN, "truncate": False, "beta_fast": 32.0, "beta_slow": 1.0}}

NVFP4 = {"hidden_size": 64, "head_dim": 16}  # blocks are 64 weights

# Keys of 32 + 8 dimensions, values of 32, latents of 64 and 32: multiples of 32 where matrices have columns.
MLA = {"kv_lora_rank": 64, "q_lora_rank": 32, "qk_nope_head_dim": 32, "qk_rope_head_dim": 8, "v_head_dim": 32,
       "num_key_value_heads": 4, "n_routed_experts": 8, "n_shared_experts": 1, "num_experts_per_tok": 3,
       "moe_intermediate_size": 32, "first_k_dense_replace": 1}
MSCALE = {"mscale": 0.707, "mscale_all_dim": 0.707}

FIXTURES = {
    "llama": Fixture("LlamaForCausalLM", head_dim=16),
    "llama3": Fixture("LlamaForCausalLM", head_dim=16, rope_parameters=LLAMA3),
    "llama_bias": Fixture("LlamaForCausalLM", attention_bias=True, mlp_bias=True),
    "llama_yarn": Fixture("LlamaForCausalLM", head_dim=16, rope_parameters=YARN),
    "mistral": Fixture("MistralForCausalLM", head_dim=16, sliding_window=12),
    "mixtral": Fixture("MixtralForCausalLM", head_dim=16, num_local_experts=4, num_experts_per_tok=2),
    "smollm3": Fixture("SmolLM3ForCausalLM", num_hidden_layers=4),
    "qwen2": Fixture("Qwen2ForCausalLM"),
    "qwen3": Fixture("Qwen3ForCausalLM", head_dim=16),
    "gemma": Fixture("GemmaForCausalLM", head_dim=16, tie_word_embeddings=True, hidden_activation="gelu_pytorch_tanh"),
    "gemma2": Fixture("Gemma2ForCausalLM", head_dim=16, tie_word_embeddings=True, sliding_window=12,
                      query_pre_attn_scalar=16, attn_logit_softcapping=2.0, final_logit_softcapping=3.0),
    "gemma3": Fixture("Gemma3ForCausalLM", head_dim=16, tie_word_embeddings=True, sliding_window=12,
                      query_pre_attn_scalar=16, num_hidden_layers=6),
    "phi2": Fixture("PhiForCausalLM", num_key_value_heads=4),
    "phi3": Fixture("Phi3ForCausalLM", sliding_window=12),
    "phi3_longrope": Fixture("Phi3ForCausalLM", rope_parameters=LONGROPE, original_max_position_embeddings=16),
    "phimoe": Fixture("PhimoeForCausalLM", num_local_experts=4, num_experts_per_tok=2, attention_bias=True,
                      lm_head_bias=True, sliding_window=None, rope_parameters={"rope_type": "default",
                                                                              "rope_theta": 10000.0}),
    "stablelm": Fixture("StableLmForCausalLM", head_dim=None, use_qkv_bias=True),
    "stablelm_parallel": Fixture("StableLmForCausalLM", use_parallel_residual=True, qk_layernorm=True),
    "starcoder2": Fixture("Starcoder2ForCausalLM", sliding_window=12),
    "gpt2": Fixture("GPT2LMHeadModel", without=tuple(DIMENSIONS), **GPT),
    "starcoder": Fixture("GPTBigCodeForCausalLM", without=tuple(DIMENSIONS), **GPT),
    "gptj": Fixture("GPTJForCausalLM", without=tuple(DIMENSIONS), **GPT, rotary_dim=4, tie_word_embeddings=False),
    "gptneox": Fixture("GPTNeoXForCausalLM", without=("num_key_value_heads",), use_parallel_residual=True),
    "gptneox_serial": Fixture("GPTNeoXForCausalLM", without=("num_key_value_heads",), use_parallel_residual=False),
    "falcon": Fixture("FalconForCausalLM", without=("intermediate_size",), new_decoder_architecture=False, multi_query=True, bias=False,
                      parallel_attn=True, alibi=False, tie_word_embeddings=True),
    "falcon_40b": Fixture("FalconForCausalLM", without=("intermediate_size",), new_decoder_architecture=True,
                          num_kv_heads=2, bias=False, parallel_attn=True, alibi=False, tie_word_embeddings=True),
    "bloom": Fixture("BloomForCausalLM", without=tuple(DIMENSIONS), vocab_size=VOCABULARY, hidden_size=32, n_layer=2,
                     n_head=4),
    "bloom_6_heads": Fixture("BloomForCausalLM", without=tuple(DIMENSIONS), vocab_size=VOCABULARY, hidden_size=48,
                             n_layer=1, n_head=6),
    "mpt": Fixture("MptForCausalLM", without=tuple(DIMENSIONS), vocab_size=VOCABULARY, d_model=32, n_layers=2,
                   n_heads=4, max_seq_len=128, attn_config={"clip_qkv": 1.0, "alibi": True, "alibi_bias_max": 8}),
    "olmo": Fixture("OlmoForCausalLM", clip_qkv=1.0),
    "olmo2": Fixture("Olmo2ForCausalLM"),
    "olmo3": Fixture("Olmo3ForCausalLM", num_hidden_layers=4, sliding_window=12),
    "olmoe": Fixture("OlmoeForCausalLM", num_key_value_heads=4, num_experts=4, num_experts_per_tok=2),
    "qwen2moe": Fixture("Qwen2MoeForCausalLM", num_experts=4, num_experts_per_tok=2, moe_intermediate_size=32,
                        shared_expert_intermediate_size=64, decoder_sparse_step=1),
    "qwen3moe": Fixture("Qwen3MoeForCausalLM", head_dim=16, num_experts=4, num_experts_per_tok=2,
                        moe_intermediate_size=32, norm_topk_prob=True),
    "deepseek": Fixture("Qwen2MoeForCausalLM", change=as_deepseek, zero=("shared_expert_gate", "proj.bias"),
                        num_experts=4, num_experts_per_tok=2, moe_intermediate_size=32,
                        shared_expert_intermediate_size=64, decoder_sparse_step=1, mlp_only_layers=[0],
                        norm_topk_prob=False),
    "deepseek_v2": Fixture("DeepseekV2ForCausalLM", **MLA, rope_parameters={**YARN, **MSCALE}, n_group=4, topk_group=2,
                           topk_method="group_limited_greedy", routed_scaling_factor=2.0),
    "deepseek_v2_lite": Fixture("DeepseekV2ForCausalLM", **{**MLA, "q_lora_rank": None}),
    "deepseek_v3": Fixture("DeepseekV3ForCausalLM", **MLA, rope_parameters={**YARN, "mscale": 1.0, "mscale_all_dim": 1.0},
                           n_group=4, topk_group=2, routed_scaling_factor=2.5, norm_topk_prob=True),
    "gpt_oss": Fixture("GptOssForCausalLM", **GPT_OSS),
    "gpt_oss_mxfp4": Fixture("GptOssForCausalLM", change=as_mxfp4, **GPT_OSS),
    "llama_mxfp4": Fixture("LlamaForCausalLM", change=as_compressed_mxfp4, head_dim=16),
    "llama_nvfp4": Fixture("LlamaForCausalLM", change=as_modelopt, **NVFP4),
    "mixtral_nvfp4": Fixture("MixtralForCausalLM", change=as_compressed_nvfp4, num_local_experts=3, num_experts_per_tok=2,
                             **{**NVFP4, "num_hidden_layers": 1}),
    "granite": Fixture("GraniteForCausalLM", attention_multiplier=0.25, embedding_multiplier=3.0,
                       residual_multiplier=0.5, logits_scaling=2.0),
    "granitemoe": Fixture("GraniteMoeForCausalLM", num_local_experts=4, num_experts_per_tok=2,
                          attention_multiplier=0.25, embedding_multiplier=3.0, residual_multiplier=0.5,
                          logits_scaling=2.0),
    "granitemoe_shared": Fixture("GraniteMoeSharedForCausalLM", num_local_experts=4, num_experts_per_tok=2,
                                 shared_intermediate_size=32),
    "command_r": Fixture("CohereForCausalLM", logit_scale=0.25, tie_word_embeddings=True),
    "command_r_plus": Fixture("CohereForCausalLM", logit_scale=0.25, tie_word_embeddings=True, use_qk_norm=True),
    "cohere2": Fixture("Cohere2ForCausalLM", logit_scale=0.25, tie_word_embeddings=True, num_hidden_layers=4,
                       sliding_window=12),
    "internlm2": Fixture("LlamaForCausalLM", change=as_internlm2),
    "minicpm": Fixture("LlamaForCausalLM", change=as_minicpm, num_hidden_layers=4),
    "exaone": Fixture("LlamaForCausalLM", change=as_exaone),
    "exaone4": Fixture("Exaone4ForCausalLM", sliding_window=None, layer_types=["full_attention"] * 2),
    "exaone4_window": Fixture("Exaone4ForCausalLM", num_hidden_layers=4, sliding_window=12, sliding_window_pattern=4),
    "glm": Fixture("GlmForCausalLM", head_dim=8, attention_bias=True),
    "glm4": Fixture("Glm4ForCausalLM", head_dim=16, attention_bias=True),
}


def fill(model: torch.nn.Module, change: Callable | None, zero: tuple[str, ...]) -> None:
    """Weights large enough that everything in the model matters, rounded to bfloat16."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if change is as_mxfp4 and name.endswith(("experts.gate_up_proj", "experts.down_proj")):
                fill_mxfp4(name, parameter)
                continue
            random = numpy.random.RandomState(zlib.crc32(name.encode()))
            values = random.standard_normal(tuple(parameter.shape)).astype(numpy.float32)
            if parameter.dim() > 1 and "embed" not in name and "wte" not in name and "wpe" not in name:
                values *= 1.0 / math.sqrt(parameter.shape[-1])
            elif parameter.dim() > 1 and model.config.tie_word_embeddings:
                values *= 0.25  # or logits are so large that a token has all of the probability
            elif parameter.dim() == 1:
                values = values * 0.2 + float(parameter.float().mean().round())
            rounded = torch.from_numpy(values).bfloat16().float()
            if change in (as_modelopt, as_compressed_nvfp4) and (is_packed(name) or name == "lm_head.weight"):
                rounded = round_to_nvfp4(rounded)
            elif change is as_compressed_mxfp4 and (is_packed(name) or name == "lm_head.weight"):
                rounded = round_to_mxfp4(rounded)
            parameter.copy_(rounded)
            if any(part in name for part in zero):
                parameter.zero_()
        for name, buffer in model.named_buffers():
            if name.endswith("e_score_correction_bias"):
                random = numpy.random.RandomState(zlib.crc32(name.encode()))
                buffer.copy_(torch.from_numpy(random.standard_normal(buffer.shape) * 0.2).bfloat16().float())


def make(name: str) -> None:
    fixture = FIXTURES[name]
    model = fixture.model().float().eval()
    fill(model, fixture.change, fixture.zero)
    with torch.no_grad():
        logits = model(torch.tensor([TOKENS])).logits[0].numpy()
    folder = FOLDER / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as temporary:
        model.bfloat16().save_pretrained(temporary)
        config = json.loads((Path(temporary) / "config.json").read_text())
        tensors = load_file(Path(temporary) / "model.safetensors")
    if fixture.change is not None:
        fixture.change(tensors, config)
    (folder / "config.json").write_text(json.dumps(config, indent=1, sort_keys=True) + "\n")
    save_file({key: value.contiguous() for key, value in tensors.items()}, folder / "model.safetensors",
              metadata={"format": "pt"})
    numpy.save(folder / "logits.npy", logits.astype("<f4"))


def make_tokenizer() -> None:
    """A vocabulary like Llama 2's, of as many tokens as there are rows: letters, and merges of some."""
    tokens = ["<unk>", "<s>", "</s>"]
    letters = "▁etaoinshrdlucmfwypvbgkjqxz"
    merges = ["▁ t", "h e", "▁t he", "i n", "a n", "▁ a", "e r", "o n", "▁ s", "r e", "▁ and"]
    merges.insert(8, "an d")
    tokens += [*letters, *"ABCDEFGHIJKLMNOPQRSTUVWXYZ", *".,!?'\n0123456789"]
    tokens += [merge.replace(" ", "") for merge in merges if merge.replace(" ", "") not in tokens]
    tokens += [f"<extra_{i}>" for i in range(VOCABULARY - len(tokens) - 1)]
    tokens.append("<|endoftext|>")  # llama.cpp looks for it in Phi-3
    special = [{"id": i, "content": token, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
                "special": True} for i, token in enumerate(tokens[:3])]
    normalizer = {"type": "Sequence", "normalizers": [
        {"type": "Prepend", "prepend": "▁"}, {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]}
    content = {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": special, "normalizer": normalizer,
        "pre_tokenizer": None, "post_processor": None, "decoder": None,
        "model": {"type": "BPE", "dropout": None, "unk_token": "<unk>", "continuing_subword_prefix": None,
                  "end_of_word_suffix": None, "fuse_unk": True, "byte_fallback": True,
                  "vocab": {token: i for i, token in enumerate(tokens)}, "merges": merges}}
    (FOLDER / "tokenizer.json").write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n")
    (FOLDER / "tokenizer_config.json").write_text(json.dumps(
        {"tokenizer_class": "LlamaTokenizer", "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>",
         "add_bos_token": True, "add_eos_token": False, "legacy": True}, indent=1) + "\n")


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    make_tokenizer()
    for name in sys.argv[1:] or FIXTURES:
        make(name)
        size = sum(path.stat().st_size for path in (FOLDER / name).iterdir())
        print(f"{name}: {size / 1024:.0f} KiB", flush=True)


if __name__ == "__main__":
    main()
