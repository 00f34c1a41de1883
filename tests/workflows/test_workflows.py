"""The shipped workflows: editor and API format describe the same graph, of nodes, inputs and files that exist."""

import itertools
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from echotorrent_core.presets import PRESETS
from tests.nodes.comfy_host import client_module
from tests.nodes.fake_comfy import part
from tests.workflows import graph

NAMES = [
    "echotorrent_14b",
    "extend_video_graph",
    "fine_tune_identity",
    "infinitetalk_14b_lightx2v",
    "long_video_resume",
    "quick_start",
    "two_speakers",
]
TITLE, MARGIN = 30, 10  # pixels: a node's title lies above its position; least distance of two nodes
MODEL_FILE = re.compile(r".*\.(safetensors|gguf|sft|pth|bin)")


@pytest.fixture(params=NAMES)
def name(request):
    return request.param


def boxes(workflow):
    """(left, top, right, bottom) of each node, its title included."""
    for node in workflow["nodes"]:
        (x, y), (width, height) = node["pos"], node["size"]
        yield node, (x, y - TITLE, x + width, y + height)


def test_each_has_its_twin_and_picture():
    folder = graph.WORKFLOWS
    assert graph.names() == NAMES
    assert sorted(path.stem for path in folder.glob("*.jpg")) == NAMES
    assert sorted(path.stem for path in (folder / "api").glob("*.json")) == NAMES


def test_twins_describe_the_same_graph(name):
    """Node for node: type, values and links. `python -m tests.workflows.graph` writes the twins again."""
    assert graph.prompt(graph.editor(name)) == graph.twin(name)


def test_links_agree_at_both_ends(name):
    workflow = graph.editor(name)
    nodes = {node["id"]: node for node in workflow["nodes"]}
    assert len(nodes) == len(workflow["nodes"]) and max(nodes) <= workflow["last_node_id"]
    assert len({link[0] for link in workflow["links"]}) == len(workflow["links"])
    for key, source, out, target, slot, type_ in workflow["links"]:
        assert key <= workflow["last_link_id"]
        start, end = nodes[source]["outputs"][out], nodes[target]["inputs"][slot]
        assert key in start["links"] and end["link"] == key, key
        assert start["type"] == type_ and type_ == end["type"], key
    named = {port["link"] for node in nodes.values() for port in node["inputs"]} - {None}
    assert named == {link[0] for link in workflow["links"]}


def test_nodes_are_those_of_the_schemas(name):
    for node in graph.editor(name)["nodes"]:
        if node["type"] in graph.NOTES:
            continue
        known = {port: type_ for port, type_, _ in graph.inputs(node["type"])}
        assert {port["name"]: port["type"] for port in node["inputs"]}.items() <= known.items(), node["type"]
        assert [port["type"] for port in node["outputs"]] == graph.outputs(node["type"])[: len(node["outputs"])]


def test_prompts_fit_the_schemas(name):
    """Required inputs are there, links come from outputs of the right type, values are of their input's type."""
    prompt = graph.twin(name)
    kinds = {"STRING": str, "COMBO": str, "INT": int, "FLOAT": float, "BOOLEAN": bool}
    for node in prompt.values():
        ports = {port: (type_, optional) for port, type_, optional in graph.inputs(node["class_type"])}
        required = {port for port, (_, optional) in ports.items() if not optional}
        assert required <= set(node["inputs"]) <= set(ports), node["class_type"]
        for port, value in node["inputs"].items():
            if isinstance(value, list):
                source, slot = value
                assert graph.outputs(prompt[source]["class_type"])[slot] == ports[port][0], (node["class_type"], port)
            else:
                assert isinstance(value, kinds[ports[port][0]]), (node["class_type"], port)


def test_choices_exist(name):
    """Presets and precisions are those of the node; pictures and sounds are those that the pack offers."""
    load, examples = part_of_nodes("load"), part("nodes.examples")
    for node in graph.twin(name).values():
        given = node["inputs"]
        if node["class_type"] == "EchoTorrent_LoadModel":
            assert given["preset"] in PRESETS and given["precision"] in load.PRECISIONS
        if node["class_type"] in ("LoadImage", "LoadAudio"):
            assert given[graph.fields(node["class_type"])[0]] in examples.FILES


def part_of_nodes(module):
    """Constants of a node's module, read without ComfyUI."""
    import ast
    from types import SimpleNamespace

    tree = ast.parse((graph.ROOT / "nodes" / f"{module}.py").read_text())
    found = {}
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            try:
                found[statement.targets[0].id] = ast.literal_eval(statement.value)
            except ValueError:
                continue  # made of other names
    return SimpleNamespace(**found)


def test_missing_models_can_be_had(name):
    """The missing-model dialogs read name, address and folder from the node, and only for files that it chooses."""
    folders = part_of_nodes("load").FILES | {"lora": ("loras",)}
    for node in graph.editor(name)["nodes"]:
        entries = {entry["name"]: entry for entry in node["properties"].get("models", [])}
        chosen = {}
        if node["type"] not in graph.NOTES:
            chosen = {k: v for k, v in graph.values(node).items() if MODEL_FILE.fullmatch(str(v))}
        assert set(entries) == set(chosen.values()), node["type"]
        for field, file in chosen.items():
            entry = entries[file]
            assert set(entry) == {"name", "url", "directory"}
            assert entry["directory"] in folders[field], field
            assert re.fullmatch(
                rf"https://huggingface\.co/[\w.-]+/[\w.-]+/resolve/main/(\S+/)?{re.escape(file)}", entry["url"]
            )


