"""Schedules, sampler trajectories and guidance against InfiniteTalk's and Wan's functions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from echotorrent_core import flow, schedules
from echotorrent_core.guidance import APG, Guidance, combine
from echotorrent_core.sampler import denoise, new_step

from ..runner import Fixture, case


def timesteps(sigmas: tuple[float, ...]) -> Tensor:
    return flow.timestep(torch.tensor(sigmas, dtype=torch.float64))


def trajectory(fixture: Fixture, sigmas: tuple[float, ...], levels: tuple[float, ...], sampler: str) -> list[Tensor]:
    """x after each step under the fixture's model, 0.3 x + v_const t / 1000, asked at `levels`."""
    x, constant = fixture.io["in/x"][None], fixture.io["in/v_const"][None]
    seen: list[Tensor] = []

    def estimate(x: Tensor, sigma: float, i: int) -> Tensor:
        seen.append(x[0])
        velocity = 0.3 * x + constant * levels[i]
        return flow.to_x0(velocity, x, torch.tensor([sigma]), "velocity", x)

    last = denoise(estimate, x, sigmas, new_step(sampler), torch.Generator())
    return [*seen[1:], last[0]]


@case("schedule")
def schedule(fixture: Fixture) -> Iterator[tuple[Any, ...]]:
    for key, tables in fixture.meta["table"].items():
        steps, k = (int(number) for number in re.findall(r"\d+", key))
        infinitetalk, unipc = (*schedules.infinitetalk(steps, k), 0.0), (*schedules.unipc(steps, k), 0.0)
        mine = {
            "infinitetalk_timesteps": timesteps(infinitetalk),
            "infinitetalk_sigmas": infinitetalk,
            "infinitetalk_dt": -torch.tensor(infinitetalk).diff(),
            "wan_unipc_timesteps": timesteps(schedules.on_grid(unipc[:-1])),
            "wan_unipc_sigmas": unipc,
            "wan_get_sampling_sigmas": schedules.wan(steps, k),
        }
        for name, expected in tables.items():
            yield f"{key}/{name}", mine[name], expected
    for key, expected in fixture.meta["warped_step_lists"].items():
        *levels, k = (int(number) for number in re.findall(r"\d+", key))
        warped = schedules.warped(tuple(level / schedules.GRID for level in levels), k)
        yield key, timesteps(warped), expected

    sigmas = schedules.infinitetalk(fixture.meta["euler"]["steps"], fixture.meta["euler"]["shift"])
    for i, x in enumerate(trajectory(fixture, sigmas, sigmas, "euler")):
        yield f"out/euler_step{i}", x
    sigmas = schedules.unipc(fixture.meta["unipc"]["steps"], fixture.meta["unipc"]["shift"])
    for i, x in enumerate(trajectory(fixture, sigmas, schedules.on_grid(sigmas), "unipc")):
        yield f"out/unipc_step{i}", x


@case("guidance")
def guidance(fixture: Fixture) -> Iterator[tuple[Any, ...]]:
    passes = ("cond", "drop_text", "drop_audio", "uncond")
    outputs: Any = {name: fixture.io[f"in/{name}"][None] for name in passes}
    for name, config in (("cfg3", Guidance(5.0, 4.0)), ("cfg2", Guidance(1.0, 2.0))):
        given = {key: outputs[key] for key in config.passes}
        yield f"out/{name}", combine(config, given)[0][0]
    config, momentum = Guidance(5.0, 4.0, APG()), ()
    cond = outputs["cond"]
    text, audio = cond - outputs["drop_text"], outputs["drop_text"] - outputs["uncond"]
    for i in range(3):  # the differences differ from step to step: (1 + i) and (2 - i / 2) times the first
        less_text = cond - (1 + i) * text
        step = {"cond": cond, "drop_text": less_text, "uncond": less_text - (2 - i / 2) * audio}
        guided, momentum = combine(config, step, momentum)
        yield f"out/apg_step{i}", guided[0]
