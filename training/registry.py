"""The methods by name: their settings, and how one is put together. A new one is an entry here and a file in methods/.

Method files are imported when they are asked for, since some bring heavy packages.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import Tensor

from echotorrent_core.config import EngineConfig
from echotorrent_core.errors import InputError

from .data.features import FeatureData
from .data.pictures import pictures
from .loop import Batch

if TYPE_CHECKING:
    from accelerate import Accelerator

    from .config import RunConfig
    from .denoiser import Denoiser
    from .loop import Data, Method


class Networks(Protocol):
    """Role -> its network, built and filled when it is asked for. over: a LoRA that is merged into it, or a folder of
    parts that takes the place of its weights."""

    def __call__(self, role: str, over: Path | None = None) -> Denoiser: ...


class Features(Protocol):
    """The run's training data; shares: how often clips of each domain are drawn, default as the run says."""

    def __call__(self, shares: dict[str, float] | None = None) -> Data: ...


class Setup:
    """What a method is built from. part: a module of the engine that does not train, filled (`vae`, `reader`);
    accelerator: None under `--dry-run`, where networks and data are without values."""

    def __init__(
        self,
        run: RunConfig,
        engine: EngineConfig,
        network: Networks,
        part: Callable[[str], Any],
        features: Features,
        accelerator: Accelerator | None,
    ) -> None:
        self.run, self.engine, self.accelerator = run, engine, accelerator
        self.network, self.part, self.features = network, part, features
        self.settings: Any = run.settings

    @property
    def processes(self) -> int:
        return self.run.processes if self.accelerator is None else self.accelerator.num_processes

    @cached_property
    def data(self) -> Data:
        found = entry(self.run.method)
        make = found.data if self.accelerator is not None or found.paper is None else found.paper
        return make(self) if make else self.features()

    @property
    def channel_scale(self) -> Tensor | None:
        """What one unit of each latent channel is worth in pixels (C,), if the data say."""
        return getattr(self.data, "channel_scale", None)


@dataclass(frozen=True)
class Entry:
    """settings: the method's dataclass, as `module:Class` below training.methods; build: the method of a run;
    data: its batches, default those of `training.data.features`; paper: the same without values, if they cannot be
    told from those; whole: its networks cannot be sharded, each process has copies; merge: write the network with its
    adapters merged in too, not these alone."""

    settings: str
    build: Callable[[Setup], Method]
    data: Callable[[Setup], Data] | None = None
    paper: Callable[[Setup], Data] | None = None
    whole: bool = False
    merge: bool = True

    def settings_type(self) -> type:
        module, name = self.settings.split(":")
        found: type = getattr(import_module(f"training.methods.{module}"), name)
        return found


def _sft(setup: Setup) -> Method:
    from .methods.sft import SFT

    return SFT(setup.engine, setup.network("student"), setup.settings, setup.channel_scale)


def _causal_cd(setup: Setup) -> Method:
    from .methods.causal_cd import CausalCD

    student, real = setup.network("student"), setup.network("real")
    return CausalCD(setup.engine, student, real, setup.settings, setup.channel_scale)


def _acc_dmd(setup: Setup) -> Method:
    from .methods.acc_dmd import ACCDMD

    student, real, fake = (setup.network(role) for role in ("student", "real", "fake"))
    return ACCDMD(setup.engine, student, real, fake, setup.settings, channel_scale=setup.channel_scale)


def _long_tail(setup: Setup) -> Method:
    from .methods.long_tail import long_tail

    student, real, fake = (setup.network(role) for role in ("student", "real", "fake"))
    return long_tail(setup.engine, student, real, fake, setup.settings, setup.channel_scale)


def _expert_transfer(setup: Setup) -> Method:
    from .methods.acc_dmd import ACCDMD
    from .methods.expert_transfer import ExpertTransfer

    student, real, fake = (setup.network(role) for role in ("student", "real", "fake"))
    experts = {name: partial(setup.network, "real", path) for name, path in setup.settings.experts.items()}
    inner = ACCDMD(setup.engine, student, real, fake, setup.settings, channel_scale=setup.channel_scale)
    return ExpertTransfer(inner, experts, setup.settings)


def _phased(setup: Setup) -> Data:
    from .methods.expert_transfer import PhasedData

    return PhasedData(setup.settings, setup.features, setup.processes * setup.run.loop.accumulate)


def _judge(setup: Setup) -> Any:
    from .rewards import Judge

    return Judge(setup.engine, setup.part("vae"), setup.part("reader"), setup.settings.rewards)


def _grpo(setup: Setup) -> Method:
    from .methods.grpo import GRPO

    return GRPO(setup.engine, setup.network("student"), _judge(setup), setup.settings)


def _nft(setup: Setup) -> Method:
    from .methods.nft import NFT

    return NFT(setup.engine, setup.network("student"), _judge(setup), setup.settings)


def _decoder_refiner(setup: Setup) -> Method:
    from .methods.decoder_refiner import DecoderRefiner

    vae = setup.part("vae")
    torch.manual_seed(setup.run.loop.seed)  # the critic's first weights
    return DecoderRefiner(vae, setup.settings)


