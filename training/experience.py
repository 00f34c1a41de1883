"""What reinforcement learning shares: scores of a group's samples, their advantages, and rollouts that are kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from .loop import Batch

FLAT = 1e-4  # standard deviation of a reward, within a group, below which it says nothing


@dataclass(frozen=True)
class Scores:
    """rewards: (N,) by name, higher is better; weights: by the same names; passed: (N,) bool, above every floor."""

    rewards: Mapping[str, Tensor]
    weights: Mapping[str, float]
    passed: Tensor

    def metrics(self) -> dict[str, float]:
        """Means, for the log."""
        means = {f"reward/{name}": float(values.mean()) for name, values in self.rewards.items()}
        return means | {"reward/passed": float(self.passed.float().mean())}


Scorer = Callable[[Tensor, Batch], Scores]  # of latents (N, C, T, h, w) made under a batch's conditions


def advantages(scores: Scores, group: int, limit: float) -> Tensor:
    """(N,) in [-limit, limit]: how much better a sample is than its group, the `group` samples in a row that it was
    made with. Each reward is normalised within the group before it is weighted, or the most scattered one would rule.

    A sample below a floor, or with a reward that is not finite, has the worst of its group in every reward and fails
    in one more, so that no reward can pay for it.
    """
    rewards = {name: scores.rewards[name].float().unflatten(0, (-1, group)) for name in scores.weights}
    passed = scores.passed.unflatten(0, (-1, group))
    for values in rewards.values():
        passed = passed & values.isfinite()
    total = normalised(passed.float())
    for name, weight in scores.weights.items():
        kept = rewards[name].where(passed, torch.inf)
        worst = kept.amin(1, keepdim=True).nan_to_num(posinf=0.0)  # a group of which nobody passed says nothing
        total = total + weight * normalised(torch.where(passed, rewards[name], worst))
    return total.clamp(-limit, limit).flatten()


def normalised(values: Tensor) -> Tensor:
    """Zero mean and unit deviation along the last dimension; zero where all are alike."""
    centred = values - values.mean(-1, keepdim=True)
    deviation = values.std(-1, keepdim=True, unbiased=False)
    return torch.where(deviation > FLAT, centred / deviation.clamp_min(FLAT), 0.0)


def pack(batch: Batch) -> dict[str, Tensor]:
    """A batch as part of a rollout."""
    return {f"batch/{key}": value for key, value in batch.items()}


def unpack(rollout: dict[str, Tensor]) -> Batch:
    """The batch in a rollout."""
    return {key.removeprefix("batch/"): value for key, value in rollout.items() if key.startswith("batch/")}


class Experience:
    """Rollouts that serve several updates, one per micro-batch of a step, and are part of the checkpoint."""

    def __init__(self) -> None:
        self.kept: dict[int, dict[str, Tensor]] = {}
        self.step, self.micro = -1, 0

    def take(
        self, step: int, anew: bool, make: Callable[[], dict[str, Tensor]], device: torch.device
    ) -> dict[str, Tensor]:
        """The rollout of the present micro-batch (calls with the same `step` count them), made if asked or missing."""
        self.micro = self.micro + 1 if step == self.step else 0
        self.step = step
        if anew or self.micro not in self.kept:
            self.kept[self.micro] = make()
        kept = self.kept[self.micro] = {key: value.to(device) for key, value in self.kept[self.micro].items()}
        return kept

    def state(self) -> dict[str, Tensor]:
        return {f"{micro}/{key}": value for micro, kept in self.kept.items() for key, value in kept.items()}

    def load_state(self, state: dict[str, Tensor]) -> None:
        self.kept = {}
        for name, value in state.items():
            micro, key = name.split("/", 1)
            self.kept.setdefault(int(micro), {})[key] = value
