"""The embedded model from nothing, stage after stage; run again to go on where it stopped.

    python -m training.recipes.embedded                    # everything; hours on 2 CPU cores
    python -m training.recipes.embedded --small            # the same at 64 px, in 40 CPU-minutes
    python -m training.recipes.embedded --from trunk       # that stage and what follows, continuing its runs
    python -m training.recipes.embedded --ship             # and put the weights into the package

Stages: corpus, heldout (rendered clips), audio (encoder on un-rendered speech), codec (PCA, which is the encoder),
pictures (a decoder for it), reader (the judge of rewards and benchmarks; --small takes the shipped one), features
(latents, sound and masks of all clips), then those of training/recipes/embedded.yaml or small.yaml: trunk, teacher,
experts, distillation, decoder. Work lives in ECHOTORRENT_CACHE (default ~/.cache/echotorrent), the weights at the end
in its embedded/weights or small/weights. Every seed is fixed; a stage that is done is skipped unless it is named with
--from.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from echotorrent_core.weights.parts import ASSETS

from ..corpus.build import corpus_folder
from ..networks import WEIGHTS
from ..paths import cache_folder


@dataclass(frozen=True)
class Budget:
    """What is made, and how much of each stage: pixels, clips, hours of speech, steps. trunk: the recipe file of the
    networks' stages, which has their numbers; reader_steps: 0 takes the shipped reader, which serves at any size."""

    trunk: str = "embedded"
    preset: str = "embedded"
    size: int = 128
    clips: int = 3600
    heldout: int = 60
    audio_hours: float = 15.0
    audio_steps: int = 5500
    picture_steps: int = 3000
    reader_steps: int = 900
    variants: int = 3


SMALL = Budget("small", "embedded_small", 64, 300, 40, 0.5, 300, 300, 0, 2)


@dataclass(frozen=True)
class Work:
    """Where a recipe keeps what it makes. parts: codec, audio encoder and reader; runs: one folder for each stage."""

    root: Path
    corpus: Path
    heldout: Path

    @property
    def parts(self) -> Path:
        return self.root / "parts"

    @property
    def features(self) -> Path:
        return self.root / "features"

    @property
    def runs(self) -> Path:
        return self.root / "runs"

    @property
    def weights(self) -> Path:
        return self.root / "weights"

    @staticmethod
    def of(budget: Budget) -> Work:
        return Work(
            cache_folder() / budget.trunk,
            corpus_folder("train", budget.size),
            corpus_folder("heldout", budget.size),
        )

    def overrides(self, processes: int = 1) -> list[str]:
        """What puts a recipe file's stages here. Its batches are for two processes."""
        return [
            f"folder={self.runs}",
            f"assets=[{self.parts}]",
            f"data.features={self.features / 'train'}",
            f"data.heldout={self.features / 'heldout'}",
            f"data.corpus={self.corpus}",
            f"processes={processes}",
            f"loop.accumulate={max(1, 2 // processes)}",
        ]


@dataclass(frozen=True)
class Stage:
    """A stage: its commands (arguments of `python -m`), each of which goes on where it stopped."""

    name: str
    commands: list[list[str]]


