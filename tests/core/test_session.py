"""The session: order, back-pressure, barge-in, cancelling, and resume after kill -9 to the same bytes."""

from __future__ import annotations

import multiprocessing
import os
import random
import threading
import time
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch
from fakes import FakeEngine, speech

from echotorrent_core.errors import InputError
from echotorrent_core.media import finalise
from echotorrent_core.run_folder import RunFolder
from echotorrent_core.session import Session, _Upsampler

IMAGE = torch.zeros(3, 32, 32)


def create(path: Path, engine: FakeEngine) -> RunFolder:
    return RunFolder.create(path, {"preset": "debug", "fingerprint": engine.fingerprint, "seed": 3, "prompt": ""})


def session(path: Path, engine: FakeEngine | None = None, **options: Any) -> Session:
    engine = engine or FakeEngine()
    return Session(engine, engine.condition(IMAGE), create(path, engine), 3, **options)


def media(path: Path) -> bytes:
    return b"".join(p.read_bytes() for p in RunFolder(path, write=False).media())


def make(path: Path, seconds: float, **options: Any) -> Session:
    mono, sound = speech(seconds)
    with session(path, **options) as made:
        made.push(mono, sound)
        made.end()
        made.wait()
    made.run.close()
    return made


def go_on(path: Path, seconds: float, engine: FakeEngine | None = None) -> Session:
    """Resume with the same source of sound and run to the end."""
    engine = engine or FakeEngine()
    run = RunFolder.open(path)
    mono, sound = speech(seconds)
    with Session.resume(run, engine, engine.condition(IMAGE)) as resumed:
        at = resumed.source_position
        resumed.push(mono[at:], sound[:, 3 * at :])
        resumed.end()
        resumed.wait()
    run.close()
    return resumed


@pytest.mark.parametrize("seconds", [0.05, 0.52, 0.6, 1.0, 1.16, 1.285, 4.0])
def test_video_is_as_long_as_the_sound(tmp_path: Path, seconds: float) -> None:
    made = make(tmp_path / "run", seconds)
    frames = -(-round(seconds * 16000) // 640)
    assert made.finished and made.seconds == frames / 25
    out = finalise(made.run.media(), tmp_path / "out.mp4")
    with av.open(str(out)) as container:
        assert container.streams.video[0].frames == frames
        assert sum(1 for _ in container.decode(video=0)) == frames
    kinds = [e["kind"] for e in made.run.events()]
    assert kinds == ["chunk"] * (len(kinds) - 1) + ["end"]


def test_no_sound_at_all_gives_one_frame(tmp_path: Path) -> None:
    with session(tmp_path / "run") as made:
        made.end()
        made.wait()
    assert made.seconds == 1 / 25


def test_how_the_sound_is_cut_does_not_matter(tmp_path: Path) -> None:
    make(tmp_path / "whole", 3.0)
    mono, sound = speech(3.0)
    with session(tmp_path / "cut") as made:
        at = 0
        for n in [1, 639, 640, 1000, 5, 20000, 10**6]:
            made.push(mono[at : at + n], sound[:, 3 * at : 3 * (at + n)])
            at += n
        made.end()
        made.wait()
    assert media(tmp_path / "cut") == media(tmp_path / "whole")


def test_stop_and_resume_equals_unbroken(tmp_path: Path) -> None:
    make(tmp_path / "whole", 4.0)
    mono, sound = speech(4.0)
    with session(tmp_path / "run", FakeEngine(delay=0.05)) as made:
        made.push(mono, sound)
        for event in made.events():
            if event["chunk"] == 2:
                break
    made.run.close()
    assert not made.finished
    finalise(made.run.media(), tmp_path / "part.mp4")  # what was made plays
    assert go_on(tmp_path / "run", 4.0).finished
    assert media(tmp_path / "run") == media(tmp_path / "whole")
    assert go_on(tmp_path / "run", 4.0).finished  # resuming a finished run changes nothing
    assert media(tmp_path / "run") == media(tmp_path / "whole")


def resume_in_child(path: str, seconds: float) -> None:
    torch.set_num_threads(1)
    go_on(Path(path), seconds, FakeEngine(delay=0.004))


@pytest.mark.skipif(os.name != "posix", reason="forks")
def test_twenty_kills_at_random_moments(tmp_path: Path) -> None:
    seconds = 30.0
    make(tmp_path / "whole", seconds)
    create(tmp_path / "run", FakeEngine()).close()
    dice = random.Random(0)
    context = multiprocessing.get_context("fork")
    reached = []
    for _ in range(20):
        child = context.Process(target=resume_in_child, args=(str(tmp_path / "run"), seconds))
        child.start()
        before = len(list((tmp_path / "run" / "segments").glob("*.m4s")))
        deadline = time.monotonic() + 20  # let it get to work, however busy the machine is, then kill it anywhere
        while len(list((tmp_path / "run" / "segments").glob("*.m4s"))) <= before and time.monotonic() < deadline:
            time.sleep(0.001)
        time.sleep(dice.uniform(0, 0.06))
        assert child.exitcode in (None, 0)
        child.kill()
        child.join()
        reached.append(len(list((tmp_path / "run" / "segments").glob("*.m4s"))))
    assert reached[-1] > 15
    assert go_on(tmp_path / "run", seconds).finished
    assert media(tmp_path / "run") == media(tmp_path / "whole")
    chunks = [e["chunk"] for e in RunFolder(tmp_path / "run", write=False).events() if e["kind"] == "chunk"]
    assert chunks == list(range(len(chunks)))


class Killed(BaseException):
    pass


@pytest.mark.parametrize("point", range(8))
def test_kill_between_any_two_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, point: int) -> None:
    """The process dies right before one of the operations on the disk that commit a chunk."""
    make(tmp_path / "whole", 3.0)
    made, count = session(tmp_path / "run"), 0
    mono, sound = speech(3.0)

    def dying(operation: Any) -> Any:
        def run(*args: Any) -> Any:
            nonlocal count
            if threading.current_thread().name == "session" and made.seconds > 1:
                count += 1
                if count > point:
                    raise Killed
            return operation(*args)

        return run

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", dying(os.replace))
        patch.setattr(os, "fsync", dying(os.fsync))
        patch.setattr(RunFolder, "_append", dying(RunFolder._append))
        with pytest.raises(Killed), made:
            made.push(mono, sound)
            made.end()
            made.wait()
    made.run.close()
    assert go_on(tmp_path / "run", 3.0).finished
    assert media(tmp_path / "run") == media(tmp_path / "whole")


