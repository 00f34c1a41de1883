"""Whether requests and answers are what an OpenAPI file says: the words of JSON schema that ours uses."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


class OpenApi:
    def __init__(self, path: Path) -> None:
        self.document = json.loads(path.read_text(encoding="utf-8"))

    def operation(self, method: str, path: str) -> dict[str, Any]:
        """That of a path below the server's address. KeyError if there is none."""
        for pattern, item in self.document["paths"].items():
            if re.fullmatch(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(pattern)), path) and method.lower() in item:
                return item[method.lower()]
        raise KeyError(f"{method} {path}")

    def request_faults(self, method: str, path: str, body: Any) -> list[str]:
        """body: parsed JSON; None if there was none."""
        found = self.operation(method, path).get("requestBody")
        if found is None or body is None:
            return [] if body is None and not (found or {}).get("required") else [f"{method} {path}: body"]
        return self.faults(body, found["content"]["application/json"]["schema"], f"{method} {path}")

    def answer_faults(self, method: str, path: str, status: int, value: Any) -> list[str]:
        responses, where = self.operation(method, path)["responses"], f"{method} {path} {status}"
        if str(status) not in responses:
            return [f"{where}: not an answer"]
        content = self._found(responses[str(status)]).get("content", {})
        return self.faults(value, content["application/json"]["schema"], where) if "application/json" in content else []

    def faults(self, value: Any, schema: dict[str, Any], where: str) -> list[str]:
        schema = self._found(schema)
        kinds = schema.get("type", [])
        kinds = [kinds] if isinstance(kinds, str) else kinds
        if kinds and not any(_is(value, kind) for kind in kinds):
            return [f"{where}: {value!r} is not of type {kinds}"]
        faults = [] if value in schema.get("enum", [value]) else [f"{where}: {value!r} is not one of {schema['enum']}"]
        if isinstance(value, str) and not re.search(schema.get("pattern", ""), value):
            faults.append(f"{where}: {value!r} does not match {schema['pattern']}")
        if _is(value, "number") and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
            faults.append(f"{where}: {value} is out of range")
        if isinstance(value, list) and "items" in schema:
            faults += [
                fault for i, one in enumerate(value) for fault in self.faults(one, schema["items"], f"{where}[{i}]")
            ]
        if isinstance(value, dict):
            faults += self._object_faults(value, schema, where)
        return faults

    def _object_faults(self, value: dict[str, Any], schema: dict[str, Any], where: str) -> list[str]:
        known, others = schema.get("properties", {}), schema.get("additionalProperties", True)
        faults = [f"{where}: no {key}" for key in schema.get("required", []) if key not in value]
        for key, one in value.items():
            expected = known.get(key, others)
            if expected is False:
                faults.append(f"{where}: {key} is unknown")
            elif isinstance(expected, dict):
                faults += self.faults(one, expected, f"{where}.{key}")
        return faults

    def _found(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Itself, or what it refers to."""
        if "$ref" not in schema:
            return schema
        found = self.document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        return self._found(found)


def _is(value: Any, kind: str) -> bool:
    """For JSON, true is no number."""
    return isinstance(value, TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))
