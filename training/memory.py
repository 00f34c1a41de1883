"""How much memory a run takes on each process, before anything is loaded.

Weights, gradients and optimiser states are counted on networks without memory. What a step works with is not a formula:
the method's own step and its backward pass run on `meta` at true shapes, and the bytes alive at once are watched.

Not modelled: fragmentation and the runtime (kept free as RESERVE), kernels' workspaces, and torch.compile.
"""

from __future__ import annotations

import gc
import warnings
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.fx.experimental import _config as fx_config
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map_only

from echotorrent_core.config import EngineConfig
from echotorrent_core.estimate import RESERVE, LiveBytes
from echotorrent_core.loading import published
from echotorrent_core.metrics.reader import load_reader
from echotorrent_core.model import history, rope
from echotorrent_core.weights.load import on_meta

from .config import RoleSettings, RunConfig, engine_config
from .data.features import MARGIN
from .denoiser import Denoiser
from .loop import Batch, Data, Method
from .networks import finish, hollow, hollow_part
from .registry import Always, Setup, make
from .roles import Role
from .sharding import BLOCK

STATES = {"AdamW": 2, "Adam": 2, "Muon": 1, "ConvMuon": 1}  # tensors that an optimiser keeps per weight
DEPTHS = (2, 4)  # layers at which a step is watched; all layer policies come in pairs, so the rest is a straight line


@dataclass(frozen=True)
class RoleMemory:
    """One role's bytes on one process, and its parameters in all."""

    parameters: int
    trained: int
    weights: int
    gradients: int
    optimiser: int

    @property
    def total(self) -> int:
        return self.weights + self.gradients + self.optimiser


