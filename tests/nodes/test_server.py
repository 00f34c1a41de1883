"""The pack in real ComfyUI servers: workflows queued over HTTP, followed on the socket, their videos looked at."""

import io
import json
import re
import struct
import threading
import time
import urllib.error
import urllib.request
import wave
from concurrent.futures import ThreadPoolExecutor

import av
import numpy as np
import pytest
from PIL import Image

from tests.nodes import comfy_host
from tests.nodes.test_contract import IDS, SNAPSHOT

pytestmark = pytest.mark.slow
ASSETS = comfy_host.ROOT / "echotorrent_core" / "assets"
SECONDS = 1.6
FRAMES = 40


@pytest.fixture(scope="module", params=comfy_host.versions())
def server(request, tmp_path_factory):
    base = tmp_path_factory.mktemp("comfy")
    with comfy_host.or_skip(request.param):
        found = comfy_host.Server(request.param, base)
    with found:
        yield found


@pytest.fixture(scope="module")
def speech(tmp_path_factory):
    """Beginning of a shipped speech as WAV files: `channels` times the same, every `step`th sample."""
    folder = tmp_path_factory.mktemp("speech")
    with av.open(str(ASSETS / "speech" / "introduction.flac")) as container:
        samples = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])

    def cut(seconds, level=1.0, channels=1, step=1):
        path = folder / f"{seconds}_{level}_{channels}_{step}.wav"
        voice = (samples[: int(seconds * 16000) : step] * level).astype("<i2")
        with wave.open(str(path), "wb") as file:
            file.setnchannels(channels)
            file.setsampwidth(2)
            file.setframerate(16000 // step)
            file.writeframes(np.repeat(voice[:, None], channels, 1).tobytes())
        return path

    return cut


@pytest.fixture
def quick_start(server, speech):
    """The shipped workflow with a portrait and so much speech."""

    def make(seconds=SECONDS, prompt="", seed=1, name="talk", resume="", image=None, sound=None):
        portrait, voice = image or ASSETS / "portraits" / "ana.png", sound or speech(seconds)
        inputs = server.client.upload(portrait), server.client.upload(voice)
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
    bars = [m["data"]["value"] for m in messages if m["type"] == "progress"]
    assert bars == sorted(bars) and bars[-1] == FRAMES
    assert any(value not in (0, 13, 29, FRAMES) for value in bars)  # between chunks too: at denoising steps
    key = next(m["data"]["prompt_id"] for m in messages if m["type"] == "execution_start")
    assert server.history(key)["status"]["status_str"] == "success"


def test_routes(server, quick_start):
    (run,) = output(server.run(quick_start(seed=2)))["echotorrent_run"]
    client, path = server.client, f"/echotorrent/runs/{run}"
    snapshot = client.json(path)
    assert snapshot == next(r for r in client.json("/echotorrent/runs")["runs"] if r["id"] == run)
    assert (snapshot["state"], snapshot["frames"], snapshot["node_id"]) == ("finished", FRAMES, "8")
    assert (snapshot["total_frames"], snapshot["workflow_id"]) == (FRAMES, None)  # queued by a program
    events = client.json(f"{path}/events?after=1")
    assert events["n"] == snapshot["n"] and [e["n"] for e in events["events"]] == list(range(2, events["n"] + 1))
    assert client.json(f"{path}/events?after={events['n']}") == {"events": [], "n": events["n"]}
    parts = [client.fetch(f"{path}/init"), *(client.fetch(f"{path}/segments/{k}") for k in range(snapshot["chunks"]))]
    parts.append(client.fetch(f"{path}/closing"))
    made = server.base / "output" / "echotorrent" / f"talk_{run}"
    assert parts == [file.read_bytes() for file in (made / "init.mp4", *sorted((made / "segments").iterdir()))]
    assert client.json(f"{path}/stop", {})["stopped"] is False
    for wrong in ("segments/99", "segments/x", "segments/-1", "events?after=x", "video?from=-1", "nothing"):
        assert status(server, f"{path}/{wrong}") == 404, wrong
    for wrong in ("0123456789abcdef", "..", "%2e%2e%2f", "ABCDEF0123456789"):
        assert status(server, f"/echotorrent/runs/{wrong}") == 404, wrong
    for origin in ("http://evil.example", "null", "http://127.0.0.1:1"):
        assert status(server, "/echotorrent/runs", Origin=origin) == 403, origin
    assert status(server, "/echotorrent/runs", Origin=server.url) == 200


def fetch(server, path, **headers):
    with urllib.request.urlopen(urllib.request.Request(server.url + path, headers=headers)) as answer:
        return answer.status, dict(answer.headers), answer.read()


def test_a_finished_video_is_a_file_that_can_be_sought_in(server, quick_start):
    shown = output(server.run(quick_start(seed=9)))
    file = server.base / "output" / shown["images"][0]["subfolder"] / shown["images"][0]["filename"]
    path, data = f"/echotorrent/runs/{shown['echotorrent_run'][0]}/video", file.read_bytes()
    code, headers, whole = fetch(server, path)
    assert (code, headers["Content-Type"], headers["Accept-Ranges"]) == (200, "video/mp4", "bytes") and whole == data
    code, headers, part = fetch(server, path, Range="bytes=1000-1999")
    assert code == 206 and part == data[1000:2000] and headers["Content-Range"] == f"bytes 1000-1999/{len(data)}"


def test_video_plays_while_it_is_made(server, quick_start):
    """The progressive video has whole pictures long before the run is over, and ends with it; viewers come and go."""
    prompt, arrived, data = quick_start(6.0, seed=3), [], b""
    runner = threading.Thread(target=server.run, args=(prompt,))
    runner.start()
    run = wait_for_run(server, seed=3, chunks=1)
    path = f"{server.url}/echotorrent/runs/{run}/video"
    with urllib.request.urlopen(path) as answer:
        answer.read(1 << 15)  # and away, without a word
    with urllib.request.urlopen(path) as answer:
        while block := answer.read1(1 << 16):
            data += block
            arrived.append((time.monotonic(), len(data)))
    runner.join()
    assert arrived[-1][0] - arrived[0][0] > 1  # seconds between its beginning and its end
    state = server.client.json(f"/echotorrent/runs/{run}")
    assert state["state"] == "finished"
    assert arrived[-1][1] % (1 << 15) == 0
    assert decoded(io.BytesIO(data)) == state["frames"] + 8 == 158  # the first chunk's last picture is repeated
    with urllib.request.urlopen(f"{path}?from=3") as answer:  # over by now: the file, from wherever it was asked
        assert decoded(io.BytesIO(answer.read())) == 150


def decoded(file):
    """Frames of a video file."""
    with av.open(file) as container:
        return sum(1 for _ in container.decode(video=0))


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
    resumed = output(server.run(quick_start(**other, seed=44, resume=run)))  # a run keeps its own seed
    assert resumed["echotorrent_run"] == [run]
    assert np.array_equal(video(server, resumed)[0], video(server, whole)[0])
    with pytest.raises(RuntimeError, match="made with another prompt"):
        server.run(quick_start(**{**other, "prompt": "sad"}, seed=4, resume=run))


def test_stop_keeps_and_the_graph_goes_on(server, quick_start):
    run, told = interrupted(
        server, quick_start(20.0, seed=6), 6, lambda run: server.client.json(f"/echotorrent/runs/{run}/stop", {})
    )
    state = server.client.json(f"/echotorrent/runs/{run}")
    assert state["state"] == "stopped" and len(video(server, output(told))[0]) == state["frames"] < 400


def test_two_prompts_in_a_row_and_free_between(server, quick_start):
    """Queued together, one follows the other; the same again is cached; after memory was freed it is made as before."""
    prompts = [quick_start(0.8, seed=seed) for seed in (7, 17)]
    with ThreadPoolExecutor(2) as pool:
        first, second = (output(messages) for messages in pool.map(server.run, prompts))
    assert not np.array_equal(video(server, first)[0], video(server, second)[0])
    third = output(server.run(prompts[0]))
    assert output(server.run(prompts[0])) == third
    server.client.json("/free", {"unload_models": True, "free_memory": True})
    time.sleep(1.5)
    loads = server.log.count("Requested to load Trunk")
    again = output(server.run(prompts[0]))
    assert again != third and np.array_equal(video(server, again)[0], video(server, first)[0])
    assert server.log.count("Requested to load Trunk") == loads + 1


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


def refused(server, prompt):
    """What the failing node says; the queue goes on after it."""
    before = server.log.count("Requested to load Trunk")
    with pytest.raises(RuntimeError) as error:
        server.run(prompt)
    assert server.log.count("Requested to load Trunk") == before  # before any weights are loaded
    return str(error.value)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("EchoTorrent_SaveVideo", "name", "../x"), "cannot name a file"),
        (("EchoTorrent_SaveVideo", "resume", "0123456789abcdef"), "there is no run"),
        (("EchoTorrent_SaveVideo", "resume", "../../etc"), "is not the id of a run"),
        (("EchoTorrent_LoadModel", "preset", "other"), r"not in list|unknown preset"),
        (("EchoTorrent_Condition", "prompt", "3: a / 2: b"), "put later ones last"),
        (("EchoTorrent_LoadModel", "width", 64), "set width back"),
        (("LoadImage", "image", "gone.png"), "Invalid image file"),
    ],
)
def test_bad_values_are_told_on_the_node(server, quick_start, change, words):
    prompt, (kind, name, value) = quick_start(), change
    node_of(prompt, kind)["inputs"][name] = value
    assert re.search(words, refused(server, prompt))


