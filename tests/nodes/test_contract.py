"""What workflows, the registry and users rely on, checked without ComfyUI."""

import ast
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
SNAPSHOT = Path(__file__).with_name("schema.json")
IDS = {
    "EchoTorrent_LoadModel",
    "EchoTorrent_LoadLora",
    "EchoTorrent_LoadIdentity",
    "EchoTorrent_EncodeAudio",
    "EchoTorrent_Condition",
    "EchoTorrent_Stream",
    "EchoTorrent_Decode",
    "EchoTorrent_SaveVideo",
    "EchoTorrent_Collect",
    "EchoTorrent_FineTune",
}


def described(schema):
    return {
        "inputs": [[port.id, port.type, bool(port.options.get("optional"))] for port in schema.inputs],
        "outputs": [[port.options["display_name"], port.type] for port in schema.outputs],
        "output_node": schema.is_output_node,
    }


def test_ids_are_literals():
    """ComfyUI-Manager finds nodes by reading the source."""
    found = set()
    for path in (ROOT / "nodes").glob("*.py"):
        for call in ast.walk(ast.parse(path.read_text())):
            if isinstance(call, ast.Call) and ast.unparse(call.func) == "io.Schema":
                found |= {ast.literal_eval(word.value) for word in call.keywords if word.arg == "node_id"}
    assert found == IDS


def test_only_host_knows_comfyui():
    foreign = re.compile(r"^\s*(?:from|import) (?:comfy\w*|folder_paths|server|execution|nodes)\b", re.MULTILINE)
    assert [p.name for p in (ROOT / "nodes").glob("*.py") if foreign.search(p.read_text())] == ["host.py"]


def test_imports_are_relative():
    """ComfyUI puts folders of its own on the path: what is imported by name may be somebody else's."""
    absolute = re.compile(r"^\s*(?:from|import) (?:echotorrent_core|nodes)\b", re.MULTILINE)
    assert not [path for path in (ROOT / "nodes").glob("*.py") if absolute.search(path.read_text())]


def test_schemas_only_grow(nodes):
    """Workflow files hold values by position: inputs may be added at the end, never moved, removed or retyped."""
    old = json.loads(SNAPSHOT.read_text())
    new = {key: described(node.define_schema()) for key, node in nodes.items()}
    assert set(old) <= set(new)
    for key, schema in old.items():
        assert new[key]["inputs"][: len(schema["inputs"])] == schema["inputs"], key
        assert new[key]["outputs"][: len(schema["outputs"])] == schema["outputs"], key
        assert new[key]["output_node"] == schema["output_node"], key
        assert all(optional for _, _, optional in new[key]["inputs"][len(schema["inputs"]) :]), key
    assert new == old, "the schemas grew as they may; write them to tests/nodes/schema.json"


def test_everything_is_explained(nodes):
    assert set(nodes) == IDS
    for key, node in nodes.items():
        schema = node.define_schema()
        assert schema.display_name.startswith("EchoTorrent: ") and schema.category == "EchoTorrent", key
        assert len(schema.description) > 30, key
        for port in [*schema.inputs, *schema.outputs]:
            assert port.options.get("tooltip", "").endswith("."), (key, port)


def test_every_input_and_output_is_in_the_help_pages(nodes):
    """ComfyUI shows the page of the node's id beside the graph."""
    pages = ROOT / "web" / "public" / "docs"
    assert {path.name for path in pages.iterdir()} == IDS
    for key, node in nodes.items():
        schema, page = node.define_schema(), (pages / key / "en.md").read_text()
        assert page.startswith(f"# {schema.display_name}\n"), key
        names = [port.id or port.options["display_name"] for port in [*schema.inputs, *schema.outputs]]
        assert not [name for name in names if f"`{name}`" not in page], key


def locale(schema):
    return {
        "display_name": schema.display_name,
        "description": schema.description,
        "inputs": {port.id: {"name": port.id, "tooltip": port.options["tooltip"]} for port in schema.inputs},
        "outputs": {
            str(i): {"name": port.options["display_name"], "tooltip": port.options["tooltip"]}
            for i, port in enumerate(schema.outputs)
        },
    }


def test_english_locale_follows_the_schemas(nodes):
    """Translators start from it, and it overrides the schema: both must say the same."""
    found = json.loads((ROOT / "locales" / "en" / "nodeDefs.json").read_text())
    assert found == {key: locale(node.define_schema()) for key, node in nodes.items()}


def test_api_workflow_fits_the_schemas(nodes):
    for path in sorted((ROOT / "workflows" / "api").glob("*.json")):
        workflow = json.loads(path.read_text())
        for node in workflow.values():
            if node["class_type"] in nodes:
                schema = nodes[node["class_type"]].define_schema()
                required = {port.id for port in schema.inputs if not port.options.get("optional")}
                assert required <= set(node["inputs"]) <= {port.id for port in schema.inputs}, path.name
            for link in node["inputs"].values():
                assert not isinstance(link, list) or link[0] in workflow


def test_client_is_short():
    assert len((ROOT / "workflows/api/queue_prompt.py").read_text().splitlines()) < 150


def test_the_engine_is_imported_late():
    """ComfyUI starts without it: the modules with networks are imported by functions only."""
    heavy = {"stream", "assemble", "estimate", "model", "vae", "weights"}
    early = set()
    for path in (ROOT / "nodes").glob("*.py"):
        for statement in ast.parse(path.read_text()).body:
            if isinstance(statement, ast.ImportFrom) and statement.level == 2 and statement.module:
                early |= set(statement.module.split(".")[1:2]) or {alias.name for alias in statement.names}
    assert {"errors", "session"} <= early and not early & heavy


@pytest.mark.parametrize("name", ["embedded"])
def test_presets_exist(nodes, name):
    presets = nodes["EchoTorrent_LoadModel"].define_schema().inputs[0].options
    from echotorrent_core.presets import PRESETS

    without_weights = {"debug", "embedded_small"}
    assert presets["default"] == name and set(presets["options"]) == set(PRESETS) - without_weights
