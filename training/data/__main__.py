"""Clips into training data: checked, cropped, encoded and cached; run again to go on after an interruption.

    python -m training.data --corpus DIR --out DIR --mirror                      # the procedural corpus
    python -m training.data --clips DIR --landmarks face_landmarker.task --out DIR --workers 8
    python -m training.data --clips DIR --landmarks FILE --out DIR --preset echotorrent_14b --weights DIR --device cuda

The result is a folder that `training.data.features.FeatureData` reads; skipped.json in it lists the clips that could
not be used.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from echotorrent_core import presets
from echotorrent_core.errors import InputError

from .clips import Corpus, Source, VideoFolder
from .encoders import EncoderFiles
from .faces import MediaPipe
from .shards import SKIPPED, Plan, build
from .tracks import Limits


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.data", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--corpus", type=Path, help="folder of training.corpus.build")
    source.add_argument("--clips", type=Path, help="folder of videos")
    parser.add_argument("--landmarks", type=Path, help="MediaPipe's face_landmarker.task, for --clips")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--preset", default="embedded", choices=list(presets.PRESETS))
    parser.add_argument("--weights", type=Path, nargs="*", default=[], help="files and folders of its encoders")
    parser.add_argument("--tokenizer", type=Path, help="of the text encoder, if it is not beside it")
    parser.add_argument("--allow-pickle", action="store_true", help="read .pth weights too")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--latents", type=int, default=17, help="latents of a window (17 are 65 frames)")
    parser.add_argument("--variants", type=int, default=4, help="of each clip's sound: clean and augmented")
    parser.add_argument("--mirror", action="store_true", help="every clip also as its mirror image in other light")
    parser.add_argument("--keep-frames", action="store_true", help="keep the pictures, which decoder_refiner needs")
    parser.add_argument("--longest", type=float, default=Limits.longest, help="seconds of a clip, for --clips")
    parser.add_argument("--per-shard", type=int, default=Plan.per_shard, help="clips in a file")
    parser.add_argument("--workers", type=int, default=0, help="processes; 0 encodes in this one")
    parser.add_argument("--seed", type=int, default=0)
    return parser


def source(args: argparse.Namespace) -> Source:
    """Where the clips come from. InputError if faces cannot be found in them."""
    if args.corpus:
        return Corpus(args.corpus)
    if args.landmarks is None:
        raise InputError("--clips needs --landmarks FILE, MediaPipe's face_landmarker.task (--corpus needs none)")
    faces = MediaPipe(args.landmarks)
    faces.check()
    config = presets.get_preset(args.preset)
    frames = 1 + config.vae.time_stride * (args.latents - 1)
    limits = Limits(longest=args.longest)
    return VideoFolder(args.clips, config.size, config.vae.space_stride, frames, faces, limits, args.seed)


def main(arguments: Sequence[str] | None = None) -> int:
    args = parser().parse_args(arguments)
    try:
        encoders = EncoderFiles(args.preset, tuple(args.weights), args.tokenizer, args.device, args.allow_pickle)
        plan = Plan(source(args), encoders, args.variants, args.mirror, args.keep_frames, args.seed, args.per_shard)
        index = build(args.out, plan, args.workers)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    clips = {row["clip"] for row in index["rows"]}
    skipped = {name for shard in index["shards"] for name, _ in shard["clips"]} - clips
    print(f"{len(index['rows'])} rows of {len(clips)} clips in {args.out}")
    if skipped:
        print(f"{len(skipped)} clips could not be used: {args.out / SKIPPED}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
