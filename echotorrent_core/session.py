"""The thread around the engine: sound goes in while chunks are made, encoded and committed to a run folder.

The session owns what is not the engine's business: waiting for sound or idling on silence, back-pressure both ways,
changes of prompt or reference between chunks, the sound track, and the order in which things reach the disk.
"""

from __future__ import annotations

import base64
import contextlib
import json
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from .errors import Cancelled, InputError
from .media import SegmentEncoder, SoundWindow
from .run_folder import EventTail, RunFolder
from .threads import Waiting, compute_thread, release_workers


class Session:
    """Streams one run. Start it with `start()` or as a context manager; `stop()` (also on exit) keeps what was made.

    engine: see `stream.Engine`; two sessions may share one. cond: from `engine.condition`; with the masks of two
    speakers in it, two voices are pushed. audio: recordings that are known beforehand, see `engine.start`.
    idle: when no sound is there as time goes by, go on with silence, else wait. pending: seconds of sound that may
    wait; `push` blocks beyond. state_every: chunks between two saved states.
    Both are called in the session's thread: on_chunk with each committed chunk's event, on_step(chunk, step, steps)
    before each denoising step of a chunk.
    """

    def __init__(
        self,
        engine: Any,
        cond: Any,
        run: RunFolder,
        seed: int = 0,
        *,
        audio: Sequence[Any] | None = None,
        prompt: str = "",
        idle: bool = False,
        pending: float = 30.0,
        state_every: int = 1,
        on_chunk: Callable[[dict[str, Any]], None] | None = None,
        on_step: Callable[[int, int, int], None] | None = None,
    ) -> None:
        config = engine.config
        self.engine, self.run = engine, run
        self.fps, self.sample_rate = config.stream.fps, config.audio.sample_rate
        self._encoder = SegmentEncoder(config.size, self.fps)
        self._per_frame = self.sample_rate // self.fps
        self._ratio = self._encoder.samples_per_frame // self._per_frame
        self._audio, self._prompt, self._idle, self._state_every = audio, prompt, idle, state_every
        self._on_chunk, self._on_step, self._steps = on_chunk, on_step, len(config.stream.sigmas)
        self._state: Any = None if cond is None else engine.start(cond, seed, audio=audio)
        self._window = SoundWindow(0, np.zeros((2, 0), np.float32))
        self._frames = 0  # frames committed
        self._heard = 0  # samples of the time line given to the engine, without the silence that pads the end
        self.source_position = 0  # samples of the caller's source that are used up: where to go on after a resume
        self._final = False  # the last chunk is committed
        self._mono: list[np.ndarray] = []
        self._sound: list[np.ndarray] = []
        self._waiting = 0
        self._limit = max(1, round(pending * self.sample_rate))
        self._upsampler = _Upsampler(self._ratio)
        self._change: dict[str, Any] | None = None
        self._workers = Waiting()
        self._listeners: list[queue.Queue] = []
        self._ended = self._stopping = self._done = False
        self._error: BaseException | None = None
        self._wake = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="session", daemon=True)

    @classmethod
    def resume(cls, run: RunFolder, engine: Any, cond: Any = None, **options: Any) -> Session:
        """The session that goes on from what `run` holds. Push sound from `source_position` on.

        cond: only used when the run was stopped before its first chunk. Raises InputError for a run of another engine.
        """
        run.check(engine.config.name, engine.fingerprint)
        options = {"prompt": run.info.get("prompt", ""), **options}
        if not run.state_path.exists():
            if cond is None:
                raise InputError(f"run folder '{run.path}' has no finished chunk yet; start it anew with its image")
            run.rewind(0)
            return cls(engine, cond, run, run.info["seed"], **options)
        session = cls(engine, None, run, run.info["seed"], **options)
        session._state = _load_state(engine, run.state_path, session._audio)
        session._restore()
        return session

    # ---- the caller's side

    def start(self) -> Session:
        self._epoch = time.monotonic() - self.seconds
        release_workers()
        self._thread.start()
        return self

    def __enter__(self) -> Session:
        return self if self._thread.is_alive() or self._done else self.start()

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def push(self, mono: np.ndarray, sound: np.ndarray | None = None) -> bool:
        """Add sound: mono (n,), or (S, n) of S speakers, at the engine's rate; sound (2, ratio * n) at 48 kHz (None:
        made of the sum of the speakers).

        Blocks while more than `pending` seconds wait. False when the session is over; raises its error if it failed.
        """
        mono = np.atleast_2d(np.asarray(mono, np.float32))
        if mono.ndim != 2 or len(mono) != self.speakers:
            raise ValueError(f"mono must be ({self.speakers}, n), a row for each speaker, got {mono.shape}")
        length = mono.shape[1]
        sound = np.clip(self._upsampler(mono.sum(0)), -1, 1) if sound is None else np.asarray(sound, np.float32)
        if sound.shape != (2, self._ratio * length):
            raise ValueError(f"sound must be (2, {self._ratio * length}) for {length} samples, got {sound.shape}")
        at = 0
        while at < length:
            with self._wake:
                while self._waiting >= self._limit and not (self._done or self._stopping):
                    self._wake.wait(0.5)
                if self._done or self._stopping:
                    self._raise()
                    return False
                if self._ended:
                    raise ValueError("push after end(): this session takes no more sound")
                n = min(self._limit - self._waiting, length - at)
                self._mono.append(mono[:, at : at + n])
                self._sound.append(sound[:, at * self._ratio : (at + n) * self._ratio])
                self._waiting += n
                self._wake.notify_all()
            at += n
        return True

    def end(self) -> None:
        """No more sound will come: the rest is made, the last chunk cut to the sound's length."""
        with self._wake:
            self._ended = True
            self._wake.notify_all()

    def fail(self, error: BaseException) -> None:
        """The source of sound broke: stop, and raise `error` to whoever waits or listens."""
        with self._wake:
            self._error = self._error or error
            self._stopping = True
            self._wake.notify_all()

    def clear(self) -> float:
        """Barge-in: drop sound that no chunk has used yet; returns the seconds dropped."""
        with self._wake:
            dropped, self._waiting = self._waiting, 0
            self.source_position += dropped
            self._mono, self._sound = [], []
            self._wake.notify_all()
        return dropped / self.sample_rate

    def set_prompt(self, prompt: str) -> None:
        """Another prompt from the next chunk on; the reference and the places of the speakers stay."""
        self._set(prompt=prompt)

    def set_reference(self, image: torch.Tensor) -> None:
        """Another reference image, (3, H, W) in [-1, 1], from the next chunk on; the prompt and the places of the
        speakers stay."""
        self._set(image=image)

    def stop(self) -> None:
        """Stop within one denoising step; committed chunks stay. Waits for the thread."""
        with self._wake:
            self._stopping = True
            self._wake.notify_all()
        if self._thread.is_alive():
            self._thread.join()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the run is over; raises its error. False when `timeout` seconds passed first."""
        limit = None if timeout is None else time.monotonic() + timeout
        with self._wake:
            while not self._done:
                left = None if limit is None else limit - time.monotonic()
                if left is not None and left <= 0:
                    return False
                self._wake.wait(0.5 if left is None else min(left, 0.5))  # a wait without limit would hold back Ctrl-C
        self._raise()
        return True

    def events(self, after: int = 0) -> Iterator[dict[str, Any]]:
        """Events numbered above `after` as they are committed, until the run is over; then raises its error, if any."""
        tail = EventTail(self.run.events_path, after)
        while True:
            with self._wake:
                done = self._done
                found = tail.poll()
                if not found and not done:
                    self._wake.wait(0.5)
            yield from found
            if done:
                return self._raise()

    def frames(self, maxsize: int = 2) -> Iterator[tuple[dict[str, Any], np.ndarray]]:
        """(event, frames uint8 (T, H, W, 3)) of each chunk from now on. A slow reader holds the maker back."""
        listener: queue.Queue = queue.Queue(maxsize)
        with self._wake:
            self._listeners.append(listener)
        return self._listen(listener)

    @property
    def speakers(self) -> int:
        """How many voices are pushed."""
        return self._state.speakers

    @property
    def finished(self) -> bool:
        """All sound is used and the last chunk is committed."""
        return self._final

    @property
    def seconds(self) -> float:
        """Seconds of video committed."""
        return self._frames / self.fps

    def _listen(self, listener: queue.Queue) -> Iterator[tuple[dict[str, Any], np.ndarray]]:
        try:
            while True:
                try:
                    yield listener.get(timeout=0.2)
                except queue.Empty:
                    if self._done and listener.empty():
                        return self._raise()
        finally:
            self._listeners.remove(listener)

    def _set(self, **change: Any) -> None:
        with self._wake:
            self._change = {**(self._change or {}), **change}
            self._wake.notify_all()

    def _raise(self) -> None:
        if self._error is not None:
            raise self._error

    # ---- the session's thread

    def _work(self) -> None:
        compute_thread()
        try:
            if not self.run.init_path.exists():
                self.run.write_init(self._encoder.init())
            with contextlib.suppress(Cancelled):
                while (samples := self._next_samples()) is not None:
                    self._make(samples)
            self._close()
        except BaseException as error:  # belongs to the caller, who waits in another thread
            self._error = self._error or error
        finally:
            self._workers.close()
            with contextlib.suppress(BaseException):  # whatever happens here, those who wait must wake up
                kind = "error" if self._error else "end" if self._final else "stop"
                self.run.announce(kind, frames=self._frames, **({"message": str(self._error)} if self._error else {}))
            with self._wake:
                self._done = True
                self._wake.notify_all()

    def _next_samples(self) -> np.ndarray | None:
        """The sound of the next chunk (S, n), waited for; None when the run is over."""
        with self._wake:
            need = self.engine.samples_needed(self._state)
            while True:
                self._final = self._final or (self._ended and self._frames >= self._total)
                if self._stopping or self._final:
                    return None
                late = self._late() if self._idle else None
                if self._waiting >= need or self._ended or (late is not None and late >= 0):
                    return self._take(need)
                self._wake.wait(0.5 if late is None else min(0.5, -late))

    @property
    def _total(self) -> int:
        """Frames of the whole run, once the sound has ended: at least one, the last may be half filled."""
        return max(1, -(-(self._heard + self._waiting) // self._per_frame))

    def _late(self) -> float:
        """Seconds by which an idle chunk is due: one chunk is kept ahead of the clock."""
        ahead = self.engine.frames_in_chunk(self._state.chunk) / self.fps
        return time.monotonic() - self._epoch - (self.seconds - ahead)

    def _take(self, need: int) -> np.ndarray:
        n = min(need, self._waiting)
        mono = np.concatenate([*self._mono, np.zeros((self.speakers, 0), np.float32)], 1)
        sound = np.concatenate([*self._sound, np.zeros((2, 0), np.float32)], 1)
        cut = n * self._ratio
        self._mono, self._sound, self._waiting = [mono[:, n:]], [sound[:, cut:]], self._waiting - n
        self.source_position += n
        self._heard += n if self._ended else need
        self._window = self._window.join(np.pad(sound[:, :cut], ((0, 0), (0, need * self._ratio - cut))))
        self._wake.notify_all()
        return np.pad(mono[:, :n], ((0, 0), (0, need - n)))

    def _make(self, samples: np.ndarray) -> None:
        begun = time.monotonic()
        state, extra = self._state, {}
        with self._wake:
            change, self._change = self._change, None
        if change:
            self._prompt = change.get("prompt", self._prompt)
            state = self.engine.change(state, **change)
            extra = {"prompt": self._prompt, "new_reference": "image" in change}
        chunk = state.chunk
        total = self._total if self._ended else None
        state, frames = self.engine.step(state, torch.from_numpy(samples), on_step=self._step, total=total)
        if not bool(torch.isfinite(frames).all()):
            raise RuntimeError(
                f"chunk {chunk} has frames that are not numbers; all before it is kept in '{self.run.path}'"
            )
        pixels = ((frames[0].clamp(-1, 1) + 1) * 127.5 + 0.5).to(torch.uint8).permute(1, 2, 3, 0).cpu().numpy()
        with self._wake:  # the end may have become known while the chunk was made
            if self._ended:
                pixels = pixels[: self._total - self._frames]
                self._final = self._frames + len(pixels) >= self._total
        segment = self._encoder.chunk(chunk, self._frames, pixels, self._window)
        seconds = time.monotonic() - begun
        event = {
            "kind": "chunk",
            "chunk": chunk,
            "first_frame": self._frames,
            "frames": len(pixels),
            "file": f"segments/{chunk:05d}.m4s",
            "seconds": round(seconds, 4),
            "real_time": round(len(pixels) / self.fps / seconds, 3),
            **extra,
        }
        self._frames += len(pixels)
        self._window = self._window.since(self._encoder.context_start(self._frames))
        state.extra = self._extra(event)
        save = state.save if state.chunk % self._state_every == 0 or self._final else None
        event = self.run.commit(chunk, segment, event, save)
        self._state = state
        self._publish(event, pixels)

    def _step(self, step: int) -> None:
        if self._stopping:
            raise Cancelled
        self._workers.adapt()
        if self._on_step:
            self._on_step(self._state.chunk, step, self._steps)

    def _publish(self, event: dict[str, Any], pixels: np.ndarray) -> None:
        with self._wake:
            self._wake.notify_all()
        if self._on_chunk:
            self._on_chunk(event)
        for listener in list(self._listeners):
            while listener in self._listeners and not self._stopping:
                try:
                    listener.put((event, pixels), timeout=0.1)
                    break
                except queue.Full:
                    continue

    def _close(self) -> None:
        """The sound that the encoder's look-ahead holds, as a last fragment; a resumed run drops it again."""
        if self._frames:
            self.run.write_closing(self._encoder.closing(self._state.chunk, self._frames, self._window))

    def _extra(self, event: dict[str, Any]) -> dict[str, str]:
        """What the session must remember, for the state file: one file is one commit."""
        numbers = {
            "frames": self._frames,
            "heard": self._heard,
            "source": self.source_position,
            "final": self._final,
            "start": self._window.start,
            "event": event,
        }
        sound = np.ascontiguousarray(self._window.samples, "<f4")
        return {"session": json.dumps(numbers), "sound": base64.b64encode(sound.tobytes()).decode()}

    def _restore(self) -> None:
        try:
            numbers = json.loads(self._state.extra["session"])
            sound = np.frombuffer(base64.b64decode(self._state.extra["sound"]), "<f4").reshape(2, -1)
        except (KeyError, ValueError) as error:
            raise InputError(f"state '{self.run.state_path}' was not written by a session ({error!r})") from None
        self._frames, self._heard, self._final = numbers["frames"], numbers["heard"], numbers["final"]
        self.source_position, self._window = numbers["source"], SoundWindow(numbers["start"], sound)
        self.run.rewind(self._state.chunk, numbers["event"])


