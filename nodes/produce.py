"""A run made inside a node: session, progress, interrupt, and what is told when it fails."""

from __future__ import annotations

import contextlib
import shutil
import threading
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..echotorrent_core import __version__
from ..echotorrent_core.errors import InputError
from ..echotorrent_core.media import finalise
from ..echotorrent_core.run_folder import EventTail, RunFolder
from ..echotorrent_core.session import Session
from . import host
from .lazy import Stream

POLL = 0.05  # seconds between two looks at the interrupt flag


@dataclass(frozen=True)
class Made:
    """A run that is over. finished: to the end of the sound; video: None if nothing was made."""

    id: str
    video: Path | None
    finished: bool


def produce(
    stream: Stream, root: Path, name: str, resume: str = "", listen: Callable[[Session], None] | None = None
) -> Made:
    """Make the video of `stream` in a run folder below `root`, or go on with run `resume`.

    Whatever ends it, what was made is a playable video. listen: called with the session before it starts. Raises
    InputError, the host's interrupt, and what broke the run.
    """
    with out_of_memory_told(), _open(stream, root, name, resume) as run:
        key = run.path.name[-16:]
        video = run.path.parent / f"{run.path.name}.mp4"
        session = _session(stream, run)
        if listen:
            listen(session)
        if not session.finished:
            host.RUNS.live[key] = session
            try:
                _watch(session, stream, run, key)
            finally:
                session.stop()
                host.RUNS.live.pop(key, None)
                if media := run.media():
                    finalise(media, video, kept=run.path)
        elif not video.exists():
            finalise(run.media(), video, kept=run.path)
        return Made(key, video if video.exists() else None, session.finished)


@contextlib.contextmanager
def out_of_memory_told() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if not host.out_of_memory(error):
            raise
        host.free_memory()
        raise MemoryError(
            "memory ran out while the video was made; what was finished is kept and can be resumed: choose a smaller "
            "size or precision fp8 in 'Load Model', or close what else uses the device"
        ) from None


@contextlib.contextmanager
def _open(stream: Stream, root: Path, name: str, resume: str) -> Iterator[RunFolder]:
    if not resume:
        described = {**stream.info(), "fingerprint": stream.model.engine().fingerprint, "version": __version__}
        run = host.RUNS.create(root, name, described)
        try:
            with run:
                yield run
        finally:
            if not run.last_event:  # refused before it began
                shutil.rmtree(run.path, ignore_errors=True)
        return
    with RunFolder.open(host.RUNS.find(resume)) as run:
        for what, value in stream.info().items():
            if run.info.get(what) != value:
                raise InputError(
                    f"run {resume} was made with another {what}; give the same again, or leave 'resume' empty"
                )
        yield run


def _session(stream: Stream, run: RunFolder) -> Session:
    """A session at the run's beginning, or after its last committed chunk, with its prompts at their times."""
    engine, prompts = stream.model.engine(), stream.look.schedule
    fps = stream.model.config.stream.fps
    chunks = [event for event in run.events() if event["kind"] == "chunk"]
    prompt = prompts.at(chunks[-1]["first_frame"] / fps if chunks else 0)  # of the last chunk that was made

    def turn(event: dict[str, Any]) -> None:
        nonlocal prompt
        new = prompts.at((event["first_frame"] + event["frames"]) / fps)
        if new != prompt:
            prompt = new
            if (living := held()) is not None:
                living.set_prompt(new)

    cond = None if run.state_path.exists() else stream.condition(engine)
    options = {"image": stream.look.image(engine.config.size), "prompt": prompt, "on_chunk": turn}
    session = Session.resume(run, engine, cond, **options)
    held = weakref.ref(session)  # a session that held itself through `turn` would keep the weights from being freed
    if chunks:
        turn(chunks[-1])
    return session


def _watch(session: Session, stream: Stream, run: RunFolder, key: str) -> None:
    """Run a session to its end and report what it does. An interrupt is raised here, in the node's own thread."""
    prompt_id, node_id = host.node()
    tail = EventTail(run.events_path, run.last_event)
    run.announce("start", prompt_id=prompt_id, node_id=node_id)
    progress = host.Progress(stream.frames)
    feeder = threading.Thread(target=_feed, args=(session, stream), name="echotorrent sound", daemon=True)
    session.start()
    feeder.start()

    def report() -> None:
        for event in tail.poll():
            host.announce(
                {"run": key, **{name: event[name] for name in ("n", "kind", "chunk", "seconds") if name in event}}
            )
            if event["kind"] == "chunk":
                done = event["first_frame"] + event["frames"]
                progress.update(
                    done,
                    f"{done / session.fps:.1f} of {stream.frames / session.fps:.1f} s, "
                    f"{event['real_time']:.2f}x real time, run {key}",
                )

    try:
        while not session.wait(POLL):
            host.check_interrupted()
            report()
    finally:
        session.stop()
        report()


def _feed(session: Session, stream: Stream) -> None:
    try:
        for mono, sound in stream.sound.blocks(session.sample_rate, session.source_position):
            if not session.push(mono, sound):
                return
        session.end()
    except Exception as error:  # belongs to the node, which waits for the session
        session.fail(error)
