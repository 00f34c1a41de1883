"""benchmarks/comfy_overhead.py: what it reads from files, and its quick mode on a real ComfyUI."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def overhead(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    import comfy_overhead

    return comfy_overhead


def test_cost_is_taken_between_commits(overhead, tmp_path):
    """Three chunks committed 0, 1 and 3 s after the first; 50 frames come after it at 25 per second."""
    (tmp_path / "segments").mkdir()
    (tmp_path / "run.json").write_text(json.dumps({"fps": 25}))
    events = [{"n": 1, "kind": "start"}]
    for chunk, (second, frames) in enumerate([(0, 13), (1, 25), (3, 25)]):
        file = f"segments/{chunk:05d}.m4s"
        (tmp_path / file).touch()
        os.utime(tmp_path / file, (1000 + second, 1000 + second))
        events.append({"n": chunk + 2, "kind": "chunk", "chunk": chunk, "frames": frames, "file": file})
    (tmp_path / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))
    assert overhead.cost(tmp_path) == pytest.approx(3 / 2)


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_memory_is_that_of_the_process(overhead):
    comfy = SimpleNamespace(process=SimpleNamespace(pid=os.getpid()))
    now, peak = overhead.memory(comfy, "VmRSS"), overhead.memory(comfy, "VmHWM")
    assert 10 < now <= peak * 1.01 < 20_000


def test_prompts_in_the_queue_are_counted_one_by_one(overhead, monkeypatch):
    """Memory is read when each of them is over; one that fails ends the benchmark."""
    over = {"type": "executing", "data": {"node": None}}
    sent, told = [], [{"type": "status"}, {"type": "executing", "data": {"node": "1"}}, over, over, over]
    client = SimpleNamespace(id="me", json=lambda path, value: sent.append(path), messages=lambda: iter(told))
    readings = iter([100.0, 101.0, 102.0])
    monkeypatch.setattr(overhead, "memory", lambda comfy, what: next(readings))
    assert list(overhead.queued(SimpleNamespace(client=client), [{}, {}, {}])) == [100.0, 101.0, 102.0]
    assert sent == ["/prompt"] * 3
    told[1:] = [{"type": "execution_error", "data": {"exception_message": "broke"}}]
    with pytest.raises(SystemExit, match="broke"):
        list(overhead.queued(SimpleNamespace(client=client), [{}]))


@pytest.mark.slow  # a minute, with ComfyUI
def test_quick_mode(tmp_path):
    path = tmp_path / "figures.json"
    command = [sys.executable, str(ROOT / "benchmarks" / "comfy_overhead.py"), "--quick", "--json", str(path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    last = json.loads(done.stdout.splitlines()[-1])
    assert json.loads(path.read_text()) == last
    figures = last["figures"]
    if "skipped" in figures:
        pytest.skip(figures["skipped"])
    assert 0.3 < figures["ratio"][0] < 3
    assert 0 < figures["first_chunk_visible_s"] < 10
    assert len(figures["resident_mb"]) == figures["prompts"] == 4
    assert figures["peak_mb"][0] > 300
