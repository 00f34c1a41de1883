"""Answers one question about fine-tuning, JSON in and out: python start.py training.jobs.answer

    {"module": "training.identity.schema", "ask": "forms"}                  -> {"schemas": {preset: schema of its
                                                                               settings}, "missing": [packages]}
    {"module": "training.identity.schema", "ask": "estimate", "spec": {}}   -> {"bytes": n, "parts": {}, "seconds": n}

A process of its own, because the trainer needs packages that a server shall not import.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import json
import sys
from typing import Any

NEEDED = ("accelerate", "av", "einops", "peft", "safetensors", "scipy", "torch", "yaml")


def answer(question: dict[str, Any]) -> Any:
    module = importlib.import_module(question["module"])
    if question["ask"] == "forms":
        missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
        return {"schemas": {preset: module.schema(preset) for preset in module.PRESETS}, "missing": missing}
    return module.estimate(question["spec"])


if __name__ == "__main__":
    asked = json.load(sys.stdin)
    with contextlib.redirect_stdout(sys.stderr):  # what packages print is no part of the answer
        found = answer(asked)
    json.dump(found, sys.stdout)
