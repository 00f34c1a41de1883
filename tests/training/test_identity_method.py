"""Identity tuning: whose latents teach, what holds the others, and that adapters alone change."""

import dataclasses

import pytest
import torch
import toy
from distill_toy import network
from safetensors.torch import load_file, save_file

from echotorrent_core import flow
from echotorrent_core.errors import InputError
from echotorrent_core.presets import debug, get_preset
from training.data.features import FeatureData
from training.lora import LoraSettings, add_lora, is_adapter, without_adapters
from training.methods import identity
from training.methods.identity import IdentityConfig, IdentityTuning, PersonAndOthers
from training.rollout import sample

LORA = LoraSettings(2, 2.0)


@pytest.fixture
def files(tmp_path):
    return toy.features(tmp_path / "person.safetensors"), toy.features(tmp_path / "others.safetensors", 4, seed=1)


def data_of(files, settings=None, batch=2):
    person, others = files
    settings = dataclasses.replace(settings or IdentityConfig(kept=1), others=others)
    return PersonAndOthers(FeatureData(person, 4, 0), settings, batch, 8, 0, 0.5)


def tuned(settings=None, seed=0, scale=0.3):
    """The method, with adapters that have moved."""
    torch.manual_seed(seed)
    student = network(0)
    add_lora(student, LORA)
    for name, value in student.named_parameters():
        if is_adapter(name):
            value.data.normal_(std=scale)
    return IdentityTuning(debug(), student, settings or IdentityConfig(kept=1))


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def test_a_batch_is_the_person_and_behind_them_others(files):
    batch = data_of(files).batch(3)
    person, others = (load_file(file)["reference"] for file in files)
    assert len(batch["reference"]) == 3 and batch["latents"].shape[2] == 8
    assert all(any(torch.equal(row, known) for known in person) for row in batch["reference"][:2])
    assert any(torch.equal(batch["reference"][2], known) for known in others)
    again = data_of(files).batch(3)
    assert all(torch.equal(batch[key], again[key]) for key in batch)
    firsts = {bool(data_of(files).batch(i)["first"]) for i in range(12)}
    assert firsts == {True, False}


def test_others_must_be_of_the_same_preset(files, tmp_path):
    lacking = {key: value for key, value in load_file(files[1]).items() if key != "motion"}
    save_file(lacking, tmp_path / "lacking.safetensors")
    with pytest.raises(InputError, match="no column 'motion'"):
        data_of((files[0], tmp_path / "lacking.safetensors"))
    with pytest.raises(InputError, match=r"settings\.others"):
        PersonAndOthers(FeatureData(files[0], 4, 0), IdentityConfig(kept=1), 2, 8, 0, 0.5)


def test_without_adapters_is_the_base(files):
    batch, method, plain = data_of(files).batch(0), tuned(), network(0)
    student = method.roles["student"].module
    given = (debug(), batch["latents"], torch.full((3, 8), 0.5), batch["reference"], batch["reference"], batch, True)
    with torch.no_grad():
        before, base = student(*given), plain(*given)
        with without_adapters(student):
            torch.testing.assert_close(student(*given), base)
        assert torch.equal(student(*given), before) and not torch.allclose(before, base, atol=1e-3)


def test_states_are_those_of_the_students_own_stream(files):
    """What it is asked at the last step, estimated, is its sample."""
    batch, method = data_of(files).batch(0), tuned()
    student, config, first = method.roles["student"].module, debug(), bool(batch["first"])
    generator = rng()
    noise = torch.randn(batch["latents"].shape, generator=generator)
    x = identity.reach(student, config, batch, batch["reference"], noise, 1, generator)
    level = torch.full((3, 8), config.stream.sigmas[1])
    with torch.no_grad():
        found = student(config, x, level, batch["reference"], batch["reference"], batch, first)
    torch.testing.assert_close(found, sample(student, config, batch, rng()))


def losses(method, batch, steps=range(4)):
    return [method.step(batch, step, rng()).metrics for step in steps]


