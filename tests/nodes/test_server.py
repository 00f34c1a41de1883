"""The pack in real ComfyUI servers: workflows queued over HTTP, followed on the socket, their videos looked at."""

import contextlib
import json
import threading
import time
import urllib.error
import urllib.request
import wave

import av
import numpy as np
import pytest

from tests.nodes import comfy_host
from tests.nodes.test_contract import IDS, SNAPSHOT

pytestmark = pytest.mark.slow
ASSETS = comfy_host.ROOT / "echotorrent_core" / "assets"
SECONDS = 1.6
FRAMES = 40


@pytest.fixture(scope="module", params=comfy_host.versions())
def server(request, tmp_path_factory):
    base = tmp_path_factory.mktemp("comfy")
    try:
        found = comfy_host.Server(request.param, base)
    except comfy_host.Unavailable as reason:
        pytest.skip(f"no ComfyUI {request.param}: {reason}")
    with found:
        yield found


@pytest.fixture(scope="module")
def speech(tmp_path_factory):
    """Beginning of a shipped speech as WAV files, by seconds."""
    folder = tmp_path_factory.mktemp("speech")
    with av.open(str(ASSETS / "speech" / "introduction.flac")) as container:
        samples = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])

    def cut(seconds, level=1.0):
        path = folder / f"{seconds}_{level}.wav"
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(16000)
            file.writeframes((samples[: int(seconds * 16000)] * level).astype("<i2").tobytes())
        return path

    return cut


@pytest.fixture
def quick_start(server, speech):
    """The shipped workflow with a portrait and so much speech."""

    def make(seconds=SECONDS, prompt="", seed=1, name="talk", resume="", level=1.0):
        inputs = server.client.upload(ASSETS / "portraits" / "ana.png"), server.client.upload(speech(seconds, level))
        return comfy_host.client_module().workflow(*inputs, prompt, seed, name, resume)

    return make


def node_of(prompt, kind):
    return next(node for node in prompt.values() if node["class_type"] == kind)


def output(messages):
    """What the save node showed."""
    return next(
        m["data"]["output"] for m in messages if m["type"] == "executed" and "echotorrent_run" in m["data"]["output"]
    )


def video(server, shown):
    """Frames (T, H, W, 3), loudness of the sound, its seconds."""
    (file,) = shown["images"]
    path = server.base / file["type"] / file["subfolder"] / file["filename"]
    with av.open(str(path)) as container:
        pictures = np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])
    with av.open(str(path)) as container:
        sound = np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], 1)
    return pictures, float(np.abs(sound).max()), sound.shape[1] / 48000


def status(server, path, **headers):
    request = urllib.request.Request(server.url + path, headers=headers)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def test_nodes_are_there(server):
    """As in the snapshot, but now as ComfyUI understands the schemas."""
    info = server.client.json("/object_info")
    assert {name for name in info if name.startswith("EchoTorrent")} == IDS
    for key, schema in json.loads(SNAPSHOT.read_text()).items():
        found = info[key]
        order = [*found["input_order"].get("required", []), *found["input_order"].get("optional", [])]
        assert order == [name for name, _, _ in schema["inputs"]], key
        assert found["output"] == [kind for _, kind in schema["outputs"]], key
        assert found["description"] and all(found["output_tooltips"]), key
        for inputs in (found["input"].get("required", {}), found["input"].get("optional", {})):
            assert all(options[1]["tooltip"] for options in inputs.values()), key
    assert "IMPORT FAILED" not in "".join(line for line in server.log.splitlines() if "echotorrent" in line)


def test_quick_start(server, quick_start):
    messages = server.run(quick_start())
    shown = output(messages)
    pictures, loud, seconds = video(server, shown)
    assert pictures.shape == (FRAMES, 128, 128, 3) and loud > 0.05 and seconds == pytest.approx(SECONDS, abs=0.03)
    lips = pictures[:, 70:110, 40:90].astype(float)
    assert np.abs(np.diff(lips, axis=0)).mean() > 0.3  # they move
    told = [m["data"] for m in messages if m["type"] == "echotorrent.event"]
    assert [event["n"] for event in told] == list(range(1, len(told) + 1)) and told[-1]["kind"] == "end"
    first_chunk = next(i for i, m in enumerate(messages) if m.get("data", {}).get("kind") == "chunk")
    assert "executed" in [m["type"] for m in messages[first_chunk:]]  # chunks come before the node is done
    assert any(m["type"] == "progress" for m in messages)
    key = next(m["data"]["prompt_id"] for m in messages if m["type"] == "execution_start")
    assert server.history(key)["status"]["status_str"] == "success"


