"""Run by test_distill_sharded in two processes: distillation of sharded networks (FSDP2) against that of whole ones."""

import sys

import torch
import torch.distributed as dist
from distill_toy import clip, network
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor

from echotorrent_core.presets import debug
from training.methods.expert_transfer import become
from training.methods.long_tail import LongTailConfig, long_tail

TRAINED = ("student", "fake")


def whole(tensor):
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def sharded(net):
    for block in net.trunk.blocks:
        fully_shard(block)
    fully_shard(net)
    net.trunk.blocks[-1].set_reshard_after_backward(False, recurse=False)  # as training/sharding.py
    return net


def gradients(shard, two_phase):
    """Of two steps of a long tail, a whole window and a tail. And the method."""
    settings = LongTailConfig(critic_steps=1, critic_only=0, windows=3, context_latents=8, two_phase=two_phase)
    method = long_tail(debug(), network(0), network(1), network(2), settings)
    if shard:
        for name in ("student", "real", "fake"):
            method.roles[name].module = sharded(method.roles[name].module)
    found = []
    for step in range(2):
        result = method.step(clip(step), step, torch.Generator().manual_seed(step))
        for name in TRAINED:
            module = method.roles[name].module
            result.losses[name].backward()
            if shard:
                module.trunk.blocks[-1].reshard()
            found += [whole(p.grad).clone() for p in module.parameters()]
            module.zero_grad()
    return found, method


if __name__ == "__main__":
    torch.set_num_threads(1)
    dist.init_process_group("gloo")
    expected, _ = gradients(shard=False, two_phase=False)
    found, method = gradients(shard=True, two_phase=True)
    worst = max(float((a - b).norm() / a.norm().clamp_min(1e-6)) for a, b in zip(expected, found, strict=True))
    assert worst < 1e-3, worst
    real = method.roles["real"].module
    become(real, lambda: network(9))
    assert all(torch.equal(whole(a), b) for a, b in zip(real.parameters(), network(9).parameters(), strict=True))
    print("same" if dist.get_rank() == 0 else "", file=sys.stdout)
    dist.destroy_process_group()
