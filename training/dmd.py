"""Distribution matching in clean space: plain DMD, Decoupled-DMD and ACC-DMD (paper 3.3) are settings of `direction`.

At a renoised level s of the student's sample x (x_s = (1 - s) x + s e), r and f are the clean estimates of the real
model (teacher) and of the fake one (critic); _c with audio, _0 with silence, all else the same.

    CA_R = r_c - r_0, CA_F = f_c - f_0                       what audio guidance adds (Decoupled-DMD)
    d = dm (r_c - f_c) + (alpha - 1) CA_R - (fake_alpha - 1) R CA_F      where the student should go
    d *= (1 - M) + oral_weight M                             M the oral mask, R the region of the fake's guidance
    g = -d / mean|x - r|,  r = r_c + (alpha - 1) CA_R        the gradient that x is given

`low` and `high` hold those numbers for low SNR (s >= s_split) and high SNR. Guidance scales are in the w convention:
1 runs no pass of its own. Scores differ from this by (1 - s) / s^2, which the normaliser takes out.

Dimensions: x, r, f, d, g (B, C, T, h, w); sigma (B,); masks (B, 1, T, h, w) or what broadcasts to it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor

from echotorrent_core import flow
from echotorrent_core.schedules import shift

Region = Literal["oral", "non_oral", "all", "none"]
Score = Literal["r_c", "r_0", "f_c", "f_0"]


@dataclass(frozen=True)
class Side:
    """The numbers of one side of the split.

    dm: weight of the plain difference; alpha: the teacher's audio guidance; fake_alpha: the critic's, applied in
    `fake_cfg_region`; oral_weight: gradient inside the oral mask.
    """

    dm: float = 1.0
    alpha: float = 1.0
    fake_alpha: float = 1.0
    fake_cfg_region: Region = "none"
    oral_weight: float = 1.0

    @property
    def fake_guided(self) -> bool:
        return self.fake_alpha != 1 and self.fake_cfg_region != "none"

    @property
    def scores(self) -> tuple[Score, ...]:
        """The network passes that this side needs. The normaliser needs r_c always."""
        needed: dict[Score, bool] = {
            "r_c": True,
            "r_0": self.alpha != 1,
            "f_c": self.dm != 0 or self.fake_guided,
            "f_0": self.fake_guided,
        }
        return tuple(name for name, run in needed.items() if run)

    def fake_weight(self, mask: Tensor | None) -> Tensor | float:
        """(fake_alpha - 1) R."""
        if not self.fake_guided:
            return 0.0
        scale = self.fake_alpha - 1
        if self.fake_cfg_region == "all":
            return scale
        return scale * (_needed(mask) if self.fake_cfg_region == "oral" else 1 - _needed(mask))

    def emphasis(self, mask: Tensor | None) -> Tensor | float:
        """(1 - M) + oral_weight M."""
        return 1.0 if self.oral_weight == 1 else 1 + (self.oral_weight - 1) * _needed(mask)


@dataclass(frozen=True)
class DMDConfig:
    """ACC-DMD as the paper has it; `plain`, `decoupled` and `prose` make the others.

    split_u: the split, before the shift, so that it means the same at any shift; contrast: audio guidance of the
    teacher at a second level of its own, cleaner than the student's input (Decoupled-DMD), 1 has none; shift, clamp: of
    the levels that samples are renoised to; range: all levels, or those between the student's exit step and its next.
    """

    low: Side = field(default_factory=lambda: Side(alpha=1.8))  # paper 4.1
    high: Side = field(default_factory=lambda: Side(fake_alpha=1.8, fake_cfg_region="oral"))  # Eq. 3 as printed
    contrast: float = 1.0
    split_u: float = 0.5  # not in the paper; between the second and third of four steps
    shift: float = 5.0
    clamp: tuple[float, float] = (0.02, 0.98)  # Self-Forcing
    range: Literal["full", "exit_interval"] = "full"

    @property
    def split(self) -> float:
        """s_split: levels from here on are low SNR."""
        return shift(self.split_u, self.shift)

    def side(self, low: bool) -> Side:
        return self.low if low else self.high


def paper(alpha: float = 1.8) -> DMDConfig:
    """ACC-DMD, Eq. 3 as printed: the fake's guidance inside the oral region."""
    return DMDConfig(Side(alpha=alpha), Side(fake_alpha=alpha, fake_cfg_region="oral"))


def prose(alpha: float = 1.8, oral_weight: float = 0.0) -> DMDConfig:
    """ACC-DMD as section 3.3 tells it: the fake's guidance everywhere, lips kept from a teacher without guidance."""
    return DMDConfig(Side(alpha=alpha), Side(fake_alpha=alpha, fake_cfg_region="all", oral_weight=oral_weight))


def plain(alpha: float = 1.0) -> DMDConfig:
    """DMD2 with the teacher guided by `alpha` at all levels."""
    return DMDConfig(Side(alpha=alpha), Side(alpha=alpha))


def decoupled(alpha: float = 1.8) -> DMDConfig:
    """Decoupled-DMD: the plain difference at any level, the teacher's guidance at cleaner ones."""
    return DMDConfig(Side(), Side(), contrast=alpha)


