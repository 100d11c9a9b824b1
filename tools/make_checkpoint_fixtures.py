#!/usr/bin/env python3
"""Makes tests/golden/checkpoints: small weights in the forms that checkpoints have, and their values.

NAME/ holds the weights, written by what such checkpoints are written with, and expected.values: the same weights
as float32, computed by it, not by Nibble. Where `source` below says "layout", numpy computes them from the published
layout. config.json has the quantization_config.

Needs PyPI's torch, numpy and safetensors (made with torch 2.15.0).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy
import torch
from safetensors.torch import save_file

FOLDER = Path(__file__).resolve().parents[1] / "tests" / "golden" / "checkpoints"
Tensors = dict[str, torch.Tensor]
MAKERS: dict[str, Callable[[Path], Tensors]] = {}


def maker(function: Callable[[Path], Tensors]) -> Callable[[Path], Tensors]:
    MAKERS[function.__name__] = function
    return function


def config(folder: Path, quantization: dict | None) -> None:
    fields = {} if quantization is None else {"quantization_config": quantization}
    (folder / "config.json").write_text(json.dumps(fields, indent=1) + "\n")


def torch_weights() -> Tensors:
    """One of each type, two that share a storage, one that begins inside of its own."""
    f32 = torch.randn(4, 6)
    return {
        "f32.weight": f32, "tied.weight": f32, "rows.weight": f32[1:3], "f16.weight": torch.randn(3, 5).half(),
        "bf16.weight": torch.nn.Parameter(torch.randn(2, 8).bfloat16()), "scalar": torch.tensor(7.0),
        "long": torch.arange(3), "transposed.weight": torch.randn(3, 4).t(), "empty": torch.zeros(0, 4),
        "fp8.weight": torch.randn(2, 4).to(torch.float8_e4m3fn),
    }


def floats(tensors: Tensors) -> Tensors:
    kinds = (torch.float32, torch.float16, torch.bfloat16)
    return {name: tensor.detach().float().clone().contiguous() for name, tensor in tensors.items()
            if tensor.dtype in kinds and tensor.is_contiguous() and tensor.numel() > 0}


@maker
def torch_zip(folder: Path) -> Tensors:
    config(folder, None)
    weights = torch_weights()
    torch.save(weights, folder / "pytorch_model.bin")
    return floats(weights)


@maker
def torch_legacy(folder: Path) -> Tensors:
    config(folder, None)
    weights = torch_weights()
    torch.save({"epoch": 3, "lr": 0.5, "state_dict": weights}, folder / "pytorch_model.bin",
               _use_new_zipfile_serialization=False)
    return floats(weights)


@maker
def torch_module(folder: Path) -> Tensors:
    """The state dict of a module: an OrderedDict with attributes; in two files with an index."""
    config(folder, None)
    weights = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.LayerNorm(3)).state_dict()
    files = {"pytorch_model-00001-of-00002.bin": ["0.weight", "0.bias"],
             "pytorch_model-00002-of-00002.bin": ["1.weight", "1.bias"]}
    for name, members in files.items():
        part = weights.copy()
        for other in set(weights) - set(members):
            del part[other]
        torch.save(part, folder / name)
    index = {"metadata": {}, "weight_map": {member: name for name, members in files.items() for member in members}}
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps(index, indent=1) + "\n")
    return floats(weights)


def main() -> None:
    for name in sys.argv[1:] or MAKERS:
        torch.manual_seed(7)
        numpy.random.seed(7)
        folder = FOLDER / name
        folder.mkdir(parents=True, exist_ok=True)
        save_file(MAKERS[name](folder), folder / "expected.values")
        print(name)


if __name__ == "__main__":
    main()
