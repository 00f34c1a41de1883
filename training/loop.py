"""The loop: accelerate around a method. It knows roles, optimisers, checkpoints and metrics, and nothing of losses.

Randomness is a function of the seed and of the number of a micro-batch, not of a process's past: a resumed run, and one
with other processes at the same global batch, draws what the unbroken one does.
"""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from accelerate.utils import DistributedType, gather_object
from torch import Tensor, nn
from tqdm import tqdm

from echotorrent_core.errors import InputError
from echotorrent_core.threads import compute_thread, release_workers

from . import checkpoint
from .heap import keep_freed_memory
from .lora import adapters
from .metrics import Meter, read_metrics, rewind_metrics, write_metrics
from .optim import trapezoid
from .roles import Role, update_ema
from .sharding import after_backward, autocast, clip_gradients, prepare

__all__ = ["Batch", "Data", "Loop", "LoopConfig", "Method", "StepResult", "read_metrics", "shared_generator"]

Batch = dict[str, Tensor]
PATIENCE = 10  # updates in a row without a finite gradient


@dataclass
class StepResult:
    """What a method's step returns: a loss per trainable role, and numbers to log."""

    losses: dict[str, Tensor]
    metrics: dict[str, float] = field(default_factory=dict)


class Method(Protocol):
    """One training method: roles it needs, which of them step now, and the losses of a batch.

    A method that keeps tensors beside its roles (a rollout, statistics) also has `state() -> dict[str, Tensor]` and
    `load_state(dict)`; every process saves its own.
    """

    roles: dict[str, Role]

    def optimizers(self) -> dict[str, list[torch.optim.Optimizer]]: ...

    def updates(self, step: int) -> list[str]: ...

    def step(self, batch: Batch, step: int, generator: torch.Generator) -> StepResult:
        """Called once per micro-batch; `step` is the number of the update it belongs to, on all processes alike."""
        ...


class Data(Protocol):
    """Batches by number, so that a resumed run sees the same ones."""

    def batch(self, index: int) -> Batch: ...


@dataclass(frozen=True)
class LoopConfig:
    """All counts in steps (updates); warmup and cooldown are the learning rate's; clip: gradient norm.

    accumulate: micro-batches per process and step; keep: checkpoints; minutes: stop, after a checkpoint, once this much
    wall time is spent.
    """

    steps: int
    warmup: int = 50
    cooldown: int = 0
    clip: float = 1.0
    log_every: int = 20
    save_every: int = 500
    seed: int = 0
    minutes: float | None = None
    accumulate: int = 1
    keep: int = 1


Callback = Callable[["Loop", int], dict[str, float] | None]


def shared_generator(seed: int, step: int) -> torch.Generator:
    """For draws that must be the same in every process and after a resume, such as which branch a step takes."""
    return torch.Generator().manual_seed(seed * 1_000_003 + step)


def plain_accelerator(precision: str = "no") -> Accelerator:
    """Without plug-ins, of this precision (`no`, `bf16`), whatever a run before it in this process had."""
    AcceleratorState._reset_state()
    return Accelerator(cpu=not torch.cuda.is_available(), mixed_precision=precision)


