"""Identity files: read without weights, applied to the model they were made on, refused on any other."""

import dataclasses

import pytest
import torch
from safetensors.torch import save_file

from echotorrent_core.errors import InputError
from echotorrent_core.presets import debug
from echotorrent_core.stream import Engine
from echotorrent_core.weights import identity
from echotorrent_core.weights.identity import Identity
from echotorrent_core.weights.load import shapes
from echotorrent_core.weights.lora import Lora
from echotorrent_core.weights.source import open_source

LAYER = "blocks.1.self_attn.q"
VAE = "decoder.conv1.weight"


@pytest.fixture
def engine():
    return Engine.build(debug())


@pytest.fixture
def adapters():
    g = torch.Generator().manual_seed(0)
    return {
        f"{LAYER}.lora_A.weight": torch.randn(2, 24, generator=g).half().float(),
        f"{LAYER}.lora_B.weight": torch.randn(24, 2, generator=g).half().float(),
    }


def about(engine, **changes):
    base = identity.of_tensors(engine.trunk.state_dict())
    return Identity("Ana", "debug", base, 120, {"clips": 3}, {"steps": 120}, 1.0, b"\xff\xd8jpeg", **changes)


@pytest.fixture
def path(engine, adapters, tmp_path):
    change = torch.full_like(engine.vae.get_parameter(VAE), 0.25)
    identity.write_identity(tmp_path / "ana.safetensors", adapters, 4.0, 2, about(engine), {VAE: change})
    return tmp_path / "ana.safetensors"


def test_header_says_all_without_the_weights(engine, path):
    assert identity.read_identity(path) == about(engine)
    header = open_source(path).metadata
    assert header["name"] == "Ana" and header["steps"] == "120"  # plain texts, for lists that know no JSON


def test_change_is_added_by_strength(engine, adapters, path):
    before = {name: value.clone() for name, value in engine.trunk.state_dict().items()}
    vae = {name: value.clone() for name, value in engine.vae.state_dict().items()}
    change = 4.0 / 2 * adapters[f"{LAYER}.lora_B.weight"] @ adapters[f"{LAYER}.lora_A.weight"]
    tuned = identity.apply(engine, path, 0.5)
    after = tuned.trunk.state_dict()
    torch.testing.assert_close(after[f"{LAYER}.weight"], before[f"{LAYER}.weight"] + 0.5 * change)
    torch.testing.assert_close(tuned.vae.state_dict()[VAE], vae[VAE] + 0.125)
    assert [name for name in before if not torch.equal(before[name], after[name])] == [f"{LAYER}.weight"]
    assert [n for n in vae if not torch.equal(vae[n], tuned.vae.state_dict()[n])] == [VAE]
    others = {identity.apply(Engine.build(debug()), path, strength).fingerprint for strength in (0.5, 1.0)}
    assert len(others | {Engine.build(debug()).fingerprint}) == 3 and tuned.fingerprint in others


def test_other_weights_and_presets_are_refused_and_left_alone(engine, adapters, path, tmp_path):
    other = Engine.build(debug(), seed=1)
    before = {name: value.clone() for name, value in other.trunk.state_dict().items()}
    with pytest.raises(InputError, match=r"'Ana' was made on other weights of preset 'debug' .*; load the weights"):
        identity.apply(other, path, 1.0)
    assert all(torch.equal(value, before[name]) for name, value in other.trunk.state_dict().items())
    facts = dataclasses.replace(about(engine), preset="embedded")
    identity.write_identity(tmp_path / "b.safetensors", adapters, 4.0, 2, facts, {})
    with pytest.raises(InputError, match="made for preset 'embedded' and cannot be used with 'debug'"):
        identity.apply(engine, tmp_path / "b.safetensors", 1.0)


def test_a_decoder_that_does_not_fit_changes_nothing(engine, adapters, tmp_path):
    path = tmp_path / "odd.safetensors"
    identity.write_identity(path, adapters, 4.0, 2, about(engine), {"decoder.nothing": torch.zeros(3)})
    before = {name: value.clone() for name, value in engine.trunk.state_dict().items()}
    with pytest.raises(InputError, match=r"vae\.decoder\.nothing do not fit the decoder"):
        identity.apply(engine, path, 1.0)
    assert all(torch.equal(value, before[name]) for name, value in engine.trunk.state_dict().items())


def test_it_is_a_lora_like_others(engine, path):
    lora = Lora.open(path, 1.0, shapes(engine.trunk))
    assert list(lora.deltas) == [f"{LAYER}.weight"]
    assert "1 keys for the picture decoder are not used" in lora.notes[0]


@pytest.mark.parametrize(
    ("header", "says"),
    [
        ({}, "not an identity file"),
        ({"format": "9", "name": "a", "preset": "debug", "base": "x", "steps": "1"}, "of format 9"),
        ({"format": "1", "name": "a", "preset": "debug", "base": "x", "steps": "many"}, "damaged"),
        ({"format": "1", "name": "a", "preset": "debug", "base": "x", "steps": "1", "dataset": "{"}, "damaged"),
    ],
)
def test_other_files_are_told(tmp_path, header, says):
    save_file({"a.lora_A.weight": torch.zeros(1, 1)}, tmp_path / "x.safetensors", header)
    with pytest.raises(InputError, match=says):
        identity.read_identity(tmp_path / "x.safetensors")


def test_bases_are_told_apart_by_values(engine, tmp_path):
    state = dict(engine.trunk.state_dict())
    first = identity.of_tensors(state)
    save_file({k: v.contiguous() for k, v in state.items()}, tmp_path / "trunk.safetensors")
    assert identity.of_trunk(tmp_path / "trunk.safetensors") == first
    state["head.head.bias"] = state["head.head.bias"] + 1e-6
    assert identity.of_tensors(state) != first
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)
    files = [tmp_path / "a", tmp_path / "b"]
    assert identity.of_files(files) == identity.of_files(files[::-1]) != identity.of_files(files[:1])
