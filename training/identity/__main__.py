"""Learn a person from a folder of clips, without a queue (python -m training.jobs has one).

    python -m training.identity check DATASET                       # a verdict per clip
    python -m training.identity tune DATASET --out FOLDER           # FOLDER/run/identities/*.safetensors
    python -m training.identity tune DATASET --out FOLDER steps=60 decoder_steps=0
    python -m training.identity prepare DATASET --out data/person   # only the rows, for python -m training identity_14b
    python -m training.identity export RUN --name Ana --out ana.safetensors      # of such a run

DATASET is a folder with clips/ in it, or a folder of clips, of which it then makes one. Run again to go on.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import torch
import yaml

from echotorrent_core.errors import InputError
from echotorrent_core.weights import identity as files

from ..config import engine_config
from ..export import read_run
from ..files import replace_file, replace_text
from ..jobs.report import Console, Stopped
from ..networks import LORA, WEIGHTS, resolve
from .dataset import CLIPS, DATASET, is_picture, is_video
from .job import check_clips, fine_tune
from .prepare import prepare
from .schema import RECIPES


def as_dataset(folder: Path, beside: Path) -> Path:
    """The dataset that a folder is, or one in `beside` that holds links to its clips, or copies."""
    if (folder / DATASET).is_file():
        return folder
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; give a folder of clips")
    found = [path for path in sorted(folder.iterdir()) if is_video(path) or is_picture(path)]
    if not any(is_video(path) for path in found):
        raise InputError(f"{folder}: holds no clips; give a folder with videos of one person who talks")
    (beside / CLIPS).mkdir(parents=True, exist_ok=True)
    for path in found:
        target = beside / CLIPS / path.name
        if not target.exists():
            data = path.read_bytes()
            replace_file(target, lambda temporary, data=data: temporary.write_bytes(data))  # type: ignore[misc]
    text = json.dumps({"name": folder.name, "clips": {path.name: {} for path in found}})
    replace_text(beside / DATASET, text)
    return beside


def export(run: Path, name: str, out: Path) -> None:
    """The identity file of a finished run of `python -m training identity_...`."""
    from .watch import base_of

    config, source = read_run(run), run / WEIGHTS / LORA
    if not source.is_file():
        raise InputError(f"{run}: has written no {LORA} yet; train it to its end, or python -m training --export {run}")
    weights = files.open_source(source)
    student = config.roles.student
    base = base_of(engine_config(config), [Path(p) for p in resolve(student.weights, config.folder)], student.loras)
    about = files.Identity(name, config.preset, base, config.loop.steps, settings={"run": str(run.name)})
    adapters = {key: weights.read(key, torch.float32) for key in weights.keys()}  # noqa: SIM118
    files.write_identity(out, adapters, student.lora.alpha, student.lora.rank, about, {})


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m training.identity", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=("check", "tune", "prepare", "export"))
    parser.add_argument("folder", type=Path, help="of clips, or of a run")
    parser.add_argument("settings", nargs="*", metavar="key=value", help="of tune: see training/identity/schema.py")
    parser.add_argument("--out", type=Path, help="where to (default: FOLDER-identity)")
    parser.add_argument("--preset", default="embedded", choices=list(RECIPES), help="of check and tune")
    parser.add_argument("--encoders", default="", help="of prepare: the preset whose encoders are used")
    parser.add_argument("--weights", type=Path, nargs="*", default=[], help="of published presets: files and folders")
    parser.add_argument("--landmarks", type=Path, help="of published presets: MediaPipe's face_landmarker.task")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--name", default="", help="of the identity (default: the folder's)")
    args = parser.parse_intermixed_args(arguments)
    out = args.out or args.folder.with_name(f"{args.folder.name}-identity")
    try:
        if args.command == "export":
            export(args.folder, args.name or args.folder.name, out)
            print(out)
            return 0
        dataset = as_dataset(args.folder, out / "dataset")
        spec = {"preset": args.preset, "dataset": str(dataset), "name": args.name, "device": args.device}
        if args.landmarks:
            spec["landmarks"] = str(args.landmarks)
        if args.command == "check":
            check_clips(spec, out, Console())
            for path in sorted((dataset / "made").glob("*.json")):
                said = json.loads(path.read_text(encoding="utf-8"))
                print(f"{path.stem}: {'fit' if said['usable'] else said['reason'] + ': ' + said['sentence']}")
        elif args.command == "prepare":
            preset = args.encoders or args.preset
            print(prepare(dataset, out, preset, tuple(args.weights), args.landmarks, args.device))
        else:
            settings = dict(text.partition("=")[::2] for text in args.settings)
            settings = {key: yaml.safe_load(value) for key, value in settings.items()}
            settings |= {"weights": [str(p) for p in args.weights]} if args.weights else {}
            settings |= {"landmarks": str(args.landmarks)} if args.landmarks else {}
            print(fine_tune(spec | {"settings": settings}, out, Console())["identity"])
        return 0
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except Stopped:
        return 3


if __name__ == "__main__":
    sys.exit(main())
