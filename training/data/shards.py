"""The cache on disk: a folder of safetensors shards and `index.json`, made in parallel, whole after any interruption.

    folder/index.json        settings, shards with their clips, rows (clip, start, mirrored, domain)
    folder/skipped.json      clips that could not be used, each with its reason
    folder/0000.safetensors  tensors of some clips' rows, stacked; what the index says of them is in its metadata

Which clips share a shard is decided once and kept in the index; every row depends on its clip and the settings only;
a shard appears under its name when it is complete. So neither a kill, nor another number of workers, nor clips that
come later change a byte of what there is. The index is always made from the shards.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from tqdm import tqdm

from echotorrent_core import presets
from echotorrent_core.errors import InputError

from ..corpus.build import DOMAINS
from ..files import remove_left_behind, replace_file, replace_text
from . import rows
from .clips import Source
from .encoders import EncoderFiles, Encoders
from .features import INDEX, VERSION, read_index
from .video import BadClip

SKIPPED = "skipped.json"
Item = tuple[str, bool]  # clip, mirrored


@dataclass(frozen=True)
class Plan:
    """What a cache is made of. variants: of each clip's sound; mirror: every clip comes a second time, behind all
    others, as its mirror image; keep_frames: keep the pictures, for the decoder; per_shard: clips."""

    source: Source
    encoders: EncoderFiles
    variants: int = 4
    mirror: bool = False
    keep_frames: bool = False
    seed: int = 0
    per_shard: int = 25

    def settings(self, weights: str) -> dict[str, Any]:
        """What rows depend on: a cache belongs to one such set."""
        own = {key: getattr(self, key) for key in ("variants", "mirror", "keep_frames", "seed")}
        found = {"version": VERSION, "preset": self.encoders.preset, "weights": weights} | own | self.source.settings()
        return json.loads(json.dumps(found))  # as it is read back


def build(folder: Path, plan: Plan, workers: int = 0, progress: bool = True) -> dict[str, Any]:
    """Make the shards that are missing and return the index. workers: processes; 0 encodes in this one.

    InputError if the clips are not of the preset's size, if the folder's cache has other settings, if the disk is full,
    or if not one clip can be used; what was made before stays.
    """
    check_size(plan)
    encoders = plan.encoders.load()
    settings = plan.settings(encoders.weights)
    folder.mkdir(parents=True, exist_ok=True)
    remove_left_behind(folder)
    shards = assign(plan, known_shards(folder, settings))
    made = {name: read for name in shards if (read := read_header(folder / name)) is not None}
    waiting = [name for name in shards if name not in made]
    write_index(folder, settings, shards, made)
    total = sum(len(items) for items in shards.values())
    with tqdm(total=total, unit="clip", desc=folder.name, disable=not progress, mininterval=2) as bar:
        bar.update(sum(len(shards[name]) for name in made))
        jobs = {name: shards[name] for name in waiting}
        for name in _run(folder, plan, encoders, jobs, workers, bar):
            header = read_header(folder / name)
            assert header is not None
            made[name] = header
            bar.set_postfix(skipped=sum(len(h["skipped"]) for h in made.values()))
            write_index(folder, settings, shards, made)
    index = write_index(folder, settings, shards, made)
    if not index["rows"]:
        first = next(h["skipped"][0] for h in made.values())
        raise InputError(
            f"{folder}: none of {total} clips can be used; {folder / SKIPPED} lists why, "
            f"the first: {first['clip']}: {first['reason']}"
        )
    return index


def check_size(plan: Plan) -> None:
    """InputError for a corpus that was rendered at another size than the preset draws."""
    config = presets.get_preset(plan.encoders.preset)
    if plan.source.size != config.size:
        (height, width), (found_height, found_width) = config.size, plan.source.size
        raise InputError(
            f"preset '{config.name}' draws {width} x {height} pixels and these clips have {found_width} x "
            f"{found_height}; render a corpus with python -m training.corpus.build --size {width}, or choose the "
            "preset that they were made for"
        )


def assign(plan: Plan, known: dict[str, list[Item]]) -> dict[str, list[Item]]:
    """Shards with their clips: the known ones as they are, and new ones for clips that they do not hold."""
    names = plan.source.names()
    items = [(name, mirrored) for mirrored in ((False, True) if plan.mirror else (False,)) for name in names]
    held = {item for shard in known.values() for item in shard}
    new = [item for item in items if item not in held]
    shards = dict(known)
    for first in range(0, len(new), plan.per_shard):
        shards[f"{len(shards):04d}.safetensors"] = new[first : first + plan.per_shard]
    return shards


# Making shards, here or in other processes

_worker: tuple[Path, Plan, Encoders] | None = None


def _run(
    folder: Path, plan: Plan, encoders: Encoders, jobs: dict[str, list[Item]], workers: int, bar: tqdm[Any]
) -> Iterator[str]:
    """Names of shards as they are done."""
    if workers <= 0 or len(jobs) < 2:
        for name, items in jobs.items():
            make(folder, plan, encoders, name, items, bar)
            yield name
        return
    context = get_context("spawn")
    with ProcessPoolExecutor(min(workers, len(jobs)), context, _start_worker, (folder, plan)) as pool:
        futures = {pool.submit(_work, name, items): name for name, items in jobs.items()}
        try:
            for future in as_completed(futures):
                future.result()
                bar.update(len(jobs[futures[future]]))
                yield futures[future]
        except BrokenProcessPool as error:
            raise InputError(
                f"{folder}: a worker was ended from outside, perhaps for its memory; run again with fewer --workers, "
                "it goes on where it stopped"
            ) from error
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _start_worker(folder: Path, plan: Plan) -> None:
    global _worker
    torch.set_num_threads(1)
    _worker = (folder, plan, plan.encoders.load())


def _work(name: str, items: list[Item]) -> None:
    assert _worker is not None
    make(*_worker, name, items)


def make(
    folder: Path, plan: Plan, encoders: Encoders, name: str, items: list[Item], bar: tqdm[Any] | None = None
) -> None:
    """One shard: encode its clips, note those that cannot be used."""
    columns: dict[str, list[Tensor]] = {}
    said: list[dict[str, Any]] = []
    skipped: list[dict[str, str]] = []
    for clip_name, mirrored in items:
        before = len(said)
        try:
            clip = plan.source.clip(clip_name)
            for window, row in rows.encode(encoders, clip, mirrored, plan.variants, plan.seed, plan.keep_frames):
                for key, value in row.items():
                    columns.setdefault(key, []).append(value)
                domain = DOMAINS[int(row["domain"])]
                said.append({"clip": clip_name, "start": window.start, "mirrored": mirrored, "domain": domain})
        except BadClip as error:  # also half-way: then no row of the clip counts
            del said[before:]
            columns = {key: values[:before] for key, values in columns.items()}
            if not mirrored:
                skipped.append({"clip": clip_name, "reason": str(error)})
        if bar is not None:
            bar.update()
    tensors = {key: stack(values) for key, values in columns.items() if values}
    if tensors and encoders.vae.skip is not None:
        tensors["channel_scale"] = (encoders.vae.skip.scale * encoders.vae.latent_std).cpu()
    header = {"items": items, "rows": said, "skipped": skipped}
    replace_file(folder / name, lambda path: save_file(tensors, path, {"cache": json.dumps(header)}))


def stack(values: list[Tensor]) -> Tensor:
    """Stacked rows; texts (L, D) of different lengths are padded with zeros, as the trunk pads them."""
    if len({value.shape for value in values}) == 1:
        return torch.stack(values)
    return torch.nn.utils.rnn.pad_sequence(values, batch_first=True)


# Files


def read_header(path: Path) -> dict[str, Any] | None:
    """What a shard says of its rows; None if it is not there or not whole."""
    try:
        with safe_open(path, "pt") as file:
            return dict(json.loads(file.metadata()["cache"]))
    except (OSError, SafetensorError, KeyError, TypeError, ValueError):
        return None


def known_shards(folder: Path, settings: dict[str, Any]) -> dict[str, list[Item]]:
    """The shards of an earlier run. InputError if it had other settings."""
    path = folder / INDEX
    if not path.is_file():
        return {}
    index = read_index(folder)
    found = index["settings"]
    different = sorted(key for key in found.keys() | settings.keys() if found.get(key) != settings.get(key))
    if different:
        key = different[0]
        raise InputError(
            f"{folder}: was made with other settings ({', '.join(different)}; {key}: {found.get(key)} there, "
            f"{settings.get(key)} now); give another folder, or delete this one to make it anew"
        )
    return {
        shard["file"]: [(str(name), bool(mirrored)) for name, mirrored in shard["clips"]] for shard in index["shards"]
    }


def write_index(
    folder: Path, settings: dict[str, Any], shards: dict[str, list[Item]], made: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    """`index.json` and `skipped.json` from the shards made so far; the index."""
    whole = {name: made[name] for name in shards if name in made}
    index = {
        "settings": settings,
        "complete": len(whole) == len(shards),
        "shards": [
            {"file": name, "rows": len(whole[name]["rows"]) if name in whole else None, "clips": items}
            for name, items in shards.items()
        ],
        "rows": [row for header in whole.values() for row in header["rows"]],
    }
    skipped = [one for header in whole.values() for one in header["skipped"]]
    for name, content in ((SKIPPED, skipped), (INDEX, index)):
        text = json.dumps(content, indent=1, ensure_ascii=False)
        replace_text(folder / name, text)
    return index
