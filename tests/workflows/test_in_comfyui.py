"""The shipped workflows in real ComfyUI servers, with the pack as it is unpacked from the registry's archive."""

import contextlib
import json
import re
import shutil
import subprocess
import sys
import threading
import time
import wave

import av
import numpy as np
import pytest

from tests.nodes import comfy_host
from tests.packaging import archive
from tests.web.comfy import Window, settings
from tests.workflows import graph

pytestmark = pytest.mark.slow
PUBLISHED = ["echotorrent_14b", "infinitetalk_14b_lightx2v", "two_speakers"]
FIELDS = {"COMBO": ("COMBO", "COMFY_DYNAMICCOMBO_V3")}  # a list of choices in older descriptions


@pytest.fixture(scope="module", params=comfy_host.versions())
def server(request, tmp_path_factory):
    base = tmp_path_factory.mktemp("workflows")
    settings(base)
    try:
        found = comfy_host.Server(request.param, base, pack=archive.install(base / "pack"))
    except (comfy_host.Unavailable, OSError, subprocess.CalledProcessError) as reason:
        pytest.skip(f"no ComfyUI {request.param} with the packed archive: {reason}")
    with found:
        yield found


@pytest.fixture(scope="module")
def speech(tmp_path_factory):
    """Beginning of the shipped speech as a WAV file."""
    folder = tmp_path_factory.mktemp("speech")
    with av.open(str(graph.ROOT / "echotorrent_core" / "assets" / "speech" / "introduction.flac")) as container:
        samples = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])

    def cut(seconds):
        path = folder / f"{seconds}.wav"
        with wave.open(str(path), "wb") as file:
            file.setparams((1, 2, 16000, 0, "NONE", ""))
            file.writeframes(samples[: int(seconds * 16000)].astype("<i2").tobytes())
        return path

    return cut


def video(server, messages):
    """Frames (T, H, W, 3), loudness and seconds of the sound of what a prompt saved."""
    shown = [m["data"]["output"]["images"] for m in messages if m["type"] == "executed" and m["data"].get("output")]
    (file,) = (file for files in shown for file in files if file["filename"].endswith(".mp4"))
    path = server.base / file["type"] / file["subfolder"] / file["filename"]
    with av.open(str(path)) as container:
        pictures = np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])
    with av.open(str(path)) as container:
        sound = [frame.to_ndarray() for frame in container.decode(audio=0)]
    return pictures, float(np.abs(np.concatenate(sound, 1)).max()), sum(block.shape[1] for block in sound) / 48000


def lips_move(pictures):
    """The lower face changes from frame to frame; positions are parts of the picture."""
    size = pictures.shape[1]
    lips = pictures[:, int(size * 0.55) : int(size * 0.85), int(size * 0.3) : int(size * 0.7)].astype(float)
    return np.abs(np.diff(lips, axis=0)).mean() > 0.3


def test_templates_are_listed_and_served(server):
    listed = server.client.json("/api/workflow_templates")
    assert {name: sorted(files) for name, files in listed.items()} == {"echotorrent": graph.names()}
    for name in graph.names():
        path = f"/api/workflow_templates/echotorrent/{name}"
        assert server.client.json(f"{path}.json") == graph.editor(name)
        assert server.client.fetch(f"{path}.jpg") == (graph.WORKFLOWS / f"{name}.jpg").read_bytes()


def test_examples_are_in_the_input_folder(server):
    """So that the quick start runs right after the installation."""
    files = {path.name for path in (server.base / "input").iterdir()}
    for node in graph.twin("quick_start").values():
        if node["class_type"] in ("LoadImage", "LoadAudio"):
            assert node["inputs"][graph.fields(node["class_type"])[0]] in files


def test_nodes_are_as_the_workflows_have_them(server):
    """Inputs and outputs of ComfyUI's own nodes, and of ours from the archive."""
    info = server.client.json("/object_info")
    assert set(graph.NODES) == {name for name in info if name.startswith("EchoTorrent_")}
    for kind in [*graph.CORE, *graph.NODES]:
        found = info[kind]
        for name, type_, optional in graph.inputs(kind):
            given = found["input"].get("optional" if optional else "required", {})[name][0]
            assert isinstance(given, list) or given in FIELDS.get(type_, (type_,)), (kind, name)
        assert found["output"][: len(graph.outputs(kind))] == graph.outputs(kind), kind


def test_quick_start_runs_as_it_is(server):
    pictures, loud, seconds = video(server, server.run(graph.twin("quick_start")))
    assert pictures.shape[1:] == (128, 128, 3) and lips_move(pictures) and loud > 0.05
    assert 8 < len(pictures) / 25 < 15 and seconds == pytest.approx(len(pictures) / 25, abs=0.05)


def test_extended_graph_gets_all_pictures(server, speech):
    client = comfy_host.client_module()
    prompt = client.workflow(
        None, server.client.upload(speech(3.2)), path=graph.WORKFLOWS / "api/extend_video_graph.json"
    )
    pictures, loud, seconds = video(server, server.run(prompt))
    assert pictures.shape == (80, 512, 512, 3) and seconds == pytest.approx(3.2, abs=0.1) and loud > 0.05
    assert pictures.mean((1, 2, 3)).min() > 20 and lips_move(pictures)  # none of them is black