def direction(
    r_c: Tensor,
    r_0: Tensor | None,
    f_c: Tensor | None,
    f_0: Tensor | None,
    sigma: Tensor,
    mask: Tensor | None,
    config: DMDConfig,
) -> Tensor:
    """d: where the student's samples should move, from the critic's estimate towards the teacher's (Eqs. 2, 3).

    Passes that no sample needs may be None; ValueError if one is missing. mask: oral mask in [0, 1].
    """
    low, high = config.low, config.high
    terms = (
        ("r_c and f_c", _either(low.dm, high.dm, sigma, config, r_c), r_c, f_c),
        ("r_0", _either(low.alpha - 1, high.alpha - 1, sigma, config, r_c), r_c, r_0),
        ("f_0", -_either(low.fake_weight(mask), high.fake_weight(mask), sigma, config, r_c), f_c, f_0),
    )
    d = torch.zeros_like(r_c)
    for name, weight, more, less in terms:
        if more is not None and less is not None:
            d = d + weight * (more - less)
        elif bool(weight.any()):
            raise ValueError(f"the direction at these levels needs {name}; run the passes that `Side.scores` names")
    return d * _either(low.emphasis(mask), high.emphasis(mask), sigma, config, r_c)


def used(r_c: Tensor, r_0: Tensor | None, sigma: Tensor, config: DMDConfig) -> Tensor:
    """r: the teacher's estimate as it is used at each level, guided or not."""
    if r_0 is None:
        return r_c
    return r_c + _either(config.low.alpha - 1, config.high.alpha - 1, sigma, config, r_c) * (r_c - r_0)


def normaliser(x: Tensor, r: Tensor, region: Tensor | None = None, floor: float = 1e-6) -> Tensor:
    """n = mean |x - r| of each sample (B, 1, 1, 1, 1), where the loss counts."""
    return region_mean((x - r).abs(), region).clamp_min(floor).reshape(-1, 1, 1, 1, 1)


def gradient(d: Tensor, n: Tensor) -> Tensor:
    """g = -d / n; not finite -> 0."""
    return torch.nan_to_num(-d / n, nan=0.0, posinf=0.0, neginf=0.0)


def surrogate(x: Tensor, g: Tensor, region: Tensor | None = None) -> Tensor:
    """1/2 mean (x - sg(x - g))^2: its gradient with respect to x is g over the number of values that count."""
    return 0.5 * region_mean((x - (x - g).detach()).square(), region).mean()


def region_mean(values: Tensor, region: Tensor | None) -> Tensor:
    """Mean of each sample (B,) over the region, a mask in [0, 1] (..., 1, T, h, w) or any weights that broadcast to the
    values; None is everywhere."""
    if region is None:
        return values.flatten(1).mean(1)
    weight = region.to(values).expand_as(values).flatten(1)
    return (values.flatten(1) * weight).sum(1) / weight.sum(1).clamp_min(1e-6)


# Levels


def unshift(sigma: float, k: float) -> float:
    """u of a shifted level: the inverse of s = k u / (1 + (k - 1) u)."""
    return sigma / (k - (k - 1) * sigma)


def span(config: DMDConfig, exit_interval: tuple[float, float]) -> tuple[float, float]:
    """Where u is drawn from. exit_interval: (sigma of the student's next step, sigma of its exit step)."""
    if config.range == "full":
        return 0.0, 1.0
    lowest, highest = exit_interval
    return unshift(lowest, config.shift), unshift(highest, config.shift)


def levels(config: DMDConfig, batch: int, u: tuple[float, float], generator: torch.Generator) -> Tensor:
    """Levels (B,): u uniform in the given span, shifted, clamped."""
    drawn = torch.rand(batch, generator=generator, dtype=torch.float64).tolist()
    sigma = torch.tensor([shift(u[0] + (u[1] - u[0]) * share, config.shift) for share in drawn])
    return sigma.clamp(*config.clamp)


def branch_levels(
    config: DMDConfig, batch: int, u: tuple[float, float], shared: torch.Generator, generator: torch.Generator
) -> tuple[bool, Tensor]:
    """(low SNR?, levels (B,)): as `levels`, but all samples on one side of the split, which `shared` draws, so that
    every process runs the same passes."""
    low = u[0] + (u[1] - u[0]) * float(torch.rand((), generator=shared, dtype=torch.float64)) >= config.split_u
    u = (max(u[0], config.split_u), u[1]) if low else (u[0], min(u[1], config.split_u))
    sigma = levels(config, batch, u, generator)
    # Neither the clamp nor rounding may bring a level to the other side, where other passes are needed.
    return low, sigma.clamp_min(config.split) if low else sigma.clamp_max(config.split - 1e-6)


# The critic


def critic_errors(
    estimate: Tensor, x: Tensor, sigma: Tensor, region: Tensor | None, space: Literal["velocity", "x0"]
) -> Tensor:
    """Flow-matching errors (B,) of the critic's clean estimates of student samples x: of the velocity, or of x0."""
    errors = region_mean((estimate - x).square(), region)
    return errors / sigma.square() if space == "velocity" else errors


def _either(low: Tensor | float, high: Tensor | float, sigma: Tensor, config: DMDConfig, like: Tensor) -> Tensor:
    """`low` for samples at low SNR, `high` for the others."""
    is_low = flow.expand((sigma >= config.split).float(), like)
    return is_low * low + (1 - is_low) * high


def _needed(mask: Tensor | None) -> Tensor:
    if mask is None:
        raise ValueError("these settings treat the mouth apart; give an oral mask, or take fake_cfg_region 'all'")
    return mask