class Loop:
    """Train `method` on `data` in `folder`: `metrics.jsonl`, checkpoints (training/checkpoint.py), true resume.

    identity: what a checkpoint must agree with to be gone on from, such as the preset's name.
    """

    def __init__(
        self,
        method: Method,
        data: Data,
        folder: Path,
        config: LoopConfig,
        accelerator: Accelerator | None = None,
        callbacks: tuple[Callback, ...] = (),
        identity: Mapping[str, str] | None = None,
    ):
        self.method, self.data, self.folder, self.config = method, data, folder, config
        self.callbacks, self.identity = callbacks, dict(identity or {})
        self.accelerator = accelerator or plain_accelerator()
        self.accelerator.gradient_accumulation_steps = config.accumulate
        self.rank, self.ranks = self.accelerator.process_index, self.accelerator.num_processes
        self.optimizers: dict[str, list[Any]] = dict(method.optimizers())
        self.base_lr = {name: [_rates(o) for o in several] for name, several in self.optimizers.items()}
        for name, role in method.roles.items():
            self.optimizers[name] = prepare(self.accelerator, role, self.optimizers.get(name, []))
        self.meter, self.skipped = Meter(), 0
        self.prefetched: tuple[int, Future[Batch]] | None = None
        self.start = self._resume()
        self.stopping = False
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, lambda *_: setattr(self, "stopping", True))

    def run(self) -> int:
        """Train to the end, the time limit or SIGTERM, with a checkpoint; the number of steps done so far."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.accelerator.device.type == "cpu":
            release_workers()
            compute_thread()
            keep_freed_memory()
        if self.accelerator.is_main_process:
            rewind_metrics(self.folder, self.start)
        began, spent, counted = time.monotonic(), 0.0, 0
        bar = tqdm(
            total=self.config.steps, initial=self.start, disable=not self.accelerator.is_main_process, mininterval=5
        )
        with bar, ThreadPoolExecutor(1) as self.workers:
            for step in range(self.start, self.config.steps):
                since = time.monotonic()
                self._step(step)
                spent, counted, done = spent + time.monotonic() - since, counted + 1, step + 1
                metrics: dict[str, float] = {}
                if done % self.config.log_every == 0:
                    metrics = self.meter.take(self._gather)
                    metrics["seconds_per_step"] = spent / counted
                    spent, counted = 0.0, 0
                    bar.set_postfix({k: f"{v:.4g}" for k, v in list(metrics.items())[:3]}, refresh=False)
                for callback in self.callbacks:
                    metrics |= callback(self, done) or {}
                if metrics:
                    self._log(done, metrics)
                bar.update()
                late = self.config.minutes is not None and time.monotonic() - began > 60 * self.config.minutes
                out_of_time = self._agree(late or self.stopping)
                if done % self.config.save_every == 0 or done == self.config.steps or out_of_time:
                    self.save(done)
                if out_of_time:
                    return done
        return max(self.start, self.config.steps)

    def _step(self, step: int) -> None:
        """One update: losses and gradients of all its micro-batches, then the optimisers, then the averages."""
        updates = self.method.updates(step)
        modules = [role.module for role in self.method.roles.values() if role.trainable]
        for micro in range(self.config.accumulate):
            index = (step * self.config.accumulate + micro) * self.ranks + self.rank
            batch = self._batch(index)
            seed = (self.config.seed << 32) + index
            torch.manual_seed(seed)
            with self.accelerator.accumulate(*modules):
                with autocast(self.accelerator):
                    result = self.method.step(batch, step, torch.Generator().manual_seed(seed))
                for name in updates:
                    self.accelerator.backward(result.losses[name])
            self.meter.add({f"loss/{name}": float(loss.detach()) for name, loss in result.losses.items()})
            self.meter.add(result.metrics)
        for name in updates:
            self._update(name, step)
        for role in self.method.roles.values():
            if role.follows in updates:
                update_ema(role, self.accelerator.unwrap_model(self.method.roles[role.follows].module), step)

    def _update(self, name: str, step: int) -> None:
        """Step the optimisers of a role, or leave it as it is if its gradient is not finite."""
        role, optimizers = self.method.roles[name], self.optimizers[name]
        after_backward(self.accelerator, role.module)
        factor = trapezoid(step, self.config.steps, self.config.warmup, self.config.cooldown)
        norm = clip_gradients(self.accelerator, role.module, self.config.clip)
        finite = norm is None or math.isfinite(norm)
        if norm is not None:
            self.meter.add({f"grad/{name}": norm})
        for optimizer, rates in zip(optimizers, self.base_lr[name], strict=True):
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                group["lr"] = rate * factor
            if finite:
                optimizer.step()
            optimizer.zero_grad()
        self.skipped = 0 if finite else self.skipped + 1
        if self.skipped >= PATIENCE:
            older = checkpoint.latest(self.folder)
            raise InputError(
                f"{self.folder}: the gradients of '{name}' have not been finite for {PATIENCE} updates up to step "
                f"{step + 1}; go on from '{older}' with a lower learning rate or look at its data"
            )

    def _batch(self, index: int) -> Batch:
        """A batch on the device. With a GPU, the next one is made meanwhile."""
        device = self.accelerator.device
        if device.type == "cpu":
            return self.data.batch(index)
        ready = self.prefetched
        batch = ready[1].result() if ready is not None and ready[0] == index else self.data.batch(index)
        self.prefetched = (index + self.ranks, self.workers.submit(self.data.batch, index + self.ranks))
        return {key: value.to(device, non_blocking=True) for key, value in batch.items()}

    # Checkpoints: everything a run needs to go on as if it had not stopped

    def save(self, step: int) -> None:
        """Write a checkpoint of all processes: roles that change, optimisers, what the method keeps, open metrics."""
        state: checkpoint.State = {"step": step, "identity": self.identity, "processes": self.ranks}
        state["names"] = list(self._changing())
        shards = None
        if self.accelerator.distributed_type == DistributedType.FSDP:

            def shards(folder: Path) -> None:
                checkpoint.save_shards(folder, self._changing(), self._bare_optimizers())

        elif self.accelerator.distributed_type == DistributedType.DEEPSPEED:

            def shards(folder: Path) -> None:
                self.accelerator.save_state(str(folder))

        if self.accelerator.distributed_type != DistributedType.FSDP and self.rank == 0:
            state["roles"] = {name: adapters(m) or m.state_dict() for name, m in self._changing().items()}
        if shards is None and self.rank == 0:
            state["optimizers"] = {name: [o.state_dict() for o in several] for name, several in self.optimizers.items()}
        keeps = getattr(self.method, "state", None)
        own = {"meter": self.meter.state(), "method": keeps() if keeps else {}}
        checkpoint.save(
            self.folder, step, state, own, keep=self.config.keep, process=self.rank, agree=self._agree, shards=shards
        )

    def _resume(self) -> int:
        path = checkpoint.latest(self.folder)
        if path is None:
            return 0
        state = checkpoint.read(path)
        for key, value in state.get("identity", {}).items():
            if self.identity.get(key, value) != value:
                raise InputError(
                    f"{path}: a checkpoint of {key} '{value}', this run is of {key} '{self.identity[key]}'; "
                    "use another folder"
                )
        try:
            self._restore(path, state)
        except (RuntimeError, ValueError, KeyError) as error:
            reason = " ".join(str(error).split())[:200]
            raise InputError(f"{path}: does not fit this run's networks ({reason}); use another folder") from error
        if state.get("processes", self.ranks) == self.ranks:
            own = checkpoint.read(path, self.rank)
            self.meter.load_state(own.get("meter", {}))
            if own.get("method"):
                self.method.load_state(own["method"])  # type: ignore[attr-defined]
        elif hasattr(self.method, "load_state"):
            kept = "what its method kept beside the roles begins anew"
            self.accelerator.print(f"{path}: made by {state['processes']} processes, now {self.ranks}; {kept}")
        return int(state["step"])

    def _restore(self, path: Path, state: checkpoint.State) -> None:
        """Roles and optimisers as they were."""
        modules = self._changing()
        if self.accelerator.distributed_type == DistributedType.FSDP:
            checkpoint.load_shards(path / checkpoint.SHARDS, modules, self._bare_optimizers())
            return
        for name, weights in state["roles"].items():
            found = modules[name].load_state_dict(weights, strict=not adapters(modules[name]))
            if found.unexpected_keys:
                raise KeyError(f"unexpected {found.unexpected_keys[0]}")
        if self.accelerator.distributed_type == DistributedType.DEEPSPEED:
            self.accelerator.load_state(str(path / checkpoint.SHARDS))
            return
        for name, saved in state["optimizers"].items():
            for optimizer, one in zip(self.optimizers[name], saved, strict=True):
                optimizer.load_state_dict(one)

    def _changing(self) -> dict[str, nn.Module]:
        """The bare modules of the roles that training changes."""
        roles = self.method.roles.items()
        return {n: self.accelerator.unwrap_model(r.module) for n, r in roles if r.trainable or r.follows}

    def _bare_optimizers(self) -> dict[str, list[Any]]:
        return {name: [o.optimizer for o in several] for name, several in self.optimizers.items()}

    # Processes

    def _agree(self, flag: bool) -> bool:
        """True on every process as soon as it is true on one, so that all take the same way."""
        if self.ranks == 1:
            return flag
        told = torch.tensor(float(flag), device=self.accelerator.device)
        return bool(self.accelerator.reduce(told, "sum") > 0)

    def _gather(self, sums: list[Any]) -> list[Any]:
        return gather_object(sums) if self.ranks > 1 else sums

    def _log(self, step: int, metrics: dict[str, float]) -> None:
        if self.accelerator.is_main_process:
            write_metrics(self.folder, step, metrics)
        self.accelerator.log(metrics, step=step)


def _rates(optimizer: torch.optim.Optimizer) -> list[float]:
    return [group["lr"] for group in optimizer.param_groups]