def test_long_video_goes_on_after_a_stop(server, speech):
    """By the client that is shipped: stopped after a chunk, then resumed by its id."""
    client, path = comfy_host.client_module(), graph.WORKFLOWS / "api" / "long_video_resume.json"
    sound = server.client.upload(speech(6.0))
    begun, ends = threading.Event(), []

    def follow():
        with contextlib.suppress(RuntimeError):  # the interrupt
            for message in client.Client(server.url).run(client.workflow(None, sound, path=path)):
                if message["type"] == "echotorrent.event" and message["data"]["kind"] == "chunk":
                    ends.append(message["data"]["run"])
                    begun.set()

    runner = threading.Thread(target=follow)
    runner.start()
    assert begun.wait(120)
    server.client.json("/interrupt", {})
    runner.join(60)
    (run,) = set(ends)
    assert server.client.json(f"/echotorrent/runs/{run}")["frames"] < 150
    prompt = client.workflow(None, sound, None, None, None, run, path=path)
    pictures, _, seconds = video(server, server.run(prompt))
    assert len(pictures) == 150 and seconds == pytest.approx(6.0, abs=0.05) and lips_move(pictures)
    assert server.client.json(f"/echotorrent/runs/{run}")["state"] == "finished"


def test_client_queues_any_workflow(server, speech, tmp_path):
    """Its own video is downloaded; pictures are written as they are committed, long before the end."""
    target, folder = tmp_path / "out.mp4", tmp_path / "frames"
    command = [sys.executable, str(graph.WORKFLOWS / "api" / "queue_prompt.py")]
    command += [str(graph.ROOT / "echotorrent_core" / "assets" / "portraits" / "ben.png"), str(speech(4.0))]
    command += ["--workflow", str(graph.WORKFLOWS / "api" / "extend_video_graph.json"), "--server", server.url]
    command += ["--set", "ImageScale.width=256", "--set", "ImageScale.height=256", "--seed", "5"]
    command += ["--frames", str(folder), "-o", str(target)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        while process.poll() is None and not list(folder.glob("00000_*.png")):
            time.sleep(0.02)
        early = process.poll() is None and not target.exists()
        _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert early and len(list(folder.glob("*.png"))) == 100
    with av.open(str(target)) as container:
        frames = [frame for frame in container.decode(video=0)]
    assert len(frames) == 100 and (frames[0].width, frames[0].height) == (256, 256)


def test_client_says_what_is_wrong(server, tmp_path):
    command = [sys.executable, str(graph.WORKFLOWS / "api" / "queue_prompt.py"), "absent.png", "absent.wav"]
    done = subprocess.run([*command, "--server", server.url], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 1 and "absent.png" in done.stderr and "Traceback" not in done.stderr


@pytest.fixture(scope="module")
def browser():
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install playwright")
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("no Chromium found: apt-get install chromium")
    with api.sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=path)
        yield chromium
        chromium.close()


@pytest.mark.parametrize("name", graph.names())
def test_the_editor_queues_the_twin(server, browser, name):
    """What ComfyUI's frontend would queue is the API format that is shipped; newer inputs come at their defaults."""
    with contextlib.closing(Window(browser, server, f"workflow-{server.version}-{name}")) as window:
        window.open()
        window.page.evaluate(
            "async ([graph, name]) => await app.loadGraphData(graph, true, true, name)", [graph.editor(name), name]
        )
        window.fit()
        queued = window.page.evaluate("async () => (await app.graphToPrompt()).output")
        sizes = window.page.evaluate(
            "() => Object.fromEntries(app.graph._nodes.map(({ id, size }) => [id, [...size]]))"
        )
        if name in PUBLISHED:
            window.press("View details")
            window.page.get_by_text("Missing Models").first.wait_for()
            assert window.page.get_by_text("Download", exact=True).count() == 7
    twin = graph.twin(name)
    assert set(queued) == set(twin)
    for key, node in twin.items():
        known = {port for port, _, _ in graph.inputs(node["class_type"])}
        found = {port: value for port, value in queued[key]["inputs"].items() if port in known}
        assert (queued[key]["class_type"], found) == (node["class_type"], node["inputs"])
    for node in graph.editor(name)["nodes"]:  # one that had to grow would cover the next
        assert all(now <= size + 1 for now, size in zip(sizes[str(node["id"])], node["size"], strict=True)), node[
            "type"
        ]


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_workflows_ask_for_their_files(server, name):
    """Without them it is said which is missing; with files of those names, the pack opens them."""
    prompt = graph.twin(name)
    files = [entry for node in graph.editor(name)["nodes"] for entry in node["properties"].get("models", [])]
    paths = [server.base / "models" / entry["directory"] / entry["name"] for entry in files]
    with pytest.raises(RuntimeError, match=re.escape(files[0]["name"])):
        server.run(prompt)
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"not weights")
    try:
        with pytest.raises(RuntimeError, match=r"EchoTorrent_LoadModel: .*safetensors"):
            server.run(prompt)
    finally:
        for path in paths:
            path.unlink()


def test_no_errors_in_the_log(server):
    """Last: nothing of the pack's broke without anybody noticing."""
    trouble = ("IMPORT FAILED: echotorrent", "memory leak", "never retrieved")
    assert not [line for line in server.log.splitlines() if any(word in line for word in trouble)]
    assert json.loads((server.base / "pack" / "locales" / "en" / "nodeDefs.json").read_text())
