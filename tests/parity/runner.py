"""Compares what this code computes with golden fixtures, folder by folder.

A fixture is a folder with `meta.json` (configuration, tolerance) and `io.safetensors` (`in/`, `mid/`, `out/` tensors).
A case is a function, registered under the fixture's name with `@case`, that yields `(name, mine)` for tensors of
`io.safetensors`, or `(name, mine, golden)` where the golden value stands elsewhere. Every `out/` tensor must be
yielded.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

SHARED = Path(os.environ.get("ECHOTORRENT_SHARED", Path(__file__).resolve().parents[3] / "shared"))
FIXTURES = SHARED / "fixtures"

Case = Callable[["Fixture"], Iterator[tuple[Any, ...]]]
CASES: dict[str, Case] = {}


class Fixture:
    """One folder. `io` and `weights` are read when asked for; weights of another fixture come from its sibling."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.meta = json.loads((folder / "meta.json").read_text())
        self.name: str = self.meta["fixture"]

    @cached_property
    def io(self) -> dict[str, Tensor]:
        return load_file(self.folder / "io.safetensors")

    def weights(self, fixture: str | None = None, file: str = "weights.safetensors") -> dict[str, Tensor]:
        folder = self.folder if fixture is None else self.folder.parent / fixture
        return {key: value.float() for key, value in load_file(folder / file).items()}

    def tolerance(self, name: str) -> tuple[float, float, float]:
        """(atol, rtol, mean_abs) of a tensor: the fixture's own, or that of the longest prefix pattern. mean_abs limits
        the mean error, where one is stated."""
        stated = self.meta["tolerance"]
        if "atol" not in stated:
            fits = [key for key in stated if name.startswith(key.removesuffix("*"))]
            stated = stated[max(fits, key=len)]
        return stated["atol"], stated["rtol"], stated.get("mean_abs", float("inf"))


@dataclass(frozen=True)
class Check:
    """Result for one tensor. `excess` is the largest error over what the tolerance allows there, or the mean error over
    what it allows if that is more: > 1 is out."""

    name: str
    error: float
    excess: float


def case(*names: str) -> Callable[[Case], Case]:
    """Register a case for the fixtures called `names`."""

    def register(function: Case) -> Case:
        CASES.update(dict.fromkeys(names, function))
        return function

    return register


@torch.no_grad()
def run(fixture: Fixture) -> list[Check]:
    """All comparisons of a fixture. KeyError if no case is registered, AssertionError if an output is not compared."""
    checks = []
    for name, mine, *golden in CASES[fixture.name](fixture):
        expected = torch.as_tensor(golden[0] if golden else fixture.io[name])
        mine = torch.as_tensor(mine)
        assert mine.shape == expected.shape, f"{name} is {tuple(mine.shape)}, expected {tuple(expected.shape)}"
        atol, rtol, mean_abs = fixture.tolerance(name)
        error = (mine.double() - expected.double()).abs()
        excess = (error / (atol + rtol * expected.double().abs())).clamp_min(error.mean() / mean_abs)
        checks.append(
            Check(name, *(float(v.max().nan_to_num(float("inf"))) if v.numel() else 0.0 for v in (error, excess)))
        )
    missed = {name for name in fixture.io if name.startswith("out/")} - {check.name for check in checks}
    assert not missed, f"{fixture.name}: not compared: {', '.join(sorted(missed))}"
    return checks
