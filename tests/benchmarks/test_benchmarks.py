"""Each benchmark's quick mode runs on the debug preset and ends with one line of JSON."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from echotorrent_core.metrics.reader import MouthReader
from echotorrent_core.weights.parts import save_part

ROOT = Path(__file__).resolve().parents[2]


def run(script: str, folder: Path, *more: str) -> dict:
    path = folder / "figures.json"
    command = [sys.executable, str(ROOT / "benchmarks" / script), "--preset", "debug", "--quick", "--threads", "1"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run([*command, "--json", str(path), *more], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    last = json.loads(done.stdout.splitlines()[-1])
    assert json.loads(path.read_text()) == last
    assert {"cpu", "cores", "threads", "torch"} <= last["hardware"].keys()
    assert last["hardware"]["cpu"] in done.stdout.splitlines()[-2]
    return last["figures"]


def test_hardware(tmp_path) -> None:
    assert run("common.py", tmp_path) == {}


def test_stream(tmp_path) -> None:
    figures = run("stream.py", tmp_path, "--seconds", "10")
    assert figures["chunks"] == 250 // 16
    assert len(figures["cost_growth_wall"]) == len(figures["cost_growth_cpu"]) == 3
    assert figures["real_time_factor"] > 0
    assert figures["first_frames_s"] > 0.5  # a chunk cannot be ready before its sound
    assert len(figures["peak_mb"]) == 2


def test_parts(tmp_path) -> None:
    figures = run("parts.py", tmp_path)
    assert {"trunk", "vae", "audio", "encode", "state"} <= figures["share"].keys()
    assert sum(figures["share"].values()) == pytest.approx(1, abs=1e-3)
    assert 0.8 < figures["trunk"]["counted_in_products"] <= 1.001


def test_threads(tmp_path) -> None:
    figures = run("threads.py", tmp_path)
    assert len(figures["ways"]) == 6
    assert figures["ways"][figures["against"]]["wall_and_cpu_ratio"][0][0] == 1


@pytest.mark.slow  # ten processes
def test_train_step(tmp_path) -> None:
    variants = run("train_step.py", tmp_path)["variants"]
    methods = {"sft", "causal_cd", "ode_init", "acc_dmd", "long_tail", "grpo", "nft", "decoder_refiner"}
    assert methods < variants.keys() and all(v["step_s"] > 0 and v["step_bytes"] > 0 for v in variants.values())
    assert sorted(v["against"] for v in variants.values() if "against" in v) == ["acc_dmd, graded passes kept", "sft"]


@pytest.mark.slow  # a minute
def test_what_a_step_takes_is_what_is_expected(tmp_path) -> None:
    """Peak of the process's memory against the estimate, at a size where tensors outweigh everything else, and what
    activation checkpointing saves of it."""
    only = ["--only", "sft", "sft, blocks run again in the backward pass", "--preset", "embedded_small"]
    variants = run("train_step.py", tmp_path, *only, "--precision", "no", "--batch", "4")["variants"]
    for figures in variants.values():
        assert figures["step_bytes"] == pytest.approx(figures["expected_step_bytes"], rel=0.2)
    (ratio,) = (v["step_memory_ratio"][0] for v in variants.values() if "against" in v)
    assert ratio < 0.5


@pytest.mark.slow  # a minute
def test_checkpoint_load(tmp_path) -> None:
    figures = run("checkpoint_load.py", tmp_path)
    assert figures["peak_per_file"]["load"] < 1.3 < figures["peak_per_file"]["load_file + load_state_dict"]


def test_quality(tmp_path) -> None:
    pytest.importorskip("skia", exc_type=ImportError)  # renders its held-out clips
    torch.manual_seed(0)
    weights = tmp_path / "reader.safetensors"
    save_part(MouthReader().state_dict(), weights, {})
    figures = run("quality.py", tmp_path, "--clips", "1", "--reader", str(weights))
    assert figures["frames"] == 65
    assert set(figures["lips"]) == {"true", "vae", "engine", "sound"}
    assert all(len(m["fifths"]) == 5 for m in figures["drift"]["measures"].values())
    assert len(figures["other_speech"]) == 2


def test_wan_parts(tmp_path) -> None:
    parts = run("wan_parts.py", tmp_path)["parts"]
    trunks = {f"DiT {kind}, {dtype}" for kind in ("t2v", "i2v") for dtype in ("float32", "bfloat16")}
    assert {f["part"] for f in parts} == {*trunks, "VAE encode, float32", "VAE decode, float32"}
    decode = [(f["way"], f["against"], f["limit"]) for f in parts if f["part"] == "VAE decode, float32"]
    assert ("ours, 1 latent per call", "ours", 1.05) in decode and ("ours", "diffusers", 1) in decode
    for f in parts:
        assert 0 < f["cpu_ratio"][1] <= f["cpu_ratio"][0] <= f["cpu_ratio"][2]
        assert f["difference"] < (0.02 if "bfloat16" in f["part"] else 1e-4)


def test_wan_parts_that_differ_are_not_compared(monkeypatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    import wan_parts

    x = torch.randn(100)

    def part(ours):
        return wan_parts.Part("part", {wan_parts.OURS: lambda: ours, wan_parts.THEIRS: lambda: x}, 0.01)

    assert wan_parts.differences(part(x + 0.001))[wan_parts.OURS] == pytest.approx(0.001, rel=0.3)
    for wrong in (x + 0.1, x[:99], x * float("nan")):
        with pytest.raises(SystemExit, match="part, ours"):
            wan_parts.differences(part(wrong))


def test_clips_are_the_same_rendered_or_cached(tmp_path, monkeypatch) -> None:
    pytest.importorskip("skia", exc_type=ImportError)  # renders its held-out clips
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    import common

    from training.corpus import build

    monkeypatch.setattr(build, "SHARD", 2)
    domains = ("general", "profile", "singing", "rare")
    fresh = next(common.held_out(1, domains))
    folder = build.build(tmp_path / "heldout", "heldout", 2, workers=0, progress=False)
    cached = next(common.held_out(1, domains, folder))
    for key in ("frames", "portrait", "sound", "params", "closures"):
        assert np.array_equal(getattr(fresh, key), getattr(cached, key)), key


def test_energy_track_is_the_loudness_in_decibels(monkeypatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    import quality

    sound = 0.1 * np.sign(np.sin(np.arange(6400) * 0.3)).astype(np.float32)  # -20 dB
    track = quality.energy_track(sound, 10)
    assert track.shape == (10,)
    assert track[1:-1] == pytest.approx(30 / 50, abs=1e-3)
    assert not quality.energy_track(np.zeros(6400, np.float32), 10).any()