@pytest.mark.parametrize(
    ("sound", "words"),
    [
        ({"seconds": 1.0, "level": 0.0}, "EchoTorrent_EncodeAudio: .*silent.*give speech"),
        ({"seconds": 0.01}, "EchoTorrent_EncodeAudio: .*shorter than one frame"),
        ({"seconds": 0.0}, "(EchoTorrent_EncodeAudio|LoadAudio): .+"),
    ],
)
def test_bad_sounds_are_told_on_the_node(server, quick_start, speech, sound, words):
    told = refused(server, quick_start(sound=speech(**sound)))
    assert re.search(words, told) and ("LoadAudio" in told or one_sentence(told))


@pytest.mark.parametrize(
    ("size", "words"), [((1, 1), "1 x 1 pixels, too few for a face"), ((8, 300), "8 x 300 pixels")]
)
def test_bad_pictures_are_told_on_the_node(server, quick_start, tmp_path, size, words):
    path = tmp_path / "picture.png"
    Image.new("RGB", size, "red").save(path)
    told = refused(server, quick_start(image=path))
    assert re.search(f"EchoTorrent_Condition: .*{words}", told) and one_sentence(told)


def test_a_batch_of_pictures_is_told_on_the_node(server, quick_start):
    prompt = quick_start()
    condition = node_of(prompt, "EchoTorrent_Condition")["inputs"]
    prompt["30"] = {"class_type": "RepeatImageBatch", "inputs": {"image": condition["image"], "amount": 2}}
    condition["image"] = ["30", 0]
    told = refused(server, prompt)
    assert "a batch of 2 pictures; give one" in told and one_sentence(told)