class _Upsampler:
    """Mono at the engine's rate -> stereo at `ratio` times it: windowed sinc, 0.5 ms of delay, any split."""

    def __init__(self, ratio: int, reach: int = 8) -> None:
        t = np.arange(-reach, reach, 1 / ratio)
        kernel = np.sinc(t) * np.cos(np.pi * t / (2 * reach)) ** 2
        self._phases = kernel.reshape(2 * reach, ratio).T.astype(np.float32)[:, ::-1]  # (ratio, taps)
        self._past = np.zeros(2 * reach - 1, np.float32)

    def __call__(self, mono: np.ndarray) -> np.ndarray:
        if not len(mono):
            return np.zeros((2, 0), np.float32)
        x = np.concatenate([self._past, mono])
        self._past = x[len(mono) :]
        windows = np.lib.stride_tricks.sliding_window_view(x, self._phases.shape[1])
        return np.repeat((windows @ self._phases.T).reshape(1, -1), 2, 0)


def _load_state(engine: Any, path: Path, audio: Sequence[Any] | None) -> Any:
    try:
        if hasattr(engine, "load_state"):
            return engine.load_state(path)
        from .stream import StreamState

        return StreamState.load(path, engine, audio)
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"state '{path}' cannot be read ({error}); start a new run") from None
