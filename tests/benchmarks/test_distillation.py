"""The teacher of the distillation benchmark is the network it says, and forwards are counted where they happen."""

import dataclasses
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from test_benchmarks import run

from echotorrent_core import schedules
from echotorrent_core.config import EngineConfig
from echotorrent_core.metrics.reader import MouthReader
from echotorrent_core.presets import debug
from echotorrent_core.stream import Engine
from echotorrent_core.weights.parts import save_part

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))
import distillation

SOUND = np.random.default_rng(0).normal(0, 0.3, 80 * 640).astype(np.float32)
PORTRAIT = torch.rand(3, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1


def engine_of(config: EngineConfig) -> Engine:
    engine = Engine.build(config)
    torch.manual_seed(0)
    for weight in (*engine.trunk.parameters(), *engine.vae.parameters()):
        weight.normal_(0, 0.2)
    return engine


def test_a_window_of_the_teacher_is_one_long_chunk_of_a_bidirectional_stream():
    config = distillation.bidirectional(debug(), 3, 3.0)
    assert config.stream.chunk_latents == 16 and config.stream.sigmas == schedules.wan(3, 3.0)
    stream = engine_of(config)
    state = stream.start(stream.condition(PORTRAIT), 5)
    heard = np.pad(SOUND, (0, 640 * 40))[: stream.samples_needed(state)]
    _, video = stream.step(state, torch.from_numpy(heard))
    (frames,) = distillation.windows(engine_of(debug()), 3, 1.0, 3.0, PORTRAIT, SOUND, 61, 5)
    assert frames.shape == (61, 32, 32, 3) and frames.std() > 5
    expected = distillation.to_pixels(video[0].transpose(0, 1))
    assert np.abs(frames.astype(int) - expected).max() <= 1  # the order of sums differs


def test_windows_go_on_to_the_end_of_the_sound():
    teacher = engine_of(debug())
    (frames,) = distillation.windows(teacher, 1, 1.0, 3.0, PORTRAIT, SOUND, 70, 5)
    assert len(frames) == 61 + 64
    (guided,) = distillation.windows(teacher, 1, 3.0, 3.0, PORTRAIT, SOUND, 70, 5)
    assert not np.array_equal(frames, guided)


@pytest.mark.parametrize("write", ["per_step", "clean"])
def test_forwards_are_those_of_the_video(write):
    base = debug()
    config = dataclasses.replace(base, stream=dataclasses.replace(base.stream, cache_write=write))
    student, teacher = engine_of(config), engine_of(config)
    counted = distillation.Passes(student), distillation.Passes(teacher)
    for _ in distillation.of_engine(student)(PORTRAIT, SOUND, 61, 0):
        pass
    list(distillation.windows(teacher, 5, 1.8, 3.0, PORTRAIT, SOUND, 61, 0))
    assert [one.latents / 16 for one in counted] == [3 if write == "clean" else 2, 10]


def test_the_share_is_the_students_over_the_teachers():
    rng = np.random.default_rng(0)
    truth = [rng.normal(size=40) for _ in range(12)]
    noise = [rng.normal(size=40) for _ in range(12)]
    opening = {"teacher": truth, "student": [t + n for t, n in zip(truth, noise, strict=True)]}
    value, low, high = distillation.share(distillation.lipsync.pooled, opening, truth)
    assert value == pytest.approx(2**-0.5, abs=0.05)
    assert low < value < high and high - low < 0.2


def test_before_and_after(tmp_path):
    pytest.importorskip("skia", exc_type=ImportError)  # renders its held-out clip
    torch.manual_seed(0)
    save_part(MouthReader().state_dict(), tmp_path / "reader.safetensors", {})
    for name, seed in (("before", 1), ("after", 2)):
        engine = Engine.build(debug(), seed)
        for part in ("trunk", "vae", "audio", "text"):
            save_part(getattr(engine, part).state_dict(), tmp_path / name / f"{part}.safetensors", {})
    more = ["--clips", "1", "--people", "1", "--turns", "3", "--reader", str(tmp_path / "reader.safetensors")]
    more += ["--before", str(tmp_path / "before"), "--after", str(tmp_path / "after"), "--steps", "4"]
    figures = run("distillation.py", tmp_path, *more)
    assert figures["student"]["forwards_per_latent"] == {"student": 2, "teacher": 8}
    assert figures["student"]["forwards"] == 0.25
    assert {"sync", "long_identity_drift", "long_colour_drift", "chunk_cost"} <= figures["recipe"].keys()
    assert len(figures["recipe"]["chunk_cost"]) == 3
