"""Evaluate weights on held-out people and voices: short clips against their truth, a minute of speech against itself.

    python -m training.evaluation                                        # the shipped embedded model
    python -m training.evaluation --preset embedded_small --parts runs/small/long_tail/weights --parts runs/small/parts
    python -m training.evaluation --parts DIR --out result.json --seed 1 --engine '{"stream": {"cache_write": "clean"}}'

Each part (trunk, text, vae, audio) is taken from the first --parts folder that has it. Intervals are over clips.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from echotorrent_core.errors import InputError
from echotorrent_core.metrics.reader import WEIGHTS, load_reader

from .evaluate import Evaluation, Settings, evaluate
from .heldout import clips_at_hand, held_out
from .sources import load_engine, of_engine
from .statistics import interval


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="training.evaluation", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--preset", default="embedded")
    parser.add_argument("--parts", type=Path, action="append", default=[], metavar="DIR", help="may be given often")
    parser.add_argument("--engine", default="{}", metavar="JSON", help="changed fields of the preset")
    parser.add_argument("--clips", type=int, default=Settings.clips)
    parser.add_argument("--domains", default=",".join(Settings.domains), metavar="NAME,...")
    parser.add_argument("--people", type=int, default=Settings.people, help="long streams, one each")
    parser.add_argument("--seconds", type=float, default=Settings.seconds, help="of a long stream")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--corpus", type=Path, help="held-out corpus (default: the cached one, or rendered now)")
    parser.add_argument("--reader", type=Path, default=WEIGHTS, help="weights of the mouth reader")
    parser.add_argument("--threads", type=int, default=int(os.environ.get("OMP_NUM_THREADS", "1")))
    parser.add_argument("--out", type=Path, metavar="JSON", help="write every clip's figures here")
    args = parser.parse_args(argv)
    if args.clips < 1:
        parser.error("--clips: at least one clip is needed")
    return args


def main(argv: Sequence[str] | None = None) -> int:
    args = parse(argv)
    try:
        found = run(args)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print("\n".join(lines(found)))
    return 0


def run(args: argparse.Namespace) -> Evaluation:
    torch.set_num_threads(args.threads)
    settings = Settings(args.clips, tuple(args.domains.split(",")), args.people, args.seconds, args.seed)
    engine = load_engine(args.preset, args.parts, json.loads(args.engine))
    size = engine.config.size
    if args.corpus is None:
        held = clips_at_hand(settings.clips, settings.domains, size[0])
    else:
        held = list(held_out(settings.clips, settings.domains, args.corpus))
    if not held:
        raise InputError(f"{args.corpus}: holds no clips of {args.domains}; name other domains or another corpus")
    facts = {"preset": args.preset, "engine": engine.fingerprint}
    found = evaluate(of_engine(engine), size, held, settings, load_reader(args.reader), facts)
    if args.out:
        found.save(args.out)
    return found


def lines(found: Evaluation) -> list[str]:
    """The figures as text."""
    shown = [f"{'short clips':18}{'mean and interval':>26}{'true frames':>14}"]
    for name, values in found.clips.items():
        mean, low, high = interval([values])
        shown.append(f"{name:18}{mean:10.3f} [{low:6.3f}, {high:6.3f}]{interval([found.truth[name]]).mean:14.3f}")
    shown.append(f"{'sync, pooled':18}{found.pooled['made']:10.3f}{'':17}{found.pooled['true']:14.3f}")
    shown.append("long streams")
    for name, values in found.streams.items():
        mean, low, high = interval([values])
        shown.append(f"{name:18}{mean:10.3f} [{low:6.3f}, {high:6.3f}]")
    return [*shown, f"{found.facts['cpu_seconds']:.0f} CPU-seconds"]


if __name__ == "__main__":
    sys.exit(main())