def test_published_presets_have_all_their_files(name):
    for node in graph.twin(name).values():
        if node["class_type"] == "EchoTorrent_LoadModel":
            fields = list(part_of_nodes("load").FILES)
            given = {field: node["inputs"][field] for field in fields}
            embedded = node["inputs"]["preset"] == "embedded"
            assert all((value == "none") == embedded for value in given.values())


def test_nodes_lie_apart_and_in_a_group(name):
    workflow = graph.editor(name)
    for (one, a), (other, b) in itertools.combinations(boxes(workflow), 2):
        apart = a[2] + MARGIN <= b[0] or b[2] + MARGIN <= a[0] or a[3] + MARGIN <= b[1] or b[3] + MARGIN <= a[1]
        assert apart, (one["type"], other["type"])
    areas = [(x, y, x + width, y + height) for x, y, width, height in (g["bounding"] for g in workflow["groups"])]
    for a, b in itertools.combinations(areas, 2):
        assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1], (a, b)
    for node, (left, top, right, bottom) in boxes(workflow):
        holders = [g for g in areas if g[0] <= left and g[1] <= top and right <= g[2] and bottom <= g[3]]
        assert len(holders) == (0 if node["type"] in graph.NOTES else 1), node["type"]


def test_each_is_explained(name):
    """A note at the left, in plain words."""
    workflow = graph.editor(name)
    (note,) = (node for node in workflow["nodes"] if node["type"] in graph.NOTES)
    (text,) = note["widgets_values"]
    assert text.startswith("# ") and 300 < len(text) < 2500
    assert "\u2014" not in text and "\u2013" not in text
    assert note["pos"][0] + note["size"][0] < min(node["pos"][0] for node in workflow["nodes"] if node is not note)
    assert [group["title"] for group in workflow["groups"]]


def test_thumbnails_are_small_pictures(name):
    path = graph.WORKFLOWS / f"{name}.jpg"
    assert path.stat().st_size < 100_000
    with Image.open(path) as image:
        assert image.format == "JPEG" and image.width * 9 == image.height * 16 and image.width >= 480
        assert min(high - low for low, high in image.convert("RGB").getextrema()) > 100  # shows something


def test_examples_are_offered_once(tmp_path):
    offer, files = part("nodes.examples").offer, part("nodes.examples").FILES
    assert offer(tmp_path) == list(files)
    first = tmp_path / next(iter(files))
    first.write_bytes(b"of the user")
    assert offer(tmp_path) == [] and first.read_bytes() == b"of the user"
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(files)
    assert offer(tmp_path / "absent") == []  # and nothing breaks


def test_client_sets_inputs_by_id_and_by_type():
    client = client_module()
    path = graph.WORKFLOWS / "api" / "two_speakers.json"
    nodes = client.workflow("a.png", "a.wav", None, "7", path=path)
    images = [node["inputs"]["image"] for node in nodes.values() if node["class_type"] == "LoadImage"]
    assert images == ["a.png", "echotorrent_portrait_2.png"]  # the first of a type
    (stream,) = (node["inputs"] for node in nodes.values() if node["class_type"] == "EchoTorrent_Stream")
    assert stream["seed"] == 7
    (key,) = (key for key, node in nodes.items() if node["class_type"] == "EchoTorrent_LoadLora")
    client.put(nodes, f"{key}.strength", "0.5")
    client.put(nodes, f"{key}.lora", "1.0")  # stays text
    assert nodes[key]["inputs"]["strength"] == 0.5 and nodes[key]["inputs"]["lora"] == "1.0"
    with pytest.raises(RuntimeError, match="no node 99"):
        client.put(nodes, "99.seed", 1)


def test_client_names_nodes_as_its_help_does():
    """The example in the client's help sets the second picture and the second voice."""
    help_text = client_module().__doc__ or ""
    nodes = graph.twin("two_speakers")
    found = dict(re.findall(r"--set (\d+)\.\w+=@(\w+)", help_text))
    assert [nodes[key]["class_type"] for key in found] == ["LoadImage", "LoadAudio"]
    assert "Right" in nodes[next(iter(found))]["_meta"]["title"]


def test_the_page_for_creators_is_true():
    """docs/comfyui.md names each workflow, its links lead somewhere, and the client has the options it shows."""
    page = graph.ROOT / "docs" / "comfyui.md"
    text = page.read_text()
    assert set(re.findall(r"^\*\*(\w+)\*\*:", text, re.MULTILINE)) == set(NAMES)
    links = re.findall(r"\]\(([^)#:]+)\)", text)
    assert links and not [link for link in links if not (page.parent / link).exists()]
    script = graph.WORKFLOWS / "api" / "queue_prompt.py"
    shown = subprocess.run([sys.executable, str(script), "--help"], capture_output=True, text=True, check=True).stdout
    calls = re.findall(r"^python \S*queue_prompt\.py(?:.*\\\n)*.*$", text, re.MULTILINE)
    assert len(calls) == 3
    assert set(re.findall(r"--[\w-]+", "".join(calls))) <= set(re.findall(r"--[\w-]+", shown))


def test_only_one_folder_counts():
    """ComfyUI lists templates of every folder of these names, but serves the files of the first one only."""
    counted = ("example_workflows", "example", "examples", "workflow", "workflows")
    assert [folder for folder in counted if (Path(graph.ROOT) / folder).is_dir()] == ["workflows"]