def one_sentence(told):
    return "\n" not in told and len(told) < 400


def test_files_of_another_family_are_told_on_the_node(server, quick_start):
    """A checkpoint that is none of Wan's, a size that does not fit, and files that are missing."""
    folder = server.base / "models" / "diffusion_models"
    folder.mkdir(parents=True, exist_ok=True)
    header = json.dumps({"unet.weight": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}).encode()
    (folder / "other.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + bytes(8))
    for inputs, words in (
        ({"preset": "infinitetalk_14b"}, "missing"),
        ({"preset": "infinitetalk_14b", "diffusion_model": "other.safetensors"}, "other.safetensors"),
        ({"preset": "infinitetalk_14b", "width": 650, "height": 640}, "nearest is"),
    ):
        prompt = quick_start()
        node_of(prompt, "EchoTorrent_LoadModel")["inputs"] = inputs
        told = refused(server, prompt)
        assert words in told and one_sentence(told)


@pytest.mark.parametrize(
    "options", [{"step": 2}, {"channels": 7}, {"channels": 2}], ids=["8 kHz", "7 channels", "stereo"]
)
def test_unusual_sounds_are_fine(server, quick_start, speech, options):
    shown = output(server.run(quick_start(sound=speech(0.8, **options), seed=10)))
    pictures, loud, seconds = video(server, shown)
    assert len(pictures) == 20 and loud > 0.05 and seconds == pytest.approx(0.8, abs=0.05)


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
    """Last: nothing of the pack's broke without anybody noticing, viewers who went away included."""
    signs = ("memory leak", "never retrieved", "ConnectionResetError", "Error handling request")
    assert not [line for line in server.log.splitlines() if any(sign in line for sign in signs)]
