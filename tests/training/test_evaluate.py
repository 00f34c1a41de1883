"""Generators of which everything is known are judged as what they are: true frames, a frozen portrait, a stream that
fades by a given amount."""

import dataclasses
import json
import math

import numpy as np
import pytest
import torch
from scipy import stats

from echotorrent_core.errors import InputError
from echotorrent_core.metrics.reader import SIZE, MouthReader, Reading, load_reader
from echotorrent_core.presets import debug
from echotorrent_core.stream import Engine
from echotorrent_core.weights.parts import save_part
from training.evaluation import evaluate as module
from training.evaluation.__main__ import lines, main
from training.evaluation.evaluate import LEAD, Evaluation, Settings, evaluate
from training.evaluation.heldout import SAMPLES_PER_FRAME, Held, clips_at_hand, held_out, to_pixels, to_tensor
from training.evaluation.measures import follow, look
from training.evaluation.sources import load_engine, of_engine
from training.evaluation.statistics import interval

PIXELS, FRAMES = 32, 65


def lamp(frames: torch.Tensor) -> Reading:
    """A reader of the pictures below: the mouth is the lower middle's red, the person the upper left's colours."""
    assert frames.shape[1:] == (3, SIZE, SIZE)
    shown = (frames + 1) / 2
    opening = shown[:, 0, 84:108, 52:76].mean((1, 2))
    person = torch.nn.functional.normalize(shown[:, :, 40:60, 8:24].mean((2, 3)) - 0.5, dim=1)
    zero = torch.zeros(len(frames))
    clean = 1 - (shown[:, 1, 84:108, 52:76].mean((1, 2)) - 0.5).abs()
    return Reading(opening, opening, zero, zero, zero, zero, clean, person)


def picture(opening: np.ndarray, seed: int) -> np.ndarray:
    """Frames (T, 32, 32, 3) of person `seed` with their mouths open so far."""
    rng = np.random.default_rng(seed)
    frames = np.repeat(rng.integers(60, 190, (1, PIXELS, PIXELS, 3)), len(opening), axis=0).astype(np.float64)
    frames[:, 8:17, 0:8] = rng.integers(0, 255, 3)
    frames[:, 19:29, 11:21] = 127.5
    frames[:, 19:29, 11:21, 0] = 255 * opening[:, None, None]
    return np.round(frames).astype(np.uint8)


def said(frames: int, seed: int) -> np.ndarray:
    """An openness that closes fully at times (T,)."""
    phase = np.random.default_rng(seed).uniform(0, 6)
    return np.clip(0.45 + 0.5 * np.sin(np.arange(frames) * 0.5 + phase), 0, 1)


def clip(seed: int) -> Held:
    opening = said(FRAMES, seed)
    params = np.stack([opening] + [np.zeros(FRAMES)] * 3, axis=1)
    sound = np.zeros((FRAMES + 32) * SAMPLES_PER_FRAME, np.float32)
    portrait = picture(np.zeros(1), seed)[0]
    return Held(picture(opening, seed), portrait, sound, 16 * SAMPLES_PER_FRAME, params, opening < 0.05, "general", "v")


@pytest.fixture
def clips(monkeypatch):
    monkeypatch.setattr(module, "long_speech", lambda seconds, seed: (np.zeros(10, np.float32), said(2000, 100 + seed)))
    return [clip(seed) for seed in range(4)]


def knowing(clips, change=lambda frames, t: frames):
    """A source that knows what is to be seen; change(frames, times in 0..1) of a stream."""

    def source(portrait, sound, frames, seed):
        pixels = to_pixels(portrait[None])[0]
        number = next(i for i, one in enumerate(clips) if np.array_equal(one.portrait, pixels))
        short = frames == LEAD + FRAMES
        shown = clips[number].frames if short else picture(said(frames, 100 + number), number)
        lead = np.repeat(pixels[None], LEAD if short else 0, axis=0)
        made = change(np.concatenate([lead, shown]), np.linspace(0, 1, frames))
        for at in range(0, frames, 16):
            yield made[at : at + 16]

    return source


def frozen(portrait, sound, frames, seed):
    yield np.repeat(to_pixels(portrait[None]), frames, axis=0)


SETTINGS = Settings(clips=4, people=2, seconds=20.0)


def judged(clips, source) -> Evaluation:
    return evaluate(source, (PIXELS, PIXELS), clips, SETTINGS, lamp)


