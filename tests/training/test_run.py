"""Whole runs from their configuration: folders, weights for the engine, videos, reports, LoRA, and what is refused."""

import dataclasses
import json
import os
import re
from pathlib import Path

import av
import numpy as np
import pytest
import torch
import toy
import yaml
from safetensors.torch import load_file, save_file

from echotorrent_core.errors import InputError
from echotorrent_core.presets import debug
from echotorrent_core.stream import Engine
from echotorrent_core.weights.lora import Lora
from echotorrent_core.weights.parts import load_part, read_metadata, save_part
from echotorrent_core.weights.source import open_source
from training import checkpoint
from training.__main__ import UNFINISHED, main
from training.config import build
from training.export import export, read_run
from training.loop import read_metrics
from training.lora import LoraSettings, adapters, add_lora, load_lora, merged
from training.networks import checkpoint_blocks, fresh
from training.registry import METHODS
from training.report import smoothed, thinned, tick_labels, ticks, write_report
from training.run import make_accelerator, start
from training.samples import measure


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    toy.networks(toy.cache(folder / "train"))
    toy.features(folder / "heldout.safetensors", seed=1)
    return folder


def config(source: Path, folder: Path, method: str = "sft", **changes):
    return build(toy.small_run(method, source / "train", folder, **changes), "test")


def states(folder):
    """All tensors of the newest checkpoint."""
    found: dict[str, torch.Tensor] = {}

    def walk(value, name):
        if isinstance(value, torch.Tensor):
            found[name] = value
        elif isinstance(value, (dict, list)):
            for key, one in value.items() if isinstance(value, dict) else enumerate(value):
                walk(one, f"{name}.{key}")

    path = checkpoint.latest(folder)
    walk(checkpoint.read(path), "state")
    walk(checkpoint.read(path, 0), "own")
    return found


@pytest.mark.parametrize("method", sorted(METHODS))
def test_resumed_equals_uninterrupted(method, data, tmp_path):
    """Curves, weights, optimisers and what the method keeps, stopped after its first step and after its second."""
    assert start(config(data, tmp_path / "whole", method, loop={"steps": 4}))
    for minutes, done in ((0.0, False), (0.0, False), (None, True)):
        assert start(config(data, tmp_path / "parts", method, loop={"steps": 4, "minutes": minutes})) == done
    assert toy.numbers(tmp_path / "parts") == toy.numbers(tmp_path / "whole")
    whole, parts = states(tmp_path / "whole"), states(tmp_path / "parts")
    assert whole.keys() == parts.keys()
    assert [name for name in whole if not torch.equal(whole[name], parts[name])] == []


def test_weights_are_the_engines(data, tmp_path):
    run = config(data, tmp_path / "run", data={"heldout": str(data / "heldout.safetensors"), "validate_every": 3})
    start(run)
    folder = tmp_path / "run/weights"
    engine = Engine.build(debug())
    load_part(engine.trunk, folder / "trunk.safetensors")
    load_part(engine.text, folder / "text.safetensors")
    ema = checkpoint.read_role(checkpoint.latest(run.folder), "ema")
    for name, value in engine.trunk.state_dict().items():
        assert torch.equal(value, ema[f"trunk.{name}"].half().float()), name
    about = read_metadata(folder / "trunk.safetensors")
    assert (about["preset"], about["method"], about["steps"], about["role"]) == ("debug", "sft", 6, "ema")
    assert about["scores"]["heldout/mouth"] > 0
    assert start(run)  # done: nothing happens
    student = export(read_run(run.folder), tmp_path / "student", "student")
    assert not torch.equal(load_file(student / "trunk.safetensors")["head.head.weight"], ema["trunk.head.head.weight"])
    with pytest.raises(InputError, match="holds no role 'fake'; it has student, ema"):
        export(run, role="fake")


