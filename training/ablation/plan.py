"""From rows to jobs: what is trained and judged, where, and what it has to wait for.

A job's key is a hash of its resolved configuration, in which the weights it starts from are named by their own jobs'
keys. Equal keys are one job, whatever row or seed asks for it; so rows share what they have in common, and a row that
differs in its last stage, or only when videos are made, costs no more than that.

    OUT/shared/STAGE              the full row's stages before distillation, one seed for all
    OUT/ROW/STAGE                 a row's own ones of these
    OUT/ROW/seed-N/STAGE          distillation, and all that builds on it
    OUT/ROW/seed-N/result.json    the row's figures, whichever row its jobs belong to
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from echotorrent_core.errors import InputError

from ..config import (
    FREE,
    RunConfig,
    SampleSettings,
    build,
    changed,
    left_out,
    load,
    override,
    plain,
    references,
    renamed,
)
from ..networks import CONFIG, DONE, WEIGHTS
from .rows import FULL, Row

SEEDED = ("acc_dmd", "long_tail", "expert_transfer", "nft")  # methods from which on runs are repeated over seeds
COUNTS = ("critic_only", "rewarm", "ema_start", "start", "lead")  # settings that are numbers of steps


@dataclass(frozen=True)
class Job:
    """A process to run. key: of its configuration; needs: keys of jobs before it; done: the file it leaves; files: what
    it reads, written before it starts; kept: it was done elsewhere, by the recipe itself."""

    key: str
    name: str
    stage: str
    folder: Path
    done: Path
    command: tuple[str, ...]
    needs: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    kept: bool = False


@dataclass(frozen=True)
class Ending:
    """What a row's last weights are, of one seed. judged: the key of its evaluation; own: of jobs that no first stage
    shared by all rows is among."""

    row: str
    seed: int
    judged: str
    own: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    jobs: dict[str, Job]
    endings: list[Ending]

    def needed(self, rows: Sequence[str]) -> list[Job]:
        """The jobs of these rows and all before them, in order."""
        wanted = {ending.judged for ending in self.endings if ending.row in rows}
        for job in reversed(self.jobs.values()):
            if job.key in wanted:
                wanted.update(job.needs)
        return [job for job in self.jobs.values() if job.key in wanted]


@dataclass(frozen=True)
class Recipe:
    """A recipe's name or file, overrides for all rows, and the share of all steps to take."""

    name: str
    overrides: tuple[str, ...] = ()
    budget: float = 1.0

    @cached_property
    def stages(self) -> dict[str, RunConfig]:
        """As the recipe has them."""
        return load(self.name, self.overrides)

    def runs(self, row: Row) -> dict[str, RunConfig]:
        """A row's stages, without those it leaves out."""
        runs = load(self.name, (*self.overrides, *texts(row, self.stages)))
        for stage in row.without:
            if stage in runs:
                runs = left_out(runs, stage)
        return {name: scaled(run, self.budget) for name, run in runs.items()}


def make_plan(
    recipe: Recipe, rows: Mapping[str, Row], seeds: Sequence[int], out: Path, judging: Sequence[str] = ()
) -> Plan:
    """All jobs of all rows. judging: arguments of `training.evaluation`. InputError for rows that do not fit."""
    plan = Plan({}, [])
    runs = {name: recipe.runs(row) for name, row in rows.items()}
    for seed in seeds:  # all rows of a seed before the next: a table that is stopped early is of fewer seeds, not rows
        for name, row in rows.items():
            _add(plan, name, row, runs[name], seed, out, judging)
    return plan


def _add(
    plan: Plan, name: str, row: Row, runs: Mapping[str, RunConfig], seed: int, out: Path, judging: Sequence[str]
) -> None:
    made: dict[str, Job] = {}
    seeded: set[str] = set()
    for stage, run in runs.items():
        named = references(plain(run))
        if missing := [one for one in named if one not in made]:
            raise InputError(f"row {name}, stage {stage}: starts from {missing[0]}, which does not come before it")
        if run.method in SEEDED or seeded & set(named):
            seeded.add(stage)
        folder = out / name / f"seed-{seed}" if stage in seeded else out / ("shared" if name == FULL else name)
        run = dataclasses.replace(run, samples=SampleSettings())
        made[stage] = training(stage, with_seed(run, seed) if stage in seeded else run, folder / stage, made, out)
        made[stage] = plan.jobs.setdefault(made[stage].key, made[stage])
    trunk, decoder = last_stages(runs)
    parts = [made[decoder]] if decoder else []
    judged = judge(row, runs[trunk], [*parts, made[trunk]], seed, out / name / f"seed-{seed}", judging, out)
    judged = plan.jobs.setdefault(judged.key, judged)
    shared = {job.key for job in plan.jobs.values() if job.folder.parent == out / "shared" or job.kept}
    own = tuple(job.key for job in (*made.values(), judged) if job.key not in shared)
    plan.endings.append(Ending(name, seed, judged.key, own))


