"""Work for jobs in place of the trainer's: counts steps in plain Python, and keeps a diary of its own, by which tests
see whether a job ran twice at once or lost a checkpoint. Also the forms of its settings, as the trainer would say them.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from training.jobs.report import Report, Stopped

if sys.platform == "win32":
    import msvcrt

    def hold(file: Any) -> None:
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def hold(file: Any) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


DIARY = "diary.txt"
KILL = getattr(signal, "SIGKILL", signal.SIGTERM)  # Windows ends a process at once by either name
PRESETS = ("embedded", "tiny")


class InputError(ValueError):
    """As that of the core."""


def schema(preset: str) -> dict[str, Any]:
    properties = {
        "steps": {"type": "integer", "title": "Steps", "minimum": 1, "maximum": 100_000, "default": 20},
        "seconds": {"type": "number", "title": "Per step", "minimum": 0, "maximum": 10, "default": 0.01},
        "save_every": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 5},
        "trouble": {"type": "string", "enum": ["", "input", "bug", "memory", "kill", "exit"], "default": ""},
        "weights": {"type": "array", "items": {"type": "string"}},
        "note": {"type": "string", "format": "text"},
        "advanced": {"type": "object", "properties": {"rank": {"type": "integer", "minimum": 1, "maximum": 64}}},
    }
    return {"type": "object", "title": preset, "properties": properties}


def estimate(spec: dict[str, Any]) -> dict[str, Any]:
    print("a package that talks")
    if spec["preset"] == "tiny":
        raise InputError("the preset tiny cannot be estimated")
    steps = spec["settings"].get("steps", 20)
    return {"bytes": 1000 * steps, "parts": {"weights": 600 * steps, "working": 400 * steps}, "seconds": 0.01 * steps}


def loss(step: int) -> float:
    return round(1 / (1 + step), 6)


def fine_tune(spec: dict[str, Any], folder: Path, report: Report) -> dict[str, Any]:
    settings = {"steps": 20, "seconds": 0.01, "save_every": 5, "trouble": ""} | spec["settings"]
    run = folder / "run"
    run.mkdir(exist_ok=True)
    with alone(folder), alone(folder.parents[1], f"device-{spec['device'].replace(':', '-')}"):
        step = newest(run)
        write(folder, f"begin {os.getpid()} {step}")
        rewind(run, step)
        report.phase("training")
        while step < settings["steps"]:
            step += 1
            time.sleep(settings["seconds"])
            with open(run / "metrics.jsonl", "a") as file:
                file.write(json.dumps({"step": step, "time": round(time.time(), 1), "loss": loss(step)}) + "\n")
            report.progress(step, settings["steps"], {"loss": loss(step)})
            wanted = report.wanted()
            leaving = sorted(wanted & {"stop", "pause"}, reverse=True)
            if leaving or "save" in wanted or step % settings["save_every"] == 0 or step == settings["steps"]:
                save(folder, run, step)
            if "save" in wanted:
                report.done("save")
            if "sample" in wanted:
                (run / "samples").mkdir(exist_ok=True)
                (run / "samples" / f"step-{step:08d}-new.mp4").write_bytes(b"video")
                report.done("sample")
            if leaving:
                write(folder, f"end {os.getpid()} {step}")
                raise Stopped(leaving[0])
            if step == 3 and settings["trouble"]:
                trouble(settings["trouble"])
        write(folder, f"end {os.getpid()} {step}")
    return {"steps": step}


def trouble(kind: str) -> None:
    print("the last thing that was said", flush=True)
    if kind == "input":
        raise InputError("the clips show nobody; use others")
    if kind == "memory":
        raise RuntimeError("CUDA out of memory. Tried to allocate 2 GiB")
    if kind == "kill":
        os.kill(os.getpid(), KILL)
    if kind == "exit":
        os._exit(7)
    raise KeyError("a bug")


def newest(run: Path) -> int:
    return max((int(path.stem.split("-")[1]) for path in (run / "checkpoints").glob("step-*.json")), default=0)


def save(folder: Path, run: Path, step: int) -> None:
    for name, ending in (("checkpoints", "json"), ("identities", "safetensors")):
        path = run / name / f"step-{step:08d}.{ending}"
        path.parent.mkdir(exist_ok=True)
        partial = path.with_name(f".{path.name}.tmp")
        partial.write_text(json.dumps({"step": step}))
        os.replace(partial, path)
    write(folder, f"saved {os.getpid()} {step}")


def rewind(run: Path, step: int) -> None:
    path = run / "metrics.jsonl"
    if path.exists():
        whole = [line for line in path.read_text().splitlines(keepends=True) if line.endswith("\n")]
        kept = [line for line in whole if json.loads(line)["step"] <= step]
        partial = path.with_name("metrics.tmp")
        partial.write_text("".join(kept))
        os.replace(partial, path)


def write(folder: Path, line: str) -> None:
    with open(folder / DIARY, "a") as file:
        file.write(line + "\n")


@contextlib.contextmanager
def alone(folder: Path, name: str = "alone"):
    """Notes it if somebody else is at work there: by a lock of another kind than the one that is tested."""
    with open(folder / name, "a") as file:
        try:
            hold(file)
        except OSError:
            write(folder, f"twice {os.getpid()} 0")
            raise
        yield


def check_clips(spec: dict[str, Any], folder: Path, report: Report) -> dict[str, Any]:
    """A verdict and a picture for every clip."""
    data = Path(spec["dataset"])
    names = list(json.loads((data / "dataset.json").read_text())["clips"])
    for number, name in enumerate(names):
        verdict = {"usable": "bad" not in name, "reason": "no face" if "bad" in name else "", "seconds": 2.0}
        (data / "made" / f"{name}.json").write_text(json.dumps(verdict))
        (data / "made" / f"{name}.jpg").write_bytes(b"\xff\xd8picture")
        report.progress(number + 1, len(names))
    return {"clips": len(names)}


def compare(spec: dict[str, Any], folder: Path, report: Report) -> dict[str, Any]:
    samples = folder / "run" / "samples"
    samples.mkdir(parents=True)
    for name in spec["checkpoints"]:
        (samples / f"{Path(name).stem}.mp4").write_bytes(b"video")
    return {"sound": spec["sound"]}


KINDS = {"identity": fine_tune, "check": check_clips, "compare": compare}

if __name__ == "__main__":  # a server without HTTP: python fake_kinds.py ROOT PATIENCE
    sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
    from training.jobs.service import Service

    service = Service(Path(sys.argv[1]), kinds="tests.training.jobs.fake_kinds", patience=float(sys.argv[2]))
    while True:
        service.poll()
        time.sleep(0.05)
