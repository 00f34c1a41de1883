"""Prompts, the motion track, part files and configs."""

import json

import pytest
import torch

from echotorrent_core.conditioning.motion import CHANNELS, SCALES, MotionTrack
from echotorrent_core.conditioning.text import VOCABULARY, Prompt, WordEncoder, parse_prompt
from echotorrent_core.config import EngineConfig, MotionConfig, TextConfig, from_dict, to_dict
from echotorrent_core.errors import InputError
from echotorrent_core.presets import PRESETS, get_preset
from echotorrent_core.weights.parts import load_part, read_metadata, save_part


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Prompt()),
        ("a smiling woman, looks left", Prompt("happy", "left", "straight")),
        ("angry, looking at the camera, head turned right", Prompt("angry", "camera", "right")),
        ("surprised face; eyes up", Prompt("surprised", "up", "straight")),
        ("turns her head to the left and gazes down", Prompt("neutral", "down", "left")),
        ("xyzzy", Prompt()),
    ],
)
def test_prompts(text, expected):
    assert parse_prompt(text) == expected


def test_words_become_rows_of_the_table():
    encoder = WordEncoder(TextConfig(dim=5))
    prompt = parse_prompt("sad, eyes up, head left")
    assert [VOCABULARY[i] for i in prompt.ids()] == ["expression:sad", "gaze:up", "head:left"]
    assert torch.equal(encoder.encode("sad, eyes up, head left")[0], encoder.table.weight[prompt.ids()])


def track(prompt=Prompt(), seconds=400, seed=0):  # noqa: B008
    motion, generator = MotionTrack(MotionConfig(), 25), torch.Generator().manual_seed(seed)
    state, parts = motion.start(), []
    for _ in range(seconds * 25 // 16):
        features, state = motion.advance(state, 16, prompt, generator)
        parts.append(features)
    return torch.cat(parts) * torch.tensor(SCALES)


def test_motion_starts_at_rest_stays_small_and_is_seeded():
    raw = track()
    assert raw.shape[1] == len(CHANNELS) and torch.equal(raw, track()) and not torch.equal(raw, track(seed=1))
    assert raw[0, :5].abs().max() < 0.01
    wanted = torch.tensor([0.05, 0.03, 0.02, 0.01, 0.01])
    assert (raw[:, :5].std(0) / wanted).sub(0.8).abs().max() < 0.35
    assert raw.diff(dim=0)[:, 0].abs().max() < 0.05  # radians a frame: no jumps


def test_blinks_close_fully_and_come_every_few_seconds():
    closed = track()[:, 5] > 0.9
    blinks = int((closed[1:] & ~closed[:-1]).sum())
    assert 60 < blinks < 200  # in 400 s


def test_prompts_steer_head_and_gaze():
    assert track(Prompt(head="left"), 60)[250:, 0].mean() < -0.1 < 0.1 < track(Prompt(head="right"), 60)[250:, 0].mean()
    assert track(Prompt(gaze="right"), 60)[250:, 6].mean() > 0.5 and track(Prompt(gaze="up"), 60)[250:, 7].mean() > 0.5


def test_a_part_comes_back_and_misfits_are_listed(tmp_path):
    path, layer = tmp_path / "part.safetensors", torch.nn.Linear(3, 2)
    save_part(layer.state_dict(), path, {"preset": "debug", "steps": 7})
    copy = torch.nn.Linear(3, 2)
    load_part(copy, path)
    assert torch.equal(copy.weight, layer.weight.half().float())
    assert read_metadata(path) == {"preset": "debug", "steps": 7}
    with pytest.raises(InputError, match=r"weight is \(2, 3\) instead of \(4, 3\)"):
        load_part(torch.nn.Linear(3, 4), path)
    with pytest.raises(InputError, match=r"missing 0\.weight.*unexpected weight"):
        load_part(torch.nn.Sequential(torch.nn.Linear(3, 2)), path)
    path.write_bytes(b"junk")
    with pytest.raises(InputError, match="not a readable safetensors file"):
        load_part(copy, path)


@pytest.mark.parametrize("name", PRESETS)
def test_configs_survive_json_and_refuse_unknown_keys(name):
    data = json.loads(json.dumps(to_dict(get_preset(name))))
    assert from_dict(EngineConfig, data) == get_preset(name)
    data["trunk"]["num_layer"] = 3
    with pytest.raises(ValueError, match="did you mean 'num_layers'"):
        from_dict(EngineConfig, data)
