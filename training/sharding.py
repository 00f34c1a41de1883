"""What differs between one process, several with whole copies, and sharded ones: where a role's weights live.

All of it is accelerate's: `accelerate launch` (or `accelerate config`) chooses processes, mixed precision, FSDP2 or
DeepSpeed; here its plug-ins are applied to several roles instead of one model.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Iterator
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import DistributedType
from torch import nn
from torch.distributed.fsdp import FSDPModule
from torch.distributed.tensor import DTensor

from echotorrent_core.errors import InputError

from .optim import trainable
from .roles import Role

SHARD = "ACCELERATE_USE_FSDP"  # how `accelerate launch` tells its processes
BLOCK = "Block"  # class of the trunk's layers: what is gathered and let go together


@contextlib.contextmanager
def not_sharded() -> Iterator[None]:
    """An accelerator that is made in here has whole copies, though `accelerate launch` was told to shard: a recipe's
    stages share one launch, and some methods cannot be sharded."""
    asked = os.environ.pop(SHARD, None)
    try:
        yield
    finally:
        if asked is not None:
            os.environ[SHARD] = asked


def prepare(accelerator: Accelerator, role: Role, optimizers: list[Any]) -> list[Any]:
    """Put a role where accelerate wants it (`role.module` is replaced); its optimisers, wrapped."""
    kind = accelerator.distributed_type
    if kind == DistributedType.FSDP:
        return _shard(accelerator, role, optimizers)
    if kind == DistributedType.DEEPSPEED:
        return _deepspeed(accelerator, role, optimizers)
    role.module.to(accelerator.device)
    if role.trainable:
        role.module = accelerator.prepare(role.module)
    return [accelerator.prepare(optimizer) for optimizer in optimizers]


def _shard(accelerator: Accelerator, role: Role, optimizers: list[Any]) -> list[Any]:
    """FSDP2, for trainable, frozen and averaged roles alike."""
    from accelerate.utils.fsdp_utils import fsdp2_prepare_model

    if not accelerator.is_fsdp2:
        raise InputError("several roles need FSDP2; set fsdp_version: 2 in accelerate's configuration")
    plugin = accelerator.state.fsdp_plugin
    if plugin.transformer_cls_names_to_wrap is None:
        found = any(type(module).__name__ == BLOCK for module in role.module.modules())
        plugin.transformer_cls_names_to_wrap = [BLOCK] if found else None
    if plugin.mixed_precision_policy is not None:  # noise levels and modulation stay float32, as the engine has them
        policy = plugin.mixed_precision_policy
        plugin.mixed_precision_policy = dataclasses.replace(policy, cast_forward_inputs=False)
    prepared: list[Any] = []
    if optimizers:
        role.module, *prepared = accelerator.prepare(role.module, *optimizers)
    else:
        role.module = fsdp2_prepare_model(accelerator, role.module)
    if (last := _last_block(role.module)) is not None:
        last.set_reshard_after_backward(False, recurse=False)
    return prepared


def _last_block(module: nn.Module) -> Any:
    """The last sharded layer. The sink's keys and values leave it beside its output, which is not used, so their
    gradients arrive when FSDP has already let its weights go (it watches outputs); for layers before, the next one's
    call for the output's gradient brings the weights back."""
    blocks = [m for m in module.modules() if type(m).__name__.endswith(BLOCK) and isinstance(m, FSDPModule)]
    return blocks[-1] if blocks else None


def after_backward(accelerator: Accelerator, module: nn.Module) -> None:
    """Let go of what was kept for the backward pass; else the next step would see the weights of before the update."""
    if accelerator.is_fsdp2 and (last := _last_block(module)) is not None:
        last.reshard()


def _deepspeed(accelerator: Accelerator, role: Role, optimizers: list[Any]) -> list[Any]:
    """One engine per process is all that accelerate drives: methods with one trainable role and one optimiser."""
    if not role.trainable:
        role.module.to(accelerator.device)
        return []
    stage = accelerator.state.deepspeed_plugin.zero_stage
    if len(optimizers) != 1 or accelerator.deepspeed_engine_wrapped is not None or stage > 2:
        raise InputError(
            "DeepSpeed trains methods with one role and one optimiser, at ZeRO stage 1 or 2; use FSDP2 for this one"
        )
    settings = accelerator.state.deepspeed_plugin.deepspeed_config
    settings["train_micro_batch_size_per_gpu"] = settings.get("train_micro_batch_size_per_gpu", 1)
    if settings["train_micro_batch_size_per_gpu"] == "auto":
        settings["train_micro_batch_size_per_gpu"] = 1
    role.module, optimizer = accelerator.prepare(role.module, optimizers[0])
    return [optimizer]


def autocast(accelerator: Accelerator) -> contextlib.AbstractContextManager[Any]:
    """Mixed precision of a step. Sharded weights are cast as a whole when they are gathered (FSDP2's policy), and the
    network then runs as it does in an engine of that precision."""
    if accelerator.distributed_type == DistributedType.FSDP:
        return contextlib.nullcontext()
    return accelerator.autocast()


def clip_gradients(accelerator: Accelerator, module: nn.Module, limit: float) -> float | None:
    """Scale the gradients of a role down to the norm `limit`; the norm before, over all processes."""
    if accelerator.is_fsdp2:  # accelerate compares its models' parameters first, which fails for two of one shape
        norm: Any = torch.nn.utils.clip_grad_norm_(trainable(module), limit)
        return float(norm.full_tensor() if isinstance(norm, DTensor) else norm)
    norm = accelerator.clip_grad_norm_(trainable(module), limit)
    return None if norm is None else float(norm)
