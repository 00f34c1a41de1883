"""From files to a running engine, for each family of published weights, with tiny random ones."""

import dataclasses

import pytest
import torch

from echotorrent_core import presets
from echotorrent_core.assemble import LoadOptions, assemble, collect
from echotorrent_core.errors import InputError
from echotorrent_core.state import StreamState
from tests.core import published

FAMILIES = ("infinitetalk_14b", "infinitetalk_14b_lightx2v", "flashtalk_14b", "echotorrent_14b")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return published.write(tmp_path_factory.mktemp("models"))


def small(name):
    """A preset's policies on a picture of 32 x 32 and in windows of 13 frames."""
    config = presets.get_preset(name)
    stream = dataclasses.replace(config.stream, sigmas=(1.0, 0.5), chunk_latents=4)
    if stream.window:
        stream = dataclasses.replace(stream, window=dataclasses.replace(stream.window, overlap=5))
    return dataclasses.replace(config, size=(32, 32), stream=stream)


OPTIONS = LoadOptions(dtype=torch.float32)


def run(engine, chunks, state=None):
    image = torch.rand(3, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
    state = state or engine.start(engine.condition(image, "a smile"), seed=0)
    videos = []
    for _ in range(chunks):
        sound = 0.1 * torch.randn(engine.samples_needed(state), generator=torch.Generator().manual_seed(state.chunk))
        state, video = engine.step(state, sound)
        videos.append(video)
    return state, videos


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_streams_from_a_folder(folder, name, tmp_path):
    engine = assemble(small(name), [folder], OPTIONS)
    assert engine.config.trunk == published.TRUNK and engine.config.vae.widths == (4, 8, 16, 16)
    state, videos = run(engine, 2)
    rolling = engine.config.stream.window is None
    assert [v.shape[2] for v in videos] == ([13, 16] if rolling else [13, 8])
    assert all(bool(torch.isfinite(v).all()) and v.std() > 0.01 for v in videos)
    assert bool(state.history.rings) == rolling

    state.save(tmp_path / "state")
    again = assemble(small(name), [folder], OPTIONS)
    assert again.fingerprint == engine.fingerprint
    _, (resumed,) = run(again, 1, StreamState.load(tmp_path / "state", again))
    _, (expected,) = run(engine, 1, state)
    assert torch.equal(resumed, expected)


@pytest.mark.parametrize("quantise", ["fp8", "int8"])
def test_quantised_weights_give_nearly_the_same_frames(folder, quantise):
    config = small("flashtalk_14b")
    _, (exact,) = run(assemble(config, [folder], OPTIONS), 1)
    engine = assemble(config, [folder], dataclasses.replace(OPTIONS, quantise=quantise))
    _, (close,) = run(engine, 1)
    assert 0 < (exact - close).abs().mean() < 0.1 * exact.std()
    assert engine.fingerprint != assemble(config, [folder], OPTIONS).fingerprint


def test_a_lora_changes_the_frames_by_its_strength(folder, tmp_path):
    dim, file = published.TRUNK.dim, tmp_path / "lora.safetensors"
    generator = torch.Generator().manual_seed(0)
    half = {name: torch.randn(shape, generator=generator) for name, shape in (("down", (4, dim)), ("up", (dim, 4)))}
    published.save({f"diffusion_model.blocks.0.self_attn.v.lora_{k}.weight": v for k, v in half.items()}, file)
    config = small("infinitetalk_14b_lightx2v")
    _, (plain,) = run(assemble(config, [folder], OPTIONS), 1)
    changes = []
    for strength in (0.0, 0.01, 0.1):
        _, (video,) = run(assemble(config, [folder], dataclasses.replace(OPTIONS, loras=((file, strength),))), 1)
        changes.append(float((video - plain).abs().mean()))
    assert changes[0] == 0 < changes[1] < changes[2]


def test_what_is_missing_or_there_twice_is_said(folder, tmp_path):
    parts = sorted(folder.rglob("*.safetensors"))
    by_kind = {part.kind: part.source.files[0] for part in collect([folder])}
    for kind, words in (("vae", "VAE"), ("umt5", "umT5"), ("wav2vec2", "wav2vec"), ("audio_adapter", "audio adapter")):
        with pytest.raises(InputError, match=f"needs an? .*{words}.*missing"):
            assemble(small("flashtalk_14b"), [path for path in parts if path != by_kind[kind]], OPTIONS)
    twice = tmp_path / "copy.safetensors"
    twice.write_bytes(by_kind["vae"].read_bytes())
    with pytest.raises(InputError, match="takes one of"):
        assemble(small("flashtalk_14b"), [folder, twice], OPTIONS)
    with pytest.raises(InputError, match="tokenizer"):
        moved = tmp_path / "text" / "d.safetensors"
        moved.parent.mkdir()
        moved.write_bytes(by_kind["umt5"].read_bytes())
        assemble(small("flashtalk_14b"), [*(p for p in parts if p != by_kind["umt5"]), moved], OPTIONS)


def test_other_files_of_a_folder_are_passed_over(folder, tmp_path):
    (tmp_path / "notes.safetensors").write_text("no weights at all")
    published.save({"conditioner.embedders.1.model.x": torch.zeros(2)}, tmp_path / "sdxl.safetensors")
    assert len(collect([folder, tmp_path])) == len(collect([folder])) == 6
    with pytest.raises(InputError, match="SDXL"):
        collect([tmp_path / "sdxl.safetensors"])
