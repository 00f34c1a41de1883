"""Opening weight files: one file, an index with its shards, a folder, or several of these together.

The format is told by a file's first bytes, never by its name; opening reads headers only.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from pathlib import Path

from ..errors import InputError
from .dequant import dequantised
from .gguf_file import read_gguf
from .pickle_file import read_pickle
from .safetensors_file import read_safetensors
from .tensors import Source, TensorSource, check_finite, merged, renamed

__all__ = ["Source", "TensorSource", "check_finite", "merged", "open_source", "renamed", "weight_files"]

PICKLES = (".pth", ".pt", ".bin", ".ckpt")
WEIGHTS = (".safetensors", ".gguf", *PICKLES)
INDEX = ".index.json"
SHARD = re.compile(r"(.+)-(\d{5})-of-(\d{5})(\.\w+)")


def open_source(*paths: Path | str, allow_pickle: bool = False) -> Source:
    """The tensors of weight files, dequantised; nothing but headers is read yet.

    paths: files, indices of shards, any one shard, or folders that hold one model; several are merged (a base model and
    its adapter). allow_pickle: also read PyTorch files, with `weights_only=True`. InputError says what is wrong.
    """
    sources: dict[str, Source] = {}
    try:
        for path in paths:
            members = _members(Path(path))
            name = os.path.abspath(members[0])
            if name not in sources:  # two shards of one set are one source
                sources[name] = dequantised(_read_set(members, allow_pickle))
    except OSError as error:
        raise InputError(f"{error.filename}: could not be read ({error.strerror or error})") from error
    if not sources:
        raise InputError("no weight files were given; expected at least one file or folder")
    return merged(sources.values()) if len(sources) > 1 else next(iter(sources.values()))


def weight_files(folder: Path) -> list[Path]:
    """What to open for each model in a folder or below it: indices, one shard of each set without one, single files."""
    found: list[Path] = []
    for here in (folder, *sorted(path for path in folder.rglob("*") if path.is_dir())):
        indices = _indices(here)
        sharded = {name for index in indices for name in _names(index)}
        single = (path for path in sorted(here.iterdir()) if path.suffix in WEIGHTS and path.is_file())
        found += [*indices, *_first_of_sets(path for path in single if path.name not in sharded)]
    return found


def _members(path: Path) -> tuple[Path, ...]:
    """The files that belong together with `path`, an index first if there is one."""
    if os.path.isdir(path):
        return _members(_of_folder(path))
    if not os.path.isfile(path):
        raise InputError(f"{path}: not found; expected a weight file or a folder of weights")
    if path.name.endswith(INDEX):
        return (path, *_shards_of_index(path))
    for index in _indices(path.parent):
        if path.name in _names(index):
            return (index, *_shards_of_index(index))
    return _numbered(path)


def _read_set(members: tuple[Path, ...], allow_pickle: bool) -> Source:
    if len(members) == 1:
        return _read_file(members[0], allow_pickle)
    index = members[0] if members[0].name.endswith(INDEX) else None
    shards = merged(_read_file(path, allow_pickle) for path in members if path != index)
    if index is not None:
        for key, name in _weight_map(index).items():
            if key not in shards.tensors or shards.tensor(key).path.name != name:
                raise InputError(
                    f"{index}: says that {name} holds '{key}', which it does not; download the index and its shards "
                    "from the same place"
                )
    return Source(shards.tensors, shards.files, shards.metadata, shards.extras)  # one source, not several parts


def _read_file(path: Path, allow_pickle: bool) -> Source:
    """The tensors of one file as they are stored."""
    with open(path, "rb") as file:
        start = file.read(9)
    if start.startswith(b"GGUF"):
        return read_gguf(path)
    if not _is_pickle(start):
        return read_safetensors(path)
    if not allow_pickle:
        raise InputError(
            f"{path}: is a PyTorch pickle, which can carry code and is only read on request; use a safetensors "
            "version, or allow it (allow_pickle=True, on the command line --allow-pickle; only tensors are loaded then)"
        )
    return read_pickle(path)


def _is_pickle(start: bytes) -> bool:
    """A zip archive, or a bare pickle of protocol 2 to 5 (not the length of a safetensors header)."""
    return start.startswith(b"PK\x03\x04") or (
        start[:1] == b"\x80" and start[1:2] in b"\x02\x03\x04\x05" and start[8:9] != b"{"
    )


def _of_folder(folder: Path) -> Path:
    """The one file of a folder that stands for its model: the index, or the only file, safetensors before pickles."""
    files = sorted(path for path in folder.iterdir() if path.suffix in WEIGHTS and path.is_file())
    groups = [
        _indices(folder),
        _first_of_sets(path for path in files if path.suffix not in PICKLES),
        _first_of_sets(path for path in files if path.suffix in PICKLES),
    ]
    found = next((group for group in groups if group), [])
    if len(found) == 1:
        return found[0]
    if found:
        raise InputError(
            f"{folder}: holds several models ({_some(path.name for path in found)}); name the file that is meant"
        )
    inside = sorted(path.name for path in folder.iterdir() if path.is_dir() and any(_weights_in(path)))
    hint = f"; its folders {_some(inside)} do: name one of them" if inside else f" ({', '.join(WEIGHTS)})"
    raise InputError(f"{folder}: holds no weight files{hint}")


def _weights_in(folder: Path) -> Iterable[Path]:
    return (path for path in folder.iterdir() if path.suffix in WEIGHTS)


def _indices(folder: Path) -> list[Path]:
    """The indices of a folder, those of safetensors if there are any."""
    found = sorted(folder.glob(f"*{INDEX}"))
    safe = [path for path in found if not path.name.removesuffix(INDEX).endswith(PICKLES)]
    return safe or found


def _shards_of_index(index: Path) -> tuple[Path, ...]:
    shards = tuple(index.parent / name for name in sorted(set(_weight_map(index).values())))
    missing = [shard.name for shard in shards if not os.path.isfile(shard)]  # of any string
    if missing:
        raise InputError(
            f"{index}: {len(missing)} of its {len(shards)} shards are missing ({_some(missing)}); download them into "
            f"{index.parent}"
        )
    return shards


def _names(index: Path) -> set[str]:
    """The shards an index names; none if it is damaged, which only matters to who opens it."""
    try:
        return set(_weight_map(index).values())
    except InputError:
        return set()


def _weight_map(index: Path) -> dict[str, str]:
    try:
        content = json.loads(index.read_bytes())
        names = content["weight_map"]
        valid = bool(names) and all(isinstance(name, str) and Path(name).name == name for name in names.values())
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError, OSError) as error:
        raise InputError(f"{index}: is no index of shards ({error!r}); expected JSON with a 'weight_map'") from error
    if not valid:
        raise InputError(f"{index}: its 'weight_map' must name files beside it, one per tensor")
    return dict(names)


def _numbered(path: Path) -> tuple[Path, ...]:
    """A shard without an index: itself and its siblings."""
    match = SHARD.fullmatch(path.name)
    if match is None:
        return (path,)
    stem, _, count, suffix = match.groups()
    shards = tuple(path.parent / f"{stem}-{number:05}-of-{count}{suffix}" for number in range(1, int(count) + 1))
    missing = [shard.name for shard in shards if not os.path.isfile(shard)]  # of any string
    if missing or path not in shards:
        raise InputError(
            f"{path}: is one of {len(shards)} shards, and {len(missing)} are missing ({_some(missing)}); download them "
            f"into {path.parent}"
        )
    return shards


def _first_of_sets(files: Iterable[Path]) -> list[Path]:
    """Files, with one shard standing for each numbered set."""
    sets: dict[object, Path] = {}
    for path in files:
        match = SHARD.fullmatch(path.name)
        sets.setdefault(match.group(1, 3, 4) if match else path, path)
    return list(sets.values())


def _some(names: Iterable[str]) -> str:
    names = list(names)
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