def test_others_do_not_move_at_first_and_are_held_later(files):
    batch = data_of(files).batch(0)
    assert all(found["others"] < 1e-10 for found in losses(tuned(scale=0.0), batch))
    assert all(found["others"] > 1e-4 for found in losses(tuned(), batch))


def test_latents_of_the_person_alone_are_targets(files):
    """Those of others are not known: whatever stands there changes nothing."""
    batch = data_of(files).batch(0)
    for states in ("rolled", "noised"):
        method = tuned(IdentityConfig(kept=1, states=states, first_as_sink=0.0))
        before = [method.step(batch, step, rng()).losses["student"].item() for step in range(4)]
        for row, changes in ((2, False), (0, True)):
            other = batch | {"latents": batch["latents"].clone()}
            other["latents"][row] += 1
            after = [method.step(other, step, rng()).losses["student"].item() for step in range(4)]
            assert (before != after) == changes, (states, row)


def test_noised_states_are_the_clips(files, monkeypatch):
    """At every level of the stream; only others bring themselves there."""
    batch, seen = data_of(files).batch(0), []
    method = tuned(IdentityConfig(kept=1, states="noised"))
    student, forward = method.roles["student"].module, type(method.roles["student"].module).forward

    def spy(self, config, noisy, sigma, *rest, **options):
        seen.append((noisy.detach().clone(), float(sigma[0, 0]), torch.is_grad_enabled()))
        return forward(self, config, noisy, sigma, *rest, **options)

    monkeypatch.setattr(type(student), "forward", spy)
    levels = set()
    for step in range(6):
        seen.clear()
        method.step(batch, step, rng())
        graded = [(noisy, sigma) for noisy, sigma, grad in seen if grad]
        assert len(graded) == 1 and all(len(noisy) == 1 for noisy, _, grad in seen if not grad)
        noisy, sigma = graded[0]
        generator = rng()
        torch.rand(2, 1, 1, 1, 1, generator=generator)  # sinks are drawn first
        noise = torch.randn(batch["latents"].shape, generator=generator)
        torch.testing.assert_close(noisy[:2], flow.renoise(batch["latents"], noise, sigma)[:2])
        levels.add(sigma)
    assert levels == set(debug().stream.sigmas)


def test_only_adapters_learn_and_the_person_comes_closer(files):
    batch, method = data_of(files, batch=4).batch(0), tuned(IdentityConfig(kept=1, lr=1e-2), scale=0.0)
    for name, value in method.roles["student"].module.named_parameters():
        if name.endswith("lora_A.default.weight"):
            value.data.normal_(std=0.1)
    before = {name: value.clone() for name, value in method.roles["student"].module.state_dict().items()}
    (optimizer,) = method.optimizers()["student"]
    start = sum(found["person"] for found in losses(method, batch))
    for step in range(30):
        optimizer.zero_grad()
        method.step(batch, step, rng(step)).losses["student"].backward()
        optimizer.step()
    assert sum(found["person"] for found in losses(method, batch)) < 0.95 * start
    after = method.roles["student"].module.state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed and all(is_adapter(name) for name in changed)


def test_prior_holds_the_others(files):
    """The same steps with more weight on what was known move other people less."""

    def moved(prior):
        batch, method = data_of(files, batch=4).batch(0), tuned(IdentityConfig(kept=1, lr=1e-2, prior=prior), scale=0.0)
        for name, value in method.roles["student"].module.named_parameters():
            if name.endswith("lora_A.default.weight"):
                value.data.normal_(std=0.1, generator=rng())
        (optimizer,) = method.optimizers()["student"]
        for step in range(20):
            optimizer.zero_grad()
            method.step(batch, step, rng(step)).losses["student"].backward()
            optimizer.step()
        return sum(found["others"] for found in losses(method, batch))

    assert moved(10.0) < 0.7 * moved(0.0)


def test_streams_of_another_kind_are_refused():
    with pytest.raises(ValueError, match="per_step"):
        IdentityTuning(get_preset("infinitetalk_14b"), network(0), IdentityConfig())
