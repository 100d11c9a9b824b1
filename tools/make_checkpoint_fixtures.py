#!/usr/bin/env python3
"""Makes tests/golden/checkpoints: small weights in the forms that checkpoints have, and their values.

NAME/ holds the weights, written by what such checkpoints are written with, and expected.values: the same weights
as float32, computed by it, not by Nibble. Where a maker says "layout", numpy computes them from the published
layout. config.json has the quantization_config.

Needs PyPI's torch, numpy, transformers, safetensors, bitsandbytes and compressed-tensors (made with torch 2.15.0, bitsandbytes
0.50.2, compressed-tensors 0.20.1), and the sources of auto-gptq 0.7.1 and autoawq 0.2.9, unpacked where Python looks for
modules: single files of them are loaded, so they need not be installed.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

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
        "fp8.weight": torch.randn(2, 4).to(torch.float8_e4m3fn), "sliced.weight": torch.randn(4, 6).half()[:, 1:4],
        "expanded.weight": torch.randn(5).expand(3, 5), "permuted.weight": torch.randn(2, 3, 4).permute(2, 0, 1),
        "column": torch.randn(4, 3).bfloat16()[:, 1], "fp8.transposed": torch.randn(2, 4).to(torch.float8_e4m3fn).t(),
    }


def floats(tensors: Tensors) -> Tensors:
    kinds = (torch.float32, torch.float16, torch.bfloat16)
    return {name: tensor.detach().float().clone().contiguous() for name, tensor in tensors.items()
            if tensor.dtype in kinds and tensor.numel() > 0}


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


def weight(rows: int, columns: int) -> torch.Tensor:
    return torch.randn(rows, columns) * 0.1


PLAIN = {"model.norm.weight": (8,), "lm_head.weight": (4, 8)}


def save(folder: Path, tensors: Tensors, quantization: dict) -> Tensors:
    """Adds tensors that are not quantized, which must come through as they are."""
    config(folder, quantization)
    plain = {name: torch.randn(*shape).bfloat16() for name, shape in PLAIN.items()}
    save_file({name: tensor.contiguous() for name, tensor in {**tensors, **plain}.items()}, folder / "model.safetensors")
    return floats(plain)


@maker
def fp8_block(folder: Path) -> Tensors:
    """DeepSeek-V3's and Qwen3's, by Transformers: blocks of 128 x 128 (here 8 x 16), the last ones cut off."""
    codes = (weight(20, 40) * 50).to(torch.float8_e4m3fn)
    scales = torch.rand(3, 3) * 0.01
    expected = codes.float() * scales.repeat_interleave(8, 0)[:20].repeat_interleave(16, 1)[:, :40]
    rest = save(folder, {"a.weight": codes, "a.weight_scale_inv": scales},
                {"quant_method": "fp8", "weight_block_size": [8, 16], "activation_scheme": "dynamic"})
    return {"a.weight": expected, **rest}


@maker
def fp8_rows(folder: Path) -> Tensors:
    """A scale per row (fbgemm_fp8) and per tensor, e5m2, and experts in one tensor."""
    rows, whole, experts = ((weight(6, 10) * 50).to(torch.float8_e4m3fn), weight(4, 8).to(torch.float8_e5m2),
                            (torch.randn(3, 4, 8) * 9).to(torch.float8_e4m3fn))
    row_scales, scale, expert_scales = torch.rand(6, 1), torch.tensor(0.37), torch.rand(3, 1, 1)
    tensors = {"rows.weight": rows, "rows.weight_scale": row_scales, "whole.weight": whole, "whole.weight_scale": scale,
               "whole.input_scale": torch.tensor(2.0), "experts.down_proj": experts, "experts.down_proj_scale": expert_scales}
    rest = save(folder, tensors, {"quant_method": "fbgemm_fp8"})
    return {"rows.weight": rows.float() * row_scales, "whole.weight": whole.float() * scale,
            "experts.down_proj": experts.float() * expert_scales, **rest}


def load_file(package: str, file: str) -> ModuleType:
    """A file of a package, without the package's own __init__, which wants other packages."""
    spec = importlib.util.find_spec(package)
    path = Path(spec.submodule_search_locations[0]) / file
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def pack_stream(codes: numpy.ndarray, bits: int) -> numpy.ndarray:
    """Codes [n, m] as a stream of bits down each column, in words of 32: the layout of GPTQ."""
    n, m = codes.shape
    flat = ((codes[:, None, :] >> numpy.arange(bits)[None, :, None]) & 1).reshape(n * bits, m)
    flat = numpy.concatenate([flat, numpy.zeros((-len(flat) % 32, m), flat.dtype)])
    words = (flat.reshape(-1, 32, m).astype(numpy.uint64) << numpy.arange(32, dtype=numpy.uint64)[None, :, None]).sum(1)
    return words.astype(numpy.uint32).view(numpy.int32)


