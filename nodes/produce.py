"""A run made inside a node: session, progress, interrupt, and what is told when it fails."""

from __future__ import annotations

import contextlib
import shutil
import threading
import traceback
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

POLL = 0.02  # seconds between two looks at the interrupt flag: shorter than any denoising step


@dataclass(frozen=True)
class Made:
    """A run that is over. finished: to the end of the sound; video: None if nothing was made."""

    id: str
    video: Path | None
    finished: bool


def produce(
    stream: Stream,
    root: Path,
    name: str,
    resume: str = "",
    *,
    workflow_id: str | None = None,
    listen: Callable[[Session], None] | None = None,
) -> Made:
    """Make the video of `stream` in a run folder below `root`, or go on with run `resume`.

    Whatever ends it, what was made is a playable video. workflow_id: of the workflow that asked for it, if any did.
    listen: called with the session before it starts. Raises InputError, the host's interrupt, MemoryError with what to
    change, and what broke the run.
    """
    with out_of_memory_told(
        "memory ran out while the video was made; what was finished is kept and can be resumed: choose a smaller size "
        "or precision fp8 in 'Load Model', or close what else uses the device"
    ):
        return _produce(stream, root, name, resume, workflow_id, listen)


@contextlib.contextmanager
def out_of_memory_told(advice: str) -> Iterator[None]:
    """Free what the failed work and the host hold when memory runs out, and raise MemoryError with `advice`."""
    try:
        yield
    except Exception as error:
        if not host.out_of_memory(error):
            raise
        traceback.clear_frames(error.__traceback__)  # what failed holds the tensors that filled the memory
        host.free_memory()
        raise MemoryError(advice) from None


def _produce(
    stream: Stream,
    root: Path,
    name: str,
    resume: str,
    workflow_id: str | None,
    listen: Callable[[Session], None] | None,
) -> Made:
    meter = Meter(stream)
    with _open(stream, root, name, resume) as run:
        key = run.path.name[-16:]
        video = run.path.parent / f"{run.path.name}.mp4"
        session = _session(stream, run, meter)
        if listen:
            listen(session)
        if not session.finished:
            host.RUNS.live[key] = session
            try:
                _watch(session, stream, run, workflow_id, meter)
            finally:
                session.stop()
                host.RUNS.live.pop(key, None)
                if media := run.media():
                    finalise(media, video, kept=run.path)
        elif not video.exists():
            finalise(run.media(), video, kept=run.path)
        return Made(key, video if video.exists() else None, session.finished)


class Meter:
    """How far a run has come, on the bar and the line of text of its node.

    `step` is called by the session's thread; the rest by the node's, the only one that the host lets report.
    """

    def __init__(self, stream: Stream) -> None:
        self._total, self._fps = stream.frames, stream.model.config.stream.fps
        self._chunk_frames: Callable[[int], int] = lambda chunk: 0
        self._step = self._shown = (0, 0, 0)
        self._done, self._pace = 0, ""
        self._bar = host.Progress(self._total)
        self._bar.update(0, "loading the model")

    def loaded(self, engine: Any) -> None:
        self._chunk_frames = engine.frames_in_chunk
        self._bar.update(0, "reading the picture and the prompt")

    def step(self, chunk: int, step: int, steps: int) -> None:
        self._step = (chunk, step, steps)

    def committed(self, event: dict[str, Any]) -> None:
        self._done, self._pace = event["first_frame"] + event["frames"], f", {event['real_time']:.2f}x real time"

    def show(self) -> None:
        """The denoising step that is being made, if it is another one than last time."""
        chunk, step, steps = now = self._step
        if now != self._shown:
            self._shown = now
            made = self._done + self._chunk_frames(chunk) * step // steps
            self._bar.update(
                min(made, self._total),
                f"{self._done / self._fps:.1f} of {self._total / self._fps:.1f} s{self._pace}, "
                f"chunk {chunk + 1}: step {step + 1} of {steps}",
            )

    def over(self, text: str) -> None:
        self._bar.update(self._done, text)


@contextlib.contextmanager
def _open(stream: Stream, root: Path, name: str, resume: str) -> Iterator[RunFolder]:
    if not resume:
        described = {**stream.info(), "total_frames": stream.frames, "version": __version__}
        described["fingerprint"] = stream.model.engine().fingerprint
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
            if what != "seed" and run.info.get(what) != value:  # a run keeps its seed; the node's may draw new ones
                raise InputError(
                    f"run {resume} was made with another {what}; give the same again, or leave 'resume' empty"
                )
        yield run


def _session(stream: Stream, run: RunFolder, meter: Meter) -> Session:
    """A session at the run's beginning, or after its last committed chunk, with its prompts at their times."""
    meter.loaded(stream.model.engine())
    host.check_interrupted()
    prompts, fps = stream.look.schedule, stream.model.config.stream.fps
    chunks = [event for event in run.events() if event["kind"] == "chunk"]
    prompt = prompts.at(chunks[-1]["first_frame"] / fps if chunks else 0)  # of the last chunk that was made

    def turn(event: dict[str, Any]) -> None:
        nonlocal prompt
        new = prompts.at((event["first_frame"] + event["frames"]) / fps)
        if new != prompt:
            prompt = new
            if (living := held()) is not None:
                living.set_prompt(new)

    session = stream.session(run, prompt=prompt, on_chunk=turn, on_step=meter.step)
    held = weakref.ref(session)  # a session that held itself through `turn` would keep the weights from being freed
    if chunks:
        turn(chunks[-1])
        meter.committed(chunks[-1])
    return session


def _watch(session: Session, stream: Stream, run: RunFolder, workflow_id: str | None, meter: Meter) -> None:
    """Run a session to its end and report what it does. An interrupt is raised here, in the node's own thread."""
    key, (prompt_id, node_id) = run.path.name[-16:], host.node()
    tail = EventTail(run.events_path, run.last_event)
    run.announce("start", prompt_id=prompt_id, node_id=node_id, workflow_id=workflow_id)
    feeder = threading.Thread(target=_feed, args=(session, stream), name="echotorrent sound", daemon=True)
    session.start()
    feeder.start()

    def report() -> None:
        for event in tail.poll():
            if event["kind"] == "chunk":
                meter.committed(event)
            told: dict[str, Any] = {name: event[name] for name in ("n", "kind", "chunk", "seconds") if name in event}
            host.announce({"run": key, **told})
        meter.show()

    try:
        while not session.wait(POLL):
            host.check_interrupted()
            report()
    finally:
        session.stop()
        feeder.join()
        report()
        meter.over(f"run {key}")


def _feed(session: Session, stream: Stream) -> None:
    try:
        for mono, sound in stream.sound.blocks(session.sample_rate, session.source_position):
            if not session.push(mono, sound):
                return
        session.end()
    except Exception as error:  # belongs to the node, which waits for the session
        session.fail(error)