def stages(budget: Budget, work: Work, processes: int, trunk: list[str]) -> list[Stage]:
    """The whole recipe in order. trunk: `key=value` for the recipe file, over its own."""
    runs, parts, size = work.runs, work.parts, str(budget.size)
    clips = ["--corpus", str(work.corpus)]
    vae = ["training.methods.vae", "--preset", budget.preset, *clips, "--held-out", str(work.heldout)]
    pca, decoder = str(runs / "codec" / "vae.safetensors"), ["--init", str(runs / "codec" / "vae.safetensors")]
    picture = [*vae, "--out", str(runs / "pictures"), *decoder, "--freeze-encoder"]
    workers = ["--workers", str(os.cpu_count() or 1)]
    build = ["training.corpus.build", "--size", size, *workers]
    data = ["training.data", "--preset", budget.preset, "--weights", str(parts), *workers]
    launch = ["torch.distributed.run", f"--nproc_per_node={processes}", "-m"]
    reader = ["training.methods.reader", *clips, "--heldout", str(work.heldout), "--out", str(runs / "reader")]
    reader += ["--steps", str(budget.reader_steps), "--output", str(parts / "reader.safetensors")]
    return [
        Stage("corpus", [[*build, "--clips", str(budget.clips), "--out", str(work.corpus)]]),
        Stage(
            "heldout",
            [[*build, "--split", "heldout", "--clips", str(budget.heldout), "--out", str(work.heldout)]],
        ),
        Stage(
            "audio",
            [["training.methods.audio_encoder", "--preset", budget.preset, "--folder", str(runs / "audio")]
             + ["--hours", str(budget.audio_hours), "--steps", str(budget.audio_steps)]
             + ["--output", str(parts / "audio.safetensors")]],
        ),
        Stage("codec", [[*vae, "--out", str(runs / "codec"), "--steps=0", "--export", pca]]),
        Stage(
            "pictures",
            [[*picture, "--steps", str(budget.picture_steps)],
             [*picture, "--export", str(parts / "vae.safetensors")]],
        ),
        *([Stage("reader", [reader])] if budget.reader_steps else []),
        Stage(
            "features",
            [[*data, "--corpus", str(work.heldout), "--variants=1", "--out", str(work.features / "heldout")],
             [*data, *clips, "--mirror", f"--variants={budget.variants}", "--out", str(work.features / "train")]],
        ),
        Stage("trunk", [[*launch, "training", budget.trunk, *work.overrides(processes), *trunk]]),
    ]  # fmt: skip


def run(
    todo: list[Stage],
    done: Path,
    start: str | None = None,
    call: Callable[[list[str]], object] = subprocess.check_call,
) -> None:
    """Run what is not done yet, or everything from stage `start`; `done` is the folder that says so."""
    names = [stage.name for stage in todo]
    if start is not None and start not in names:
        raise SystemExit(f"unknown stage '{start}'; stages: {', '.join(names)}")
    done.mkdir(parents=True, exist_ok=True)
    for index, stage in enumerate(todo):
        mark = done / stage.name
        if mark.exists() and (start is None or index < names.index(start)):
            print(f"{stage.name}: done")
            continue
        for command in stage.commands:
            print(f"{stage.name}: python -m {' '.join(command)}", flush=True)
            call([sys.executable, "-m", *command])
        mark.touch()


def collect(work: Work, out: Path) -> Path:
    """The model's parts, each from the stage that made it last, in one folder."""
    out.mkdir(parents=True, exist_ok=True)
    made = {
        "audio": work.parts,
        "reader": work.parts,
        "trunk": work.runs / "long_tail" / WEIGHTS,
        "text": work.runs / "long_tail" / WEIGHTS,
        "vae": work.runs / "decoder" / WEIGHTS,
    }
    if not (work.parts / "reader.safetensors").exists():
        del made["reader"]
    for part, folder in made.items():
        shutil.copyfile(folder / f"{part}.safetensors", out / f"{part}.safetensors")
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="for the recipe file of the trunk's stages")
    parser.add_argument("--small", action="store_true", help="at 64 px, with fewer clips and steps")
    parser.add_argument("--from", dest="start", help="begin at this stage even if it is done")
    parser.add_argument("--processes", type=int, help="training processes (default: 2, or one for each GPU)")
    parser.add_argument("--ship", action="store_true", help="put the weights into the package, over the present ones")
    args = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    budget = SMALL if args.small else Budget()
    work = Work.of(budget)
    processes = args.processes or torch.cuda.device_count() or min(2, os.cpu_count() or 1)
    run(stages(budget, work, processes, args.overrides), work.root / "done", args.start)
    print(f"weights: {collect(work, work.weights)}")
    if args.ship:
        if args.small:
            parser.error("--ship is for the full recipe: the package has weights of the preset 'embedded' only")
        print(f"shipped: {collect(work, ASSETS / budget.preset)}")


if __name__ == "__main__":
    main()
