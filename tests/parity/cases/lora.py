"""LoRA files merged into the weights of `dit_single`, in every spelling."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from echotorrent_core.weights.lora import Lora
from echotorrent_core.weights.source import open_source

from ..runner import Fixture, case

SETS = {  # sets of expected tensors per entry of the fixture's list, with the strength they were merged at
    "plain": (("plain", 1.0),),
    "alpha": (("alpha", 1.0),),
    "plain + diffs": (("plain", 1.0), ("diffs", 1.0)),
    "alpha + diffs": (("alpha", 1.0), ("diffs", 1.0)),
    "plain_strength0.8 (three keys)": (("plain_strength0.8", 0.8),),
}


@case("lora")
def lora(fixture: Fixture) -> Iterator[tuple[str, Tensor]]:
    base = open_source(fixture.folder.parent / "dit_single" / "weights.safetensors")
    model = {key: base.shape(key) for key in base.keys()}  # noqa: SIM118 (not a dict)
    for file, entries in fixture.meta["files"].items():
        for name, strength in (group for entry in entries for group in SETS[entry]):
            opened = Lora.open(fixture.folder / file, strength, model)
            prefix = f"out/{name}/"
            for tensor in (tensor for tensor in fixture.io if tensor.startswith(prefix)):
                weight = base.read(tensor.removeprefix(prefix), torch.float32)
                opened.merge(tensor.removeprefix(prefix), weight)
                yield tensor, weight
