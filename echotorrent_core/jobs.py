"""A run from files: what `generate` and `play` share. Opens inputs, feeds the session, shows progress, finishes."""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import shutil
import signal
import struct
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from . import __version__, presets
from .errors import InputError
from .inputs import Inputs
from .loading import configure, load_engine, published, recall, remember
from .media import AudioReader, check_output, finalise, mix
from .run_folder import RunFolder
from .session import Session

DEFAULT_PRESET = "embedded"
SILENT = 1e-3  # peak; about -60 dB


def warn(text: str) -> None:
    print(f"warning: {text}", file=sys.stderr)


class Job:
    """One run being made: session, run folder and the thread that feeds it."""

    def __init__(self, args: argparse.Namespace, run_dir: Path) -> None:
        if args.threads is not None and args.threads < 1:
            raise InputError(f"--threads must be at least 1, got {args.threads}")
        if args.threads:
            import torch

            torch.set_num_threads(args.threads)
        self.readers: list[AudioReader] = []  # one for each voice that is still to be heard
        self.run, self.session = self._resume(args) if args.resume else self._begin(args, run_dir)

    def _begin(self, args: argparse.Namespace, run_dir: Path) -> tuple[RunFolder, Session]:
        preset = args.preset or DEFAULT_PRESET
        config = configure(preset, args)
        inputs = Inputs.given(args, config)
        image, speakers = inputs.portrait(config), inputs.speakers(config)
        self.readers = inputs.readers()
        engine = load_engine(config, args)
        if speakers is None:
            _warn_face(image, args.image)
        prompt, seed = args.prompt or "", args.seed or 0
        cond = _condition(engine, image, prompt, speakers)
        audio = inputs.recordings(engine)
        info = {
            "preset": preset,
            "fingerprint": engine.fingerprint,
            "seed": seed,
            "prompt": prompt,
            "version": __version__,
            "options": remember(args),
            **inputs.describe(),
        }
        run = RunFolder.create(run_dir, info)
        return run, Session(engine, cond, run, seed, audio=audio, prompt=prompt)

    def _resume(self, args: argparse.Namespace) -> tuple[RunFolder, Session]:
        run = RunFolder.open(args.resume, args.preset)
        try:
            info = run.info
            for name, given in (("prompt", args.prompt), ("seed", args.seed)):
                if given is not None and given != info[name]:
                    raise InputError(f"run '{run.path}' has {name} {info[name]!r}; leave --{name} out to resume it")
            recall(args, info.get("options", {}))
            inputs = Inputs.of_run(args, run)
            engine = load_engine(configure(info["preset"], args), args)
            config, cond = engine.config, None
            if not run.state_path.exists():  # stopped before its first chunk: begin again
                cond = _condition(engine, inputs.portrait(config), info["prompt"], inputs.speakers(config))
            session = Session.resume(run, engine, cond, audio=inputs.recordings(engine))
            if not session.finished:
                self.readers = inputs.readers(session.source_position)
            return run, session
        except BaseException:
            run.close()
            raise

    def start(self) -> None:
        self.session.start()
        if self.readers:
            threading.Thread(target=self._feed, name="feeder", daemon=True).start()

    def _feed(self) -> None:
        try:
            for block in mix(self.readers):
                if not self.session.push(*block):
                    return
            self.session.end()
        except Exception as error:
            self.session.fail(error)

    def remarks(self) -> None:
        """Warnings that are known only after all the sound was read."""
        for reader in self.readers:
            if reader.damaged:
                warn(f"audio {reader.name} is damaged in {reader.damaged} places, which were skipped")
            if reader.peak < SILENT and self.session.finished:
                warn(f"audio {reader.name} is silent; the mouth has nothing to follow")

    def progress(self, quiet: bool) -> Iterator[dict[str, Any]]:
        """Events as they come, with a progress bar on a terminal."""
        from tqdm import tqdm

        fps = self.session.fps
        durations = [reader.duration for reader in self.readers]
        duration = max(seconds for seconds in durations if seconds) if durations and all(durations) else None
        done = self.session.seconds
        total = math.ceil(duration * fps) / fps if duration else None
        layout = "{desc} {percentage:3.0f}%|{bar}| {n:.1f}/{total:.1f} s [{elapsed}<{remaining}{postfix}]"
        layout = layout if total else "{desc} {n:.1f} s [{elapsed}{postfix}]"
        with tqdm(total=total, initial=done, bar_format=layout, disable=True if quiet else None) as bar:
            for event in self.session.events(after=self.run.last_event):
                if event["kind"] == "chunk":
                    bar.set_description_str(f"chunk {event['chunk']}", refresh=False)
                    bar.set_postfix_str(f"{event['real_time']:.2f}x real time", refresh=False)
                    bar.update(min(event["frames"] / fps, max(0.0, (total or math.inf) - bar.n)))
                yield event

    def close(self) -> None:
        self.session.stop()
        self.run.close()