@dataclass(frozen=True)
class Memory:
    """Bytes on one process. kept: what the method holds from step to step (a rollout's keys and values, banks);
    step: the most that a step needs beyond that, activations above all; gathered: of sharded weights, what is whole at
    once. without: `step` if no activations were recomputed; with_: if all blocks were."""

    roles: dict[str, RoleMemory]
    kept: int
    step: int
    gathered: int
    other: dict[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(role.total for role in self.roles.values()) + self.kept + self.step + self.gathered

    def lines(self) -> Iterator[str]:
        """A table in GB of 10^9 bytes."""
        yield f"  {'role':10} {'parameters':>14} {'trained':>14} {'weights':>9} {'gradients':>9} {'optimiser':>9}"
        for name, r in self.roles.items():
            sizes = " ".join(f"{size / 1e9:9.2f}" for size in (r.weights, r.gradients, r.optimiser))
            yield f"  {name:10} {r.parameters:14,} {r.trained:14,} {sizes}"
        for name, size in (
            ("kept by the method between steps", self.kept),
            ("activations and other work of a step", self.step),
            *((f"  instead {name}", size) for name, size in self.other.items()),
            ("gathered weights and gradients of blocks", self.gathered),
            ("needed", self.total),
        ):
            yield f"  {name:49} {size / 1e9:9.2f} GB"


def estimate(run: RunConfig, device: str = "cpu", compare: bool = False) -> Memory:
    """Memory of a run on each of its `processes`. device: `cuda` has fused attention; compare: also a step with and
    without activation checkpointing."""
    engine = engine_config(run)
    attention = "sdpa" if device == "cuda" else "math"
    method, _ = on_paper(run, engine, attention)
    roles = {name: role_memory(run, name, method) for name in method.roles}
    kept, step = step_bytes(run, engine, attention)
    other = {}
    if compare:
        for label, recomputed in (("with activation checkpointing", True), ("without", False)):
            changed = recompute(run, recomputed)
            if changed != run:
                other[label] = step_bytes(changed, engine, attention)[1]
    return Memory(roles, kept, step, gathered_bytes(run, method), other)


def available(run: RunConfig) -> int | None:
    """Bytes that a process may take of the device that the run is meant for."""
    return None if run.memory_gb is None else int(run.memory_gb * 1e9 * (1 - RESERVE))


def recompute(run: RunConfig, on: bool) -> RunConfig:
    """The run with activation checkpointing of all roles on or off."""
    r = run.roles
    changed = replace(r, student=replace(r.student, checkpointing=on), fake=replace(r.fake, checkpointing=on))
    return replace(run, roles=changed)


def on_paper(run: RunConfig, engine: EngineConfig, attention: str) -> tuple[Method, Data]:
    """The method of a run with networks that take no memory, in the precision they compute in, and data without
    values."""

    def network(role: str, over: Path | None = None) -> Denoiser:
        settings: RoleSettings = getattr(run.roles, role)
        computed = "bfloat16" if run.precision == "bf16" and run.sharded else settings.dtype
        with on_meta():
            found = finish(hollow(engine, attention).to("meta"), replace(settings, dtype=computed))
        for module in found.modules() if attention == "sdpa" else ():
            if hasattr(module, "attention"):
                module.attention = fused  # type: ignore[assignment]
        return found

    def part(name: str) -> nn.Module:
        with on_meta():
            return hollow_part(engine, name).to("meta").eval().requires_grad_(False)

    setup = Setup(run, engine, network, part, lambda shares=None: Shapes(run, engine), None)
    load_reader.cache_clear()
    with on_meta(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that filling networks without memory does nothing
        method = make(setup)
    load_reader.cache_clear()  # what was read on paper has no values
    for role in method.roles.values():
        role.module.to("meta")
    return method, setup.data


# What is there all the time


def role_memory(run: RunConfig, name: str, method: Method) -> RoleMemory:
    """Weights are kept in the role's precision, in float32 what trains; a network that shares weights with another
    (the average of a LoRA) is counted for its own."""
    role, ranks = method.roles[name], run.processes if run.sharded else 1
    trained = sum(p.numel() for p in role.module.parameters() if p.requires_grad)
    stored = _stored(run, name, role)
    weights = sum(p.numel() * (4 if p.requires_grad else stored) for p in _own(method, name, run.sharded))
    states = {id(p): STATES[type(o).__name__] for o in method.optimizers().get(name, []) for p in _params(o)}
    optimiser = sum(4 * states.get(id(p), 0) * p.numel() for p in role.module.parameters())
    count = sum(p.numel() for p in role.module.parameters())
    return RoleMemory(count, trained, weights // ranks, 4 * trained // ranks, optimiser // ranks)


def _stored(run: RunConfig, name: str, role: Role) -> int:
    """Bytes per frozen weight."""
    settings = getattr(run.roles, role.follows or name, None)
    whole = role.follows is not None and (settings is None or settings.mode == "full")
    return 4 if whole or settings is None or settings.dtype == "float32" else 2


def _own(method: Method, name: str, sharded: bool) -> list[nn.Parameter]:
    """The parameters of a role that no earlier role has; each sharded network is cut up by itself."""
    earlier = set()
    for other, role in method.roles.items():
        if other == name:
            break
        earlier |= {id(p) for p in role.module.parameters()}
    return [p for p in method.roles[name].module.parameters() if sharded or id(p) not in earlier]


def _params(optimizer: torch.optim.Optimizer) -> list[Tensor]:
    return [p for group in optimizer.param_groups for p in group["params"]]


def gathered_bytes(run: RunConfig, method: Method) -> int:
    """FSDP2 has two blocks of the network that computes and all outside of blocks whole, in bfloat16 under mixed
    precision, and in the backward pass two blocks' gradients as well. Without sharding, mixed precision keeps casts of
    the trained weights during a step."""
    value = 2 if run.precision == "bf16" else 4
    if not run.sharded:
        trained = sum(p.numel() for r in method.roles.values() for p in r.module.parameters() if p.requires_grad)
        return 2 * trained if run.precision == "bf16" else 0
    largest = 0
    for role in method.roles.values():
        blocks = [m for m in role.module.modules() if type(m).__name__ == BLOCK]
        inside = sum(p.numel() for block in blocks for p in block.parameters())
        outside = sum(p.numel() for p in role.module.parameters()) - inside
        block = inside // max(1, len(blocks))
        largest = max(largest, (outside + 2 * block) * value + (outside + 2 * block) * value * role.trainable)
    return largest


# What a step needs


class Shapes(Always):
    """Data without values, as `training.data.features` would give: the longest windows of a run."""

    def __init__(self, run: RunConfig, engine: EngineConfig):
        d, vae, audio = run.data, engine.vae, engine.trunk.audio
        assert audio is not None
        size, latents = d.batch, max(d.short, d.long if d.long_share else 0)
        height, width = (pixels // vae.space_stride for pixels in engine.size)
        first = d.first_share == 1.0  # one frame instead of four in the first latent
        frames = vae.time_stride * latents - (vae.time_stride - 1) * first
        with torch.device("meta"):
            one = torch.empty(size, vae.z_dim, 1, height, width)
            found: Batch = {
                "latents": one.expand(-1, -1, latents, -1, -1).clone(),
                "first_latent": one,
                "reference": one.clone(),
                "features": torch.empty(size, frames + 2 * MARGIN, audio.blocks * audio.channels),
                "energy": torch.empty(size, frames),
                "mask": torch.empty(size, 1, latents, height, width),
                "domain": torch.zeros(size, dtype=torch.long),
            }
            if published(engine):
                found["text"] = torch.empty(size, engine.text.length, engine.trunk.text_dim)
                found["start"] = one.expand(-1, -1, engine.stream.chunk_latents, -1, -1).clone()
                found["visemes"] = torch.empty(size, frames, 4)
                if engine.trunk.image_dim:
                    found["image"] = torch.empty(size, 257, engine.trunk.image_dim)
            else:
                found["ids"] = torch.zeros(size, 3, dtype=torch.long)
        super().__init__(found | {"first": torch.tensor(first)})


def step_bytes(run: RunConfig, engine: EngineConfig, attention: str) -> tuple[int, int]:
    """(kept from step to step, most beyond that during a step)."""
    depth = engine.trunk.num_layers
    if depth <= DEPTHS[1]:
        return watched(run, engine, attention)
    shallow, deep = (watched(run, with_depth(engine, layers), attention) for layers in DEPTHS)
    slope = (depth - DEPTHS[1]) / (DEPTHS[1] - DEPTHS[0])
    kept, step = (round(b + (b - a) * slope) for a, b in zip(shallow, deep, strict=True))
    return kept, step


def with_depth(engine: EngineConfig, layers: int) -> EngineConfig:
    """The same model with fewer layers."""
    trunk = replace(engine.trunk, num_layers=layers)
    return replace(engine, trunk=trunk, layers=engine.layers[:layers])


def watched(run: RunConfig, engine: EngineConfig, attention: str) -> tuple[int, int]:
    """`step_bytes` by doing it: a step for each set of roles that the method updates together.

    Gradients of weights are let go as they come: they are counted for themselves, and sharded ones are never whole."""
    for cached in (history._mask, rope.rotation):  # made anew each time, or a later call would not see their bytes
        cached.cache_clear()
    method, data = on_paper(run, engine, attention)
    for role in method.roles.values():
        for parameter in role.module.parameters():
            if parameter.requires_grad:
                parameter.register_post_accumulate_grad_hook(_forget)
    kept = most = 0
    steps = {tuple(method.updates(step)): step for step in reversed(range(run.loop.steps))}
    with ExitStack() as modes:
        modes.enter_context(fx_config.patch(meta_nonzero_assume_all_nonzero=True))  # type: ignore[attr-defined]
        live = modes.enter_context(LiveBytes())
        modes.enter_context(NoValues())
        modes.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")  # that copies to meta do nothing
        for step in sorted(steps.values(), key=lambda step: -len(method.updates(step))):  # most with nothing kept yet
            live.peak = live.now
            result = method.step(data.batch(step), step, torch.Generator().manual_seed(step))
            for name in method.updates(step):
                result.losses[name].backward()
            del result
            gc.collect()
            most, kept = max(most, live.peak), max(kept, live.now)
    return kept, most - kept


def _forget(parameter: Tensor) -> None:
    parameter.grad = None


class NoValues(TorchDispatchMode):
    """Makes a method's step run on meta as it would on a device.

    Small tensors that are drawn on the CPU, such as noise levels, stay there when they are sent to the device, so that
    branches on them are taken as they would be; they become meta where they meet meta ones. What is read of tensors
    without values, to be logged, is 1; nothing is the case with `any` of them, and everything with `all`.

    What an operation makes of given shapes is remembered: torch finds it out in Python, which takes most of the time.
    """

    SMALL = 1 << 16  # elements
    known: ClassVar[dict[Any, list[tuple[torch.Size, tuple[int, ...], torch.dtype]]]] = {}

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        first = args[0] if args and isinstance(args[0], Tensor) else None
        if func is torch.ops.aten._local_scalar_dense.default and first is not None and first.is_meta:
            return 1.0 if first.is_floating_point() else not getattr(first, "no", False)
        if func is torch.ops.aten._to_copy.default and first is not None:
            target = torch.device(kwargs.get("device") or first.device)
            if first.is_meta and target.type != "meta":
                return torch.ones(first.shape, dtype=kwargs.get("dtype") or first.dtype)
            if not first.is_meta and target.type == "meta" and first.numel() <= self.SMALL:
                return func(*args, **kwargs | {"device": first.device})
        leaves = tree_leaves((args, kwargs))
        found = [leaf for leaf in leaves if isinstance(leaf, Tensor)]
        if any(t.is_meta for t in found) and not all(t.is_meta for t in found):
            args, kwargs = tree_map_only(Tensor, _to_meta, (args, kwargs))
            leaves = tree_leaves((args, kwargs))
        key = _signature(func, leaves)
        if key in self.known:
            made = [torch.empty_strided(*one, dtype=dtype, device="meta") for *one, dtype in self.known[key]]
            return made[0] if len(made) == 1 else tuple(made)
        out = func(*args, **kwargs)
        several = out if isinstance(out, tuple) else (out,)
        if func.overloadpacket is torch.ops.aten.any and out.is_meta:
            out.no = True
        elif key is not None and all(isinstance(one, Tensor) and one.is_meta for one in several):
            self.known[key] = [(one.shape, one.stride(), one.dtype) for one in several]
        return out


def _signature(func: Any, leaves: Sequence[Any]) -> Any:
    """Tells what a call makes on meta; None if that is not new tensors alone, or if not all it takes is on meta."""
    schema = func._schema
    new = all(str(one.type) == "Tensor" for one in schema.returns) and len(schema.returns) > 0
    if not new or any(argument.alias_info for argument in schema.arguments):
        return None
    described: list[Any] = [func]
    for leaf in leaves:
        if not isinstance(leaf, Tensor):
            described.append((type(leaf), leaf))
        elif leaf.is_meta:
            described.append((leaf.shape, leaf.stride(), leaf.dtype))
        elif leaf.ndim:
            return None
    return tuple(described)


def _to_meta(tensor: Tensor) -> Tensor:
    return tensor if tensor.is_meta or tensor.ndim == 0 else torch.empty_like(tensor, device="meta")


def fused(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None) -> Tensor:
    """Attention as GPUs' kernels do it: it keeps its inputs and its output, not the scores."""
    out: Tensor = _Attend.apply(q, k, v)
    return out


class _Attend(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        out, normaliser = torch.empty_like(q), q.new_empty(q.shape[:-1], dtype=torch.float32)
        ctx.save_for_backward(q, k, v, out, normaliser)
        return out

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, ...]:
        return tuple(torch.empty_like(tensor) for tensor in ctx.saved_tensors[:3])
