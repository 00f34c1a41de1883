"""A workflow of the editor as the prompt it queues, without a browser: what ComfyUI's frontend makes of it.

Edit a workflow in ComfyUI, save it over `workflows/NAME.json`, and `python -m tests.workflows.graph` writes the twins
in API format again.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = ROOT / "workflows"
NODES = json.loads((ROOT / "tests" / "nodes" / "schema.json").read_text())

ACTIVE, MUTED = 0, 2  # modes of a node
NOTES = ("MarkdownNote",)  # live in the editor only
WIDGETS = ("COMBO", "STRING", "INT", "FLOAT", "BOOLEAN")  # types that have a field on the node
AFTER = {("EchoTorrent_Stream", "seed"): 1}  # values that the frontend keeps for itself behind an input's

# Nodes of ComfyUI in the form of schema.json; what both supported versions have (test_in_comfyui.py).
CORE: dict[str, Any] = {
    "LoadImage": {"inputs": [["image", "COMBO", False]], "outputs": ["IMAGE", "MASK"], "after": {"image": 1}},
    "LoadImageMask": {
        "inputs": [["image", "COMBO", False], ["channel", "COMBO", False]],
        "outputs": ["MASK"],
        "after": {"channel": 1},
    },
    "LoadAudio": {"inputs": [["audio", "COMBO", False]], "outputs": ["AUDIO"], "after": {"audio": 2}},
    "ImageStitch": {
        "inputs": [
            ["image1", "IMAGE", False],
            ["direction", "COMBO", False],
            ["match_image_size", "BOOLEAN", False],
            ["spacing_width", "INT", False],
            ["spacing_color", "COMBO", False],
            ["image2", "IMAGE", True],
        ],
        "outputs": ["IMAGE"],
    },
    "ImageScale": {
        "inputs": [
            ["image", "IMAGE", False],
            ["upscale_method", "COMBO", False],
            ["width", "INT", False],
            ["height", "INT", False],
            ["crop", "COMBO", False],
        ],
        "outputs": ["IMAGE"],
    },
    "CreateVideo": {
        "inputs": [["images", "IMAGE", False], ["fps", "FLOAT", False], ["audio", "AUDIO", True]],
        "outputs": ["VIDEO"],
    },
    "SaveVideo": {
        "inputs": [
            ["video", "VIDEO", False],
            ["filename_prefix", "STRING", False],
            ["format", "COMBO", False],
            ["codec", "COMBO", False],
        ],
        "outputs": [],
    },
}


def names() -> list[str]:
    """Of the workflows in the editor's format."""
    return sorted(path.stem for path in WORKFLOWS.glob("*.json"))


def editor(name: str) -> dict[str, Any]:
    return json.loads((WORKFLOWS / f"{name}.json").read_text())


def twin(name: str) -> dict[str, Any]:
    return json.loads((WORKFLOWS / "api" / f"{name}.json").read_text())


def inputs(kind: str) -> list[tuple[str, str, bool]]:
    """(name, type, optional) of a node's inputs."""
    return [tuple(port) for port in (CORE.get(kind) or NODES[kind])["inputs"]]


def outputs(kind: str) -> list[str]:
    """Types of a node's outputs."""
    return CORE[kind]["outputs"] if kind in CORE else [port[1] for port in NODES[kind]["outputs"]]


def fields(kind: str) -> list[str | None]:
    """Inputs in the order of a node's widget values; None for those that the frontend keeps for itself."""
    found: list[str | None] = []
    for name, type_, _ in inputs(kind):
        if type_ in WIDGETS:
            after = CORE[kind].get("after", {}).get(name, 0) if kind in CORE else AFTER.get((kind, name), 0)
            found += [name, *[None] * after]
    return found


def values(node: dict[str, Any]) -> dict[str, Any]:
    """A node's widget values by input. ValueError when there are too few."""
    wanted, given = fields(node["type"]), node["widgets_values"]
    if len(given) < len(wanted):
        raise ValueError(f"node {node['id']} ({node['type']}) has {len(given)} values for {wanted}")
    return {name: value for name, value in zip(wanted, given, strict=False) if name}


def prompt(workflow: dict[str, Any]) -> dict[str, Any]:
    """The API format: nodes that act, each with values and links in the order of its inputs."""
    acting = {node["id"]: node for node in workflow["nodes"] if node["type"] not in NOTES and node["mode"] == ACTIVE}
    links = {link[0]: link for link in workflow["links"]}
    found = {}
    for key, node in sorted(acting.items()):
        given = values(node)
        for slot in node["inputs"]:
            if slot["link"] is not None and links[slot["link"]][1] in acting:
                given[slot["name"]] = [str(links[slot["link"]][1]), links[slot["link"]][2]]
        order = [name for name, _, _ in inputs(node["type"]) if name in given]
        found[str(key)] = {
            "class_type": node["type"],
            "inputs": {name: given[name] for name in order},
            "_meta": {"title": node.get("title", node["type"])},
        }
    return found


def written(found: dict[str, Any]) -> str:
    """A prompt as its file has it: a line per input."""
    text = json.dumps(found, indent=1, ensure_ascii=False)
    return re.sub(r'\[\s+("\d+"),\s+(\d+)\s+\]', r"[\1, \2]", text) + "\n"


if __name__ == "__main__":
    for name in names():
        (WORKFLOWS / "api" / f"{name}.json").write_text(written(prompt(editor(name))))
