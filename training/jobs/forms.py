"""What can be set in a fine-tune: the trainer is asked once, and what users give is checked against what it says."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Callable, Mapping
from typing import Any

from . import process
from .errors import Conflict, Refused
from .files import quoted

QUESTIONS = "training.identity.schema"
MODULE = "training.jobs.answer"
REMEMBERED = 100  # estimates, which take seconds each
TYPES: dict[str, tuple[type, ...]] = {
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "string": (str,),
    "array": (list,),
    "object": (dict,),
    "null": (type(None),),
}
WORDS = {"integer": "a whole number", "number": "a number", "boolean": "true or false", "string": "text"}


class Forms:
    """The presets that can be fine-tuned, with the JSON schema of their settings. module: the one that says it."""

    def __init__(self, module: str = QUESTIONS) -> None:
        self.module = module
        self._schemas: dict[str, dict[str, Any]] = {}
        self._estimates: dict[str, dict[str, Any]] = {}
        self._asking = threading.Lock()

    def schemas(self) -> dict[str, dict[str, Any]]:
        """By preset. Conflict if the trainer cannot say it."""
        with self._asking:
            if not self._schemas:
                found = process.ask(MODULE, {"module": self.module, "ask": "forms"})
                if found["missing"]:
                    names = " ".join({"yaml": "pyyaml"}.get(name, name) for name in found["missing"])
                    raise Conflict(f"fine-tuning needs more packages; 'pip install {names}' into ComfyUI's Python")
                self._schemas = found["schemas"]
            return self._schemas

    def known(self, preset: Any) -> dict[str, Any]:
        """A preset's schema. Refused if there is none."""
        schemas = self.schemas()
        if not isinstance(preset, str) or preset not in schemas:
            raise Refused(f"preset {quoted(preset)} cannot be fine-tuned; choose of {', '.join(schemas)}")
        return schemas[preset]

    def checked(self, preset: Any, settings: Any) -> dict[str, Any]:
        """`settings` as they are, after a look at each. Refused names the first that is unknown or out of range."""
        check(settings, {"type": "object", **self.known(preset)}, "settings")
        return dict(settings)

    def estimate(self, spec: Mapping[str, Any], device: str) -> dict[str, Any]:
        """Bytes of memory and seconds that a fine-tune needs, as the trainer says; the same question is asked once."""
        question = {"module": self.module, "ask": "estimate", "spec": {**spec, "device": device}}
        key = json.dumps(question, sort_keys=True)
        if key not in self._estimates:
            if len(self._estimates) >= REMEMBERED:
                self._estimates.clear()
            self._estimates[key] = process.ask(MODULE, question, device)
        return self._estimates[key]


def check(value: Any, schema: Mapping[str, Any], where: str) -> None:
    """Refused unless `value` is what a JSON schema asks for: of its words those that forms use."""
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(_is(value, kind) for kind in kinds):
        expected = " or ".join(WORDS.get(kind, f"of type {kind}") for kind in kinds)
        raise Refused(f"{where}: expected {expected}, got {quoted(value)}")
    if "enum" in schema and value not in schema["enum"]:
        raise Refused(f"{where}: expected one of {', '.join(map(str, schema['enum']))}, got {quoted(value)}")
    if _is(value, "number"):
        _check_range(value, schema, where)
    elif isinstance(value, str) and len(value) > schema.get("maxLength", 10_000):
        raise Refused(f"{where}: has {len(value)} characters, at most {schema.get('maxLength', 10_000)} are taken")
    elif isinstance(value, list):
        if len(value) > schema.get("maxItems", 1000):
            raise Refused(f"{where}: has {len(value)} entries, at most {schema.get('maxItems', 1000)} are taken")
        for number, one in enumerate(value):
            check(one, schema.get("items", {}), f"{where}[{number}]")
    elif isinstance(value, dict):
        known = schema.get("properties", {})
        for key, one in value.items():
            if known and key not in known:
                raise Refused(f"{where}: there is no {quoted(key)}; known are {', '.join(known)}")
            check(one, known.get(key, {}), f"{where}.{key}")


def located(value: Any, schema: Mapping[str, Any], find: Callable[[str], str]) -> Any:
    """Settings with each path in them as `find` gives it. All free text is taken for one, unless its format is text:
    what a schema forgets to say must not open files."""
    if isinstance(value, str) and value and "enum" not in schema and schema.get("format") != "text":
        return find(value)
    if isinstance(value, list):
        return [located(one, schema.get("items", {}), find) for one in value]
    if isinstance(value, dict):
        known = schema.get("properties", {})
        return {key: located(one, known.get(key, {}), find) for key, one in value.items()}
    return value


def _is(value: Any, kind: str) -> bool:
    """Whether JSON's `value` is of that type, for which true is no number."""
    if isinstance(value, bool):
        return kind == "boolean"
    if kind == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, TYPES.get(kind, ()))


def _check_range(value: float, schema: Mapping[str, Any], where: str) -> None:
    low, high = schema.get("minimum", -math.inf), schema.get("maximum", math.inf)
    above, below = schema.get("exclusiveMinimum", -math.inf), schema.get("exclusiveMaximum", math.inf)
    try:
        fits = math.isfinite(value) and low <= value <= high and (above < value or above == -math.inf)
    except OverflowError:  # a whole number beyond all others
        fits = False
    if not (fits and (value < below or below == math.inf)):
        raise Refused(
            f"{where}: expected a number from {max(low, above):g} to {min(high, below):g}, got {quoted(value)}"
        )
