"""Are our Wan parts as fast as those of diffusers, with the same weights and inputs?

    python benchmarks/wan_parts.py

Random weights are written once as a diffusers folder, which both sides load with their own loader. All ways to compute
a part must agree before any is timed. Then they run in turns, and a ratio is the median of its pairs' ratios. Streaming
decode is also held against our decode of the whole clip; every latent counts, the first one too.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import common
import numpy as np
import torch
from diffusers import AutoencoderKLWan, WanTransformer3DModel
from parts import now
from torch import Tensor, nn

from echotorrent_core import flow
from echotorrent_core.config import VAEConfig
from echotorrent_core.metrics.timing import paired_ratio
from echotorrent_core.model.dit import Trunk
from echotorrent_core.model.history import FullContext, Geometry
from echotorrent_core.vae.causal import CausalVAE
from echotorrent_core.weights.load import load_module, on_meta
from echotorrent_core.weights.recognise import recognise, trunk_config
from echotorrent_core.weights.source import open_source

OURS, THEIRS, BY_1, BY_4 = "ours", "diffusers", "ours, 1 latent per call", "ours, 4 latents per call"
WANTED = [  # a way, what it is held against, and its cost there at most
    (OURS, THEIRS, 1.0),
    (BY_1, THEIRS, 1.0),
    (BY_4, THEIRS, 1.0),
    (BY_1, OURS, 1.05),
    (BY_4, OURS, 1.05),
]
# Largest mean difference in standard deviations. In bfloat16 the two round at different places.
AGREEMENT = {torch.float32: 1e-4, torch.bfloat16: 0.02}


@dataclass(frozen=True)
class Sizes:
    """Of the trunk: heads of 128 channels, the feed-forward's width, layers, text channels, latents (T, H, W), which
    are T * H/2 * W/2 tokens. Of the VAE: its first width, and frames (T, H, W)."""

    heads: int
    ffn: int
    layers: int
    text: int
    latents: tuple[int, int, int]
    width: int
    frames: tuple[int, int, int]


CPU = Sizes(12, 8960, 2, 4096, (4, 30, 52), 96, (17, 96, 96))  # widths of Wan 1.3B and of Wan's VAE
GPU = Sizes(12, 8960, 10, 4096, (21, 60, 104), 96, (33, 480, 832))
QUICK = Sizes(1, 64, 1, 24, (2, 4, 6), 8, (17, 16, 24))


@dataclass(frozen=True)
class Part:
    """Ways to compute the same tensor, diffusers' among them, and how far they may be apart."""

    name: str
    ways: dict[str, Callable[[], Tensor]]
    agreement: float


def save_random(model: Any, folder: Path) -> None:
    """As diffusers initialises it, but with norms and modulations that show when they are mistaken."""
    for name, value in model.named_parameters():
        if "norm" in name or "table" in name:
            nn.init.normal_(value, mean=1.0, std=0.2)
    model.save_pretrained(folder)


def trunk_part(sizes: Sizes, image: bool, dtype: torch.dtype, device: str, folder: Path) -> Part:
    """One pass at one noise level, with the embedding of the text and of the picture."""
    if not folder.exists():
        model = WanTransformer3DModel(
            num_attention_heads=sizes.heads, in_channels=36 if image else 16, text_dim=sizes.text,
            ffn_dim=sizes.ffn, num_layers=sizes.layers, image_dim=1280 if image else None,
            added_kv_proj_dim=128 * sizes.heads if image else None,
        )  # fmt: skip
        save_random(model, folder)
    theirs = WanTransformer3DModel.from_pretrained(folder, torch_dtype=dtype).to(device)
    part = recognise(open_source(folder))
    config = trunk_config(part)
    with on_meta():
        trunk = Trunk(config)
    load_module(trunk, part.source, dtype=dtype, device=device)

    shapes = ((16, *sizes.latents), (20, *sizes.latents), (512, sizes.text), (257, 1280))
    latents, condition, text, clip = (torch.randn(1, *shape).to(device, dtype) for shape in shapes)
    sigma = torch.tensor([0.7], device=device)
    geometry = Geometry(*trunk.grid(*sizes.latents[1:]), config.head_dim, config.rope_theta)
    context = FullContext(geometry, trunk.attention)

    def ours() -> Tensor:
        tokens = trunk.embed_image(clip) if image else None
        return trunk(latents, sigma, condition if image else None, trunk.embed_text(text), None, context, tokens)

    def other() -> Tensor:
        x = torch.cat([latents, condition], dim=1) if image else latents
        return theirs(x, flow.timestep(sigma), text, clip if image else None, return_dict=False)[0]

    name = f"DiT {'i2v' if image else 't2v'}, {str(dtype).removeprefix('torch.')}"
    return Part(name, {OURS: ours, THEIRS: other}, AGREEMENT[dtype])


