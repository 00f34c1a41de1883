"""Train the trunk of a preset on prepared features, in one process or several.

    torchrun --nproc_per_node 2 -m training.trunk ...           # or accelerate launch --multi_gpu -m training.trunk ...

python -m training.trunk --features FILE --heldout FILE --folder RUN --steps 8000 --minutes 60
python -m training.trunk --folder RUN --export DIR          # writes DIR/trunk.safetensors and text.safetensors
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import torch
from accelerate import Accelerator

from echotorrent_core import presets
from echotorrent_core.errors import InputError
from echotorrent_core.weights.parts import load_part

from . import checkpoint
from .data.features import FeatureData
from .denoiser import Denoiser
from .export import latest_scores, write_parts
from .loop import Loop, LoopConfig
from .methods.sft import SFT, SFTConfig
from .networks import fresh
from .validation import Validation


def build_student(preset: str, seed: int, attention: str) -> Denoiser:
    """A freshly initialised student of a preset."""
    return fresh(presets.get_preset(preset), seed, attention)


def export(folder: Path, out: Path, preset: str, role: str = "ema") -> None:
    """Write a run's trunk and word table as the parts the engine loads."""
    path = checkpoint.latest(folder)
    if path is None:
        raise InputError(f"{folder}: holds no checkpoint; train first")
    metadata = {"preset": preset, "method": "sft", "steps": checkpoint.read(path)["step"], "role": role}
    metadata["scores"] = latest_scores(folder)
    write_parts(checkpoint.read_role(path, role), out, metadata, torch.float16)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--features", type=Path)
    parser.add_argument("--heldout", type=Path)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--preset", default="embedded")
    parser.add_argument("--init", type=Path, help="start from the trunk.safetensors and text.safetensors here")
    parser.add_argument("--steps", type=int, default=10000)
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--cooldown", type=int, default=0)
    parser.add_argument("--batch", type=int, default=8, help="clips per process and step")
    parser.add_argument("--lr", type=float, default=SFTConfig.lr)
    parser.add_argument("--muon-lr", type=float, default=SFTConfig.muon_lr)
    parser.add_argument("--mouth", type=float, default=SFTConfig.mouth)
    parser.add_argument("--ema", type=float, default=SFTConfig.ema)
    parser.add_argument("--precision", default="bf16", choices=["no", "bf16"])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=int(os.environ.get("OMP_NUM_THREADS", "2")))
    parser.add_argument("--export", type=Path, help="write the engine's parts of --folder here and leave")
    args = parser.parse_args()
    if args.export:
        export(args.folder, args.export, args.preset)
        return
    torch.set_num_threads(args.threads)
    accelerator = Accelerator(cpu=not torch.cuda.is_available(), mixed_precision=args.precision)
    config = presets.get_preset(args.preset)
    student = build_student(args.preset, args.seed, "sdpa" if torch.cuda.is_available() else "math")
    if args.init:
        load_part(student.trunk, args.init / "trunk.safetensors")
        load_part(student.text, args.init / "text.safetensors")
    data = FeatureData(args.features, args.batch, args.seed)
    settings = SFTConfig(lr=args.lr, muon_lr=args.muon_lr, mouth=args.mouth, ema=args.ema)
    method = SFT(config, student, settings, data.channel_scale)
    callbacks = (Validation(args.heldout, 200, config),) if args.heldout else ()
    schedule = LoopConfig(args.steps, cooldown=args.cooldown, minutes=args.minutes, seed=args.seed, save_every=100)
    Loop(method, data, args.folder, schedule, accelerator, callbacks, {"preset": args.preset}).run()


if __name__ == "__main__":
    main()