def _crops(setup: Setup) -> Data:
    """Real frames and the student's latents for them, which it makes once."""
    from .methods import decoder_refiner as refiner

    run, accelerator, recording = setup.run, setup.accelerator, setup.run.folder / "student.safetensors"
    features = setup.features()
    assert accelerator is not None and isinstance(features, FeatureData)
    clips, rows = pictures(features, run.data.corpus)
    chosen = torch.linspace(0, len(rows) - 1, min(setup.settings.clips, len(rows))).long()
    made_by = f"{setup.settings.targets} {setup.settings.last_steps}, {len(chosen)} clips, seed {run.loop.seed}"
    with accelerator.main_process_first():
        if refiner.recorded_by(recording) != made_by:
            student = setup.network("student").eval().to(accelerator.device)
            draw, picked = refiner.sampler(student, setup.engine, setup.settings), torch.tensor(list(rows))[chosen]
            refiner.record(features, setup.engine, draw, picked, recording, accelerator.device, made_by, run.loop.seed)
    return refiner.PairedCrops(recording, features, clips, rows, setup.settings, run.data.batch, run.loop.seed)


def _crops_on_paper(setup: Setup) -> Data:
    from .methods.decoder_refiner import LENGTH, PRIME

    vae, size, crop = setup.engine.vae, setup.run.data.batch, setup.settings.crop
    cells, frames = crop // vae.space_stride, LENGTH * vae.time_stride
    with torch.device("meta"):
        batch = {
            "latents": torch.empty(size, vae.z_dim, PRIME + LENGTH, cells, cells),
            "frames": torch.empty(size, 3, frames, crop, crop),
            "mouth": torch.empty(size, 1, frames, crop, crop),
        }
    return Always(batch | {"prime": torch.tensor(PRIME)})


def _ode_init(setup: Setup) -> Method:
    from .methods.ode_init import ODEInit

    levels = setup.settings.pairs.levels
    return ODEInit(setup.engine, setup.network("student"), setup.settings, levels, setup.channel_scale)


def _pairs(setup: Setup) -> Data:
    """Trajectories of the teacher, which it makes once."""
    from .methods.ode_init import PairsData, make_pairs

    run, accelerator, s = setup.run, setup.accelerator, setup.settings
    assert accelerator is not None
    teacher, folder = setup.network("real").eval().to(accelerator.device), run.folder / "pairs"
    mine = range(accelerator.process_index, s.batches, accelerator.num_processes)
    name = " ".join(run.roles.real.weights) or f"seed {run.loop.seed}"
    make_pairs(teacher, setup.engine, setup.features(), mine, folder, s.pairs, name, accelerator.device)
    accelerator.wait_for_everyone()
    return PairsData(folder)


def _pairs_on_paper(setup: Setup) -> Data:
    from .methods.ode_init import SINK, TRAJECTORY

    batch = setup.features().batch(0)
    path = batch["latents"][:, None].expand(-1, len(setup.settings.pairs.keep) + 1, -1, -1, -1, -1)
    return Always(batch | {TRAJECTORY: path.clone(), SINK: batch["reference"]})


def _identity(setup: Setup) -> Method:
    from .methods.identity import IdentityTuning

    return IdentityTuning(setup.engine, setup.network("student"), setup.settings, setup.channel_scale)


def _person(setup: Setup) -> Data:
    from .methods.identity import PersonAndOthers

    person, d = setup.features(), setup.run.data
    assert isinstance(person, FeatureData)
    return PersonAndOthers(person, setup.settings, d.batch, d.short, setup.run.loop.seed, d.first_share)


def _person_on_paper(setup: Setup) -> Data:
    batch, kept = setup.features().batch(0), setup.settings.kept
    return Always({k: torch.cat([v, v[:1].expand(kept, *v.shape[1:])]) if v.ndim else v for k, v in batch.items()})


class Always:
    """Data of one batch."""

    def __init__(self, found: Batch) -> None:
        self.found = found

    def batch(self, index: int) -> Batch:
        return dict(self.found)


METHODS = {
    "sft": Entry("sft:SFTConfig", _sft),
    "causal_cd": Entry("causal_cd:CausalCDConfig", _causal_cd),
    "ode_init": Entry("ode_init:ODEInitConfig", _ode_init, _pairs, _pairs_on_paper),
    "acc_dmd": Entry("acc_dmd:ACCDMDConfig", _acc_dmd),
    "long_tail": Entry("long_tail:LongTailConfig", _long_tail),
    "expert_transfer": Entry("expert_transfer:ExpertTransferConfig", _expert_transfer, _phased),
    "grpo": Entry("grpo:GRPOConfig", _grpo),
    "nft": Entry("nft:NFTConfig", _nft),
    "decoder_refiner": Entry("decoder_refiner:DecoderRefinerConfig", _decoder_refiner, _crops, _crops_on_paper, True),
    "identity": Entry("identity:IdentityConfig", _identity, _person, _person_on_paper, merge=False),
}


def make(setup: Setup) -> Method:
    """The method of a run. InputError if its settings contradict the preset, or its windows are not whole chunks."""
    run = setup.run
    try:
        method = entry(run.method).build(setup)
    except ValueError as error:
        raise InputError(f"{run.folder}: {error}") from error
    if entry(run.method).data is not _crops:  # whose crops have a length of their own
        config: EngineConfig = getattr(method, "config", setup.engine)  # a teacher's chunk is its window
        for name in ("short", "long") if run.data.long_share else ("short",):
            if (latents := getattr(run.data, name)) % config.stream.chunk_latents:
                raise InputError(
                    f"{run.folder}: data.{name} is {latents} latents; method {run.method} needs multiples of "
                    f"{config.stream.chunk_latents} here, a whole chunk or teacher's window"
                )
    return method


def entry(name: str) -> Entry:
    """The method called `name`. InputError with the nearest known name otherwise."""
    if name not in METHODS:
        close = difflib.get_close_matches(name, METHODS, n=1)
        hint = f"did you mean '{close[0]}'?" if close else "known methods: " + ", ".join(METHODS)
        raise InputError(f"unknown method '{name}'; {hint}")
    return METHODS[name]
