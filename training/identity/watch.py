"""What a job does beside the loop: tells how far it is, obeys, and writes identity files and sample videos."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from echotorrent_core.assemble import Parts, collect
from echotorrent_core.config import EngineConfig
from echotorrent_core.loading import published
from echotorrent_core.weights import identity as files
from echotorrent_core.weights.source import open_source

from ..config import RunConfig, SampleSettings, engine_config
from ..evaluation.sources import load_engine
from ..jobs.report import Report
from ..loop import Callback, Loop
from ..lora import adapters_in_file
from ..networks import LORA, TRUNK, load, part, resolve
from ..samples import FOLDER, Samples
from .prepare import REFERENCE

IDENTITIES = "identities"


class Learning:
    """The callback of a job's runs. about: what its files say of themselves, their base and steps aside; total: steps
    of trunk and decoder."""

    def __init__(self, about: files.Identity, run: RunConfig, folder: Path, report: Report, total: int):
        self.run, self.folder, self.report, self.total = run, folder, report, total
        self.engine: EngineConfig = engine_config(run)
        self.weights = [Path(path) for path in resolve(run.roles.student.weights, run.folder)]
        self.about = replace(about, base=base_of(self.engine, self.weights, run.roles.student.loras))
        self.every = int(about.settings["sample_every"])
        self.samples = None if published(self.engine) else self._samples()
        self.command, self.before, self.codec, self.seen = "stop", 0, dict[str, Tensor](), dict[str, float]()
        self.adapters: dict[str, Tensor] = {}

    def callbacks(self) -> tuple[Callback, ...]:
        return (self,)

    def begin_decoder(self, run: RunConfig) -> None:
        """The trunk is done: from now on the run is the decoder's."""
        self.before = self.run.loop.steps
        source = open_source(self.run.folder / "weights" / LORA)
        self.adapters = {name: source.read(name, torch.float32) for name in source.keys()}  # noqa: SIM118
        vae = part(self.engine, "vae", run.assets)
        self.codec = {name: value.clone() for name, value in vae.state_dict().items()}
        if self.samples is not None:
            tuned = load(self.engine, self.weights, [self.run.folder / "weights" / LORA])
            self.samples.engine.trunk.load_state_dict(tuned.trunk.state_dict())
            self.samples.engine.text = tuned.text  # type: ignore[assignment]

    def __call__(self, loop: Loop, step: int) -> dict[str, float] | None:
        done = self.before + step
        self.seen |= {name: total / count for name, (total, count) in loop.meter.sums.items() if count}
        loss = {"loss": self.seen["loss/student"]} if "loss/student" in self.seen else {}
        self.report.progress(done, self.total, self.seen | loss)
        wanted = self.report.wanted()
        module = loop.accelerator.unwrap_model(loop.method.roles["ema"].module)
        last = step == loop.config.steps
        if "save" in wanted or last or step % loop.config.save_every == 0:
            self.write(module, done)
        if "save" in wanted:
            loop.save(step)
            self.report.done("save")
        found = None
        if "sample" in wanted or (self.every and (last or done % self.every == 0)):
            found = self.samples.make(loop, step, number=done) if self.samples is not None else None
            if "sample" in wanted:
                self.report.done("sample")
        for command in ("pause", "stop"):
            if command in wanted:
                self.command, loop.stopping = command, True
        return found

    def write(self, module: nn.Module, step: int) -> None:
        """The identity file of now."""
        state = module.state_dict()
        adapters = self.adapters or adapters_in_file(state)
        changes = {}
        for name, before in self.codec.items():
            if (change := state[f"vae.{name}"].detach().cpu() - before).abs().max() > 0:
                changes[name] = change
        lora = self.run.roles.student.lora
        about = replace(self.about, steps=step)
        files.write_identity(self.path(step), adapters, lora.alpha, lora.rank, about, changes)

    def path(self, step: int) -> Path:
        return self.folder / IDENTITIES / f"step-{step:08d}.safetensors"

    def newest(self) -> Path:
        return max((self.folder / IDENTITIES).glob("step-*.safetensors"))

    def _samples(self) -> Samples:
        reference = self.folder.parent / "data" / REFERENCE
        settings = SampleSettings(every=0, seconds=3.0, portraits=(reference,))
        return Samples(self.engine, settings, self.folder, self.run.assets)


def base_of(engine: EngineConfig, weights: list[Path], loras: tuple[str, ...]) -> str:
    """What identity files of a run call their base (echotorrent_core/weights/identity.py)."""
    if published(engine):
        own = len(weights) == 1 and (weights[0] / TRUNK).is_file()
        source = open_source(weights[0] / TRUNK) if own else Parts(collect(weights), engine).trunk().source
        return files.of_files([*source.files, *map(Path, loras)])
    return files.of_trunk(weights[0] / TRUNK)


def compare_videos(
    spec: Mapping[str, Any], folder: Path, report: Report, obey: Callable[[Report], None]
) -> dict[str, Any]:
    """See `job.compare`."""
    job, names, preset = Path(spec["job"]), list(spec["checkpoints"]), str(spec.get("preset") or "embedded")
    base = load_engine(preset, [])
    sound = spec.get("sound")
    settings = SampleSettings(portraits=(job / "data" / REFERENCE,), sound=None if sound is None else Path(sound))
    samples = Samples(base.config, settings, folder / "run")
    report.phase("drawing")
    made = []
    for number, name in enumerate(names):
        obey(report)
        report.progress(number, len(names))
        engine = files.apply(load_engine(preset, []), job / "run" / IDENTITIES / name, 1.0)
        path = folder / "run" / FOLDER / f"{Path(name).stem}.mp4"
        samples.video(engine, Path(REFERENCE).stem, float(spec.get("seconds", 4.0)), 0, path)
        made.append(path.name)
    report.progress(len(names), len(names))
    return {"videos": made}
