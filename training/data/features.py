"""Training data as batches, by number: what `python -m training.data` cached, windows of it at a time.

Shards stay on disk and are paged in as they are read, so a cache may be larger than memory.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from echotorrent_core.errors import InputError

from ..corpus.build import DOMAINS

VERSION = 1
INDEX = "index.json"
MARGIN = 2  # frames on either side of a window that the audio adapter reads
FRAMES = 65  # of a window, unless it was made with another --latents
LATENTS = 17


class Column(Protocol):
    """Rows of one kind: a tensor, or a `Rows`."""

    @property
    def shape(self) -> torch.Size: ...

    def __getitem__(self, index: Any, /) -> Tensor: ...


class Rows:
    """A column that is spread over shards; takes the indices a tensor would: rows, and with rows what to take of each.

    parts: tensors (n, ...), mapped from their files. Texts of different lengths are padded with zeros."""

    def __init__(self, parts: list[Tensor]) -> None:
        self.parts = parts
        ends = np.cumsum([len(part) for part in parts])
        self.starts, self.count = ends - [len(part) for part in parts], int(ends[-1])
        longest = max(part.shape[1:] for part in parts)
        self.shape = torch.Size((self.count, *longest))

    def row(self, number: int) -> Tensor:
        part = int(np.searchsorted(self.starts, number, side="right")) - 1
        return self.parts[part][number - int(self.starts[part])]

    def __getitem__(self, index: Any) -> Tensor:
        rows, *rest = index if isinstance(index, tuple) else (index,)
        if isinstance(rows, int):
            return self.row(rows)[tuple(rest)] if rest else self.row(rows)
        found = [self.row(int(number)) for number in rows]
        if rest and isinstance(rest[0], Tensor):  # one index per row
            return torch.stack([row[int(one)] for row, one in zip(found, rest[0], strict=True)])
        if len({row.shape for row in found}) > 1:
            return torch.nn.utils.rnn.pad_sequence(found, batch_first=True)
        return torch.stack([row[tuple(rest)] for row in found]) if rest else torch.stack(found)


class FeatureData:
    """Batches of windows of whole chunks, by number: most are `short` latents long, some `long`; a share `first_share`
    begins at the stream's start (latent 0, one frame), the others anywhere later.

    path: a folder of `training.data.shards`, or one file of stacked rows; shares: how often rows of each domain are
    drawn (none: all rows alike). channel_scale: what one unit of each latent channel is worth in pixels, (C,);
    rows: what the index says of each row, nothing for a single file.
    """

    def __init__(
        self,
        path: Path,
        batch_size: int,
        seed: int,
        short: int = 8,
        long: int = 16,
        long_share: float = 0.3,
        shares: Mapping[str, float] | None = None,
        first_share: float = 0.25,
    ):
        self.columns, self.channel_scale, self.rows = read_columns(path)
        self.batch_size, self.seed = batch_size, seed
        self.short, self.long, self.long_share, self.first_share = short, long, long_share, first_share
        self.shares = None if shares is None else self._by_domain(shares, path)

    def __len__(self) -> int:
        return int(self.columns["latents"].shape[0])

    def batch(self, index: int) -> dict[str, Tensor]:
        rng = np.random.default_rng([self.seed, index])
        rows = torch.from_numpy(self._draw(rng))
        length = self.long if rng.random() < self.long_share else self.short
        latents = int(self.columns["latents"].shape[2])
        start = 0 if rng.random() < self.first_share else int(rng.integers(1, latents - length + 1))
        variant = torch.from_numpy(rng.integers(self.columns["audio"].shape[1], size=self.batch_size))
        return window(self.columns, rows, variant, start, length)

    def _draw(self, rng: np.random.Generator) -> np.ndarray:
        if self.shares is None:
            return rng.choice(len(self), self.batch_size, replace=len(self) < self.batch_size)
        kinds = rng.choice(len(self.shares), self.batch_size, p=[share for share, _ in self.shares])
        return np.array([rng.choice(self.shares[kind][1]) for kind in kinds])

    def _by_domain(self, shares: Mapping[str, float], path: Path) -> list[tuple[float, np.ndarray]]:
        """(share, rows) of every domain that is to be drawn."""
        total, found = sum(shares.values()), []
        for domain, share in shares.items():
            rows = np.flatnonzero([row["domain"] == domain for row in self.rows])
            if not len(rows):
                raise InputError(f"{path}: holds no rows of the domain '{domain}' (of {', '.join(DOMAINS)})")
            found.append((share / total, rows))
        return found


def read_columns(path: Path) -> tuple[dict[str, Column], Tensor | None, list[dict[str, Any]]]:
    """Columns by name, channel scale and what the index says of the rows. InputError for a cache that is missing, not
    complete or damaged."""
    index = read_index(path) if path.is_dir() or not path.exists() else None
    if index is not None and not index["complete"]:
        missing = sum(shard["rows"] is None for shard in index["shards"])
        raise InputError(f"{path / INDEX}: {missing} shards are not made yet; run its python -m training.data again")
    files = [path] if index is None else [path / shard["file"] for shard in index["shards"] if shard["rows"]]
    parts: dict[str, list[Tensor]] = {}
    for name in files:
        try:
            with safe_open(name, "pt") as file:
                for key in file.keys():  # noqa: SIM118 (not a dict)
                    parts.setdefault(key, []).append(file.get_tensor(key))
        except (OSError, SafetensorError) as error:
            raise InputError(f"{name}: not a readable shard ({error}); make the training data anew") from error
    scale = parts.pop("channel_scale", [None])[0]
    columns: dict[str, Column] = {key: Rows(tensors) for key, tensors in parts.items()}
    return columns, scale, [] if index is None else list(index["rows"])


def read_index(folder: Path) -> dict[str, Any]:
    """The index of a cache. InputError if it is missing or damaged."""
    path = folder / INDEX
    try:
        index = json.loads(path.read_text(encoding="utf-8"))
        if index["settings"]["version"] != VERSION:
            raise InputError(f"{path}: is of version {index['settings']['version']}, {VERSION} is known; make it anew")
        return dict(index)
    except FileNotFoundError:
        raise InputError(
            f"{folder}: holds no training data; make it with python -m training.data --out {folder}"
        ) from None
    except (KeyError, TypeError, json.JSONDecodeError) as error:
        raise InputError(f"{path}: damaged ({error!r}); delete the folder and make it anew") from error


def window(columns: Mapping[str, Column], rows: Tensor, variant: Tensor, start: int, length: int) -> dict[str, Tensor]:
    """A batch of clips' latents [start, start + length) with everything that conditions them.

    latents (B, C, T, h, w); first_latent, reference (B, C, 1, h, w); features (B, F + 2 MARGIN, channels) of all their
    frames and MARGIN more on both sides; energy (B, F) of the voice; mask (B, 1, T, h, w); first: whether they begin a
    stream; of what the preset has, ids (B, 3) or text (B, L, D), start (B, C, n, h, w), image (B, 257, D); domain (B,),
    numbers in DOMAINS."""
    first_frame, last_frame = max(0, 4 * start - 3), 4 * (start + length) - 3
    frames = slice(first_frame, last_frame + 2 * MARGIN)
    features = columns["audio"][rows, variant]
    if "motion" in columns:
        features = torch.cat([features, columns["motion"][rows]], dim=-1)
    latents = columns["latents"][rows]
    batch = {
        "latents": latents[:, :, start : start + length].float(),
        "first_latent": latents[:, :, :1].float(),
        "reference": columns["reference"][rows].float(),
        "features": features[:, frames].float(),
        "mask": columns["mask"][rows, start : start + length].float()[:, None],
        "first": torch.tensor(start == 0),
    }
    if "energy" in columns:
        batch["energy"] = columns["energy"][rows, first_frame:last_frame].float()
    for key in ("ids", "text", "start", "image", "domain"):
        if key in columns:
            value = columns[key][rows]
            batch[key] = value.float() if value.is_floating_point() else value
    return batch