def auto_gptq_values(kind: str, bits: int, group: int, tensors: Tensors, stem: str) -> torch.Tensor:
    """What AutoGPTQ's layer makes of the rows of an identity: its weights."""
    qweight, scales = tensors[f"{stem}.qweight"], tensors[f"{stem}.scales"]
    inputs, outputs = qweight.shape[0] * 32 // bits, qweight.shape[1]
    layer = load_file("auto_gptq", f"nn_modules/qlinear/{kind}.py").QuantLinear(bits, group, inputs, outputs, False)
    layer.qweight, layer.qzeros, layer.scales = qweight, tensors[f"{stem}.qzeros"], scales.float()
    if f"{stem}.g_idx" in tensors:
        layer.g_idx = tensors[f"{stem}.g_idx"]
    return layer(torch.eye(inputs)).T.contiguous()


def gptq(folder: Path, version: int, act_order: bool, kind: str | None, group: int = 32) -> Tensors:
    """2, 3, 4 and 8 bits in one checkpoint. `kind`: AutoGPTQ's layer, which knows version 1; without one layout: its
    qweight, qzeros, scales and g_idx.

    A zero point of 0 is stored as the largest code in version 1. Of AutoGPTQ's layers qlinear_cuda_old takes it for 0 again, the
    others for 2^bits: only where the former computes there is such a one.
    """
    tensors, expected = {}, {}
    inputs, outputs = 64, 32
    is_old = kind == "qlinear_cuda_old"
    for bits in (2, 4, 8) if is_old else (2, 3, 4, 8):
        codes = numpy.random.randint(0, 1 << bits, (inputs, outputs))
        zeros = numpy.random.randint(1 if kind and not is_old else 0, 1 << bits, (inputs // group, outputs))
        zeros[0, :2] = (1 if kind and not is_old else 0, (1 << bits) - 1)
        scales = (numpy.random.rand(inputs // group, outputs) * 0.1).astype(numpy.float16)
        order = numpy.arange(inputs) // group
        if act_order:
            order = numpy.random.permutation(order)
        stored = (zeros - (version == 1)) % (1 << bits)
        stem = f"b{bits}"
        tensors |= {f"{stem}.qweight": torch.from_numpy(pack_stream(codes, bits)),
                    f"{stem}.qzeros": torch.from_numpy(pack_stream(stored.T, bits).T.copy()),
                    f"{stem}.scales": torch.from_numpy(scales)}
        if act_order:
            tensors[f"{stem}.g_idx"] = torch.from_numpy(order.astype(numpy.int32))
        values = (codes - zeros[order]).astype(numpy.float32) * scales[order].astype(numpy.float32)
        expected[f"{stem}.weight"] = torch.from_numpy(values.T.copy())
        if kind:
            theirs = auto_gptq_values(kind, bits, group, tensors, stem)
            assert torch.equal(theirs, expected[f"{stem}.weight"]), (kind, bits)
            expected[f"{stem}.weight"] = theirs
    quantization = {"quant_method": "gptq", "bits": 4, "group_size": group, "desc_act": act_order, "dynamic": {}}
    if version == 2:
        quantization["checkpoint_format"] = "gptq_v2"
    return {**expected, **save(folder, tensors, quantization)}


@maker
def gptq_v1(folder: Path) -> Tensors:
    return gptq(folder, 1, act_order=True, kind="qlinear_cuda")


@maker
def gptq_old(folder: Path) -> Tensors:
    return gptq(folder, 1, act_order=False, kind="qlinear_cuda_old")


@maker
def gptq_v2(folder: Path) -> Tensors:
    return gptq(folder, 2, act_order=False, kind=None)


@maker
def awq(folder: Path) -> Tensors:
    """By AutoAWQ's dequantize_gemm."""
    inputs, outputs, group = 32, 24, 16
    order = [0, 2, 4, 6, 1, 3, 5, 7]
    codes = numpy.random.randint(0, 16, (inputs, outputs))
    zeros = numpy.random.randint(0, 16, (inputs // group, outputs))
    scales = (numpy.random.rand(inputs // group, outputs) * 0.1).astype(numpy.float16)

    def pack(values: numpy.ndarray) -> torch.Tensor:
        words = numpy.zeros((len(values), outputs // 8), numpy.uint32)
        for place, column in enumerate(order):
            words |= values[:, column::8].astype(numpy.uint32) << numpy.uint32(4 * place)
        return torch.from_numpy(words.view(numpy.int32))

    packed = (pack(codes), pack(zeros))
    values = load_file("awq", "utils/packing_utils.py").dequantize_gemm(*packed, torch.from_numpy(scales).float(), 4, group)
    rest = save(folder, {"a.qweight": packed[0], "a.qzeros": packed[1], "a.scales": torch.from_numpy(scales)},
                {"quant_method": "awq", "bits": 4, "group_size": group, "version": "gemm", "zero_point": True})
    return {"a.weight": values.T.contiguous(), **rest}


@maker
def bitsandbytes(folder: Path) -> Tensors:
    """By bitsandbytes on the CPU: nf4 and fp4, with scales that are quantized themselves or not, and int8.

    Rows are whole blocks: of others 0.50.2's dequantize_4bit strays from the weights themselves on the CPU (0.12 where the
    layout gives 0.04).
    """
    from bitsandbytes import functional

    tensors, expected = {}, {}
    for kind, nested, shape in (("nf4", True, (12, 64)), ("nf4", False, (6, 64)), ("fp4", True, (6, 128))):
        name = f"{kind}_{'nested' if nested else 'plain'}.weight"
        codes, state = functional.quantize_4bit(weight(*shape), blocksize=64, compress_statistics=nested, quant_type=kind)
        expected[name] = functional.dequantize_4bit(codes, state).float()
        tensors[name] = codes
        tensors |= {f"{name}.{key}": part for key, part in state.as_dict(packed=True).items()}
    codes, scales, _ = functional.int8_vectorwise_quant(weight(5, 12).half())
    tensors |= {"int8.weight": codes, "int8.SCB": scales, "int8.weight_format": torch.tensor(0, dtype=torch.uint8)}
    expected["int8.weight"] = functional.int8_vectorwise_dequant(codes, scales).float()
    return {**expected, **save(folder, tensors, {"quant_method": "bitsandbytes", "load_in_4bit": True})}


def compressed(folder: Path, fmt: str, cases: dict[str, dict], shape: tuple[int, int] = (16, 64)) -> Tensors:
    """By compressed-tensors: its compressor packs, and what it unpacks is expected."""
    from compressed_tensors.compressors import BaseCompressor
    from compressed_tensors.quantization import QuantizationArgs, QuantizationScheme
    from compressed_tensors.quantization.utils import calculate_qparams

    tensors, expected = {}, {}
    for name, fields in cases.items():
        args = QuantizationArgs(**fields)
        values = weight(*shape)
        if args.strategy == "group":
            grouped = values.unflatten(1, (-1, args.group_size))
            low, high = grouped.amin(-1), grouped.amax(-1)
        elif args.strategy == "channel":
            low, high = values.amin(1, keepdim=True), values.amax(1, keepdim=True)
        else:
            low, high = values.min().reshape(1), values.max().reshape(1)
        scale, zero = calculate_qparams(low, high, args)
        state = {"weight": values, "weight_scale": scale.float()}
        if not args.symmetric:
            state["weight_zero_point"] = zero
        scheme = QuantizationScheme(targets=["Linear"], weights=args)
        packed = BaseCompressor.get_value_from_registry(fmt).compress(dict(state), scheme)
        unpacked = BaseCompressor.get_value_from_registry(fmt).decompress(dict(packed), scheme)
        expected[f"{name}.weight"] = unpacked["weight"].float()
        tensors |= {f"{name}.{key}": part for key, part in packed.items()}
    groups = {"group_0": {"targets": ["Linear"], "weights": next(iter(cases.values()))}}
    return {**expected, **save(folder, tensors, {"quant_method": "compressed-tensors", "format": fmt, "config_groups": groups})}


INT4 = {"num_bits": 4, "type": "int", "symmetric": False, "strategy": "group", "group_size": 16}


@maker
def compressed_packed(folder: Path) -> Tensors:
    return compressed(folder, "pack-quantized", {
        "asymmetric": INT4, "symmetric": {**INT4, "symmetric": True},
        "rows": {"num_bits": 8, "type": "int", "symmetric": True, "strategy": "channel"}}, (12, 48))


@maker
def compressed_int(folder: Path) -> Tensors:
    return compressed(folder, "int-quantized", {
        "rows": {"num_bits": 8, "type": "int", "symmetric": False, "strategy": "channel"},
        "groups": {"num_bits": 8, "type": "int", "symmetric": True, "strategy": "group", "group_size": 16}})


@maker
def compressed_float(folder: Path) -> Tensors:
    return compressed(folder, "float-quantized", {
        "rows": {"num_bits": 8, "type": "float", "symmetric": True, "strategy": "channel"},
        "whole": {"num_bits": 8, "type": "float", "symmetric": True, "strategy": "tensor"}})


def nvfp4_state() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    values = weight(6, 64)
    largest = values.unflatten(1, (-1, 16)).abs().amax(-1)
    factor = torch.tensor([448 * 6 / largest.max()])
    return values, (largest / 6 * factor).to(torch.float8_e4m3fn), factor


@maker
def compressed_nvfp4(folder: Path) -> Tensors:
    from compressed_tensors.compressors import BaseCompressor
    from compressed_tensors.compressors.nvfp4.helpers import unpack_fp4_from_uint8
    from compressed_tensors.quantization import QuantizationArgs, QuantizationScheme
    from compressed_tensors.quantization.lifecycle.forward import dequantize

    fields = {"num_bits": 4, "type": "float", "symmetric": True, "strategy": "tensor_group", "group_size": 16}
    scheme = QuantizationScheme(targets=["Linear"], weights=QuantizationArgs(**fields))
    values, scales, factor = nvfp4_state()
    kind = BaseCompressor.get_value_from_registry("nvfp4-pack-quantized")
    packed = kind.compress({"weight": values, "weight_scale": scales.float(), "weight_global_scale": factor}, scheme)
    packed["weight_scale"] = packed["weight_scale"].to(torch.float8_e4m3fn)
    # In float32: its decompress() rounds to bfloat16.
    codes = unpack_fp4_from_uint8(packed["weight_packed"], *values.shape, dtype=torch.float32)
    expected = dequantize(codes, packed["weight_scale"].float(), args=scheme.weights, dtype=torch.float32,
                          global_scale=factor)
    rest = save(folder, {f"a.{key}": part for key, part in packed.items()},
                {"quant_method": "compressed-tensors", "format": "nvfp4-pack-quantized",
                 "config_groups": {"group_0": {"targets": ["Linear"], "weights": fields}}})
    return {"a.weight": expected, **rest}


@maker
def compressed_mxfp4(folder: Path) -> Tensors:
    from compressed_tensors.compressors import BaseCompressor
    from compressed_tensors.quantization import QuantizationArgs, QuantizationScheme

    fields = {"num_bits": 4, "type": "float", "symmetric": True, "strategy": "group", "group_size": 32}
    scheme = QuantizationScheme(targets=["Linear"], weights=QuantizationArgs(**fields))
    values = weight(6, 96)
    largest = values.unflatten(1, (-1, 32)).abs().amax(-1)
    kind = BaseCompressor.get_value_from_registry("mxfp4-pack-quantized")
    packed = kind.compress({"weight": values, "weight_scale": torch.exp2((largest / 6).log2().ceil())}, scheme)
    unpacked = kind.decompress(dict(packed), scheme)  # exact in bfloat16: codes times powers of two
    rest = save(folder, {f"a.{key}": part for key, part in packed.items()},
                {"quant_method": "compressed-tensors", "format": "mxfp4-pack-quantized",
                 "config_groups": {"group_0": {"targets": ["Linear"], "weights": fields}}})
    return {"a.weight": unpacked["weight"].float(), **rest}


@maker
def modelopt(folder: Path) -> Tensors:
    """layout: NVIDIA ModelOpt's NVFP4 and FP8."""
    values, scales, factor = nvfp4_state()
    table = torch.tensor([0, 0.5, 1, 1.5, 2, 3, 4, 6, -0.0, -0.5, -1, -1.5, -2, -3, -4, -6])
    codes = torch.randint(0, 16, values.shape)
    pairs = (codes[:, 0::2] | codes[:, 1::2] << 4).to(torch.uint8)
    second = 1 / factor[0]
    expected = table[codes] * (scales.float() * second).repeat_interleave(16, 1)
    fp8, scale = (weight(4, 8) * 50).to(torch.float8_e4m3fn), torch.tensor(0.013)
    rest = save(folder, {"a.weight": pairs, "a.weight_scale": scales, "a.weight_scale_2": second, "a.input_scale": torch.tensor(1.0),
                         "b.weight": fp8, "b.weight_scale": scale, "b.k_scale": torch.tensor(1.0)},
                {"quant_method": "modelopt", "quant_algo": "NVFP4"})
    return {"a.weight": expected, "b.weight": fp8.float() * scale, **rest}


@maker
def modelopt_experts(folder: Path) -> Tensors:
    """layout: ModelOpt's experts in one tensor: FP8; NVFP4 along rows with a scale for each expert; and along columns with one of
    all, as it leaves Llama 4's."""
    table = torch.tensor([0, 0.5, 1, 1.5, 2, 3, 4, 6, -0.0, -0.5, -1, -1.5, -2, -3, -4, -6])
    tensors, expected = {}, {}

    def nvfp4(stem: str, axis: int, second: torch.Tensor) -> None:
        codes = torch.randint(0, 16, (2, 4, 64) if axis == 2 else (2, 32, 8))
        scales = (torch.rand(2, *((4, 4) if axis == 2 else (2, 8))) * 400).to(torch.float8_e4m3fn)
        even, odd = (codes[:, :, i::2] if axis == 2 else codes[:, i::2] for i in (0, 1))
        factors = (scales.float() * second.reshape(-1, 1, 1)).repeat_interleave(16, axis)
        expected[stem] = table[codes] * factors
        tensors.update({stem: (even | odd << 4).to(torch.uint8), f"{stem}_weight_scale": scales,
                        f"{stem}_weight_scale_2": second, f"{stem}_input_scale": torch.tensor(1.0)})

    nvfp4("experts.gate_up_proj", 2, torch.tensor([0.0013, 0.0007]))
    nvfp4("experts.down_proj", 1, torch.tensor(0.0011))
    fp8, scale = (torch.randn(2, 4, 8) * 50).to(torch.float8_e4m3fn), torch.rand(2, 1, 1)
    tensors |= {"fp8.down_proj": fp8, "fp8.down_proj_weight_scale": scale}
    expected["fp8.down_proj"] = fp8.float() * scale
    return {**expected, **save(folder, tensors, {"quant_method": "modelopt", "quant_algo": "NVFP4"})}


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