def test_true_frames_are_as_good_as_can_be(clips):
    found = judged(clips, knowing(clips))
    for name in ("sync", "quality", "identity", "closures", "spread", "sharpness", "motion", "background"):
        assert found.clips[name] == pytest.approx([1.0] * 4, abs=0.03), name
        assert found.truth[name] == pytest.approx(found.clips[name])
    assert found.clips["colour"] == pytest.approx([0.0] * 4)
    assert found.pooled["made"] > 0.99 and found.pooled["offset_frames"] == 0
    for name, value in {"sync": 1, "sync_last": 1, "identity": 1, "identity_drift": 0, "sync_drift": 0}.items():
        assert found.streams[name] == pytest.approx([value] * 2, abs=0.02), name
    assert all(len(found.streams[name]) == 2 for name in found.streams)


def test_a_frozen_portrait_says_nothing(clips):
    found = judged(clips, frozen)
    for name, value in {"sync": 0, "spread": 0, "motion": 0, "identity": 1, "background": 1, "sharpness": 1}.items():
        assert found.clips[name] == pytest.approx([value] * 4, abs=0.2 if name == "sharpness" else 0.02), name
    assert found.clips["closures"] == [1.0] * 4  # a closed mouth hits all closures; the spread tells
    assert found.streams["sync"] == [0.0] * 2 and found.streams["sync_last"] == [0.0] * 2
    assert found.curves["motion"] == [[0.0] * 30] * 2


def test_frames_that_lag_are_found_out(clips):
    found = judged(clips, knowing(clips, lambda frames, t: np.roll(frames, 3, axis=0)))
    assert found.pooled["offset_frames"] == 3
    assert max(found.clips["sync"]) < 0.5


def test_a_stream_that_fades_shows_the_drift_it_was_given(clips):
    def fade(frames, t):
        return np.round(frames * (1 - 0.2 * t)[:, None, None, None]).astype(np.uint8)

    steady, fading = judged(clips, knowing(clips)), judged(clips, knowing(clips, fade))
    for i in range(2):
        bright = picture(said(500, 100 + i), i).mean(axis=(0, 1, 2)).max()
        # From the middle of the first fifth to that of the last: 0.2 x 0.8 of the brightest channel.
        assert fading.streams["colour_drift"][i] == pytest.approx(0.16 * bright, rel=0.05)
        assert fading.streams["colour_wander"][i] == pytest.approx(0.04 * bright, rel=0.1)
        assert fading.streams["sharpness_drift"][i] == pytest.approx(0.82 / 0.98 - 1, abs=0.03)
        assert abs(steady.streams["colour_drift"][i]) < 1.5
        assert fading.curves["colour"][i][0] == 0 and np.all(np.diff(fading.curves["colour"][i]) > -1)
    assert max(fading.streams["quality"]) < min(steady.streams["quality"])


def test_a_face_that_becomes_another_is_further_away(clips):
    def other(frames, t):
        mixed = frames.astype(np.float64)
        mixed[:, 8:17, 0:8] += t[:, None, None, None] * (255 - 2 * mixed[:, 8:17, 0:8])
        return mixed.astype(np.uint8)

    found = judged(clips, knowing(clips, other))
    assert min(found.streams["identity_drift"]) > 0.5
    assert found.curves["identity"][0][0] > 0.99 > found.curves["identity"][0][-1] + 0.5


def test_motion_knows_no_chunks():
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 255, (40, PIXELS, PIXELS, 3)).astype(np.uint8)
    whole = follow([frames], frames[0], lamp)
    parts = follow([frames[:1], frames[1:17], frames[17:]], frames[0], lamp)
    assert len(whole["motion"]) == 40
    for name in whole:
        np.testing.assert_allclose(parts[name], whole[name], rtol=1e-6, atol=1e-6)


def test_kept_figures_are_read_again(clips, tmp_path):
    silent = dataclasses.replace(clips[0], params=np.zeros((FRAMES, 4)), closures=np.zeros(FRAMES, bool))
    found = evaluate(knowing(clips), (PIXELS, PIXELS), [silent, clips[1]], SETTINGS, lamp, {"preset": "x"})
    assert math.isnan(found.clips["sync"][0]) and math.isnan(found.clips["closures"][0])
    found.save(tmp_path / "a/result.json")
    assert "NaN" not in (tmp_path / "a/result.json").read_text()
    again = Evaluation.load(tmp_path / "a/result.json")
    assert again.facts["preset"] == "x" and again.facts["settings"]["people"] == 2
    assert again.clips.keys() == found.clips.keys()
    np.testing.assert_allclose(again.clips["sync"], found.clips["sync"], rtol=1e-5)
    np.testing.assert_allclose(again.curves["sync"], found.curves["sync"], rtol=1e-5)
    assert any(line.startswith("sync ") for line in lines(again))