def test_routes(server, quick_start):
    (run,) = output(server.run(quick_start(seed=2)))["echotorrent_run"]
    client, path = server.client, f"/echotorrent/runs/{run}"
    snapshot = client.json(path)
    assert snapshot == next(r for r in client.json("/echotorrent/runs")["runs"] if r["id"] == run)
    assert (snapshot["state"], snapshot["frames"], snapshot["node_id"]) == ("finished", FRAMES, "8")
    events = client.json(f"{path}/events?after=1")
    assert events["n"] == snapshot["n"] and [e["n"] for e in events["events"]] == list(range(2, events["n"] + 1))
    assert client.json(f"{path}/events?after={events['n']}") == {"events": [], "n": events["n"]}
    parts = [client.fetch(f"{path}/init"), *(client.fetch(f"{path}/segments/{k}") for k in range(snapshot["chunks"]))]
    assert b"".join(parts) + client.fetch(f"{path}/closing") == client.fetch(f"{path}/video")
    assert client.json(f"{path}/stop", {})["stopped"] is False
    for wrong in ("segments/99", "segments/x", "segments/-1", "events?after=x", "nothing"):
        assert status(server, f"{path}/{wrong}") == 404, wrong
    for wrong in ("0123456789abcdef", "..", "%2e%2e%2f", "ABCDEF0123456789"):
        assert status(server, f"/echotorrent/runs/{wrong}") == 404, wrong
    for origin in ("http://evil.example", "null", "http://127.0.0.1:1"):
        assert status(server, "/echotorrent/runs", Origin=origin) == 403, origin
    assert status(server, "/echotorrent/runs", Origin=server.url) == 200


def test_video_plays_while_it_is_made(server, quick_start):
    """The progressive video has a picture long before the run is over, and ends with it."""
    prompt, arrived = quick_start(6.0, seed=3), []
    runner = threading.Thread(target=lambda: contextlib.suppress(RuntimeError).__enter__() or server.run(prompt))
    runner.start()
    run = wait_for_run(server, seed=3, chunks=1)
    with urllib.request.urlopen(f"{server.url}/echotorrent/runs/{run}/video") as answer:
        while data := answer.read1(1 << 16):
            arrived.append((time.monotonic(), len(data)))
    runner.join()
    assert arrived[-1][0] - arrived[0][0] > 1  # seconds between its beginning and its end
    assert server.client.json(f"/echotorrent/runs/{run}")["state"] == "finished"


def wait_for_run(server, seed, chunks, limit=120):
    """Id of the run with this seed once it has so many chunks."""
    until = time.monotonic() + limit
    while time.monotonic() < until:
        for run in server.client.json("/echotorrent/runs")["runs"]:
            folder = server.base / "output" / "echotorrent" / f"{run['name']}_{run['id']}"
            info = json.loads((folder / "run.json").read_text()) if folder.is_dir() else {}
            if info.get("seed") == seed and run["chunks"] >= chunks:
                return run["id"]
        time.sleep(0.05)
    raise AssertionError("no such run")


def interrupted(server, prompt, seed, how):
    """Queue, let one chunk be made, end it by `how(run)`; the run and what the client was told."""
    told = []

    def go():
        try:
            told.extend(server.run(prompt))
        except RuntimeError as error:
            told.append(str(error))

    runner = threading.Thread(target=go)
    runner.start()
    run = wait_for_run(server, seed, chunks=1)
    how(run)
    runner.join(60)
    assert not runner.is_alive()
    return run, told


def test_interrupt_and_resume(server, quick_start):
    """What an interrupt leaves is playable; resumed, the video is that of an unbroken run."""
    options = {"seconds": 3.2, "prompt": "0: smiling / 1.5: looks left"}
    whole = output(server.run(quick_start(**options, seed=4)))
    other = {**options, "name": "broken"}
    folder = server.base / "output" / "echotorrent"
    (first,) = whole["echotorrent_run"]
    (folder / f"talk_{first}").rename(folder.parent / "whole")  # so that the runs below are the only ones of their seed
    run, told = interrupted(server, quick_start(**other, seed=4), 4, lambda run: server.client.json("/interrupt", {}))
    assert told[-1].endswith("interrupted")
    state = server.client.json(f"/echotorrent/runs/{run}")
    assert state["state"] == "stopped" and 0 < state["frames"] < 80 and "resume" in state["message"]
    kept, _, seconds = video(
        server, {"images": [{"type": "output", "subfolder": "echotorrent", "filename": f"broken_{run}.mp4"}]}
    )
    assert len(kept) == state["frames"] and seconds == pytest.approx(len(kept) / 25, abs=0.05)
    resumed = output(server.run(quick_start(**other, seed=4, resume=run)))
    assert resumed["echotorrent_run"] == [run]
    assert np.array_equal(video(server, resumed)[0], video(server, whole)[0])
    with pytest.raises(RuntimeError, match="made with another seed"):
        server.run(quick_start(**other, seed=5, resume=run))