def test_saving_the_state_less_often_still_resumes(tmp_path: Path) -> None:
    make(tmp_path / "whole", 4.0)
    mono, sound = speech(4.0)
    with session(tmp_path / "run", state_every=3) as made:
        made.push(mono, sound)
        made.wait(0.01)
        next(e for e in made.events() if e["chunk"] == 4)
    made.run.close()
    assert go_on(tmp_path / "run", 4.0).finished
    assert media(tmp_path / "run") == media(tmp_path / "whole")


def test_two_sessions_on_one_engine_do_not_touch(tmp_path: Path) -> None:
    engine = FakeEngine(delay=0.01)
    make(tmp_path / "whole", 2.5)
    sessions = [session(tmp_path / name, engine) for name in "ab"]
    mono, sound = speech(2.5)
    for made in sessions:
        made.start()
    for at in range(0, len(mono), 640):
        for made in sessions:
            made.push(mono[at : at + 640], sound[:, 3 * at : 3 * (at + 640)])
    for made in sessions:
        made.end()
        made.wait()
        made.stop()
    assert media(tmp_path / "a") == media(tmp_path / "b") == media(tmp_path / "whole")


def test_first_chunk_leaves_before_the_sound_ends(tmp_path: Path) -> None:
    mono, sound = speech(1.0)
    with session(tmp_path / "run") as made:
        made.push(mono, sound)  # and no end()
        assert next(made.events())["chunk"] == 0
        assert not made.wait(0.1)


def test_push_blocks_when_much_is_waiting(tmp_path: Path) -> None:
    mono, sound = speech(10.0)
    with session(tmp_path / "run", FakeEngine(delay=0.1), pending=1.0) as made:
        pushed = threading.Event()
        thread = threading.Thread(target=lambda: (made.push(mono, sound), pushed.set()), daemon=True)
        thread.start()
        next(made.events())
        assert not pushed.is_set() and made._waiting <= 16000
    thread.join(5)
    assert not thread.is_alive()  # stop() lets it go
    assert made.push(mono, sound) is False


