"""The form of a fine-tune: JSON schema per preset. Standard library only: ComfyUI's process reads it.

Few knobs; what stands under `advanced` can be left alone. Defaults are those of the recipes
(training/recipes/identity_*.yaml), which a test holds them to.
"""

from __future__ import annotations

from typing import Any

RECIPES = {
    "embedded": "identity_embedded",
    "echotorrent_1_3b": "identity_1_3b",
    "echotorrent_14b": "identity_14b",
}

KINDS: dict[str, tuple[type, ...]] = {"integer": (int,), "number": (int, float), "string": (str,), "array": (list,)}
PRESETS = tuple(RECIPES)

# CPU seconds on one core of an Intel Xeon with AVX-512 (benchmarks/identity.py)
SECONDS_PER_SAMPLE = 0.8
SECONDS_PER_DECODER_STEP = 1.0

_DEFAULTS: dict[str, dict[str, Any]] = {
    "embedded": {"steps": 150, "decoder_steps": 300, "save_every": 50, "rank": 16, "lr": 4e-3, "batch": 4},
    "echotorrent_1_3b": {"steps": 800, "decoder_steps": 0, "save_every": 100, "rank": 32, "lr": 1e-4, "batch": 1},
    "echotorrent_14b": {"steps": 600, "decoder_steps": 0, "save_every": 100, "rank": 32, "lr": 1e-4, "batch": 1},
}


def _number(kind: str, title: str, description: str, low: float, high: float) -> dict[str, Any]:
    return {"type": kind, "title": title, "description": description, "minimum": low, "maximum": high}


def schema(preset: str) -> dict[str, Any]:
    """The settings of a job of kind "identity". KeyError for a preset that has no recipe."""
    defaults = _DEFAULTS[preset] | {"prior": 1.0, "mouth": 4.0, "sample_every": 50, "seed": 0}
    properties = {
        "steps": _number(
            "integer", "Steps", "How long the face is learnt. More resembles more, and forgets more.", 1, 100000
        ),
        "decoder_steps": _number(
            "integer", "Steps of the picture decoder", "Draws fine detail (eyes, hair) afterwards; 0 leaves it out.",
            0, 100000,
        ),
        "save_every": _number("integer", "Save every", "Steps between two identity files to choose from.", 1, 100000),
        "sample_every": _number("integer", "Sample every", "Steps between two sample videos; 0 makes none.", 0, 100000),
    }  # fmt: skip
    advanced = {
        "prior": _number(
            "number", "Keep what it knew", "Weight of drawing other people as before: lips and motion stay.", 0, 100
        ),
        "mouth": _number("number", "Weight of the mouth", "Extra weight of errors around the lips.", 0, 100),
        "rank": _number("integer", "Rank", "Size of the change; larger learns finer detail and weighs more.", 1, 256),
        "lr": _number("number", "Learning rate", "How fast the trunk learns (AdamW).", 1e-7, 1.0),
        "batch": _number("integer", "Batch", "Windows of the person per step.", 1, 64),
        "seed": _number("integer", "Seed", "Of everything that is drawn at random.", 0, 2**31 - 1),
    }
    if preset != "embedded":
        advanced |= {
            "weights": {
                "type": "array",
                "items": {"type": "string"},
                "title": "Weights",
                "description": "Files and folders of the base model and its encoders.",
            },
            "landmarks": {
                "type": "string",
                "title": "Face landmarks",
                "description": "MediaPipe's face_landmarker.task, which finds the face in clips.",
            },
        }
        defaults |= {"weights": [], "landmarks": ""}
    for name, one in (properties | advanced).items():
        one["default"] = defaults[name]
    for one in advanced.values():
        one["group"] = "advanced"
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Fine-tune an identity",
        "type": "object",
        "additionalProperties": False,
        "properties": properties | advanced,
    }


def checked(preset: str, settings: dict[str, Any]) -> dict[str, Any]:
    """All settings of a job, defaults for those not given. ValueError names what is not as the schema says."""
    if preset not in RECIPES:
        raise ValueError(f"preset '{preset}' cannot be tuned to a person; expected one of {', '.join(RECIPES)}")
    known = schema(preset)["properties"]
    if strange := sorted(settings.keys() - known.keys()):
        raise ValueError(f"unknown setting '{strange[0]}'; known are {', '.join(known)}")
    found = {name: one["default"] for name, one in known.items()} | settings
    for name, value in found.items():
        said = known[name]
        kinds: tuple[type, ...] = KINDS[said["type"]]
        if not isinstance(value, kinds) or isinstance(value, bool):
            raise ValueError(f"{name}: expected {said['type']}, got {value!r}")
        if "minimum" in said and not said["minimum"] <= value <= said["maximum"]:
            raise ValueError(f"{name}: {value} is not between {said['minimum']} and {said['maximum']}")
    return found


def estimate(spec: dict[str, Any]) -> dict[str, Any]:
    """What a job needs, before it starts: bytes on its device, their parts, and seconds on one CPU core (0: not known).
    ValueError for settings that are not as the schema says. Imports the trainer."""
    from dataclasses import replace
    from pathlib import Path

    from ..memory import estimate as memory_of
    from .job import runs

    preset = str(spec["preset"])
    settings = checked(preset, dict(spec.get("settings") or {}))
    device = "cuda" if str(spec.get("device", "cpu")).startswith("cuda") else "cpu"
    found = {}
    for name, run in zip(("trunk", "decoder"), runs(spec, settings, Path("job")), strict=True):
        if run is not None:
            memory = memory_of(replace(run, processes=1, sharded=False), device)
            weights = sum(role.weights for role in memory.roles.values())
            found[name] = {"weights": weights, "optimiser": memory.total - weights - memory.step, "step": memory.step}
    needed = max(found, key=lambda name: sum(found[name].values()))
    seconds = 0.0
    if preset == "embedded" and device == "cpu":
        seconds = 30 + settings["steps"] * settings["batch"] * SECONDS_PER_SAMPLE
        seconds += settings["decoder_steps"] * SECONDS_PER_DECODER_STEP
    return {"bytes": sum(found[needed].values()), "parts": found[needed], "seconds": round(seconds)}
