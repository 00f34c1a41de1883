"""The ablation table: train and judge every row, over several seeds, from shared first stages; restartable anywhere.

    python -m training.ablate                                    # all rows, 3 seeds, of the recipe `ablation`
    python -m training.ablate data.features=DIR assets=[DIR]     # overrides, as for `python -m training`
    python -m training.ablate --rows no_sink,full_causal --seeds 0,1,2,3,4 --workers 8
    python -m training.ablate --budget 0.05                      # a rehearsal with a twentieth of all steps
    python -m training.ablate --report-only

Jobs are processes on one thread each. What rows have in common is trained once (training/ablation/plan.py); what is
done is not done again, and a job that fails is listed while the others go on. The table goes to docs/ablations.md.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from echotorrent_core.errors import InputError

from .ablation.jobs import is_done, logs, spent, work
from .ablation.plan import Plan, Recipe, make_plan
from .ablation.rows import ROWS, chosen
from .ablation.table import write_report, write_result
from .recipes.embedded import SMALL, Budget, Work

RECIPE = "ablation"  # on the small recipe's clips, codec, audio encoder and base


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="training.ablate", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="of the recipe, for all rows")
    parser.add_argument("--recipe", default=RECIPE, help="a .yaml file, or the name of a shipped recipe")
    parser.add_argument("--rows", default="", metavar="NAME,...", help=f"of {', '.join(ROWS)} (default: all)")
    parser.add_argument("--seeds", default="0,1,2", metavar="N,...")
    parser.add_argument("--budget", type=float, default=1.0, help="share of all steps")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes at a time")
    parser.add_argument("--out", type=Path, default=Path("runs/ablations"))
    parser.add_argument("--docs", type=Path, default=Path("docs"), help="where ablations.md and its pictures go")
    parser.add_argument("--judge", default="", metavar="ARGUMENTS", help="for python -m training.evaluation")
    parser.add_argument("--report-only", action="store_true", help="write the table of what is there")
    parser.add_argument("--dry-run", action="store_true", help="list the jobs, and leave")
    args = parser.parse_args(argv)
    args.rows = [name for name in args.rows.split(",") if name]
    if unknown := [name for name in args.rows if name not in ROWS]:
        parser.error(f"unknown row '{unknown[0]}'; rows are {', '.join(ROWS)}")
    try:
        args.seeds = [int(seed) for seed in args.seeds.split(",")]
    except ValueError:
        parser.error(f"--seeds: expected whole numbers with commas, got '{args.seeds}'")
    if args.budget <= 0 or args.workers < 1:
        parser.error("--budget and --workers must be above 0")
    return args


def main(argv: Sequence[str] | None = None) -> int:
    args = parse(argv)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that jobs are stopped with a checkpoint
    try:
        if args.report_only:
            print(write_report(args.out, args.docs))
            return 0
        return run(args)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped; the same command goes on from here", file=sys.stderr)
        return 130


def run(args: argparse.Namespace) -> int:
    recipe = Recipe(args.recipe, (*prepared(args.recipe), *args.overrides), args.budget)
    rows = chosen(args.rows)
    plan = make_plan(recipe, ROWS, args.seeds, args.out, args.judge.split())
    jobs = plan.needed(rows)
    if args.dry_run:
        for job in jobs:
            print(f"{'done ' if is_done(job) else ''}{job.name}")
        print(f"{len(jobs)} jobs for {len(rows)} rows and {len(args.seeds)} seeds")
        return 0
    try:
        failures = work(jobs, args.workers)
    finally:  # also what an interruption has left, for --report-only
        collect(plan, rows, args.out)
    for line in logs(failures):
        print(line, file=sys.stderr)
    print(write_report(args.out, args.docs))
    return 1 if failures else 0


def prepared(recipe: str) -> list[str]:
    """Overrides that name what `python -m training.recipes.embedded` has made for a recipe: parts, data, and stages
    that are done."""
    makers = {budget.trunk: budget for budget in (SMALL, Budget())} | {RECIPE: SMALL}
    return Work.of(makers[recipe]).overrides() if recipe in makers else []


def collect(plan: Plan, rows: Sequence[str], out: Path) -> None:
    """Results of the rows whose evaluations are done."""
    for ending in plan.endings:
        judged = plan.jobs[ending.judged]
        if ending.row in rows and is_done(judged):
            seconds = spent([plan.jobs[key] for key in ending.own])
            write_result(out, ending.row, ending.seed, ending.judged, judged.done, seconds)


if __name__ == "__main__":
    sys.exit(main())