def test_weights_come_with_the_parts_they_work_with(data, tmp_path):
    """A refined decoder with the student it was refined for, and what does not train: the engine takes the folder."""
    engine = Engine.build(debug())
    for name, module in (("vae", engine.vae), ("audio", engine.audio)):
        save_part(module.state_dict(), tmp_path / f"assets/{name}.safetensors", {})
    changes = {"assets": str(tmp_path / "assets"), "loop": {"steps": 1}}
    heldout = {"heldout": str(data / "heldout.safetensors"), "validate_every": 1}  # as a recipe says for all its stages
    start(config(data, tmp_path / "run", "decoder_refiner", data=heldout, **changes))
    found = Engine.from_preset("debug", tmp_path / "run/weights")
    student = load_file(data / "train/student/trunk.safetensors")
    assert torch.equal(found.trunk.state_dict()["head.head.weight"], student["head.head.weight"])
    moved = [not torch.equal(a, b) for a, b in zip(found.vae.parameters(), engine.vae.parameters(), strict=True)]
    assert any(moved)
    start(config(data, tmp_path / "sft", **changes))
    assert torch.equal(
        Engine.from_preset("debug", tmp_path / "sft/weights").vae.state_dict()["conv2.weight"],
        engine.vae.half().float().state_dict()["conv2.weight"],
    )


def test_no_room_for_weights_leaves_the_run_to_be_gone_on_with(data, tmp_path):
    run = config(data, tmp_path / "run", loop={"steps": 2})
    run.folder.mkdir()
    (run.folder / "weights").write_text("in the way")
    with pytest.raises(InputError, match=r"weights cannot be written .+step-00000002' is whole, make room and start"):
        start(run)
    assert not (run.folder / "done.json").exists()
    (run.folder / "weights").unlink()
    assert start(run) and (run.folder / "weights/trunk.safetensors").exists()


def test_methods_that_cannot_be_sharded_are_not(data, tmp_path, monkeypatch):
    """A recipe's stages share one launch, which asks for FSDP."""
    asked = []
    monkeypatch.setenv("ACCELERATE_USE_FSDP", "true")
    monkeypatch.setattr("training.run.Accelerator", lambda **_: asked.append(os.environ.get("ACCELERATE_USE_FSDP")))
    for method in ("decoder_refiner", "sft"):
        with pytest.raises(AttributeError):  # of what the accelerator is not
            make_accelerator(config(data, tmp_path, method))
    assert asked == [None, "true"] and os.environ["ACCELERATE_USE_FSDP"] == "true"


def test_a_stage_goes_on_from_the_one_before(data, tmp_path):
    recipe = {
        "preset": "debug",
        "folder": str(tmp_path / "out"),
        "precision": "no",
        "data": {"features": str(data / "train"), "batch": 2, "short": 8, "long": 8},
        "loop": {"steps": 2, "warmup": 0},
        "stages": {
            "teacher": {"method": "sft"},
            "student": {
                "method": "causal_cd",
                "roles": {"student": {"weights": "stage:teacher"}, "real": {"weights": "stage:teacher"}},
            },
        },
    }
    path = tmp_path / "recipe.yaml"
    path.write_text(yaml.safe_dump(recipe, sort_keys=False))
    assert main([str(path), "--stage", "student"]) == 2  # the teacher is not there yet
    assert main([str(path), "loop.minutes=0"]) == UNFINISHED
    assert not (tmp_path / "out/student").exists() or not (tmp_path / "out/student/done.json").exists()
    assert main([str(path)]) == 0
    teacher = load_file(tmp_path / "out/teacher/weights/trunk.safetensors")["blocks.0.ffn.0.weight"].float()
    student = load_file(tmp_path / "out/student/weights/trunk.safetensors")["blocks.0.ffn.0.weight"].float()
    torch.testing.assert_close(student, teacher, atol=1e-3, rtol=1e-2)