def training(stage: str, run: RunConfig, folder: Path, made: Mapping[str, Job], out: Path) -> Job:
    """A run of a stage in a folder of its own, unless the recipe has done the same one already."""
    data = {key: value for key, value in plain(run).items() if key not in FREE}
    needs = {name: made[name] for name in references(data)}
    key = _hash(renamed(data, {name: job.key for name, job in needs.items()}))
    where = renamed(
        plain(run) | {"folder": str(folder)}, {name: str(job.folder / WEIGHTS) for name, job in needs.items()}
    )
    kept = all(job.kept for job in needs.values()) and finished(run)
    if kept:
        folder = run.folder
    return Job(
        key=key,
        name=_name(folder, out),
        stage=stage,
        folder=folder,
        done=folder / DONE,
        command=(sys.executable, "-m", "training", str(folder / "job.yaml")),
        needs=tuple(dict.fromkeys(job.key for job in needs.values())),
        files={"job.yaml": json.dumps(where, indent=1)},  # which is YAML too
        kept=kept,
    )


def judge(
    row: Row, run: RunConfig, parts: Sequence[Job], seed: int, folder: Path, judging: Sequence[str], out: Path
) -> Job:
    """The evaluation of a row's last weights. parts: jobs whose weights are taken, the first one's first."""
    engine: dict[str, Any] = {"engine": json.loads(json.dumps(run.engine))}
    for text in row.inference:
        override(engine, f"engine.{text}")
    told = {"preset": run.preset, "engine": engine["engine"], "assets": list(run.assets), "seed": seed}
    key = _hash(told | {"parts": [job.key for job in parts], "judging": list(judging)})
    done = folder / f"evaluation-{key[:12]}.json"
    folders = [*(str(job.folder / WEIGHTS) for job in parts), *run.assets]
    arguments = ["--preset", run.preset, "--engine", json.dumps(told["engine"]), "--seed", str(seed), *judging]
    for one in folders:
        arguments += ["--parts", one]
    command = (sys.executable, "-m", "training.evaluation", *arguments, "--out", str(done))
    return Job(key, _name(done, out), "evaluation", folder, done, command, tuple(job.key for job in parts))


def finished(run: RunConfig) -> bool:
    """Whether the recipe itself has done this very run, in as many processes as it liked."""
    path = run.folder / CONFIG
    if not path.exists() or not (run.folder / DONE).exists():
        return False
    before, now = yaml.safe_load(path.read_text(encoding="utf-8")), plain(run)
    for data in (before, now):
        data["loop"]["accumulate"] *= data["processes"]  # micro-batches of a step, whoever has them
    return not changed(before, now)


# What a row makes of a recipe


def texts(row: Row, stages: Mapping[str, RunConfig]) -> list[str]:
    """A row as overrides of a recipe with these stages."""
    found = [f"stages.{stage}.{one.text}" for one in row.changes for stage in one.stages if stage in stages]
    names = list(stages)
    if row.engine_from and row.engine_from not in names:
        raise InputError(f"row {row.title}: the recipe has no stage '{row.engine_from}'; it has {', '.join(names)}")
    start = names.index(row.engine_from) if row.engine_from else 1
    streaming = [name for name in names[start:] if not bidirectional(stages[name])]
    return found + [f"stages.{name}.engine.{text}" for name in streaming for text in row.engine]


def bidirectional(run: RunConfig) -> bool:
    """Whether a stage trains a teacher of whole windows, to which the stream's policies are nothing."""
    return run.method == "grpo" or (run.method == "sft" and bool(run.settings.window))


def last_stages(runs: Mapping[str, RunConfig]) -> tuple[str, str | None]:
    """The stages that leave the trunk and, if any does, the decoder of the finished model."""
    decoders = [name for name, run in runs.items() if run.method == "decoder_refiner"]
    trunks = [name for name, run in runs.items() if run.method not in ("decoder_refiner", "grpo")]
    return trunks[-1], decoders[-1] if decoders else None


def with_seed(run: RunConfig, seed: int) -> RunConfig:
    """A run whose every draw is another one's; seed 0 is the recipe's own."""
    loop = dataclasses.replace(run.loop, seed=run.loop.seed + seed)
    settings = run.settings
    if hasattr(settings, "seed"):
        settings = dataclasses.replace(settings, seed=settings.seed + seed)
    return dataclasses.replace(run, loop=loop, settings=settings)


def scaled(run: RunConfig, budget: float) -> RunConfig:
    """A run of `budget` times its steps."""
    if budget == 1:
        return run

    def count(steps: int) -> int:
        return max(1, round(budget * steps)) if steps else 0

    data = plain(run)
    data["loop"] |= {key: count(data["loop"][key]) for key in ("steps", "warmup", "cooldown")}
    data["settings"] |= {key: count(data["settings"][key]) for key in COUNTS if key in data["settings"]}
    for phase in data["settings"].get("phases", ()):
        phase["steps"] = count(phase["steps"])
    return build(data, run.method)


def _hash(data: Any) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()


def _name(path: Path, out: Path) -> str:
    return str(path.relative_to(out)) if path.is_relative_to(out) else str(path)
