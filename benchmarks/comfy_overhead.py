"""What does ComfyUI cost beside the command line, how soon can a chunk be seen, and does its memory stay flat?

    python benchmarks/comfy_overhead.py            # about 15 minutes on two quiet cores
    python benchmarks/comfy_overhead.py --quick

A real ComfyUI 0.30.0 is started as the tests start it (tests/nodes/comfy_host.py says where it comes from); without
one, the benchmark says so and ends. The command line runs on the same Python and the same number of threads. Both make
the same video in turns, the one that begins changing from round to round; their cost per second of video is taken from
the first committed chunk to the last, so that neither the start of a program nor the loading of weights counts. The
seconds from asking to the finished file, with both, stand beside it.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tempfile
import time
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import common
import numpy as np

from echotorrent_core.metrics import timing

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # for the tests' ComfyUI

from tests.nodes import comfy_host

VERSION = "0.30.0"
SETTLED = 3  # prompts after which memory may not grow any more


def main() -> None:
    parser = common.parser(__doc__, seconds=None)
    parser.add_argument("--rounds", type=int, help="videos that each of the two makes")
    parser.add_argument("--prompts", type=int, help="prompts that are queued at once")
    args = parser.parse_args()
    facts = common.hardware(args.threads)
    os.environ["OMP_NUM_THREADS"] = str(args.threads)  # of the server and of the command line
    try:
        python = comfy_host.python()
        comfy_host.checkout(VERSION)
    except comfy_host.Unavailable as reason:
        print(f"no ComfyUI {VERSION} here: {reason}")
        common.finish(args, "comfy_overhead", facts, {"skipped": str(reason)})
        return
    seconds = args.seconds or (4.0 if args.quick else 600.0)
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(args, python, Path(folder), seconds)
    report(args, facts, figures)


def measure(args: Any, python: Path, folder: Path, seconds: float) -> dict[str, Any]:
    """All figures. seconds: length of the long video; the short one is a tenth of it."""
    rounds, prompts = args.rounds or (2 if args.quick else 8), args.prompts or (4 if args.quick else 20)
    length = 3.0 if args.quick else 20.0
    with server(folder / "speed") as comfy:
        inputs = upload(comfy, folder, length)
        watched(comfy, workflow(args, inputs, -1))  # loads the weights
        turns = [turn(args, python, comfy, inputs, folder, number) for number in range(rounds)]
        told("chunks from their commit to a viewer")
        delays = watched(comfy, workflow(args, inputs, rounds))
    with server(folder / "queue") as comfy:
        told(f"{prompts} prompts in the queue")
        inputs = upload(comfy, folder, 2.0)
        resident = list(queued(comfy, [workflow(args, inputs, number) for number in range(prompts)]))
    peaks = []
    for length in (seconds / 10, seconds):
        with server(folder / f"memory{length:g}") as comfy:
            told(f"a video of {length:g} s")
            watched(comfy, workflow(args, upload(comfy, folder, length), 0), look=False)
            peaks.append(memory(comfy, "VmHWM"))
    costs = np.array([[(t["comfy"], t["comfy_all"]), (t["command"], t["command_all"])] for t in turns])
    ratio = timing.paired_ratio(costs[:, 0], costs[:, 1])
    return {
        "version": VERSION,
        "seconds_per_second": {"comfy": float(np.median(costs[:, 0, 0])), "command": float(np.median(costs[:, 1, 0]))},
        "ratio": ratio[0].tolist(),
        "to_the_file_s": {"comfy": float(np.median(costs[:, 0, 1])), "command": float(np.median(costs[:, 1, 1]))},
        "first_chunk_visible_s": delays[0],
        "chunk_visible_p50_s": timing.percentile(delays, 0.5),
        "chunk_visible_max_s": max(delays),
        "video_s": [seconds / 10, seconds],
        "peak_mb": peaks,
        "peak_ratio": peaks[1] / peaks[0],
        "prompts": prompts,
        "resident_mb": resident,
        "resident_ratio": resident[-1] / resident[SETTLED - 1],
    }


def report(args: Any, facts: dict[str, Any], f: dict[str, Any]) -> None:
    low, high = f["ratio"][1:]
    rows = [
        ("seconds per generated second, ComfyUI", f["seconds_per_second"]["comfy"], ""),
        ("the same, command line", f["seconds_per_second"]["command"], ""),
        (f"ratio, in turns [{low:.3f}, {high:.3f}]", f["ratio"][0], "<= 1.10"),
        ("from asking to the file, ComfyUI (running, weights loaded), s", f["to_the_file_s"]["comfy"], ""),
        ("the same, command line (start and loading included), s", f["to_the_file_s"]["command"], ""),
        ("first chunk, from its commit to its picture at a client, s", f["first_chunk_visible_s"], "<= 1"),
        ("all chunks, median, s", f["chunk_visible_p50_s"], ""),
        ("all chunks, largest, s", f["chunk_visible_max_s"], ""),
        (f"peak memory of the server, video of {f['video_s'][0]:g} s, MiB", f["peak_mb"][0], ""),
        (f"the same, {f['video_s'][1]:g} s, MiB", f["peak_mb"][1], "+5 % at most"),
        (f"memory after prompt {SETTLED}, MiB", f["resident_mb"][SETTLED - 1], ""),
        (f"memory after prompt {f['prompts']}, MiB", f["resident_mb"][-1], "+5 % at most"),
    ]
    common.table(f"{args.preset} in ComfyUI {VERSION}", ("", "value", "wanted"), rows)
    common.finish(args, "comfy_overhead", facts, f)


# ---- the two ways


def turn(
    args: Any, python: Path, comfy: comfy_host.Server, inputs: dict[str, Any], folder: Path, number: int
) -> dict[str, float]:
    """One video by each, in turns: seconds per second of video, and seconds from asking to the file."""
    told(f"round {number + 1}")
    found: dict[str, float] = {}
    for way in ("comfy", "command") if number % 2 else ("command", "comfy"):
        begun = time.perf_counter()
        if way == "comfy":
            run = run_folder(comfy, comfy.run(workflow(args, inputs, number)))
        else:
            run = folder / f"command{number}"
            command_line(args, python, inputs["sound"], run, number)
        found[f"{way}_all"] = time.perf_counter() - begun
        found[way] = cost(run)
    return found


def command_line(args: Any, python: Path, sound: Path, run: Path, seed: int) -> None:
    command = [str(python), "-m", "echotorrent_core.cli", "generate", "--preset", args.preset, "--quiet", "--keep-run"]
    command += ["--image", str(portrait()), "--audio", str(sound), "--seed", str(seed), "--threads", str(args.threads)]
    command += ["--run-dir", str(run), "-o", str(run.with_suffix(".mp4"))]
    done = subprocess.run(command, cwd=comfy_host.ROOT, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"the command line failed: {done.stderr[-2000:]}")


def cost(run: Path) -> float:
    """Seconds of work per second of video, from the first committed chunk of a run folder to the last."""
    facts = json.loads((run / "run.json").read_text())
    events = [json.loads(line) for line in (run / "events.jsonl").read_text().splitlines()]
    chunks = [event for event in events if event["kind"] == "chunk"]
    written = [(run / event["file"]).stat().st_mtime for event in chunks]
    frames = sum(event["frames"] for event in chunks[1:])
    return (written[-1] - written[0]) * facts.get("fps", 25) / frames


# ---- ComfyUI


def server(base: Path) -> comfy_host.Server:
    base.mkdir()
    return comfy_host.Server(VERSION, base)


def upload(comfy: comfy_host.Server, folder: Path, seconds: float) -> dict[str, Any]:
    """Portrait and so much speech, as names in ComfyUI's input folder, and the sound's own path."""
    sound = folder / f"speech{seconds:g}.wav"
    with wave.open(str(sound), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(common.RATE)
        for block in common.speech(seconds):
            file.writeframes((block * 32767).astype("<i2").tobytes())
    return {"image": comfy.client.upload(portrait()), "audio": comfy.client.upload(sound), "sound": sound}


def portrait() -> Path:
    return min((common.ASSETS / "portraits").glob("*.png"))


def workflow(args: Any, inputs: dict[str, Any], number: int) -> dict[str, Any]:
    """The quick start; another seed makes it work that ComfyUI has not cached."""
    client = comfy_host.client_module()
    nodes = client.workflow(inputs["image"], inputs["audio"], "", args.seed + number + 1, "benchmark")
    client.put(nodes, "EchoTorrent_LoadModel.preset", args.preset)
    return nodes


def run_folder(comfy: comfy_host.Server, messages: list[dict[str, Any]]) -> Path:
    """Of the run that a prompt made."""
    shown = [m["data"]["output"] for m in messages if m["type"] == "executed" and m["data"].get("output")]
    (key,) = next(output["echotorrent_run"] for output in shown if "echotorrent_run" in output)
    (found,) = (comfy.base / "output" / "echotorrent").glob(f"*_{key}")
    return found


def watched(comfy: comfy_host.Server, nodes: dict[str, Any], look: bool = True) -> list[float]:
    """Queue and follow as the panel does: seconds from each chunk's commit to its first picture here.

    A chunk is fetched when the socket announces it, and decoded with the run's header before it."""
    delays, header = [], b""
    for message in comfy.client.run(nodes):
        data = message.get("data") or {}
        if look and message["type"] == "echotorrent.event" and data["kind"] == "chunk":
            route = f"/echotorrent/runs/{data['run']}"
            header = header or comfy.client.fetch(f"{route}/init")
            first_picture(header + comfy.client.fetch(f"{route}/segments/{data['chunk']}"))
            (run,) = (comfy.base / "output" / "echotorrent").glob(f"*_{data['run']}")
            delays.append(time.time() - (run / "segments" / f"{data['chunk']:05d}.m4s").stat().st_mtime)
    return delays


def first_picture(media: bytes) -> None:
    with av.open(io.BytesIO(media), "r") as container:
        next(container.decode(video=0)).to_ndarray(format="rgb24")


def queued(comfy: comfy_host.Server, prompts: list[dict[str, Any]]) -> Iterator[float]:
    """Queue all at once; the server's memory after each, MiB."""
    messages = comfy.client.messages()
    next(messages)
    for nodes in prompts:
        comfy.client.json("/prompt", {"prompt": nodes, "client_id": comfy.client.id})
    left = len(prompts)
    for message in messages:
        data = message.get("data") or {}
        if message["type"] in ("execution_error", "execution_interrupted"):
            raise SystemExit(f"a prompt failed: {data.get('exception_message')}")
        if message["type"] == "executing" and data.get("node") is None:
            left -= 1
            yield memory(comfy, "RssAnon")
        if not left:
            return


def memory(comfy: comfy_host.Server, what: str) -> float:
    """MiB of the server: VmHWM, the largest so far; RssAnon, now, without pages of files, which come and go as the
    system likes."""
    lines = Path(f"/proc/{comfy.process.pid}/status").read_text(encoding="utf-8").splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith(what + ":"))) / 1024


def told(what: str) -> None:
    print(f"{what} ...", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