# With the real reader and the real corpus


@pytest.mark.slow  # renders two clips
def test_the_reader_sees_the_lips_of_small_frames():
    pytest.importorskip("skia", exc_type=ImportError)
    clips = list(held_out(2, ["general"], size=64))
    assert clips[0].frames.shape == (65, 64, 64, 3)
    settings = Settings(clips=2, people=0)
    true = evaluate(replay(clips), (64, 64), clips, settings, load_reader())
    still = evaluate(frozen, (64, 64), clips, settings, load_reader())
    assert min(true.clips["sync"]) > 0.9 and min(true.clips["quality"]) > 0.85
    assert min(true.clips["identity"]) > 0.9 and min(true.clips["confidence"]) > 0.8
    assert still.clips["sync"] == [0.0, 0.0]
    assert true.streams == {}


def replay(clips):
    def source(portrait, sound, frames, seed):
        pixels = to_pixels(portrait[None])[0]
        shown = next(one.frames for one in clips if np.array_equal(one.portrait, pixels))
        yield np.concatenate([np.repeat(shown[:1], frames - len(shown), axis=0), shown])

    return source


@pytest.mark.slow  # renders six clips
def test_a_cache_that_is_too_small_is_not_used(tmp_path, monkeypatch):
    pytest.importorskip("skia", exc_type=ImportError)
    from training.corpus import build

    monkeypatch.setenv("ECHOTORRENT_CACHE", str(tmp_path))
    monkeypatch.setattr(build, "SHARD", 2)
    monkeypatch.setattr("training.evaluation.heldout.SHARD", 2)
    everything = build.DOMAINS
    build.build(build.corpus_folder("heldout", 32), "heldout", 2, workers=0, size=32, progress=False)
    cached = clips_at_hand(1, everything, 32)
    fresh = clips_at_hand(3, everything, 32)
    assert len(cached) == 1 and len(fresh) == 3
    assert cached[0].frames.shape == (65, 32, 32, 3)
    assert np.array_equal(cached[0].frames, fresh[0].frames) and np.array_equal(cached[0].sound, fresh[0].sound)


def test_the_reader_is_given_its_own_size():
    frames = np.random.default_rng(0).integers(0, 255, (3, 64, 64, 3)).astype(np.uint8)
    reader = load_reader()
    bigger = torch.nn.functional.interpolate(to_tensor(frames), (128, 128), mode="bilinear", align_corners=False)
    with torch.inference_mode():
        expected = reader(bigger)
    torch.testing.assert_close(look(reader, frames).open, expected.open, atol=1e-5, rtol=1e-5)


# Engines


def test_an_engine_is_a_source_and_hears_silence_after_the_sound():
    engine = Engine.build(debug())
    torch.manual_seed(0)
    for weight in (*engine.trunk.parameters(), *engine.vae.parameters()):
        weight.normal_(0, 0.2)
    portrait, loud = torch.rand(3, 32, 32) * 2 - 1, np.random.default_rng(0).normal(size=30 * 640).astype(np.float32)

    def made(sound):
        chunks = list(of_engine(engine)(portrait, sound, 40, 7))
        assert [len(chunk) for chunk in chunks] == [13, 16, 16]
        return np.concatenate(chunks)

    padded = np.concatenate([loud, np.zeros(100 * 640, np.float32)])
    assert np.array_equal(made(loud), made(padded))
    assert not np.array_equal(made(loud), made(np.zeros(1, np.float32)))
    later = np.concatenate([loud[: 25 * 640], -loud[: 5 * 640]])
    assert np.array_equal(made(loud)[:13], made(later)[:13]) and not np.array_equal(made(loud), made(later))


