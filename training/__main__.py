"""Train a run, or all stages of a recipe in order, each restartable anywhere.

    accelerate launch -m training RUN.yaml [key=value ...]     one process, several, or several machines
    python -m training echotorrent_14b --dry-run               the plan: steps, batches, memory on each process
    python -m training RUN.yaml --stage acc_dmd loop.minutes=30
    python -m training --report FOLDER                         FOLDER/report.html
    python -m training --export FOLDER --out DIR               the weights of the newest checkpoint, for the engine

A run goes on from its newest checkpoint when it is started again. SIGTERM or loop.minutes stop it after one more step,
with a checkpoint.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from echotorrent_core.errors import InputError

UNFINISHED = 3  # exit status of a run that stopped before its end


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="training", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", nargs="?", help="a .yaml file, or the name of a shipped recipe")
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="such as loop.steps=1000")
    parser.add_argument("--stage", help="this stage of a recipe only")
    parser.add_argument("--dry-run", action="store_true", help="print the plan and the memory it needs; load nothing")
    parser.add_argument(
        "--compare", action="store_true", help="with --dry-run: also the other activation checkpointing"
    )
    parser.add_argument("--accept-changes", action="store_true", help="go on though the configuration has changed")
    parser.add_argument("--report", type=Path, metavar="FOLDER", help="write the report of a run and leave")
    parser.add_argument("--export", type=Path, metavar="FOLDER", help="write the weights of a run and leave")
    parser.add_argument("--out", type=Path, help="with --export: where to (default: FOLDER/weights)")
    parser.add_argument("--role", default="", help="with --export: default the averaged student")
    args = parser.parse_intermixed_args(argv)
    if not (args.run or args.report or args.export):
        parser.error("give a run, --report FOLDER or --export FOLDER")
    return args


def main(argv: Sequence[str] | None = None) -> int:
    args = parse(argv)
    try:
        return work(args)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def work(args: argparse.Namespace) -> int:
    if args.report:
        from .report import write_report

        print(write_report(args.report))
        return 0
    if args.export:
        from .export import export, read_run

        print(export(read_run(args.export), args.out, args.role))
        return 0
    from .config import load

    runs = load(args.run, args.overrides)
    if args.stage and args.stage not in runs:
        raise InputError(f"{args.run}: no stage '{args.stage}'; it has {', '.join(runs)}")
    chosen = {name: run for name, run in runs.items() if args.stage in (None, name)}
    if args.dry_run:
        from .plan import show

        return 0 if show(chosen, args.compare) else 1
    from .run import end, start

    try:
        for run in chosen.values():
            if not start(run, args.accept_changes):
                return UNFINISHED
        return 0
    finally:
        end()


if __name__ == "__main__":
    sys.exit(main())