def test_a_changed_configuration_is_refused(data, tmp_path, capsys):
    start(config(data, tmp_path, loop={"minutes": 0.0}))
    with pytest.raises(InputError, match=r"holds a run with other values of loop.warmup, data.batch; use another"):
        start(config(data, tmp_path, loop={"warmup": 9}, data={"batch": 1}))
    with pytest.raises(InputError, match=r"a checkpoint of method 'sft', this run is of method 'causal_cd'"):
        start(config(data, tmp_path, "causal_cd"), accept_changes=True)
    assert start(config(data, tmp_path, loop={"warmup": 9}), accept_changes=True)
    with pytest.raises(InputError, match="other values of preset;"):
        start(dataclasses.replace(config(data, tmp_path, loop={"warmup": 9}), preset="embedded"))
    assert start(config(data, tmp_path, loop={"warmup": 9, "steps": 8}), accept_changes=True)  # longer than it was
    assert json.loads((tmp_path / "done.json").read_text()) == {"steps": 8}


def test_weights_of_another_preset_are_refused(data, tmp_path):
    from echotorrent_core.weights.parts import ASSETS

    with pytest.raises(InputError, match="do not fit this preset"):
        start(config(data, tmp_path, roles={"student": {"weights": str(ASSETS / "embedded")}}))
    with pytest.raises(InputError, match="none: not found; expected weights of preset 'debug'"):
        start(config(data, tmp_path, roles={"student": {"weights": str(tmp_path / "none")}}))


def test_data_that_are_none_are_refused(data, tmp_path):
    (tmp_path / "empty").mkdir()
    for features, says in (
        (None, "data.features: name the folder or file"),
        (str(tmp_path / "empty"), "holds no training data; make it with python -m training.data"),
        (str(tmp_path / "none"), "holds no training data"),
    ):
        with pytest.raises(InputError, match=says):
            start(config(data, tmp_path / "run", data={"features": features}))
    columns = {key: value[:0] for key, value in load_file(data / "train/0000.safetensors").items()}
    save_file(columns, tmp_path / "no_rows.safetensors")
    with pytest.raises(InputError, match="holds no clips"):
        start(config(data, tmp_path / "run", data={"features": str(tmp_path / "no_rows.safetensors")}))
    with pytest.raises(InputError, match=r"clips have 17 latents; data\.short and data\.long must be below"):
        start(config(data, tmp_path / "run", data={"long": 20}))


def test_videos_come_at_their_steps_with_sound(data, tmp_path):
    samples = {"every": 2, "seconds": 0.7, "long_every": 4, "long_seconds": 1.6, "seed": 3}
    run = config(data, tmp_path / "a", samples=samples, loop={"steps": 4, "save_every": 100})
    start(run)
    made = sorted(path.name for path in (tmp_path / "a/samples").iterdir())
    names = [f"step-0000000{step}-{name}.mp4" for step in (2, 4) for name in ("ana", "ben", "chi")]
    assert made == sorted([*names, "step-00000004-long.mp4"])
    with av.open(str(tmp_path / "a/samples/step-00000004-long.mp4")) as file:
        video, sound = file.streams.video[0], file.streams.audio[0]
        assert sum(1 for _ in file.decode(video)) == 40  # 1.6 s of 25 fps
        assert sound.duration * sound.time_base == pytest.approx(1.6, abs=0.05)
    with av.open(str(tmp_path / "a/samples/step-00000004-long.mp4")) as file:
        heard = np.concatenate([frame.to_ndarray() for frame in file.decode(audio=0)], axis=1)
        assert heard.std() > 0.005  # the shipped speech
    lines = {line["step"]: line for line in read_metrics(tmp_path / "a")}
    assert "sample/motion" in lines[2] and "long/colour_drift" not in lines[2] and "long/colour_drift" in lines[4]
    # Videos change nothing: not the training, and the same weights give the same video again.
    start(config(data, tmp_path / "b", loop={"steps": 4, "save_every": 100}))
    assert [line["loss/student"] for line in toy.numbers(tmp_path / "a")] == [
        line["loss/student"] for line in toy.numbers(tmp_path / "b")
    ]
    start(dataclasses.replace(run, folder=tmp_path / "c"))
    for name in made:
        assert (tmp_path / "a/samples" / name).read_bytes() == (tmp_path / "c/samples" / name).read_bytes()


