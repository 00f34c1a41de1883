"""Transfer from domain experts (paper 3.2): ACC-DMD again, one expert after the other as the teacher `real`.

Experts are the teacher after GRPO on their domains. At a change of phase the next one's weights are put into the role.
Batches are then of its domain, with a share of general ones so that nothing is forgotten, and at first the critic
trains alone: its error at the student's present samples is what the new teacher's advice is measured against.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.checkpoint.state_dict import StateDictOptions, set_model_state_dict
from torch.distributed.fsdp import FSDPModule

from ..denoiser import Denoiser
from ..loop import Batch, Data, StepResult
from .acc_dmd import ACCDMD, ACCDMDConfig

GENERAL = "general"


@dataclass(frozen=True)
class Phase:
    """`steps` with one expert as the teacher, on the data of `domain`."""

    expert: str
    domain: str
    steps: int


@dataclass(frozen=True)
class ExpertTransferConfig(ACCDMDConfig):
    """experts: name -> LoRA for the teacher, or folder of its parts; phases: in order, the last one stays; general:
    share of general data in each; rewarm: steps of the critic alone after each change of teacher. `critic_only` is not
    used: every phase begins so."""

    experts: dict[str, Path] = field(default_factory=dict)
    phases: tuple[Phase, ...] = ()
    general: float = 0.25  # 20 to 30 %
    rewarm: int = 100

    def phase(self, step: int) -> tuple[Phase, int]:
        """The phase of a step, and how many of its steps came before."""
        for phase in self.phases[:-1]:
            if step < phase.steps:
                return phase, step
            step -= phase.steps
        return self.phases[-1], step

    def trains(self, step: int) -> bool:
        """Whether the student is updated in a step."""
        return self.phase(step)[1] >= self.rewarm and step % self.critic_steps == 0

    def idle(self) -> list[Phase]:
        """Phases in which only the critic learns: their expert teaches nobody."""
        learns = {self.phase(step)[0] for step in range(sum(phase.steps for phase in self.phases)) if self.trains(step)}
        return [phase for phase in self.phases if phase not in learns]

    def shares(self, phase: Phase) -> dict[str, float]:
        """How often data of each domain are drawn."""
        return {phase.domain: 1 - self.general, GENERAL: self.general}


class ExpertTransfer:
    """The method around ACC-DMD. experts: by name, each builds its network when it is asked for."""

    def __init__(self, inner: ACCDMD, experts: Mapping[str, Callable[[], Denoiser]], settings: ExpertTransferConfig):
        unknown = {phase.expert for phase in settings.phases} - experts.keys()
        if not settings.phases or unknown:
            named = ", ".join(sorted(unknown)) or "no phase"
            raise ValueError(f"phases name {named}; expected experts among {', '.join(experts) or 'none'}")
        for phase in settings.idle():
            warnings.warn(
                f"phase '{phase.expert}' of {phase.steps} steps never trains the student: the critic has the first "
                f"{settings.rewarm} to itself and {settings.critic_steps} for each of the student's; lower rewarm",
                stacklevel=2,
            )
        self.inner, self.experts, self.settings = inner, experts, settings
        self.roles = inner.roles
        self.teacher: str | None = None

    def optimizers(self) -> dict[str, list[torch.optim.Optimizer]]:
        return self.inner.optimizers()

    def updates(self, step: int) -> list[str]:
        return ["student", "fake"] if self.settings.trains(step) else ["fake"]

    def step(self, batch: Batch, step: int, generator: torch.Generator) -> StepResult:
        wanted = self.settings.phase(step)[0].expert
        if wanted != self.teacher:  # also in the first step after a resume: frozen roles are in no checkpoint
            become(self.roles["real"].module, self.experts[wanted])
            self.teacher = wanted
        return self.inner.losses(batch, step, generator, "student" in self.updates(step))

    def state(self) -> dict[str, Tensor]:
        return self.inner.state()

    def load_state(self, state: dict[str, Tensor]) -> None:
        self.inner.load_state(state)


def become(module: nn.Module, expert: Callable[[], Denoiser]) -> None:
    """Give a network an expert's weights. Where it is sharded, the first process builds the expert and sends each its
    part."""
    shards = [part for part in module.modules() if isinstance(part, FSDPModule)]
    if not shards:
        module.load_state_dict(expert().state_dict())
        return
    for part in shards:
        part.reshard()  # a pass leaves some weights gathered
    state = expert().state_dict() if dist.get_rank() == 0 else {}
    set_model_state_dict(module, state, options=StateDictOptions(full_state_dict=True, broadcast_from_rank0=True))


class PhasedData:
    """Batches of the phase that a step is in. source: data with shares of domains; per_step: batches of all processes
    and micro-batches that make a step."""

    def __init__(self, settings: ExpertTransferConfig, source: Callable[[dict[str, float]], Data], per_step: int):
        self.settings, self.per_step = settings, per_step
        self.sources = {phase.domain: source(settings.shares(phase)) for phase in settings.phases}
        self.channel_scale = getattr(next(iter(self.sources.values()), None), "channel_scale", None)  # the same of all

    def batch(self, index: int) -> Batch:
        phase, _ = self.settings.phase(index // self.per_step)
        return self.sources[phase.domain].batch(index)
