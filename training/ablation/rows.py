"""The rows: what each changes in a recipe, and what the paper's Table 2 says of it.

`Change` overrides a key of some stages, `engine` the stream's policies in all stages that follow them but the first one
(which stands for the pretrained model and is the same for all), `inference` the same when videos are made only;
`without` leaves stages out: what would start from one starts from what that one would have started from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

COLUMNS = {"sync": "Sync-C", "quality": "IQA", "identity": "ID", "confidence": "HA", "background": "BC"}
DISTILLING = ("acc_dmd", "experts", "long_tail")
FULL = "full"


@dataclass(frozen=True)
class Change:
    """`key=value` of the named stages; those that a recipe does not have are passed over."""

    stages: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class Row:
    """paper: the five columns of Table 2, in the order of COLUMNS; none for rows of our own. engine_from: the first
    stage with the changed policies, where it is not the second."""

    title: str
    about: str
    changes: tuple[Change, ...] = ()
    engine: tuple[str, ...] = ()
    engine_from: str = ""
    inference: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    paper: tuple[float, ...] | None = None


def dmd(*texts: str) -> tuple[Change, ...]:
    return tuple(Change(DISTILLING, f"settings.dmd.{text}") for text in texts)


def layers(*policies: str) -> tuple[str, ...]:
    return (f"layers=[{', '.join(policies)}]",)


CAUSAL = "{history: 12, in_chunk: frame_causal}"

ROWS: Mapping[str, Row] = {
    FULL: Row(
        "EchoTorrent",
        "all stages; every other layer causal with history, the rest bidirectional without",
        paper=(6.71, 5.01, 0.91, 0.89, 0.93),
    ),
    "no_sei": Row(
        "w/o SEI",
        "no teacher of short windows and no causal initialisation (paper 4.3): the base model is student, teacher and "
        "critic, and the experts' base",
        without=("teacher", "causal_teacher", "causal"),
        paper=(6.65, 4.90, 0.86, 0.84, 0.92),
    ),
    "original_dmd": Row(
        "w/ original DMD",
        "the teacher guided at all levels, the critic at none, no oral region",
        changes=dmd("low={alpha: 1.8}", "high={alpha: 1.8}"),
        paper=(6.45, 5.01, 0.87, 0.89, 0.93),
    ),
    "full_causal": Row(
        "Full Causal",
        "all layers causal, with history",
        engine=layers(CAUSAL),
        paper=(6.71, 4.70, 0.91, 0.81, 0.89),
    ),
    "full_bidirectional": Row(
        "Full Bidirectional",
        "all layers bidirectional inside the chunk, none with history",
        engine=layers("{history: 0, in_chunk: full}"),
        paper=(6.71, 4.99, 0.86, 0.87, 0.93),
    ),
    "no_sink": Row(
        "w/o Reference Sink",
        "no layer of the student reads the sink; the reference still stands beside every latent",
        engine=layers(
            "{history: 12, in_chunk: frame_causal, sink: false}",
            "{history: 0, in_chunk: full, sink: false}",
        ),
        paper=(6.71, 4.99, 0.85, 0.89, 0.93),
    ),
    "all_forcing": Row(
        "All Forcing",
        "long rollouts judged over whole windows, never by their tails alone",
        changes=(Change(("long_tail",), "settings.tail_from=1000000"),),
        paper=(6.60, 4.90, 0.86, 0.86, 0.90),
    ),
    "no_decoder": Row(
        "w/o Decoder FT",
        "the codec's own decoder",
        without=("decoder",),
        paper=(6.71, 4.61, 0.90, 0.84, 0.92),
    ),
    "all_history": Row(
        "second hybrid reading",
        "bidirectional layers read the history too",
        engine=layers(CAUSAL, "{history: 12, in_chunk: full}"),
    ),
    "eq3_literal": Row(
        "Eq. 3 as printed",
        "the critic guided inside the oral region, which counts in full",
        changes=dmd("high={fake_alpha: 1.8, fake_cfg_region: oral, oral_weight: 1.0}"),
    ),
    "eq3_prose": Row(
        "Eq. 3 as told",
        "the critic guided everywhere, nothing counts inside the oral region",
        changes=dmd("high={fake_alpha: 1.8, fake_cfg_region: all, oral_weight: 0.0}"),
    ),
    "last_step": Row(
        "cache last_step",
        "trained per_step, run last_step",
        inference=("stream.cache_write=last_step",),
    ),
    "last_step_trained": Row(
        "cache last_step, trained",
        "last_step from the long rollouts on",
        engine=("stream.cache_write=last_step",),
        engine_from="long_tail",
    ),
    "clean": Row(
        "cache clean",
        "trained per_step, run clean (one more pass per chunk)",
        inference=("stream.cache_write=clean",),
    ),
    "clean_trained": Row(
        "cache clean, trained",
        "clean from the long rollouts on",
        engine=("stream.cache_write=clean",),
        engine_from="long_tail",
    ),
}


def chosen(names: Sequence[str]) -> list[str]:
    """Rows in the table's order, always with the full one, which the others are held against."""
    return [name for name in ROWS if name == FULL or not names or name in names]