def test_slow_reader_of_frames_holds_the_maker_back(tmp_path: Path) -> None:
    mono, sound = speech(8.0)
    made = session(tmp_path / "run")
    frames = made.frames(maxsize=1)
    with made:
        made.push(mono, sound)
        made.end()
        event, pixels = next(frames)
        assert pixels.dtype == np.uint8 and pixels.shape == (13, 32, 32, 3) and event["chunk"] == 0
        time.sleep(0.5)
        assert made.seconds < 3  # one in the queue, one in the maker's hands
        assert sum(len(p) for _, p in frames) == 200 - 13
    assert made.finished


def test_clear_drops_what_was_not_used(tmp_path: Path) -> None:
    mono, sound = speech(6.0)
    with session(tmp_path / "run", FakeEngine(delay=0.05)) as made:
        made.push(mono, sound)
        next(made.events())
        dropped = made.clear()
        made.end()
        made.wait()
    assert 3 < dropped < 6 and made.seconds == pytest.approx(6 - dropped, abs=0.04)
    assert made.source_position == len(mono)


def test_idle_goes_on_in_silence_at_the_pace_of_time(tmp_path: Path) -> None:
    with session(tmp_path / "run", idle=True) as made:
        begun = time.monotonic()
        for event in made.events():
            if event["chunk"] == 2:
                break
        assert 0.4 < time.monotonic() - begun < 10  # chunks of 0.52, 0.64 s; the first two are made ahead
        assert made.seconds < time.monotonic() - begun + 1.4


def test_change_of_prompt_and_reference(tmp_path: Path) -> None:
    mono, sound = speech(3.0)
    make(tmp_path / "plain", 3.0)
    made = session(
        tmp_path / "run", FakeEngine(delay=0.02), on_chunk=lambda e: e["chunk"] or made.set_prompt("smiling")
    )
    with made:
        made.push(mono, sound)
        made.end()
        made.wait()
    events = [e for e in made.run.events() if e["kind"] == "chunk"]
    assert [e.get("prompt") for e in events[:3]] == [None, "smiling", None]
    plain, changed = (sorted((tmp_path / n / "segments").glob("0*")) for n in ("plain", "run"))
    assert plain[0].read_bytes() == changed[0].read_bytes() and plain[1].read_bytes() != changed[1].read_bytes()


def two_voices(seconds: float) -> tuple[np.ndarray, np.ndarray]:
    """Mono (2, n) of two speakers and the sound track (2, 3n) of both."""
    (one, stereo), (other, _) = speech(seconds), speech(seconds, seed=1)
    return np.stack([one, other]), stereo


def test_two_speakers_push_and_resume_as_one_does(tmp_path: Path) -> None:
    mono, sound = two_voices(4.0)

    def push(made: Session, size: int) -> None:
        for at in range(made.source_position, mono.shape[1], size):
            if not made.push(mono[:, at : at + size], sound[:, 3 * at : 3 * (at + size)]):
                return
        made.end()

    with session(tmp_path / "whole", FakeEngine(speakers=2)) as made:
        push(made, 10**6)
        made.wait()
    assert made.finished and made.seconds == 4.0 and made.speakers == 2
    with session(tmp_path / "run", FakeEngine(delay=0.05, speakers=2), pending=1.0) as made:
        feeder = threading.Thread(target=push, args=(made, 777), daemon=True)
        feeder.start()
        next(event for event in made.events() if event["chunk"] == 2)
        assert made._waiting <= 16000  # the limit is in seconds, not in samples of all speakers
    feeder.join(5)
    made.run.close()
    assert not made.finished
    with RunFolder.open(tmp_path / "run") as run, Session.resume(run, FakeEngine(speakers=2)) as resumed:
        assert resumed.source_position > 0
        push(resumed, 5000)
        resumed.wait()
    assert media(tmp_path / "run") == media(tmp_path / "whole")


def test_a_session_of_two_idles_is_cleared_and_ends_without_sound(tmp_path: Path) -> None:
    engine = FakeEngine(speakers=2)
    with session(tmp_path / "silent", engine) as made:
        made.end()
        made.wait()
    assert made.seconds == 1 / 25
    with session(tmp_path / "idle", engine, idle=True) as made:
        made.push(np.zeros((2, 100), np.float32))
        next(event for event in made.events() if event["chunk"] == 1)
    with session(tmp_path / "cleared", FakeEngine(delay=0.05, speakers=2)) as made:
        made.push(two_voices(6.0)[0])
        next(made.events())
        dropped = made.clear()
        made.end()
        made.wait()
    assert 3 < dropped < 6 and made.seconds == pytest.approx(6 - dropped, abs=0.04)


