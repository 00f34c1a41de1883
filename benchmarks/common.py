"""What the benchmarks share: arguments, the hardware's name, tables, the closing line of JSON, pictures and sound.

Run by itself it names the hardware.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from echotorrent_core.errors import InputError
from echotorrent_core.media import AudioReader, read_image
from echotorrent_core.stream import Engine
from echotorrent_core.weights.parts import ASSETS

RATE = 16000

# Arguments and output


def parser(description: str | None, **defaults: Any) -> argparse.ArgumentParser:
    """The arguments every benchmark has; each uses those that mean something for it."""
    p = argparse.ArgumentParser(description=(description or "").split("\n")[0])
    p.add_argument("--preset", default="embedded")
    p.add_argument("--weights", type=Path, help="folder with the parts of the preset (default: the shipped ones)")
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--clips", type=int, help="held-out clips to use")
    p.add_argument("--seconds", type=float, help="length of the (long) video")
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--quick", action="store_true", help="smallest run that exercises everything; no figures to quote")
    p.add_argument("--json", type=Path, help="also write the figures to this file")
    p.set_defaults(**defaults)
    return p


def engine(args: argparse.Namespace) -> Engine:
    """The engine of --preset and --weights on --threads threads."""
    torch.set_num_threads(args.threads)
    return Engine.from_preset(args.preset, folder=args.weights)


def hardware(threads: int) -> dict[str, Any]:
    """What the figures were made on. `load` is the machine's before the benchmark: above 0.5 others were at work."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    facts = {"cpu": _cpu_name(), "cores": cores, "threads": threads, "torch": torch.__version__, "load": round(load, 2)}
    if torch.cuda.is_available():
        facts["gpu"] = torch.cuda.get_device_name()
    return facts | {"python": platform.python_version(), "system": platform.system()}


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        found = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
        return f"{found['model name']} (family {found['cpu family']}, model {found['model']})"
    except (OSError, KeyError):
        return platform.processor() or platform.machine()


