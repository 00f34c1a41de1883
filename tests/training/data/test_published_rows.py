"""Rows of the published presets: wav2vec 2.0, umT5 and CLIP, with tiny random weights of their layouts."""

import dataclasses

import pytest
import torch
import torch.nn.functional as F

from echotorrent_core import presets
from echotorrent_core.assemble import LoadOptions, assemble
from echotorrent_core.conditioning.wav2vec2 import Wav2Vec2Stream
from echotorrent_core.errors import InputError
from tests.core import published
from tests.training.data.clip_files import Blocks, picture, speech, write_video
from training.data.clips import VideoFolder
from training.data.encoders import EncoderFiles
from training.data.features import MARGIN, FeatureData
from training.data.shards import Plan, build

FRAMES = 17


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    return published.write(tmp_path_factory.mktemp("models"))


@pytest.fixture
def preset(monkeypatch):
    """echotorrent_14b's policies on pictures of 32 x 32, with a trunk that the tiny encoders fit."""
    whole = presets.echotorrent_14b()
    trunk = dataclasses.replace(published.TRUNK, text_len=whole.trunk.text_len)
    config = dataclasses.replace(whole, name="tiny", size=(32, 32), trunk=trunk, layers=whole.layers[:2])
    monkeypatch.setitem(presets.PRESETS, "tiny", lambda: config)
    return config


def test_rows_are_what_the_engine_would_be_given(models, preset, tmp_path):
    sound = speech(1.6)
    write_video(tmp_path / "videos" / "a.mkv", (picture(k) for k in range(40)), sound)
    (tmp_path / "videos" / "a.json").write_text('{"prompt": "a smile to the left"}')
    source = VideoFolder(tmp_path / "videos", preset.size, 8, FRAMES, Blocks())
    plan = Plan(source, EncoderFiles("tiny", (models,)), variants=1, mirror=True, keep_frames=True)
    build(tmp_path / "out", plan, progress=False)
    data = FeatureData(tmp_path / "out", 4, 0)
    assert set(data.columns) == {
        *("latents", "reference", "start", "image", "text", "audio", "energy", "mask", "mouth_box", "domain", "frames")
    }
    engine = assemble(preset, [models], LoadOptions(dtype=torch.float32))
    frames = data.columns["frames"][1].permute(3, 0, 1, 2).float() / 127.5 - 1  # window from frame 17
    conditioning = engine.condition(frames[:, -1], "a smile to the left")
    with torch.no_grad():
        latents = engine.vae.encode(frames[None, :, :-1])[0][0]
    torch.testing.assert_close(data.columns["latents"][1].float(), latents, atol=2e-3, rtol=2e-3)
    torch.testing.assert_close(data.columns["reference"][1].float(), conditioning.reference[0], atol=2e-3, rtol=2e-3)
    torch.testing.assert_close(data.columns["start"][1].float(), conditioning.start[0], atol=2e-3, rtol=2e-3)
    torch.testing.assert_close(data.columns["image"][1].float(), conditioning.image[0], atol=2e-3, rtol=2e-3)
    for row, prompt in ((1, "a smile to the left"), (3, "a smile to the right")):  # the second is a mirror image
        text = engine.text.encode(prompt)[0].float()
        found = data.columns["text"][row].float()
        torch.testing.assert_close(found[: len(text)], text, atol=1e-2, rtol=1e-2)
        assert not found[len(text) :].any()  # as far as the longest prompt of the shard

    end = FRAMES + FRAMES + MARGIN
    stream = Wav2Vec2Stream(preset.audio).push(F.pad(torch.from_numpy(sound), (0, 640))[: end * 640])
    heard = stream.features(engine.audio, FRAMES - MARGIN, FRAMES + 2 * MARGIN)[0]
    torch.testing.assert_close(data.columns["audio"][1, 0].float(), heard, atol=2e-2, rtol=2e-2)


def test_batches_carry_what_the_preset_has(models, preset, tmp_path):
    for name, prompt in (("a", "a smile"), ("b", "a much longer text about a smile")):
        write_video(tmp_path / "videos" / f"{name}.mkv", (picture(k) for k in range(20)), speech(0.8))
        (tmp_path / "videos" / f"{name}.json").write_text(f'{{"prompt": "{prompt}"}}')
    source = VideoFolder(tmp_path / "videos", preset.size, 8, FRAMES, Blocks())
    build(tmp_path / "out", Plan(source, EncoderFiles("tiny", (models,)), variants=2, per_shard=1), progress=False)
    data = FeatureData(tmp_path / "out", 2, 0, short=4, long=4)
    batch = data.batch(0)
    assert batch["features"].shape[-1] == published.SPEECH * published.LAYERS and "ids" not in batch
    lengths = sorted(int((row != 0).any(-1).sum()) for row in batch["text"])
    assert lengths[0] < lengths[1] == batch["text"].shape[1]  # the shorter one is padded with zeros
    assert batch["start"].shape[2] == 4 and batch["image"].shape[-1] == published.IMAGE


def test_weights_are_asked_for(preset):
    with pytest.raises(InputError, match="give --weights"):
        EncoderFiles("tiny").load()
