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

from echotorrent_core import flow, presets
from echotorrent_core.conditioning.text import WordEncoder
from echotorrent_core.model.dit import Trunk
from echotorrent_core.weights.parts import load_part, save_part

from .data.features import FeatureData, window
from .denoiser import Denoiser
from .loop import Loop, LoopConfig, read_metrics
from .methods.sft import SFT, SFTConfig


def build_student(preset: str, seed: int, attention: str) -> Denoiser:
    """A freshly initialised student of a preset."""
    config = presets.get_preset(preset)
    torch.manual_seed(seed)
    trunk = Trunk(config.trunk, attention)
    trunk.init_weights()
    return Denoiser(trunk, WordEncoder(config.text))


class Validation:
    """Held-out clean-estimate errors of the averaged student at pure noise, every `every` steps, always on the same
    clips and noise: over the whole picture, and inside the mouth against that of another clip's audio."""

    def __init__(self, path: Path, every: int, clips: int = 24):
        data = FeatureData(path, clips, seed=0)
        self.every = every
        count = min(clips, len(data))
        rows = torch.arange(count)
        self.batch = window(data.columns, rows, torch.zeros(count, dtype=torch.long), start=1, length=8)

    @torch.no_grad()
    def __call__(self, loop: Loop, step: int) -> dict[str, float] | None:
        if step % self.every or not loop.accelerator.is_main_process:
            return None
        method = loop.method
        assert isinstance(method, SFT)
        student, batch = method.roles["ema"].module, self.batch
        noise = torch.randn(batch["latents"].shape, generator=torch.Generator().manual_seed(0))
        sigma = torch.ones(noise.shape[0], noise.shape[2])
        x = flow.add_noise(batch["latents"], noise, sigma)
        errors = {}
        for name, features in (("", batch["features"]), ("_shuffled", batch["features"].roll(1, 0))):
            with torch.autocast("cpu", torch.bfloat16):
                estimate = student(
                    method.config,
                    x,
                    sigma,
                    batch["reference"],
                    batch["reference"],
                    batch | {"features": features},
                    False,
                )
            error = (estimate.float() - batch["latents"]) ** 2
            errors[f"heldout/x0{name}"] = float(error.mean())
            errors[f"heldout/mouth{name}"] = float((batch["mask"] * error).sum() / batch["mask"].expand_as(error).sum())
        return errors


def export(folder: Path, out: Path, preset: str, role: str = "ema") -> None:
    """Write a run's trunk and word table as the parts the engine loads."""
    state = torch.load(folder / "checkpoint.pt", map_location="cpu", weights_only=True)
    weights = state["roles"][role]
    validated = [m for m in read_metrics(folder) if "heldout/mouth" in m]
    scores = (
        {key: round(value, 4) for key, value in validated[-1].items() if key.startswith("heldout/")}
        if validated
        else {}
    )
    metadata = {"preset": preset, "method": "sft", "steps": state["step"], "role": role, "scores": scores}
    for part, prefix in (("trunk", "trunk."), ("text", "text.")):
        tensors = {k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)}
        save_part(tensors, out / f"{part}.safetensors", metadata)


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
    callbacks = (Validation(args.heldout, every=200),) if args.heldout else ()
    schedule = LoopConfig(args.steps, cooldown=args.cooldown, minutes=args.minutes, seed=args.seed, save_every=100)
    Loop(method, data, args.folder, schedule, accelerator, callbacks).run()


if __name__ == "__main__":
    main()
