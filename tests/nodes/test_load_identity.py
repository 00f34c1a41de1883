"""EchoTorrent_LoadIdentity: the shipped model with an identity, and what is refused."""

import pytest
import torch

from tests.nodes.fake_comfy import part

InputError = part("echotorrent_core.errors").InputError
files = part("echotorrent_core.weights.identity")
ASSETS = part("echotorrent_core.weights.parts").ASSETS
TRUNK = ASSETS / "embedded" / "trunk.safetensors"


@pytest.fixture
def folder(host):
    path = host.base / "models" / "echotorrent_identities"
    path.mkdir(parents=True)
    return path


def write(path, preset="embedded", base=None):
    adapters = {
        "blocks.0.self_attn.q.lora_A.weight": torch.ones(1, 192),
        "blocks.0.self_attn.q.lora_B.weight": torch.full((192, 1), 0.01),
    }
    about = files.Identity("Ana", preset, base or files.of_trunk(TRUNK), 10)
    files.write_identity(path, adapters, 1.0, 1, about, {})


@pytest.fixture
def load(nodes):
    def run(identity, strength=1.0, preset="embedded"):
        model = nodes["EchoTorrent_LoadModel"].execute(preset).args[0]
        return model, nodes["EchoTorrent_LoadIdentity"].execute(model, identity, strength).args[0]

    return run


def test_the_model_is_tuned_when_it_is_needed(load, folder):
    write(folder / "ana.safetensors")
    plain, tuned = load("ana.safetensors", 0.5)
    name = "blocks.0.self_attn.q.weight"
    before, after = (model.engine().trunk.state_dict()[name] for model in (plain, tuned))
    torch.testing.assert_close(after, before + 0.005, atol=1e-5, rtol=0)
    assert plain.engine().fingerprint != tuned.engine().fingerprint


def test_nothing_named_changes_nothing(load):
    plain, tuned = load(" ")
    assert tuned is plain


def test_refusals(load, folder, nodes):
    write(folder / "other.safetensors", base="0123456789abcdef")
    with pytest.raises(InputError, match="made on other weights"):
        load("other.safetensors")
    write(folder / "big.safetensors", preset="echotorrent_14b")
    with pytest.raises(InputError, match="made for preset 'echotorrent_14b'"):
        load("big.safetensors")
    with pytest.raises(InputError, match="no identity 'gone"):
        load("gone.safetensors")
    for outside in ("../x.safetensors", "/etc/passwd", "a\\b", ""):
        if outside:
            with pytest.raises(InputError):
                load(outside)
    write(folder / "ana.safetensors")
    once = load("ana.safetensors")[1]
    with pytest.raises(InputError, match="one at a time"):
        nodes["EchoTorrent_LoadIdentity"].execute(once, "ana.safetensors", 1.0)


def test_a_file_that_changes_makes_the_node_run_again(nodes, folder):
    node = nodes["EchoTorrent_LoadIdentity"]
    assert node.fingerprint_inputs(identity="ana.safetensors") == ""
    write(folder / "ana.safetensors")
    first = node.fingerprint_inputs(identity="ana.safetensors")
    assert first == node.fingerprint_inputs(identity="ana.safetensors") != ""
    write(folder / "ana.safetensors", base="0" * 16)
    assert node.fingerprint_inputs(identity="ana.safetensors") != first
