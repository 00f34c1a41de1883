"""Pictures of a recipe's runs for docs/training.md: curves of each stage, and frames that its weights make.

python -m training.recipes.pictures --small --out docs/training
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from echotorrent_core.errors import InputError

from ..ablation import charts
from ..evaluation.evaluate import LEAD
from ..evaluation.heldout import SAMPLES_PER_FRAME, Held, clips_at_hand, to_tensor
from ..evaluation.sources import load_engine, of_engine
from ..files import replace_text
from ..metrics import FILE, read_metrics
from ..networks import DONE, WEIGHTS
from ..report import smoothed
from .embedded import SMALL, Budget, Work

Panels = Mapping[str, tuple[str, ...]]

SUPERVISED: Panels = {"error of x0": ("x0_error",), "error in the mouth, from noise alone": ("mouth_error_pure_noise",)}
HELD_OUT: Panels = {"held-out people": ("heldout/mouth", "heldout/mouth_shuffled", "heldout/x0", "heldout/x0_shuffled")}
REINFORCED: Panels = {
    "rewards": ("reward/singing", "reward/profile", "reward/rare", "reward/identity", "reward/quality"),
    "share that passed the floors": ("reward/passed",),
    "distance from the teacher": ("grpo/kl",),
}
DISTILLED: Panels = {
    "size of the gradient": ("dmd/grad_low", "dmd/grad_high"),
    "critic's error by level": tuple(f"critic/bucket{i}" for i in range(4)),
    "samples": ("motion", "colour", "colour_spread"),
}
STAGES: Mapping[str, Panels] = {
    "base": {**SUPERVISED, **HELD_OUT},
    "teacher": {**SUPERVISED, **HELD_OUT},
    "causal_teacher": SUPERVISED,
    "causal": {"error by level": tuple(f"consistency/bucket{i}" for i in range(4))},
    "singing": REINFORCED,
    "profile": REINFORCED,
    "rare": REINFORCED,
    "acc_dmd": DISTILLED,
    "experts": DISTILLED,
    "long_tail": DISTILLED,
    "decoder": {
        "distance to true frames": ("l1", "detail", "perceptual"),
        "critic": ("critic/real", "critic/fake"),
    },
}
STUDENTS = ("base", "causal", "acc_dmd", "experts", "long_tail")  # whose frames are shown
COLUMNS = 10


def curves(run: Path, panels: Panels) -> str | None:
    """A run's picture (SVG); None if it has logged nothing of it."""
    lines = list(read_metrics(run)) if (run / FILE).exists() else []
    found: dict[str, dict[str, list[float]]] = {}
    for title, names in panels.items():
        for name in names:
            points = [(line["step"], line[name]) for line in lines if name in line]
            if len(points) > 1:
                found.setdefault(title, {})[name] = [value for _, value in smoothed(points)]
    return charts.picture(found, lines[-1]["step"], "") if found else None


def strip(work: Work, budget: Budget, clip: Held) -> np.ndarray:
    """Rows of frames (H, W, 3): the true ones, then those of each student that is there, the last also with the
    refined decoder."""
    size, lead = (budget.size, budget.size), LEAD
    shown = np.linspace(0, len(clip.frames) - 1, COLUMNS).round().astype(int)
    rows = [clip.frames[shown]]
    folders = [[work.runs / name / WEIGHTS] for name in STUDENTS if (work.runs / name / DONE).exists()]
    if folders and (decoder := work.runs / "decoder" / WEIGHTS).exists():
        folders.append([decoder, *folders[-1]])
    portrait = to_tensor(clip.portrait[None], size)[0]
    sound = clip.sound[clip.margin - lead * SAMPLES_PER_FRAME :]
    for found in folders:
        source = of_engine(load_engine(budget.preset, [*found, work.parts]))
        frames = np.concatenate(list(source(portrait, sound, lead + len(clip.frames), 0)))
        rows.append(frames[lead + shown])
    return np.concatenate([np.concatenate(list(row), axis=1) for row in rows])


def draw(work: Work, budget: Budget, out: Path, stages: Mapping[str, Panels] = STAGES) -> list[Path]:
    """Write all pictures. InputError if no run is there."""
    out.mkdir(parents=True, exist_ok=True)
    written = []
    for name, panels in stages.items():
        if text := curves(work.runs / name, panels):
            replace_text(out / f"{name}.svg", text)
            written.append(out / f"{name}.svg")
    if not written:
        raise InputError(f"{work.runs}: holds no runs; make them with python -m training.recipes.embedded")
    clip = clips_at_hand(1, ("general",), budget.size)[0]
    Image.fromarray(strip(work, budget, clip)).save(out / "frames.jpg", quality=88)
    return [*written, out / "frames.jpg"]


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true", help="of the recipe at 64 px")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args(argv)
    budget = SMALL if args.small else Budget()
    for path in draw(Work.of(budget), budget, args.out):
        print(path)


if __name__ == "__main__":
    main()
