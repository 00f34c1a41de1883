"""The embedded model from nothing, stage after stage; run again to go on where it stopped.

    python -m training.recipes.embedded                    # everything; hours on 2 CPU cores
    python -m training.recipes.embedded --from trunk       # that stage and what follows, continuing its run
    python -m training.recipes.embedded --scale 0.05       # a small rehearsal of all stages

Stages: corpus, heldout (rendered clips), audio (encoder on un-rendered speech), codec (PCA, which is the encoder),
features (latents and audio features of all clips), trunk, decoder, refine (the decoder on the trunk's own latents),
reader (the judge of the benchmarks). Work lives in ECHOTORRENT_CACHE (default ~/.cache/echotorrent), weights in the
package's assets. Every seed is fixed; a stage whose output exists is skipped unless it is named with --from.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from echotorrent_core.weights.parts import ASSETS

from ..paths import cache_folder

CACHE = cache_folder()
WEIGHTS = ASSETS / "embedded"
TRAIN, HELDOUT = CACHE / "corpus" / "train", CACHE / "corpus" / "heldout"


@dataclass(frozen=True)
class Budget:
    """How much of each stage: clips, steps. The shipped weights had less of trunk, decoder and refine, and their stages
    were started one by one (docs/embedded_model.md)."""

    clips: int = 1200
    heldout: int = 60
    audio_hours: float = 5.0
    audio_steps: int = 2500
    trunk_steps: int = 6000
    decoder_steps: int = 6000
    refine_steps: int = 1500
    reader_steps: int = 900

    def scaled(self, factor: float) -> Budget:
        return Budget(**{k: type(v)(max(1, v * factor)) for k, v in vars(self).items()})


@dataclass(frozen=True)
class Stage:
    """A stage: its commands (arguments of `python -m`), and the file that shows it is done."""

    name: str
    commands: list[list[str]]
    output: Path


def stages(budget: Budget, processes: int) -> list[Stage]:
    """The whole recipe in order."""
    run = CACHE / "runs"
    vae = ["training.methods.vae", "--corpus", str(TRAIN), "--held-out", str(HELDOUT)]
    features, check = CACHE / "features" / "train.safetensors", CACHE / "features" / "heldout.safetensors"
    launch = ["torch.distributed.run", f"--nproc_per_node={processes}", "-m"]
    trunk = ["training.trunk", "--folder", str(run / "trunk")]
    refine = ["training.methods.decoder_refiner", "--features", str(features), "--corpus", str(TRAIN)]
    return [
        Stage("corpus", [_corpus("train", budget.clips)], TRAIN / "index.json"),
        Stage("heldout", [_corpus("heldout", budget.heldout)], HELDOUT / "index.json"),
        Stage(
            "audio",
            [["training.methods.audio_encoder", "--folder", str(run / "audio")]
             + ["--hours", str(budget.audio_hours), "--steps", str(budget.audio_steps)]],
            WEIGHTS / "audio.safetensors",
        ),
        Stage("codec", [[*vae, "--out", str(run / "codec"), "--steps=0", "--export"]], WEIGHTS / "vae.safetensors"),
        Stage(
            "features",
            [["training.data.features", "--corpus", str(HELDOUT), "--out", str(check), "--variants=1"],
             ["training.data.features", "--corpus", str(TRAIN), "--out", str(features)]
             + ["--mirror"]],
            features,
        ),
        Stage(
            "trunk",
            [[*launch, *trunk, "--features", str(features), "--heldout", str(check)]
             + [f"--steps={budget.trunk_steps}", f"--cooldown={budget.trunk_steps // 4}"],
             [*trunk, "--export", str(WEIGHTS)]],
            WEIGHTS / "trunk.safetensors",
        ),
        Stage(
            "decoder",
            [[*vae, "--out", str(run / "decoder"), "--init", str(WEIGHTS / "vae.safetensors"), "--freeze-encoder"]
             + [f"--steps={budget.decoder_steps}"],
             [*vae, "--out", str(run / "decoder"), "--init", str(WEIGHTS / "vae.safetensors"), "--freeze-encoder"]
             + ["--export"]],
            run / "decoder" / "checkpoint.pt",
        ),
        Stage(
            "refine",
            [[*launch, *refine, "--folder", str(run / "refine"), f"--steps={budget.refine_steps}"]],
            run / "refine" / "checkpoint.pt",
        ),
        Stage(
            "reader",
            [["training.methods.reader", "--corpus", str(TRAIN), "--heldout", str(HELDOUT)]
             + ["--out", str(run / "reader"), "--steps", str(budget.reader_steps)]],
            WEIGHTS / "reader.safetensors",
        ),
    ]  # fmt: skip


def _corpus(split: str, clips: int) -> list[str]:
    return ["training.corpus.build", "--split", split, "--clips", str(clips), "--workers", str(os.cpu_count() or 2)]


def run(todo: list[Stage], start: str | None, call: Callable[[list[str]], object] = subprocess.check_call) -> None:
    """Run what is not done yet, or everything from stage `start`."""
    names = [stage.name for stage in todo]
    if start is not None and start not in names:
        raise SystemExit(f"unknown stage '{start}'; stages: {', '.join(names)}")
    for index, stage in enumerate(todo):
        forced = start is not None and index >= names.index(start)
        if stage.output.exists() and not forced:
            print(f"{stage.name}: done ({stage.output})")
            continue
        for command in stage.commands:
            print(f"{stage.name}: python -m {' '.join(command)}", flush=True)
            call([sys.executable, "-m", *command])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--from", dest="start", help="begin at this stage even if its output exists")
    parser.add_argument("--scale", type=float, default=1.0, help="multiply clips, hours and steps")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="training processes of the trunk")
    args = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    run(stages(Budget().scaled(args.scale), args.processes), args.start)


if __name__ == "__main__":
    main()