def vae_parts(sizes: Sizes, device: str, folder: Path) -> tuple[Part, Part]:
    """Encode and decode in float32, as the engine runs it."""
    save_random(AutoencoderKLWan(base_dim=sizes.width), folder)
    theirs = AutoencoderKLWan.from_pretrained(folder).to(device)
    part = recognise(open_source(folder))
    with on_meta():
        vae = CausalVAE(VAEConfig(**part.facts))
    load_module(vae, part.source, dtype=torch.float32, device=device)
    frames = (2 * torch.rand(1, 3, *sizes.frames) - 1).to(device)
    with torch.inference_mode():
        latents = vae.encode(frames)[0]

    def streamed(count: int) -> Tensor:
        cache, made = None, []
        for few in latents.split(count, dim=2):
            new, cache = vae.decode(few, cache)
            made.append(new.clamp(-1, 1))
        return torch.cat(made, dim=2)

    encode = {OURS: lambda: vae.encode(frames)[0], THEIRS: lambda: theirs.encode(frames).latent_dist.mode()}
    decode = {
        OURS: lambda: vae.decode(latents)[0].clamp(-1, 1),
        THEIRS: lambda: theirs.decode(latents).sample,
        BY_1: lambda: streamed(1),
        BY_4: lambda: streamed(4),
    }
    agreement = AGREEMENT[torch.float32]
    return Part("VAE encode, float32", encode, agreement), Part("VAE decode, float32", decode, agreement)


def all_parts(sizes: Sizes, device: str, folder: Path) -> Iterator[Part]:
    for image in (False, True):
        for dtype in AGREEMENT:
            yield trunk_part(sizes, image, dtype, device, folder / ("i2v" if image else "t2v"))
    yield from vae_parts(sizes, device, folder / "vae")


def differences(part: Part) -> dict[str, float]:
    """Mean difference from diffusers' output in its standard deviations. SystemExit if a way does not agree."""
    expected, found = part.ways[THEIRS]().double(), {}
    for way, compute in part.ways.items():
        output = compute().double()
        if output.shape != expected.shape:
            raise SystemExit(f"{part.name}, {way}: {tuple(output.shape)} instead of {tuple(expected.shape)}")
        found[way] = float((output - expected).abs().mean() / expected.std())
        if not found[way] <= part.agreement:
            raise SystemExit(f"{part.name}, {way}: {found[way]:.2g} standard deviations from {THEIRS}; not comparable")
    return found


def seconds(compute: Callable[[], Tensor], device: str) -> np.ndarray:
    """Wall and CPU time of one call (2,)."""
    begun = now()
    compute()
    if device == "cuda":
        torch.cuda.synchronize()
    return now() - begun


def measure(part: Part, device: str, rounds: int) -> list[dict[str, Any]]:
    """A record per comparison. Every other round runs backwards: what runs first must not be at an advantage."""
    with torch.inference_mode():
        apart = differences(part)
        costs: dict[str, list[np.ndarray]] = {way: [] for way in part.ways}
        for number in range(rounds):
            for way in list(part.ways)[:: 1 - 2 * (number % 2)]:
                costs[way].append(seconds(part.ways[way], device))
    records = []
    for way, against, limit in WANTED:
        if way in costs and against in costs:
            wall, cpu = paired_ratio(np.array(costs[way]), np.array(costs[against]))
            record = {"device": device, "part": part.name, "way": way, "against": against, "limit": limit}
            record |= {"wall_and_cpu_s": np.median(costs[way], axis=0), "wall_ratio": wall, "cpu_ratio": cpu}
            records.append(record | {"difference": apart[way]})
    return records


def row(record: dict[str, Any]) -> tuple[Any, ...]:
    wall, cpu = ("{:.3f} [{:.3f}, {:.3f}]".format(*record[ratio]) for ratio in ("wall_ratio", "cpu_ratio"))
    name = f"{record['part']}, {record['device']}"
    measured = (*record["wall_and_cpu_s"].tolist(), wall, cpu, f"<= {record['limit']:g}", record["difference"])
    return name, record["way"], record["against"], *measured


def main() -> None:
    parser = common.parser(__doc__)
    parser.add_argument("--rounds", type=int, help="times each way runs (default 9, quick 2)")
    args = parser.parse_args()
    facts = common.hardware(args.threads)
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    rounds = args.rounds or (2 if args.quick else 9)
    figures = []
    for device, sizes in (("cpu", CPU), ("cuda", GPU))[: 1 + torch.cuda.is_available()]:
        sizes = QUICK if args.quick else sizes
        with tempfile.TemporaryDirectory() as folder:
            for part in all_parts(sizes, device, Path(folder)):
                figures += measure(part, device, rounds)

    header = ("", "way", "against", "s", "CPU s", "x", "CPU x", "wanted", "apart, std")
    common.table(f"the same weights and inputs, {rounds} rounds", header, [row(record) for record in figures])
    common.finish(args, "wan_parts", facts, {"rounds": rounds, "parts": figures})


if __name__ == "__main__":
    main()