def test_samples_must_have_a_row_for_each_speaker(tmp_path: Path) -> None:
    with session(tmp_path / "run", FakeEngine(speakers=2)) as made:
        for wrong in (np.zeros(640), np.zeros((3, 640)), np.zeros((1, 2, 640))):
            with pytest.raises(ValueError, match=r"must be \(2, n\)"):
                made.push(wrong)
    with session(tmp_path / "single") as made, pytest.raises(ValueError, match=r"must be \(1, n\)"):
        made.push(np.zeros((2, 640)))


def test_the_sound_track_of_two_is_their_clipped_sum(tmp_path: Path) -> None:
    mono = np.zeros((2, 16000), np.float32)
    mono[0, 4000:12000], mono[1, 8000:] = 0.75, 0.75
    made = session(tmp_path / "run", FakeEngine(speakers=2))  # not started: what is pushed waits
    made.push(mono)
    heard = np.concatenate(made._sound, 1)
    assert heard.shape == (2, 48000) and np.array_equal(heard[0], heard[1])
    levels = heard[0, [6000, 18000, 30000, 42000]]  # nobody, the first, both, the second
    assert np.allclose(levels, [0, 0.75, 1.0, 0.75], atol=0.01) and heard.max() == 1.0


def test_steps_are_told_before_they_are_made(tmp_path: Path) -> None:
    told: list[tuple[int, int, int]] = []
    make(tmp_path / "run", 1.2, on_step=lambda *step: told.append(step))
    assert told == [(chunk, step, 2) for chunk in range(3) for step in range(2)]


def test_stop_acts_within_one_step(tmp_path: Path) -> None:
    mono, sound = speech(3.0)
    made = session(tmp_path / "run", FakeEngine(delay=20.0, steps=100))
    with made:
        made.push(mono, sound)
        time.sleep(0.3)
        begun = time.monotonic()
    assert time.monotonic() - begun < 5  # the chunk would have taken 20 s
    assert made.seconds == 0 and not made.finished


def test_bad_frames_are_an_error_and_the_run_is_kept(tmp_path: Path) -> None:
    mono, sound = speech(3.0)
    with session(tmp_path / "run", FakeEngine(bad_chunk=2)) as made:
        made.push(mono, sound)
        made.end()
        with pytest.raises(RuntimeError, match="chunk 2 has frames that are not numbers"):
            made.wait()
        with pytest.raises(RuntimeError):
            made.push(mono, sound)
        with pytest.raises(RuntimeError):
            list(made.events())
    made.run.close()
    assert [e["kind"] for e in made.run.events()] == ["chunk", "chunk", "error"]
    make(tmp_path / "whole", 3.0)
    assert go_on(tmp_path / "run", 3.0).finished
    assert media(tmp_path / "run") == media(tmp_path / "whole")


def test_failing_source_reaches_the_caller(tmp_path: Path) -> None:
    with session(tmp_path / "run") as made:
        made.fail(InputError("no sound"))
        with pytest.raises(InputError, match="no sound"):
            made.wait()
    assert [e["kind"] for e in made.run.events()] == ["error"]


def test_resume_refuses_other_engines(tmp_path: Path) -> None:
    make(tmp_path / "run", 0.5)
    engine = FakeEngine()
    engine.fingerprint = "debug-other"
    with RunFolder.open(tmp_path / "run") as run:
        with pytest.raises(InputError, match="another engine"):
            Session.resume(run, engine)
        run.state_path.write_text("{")
        with pytest.raises(InputError, match="cannot be read"):
            Session.resume(run, FakeEngine())


def test_upsampler_is_smooth_and_splits_anywhere() -> None:
    t = np.arange(16000) / 16000
    x = np.sin(2 * np.pi * 1000 * t).astype(np.float32)
    whole = _Upsampler(3)(x)
    parts = _Upsampler(3)
    assert np.allclose(np.concatenate([parts(p) for p in np.split(x, [1, 7, 700, 9000])], 1), whole, atol=1e-6)
    true = np.sin(2 * np.pi * 1000 * (np.arange(48000) / 48000 - 8 / 16000))
    assert np.abs(whole[0] - true)[100:].max() < 0.01
