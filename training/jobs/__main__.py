"""Fine-tune jobs from a shell; they run on when it is closed.

    python -m training.jobs add ana steps=400 --clips talk.mp4 portrait.png     make a dataset of files, and a job of it
    python -m training.jobs add ana --dataset ID --device cuda:0
    python -m training.jobs list
    python -m training.jobs show|watch|log|start|stop|pause|resume|requeue|save|sample|duplicate|delete JOB
    python -m training.jobs check DATASET              look at its clips
    python -m training.jobs work                       keep the queues going until they are empty

A job may be named by the first digits of its id. --root: where jobs and datasets lie, such as ComfyUI's folder
user/echotorrent; by default below $ECHOTORRENT_CACHE.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ..paths import cache_folder
from . import files, views
from .errors import Refused
from .service import WORK, Service
from .store import ACTIVE, Job

POLL = 2.0  # seconds
ON_ONE = (
    "start",
    "stop",
    "pause",
    "resume",
    "requeue",
    "save",
    "sample",
    "duplicate",
    "delete",
    "show",
    "log",
    "watch",
)


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.jobs", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--root", type=Path, default=cache_folder() / "training")
    parser.add_argument("--kinds", default=WORK, help=argparse.SUPPRESS)
    commands = parser.add_subparsers(dest="command", required=True)
    add = commands.add_parser("add", help="make a job and queue it")
    add.add_argument("name")
    add.add_argument("settings", nargs="*", metavar="key=value", help="such as steps=400; values as in JSON")
    source = add.add_mutually_exclusive_group(required=True)
    source.add_argument("--clips", type=Path, nargs="+", help="videos and stills, or folders of them")
    source.add_argument("--dataset", help="id of one that is there")
    add.add_argument("--preset", default="embedded")
    add.add_argument("--device", default="cpu")
    add.add_argument("--later", action="store_true", help="leave it stopped")
    commands.add_parser("list", help="all jobs and datasets")
    commands.add_parser("work", help="keep the queues going until they are empty")
    commands.add_parser("check", help="look at the clips of a dataset").add_argument("dataset")
    for name in ON_ONE:
        one = commands.add_parser(name)
        one.add_argument("job")
        if name == "stop":
            one.add_argument("--force", action="store_true", help="at once, without a checkpoint")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    args = parser().parse_args(arguments)
    service = Service(args.root, kinds=args.kinds)
    try:
        service.poll()
        done = run(service, args)
        service.poll()
        return done
    except Refused as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def run(service: Service, args: argparse.Namespace) -> int:
    if args.command == "add":
        key = args.dataset or made_dataset(service, args.name, args.clips)
        settings = dict(setting(text) for text in args.settings)
        print(service.create(args.name, args.preset, key, settings, args.device, not args.later).id)
    elif args.command == "check":
        print(service.check(args.dataset).id)
    elif args.command == "list":
        for job in service.store.all():
            print(line(job))
        for found in service.datasets.all():
            print(f"{found['id']}  dataset {found['name']}, {len(found['clips'])} clips")
    elif args.command == "work":
        work(service)
    else:
        return on_one(service, args, chosen(service, args.job))
    return 0


def on_one(service: Service, args: argparse.Namespace, key: str) -> int:
    name = args.command
    deeds: dict[str, Callable[[], Any]] = {
        "start": lambda: service.start(key),
        "resume": lambda: service.start(key, first=True),
        "stop": lambda: service.stop(key, args.force),
        "pause": lambda: service.pause(key),
        "requeue": lambda: service.requeue(key),
        "duplicate": lambda: service.duplicate(key),
        "delete": lambda: service.delete(key),
    }
    if name == "watch":
        return watch(service, key)
    if name == "log":
        print(views.log(service, key)["text"], end="")
    elif name == "show":
        print(json.dumps(views.job(service, service.store.find(key)), indent=1, ensure_ascii=False))
    elif name in ("save", "sample"):
        service.order(key, name)
    elif (changed := deeds[name]()) is not None:
        print(line(changed))
    return 0


def chosen(service: Service, text: str) -> str:
    """The id that begins like that. Refused if there is none, or more than one."""
    found = [job.id for job in service.store.all() if text and job.id.startswith(text)]
    if len(found) != 1:
        raise Refused(f"{'several jobs begin' if found else 'there is no job that begins'} with {files.quoted(text)}")
    return found[0]


def made_dataset(service: Service, name: str, clips: Sequence[Path]) -> str:
    for path in clips:
        if not path.exists():
            raise Refused(f"{path}: not found; give videos, stills or folders of them")
    key = str(service.datasets.create(name)["id"])
    for path in clips:
        service.datasets.take(key, path)
    return key


def setting(text: str) -> tuple[str, Any]:
    """key=value; the value as JSON, or else as the text that it is."""
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise Refused(f"{files.quoted(text)}: expected key=value, such as steps=400")
    try:
        return key, json.loads(value)
    except ValueError:
        return key, value


def line(job: Job) -> str:
    steps = f", step {job.step} of {job.total}" if job.total else ""
    return f"{job.id}  {job.name}: {job.kind} on {job.device}, {job.state}{steps}{': ' * bool(job.reason)}{job.reason}"


def work(service: Service) -> None:
    """Poll until nothing waits or runs."""
    while any(job.state in ("queued", *ACTIVE) for job in service.store.all()):
        service.poll()
        time.sleep(POLL)


def watch(service: Service, key: str) -> int:
    """Show how a job goes on until it rests; 0 if it is finished."""
    shown = ""
    while True:
        job = service.store.find(key)
        numbers = "".join(f", {name} {value:.4g}" for name, value in job.metrics.items() if value is not None)
        if (text := f"{line(job)}{numbers}") != shown:
            print(text, flush=True)
            shown = text
        if job.state not in ("queued", *ACTIVE):
            return 0 if job.state == "finished" else 1
        service.poll()
        time.sleep(POLL)


if __name__ == "__main__":
    sys.exit(main())
