"""The work of fine-tune jobs: look at clips, learn a person, compare what was learnt. `KINDS` is what workers call.

JOB/data/                                  rows of the person and of others, the reference still
JOB/run/                                   the run (training/run.py), its decoder's in run/decoder
JOB/run/identities/step-00000050.safetensors   what can be loaded, one per checkpoint
JOB/run/samples/                           videos
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from PIL import Image

from echotorrent_core.errors import InputError
from echotorrent_core.weights import identity as files

from .. import checkpoint
from ..config import RunConfig, SampleSettings, load
from ..jobs.report import Report, Stopped
from .clips import write_verdict
from .dataset import person_clips, read_dataset
from .prepare import FEATURES, OTHERS, REFERENCE, prepare
from .schema import RECIPES, checked

PREVIEW = 160  # pixels


def check_clips(spec: Mapping[str, Any], folder: Path, report: Report) -> dict[str, Any]:
    """Verdicts and thumbnails of all clips of a dataset."""
    dataset = Path(spec["dataset"])
    _, uses = read_dataset(dataset)
    report.phase("looking at clips")
    usable = 0
    source = person_clips(dataset, base_preset(str(spec.get("preset", "embedded"))), _landmarks(spec))
    for number, name in enumerate(uses):
        _obey(report)
        report.progress(number, len(uses))
        usable += write_verdict(dataset, source, name).usable
    report.progress(len(uses), len(uses))
    return {"clips": len(uses), "usable": usable}


def fine_tune(spec: Mapping[str, Any], folder: Path, report: Report) -> dict[str, Any]:
    """Learn the person of a dataset, going on from the newest checkpoint in `folder`. InputError for bad settings and
    for clips of which none can be used; `Stopped`, after a checkpoint, when that is wanted."""
    from ..run import start
    from .watch import Learning

    try:
        settings = checked(str(spec["preset"]), dict(spec.get("settings", {})))
    except ValueError as error:
        raise InputError(str(error)) from None
    trunk, decoder = runs(spec, settings, folder)
    dataset, data = Path(spec["dataset"]), folder / "data"
    total = trunk.loop.steps + (decoder.loop.steps if decoder else 0)
    report.phase("preparing data")

    def tell(done: int, clips: int) -> None:
        report.progress(0, total)
        _obey(report)

    summary = prepare(
        dataset,
        data,
        trunk.preset,
        tuple(map(Path, trunk.assets)),
        _landmarks(settings),
        str(spec.get("device", "cpu")).partition(":")[0],  # a worker sees one device
        keep_frames=decoder is not None,
        tell=tell,
        begun=checkpoint.latest(trunk.folder) is not None,
    )
    name = str(spec.get("name") or read_dataset(dataset)[0])
    told = {"name": read_dataset(dataset)[0], **summary}
    about = files.Identity(name, trunk.preset, "", 0, told, settings, preview=preview(data / REFERENCE))
    learning = Learning(about, trunk, folder / "run", report, total)
    report.phase("training")
    if not start(trunk, watch=learning.callbacks()):
        raise Stopped(learning.command)
    if decoder is not None:
        report.phase("training the picture decoder")
        learning.begin_decoder(decoder)
        if not start(decoder, watch=learning.callbacks()):
            raise Stopped(learning.command)
    report.phase("writing")
    report.progress(total, total)
    return {"identity": str(learning.newest()), "steps": total} | summary


def runs(spec: Mapping[str, Any], settings: Mapping[str, Any], folder: Path) -> tuple[RunConfig, RunConfig | None]:
    """The trunk's run, and the decoder's where it is asked for, as the preset's recipe and the settings say."""
    recipe = load(RECIPES[str(spec["preset"])])
    trunk, decoder = recipe["identity"], recipe.get("decoder")
    given, data = tuple(settings.get("weights", ())), folder / "data"
    roles, s = trunk.roles, settings
    student = replace(
        roles.student,
        weights=given or roles.student.weights,
        lora=replace(roles.student.lora, rank=s["rank"], alpha=float(s["rank"])),
    )
    steps, share = s["steps"], trunk.loop.cooldown / trunk.loop.steps
    made = replace(
        trunk,
        folder=folder / "run",
        assets=given,
        roles=replace(roles, student=student),
        data=replace(trunk.data, features=data / FEATURES, batch=s["batch"]),
        loop=replace(
            trunk.loop, steps=steps, cooldown=round(share * steps), save_every=s["save_every"], seed=s["seed"]
        ),
        settings=replace(trunk.settings, others=data / OTHERS, prior=s["prior"], mouth=s["mouth"], lr=s["lr"]),
        samples=SampleSettings(),
    )
    if decoder is None or not s["decoder_steps"]:
        return made, None
    steps, share = s["decoder_steps"], decoder.loop.cooldown / decoder.loop.steps
    asked = replace(decoder.roles.student, weights=student.weights, loras=(str(made.folder / "weights"),))
    return made, replace(
        decoder,
        folder=folder / "run" / "decoder",
        assets=given,
        roles=replace(decoder.roles, student=asked),
        data=replace(decoder.data, features=data / FEATURES),
        loop=replace(
            decoder.loop, steps=steps, cooldown=round(share * steps), save_every=s["save_every"], seed=s["seed"]
        ),
    )


def compare(spec: Mapping[str, Any], folder: Path, report: Report) -> dict[str, Any]:
    """A video per identity file of a job, all of the same still, sound and seed, into `folder`/run/samples."""
    from .watch import compare_videos

    return compare_videos(spec, folder, report, _obey)


def base_preset(name: str) -> str:
    """The preset whose faces and sizes the clips of a form's preset are looked at with."""
    if name not in RECIPES:
        raise InputError(f"preset '{name}' cannot be tuned to a person; expected one of {', '.join(RECIPES)}")
    return load(RECIPES[name])["identity"].preset


def preview(reference: Path) -> bytes:
    """A small JPEG of the still."""
    made = io.BytesIO()
    with Image.open(reference) as picture:
        small = picture.convert("RGB")
        small.thumbnail((PREVIEW, PREVIEW))
        small.save(made, "JPEG", quality=85)
    return made.getvalue()


def _landmarks(told: Mapping[str, Any]) -> Path | None:
    said = told.get("landmarks")
    return Path(str(said)) if said else None


def _obey(report: Report) -> None:
    """Between two clips or videos, where there is nothing to save."""
    for command in report.wanted():
        if command in ("stop", "pause"):
            raise Stopped(command)
        report.done(command)


KINDS: dict[str, Callable[[Mapping[str, Any], Path, Report], dict[str, Any]]] = {
    "identity": fine_tune,
    "check": check_clips,
    "compare": compare,
}