def test_stop_keeps_and_the_graph_goes_on(server, quick_start):
    run, told = interrupted(
        server, quick_start(20.0, seed=6), 6, lambda run: server.client.json(f"/echotorrent/runs/{run}/stop", {})
    )
    state = server.client.json(f"/echotorrent/runs/{run}")
    assert state["state"] == "stopped" and len(video(server, output(told))[0]) == state["frames"] < 400


def test_two_prompts_and_free_between(server, quick_start):
    """The same prompt again is cached; another one works after the memory was freed."""
    prompt = quick_start(0.8, seed=7)
    first = output(server.run(prompt))
    assert output(server.run(prompt)) == first
    server.client.json("/free", {"unload_models": True, "free_memory": True})
    time.sleep(1.5)
    again = output(server.run(prompt))
    assert again != first and np.array_equal(video(server, again)[0], video(server, first)[0])


def test_collect(server, quick_start):
    """Pictures and sound as tensors, through the host's own nodes, to a video of the same length."""
    prompt = quick_start(0.8, seed=8)
    saver = next(key for key, node in prompt.items() if node["class_type"] == "EchoTorrent_SaveVideo")
    frames = prompt.pop(saver)["inputs"]["frames"]
    prompt |= {
        "20": {"class_type": "EchoTorrent_Collect", "inputs": {"frames": frames}},
        "21": {"class_type": "CreateVideo", "inputs": {"images": ["20", 0], "audio": ["20", 1], "fps": ["20", 2]}},
        "22": {
            "class_type": "SaveVideo",
            "inputs": {"video": ["21", 0], "filename_prefix": "collected", "format": "mp4", "codec": "h264"},
        },
    }
    messages = server.run(prompt)
    shown = next(m["data"]["output"] for m in messages if m["type"] == "executed" and m["data"]["node"] == "22")
    pictures, loud, seconds = video(server, shown)
    assert pictures.shape == (20, 128, 128, 3) and loud > 0.05 and seconds == pytest.approx(0.8, abs=0.1)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("EchoTorrent_SaveVideo", "name", "../x"), "cannot name a file"),
        (("EchoTorrent_SaveVideo", "resume", "0123456789abcdef"), "there is no run"),
        (("EchoTorrent_LoadModel", "preset", "other"), r"not in list|unknown preset"),
        (("EchoTorrent_Condition", "prompt", "3: a / 2: b"), "put later ones last"),
        (("EchoTorrent_LoadModel", "width", 64), "set width back"),
    ],
)
def test_bad_inputs_are_told_on_the_node(server, quick_start, change, words):
    prompt, (kind, name, value) = quick_start(), change
    node_of(prompt, kind)["inputs"][name] = value
    with pytest.raises(RuntimeError, match=words):
        server.run(prompt)


def test_silence_is_refused_before_weights_load(server, quick_start):
    before = server.log.count("Requested to load Trunk")
    with pytest.raises(RuntimeError, match=r"EchoTorrent_EncodeAudio: .*silent.*give speech"):
        server.run(quick_start(level=0.0))
    assert server.log.count("Requested to load Trunk") == before


def test_client_as_a_program(server, speech, tmp_path):
    """The shipped client downloads the video and writes pictures as they are committed."""
    import subprocess
    import sys

    target, folder = tmp_path / "talk.mp4", tmp_path / "frames"
    script = comfy_host.ROOT / "workflows" / "api" / "queue_prompt.py"
    inputs = [str(ASSETS / "portraits" / "ben.png"), str(speech(0.8)), "-o", str(target), "--frames", str(folder)]
    done = subprocess.run(
        [sys.executable, str(script), *inputs, "--server", server.url], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    with av.open(str(target)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 20
    assert len(list(folder.glob("*.png"))) == 20


def test_no_errors_in_the_log(server):
    """Last: nothing of the pack's broke without anybody noticing."""
    trouble = [line for line in server.log.splitlines() if "memory leak" in line or "never retrieved" in line]
    assert not trouble