def generate(args: argparse.Namespace) -> int:
    """The `generate` command."""
    output = check_output(args.output)
    run_dir = args.run_dir or output.with_name(output.name + ".run")
    with interruptible():
        job = Job(args, run_dir)
        run, stopped, failure = job.run, False, None
        try:
            job.start()
            for _ in job.progress(args.quiet):
                pass
        except KeyboardInterrupt:
            stopped = True
        except (RuntimeError, ArithmeticError) as error:
            failure = error
        finally:
            job.close()
            if not (job.session.seconds or args.resume):
                shutil.rmtree(run.path, ignore_errors=True)  # holds nothing, and would be in the way
    job.remarks()
    media = run.media()
    if not media:
        if failure:
            raise failure
        print("stopped before the first chunk; nothing was made", file=sys.stderr)
        return 130
    finalise(media, output, kept=run.path)
    print(f"{output}: {job.session.seconds:.2f} s of video", file=sys.stderr)
    if stopped or failure:
        print(f"go on with: echotorrent generate --resume '{run.path}' -o '{output}'", file=sys.stderr)
        if failure:
            raise failure
        return 130
    if not (args.keep_run or args.run_dir or args.resume):
        shutil.rmtree(run.path, ignore_errors=True)
    return 0


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """SIGTERM acts as Ctrl-C: what was made is kept and finished."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    old = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, old)


def _condition(engine: Any, image: Any, prompt: str, speakers: Any) -> Any:
    try:
        return engine.condition(image, prompt, speakers)
    except ValueError as error:
        raise InputError(str(error)) from None


def _warn_face(image: Any, name: str) -> None:
    from .conditioning.image import looks_like_face

    if not looks_like_face(image):
        warn(f"image '{name}' does not look like a face seen from the front; the result may not move like one")


def describe() -> Iterator[str]:
    """Lines of the `info` command."""
    import platform

    import av
    import torch

    versions = {"python": platform.python_version(), "torch": torch.__version__, "av": av.__version__}
    yield f"echotorrent {__version__}, " + ", ".join(f"{name} {version}" for name, version in versions.items())
    yield f"devices: cpu ({os.cpu_count()} cores, {torch.get_num_threads()} threads)" + "".join(
        f", cuda:{i} ({torch.cuda.get_device_name(i)})" for i in range(torch.cuda.device_count())
    )
    yield "presets:"
    for name in presets.PRESETS:
        config = presets.get_preset(name)
        height, width = config.size
        stream, trunk = config.stream, config.trunk
        shape = f"{len(stream.sigmas)} steps, {trunk.num_layers} layers of {trunk.dim}"
        yield f"  {name}: {width}x{height} px, {stream.fps} fps, {shape}"
        folder = Path(__file__).parent / "assets" / name
        for path in sorted(folder.glob("*.safetensors")):
            yield f"    {path.name}: {path.stat().st_size / 1e6:.1f} MB{_metadata(path)}"
        if not folder.is_dir():
            yield "    " + ("published weights (--model-dir)" if published(config) else "random weights, for tests")


def _metadata(path: Path) -> str:
    """Metadata of a safetensors file, read from its header alone."""
    try:
        with open(path, "rb") as file:
            (size,) = struct.unpack("<Q", file.read(8))
            header = json.loads(file.read(min(size, 1 << 24)))
    except (OSError, ValueError, struct.error):
        return " (damaged)"
    found = header.get("__metadata__", {})
    return "".join(f", {key}: {str(value)[:80]}" for key, value in sorted(found.items()))