def test_parts_come_from_the_first_folder_that_has_them(tmp_path):
    first, second = Engine.build(debug(), seed=1), Engine.build(debug(), seed=2)
    save_part(first.vae.state_dict(), tmp_path / "a/vae.safetensors", {}, torch.float32)
    for name in ("trunk", "vae", "audio", "text"):
        save_part(getattr(second, name).state_dict(), tmp_path / f"b/{name}.safetensors", {}, torch.float32)
    engine = load_engine("debug", [tmp_path / "a", tmp_path / "b"], {"stream": {"cache_write": "clean"}})
    for module_, expected in ((engine.vae, first.vae), (engine.trunk, second.trunk), (engine.audio, second.audio)):
        for key, value in module_.state_dict().items():
            assert torch.equal(value, expected.state_dict()[key]), key
    assert engine.config.stream.cache_write == "clean"
    assert engine.config.stream.sigmas == debug().stream.sigmas
    other = load_engine("debug", [tmp_path / "b"], {"stream": {"cache_write": "clean"}})
    assert other.fingerprint != engine.fingerprint
    with pytest.raises(InputError, match="none: no such folder"):
        load_engine("debug", [tmp_path / "none"])
    with pytest.raises(InputError, match=r"'embedded_small' has no trunk\.safetensors in its folders"):
        load_engine("embedded_small", [tmp_path / "a"])
    with pytest.raises(InputError, match="unknown key 'cash_write'"):
        load_engine("debug", [], {"stream": {"cash_write": "clean"}})


def test_the_command_line(tmp_path, capsys):
    pytest.importorskip("skia", exc_type=ImportError)  # renders its clip
    torch.manual_seed(0)
    save_part(MouthReader().state_dict(), tmp_path / "reader.safetensors", {})
    arguments = ["--preset", "debug", "--clips", "1", "--people", "1", "--seconds", "2"]
    arguments += ["--reader", str(tmp_path / "reader.safetensors"), "--engine", '{"stream": {"cache_write": "clean"}}']
    assert main([*arguments, "--out", str(tmp_path / "result.json")]) == 0
    assert "CPU-seconds" in capsys.readouterr().out
    found = json.loads((tmp_path / "result.json").read_text())
    assert (
        len(found["clips"]["sync"]) == 1 and found["facts"]["preset"] == "debug" and found["facts"]["size"] == [32, 32]
    )
    assert main([*arguments, "--corpus", str(tmp_path)]) == 2
    assert "holds no corpus" in capsys.readouterr().err


# Intervals


def test_intervals_of_one_seed_are_those_of_a_mean():
    values = np.random.default_rng(0).normal(3, 2, 12)
    found = interval([values])
    low, high = stats.t.interval(0.95, 11, values.mean(), stats.sem(values))
    assert found == pytest.approx((values.mean(), low, high))
    assert interval(values[:, None]) == pytest.approx(found)  # many seeds, one clip
    assert found.settled and not interval([values - 3]).settled


def test_intervals_add_the_variances_of_seeds_and_clips():
    seeds, clips = np.array([0.0, 1.0, 4.0]), np.array([0.0, 2.0, 3.0, 9.0, 1.0])
    found = interval(seeds[:, None] + clips[None])
    parts = np.array([seeds.var(ddof=1) / 3, clips.var(ddof=1) / 5])
    freedom = parts.sum() ** 2 / (parts**2 / [2, 4]).sum()
    half = stats.t.ppf(0.975, freedom) * parts.sum() ** 0.5
    mean = seeds.mean() + clips.mean()
    assert found == pytest.approx((mean, mean - half, mean + half))


def test_intervals_hold_the_mean_as_often_as_they_say():
    """Seeds and clips both vary; intervals that know of one of them only would be far too narrow."""
    rng, hits, blind = np.random.default_rng(0), [], []
    for _ in range(600):
        table = rng.normal(0, 1, (4, 1)) + rng.normal(0, 1, (1, 8)) + rng.normal(0, 0.5, (4, 8))
        found = interval(table)
        hits.append(found.low <= 0 <= found.high)
        low, high = stats.t.interval(0.95, 31, table.mean(), stats.sem(table.ravel()))
        blind.append(low <= 0 <= high)
    assert 0.91 < np.mean(hits) < 0.995
    assert np.mean(blind) < 0.7


def test_intervals_leave_out_what_has_no_value():
    values = np.array([[1.0, 2.0, np.nan], [1.5, 2.5, 9.0]])
    assert interval(values) == interval(values[:, :2])
    assert math.isnan(interval([[np.nan]]).mean) and math.isnan(interval([[1.0]]).low)
    assert interval(np.full((3, 4), 2.0)) == (2.0, 2.0, 2.0)
    with pytest.raises(ValueError, match=r"expected \(seeds, clips\)"):
        interval([1.0, 2.0])
