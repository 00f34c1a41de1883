"""What a video shows, per frame, per clip and per long stream. Analogues of the paper's columns (Table 2), of all of
which higher is better:

    Sync-C   sync         correlation of the openness read from the lips with that of the sound; frozen lips score 0
    IQA      quality      exp(-|log(sharpness / sharpness of true frames)|): blur and grain cost alike
    ID       identity     cosine of the face's embedding with the portrait's
    HA       confidence   how sure the reader is of a face, and a clean one: it was trained on damaged ones too
    BC       background   1 - mean change of the upper corners from the portrait, as a share of full scale

The paper's judges (SyncNet, Q-Align, VBench) know photographs. These know the corpus' world, and nothing outside it.

Dimensions: T frames of a video, (T, H, W, 3) uint8.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from echotorrent_core.metrics import drift, identity, lipsync
from echotorrent_core.metrics.reader import MouthReader, Reading, read

from .heldout import to_tensor

Measured = dict[str, np.ndarray]
Figures = dict[str, float]
BINS = 30  # points of a curve


def look(reader: MouthReader, frames: np.ndarray) -> Reading:
    """What the mouth reader sees in frames of any size; it scales them to its own, 128 px."""
    return read(reader, to_tensor(frames))


def follow(chunks: Iterable[np.ndarray], portrait: np.ndarray, reader: MouthReader) -> Measured:
    """Per-frame measures of a video that comes in chunks, of which none is kept: (T,), colour (T, 3).

    open, wide, confidence: as read; identity: cosine distance to the portrait (H, W, 3); background: mean change of
    its corners, 0..255; sharpness; psnr: to the portrait, dB; motion: mean change from the frame before, 0..255."""
    reference = look(reader, portrait[None]).identity[0].numpy()
    measured: dict[str, list[np.ndarray]] = {}
    before = None
    for frames in chunks:
        reading = look(reader, frames)
        shown = frames.astype(np.float32)
        joined = shown if before is None else np.concatenate([before, shown])
        before = shown[-1:]
        for name, values in {
            "open": reading.open.numpy(),
            "wide": reading.wide.numpy(),
            "confidence": reading.confidence.numpy(),
            "identity": identity.distance(reading.identity.numpy(), reference),
            "colour": drift.mean_colour(frames),
            "background": drift.corner_change(frames, portrait),
            "sharpness": drift.sharpness(frames),
            "psnr": drift.psnr(frames, portrait),
            "motion": np.abs(np.diff(joined, axis=0)).mean(axis=(1, 2, 3)),
        }.items():
            measured.setdefault(name, []).append(values)
    found = {name: np.concatenate(values) for name, values in measured.items()}
    return found | {"motion": np.concatenate([found["motion"][:1], found["motion"]])}  # the first has none before it


def cut(measured: Measured, begin: int, end: int) -> Measured:
    return {name: values[begin:end] for name, values in measured.items()}


def columns(made: Measured, truth: np.ndarray, sharpness: float) -> Figures:
    """The table's five columns of one video. truth (T,): openness of the sound; sharpness: of true frames."""
    sync = lipsync.correlation(made["open"], truth)
    moving = truth.std() >= lipsync.STILL
    return {
        "sync": (0.0 if np.isnan(sync) else sync) if moving else float("nan"),
        "quality": float(np.exp(-np.abs(np.log(np.maximum(made["sharpness"], 1e-6) / sharpness))).mean()),
        "identity": float(1 - made["identity"].mean()),
        "confidence": float(made["confidence"].mean()),
        "background": float(1 - made["background"].mean() / 255),
    }


def clip_figures(made: Measured, true: Measured, params: np.ndarray, closures: np.ndarray) -> Figures:
    """A short clip against its true frames. Beside the columns: closures: share of closures hit; spread: standard
    deviation of the openness over the true one's; sharpness, motion: over the true ones; colour: mean distance of the
    mean colours, 0..255. NaN where a clip has none (no closure, no word spoken)."""
    truth = params[:, 0]
    return columns(made, truth, float(true["sharpness"].mean())) | {
        "closures": lipsync.closure_hits([made["open"]], [closures]),
        "spread": lipsync.spread_ratio([made["open"]], [truth]),
        "sharpness": float(made["sharpness"].mean() / true["sharpness"].mean()),
        "motion": float(made["motion"][1:].mean() / max(true["motion"][1:].mean(), 1e-6)),
        "colour": float(np.abs(made["colour"].mean(0) - true["colour"].mean(0)).mean()),
    }


def stream_figures(made: Measured, truth: np.ndarray, sharpness: float) -> Figures:
    """A long stream. Beside the columns, the last fifth of the video against the first: identity_drift: further from
    the portrait by; colour_drift: of the channel that moves most, 0..255; colour_wander: the same between
    neighbouring fifths, which is what it comes to where nothing drifts; sharpness_drift, motion_drift: relative;
    sync_drift; and sync_last, spread. `sharpness`: the portrait's."""
    ends = {name: drift.fifths(values)[[0, -1]] for name, values in made.items()}
    found, heard = np.array_split(made["open"], drift.PARTS), np.array_split(truth, drift.PARTS)
    first, last = (np.nan_to_num(lipsync.correlation(found[k], heard[k])) for k in (0, -1))
    return columns(made, truth, sharpness) | {
        "spread": lipsync.spread_ratio([made["open"]], [truth]),
        "sync_last": float(last),
        "sync_drift": float(last - first),
        "identity_drift": float(ends["identity"][1] - ends["identity"][0]),
        "colour_drift": float(np.abs(ends["colour"][1] - ends["colour"][0]).max()),
        "colour_wander": float(np.abs(np.diff(drift.fifths(made["colour"]), axis=0)).max(1).mean()),
        "sharpness_drift": _relative(ends["sharpness"]),
        "motion_drift": _relative(ends["motion"]),
    }


def _relative(ends: np.ndarray) -> float:
    return float(ends[1] / max(ends[0], 1e-6) - 1)


def curves(made: Measured, truth: np.ndarray, sharpness: float) -> Measured:
    """A long stream over its time (BINS,): identity (cosine), colour (change from the stream's first part, mean over
    channels, 0..255), sharpness (over the portrait's), motion (0..255), sync (correlation around each point)."""

    def bins(values: np.ndarray) -> np.ndarray:
        return np.stack([part.mean(axis=0) for part in np.array_split(values, BINS)])

    colour = bins(made["colour"])
    edges = np.linspace(0, len(truth), BINS + 1).astype(int)
    wide = [(edges[max(0, i - 2)], edges[min(BINS, i + 3)]) for i in range(BINS)]
    return {
        "identity": 1 - bins(made["identity"]),
        "colour": np.abs(colour - colour[:1]).mean(axis=1),
        "sharpness": bins(made["sharpness"]) / sharpness,
        "motion": bins(made["motion"]),
        "sync": np.nan_to_num(np.array([lipsync.correlation(made["open"][a:b], truth[a:b]) for a, b in wide])),
    }
