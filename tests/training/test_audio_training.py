"""The audio encoder's data and method on a toy: a beep is an open mouth."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from echotorrent_core.conditioning.audio import AudioEncoder, look_back
from echotorrent_core.config import AudioEncoderConfig
from training.corpus import speech_data
from training.corpus.speech_data import SpeechData, SpeechMix, make, slice_samples
from training.loop import Loop, LoopConfig
from training.methods.audio_encoder import AudioMethod, AudioSettings, main, predict, scores

CONFIG = dataclasses.replace(AudioEncoderConfig(), channels=16, layers=3)


@pytest.fixture(scope="module")
def part(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One minute in which random frames beep at 500 Hz; the mouth is open exactly in those."""
    rng = np.random.default_rng(0)
    beeps = np.repeat(rng.random(500) < 0.4, 3)
    tone = np.sin(2 * np.pi * 500 * np.arange(len(beeps) * 640) / 16000)
    samples = 0.5 * tone * np.repeat(beeps, 640) + 0.001 * rng.standard_normal(len(tone))
    params = np.stack([beeps * 0.8, 0.5 + 0 * beeps, beeps * 0.4, beeps * 0.2], 1) + 0.01 * rng.random((len(beeps), 4))
    path = tmp_path_factory.mktemp("speech") / "train-0000.npz"
    np.savez(
        path,
        samples=(samples * 32767).astype(np.int16),
        params=params.astype(np.float16),
        classes=(beeps * 10).astype(np.uint8),
        closed=~beeps,
    )
    return path


def test_batches_are_functions_of_seed_and_step(part: Path) -> None:
    one, two = (SpeechData(CONFIG, [part], batch=3, frames=20, seed=4, workers=0) for _ in range(2))
    two.batch(0)
    a, b, c = one.batch(7), two.batch(7), two.batch(8)
    assert all(torch.equal(a[key], b[key]) for key in a) and not torch.equal(a["samples"], c["samples"])


def test_crops_line_up_with_their_labels(part: Path) -> None:
    batch = SpeechData(CONFIG, [part], batch=4, frames=20, augmented=False, workers=0).batch(0)
    inside = batch["samples"][:, look_back(CONFIG) :][:, : 20 * 640].unflatten(1, (20, 640))
    loud = inside.abs().amax(-1) > 0.1
    assert torch.equal(loud, batch["params"][..., 0] > 0.5) and torch.equal(loud, ~batch["closed"])


def test_samples_outside_are_silence() -> None:
    samples = np.full(10, 32767, np.int16)
    assert slice_samples(samples, -3, 8).tolist() == [0, 0, 0, 1, 1, 1, 1, 1]
    assert slice_samples(samples, 8, 4).tolist() == [1, 1, 0, 0]


def test_learns_the_toy_and_resumes_equal(part: Path, tmp_path: Path) -> None:
    def run(folder: Path, *stops: int) -> AudioEncoder:
        for steps in stops:
            torch.manual_seed(0)
            method = AudioMethod(AudioEncoder(CONFIG), AudioSettings(lr=5e-3, ema=0.9))
            data = SpeechData(CONFIG, [part], batch=4, frames=24, workers=0, augmented=False)
            Loop(method, data, folder, LoopConfig(steps, warmup=5, save_every=30)).run()
        return method.roles["ema"].module  # type: ignore[return-value]

    whole, resumed = run(tmp_path / "a", 100), run(tmp_path / "b", 40, 100)
    assert all(torch.equal(x, y) for x, y in zip(whole.parameters(), resumed.parameters(), strict=True))
    found = scores(whole, [part])
    assert found["open"] > 0.9 and found["accuracy"] > 0.85 and found["closures"] > 0.8


def test_pieces_of_a_long_recording_join(part: Path) -> None:
    encoder = AudioEncoder(CONFIG).eval()
    samples = slice_samples(np.load(part)["samples"], 0, 640 * 1100)
    with torch.no_grad():
        whole = encoder.features_of(torch.from_numpy(samples)[None])[0]
    assert torch.allclose(predict(encoder, samples), whole, atol=2e-5)


def test_speech_parts_are_kept_and_belong_to_one_mix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speech_data, "PART_SECONDS", 5.0)
    one = speech_data.make_part(tmp_path / "train-0000.npz", SpeechMix(), "train", 0)
    with np.load(one) as first:
        frames = len(first["classes"])
        assert len(first["samples"]) == frames * 640 and first["params"].shape == (frames, 4)
        kept = {key: first[key] for key in first.files}
    with np.load(speech_data.make_part(tmp_path / "again.npz", SpeechMix(), "train", 0)) as again:
        assert all(np.array_equal(kept[key], again[key]) for key in kept)
    mix = SpeechMix(hours=1 / 720)
    (tmp_path / "mix.json").write_text(json.dumps(dataclasses.asdict(mix)))
    assert make(tmp_path, mix, "train") == [one]
    with pytest.raises(ValueError, match="another mix"):
        make(tmp_path, SpeechMix(seed=1), "train")


def test_bad_weights_to_start_from_are_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before any speech is made, which takes minutes."""
    monkeypatch.setattr("training.methods.audio_encoder.make", None)
    bad = tmp_path / "audio.safetensors"
    bad.write_bytes(b"no weights")
    assert main(["--init", str(bad), "--folder", str(tmp_path / "run")]) == 2
    said = capsys.readouterr()
    assert said.err.startswith("error: ") and str(bad) in said.err and said.err.count("\n") == 1
