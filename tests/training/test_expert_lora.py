"""An expert is a LoRA on the teacher: only it trains, the base is shared, and the engine loads it as it is."""

import copy

import pytest
import torch

from echotorrent_core.conditioning.text import WordEncoder
from echotorrent_core.model.dit import Trunk
from echotorrent_core.presets import debug
from echotorrent_core.weights.load import shapes
from echotorrent_core.weights.lora import Lora
from training.denoiser import Denoiser, teacher_config
from training.experience import Scores
from training.lora import LoraSettings, add_lora, is_adapter, load_lora, save_lora
from training.methods.grpo import GRPO, GRPOConfig

pytest.importorskip("peft")

RANK = LoraSettings(rank=4, alpha=8.0)


def network(lora=False):
    torch.manual_seed(0)
    student = Denoiser(Trunk(debug().trunk), WordEncoder(debug().text))
    if lora:
        add_lora(student, RANK)
    return student


def batch(size=3, latents=4, seed=0):
    g = torch.Generator().manual_seed(seed)
    return {
        "latents": torch.randn(size, 4, latents, 4, 4, generator=g),
        "reference": torch.randn(size, 4, 1, 4, 4, generator=g),
        "features": torch.randn(size, 4 * latents + 4, 39, generator=g),
        "ids": torch.tensor([[1, 6, 11]] * size),
        "first": torch.tensor(False),
    }


def bright(latents, conditions):
    reward = latents[:, 0].mean((1, 2, 3))
    return Scores({"bright": reward}, {"bright": 1.0}, torch.ones(len(reward), dtype=torch.bool))


@pytest.fixture(scope="module")
def trained():
    settings = GRPOConfig(window=4, group=6, steps=5, noisy=2, noisy_within=3, shift=1.0, lr=1e-2, clip=0.05, kl=0.0)
    method = GRPO(debug(), network(lora=True), bright, settings)
    (optimizer,) = method.optimizers()["student"]
    before = [method.collect(batch(seed=90 + i), i, torch.Generator().manual_seed(i))[1] for i in range(3)]
    for step in range(24):
        method.step(batch(seed=step), step, torch.Generator().manual_seed(step)).losses["student"].backward()
        optimizer.step()
        optimizer.zero_grad()
    after = [method.collect(batch(seed=90 + i), i, torch.Generator().manual_seed(i))[1] for i in range(3)]
    return method, [sum(m["reward/bright"] for m in part) / 3 for part in (before, after)]


def test_an_adapter_alone_raises_the_reward(trained):
    method, (before, after) = trained
    assert after > before + 0.15
    plain = network().state_dict()
    for name, value in method.roles["student"].module.state_dict().items():
        if not is_adapter(name):
            assert torch.equal(value, plain[name.replace(".base_layer.", ".")]), name


def test_the_teacher_shares_the_experts_base(trained):
    method, _ = trained
    student, real = (dict(method.roles[name].module.named_parameters()) for name in ("student", "real"))
    for name, parameter in student.items():
        assert parameter.requires_grad == is_adapter(name)
        assert (real[name] is parameter) != is_adapter(name), name
    count = sum(p.numel() for group in method.optimizers()["student"][0].param_groups for p in group["params"])
    assert count == sum(p.numel() for name, p in student.items() if is_adapter(name)) > 0
    rollout, _ = method.collect(batch(), 0, torch.Generator().manual_seed(0))
    _, metrics = method.improve(rollout, 0)
    assert metrics["grpo/ratio_off"] < 1e-5 and metrics["grpo/kl"] > 0


def test_the_engine_merges_the_saved_expert(trained, tmp_path):
    """Weights of the engine's trunk with the file merged in answer as the network with its adapter does."""
    method, _ = trained
    student, data, config = method.roles["student"].module, batch(), teacher_config(debug(), 4)
    path = tmp_path / "expert.safetensors"
    save_lora(student.trunk.state_dict(), path, RANK, {"domain": "singing"})
    merged = network()
    lora = Lora.open(path, 1.0, shapes(merged.trunk))
    assert len(lora.deltas) == 4 * (4 + 4 + 3 + 2) and not lora.notes
    with torch.no_grad():
        for name, parameter in merged.trunk.named_parameters():
            lora.merge(name, parameter)
        given = (torch.full((3, 4), 0.7), data["reference"], data["reference"], data, False)
        expected = student(config, data["latents"], *given)
        assert (network()(config, data["latents"], *given) - expected).abs().max() > 0.01
        torch.testing.assert_close(merged(config, data["latents"], *given), expected, atol=2e-5, rtol=1e-4)
    again = copy.deepcopy(network(lora=True))
    load_lora(again.trunk, path)
    with torch.no_grad():
        torch.testing.assert_close(again(config, data["latents"], *given), expected)