def table(title: str, header: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print rows of text and numbers in aligned columns."""
    cells = [list(header), *([_cell(value) for value in row] for row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    print(f"\n{title}")
    for number, row in enumerate(cells):
        aligned = [row[0].ljust(widths[0]), *(text.rjust(w) for text, w in zip(row[1:], widths[1:], strict=True))]
        print("  " + "  ".join(aligned))
        if number == 0:
            print("  " + "  ".join("-" * w for w in widths))


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return "-" if math.isnan(value) else f"{value:.4g}" if abs(value) < 1000 else f"{value:.0f}"
    return str(value)


def finish(args: argparse.Namespace, name: str, facts: dict[str, Any], figures: dict[str, Any]) -> None:
    """Print the hardware and, as the last line, everything as JSON; write it to --json too."""
    result = {"benchmark": name, "preset": args.preset, "quick": args.quick, "hardware": facts, "figures": figures}
    line = json.dumps(_plain(result), ensure_ascii=False)
    print("\n" + ", ".join(f"{key} {value}" for key, value in facts.items()))
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(line + "\n")
    print(line)


def _plain(value: Any) -> Any:
    """JSON-ready: numpy to Python, five digits, NaN to null."""
    if isinstance(value, dict):
        return {str(key): _plain(v) for key, v in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [_plain(v) for v in value]
    if isinstance(value, (float, np.floating)):
        return float(f"{value:.5g}") if math.isfinite(value) else None
    return value.item() if isinstance(value, np.generic) else value


# Pictures and sound


def portrait(config: Any) -> Tensor:
    """A shipped portrait (3, H, W) in [-1, 1] at the preset's size, or a plain one where none is shipped."""
    paths = sorted((ASSETS / "portraits").glob("*.png"))
    return read_image(paths[0], config.size) if paths else torch.zeros(3, *config.size)


def speech(seconds: float, block: int = 640) -> Iterator[np.ndarray]:
    """Blocks (n,) of shipped speech at 16 kHz, repeated to the wanted length. Memory does not grow with it."""
    paths = sorted((ASSETS / "speech").glob("*.flac"))
    if not paths:
        raise InputError(f"{ASSETS / 'speech'}: no shipped speech here; this benchmark needs a full checkout")
    once = np.concatenate([load_sound(path) for path in paths])
    total = round(seconds * RATE)
    for at in range(0, total, block):
        yield once.take(range(at, min(at + block, total)), mode="wrap")


def load_sound(path: Path) -> np.ndarray:
    """Sound of any file as mono (n,) at 16 kHz."""
    reader = AudioReader(path, RATE)
    try:
        return np.concatenate([block.mono for block in reader])
    finally:
        reader.close()


def to_tensor(frames: np.ndarray, size: tuple[int, int] | None = None) -> Tensor:
    """uint8 (T, H, W, 3) -> float (T, 3, H, W) in [-1, 1], at another size if given."""
    x = torch.from_numpy(np.ascontiguousarray(frames)).permute(0, 3, 1, 2).float() / 127.5 - 1
    if size and tuple(x.shape[2:]) != tuple(size):
        x = torch.nn.functional.interpolate(x, size, mode="bilinear", antialias=True)
    return x


def to_pixels(frames: Tensor) -> np.ndarray:
    """(T, 3, H, W) in [-1, 1] -> uint8 (T, H, W, 3), as the video gets them."""
    return ((frames.clamp(-1, 1) + 1) * 127.5 + 0.5).to(torch.uint8).permute(0, 2, 3, 1).numpy()


# Held-out clips


@dataclass(frozen=True)
class Held:
    """A clip of a person and a voice that no part was trained on.

    frames (65, 128, 128, 3) and portrait uint8; sound float32 at 16 kHz, frame 0 begins at sample `margin`;
    params (65, 4) open, wide, teeth, tongue; closures (65,) bool.
    """

    frames: np.ndarray
    portrait: np.ndarray
    sound: np.ndarray
    margin: int
    params: np.ndarray
    closures: np.ndarray
    domain: str
    voice: str


def held_out(count: int, domains: Sequence[str], corpus: Path | None = None) -> Iterator[Held]:
    """The first `count` spoken held-out clips of some domains: of a corpus folder, or rendered now (about a second
    each), which gives the same ones as a folder of the default mix."""
    clips = _rendered(domains) if corpus is None else _cached(corpus, domains)
    yield from islice((clip for clip in clips if clip.voice != "silence"), count)


def _cached(folder: Path, domains: Sequence[str]) -> Iterator[Held]:
    from training.corpus.build import FRAMES, MARGIN, CorpusReader

    reader = CorpusReader(folder)
    for i in range(len(reader)):
        labels = reader.labels(i)
        if str(labels["domain"]) not in domains:
            continue
        frames = np.array(reader.frames(i))
        sound = reader.audio(i).astype(np.float32) / 32767
        yield Held(
            frames[:FRAMES], frames[FRAMES], sound, MARGIN, labels["params"], labels["closures"],
            str(labels["domain"]), str(labels["voice"]),
        )  # fmt: skip


def _rendered(domains: Sequence[str]) -> Iterator[Held]:
    from training.corpus.build import DEFAULT_MIX, FRAMES, MARGIN, SHARD, render_clip, shard_clips, write_script

    shard = 0
    while True:
        for clip in shard_clips(shard, SHARD * (shard + 1), "heldout", DEFAULT_MIX):
            if clip.domain not in domains:
                continue
            script = write_script(clip)
            if script.voice == "silence":
                continue
            frames = render_clip(clip, script)[0]
            sound = script.audio.astype(np.float32) / 32767
            yield Held(
                frames[:FRAMES], frames[FRAMES], sound, MARGIN, script.params[:FRAMES], script.closures,
                clip.domain, script.voice,
            )  # fmt: skip
        shard += 1


if __name__ == "__main__":
    arguments = parser(__doc__).parse_args()
    finish(arguments, "hardware", hardware(arguments.threads), {})