def test_what_videos_show_is_measured():
    rng = np.random.default_rng(0)
    steady = np.repeat(rng.integers(0, 255, (1, 16, 16, 3)), 50, axis=0).astype(np.uint8)
    assert measure(steady, "x")["x/motion"] == 0 and measure(steady, "x")["x/colour_drift"] == 0
    fading = np.stack([steady[0] * (1 - t / 100) for t in range(50)]).astype(np.uint8)
    assert measure(fading, "x")["x/colour_drift"] > 20
    dying = np.stack([steady[0] * (0.9 + 0.1 * (t % 2) * (t < 10)) for t in range(50)]).astype(np.uint8)
    assert measure(dying, "x")["x/motion_left"] < 0.01


# LoRA


def test_lora_trains_adapters_only_and_the_engine_takes_its_file(data, tmp_path):
    pytest.importorskip("peft")
    base = config(data, tmp_path / "base", loop={"steps": 2})
    start(base)
    student = {"weights": str(tmp_path / "base/weights"), "mode": "lora", "lora": {"rank": 2, "alpha": 4}}
    run = config(data, tmp_path / "lora", roles={"student": student}, settings={"lr": 0.05, "muon_lr": 0})
    start(run)
    state = checkpoint.read(checkpoint.latest(run.folder))
    assert all(".lora_" in name for role in state["roles"].values() for name in role)
    whole = load_file(tmp_path / "lora/weights/trunk.safetensors")
    trunk = fresh(debug(), 0).trunk
    load_part(trunk, tmp_path / "base/weights/trunk.safetensors")
    shapes = {name: tuple(value.shape) for name, value in trunk.state_dict().items()}
    lora = Lora.open(open_source(tmp_path / "lora/weights/lora.safetensors"), 1.0, shapes)
    changed = 0
    for name, weight in trunk.state_dict().items():
        before = weight.clone()
        lora.merge(name, weight)
        changed += not torch.equal(before, weight)
        torch.testing.assert_close(weight, whole[name].float(), atol=2e-3, rtol=2e-3)
    assert changed == 4 * 13  # q, k, v, o twice, three of the audio's, two of the feed-forward, in four blocks
    # Resumed equals uninterrupted here too.
    while not start(
        config(
            data,
            tmp_path / "parts",
            roles={"student": student},
            settings={"lr": 0.05, "muon_lr": 0},
            loop={"minutes": 0.0},
        )
    ):
        pass
    assert toy.numbers(tmp_path / "parts") == toy.numbers(tmp_path / "lora")


def test_adapters_are_nothing_at_first_merge_to_the_same_and_load_again(tmp_path):
    pytest.importorskip("peft")
    from training.lora import save_lora

    settings = LoraSettings(rank=2, alpha=6.0)
    student, plain = fresh(debug(), 0), fresh(debug(), 0)
    add_lora(student, settings)
    assert merged(student.state_dict(), settings).keys() == plain.state_dict().keys()
    x = torch.randn(3, 24)
    layer, before = student.trunk.blocks[0].self_attn.q, plain.trunk.blocks[0].self_attn.q
    assert torch.equal(layer(x), before(x))
    with torch.no_grad():
        for name, value in student.named_parameters():
            if ".lora_" in name:
                value.normal_()
    weights = merged(student.state_dict(), settings)
    expected = x @ weights["trunk.blocks.0.self_attn.q.weight"].T + before.bias
    torch.testing.assert_close(layer(x), expected, atol=1e-4, rtol=1e-4)
    save_lora(student.state_dict(), tmp_path / "lora.safetensors", settings, {})
    again = fresh(debug(), 0)
    add_lora(again, settings)
    load_lora(again, tmp_path / "lora.safetensors")
    for name, value in adapters(again).items():
        assert torch.equal(value, adapters(student)[name])
    other = fresh(debug(), 0)
    add_lora(other, LoraSettings(rank=3))
    with pytest.raises(InputError, match="a LoRA for other adapters"):
        load_lora(other, tmp_path / "lora.safetensors")
    with pytest.raises(InputError, match="matches no linear layer"):
        add_lora(fresh(debug(), 0), LoraSettings(targets="nothing"))


