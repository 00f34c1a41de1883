"""Weights of the blocks' linear layers in 8 bits, one scale per output channel; products in the input's dtype.

Norms, modulation, embeddings and the head keep their precision: they are under 2 % of a 14B trunk. torchao is not
needed: without `torch.compile` its weight-only tensors do the same arithmetic as the layer below.
"""

from __future__ import annotations

import re
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Quantisation = Literal["fp8", "int8"]
DTYPES: dict[Quantisation, torch.dtype] = {"fp8": torch.float8_e4m3fn, "int8": torch.int8}
BLOCK_LINEAR = re.compile(r"blocks\.\d+\.(self_attn|cross_attn|audio_cross_attn|ffn)\.")


def quantise_weight(weight: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """weight (out, in) -> the same in `dtype` and its scale (out, 1) float32: weight ~ quantised * scale."""
    largest = float((torch.finfo if dtype.is_floating_point else torch.iinfo)(dtype).max)
    low, high = weight.aminmax(dim=1, keepdim=True)
    scale = torch.maximum(-low, high).float() / largest
    scale = scale.bfloat16().float()  # exact in bfloat16, so that the products see no second rounding of it
    scale = scale.masked_fill(scale == 0, 1.0)
    scaled = weight / scale  # float32
    if not dtype.is_floating_point:
        scaled = scaled.round_()
    return scaled.clamp_(-largest, largest).to(dtype), scale


class QuantisedLinear(nn.Module):
    """A linear layer whose `weight` (out, in) is int8 or float8, with `weight_scale` (out, 1) beside it.

    The weight is brought to the input's dtype for each product; the products accumulate as always.
    """

    def __init__(self, linear: nn.Linear, dtype: torch.dtype):
        super().__init__()
        out, inner, device = linear.out_features, linear.in_features, linear.weight.device
        self.weight = _constant(torch.empty(out, inner, dtype=dtype, device=device))
        self.weight_scale = _constant(torch.empty(out, 1, dtype=torch.float32, device=device))
        self.bias = linear.bias

    def forward(self, x: Tensor) -> Tensor:
        """x (..., in) -> (..., out)."""
        weight = self.weight.to(x.dtype).mul_(self.weight_scale.to(x.dtype))
        return F.linear(x, weight, None if self.bias is None else self.bias.to(x.dtype))

    def _apply(self, fn: Any, recurse: bool = True) -> QuantisedLinear:
        """Moves follow the module; `.to(dtype)` does not, it would only widen the weight."""

        def move(tensor: Tensor) -> Tensor:
            moved = fn(tensor)
            return moved if moved.dtype == tensor.dtype else tensor.to(moved.device)

        return super()._apply(move, recurse)


def quantise_linears(module: nn.Module, quantisation: Quantisation) -> set[str]:
    """Replace the block linears of `module`, on whatever device, by empty quantised ones. Returns their names."""
    linears = {name: layer for name, layer in module.named_modules() if isinstance(layer, nn.Linear)}
    chosen = {name for name in linears if BLOCK_LINEAR.match(name)}
    for name in chosen:
        module.set_submodule(name, QuantisedLinear(linears[name], DTYPES[quantisation]))
    return chosen


def _constant(data: Tensor) -> nn.Parameter:
    return nn.Parameter(data, requires_grad=False)
