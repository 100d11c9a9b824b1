#!/usr/bin/env python3
"""Makes tests/golden/embed: tiny random models that make embeddings, and what Transformers answers to a few texts.

NAME/ is a directory as Sentence Transformers has them: config.json, model.safetensors (bfloat16), tokenizer.json,
modules.json and 1_Pooling/config.json. expected.json has texts and their ids (PyPI's tokenizers); states.npy the last
hidden states of all texts, one after another, and embeddings.npy the pooled ones, of length 1: float32, computed in
float32 from the rounded weights.

Needs what tools/make_arch_fixtures.py needs.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import numpy
import tokenizers
import torch
import transformers
from safetensors.torch import save_file

from make_arch_fixtures import DIMENSIONS, FOLDER as ARCH, VOCABULARY, fill

FOLDER = ARCH.parent / "embed"
TEXTS = ["a cat", "The cat sat on the mat!", "A kitten and the dog ran in the rain, and then on and on 1234567890 times.",
         "taxes", "z"]
BERT = {"vocab_size": VOCABULARY, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2,
        "num_attention_heads": 4, "max_position_embeddings": 128, "type_vocab_size": 2, "pad_token_id": 0}
MODES = {"mean": "pooling_mode_mean_tokens", "cls": "pooling_mode_cls_token", "last": "pooling_mode_lasttoken"}
# class, config, pooling
FIXTURES = {
    "bert": ("BertModel", BERT, "cls"),
    "bert_first": ("BertModel", BERT, "mean"),
    "nomic_bert": ("NomicBertModel", BERT, "mean"),
    "nomic_bert_published": ("NomicBertModel", BERT, "mean"),
    "qwen3": ("Qwen3Model", {**DIMENSIONS, "head_dim": 16}, "last"),
}
# Nomic's names of what Transformers renames.
PUBLISHED = {"layers.": "encoder.layers.", "self_attn.o_proj": "attn.out_proj", "mlp.up_proj": "mlp.fc11",
             "mlp.gate_proj": "mlp.fc12", "mlp.down_proj": "mlp.fc2", "post_attention_layernorm": "norm1",
             "post_mlp_layernorm": "norm2", "embeddings.LayerNorm": "emb_ln"}


def word_pieces() -> dict:
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmnopqrstuvwxyz", *".,!?0123456789",
              *(f"##{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"), "the", "cat", "sat", "on", "and", "##at",
              "##ing", "##en", "in", "##1", "##2", "##3", "##4", "##5", "##6", "##7", "##8", "##9", "##0", "dog"]
    tokens += [f"[unused{i}]" for i in range(VOCABULARY - len(tokens))]
    special = [{"id": i, "content": token, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
                "special": True} for i, token in enumerate(tokens[:5])]
    around = [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
              {"SpecialToken": {"id": "[SEP]", "type_id": 0}}]
    return {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": special,
        "normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True,
                       "strip_accents": None, "lowercase": True},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {"type": "TemplateProcessing", "single": around, "pair": around, "special_tokens": {
            token: {"id": token, "ids": [tokens.index(token)], "tokens": [token]} for token in ("[CLS]", "[SEP]")}},
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                  "max_input_chars_per_word": 100, "vocab": {token: i for i, token in enumerate(tokens)}}}


def with_end() -> dict:
    """The tokenizer of tests/golden/arch, which puts </s> behind a text and nothing before it."""
    content = json.loads((ARCH / "tokenizer.json").read_text())
    single = [{"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "</s>", "type_id": 0}}]
    content["post_processor"] = {"type": "TemplateProcessing", "single": single, "pair": single, "special_tokens": {
        "</s>": {"id": "</s>", "ids": [2], "tokens": ["</s>"]}}}
    return content


def write_json(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True) + "\n")


def as_first(tensors: dict[str, torch.Tensor]) -> None:
    """As the first checkpoints of BERT: under "bert.", with other names for norms and a head beside it."""
    for name in list(tensors):
        renamed = name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")
        tensors["bert." + renamed] = tensors.pop(name)
    tensors["cls.predictions.bias"] = torch.zeros(VOCABULARY, dtype=torch.bfloat16)


def as_published(tensors: dict[str, torch.Tensor], config: dict) -> dict:
    for name in list(tensors):
        if ".self_attn.q_proj" not in name:
            continue
        parts = [tensors.pop(name.replace("q_proj", f"{part}_proj")) for part in "qkv"]
        tensors[name.replace("self_attn.q_proj", "attn.Wqkv")] = torch.cat(parts)
    for name in list(tensors):
        renamed = name
        for old, new in PUBLISHED.items():
            renamed = renamed.replace(old, new)
        tensors[renamed] = tensors.pop(name)
    return {"architectures": ["NomicBertModel"], "model_type": "nomic_bert", "activation_function": "swiglu",
            "causal": False, "layer_norm_epsilon": config["layer_norm_eps"], "n_embd": 32, "n_head": 4, "n_inner": 64,
            "n_layer": 2, "n_positions": 8192, "max_trained_positions": 2048, "prenorm": False,
            "rotary_emb_base": 1000, "rotary_emb_fraction": 1.0, "rotary_emb_interleaved": False,
            "rotary_scaling_factor": None, "type_vocab_size": 2, "use_rms_norm": False, "vocab_size": VOCABULARY,
            "torch_dtype": "bfloat16"}


def make(name: str) -> None:
    kind, fields, pooling = FIXTURES[name]
    model_class = getattr(transformers, kind)
    config = model_class.config_class(**fields)
    config._attn_implementation = "eager"
    model = model_class(config).float().eval()
    fill(model, False)
    folder = FOLDER / name
    shutil.rmtree(folder, ignore_errors=True)
    write_json(folder / "tokenizer.json", with_end() if kind == "Qwen3Model" else word_pieces())
    roles = ({"eos_token": "</s>", "unk_token": "<unk>"} if kind == "Qwen3Model" else
             {"cls_token": "[CLS]", "sep_token": "[SEP]", "unk_token": "[UNK]", "pad_token": "[PAD]",
              "mask_token": "[MASK]"})
    write_json(folder / "tokenizer_config.json", {"tokenizer_class": "PreTrainedTokenizerFast", **roles})
    module = "sentence_transformers.models."
    write_json(folder / "modules.json", [
        {"idx": 0, "name": "0", "path": "", "type": module + "Transformer"},
        {"idx": 1, "name": "1", "path": "1_Pooling", "type": module + "Pooling"},
        {"idx": 2, "name": "2", "path": "2_Normalize", "type": module + "Normalize"}])
    write_json(folder / "1_Pooling" / "config.json",
               {"word_embedding_dimension": 32, **{mode: key == pooling for key, mode in MODES.items()}})
    tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    ids = [tokenizer.encode(text).ids for text in TEXTS]
    with torch.no_grad():
        states = [model(torch.tensor([each])).last_hidden_state[0].numpy() for each in ids]
    pooled = numpy.stack([{"mean": rows.mean(axis=0), "cls": rows[0], "last": rows[-1]}[pooling] for rows in states])
    pooled /= numpy.linalg.norm(pooled, axis=1, keepdims=True)
    write_json(folder / "expected.json", {"ids": ids, "pooling": pooling, "texts": TEXTS})
    numpy.save(folder / "states.npy", numpy.concatenate(states).astype("<f4"))
    numpy.save(folder / "embeddings.npy", pooled.astype("<f4"))
    tensors = {key: value.bfloat16().contiguous() for key, value in model.state_dict().items()}
    content = json.loads(config.to_json_string(use_diff=False))
    content.update(architectures=["Qwen3ForCausalLM" if kind == "Qwen3Model" else kind], torch_dtype="bfloat16")
    if name == "nomic_bert_published":
        content = as_published(tensors, content)
    if name == "bert_first":
        as_first(tensors)
        content["architectures"] = ["BertForMaskedLM"]
    write_json(folder / "config.json", content)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    print(f"{name}: {size / 1024:.0f} KiB", flush=True)


if __name__ == "__main__":
    for each in sys.argv[1:] or FIXTURES:
        make(each)
