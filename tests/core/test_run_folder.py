"""A run folder is whole after any interruption, belongs to one process and one engine."""

from __future__ import annotations

import ast
import json
import multiprocessing
import os
import time
from pathlib import Path

import pytest

from echotorrent_core import run_folder
from echotorrent_core.errors import InputError
from echotorrent_core.run_folder import EventTail, RunFolder, is_busy

INFO = {"preset": "debug", "fingerprint": "debug-1", "seed": 0}


def commit(run: RunFolder, chunk: int, state: bool = True) -> None:
    event = {"kind": "chunk", "chunk": chunk}
    run.commit(chunk, b"seg%d" % chunk, event, (lambda p: p.write_text(str(chunk + 1))) if state else None)


def committed(path: Path) -> tuple[list[str], list[int]]:
    names = sorted(p.name for p in (path / "segments").iterdir())
    return names, [json.loads(line)["n"] for line in (path / "events.jsonl").read_text().splitlines()]


def test_commit_and_media(tmp_path: Path) -> None:
    with RunFolder.create(tmp_path / "run", INFO) as run:
        assert run.media() == []
        run.write_init(b"init")
        for chunk in range(3):
            commit(run, chunk)
        run.write_closing(b"close")
        assert b"".join(p.read_bytes() for p in run.media()) == b"initseg0seg1seg2close"
        assert run.state_path.read_text() == "3" and run.last_event == 3
    reader = RunFolder(tmp_path / "run", write=False)
    assert [e["chunk"] for e in reader.events()] == [0, 1, 2]


@pytest.mark.parametrize("cut", range(1, 40, 3))
def test_half_written_event_is_cut_off(tmp_path: Path, cut: int) -> None:
    with RunFolder.create(tmp_path / "run", INFO) as run:
        commit(run, 0)
        commit(run, 1)
    path = tmp_path / "run" / "events.jsonl"
    text = path.read_bytes()
    last = text.splitlines(keepends=True)[1]
    path.write_bytes(text[: -min(cut, len(last))])
    with RunFolder.open(tmp_path / "run") as run:
        run.rewind(2, {"kind": "chunk", "chunk": 1})  # the state had been replaced before the event was written
    assert path.read_bytes() == text


def test_rewind_drops_what_is_beyond_the_state(tmp_path: Path) -> None:
    with RunFolder.create(tmp_path / "run", INFO) as run:
        for chunk in range(4):
            commit(run, chunk)
        run.announce("stop")
        (tmp_path / "run" / "segments" / "00004.m4s.partial").touch()
        run.write_closing(b"x")
    with RunFolder.open(tmp_path / "run") as run:
        run.rewind(2)
        assert committed(run.path) == (["00000.m4s", "00001.m4s"], [1, 2])
        commit(run, 2)
        assert committed(run.path) == (["00000.m4s", "00001.m4s", "00002.m4s"], [1, 2, 3])
        run.segment_path(0).unlink()
        with pytest.raises(InputError, match="lacks segment 0"):
            run.rewind(3)


def test_events_of_a_stopped_run_stay_and_numbers_go_on(tmp_path: Path) -> None:
    with RunFolder.create(tmp_path / "run", INFO) as run:
        commit(run, 0)
        run.announce("stop")
    with RunFolder.open(tmp_path / "run") as run:
        run.rewind(1, {"kind": "chunk", "chunk": 0})
        commit(run, 1)
        assert [(e["n"], e["kind"]) for e in run.events()] == [(1, "chunk"), (2, "stop"), (3, "chunk")]


def test_wrong_folders_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(InputError):
            RunFolder.open(path)
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "run.json").write_text('{"format": 1')
    with pytest.raises(InputError, match="damaged"):
        RunFolder.open(tmp_path / "bad")
    RunFolder.create(tmp_path / "run", INFO).close()
    with pytest.raises(InputError, match="already holds a run"):
        RunFolder.create(tmp_path / "run", INFO)
    with pytest.raises(InputError, match="preset 'debug', not 'embedded'"):
        RunFolder.open(tmp_path / "run", preset="embedded")
    with pytest.raises(InputError, match="another engine"):
        RunFolder.open(tmp_path / "run", "debug", "debug-2")
    RunFolder.open(tmp_path / "run", "debug", "debug-1").close()  # refusals leave no lock behind
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot make"):
        RunFolder.create(tmp_path / "file" / "run", INFO)


def hold(path: str, ready: multiprocessing.synchronize.Event) -> None:
    run = RunFolder(path)
    ready.set()
    time.sleep(60)
    run.close()


def test_one_process_at_a_time_and_a_dead_one_leaves_no_lock(tmp_path: Path) -> None:
    RunFolder.create(tmp_path / "run", INFO).close()
    context = multiprocessing.get_context("fork" if os.name == "posix" else "spawn")
    ready = context.Event()
    holder = context.Process(target=hold, args=(str(tmp_path / "run"), ready))
    holder.start()
    assert ready.wait(30)
    with pytest.raises(InputError, match=f"in use by process {holder.pid}"):
        RunFolder.open(tmp_path / "run")
    assert is_busy(tmp_path / "run")
    RunFolder(tmp_path / "run", write=False)  # watching is allowed
    holder.kill()
    holder.join()
    assert not is_busy(tmp_path / "run")
    RunFolder.open(tmp_path / "run").close()


def test_full_disk_leaves_the_older_chunk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with RunFolder.create(tmp_path / "run", INFO) as run:
        commit(run, 0)
        monkeypatch.setattr(
            run_folder.os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device"))
        )
        with pytest.raises(InputError, match=r"No space left.*then resume this run"):
            commit(run, 1)
        assert committed(run.path) == (["00000.m4s"], [1]) and run.state_path.read_text() == "1"


def test_event_tail_reads_whole_lines_only(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    tail = EventTail(path, after=1)
    assert tail.poll() == []
    path.write_bytes(b'{"n": 1}\n{"n": 2}\n{"n"')
    assert [e["n"] for e in tail.poll()] == [2]
    with open(path, "ab") as file:
        file.write(b": 3}\n")
    assert [e["n"] for e in tail.poll()] == [3] and tail.poll() == []


def test_what_nodes_show_too_names_no_option_of_the_command_line() -> None:
    """Sentences of the core are read by people who have never seen it, unless they say that they speak of it."""
    core = Path(run_folder.__file__).parent
    shared = [
        path
        for path in core.rglob("*.py")
        if path.name not in ("cli.py", "inputs.py", "jobs.py", "loading.py", "play.py")
    ]
    raised = [
        "".join(part.value for part in ast.walk(call) if isinstance(part, ast.Constant) and isinstance(part.value, str))
        for path in shared
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call) and ast.unparse(call.func) in ("InputError", "ValueError", "RuntimeError")
    ]
    assert len(raised) > 100
    assert not [text for text in raised if "--" in text and "command line" not in text]
