"""Pictures of a recipe's runs show what was logged, and frames of the weights that are there."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from echotorrent_core.errors import InputError
from echotorrent_core.presets import debug
from echotorrent_core.stream import Engine
from echotorrent_core.weights.parts import save_part
from training.evaluation.heldout import Held
from training.metrics import write_metrics
from training.networks import DONE
from training.recipes import pictures
from training.recipes.embedded import SMALL, Work

TOY = replace(SMALL, trunk="toy", preset="debug", size=32)


@pytest.fixture
def work(tmp_path, monkeypatch):
    frames = np.random.default_rng(0).integers(0, 255, (66, 32, 32, 3)).astype(np.uint8)
    sound = np.zeros(80 * 640, np.float32)
    held = Held(frames[:65], frames[65], sound, 12 * 640, np.zeros((65, 4)), np.zeros(65, bool), "general", "somebody")
    monkeypatch.setattr(pictures, "clips_at_hand", lambda count, domains, size: [held])
    (tmp_path / "toy/parts").mkdir(parents=True)
    return Work(tmp_path / "toy", tmp_path, tmp_path)


def run(work, name, **parts):
    folder = work.runs / name
    folder.mkdir(parents=True)
    for step in (10, 20, 30):
        write_metrics(folder, step, {"x0_error": 1 / step, "l1": 2 / step, "unknown": 5.0})
    (folder / DONE).touch()
    for part, module in parts.items():
        save_part(module.state_dict(), folder / "weights" / f"{part}.safetensors", {})


def test_curves_and_frames(work, tmp_path):
    engine, other = Engine.build(debug()), Engine.build(debug())
    run(work, "base", trunk=engine.trunk, text=engine.text)
    other.vae.decoder.head["2"].bias.data += 0.5
    run(work, "decoder", vae=other.vae)
    written = pictures.draw(work, TOY, tmp_path / "docs")
    assert [path.name for path in written] == ["base.svg", "decoder.svg", "frames.jpg"]
    drawn = (tmp_path / "docs/base.svg").read_text()
    assert "x0_error" in drawn and "unknown" not in drawn and ">30<" in drawn and "held-out people" not in drawn
    rows = np.asarray(Image.open(tmp_path / "docs/frames.jpg")).reshape(3, 32, pictures.COLUMNS, 32, 3)
    assert (rows[0] != rows[1]).any()  # the true frames, and the student's
    assert (rows[1] != rows[2]).any()  # and those of the refined decoder


def test_no_runs_are_said(work, tmp_path):
    with pytest.raises(InputError, match="holds no runs; make them"):
        pictures.draw(work, TOY, tmp_path / "docs")