def test_lora_without_its_package_is_one_sentence(data, tmp_path, monkeypatch):
    monkeypatch.setattr("training.lora.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"mode 'lora' needs peft: pip install 'echotorrent\[train\]'"):
        start(config(data, tmp_path, roles={"student": {"mode": "lora"}}))


# Activation checkpointing


@pytest.mark.parametrize("method", ["sft", "causal_cd"])
def test_activation_checkpointing_changes_no_number(method, data, tmp_path):
    start(config(data, tmp_path / "kept", method))
    start(config(data, tmp_path / "again", method, roles={"student": {"checkpointing": True}}))
    assert toy.numbers(tmp_path / "kept") == toy.numbers(tmp_path / "again")


def test_blocks_run_twice_under_activation_checkpointing(tmp_path, monkeypatch):
    calls = []
    student = fresh(debug(), 0)
    block = student.trunk.blocks[0]
    original = type(block).forward
    monkeypatch.setattr(type(block), "forward", lambda *a, **k: calls.append(1) or original(*a, **k))
    checkpoint_blocks(student)
    from training.config import engine_config
    from training.data.features import FeatureData

    engine = engine_config(build({"method": "sft", "preset": "debug", "loop": {"steps": 1}}, "x"))
    batch = FeatureData(toy.features(tmp_path / "f"), 1, 0, 8, 8).batch(0)
    x = batch["latents"]
    out = student(engine, x, torch.ones(1, 8), batch["reference"], batch["reference"], batch, bool(batch["first"]))
    forward = len(calls)
    out.sum().backward()
    assert len(calls) == 2 * forward


# Reports and trackers


def test_the_report_holds_curves_videos_and_configuration(data, tmp_path):
    samples = {"every": 6, "seconds": 0.6}
    start(config(data, tmp_path / "run", samples=samples))
    text = (tmp_path / "run/report.html").read_text()
    assert text.count("<svg") == len(set().union(*read_metrics(tmp_path / "run")) - {"step", "time"})
    assert all(f"samples/step-00000006-{name}.mp4" in text for name in ("ana", "ben", "chi"))
    assert "preset: debug" in text and torch.__version__ in text and "loss/student" in text
    assert not re.findall(r"""(?:src|href)=["']?(?:https?:)?//""", text)  # self-contained
    with pytest.raises(InputError, match="holds no run"):
        write_report(tmp_path)


def test_plots_of_curves():
    assert ticks(0, 10) == [0, 5, 10] and ticks(0.13, 0.171) == pytest.approx([0.14, 0.16])
    assert tick_labels([127.99, 128.0, 128.01]) == ["127.99", "128.00", "128.01"]
    points = [(float(i), float(i)) for i in range(1000)]
    assert len(thinned(points, 100)) == 100 and thinned(points, 100)[0] == (4.5, 4.5)
    assert smoothed([(0, 0.0), (1, 6.0), (2, 0.0)], 0.4) == [(0, 3.0), (1, 2.0), (2, 3.0)]


def test_tensorboard_gets_the_numbers(data, tmp_path):
    pytest.importorskip("tensorboard")
    start(config(data, tmp_path, tracker="tensorboard"))
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    found = [(event.step, event.value) for event in events.Scalars("loss/student")]
    assert found == [(line["step"], pytest.approx(line["loss/student"])) for line in read_metrics(tmp_path)]


def test_tensorboard_without_its_package_is_one_sentence(data, tmp_path, monkeypatch):
    monkeypatch.setattr("training.run._installed", lambda name: False)
    with pytest.raises(InputError, match="tracker: tensorboard needs its package: pip install"):
        start(config(data, tmp_path, tracker="tensorboard"))


def test_the_command_line(data, tmp_path, capsys):
    assert main([str(tmp_path / "none.yaml")]) == 2
    assert main(["--report", str(tmp_path)]) == 2 and main(["--export", str(tmp_path)]) == 2
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 3 and all(line.startswith("error: ") for line in errors)
    with pytest.raises(SystemExit):
        main([])
